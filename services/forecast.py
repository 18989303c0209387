"""What a mass sending will be: the rows of its recipients, with text and price."""

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

from ..gateway import MAX_BULK_NUMBERS
from ..tools import sms_text

# Up to this many different texts are counted only once.
REMEMBERED = 10_000
# Characters outside GSM that are kept, the most frequent ones.
KEPT_CHARS = 100


def make_row(recipient, template, *, skip_empty):
    """Return what the journal keeps of a recipient, apart from what all rows share and
    from what it costs.

    :param recipient: a :class:`~.audience.Recipient`
    :param template: a :class:`~..tools.placeholders.Template`
    :param bool skip_empty: leave out recipients without a value that the text asks for
    :return: dict of columns of ``sms.devino.message``
    """
    raw, data = recipient.raw, recipient.data
    row = {
        "number": recipient.number or None,
        "number_raw": raw if raw and raw != recipient.number else None,
        "name": recipient.name or None,
        "data": json.dumps(data, ensure_ascii=False) if data else None,
        "partner_id": recipient.partner_id,
        "res_model": recipient.res_model,
        "res_id": recipient.res_id,
        "repeat_of_id": recipient.repeat_of_id,
        "body": None,
        "segment_count": 0,
        "cost_estimated": 0.0,
        "empty_values": None,
        "state": "left_out",
        "reason": recipient.reason,
    }
    if row["reason"]:
        return row
    body = recipient.body
    if body is None:
        text = template.render(recipient.values)
        body = sms_text.normalise(text).replace("\x00", "")
        row["empty_values"] = ", ".join(template.empty(recipient.values)) or None
    row["body"] = body
    if not body.strip():
        row["reason"] = "no_text"
    elif len(body) > sms_text.MAX_TEXT_LENGTH:
        row["reason"] = "long_text"
    elif skip_empty and row["empty_values"]:
        row["reason"] = "no_value"
    else:
        row["state"] = "draft"
        row["segment_count"] = count_segments(body)[1]
    return row


def leave_out_row(row, reason, words=None):
    """Leave out a row of a draft.

    :param dict row: columns of the journal; it is changed
    :param str reason: a key of ``LEFT_OUT_REASONS``
    :param str words: what there is to know besides
    """
    row |= {
        "state": "left_out",
        "reason": reason,
        "error_text": words,
        "scheduled_at": None,
        "segment_count": 0,
        "cost_estimated": 0.0,
    }


@lru_cache(REMEMBERED)
def count_segments(body):
    """Return (encoding, segments, of these due to Unicode, saved, characters)."""
    info = sms_text.analyse(body)
    if info.encoding == "gsm7":
        return "gsm7", info.segments, 0, 0, ()
    plain = body.translate({ord(char): "x" for char in info.unicode_chars})
    due = info.segments - sms_text.segments(plain)
    saved = info.segments - sms_text.segments(sms_text.simplify(body))
    return "ucs2", info.segments, due, max(saved, 0), info.unicode_chars


@dataclass
class Forecast:
    """Sums over the rows of what is no column of the journal.

    :ivar messages: encoding -> how many messages
    :ivar segments: encoding -> how many segments
    :ivar unicode_chars: character outside GSM -> in how many messages
    :ivar unicode_segments: segments that would not be needed, were these in GSM
    :ivar unicode_cost: and their price
    :ivar saved_segments: segments that plain stand-ins for typographic characters save
    :ivar saved_cost: and their price
    """

    messages: Counter = field(default_factory=Counter)
    segments: Counter = field(default_factory=Counter)
    unicode_chars: Counter = field(default_factory=Counter)
    unicode_segments: int = 0
    unicode_cost: float = 0.0
    saved_segments: int = 0
    saved_cost: float = 0.0
    _texts: Counter = field(default_factory=Counter)
    _first: int | None = None
    _middle: int | None = None
    _last: int | None = None
    _longest: tuple = ()

    def add(self, row, message_id):
        """Add a row as :func:`make_row` returns it."""
        if row["state"] != "draft":
            return
        body = row["body"]
        encoding, segments, due, saved, chars = count_segments(body)
        self.messages[encoding] += 1
        self.segments[encoding] += segments
        self._texts[body] += 1
        if chars:
            price = row["cost_estimated"] / segments
            self.unicode_segments += due
            self.unicode_cost += due * price
            self.saved_segments += saved
            self.saved_cost += saved * price
            self.unicode_chars.update(chars)
        self._pick_sample(message_id, (segments, len(body)))

    def _pick_sample(self, message_id, length):
        """Keep the first row, one from the middle, the last, and the longest text."""
        self._first, self._last = self._first or message_id, message_id
        total = self.messages.total()
        if not total & (total - 1):
            # the last power of two is somewhere in the second half
            self._middle = message_id
        if not self._longest or length > self._longest[0]:
            self._longest = length, message_id

    def get_figures(self):
        """Return the sums as a dict for a Json field; samples are ids of messages."""
        longest = self._longest and self._longest[1]
        picked = (self._first, self._middle, self._last, longest)
        return {
            "messages": dict(self.messages),
            "segments": dict(self.segments),
            "calls": sum(
                -(-count // MAX_BULK_NUMBERS) for count in self._texts.values()
            ),
            "unicode_segments": self.unicode_segments,
            "unicode_cost": self.unicode_cost,
            "saved_segments": self.saved_segments,
            "saved_cost": self.saved_cost,
            "samples": list(dict.fromkeys(filter(None, picked))),
            "longest": longest or None,
            "chars": [char for char, _n in self.unicode_chars.most_common(KEPT_CHARS)],
        }
