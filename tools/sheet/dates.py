"""Dates and times as Excel shows them, by the date letters of a number format."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from .model import Region

_KINDS = {"date", "elapsed", "ampm"}
_LAST_DAY = 2_958_466  # the day after 9999-12-31, where Excel's calendar ends

_ENGLISH = {
    "months": (
        "January February March April May June July August September October "
        "November December"
    ).split(),
    "short": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(),
    "days": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
    "short_days": "Mon Tue Wed Thu Fri Sat Sun".split(),
}
_RUSSIAN = {
    "months": (
        "Январь Февраль Март Апрель Май Июнь Июль Август Сентябрь Октябрь Ноябрь "
        "Декабрь"
    ).split(),
    "short": "янв фев мар апр май июн июл авг сен окт ноя дек".split(),
    "days": "понедельник вторник среда четверг пятница суббота воскресенье".split(),
    "short_days": "Пн Вт Ср Чт Пт Сб Вс".split(),
}
_RUSSIAN_OF = {
    **_RUSSIAN,
    "months": (
        "января февраля марта апреля мая июня июля августа сентября октября ноября "
        "декабря"
    ).split(),
}


@dataclass(frozen=True)
class _Moment:
    """A cell's date: the calendar's, the whole seconds since day 0, the fraction."""

    when: datetime
    seconds: int
    fraction: float


def is_date_token(kind: str) -> bool:
    """Return whether a token of this kind makes a format one of dates."""
    return kind in _KINDS


def render_date(
    tokens: tuple, locale: str, serial: float, date1904: bool, region: Region
):
    """Render a date's serial number; None when Excel has no such date.

    :param tokens: pairs (kind, text) of the format's section
    :param str locale: the part after the dash of ``[$-419]``, in lower case
    """
    places = max(
        (len(t.partition(".")[2]) for k, t in tokens if k == "date"), default=0
    )
    moment = _moment(serial, date1904, places)
    if moment is None:
        return None
    names = _names(locale)
    noon = any(kind == "ampm" for kind, _text in tokens)
    out = []
    for index, (kind, text) in enumerate(tokens):
        if kind == "date":
            minutes = text[0] in "mM" and len(text) < 3 and _is_minutes(tokens, index)
            code = "n" * len(text) if minutes else text.lower()
            out.append(_part(code, moment, names, noon, region))
        elif kind == "elapsed":
            unit = {"h": 3600, "m": 60, "s": 1}[text[0]]
            out.append(str(moment.seconds // unit).zfill(len(text)))
        elif kind == "ampm":
            mark = "PM" if moment.when.hour >= 12 else "AM"
            out.append(mark if len(text) > 3 else mark[0])
        elif kind in ("literal", "mark", "digit") and text != "@":
            out.append(text)
        elif kind == "pad":
            out.append(" ")
    return "".join(out)


def _moment(serial: float, date1904: bool, places: int):
    if not 0 <= serial < _LAST_DAY:
        return None
    shown = round(serial * 86400, places)
    seconds = math.floor(shown)
    if date1904:
        epoch = datetime(1904, 1, 1)
    else:
        # Excel counts a 29 February 1900 that never was, as serial 60.
        epoch = datetime(1899, 12, 30 if seconds >= 60 * 86400 else 31)
    try:
        return _Moment(epoch + timedelta(seconds=seconds), seconds, shown - seconds)
    except OverflowError:
        return None


def _names(locale: str) -> dict:
    if locale.startswith("fc19") or "genlower" in locale:
        return _RUSSIAN_OF
    # The low byte of the locale's number is the language; 0x19 is Russian.
    russian = locale.startswith("ru") or locale.partition(",")[0].endswith("19")
    return _RUSSIAN if russian else _ENGLISH


def _is_minutes(tokens: tuple, index: int) -> bool:
    """Tell minutes from months: they follow hours or stand before seconds."""

    def neighbour(step):
        position = index + step
        while 0 <= position < len(tokens):
            kind, text = tokens[position]
            if kind in ("date", "elapsed"):
                return text[0].lower()
            position += step
        return ""

    return neighbour(-1) == "h" or neighbour(1) == "s"


def _part(code: str, moment: _Moment, names: dict, noon: bool, region: Region) -> str:
    when, size = moment.when, len(code)
    letter = code[0]
    if letter == "y":
        return f"{when.year:04d}" if size > 2 else f"{when.year % 100:02d}"
    if letter == "m" and size > 2:
        name = names["short" if size == 3 else "months"][when.month - 1]
        return name[0] if size == 5 else name
    if letter == "d" and size > 2:
        return names["short_days" if size == 3 else "days"][when.weekday()]
    if letter == "s":
        whole, _point, places = code.partition(".")
        text = str(when.second).zfill(min(len(whole), 2))
        if places:
            text += region.decimal + f"{moment.fraction:.{len(places)}f}"[2:]
        return text
    hour = (when.hour % 12 or 12) if noon else when.hour
    number = {"m": when.month, "d": when.day, "h": hour, "n": when.minute}[letter]
    return str(number).zfill(min(size, 2))
