"""Keeping secrets out of what is stored and logged."""

import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

_MASK = "***"
# A session id has 36 letters and digits; an answer to a login may hold one that the
# program does not know yet.
_SESSION_LIKE = re.compile(r"[0-9A-Za-z]{24,}")


def redact(text: str, secrets: Iterable[str]) -> str:
    """``text`` without any of ``secrets``, plain or escaped as in a URL, in JSON or in
    HTML (error pages like to quote the request)."""
    spellings = {form for secret in secrets if secret for form in _spellings(secret)}
    for form in sorted(spellings, key=len, reverse=True):
        text = text.replace(form, _MASK)
    return text


def redact_sessions(text: str) -> str:
    """``text`` without anything that looks like a session id."""
    return _SESSION_LIKE.sub(_MASK, text)


def _spellings(secret: str) -> tuple[str, ...]:
    in_url = secret.encode("utf-8", "replace")
    return (
        secret,
        quote(in_url, safe=""),
        quote_plus(in_url),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        html.escape(secret),
    )
