"""The provider's way of writing: JSON, dates, parameters."""

import json
import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import parse_qsl

_EPOCH = datetime(1970, 1, 1)
#: .NET's DateTime.MinValue, which the provider writes for "never" (documented).
NEVER = datetime(1, 1, 1)

_INDEX = re.compile(r"\[\d*\]$")


def to_datetime(seconds):
    """A naive UTC datetime of seconds since 1970; None stays None."""
    return None if seconds is None else _EPOCH + timedelta(seconds=seconds)


def to_seconds(moment):
    """Seconds since 1970 of a naive UTC datetime; None stays None."""
    return None if moment is None else (moment - _EPOCH).total_seconds()


def number_text(value):
    """A Decimal the way the provider writes it: no exponent, no trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def encode(value):
    r"""``value`` as the provider's JSON: compact, Cyrillic as is, ``\/Date(ms)\/``.

    Compactness and the order of keys matter: the 1C module cuts the answer by literal
    substrings (documented samples, seen in several clients).

    :param value: dict, list, str, int, bool, Decimal, naive UTC datetime or None
    :rtype: str
    """
    if isinstance(value, dict):
        members = (f"{json.dumps(key)}:{encode(item)}" for key, item in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(encode, value)) + "]"
    if isinstance(value, datetime):
        return rf'"\/Date({(value - _EPOCH) // timedelta(milliseconds=1)})\/"'
    if isinstance(value, Decimal):
        return number_text(value)
    return json.dumps(value, ensure_ascii=False)


def parse_date(text):
    """A naive UTC datetime from ``yyyy-MM-ddTHH:mm:ss``, a blank for T, or a date.

    The three forms are sent by official clients.

    :raise ValueError: when it is none of these
    """
    text = text[:-1] + "+00:00" if text.endswith("Z") else text
    moment = datetime.fromisoformat(text)
    if moment.tzinfo:
        moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return moment


def parse_pairs(query, content_type, body):
    """The parameters of a request, those of the body before those of the query.

    A form body is read on GET too, without a Content-Type as well; a JSON body is
    flattened, its lists becoming repeated names (all seen in clients).

    :param str query: without "?"
    :param str content_type: may be empty
    :param bytes body:
    :rtype: list[tuple[str, str]]
    """
    if "json" in content_type.lower() or body[:1] == b"{":
        pairs = _json_pairs(body)
    else:
        pairs = _form_pairs(body.decode("utf-8", "replace"))
    return pairs + _form_pairs(query)


def _form_pairs(text):
    return parse_qsl(text, keep_blank_values=True, errors="replace")


def _json_pairs(body):
    try:
        members = json.loads(body)
    except ValueError:
        return []
    if not isinstance(members, dict):
        return []
    pairs = []
    for name, value in members.items():
        items = value if isinstance(value, list) else [value]
        pairs += [(name, "" if item is None else _sound(item)) for item in items]
    return pairs


def _sound(item):
    """As text; half a surrogate pair, which JSON can hold, is no text."""
    return str(item).encode(errors="replace").decode()


class Params:
    """Parameters by name: any case, repeated or numbered (``name[0]``) ones as lists.

    :param list[tuple[str, str]] pairs:
    """

    def __init__(self, pairs):
        self._values = {}
        for name, value in pairs:
            key = _INDEX.sub("", name.strip()).lower()
            self._values.setdefault(key, []).append(value)

    def text(self, name):
        """The first value that is not empty, blanks kept; "" when there is none."""
        return next(filter(None, self._values.get(name.lower(), ())), "")

    def first(self, name):
        """The same without blanks around: an unescaped "+" arrives as a blank."""
        return self.text(name).strip()

    def all(self, name):
        """Every value without blanks around, in order."""
        return [value.strip() for value in self._values.get(name.lower(), ())]
