"""Keeping secrets out of what is stored and logged."""

import re
from collections.abc import Iterable
from html.entities import codepoint2name

_MASK = "***"
# A session id has 36 letters and digits; an answer to a login may hold one that the
# program does not know yet.
_SESSION_LIKE = re.compile(r"[0-9A-Za-z]{24,}")


def redact(text: str, secrets: Iterable[str]) -> str:
    """``text`` without any of ``secrets``, plain or escaped as in a URL, in JSON or in
    HTML, each character in its own way (error pages like to quote the request)."""
    for secret in sorted(filter(None, set(secrets)), key=len, reverse=True):
        text = re.sub("".join(map(_spellings, secret)), _MASK, text)
    return text


def redact_sessions(text: str) -> str:
    """``text`` without anything that looks like a session id."""
    return _SESSION_LIKE.sub(_MASK, text)


def _spellings(char: str) -> str:
    """A regular expression for all ways to write one character."""
    code = ord(char)
    utf8 = char.encode("utf-8", "replace")
    utf16 = char.encode("utf-16-be", "surrogatepass").hex()
    ways = [
        "".join(f"%{byte:02x}" for byte in utf8),
        "".join(rf"\\u{utf16[at : at + 4]}" for at in range(0, len(utf16), 4)),
        f"&#0*{code};",
        f"&#x0*{code:x};",
        *([f"&{codepoint2name[code]};"] if code in codepoint2name else []),
    ]
    plain = [re.escape(char), rf"\\{re.escape(char)}"]
    if char == " ":
        plain.append(r"\+")
    return f"(?:{'|'.join(plain)}|(?i:{'|'.join(ways)}))"
