"""What the provider accepts, and what it costs. Pure functions."""

import re
from decimal import Decimal

_INTERNATIONAL = re.compile(r"\+?([1-9]\d{8,14})", re.ASCII)
_RUSSIAN_EIGHT = re.compile(r"8(9\d{9})", re.ASCII)
_LATIN_SENDER = re.compile(r"[\x20-\x7e]{1,11}")
_DIGIT_SENDER = re.compile(r"\d{1,15}", re.ASCII)

#: Price of a segment by the longest prefix (ours; the provider's depend on the
#: operator of the number, documented).
PRICES = {
    "": Decimal("5"),
    "79": Decimal("2"),
    "7910": Decimal("1.8"),
    "7915": Decimal("1.8"),
    "7916": Decimal("1.8"),
    "7917": Decimal("1.8"),
    "7911": Decimal("1.5"),
    "7921": Decimal("1.5"),
    "7931": Decimal("1.5"),
}

#: Hours before UTC by prefix, for the SendByTimeZone calls (ours, coarse).
_OFFSETS = {"7": 3, "7914": 10, "7922": 5, "7923": 7, "7924": 10, "7929": 7}


def read_number(raw):
    """``79031234567`` from 79031234567, +79031234567 or 89031234567; else None.

    The three forms are documented. A foreign number is accepted with its country
    code; ten digits without one are not (inference).
    """
    eight = _RUSSIAN_EIGHT.fullmatch(raw)
    if eight:
        return "7" + eight[1]
    match = _INTERNATIONAL.fullmatch(raw)
    if not match:
        return None
    digits = match[1]
    wrong_russian = digits[0] == "7" and len(digits) != 11
    no_country = len(digits) == 10 and digits[0] == "9"
    trunk_eight = len(digits) == 11 and digits[0] == "8"
    return None if wrong_russian or no_country or trunk_eight else digits


def is_sender(name):
    """Whether it is ≤ 11 Latin characters or ≤ 15 digits (documented)."""
    return bool(_LATIN_SENDER.fullmatch(name) or _DIGIT_SENDER.fullmatch(name))


def price_of(number):
    """The price of one segment by the longest prefix.

    :param str number: digits
    """
    return PRICES[_longest_prefix(number, PRICES)]


def utc_offset(number):
    """Seconds by which the recipient's clock is before UTC."""
    return _OFFSETS.get(_longest_prefix(number, _OFFSETS), 0) * 3600.0


def _longest_prefix(number, table):
    lengths = range(len(number), -1, -1)
    return next((number[:n] for n in lengths if number[:n] in table), "")
