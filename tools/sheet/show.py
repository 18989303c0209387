"""What a cell shows: the number in the file by its format, as far as a list needs it.

Integers that may be telephone numbers have all their digits whatever the format;
amounts keep the decimals, thousands, percent and words of their format; dates and times
are written in the form of the user's language.  ``docs/spreadsheets.md`` names what
Excel does beyond that.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from typing import NamedTuple

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

from .model import Region

# An integer from here on is a telephone number (or the like) rather than an amount.
_PHONE_LIKE = 10**9
BAD_NUMBER = "#NUM!"
# Excel takes no longer formats.
_LONGEST = 255
_TOKEN = re.compile(
    r"""
    "(?P<quoted>[^"]*)"? | \\(?P<escaped>.) | \[\$(?P<currency>[^\]-]*)[^\]]*\]
    | (?P<pad>_.|\*.|\[[^\]]*\]) | (?P<digits>[0\#?.,]+) | (?P<end>;) | (?P<plain>.)
    """,
    re.VERBOSE | re.DOTALL,
)
# Parts of a date format whose letters do not stand for date or time.
_NO_LETTERS = re.compile(r'"[^"]*"?|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]|am/pm|a/p')
# "General" has no digits to fill; sections with a condition are shown like it.
_GENERAL = re.compile(r"general|основной|\[[<>=]", re.IGNORECASE)
_REMEMBERED = 10_000
# 2.675 is a little less in binary; with this factor it is rounded to 2.68.
_UP = 1 + 1e-15
_EAST_ASIAN_DATES = {*range(27, 37), *range(50, 59)}


class Shower:
    """Shows values by the user's language.

    :param bool date1904: whether day 0 is 1904-01-01, as a workbook may say
    """

    def __init__(self, region: Region, date1904: bool = False):
        self._region = region
        self._epoch = CALENDAR_MAC_1904 if date1904 else CALENDAR_WINDOWS_1900
        self._marks = str.maketrans({",": region.thousands, ".": region.decimal})
        self._functions: dict[str, Callable[[float], str]] = {}

    def truth(self, value: bool) -> str:
        return self._region.true if value else self._region.false

    def by(self, code: str) -> Callable[[float], str]:
        """Return the function that shows numbers by a number format."""
        if code not in self._functions:
            self._functions[code] = self._compile(code)
        return self._functions[code]

    def moment(self, value, *, seconds: bool = True) -> str:
        """Show a date, a time, both, or a duration."""
        if isinstance(value, timedelta):
            minutes, rest = divmod(round(value.total_seconds()), 60)
            text = f"{minutes // 60}:{minutes % 60:02d}"
            return f"{text}:{rest:02d}" if seconds else text
        day, clock = self._region.date_format, self._region.time_format
        if not seconds:
            clock = clock.replace(":%S", "")
        if isinstance(value, datetime):
            return value.strftime(f"{day} {clock}")
        return value.strftime(day if isinstance(value, date) else clock)

    def _compile(self, code: str) -> Callable[[float], str]:
        code = code if 0 < len(code) <= _LONGEST else "General"
        if is_date_format(code):
            return lru_cache(_REMEMBERED)(partial(self._date, _date_parts(code)))
        sections = _sections(code)
        if _GENERAL.search(code) or None in sections:
            return self._general
        return partial(self._amount, sections)

    def _general(self, value: float) -> str:
        if type(value) is int:
            return str(value)
        try:
            if value == int(value) and abs(value) < 1e15:
                return str(int(value))
        except (OverflowError, ValueError):  # infinite, or no number
            return BAD_NUMBER
        # Excel keeps 15 digits and shows ten of a small number.
        text = f"{value:.{10 if 1e-4 <= abs(value) < 1e9 else 15}g}"
        return text.upper().replace(".", self._region.decimal)

    def _date(self, parts: tuple, value: float) -> str:
        day, clock, seconds, elapsed = parts
        try:
            found = timedelta(value) if elapsed else from_excel(value, self._epoch)
        except (OverflowError, ValueError):
            return self._general(value)
        if isinstance(found, datetime):
            if value < 0:
                return self._general(value)
            if not clock:
                found = found.date()
            elif not day:
                found = found.time()
        elif not clock:
            return self._general(value)
        return self.moment(found, seconds=seconds)

    def _amount(self, sections: list, value: float) -> str:
        # Whole numbers of that size are not amounts; "not" also catches NaN.
        if not abs(value) < _PHONE_LIKE and not value % 1 > 0:
            return self._general(value)
        section, sign = sections[0], ""
        if value < 0:
            value = -value
            if len(sections) > 1:
                section = sections[1]
            else:
                sign = "-"
        elif not value and len(sections) > 2:
            section = sections[2]
        text = section.digits(value)
        if not text.strip("0.,"):
            sign = ""
        text = text.translate(self._marks)
        return f"{sign}{section.before}{text}{section.after}".strip()


def _date_parts(code: str) -> tuple[bool, bool, bool, bool]:
    """Tell whether a date's format has a day, a time, seconds, a time elapsed."""
    letters = _NO_LETTERS.sub("", code.lower())
    elapsed = re.search(r"\[(h+|m+|s+)\]", letters)
    clock = re.search("[hs]", letters)
    return bool(re.search("[yd]", letters)), bool(clock), "s" in letters, bool(elapsed)


def format_code(key: int, codes: dict[int, str]) -> str:
    """Return a number format's text.

    :param int key: the format's number
    :param dict codes: what the file says; many numbers have a meaning without it
    """
    code = codes.get(key) or BUILTIN_FORMATS.get(key, "General")
    return "yyyy-mm-dd" if key in _EAST_ASIAN_DATES and key not in codes else code


class _Section(NamedTuple):
    """One section of a format.

    :ivar str before: text before the digits
    :ivar str after: and after them
    :ivar str spec: of the digits, as Python's; "" for a section without digits
    :ivar int scale: what the number is multiplied by
    :ivar bool bare: whether no zero stands for digits that are not there
    :ivar int optional: so many of the last decimals are left out when they are zeros
    """

    before: str
    after: str
    spec: str = ""
    scale: int = 1
    optional: int = 0
    bare: bool = False

    def digits(self, value: float) -> str:
        """Return the digits of a number that is not negative; a half is rounded up."""
        if not self.spec:
            return ""
        text = format(value * self.scale * _UP, self.spec)
        if self.optional:
            fixed = len(text) - self.optional
            text = text[:fixed] + text[fixed:].rstrip("0")
        return text.removeprefix("0") if self.bare else text


def _section(before: str, digits: str, after: str) -> _Section:
    if not digits:
        return _Section(before, after)
    whole, _point, fraction = digits.partition(".")
    zeros, places = whole.count("0"), len(fraction)
    comma = "," if "," in whole.rstrip(",") else ""
    width = zeros + (max(zeros - 1, 0) // 3 if comma else 0)
    width += places + 1 if places else 0
    return _Section(
        before,
        after,
        f"{f'0{width}' if width else ''}{comma}.{places}f",
        100 ** (before + after).count("%"),
        places - len(fraction.rstrip("#?")),
        not zeros,
    )


def _sections(code: str) -> list[_Section | None]:
    """Return a format's first three sections.

    None stands for one with words between the digits, a fraction or an exponent.
    """
    sections, before, digits, after, plain = [], "", "", "", True
    for match in _TOKEN.finditer(f"{code};"):
        kind, text = match.lastgroup, match[match.lastgroup]
        if kind == "end":
            sections.append(_section(before, digits, after) if plain else None)
            before, digits, after, plain = "", "", "", True
        elif kind == "digits" and not digits:
            digits = text
        elif kind == "digits" and text.strip(".,"):
            plain = False
        elif kind == "plain" and text in "Ee@/":
            plain = False
        elif kind != "pad" and digits:
            after += text
        elif kind != "pad":
            before += text
    return sections[:3]
