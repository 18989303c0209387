"""Short codes that name a company and a number. Without the secret nobody can make one,
nor read a number out of it.

A code is ``value + mask`` followed by a check, in digits and letters. The check is a
keyed hash of the value, and the mask a keyed hash of the check, so that codes of
neighbouring numbers have nothing in common.
"""

import hmac
import string
from collections.abc import Callable

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BASE = len(_DIGITS)
# Of 57 thousand million checks one is right.
_CHECK = 6
# Enough for the companies 1 to 12; others have longer codes.
_SHORTEST, _LONGEST = 9, 20
# E.164 has at most fifteen digits.
_NUMBERS = 10**15


def make(company_id: int, number: str, sign: Callable[[str], int]) -> str:
    """Return the code of a number.

    :param number: in E.164
    :param sign: a keyed hash of a text, as a large number
    """
    value = company_id * _NUMBERS + int(number.removeprefix("+"))
    width = _SHORTEST
    while _BASE**width <= value:
        width += 1
    check = sign(f"check {value}") % _BASE**_CHECK
    masked = (value + _mask(check, sign)) % _BASE**width
    return _to_text(masked, width) + _to_text(check, _CHECK)


def read(code: str, sign: Callable[[str], int]) -> tuple[int, str] | None:
    """Return the company's id and the number of a code; ``None`` for a wrong one."""
    width = len(code) - _CHECK
    if not _SHORTEST <= width <= _LONGEST or set(code) - set(_DIGITS):
        return None
    masked, check = _to_int(code[:width]), _to_int(code[width:])
    value = (masked - _mask(check, sign)) % _BASE**width
    company_id, digits = divmod(value, _NUMBERS)
    number = f"+{digits}"
    if not hmac.compare_digest(make(company_id, number, sign), code):
        return None
    return company_id, number


def _mask(check, sign):
    return sign(f"mask {check}")


def _to_text(value, width):
    digits = []
    for _position in range(width):
        value, digit = divmod(value, _BASE)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def _to_int(text):
    value = 0
    for char in text:
        value = value * _BASE + _DIGITS.index(char)
    return value
