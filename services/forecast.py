"""What a mass sending will be: each recipient's text, its parts and its price."""

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

from ..gateway import MAX_BULK_NUMBERS
from ..tools import sms_text

SAMPLES = 3
# So many different texts are counted once only.
REMEMBERED = 10000


@dataclass(slots=True)
class Line:
    """A candidate with the text that he or she will get, or the reason for none."""

    candidate: object
    body: str | None = None
    encoding: str | None = None
    segments: int = 0
    cost: float = 0.0
    reason: str | None = None
    empty_values: str | None = None


@dataclass
class Forecast:
    """Sums over the lines.

    :ivar messages: encoding -> how many messages
    :ivar segments: encoding -> how many segments
    :ivar left_out: reason -> how many recipients
    :ivar cost: of all segments, in the account's currency
    :ivar calls: requests to the provider that it takes
    :ivar empty: recipients for whom a value that the text asks for is empty
    :ivar unicode_chars: character outside GSM -> in how many messages
    :ivar unicode_segments: segments that would not be needed, were these in GSM
    :ivar unicode_cost: and their price
    :ivar saved_segments: segments that plain stand-ins for typographic characters save
    :ivar saved_cost: and their price
    """

    messages: Counter = field(default_factory=Counter)
    segments: Counter = field(default_factory=Counter)
    left_out: Counter = field(default_factory=Counter)
    unicode_chars: Counter = field(default_factory=Counter)
    cost: float = 0.0
    calls: int = 0
    empty: int = 0
    unicode_segments: int = 0
    unicode_cost: float = 0.0
    saved_segments: int = 0
    saved_cost: float = 0.0
    samples: list[Line] = field(default_factory=list)
    longest: Line | None = None

    @property
    def total(self):
        return self.messages.total()


def make_lines(candidates, template, find_price):
    """Return a :class:`Line` for each candidate.

    :param template: a :class:`~..tools.placeholders.Template`
    :param find_price: callable, number -> price of a segment
    """
    return [_make_line(one, template, find_price) for one in candidates]


def _make_line(candidate, template, find_price):
    if candidate.reason:
        return Line(candidate, reason=candidate.reason)
    body, empty = candidate.body, None
    if body is None:
        body = sms_text.normalise(template.render(candidate.values)).replace("\x00", "")
        empty = ", ".join(template.empty(candidate.values)) or None
    if not body.strip():
        return Line(candidate, reason="no_text", empty_values=empty)
    if len(body) > sms_text.MAX_TEXT_LENGTH:
        return Line(candidate, body=body, reason="long_text", empty_values=empty)
    encoding, segments = _count(body)[:2]
    cost = segments * find_price(candidate.number)
    return Line(candidate, body, encoding, segments, cost, None, empty)


@lru_cache(REMEMBERED)
def _count(body):
    """Return (encoding, segments, of these due to Unicode, saved, characters)."""
    info = sms_text.analyse(body)
    if info.encoding == "gsm7":
        return "gsm7", info.segments, 0, 0, ()
    plain = body.translate({ord(char): "x" for char in info.unicode_chars})
    due = info.segments - sms_text.segments(plain)
    saved = info.segments - sms_text.segments(sms_text.simplify(body))
    return "ucs2", info.segments, due, max(saved, 0), info.unicode_chars


def forecast(lines):
    """Add the lines up; return a :class:`Forecast`."""
    result = Forecast()
    texts = Counter()
    for line in lines:
        if line.reason:
            result.left_out[line.reason] += 1
            continue
        result.messages[line.encoding] += 1
        result.segments[line.encoding] += line.segments
        result.cost += line.cost
        result.empty += bool(line.empty_values)
        texts[line.body] += 1
        if line.encoding == "ucs2":
            _add_unicode(result, line)
    result.calls = sum(-(-count // MAX_BULK_NUMBERS) for count in texts.values())
    _pick_samples(result, [line for line in lines if not line.reason])
    return result


def _add_unicode(result, line):
    _encoding, segments, due, saved, chars = _count(line.body)
    price = line.cost / segments
    result.unicode_segments += due
    result.unicode_cost += due * price
    result.saved_segments += saved
    result.saved_cost += saved * price
    result.unicode_chars.update(chars)


def _pick_samples(result, lines):
    """Take the first recipient, one from the middle, the last, and the longest text."""
    if not lines:
        return
    positions = dict.fromkeys((0, len(lines) // 2, len(lines) - 1))
    result.samples = [lines[position] for position in positions][:SAMPLES]
    result.longest = max(lines, key=lambda line: (line.segments, len(line.body)))
