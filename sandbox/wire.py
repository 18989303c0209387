"""The provider's way of writing: JSON, dates, parameters."""

import json
import re
from datetime import datetime, timedelta
from decimal import Decimal
from email import message_from_bytes
from urllib.parse import parse_qsl

_EPOCH = datetime(1970, 1, 1)
#: .NET's DateTime.MinValue, which the provider writes for "never" (documented).
NEVER = datetime(1, 1, 1)

_DATE = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"([T ](?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d+))?)?"
    r"(?P<zone>[Zz]|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)
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

    The three forms are sent by official clients. Seconds may be missing or have a
    fraction, and a zone may follow (``Z``, ``+03:00``), as .NET reads them.

    :raise ValueError: when it is none of these
    """
    match = _DATE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is no date like 2026-11-24T18:30:00")
    fraction = ((match["fraction"] or "") + "000000")[:6]
    clock = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    moment = datetime(
        *(int(match[name]) for name in ("year", "month", "day")), *clock, int(fraction)
    )
    try:
        return moment - _offset(match["zone"])
    except OverflowError:
        raise ValueError(f"{text!r} is out of range") from None


def _offset(zone):
    """How far a zone ("Z", "+03:00", None) is before UTC."""
    if not zone or zone in "Zz":
        return timedelta(0)
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if hours > 14 or minutes > 59:
        raise ValueError(f"{zone!r} is no time zone")
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if zone[0] == "-" else offset


def parse_pairs(query, content_type, body):
    """The parameters of a request, those of the body before those of the query.

    A form body is read on GET too, without a Content-Type as well; a JSON body is
    flattened, its lists becoming repeated names (all seen in clients). A multipart
    form is what several HTTP libraries make of a dict without being asked.

    :param str query: without "?"
    :param str content_type: may be empty
    """
    kind = content_type.lower()
    if "json" in kind or body[:1] == b"{":
        pairs = _json_pairs(body)
    elif kind.startswith("multipart/form-data"):
        pairs = _multipart_pairs(content_type, body)
    else:
        pairs = _form_pairs(body.decode("utf-8", "replace"))
    return pairs + _form_pairs(query) if query else pairs


def _multipart_pairs(content_type, body):
    head = f"Content-Type: {content_type}\r\n\r\n".encode("utf-8", "replace")
    form = message_from_bytes(head + body)
    pairs = []
    for part in form.get_payload() if form.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        value = part.get_payload(decode=True)
        if isinstance(name, str) and value is not None:
            pairs.append((name, value.decode("utf-8", "replace")))
    return pairs


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
    """Parameters by name, in any case; repeated or numbered (``name[0]``) as lists."""

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
