"""Numbers as Excel shows them: the language of number formats.

``compile_format(code)`` turns a format such as ``#,##0.00\\ "₽"`` into a function
from a number to its text.  The language is that of ECMA-376 part 1, 18.8.31;
where the standard leaves things to the program, Excel is followed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext

from .dates import is_date_token, render_date
from .model import REGION, Region

# Excel keeps 15 digits of a number: an integral one below this is exact.
EXACT = 1e15
# Excel takes no longer formats; a longer one would cost time with every cell.
_LONGEST = 255
# An integer from here on is a telephone number (or the like) rather than an amount.
PHONE_LIKE = 1e9

_TOKEN = re.compile(
    r"""
    "(?P<quoted>[^"]*)"?
    | \\(?P<escaped>.)
    | (?P<pad>_.)
    | (?P<fill>\*.)
    | \[(?P<bracket>[^\]]*)\]
    | (?P<general>general|основной)
    | (?P<ampm>am/pm|a/p)
    | (?P<date>y+|m+|d+|h+|s+(?:\.0+)?)
    | (?P<exponent>e[+-])
    | (?P<digit>[0\#?])
    | (?P<mark>[.,%@])
    | (?P<literal>.)
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_BETWEEN = re.compile(r'"[^"]*"?|\\.|\[[^\]]*\]|(;)', re.DOTALL)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)$")
_ELAPSED = re.compile(r"(h+|m+|s+)$", re.IGNORECASE)
_COMPARE = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
}


@dataclass(frozen=True)
class Section:
    """One of a format's parts between semicolons.

    ``tokens`` are pairs (kind, text); ``condition`` is (operator, number) or None.
    """

    tokens: tuple
    condition: tuple | None
    locale: str


def compile_format(
    code: str, *, region: Region = REGION, date1904: bool = False
) -> Callable[[float], str]:
    """Return the function that renders a finite number by a format.

    :param str code: the format's text as the file holds it
    :param Region region: the reader's regional settings
    :param bool date1904: whether day 0 is 1904-01-01, as the workbook may say

    A format that cannot be understood renders like "General", never an error.
    """
    known = code if 0 < len(code) <= _LONGEST else "General"
    numeric = [_parse(text) for text in _split(known)[:3]]

    def render(value):
        section, signed = _choose(numeric, value)
        try:
            text = _render(section, value if signed else abs(value), region, date1904)
        except (ArithmeticError, ValueError):
            text = None
        return general(value, region) if text is None else text.strip()

    return render


def general(value: float, region: Region = REGION) -> str:
    """Render a number with the format "General", but with all digits of integers.

    Excel writes an integer that does not fit as 7.92146E+10; the digits are in the
    file, and a telephone number is of no use without them.
    """
    if _is_exact(value):
        return str(int(value))
    magnitude = abs(value)
    if 1e-4 <= magnitude < 1e11:
        places = 10 - len(str(int(magnitude)))
        text = f"{value:.{max(places, 0)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        mantissa, _e, power = f"{value:.5E}".partition("E")
        text = f"{mantissa.rstrip('0').rstrip('.')}E{power}"
    return text.replace(".", region.decimal)


def _split(code: str) -> list[str]:
    """Split a format at the semicolons that are not quoted."""
    sections, start = [], 0
    for match in _BETWEEN.finditer(code):
        if match[1]:
            sections.append(code[start : match.start()])
            start = match.end()
    return [*sections, code[start:]]


def _parse(text: str) -> Section:
    tokens, condition, locale = [], None, ""
    for match in _TOKEN.finditer(text):
        kind, found = match.lastgroup, match[match.lastgroup]
        if kind == "bracket":
            if compared := _CONDITION.match(found):
                condition = (compared[1], float(compared[2]))
            elif found.startswith("$"):
                symbol, _dash, locale = found[1:].partition("-")
                tokens.append(("literal", symbol))
            elif _ELAPSED.match(found):
                tokens.append(("elapsed", found.lower()))
            continue
        if kind in ("quoted", "escaped"):
            kind = "literal"
        tokens.append((kind, found))
    return Section(tuple(t for t in tokens if t[1]), condition, locale.lower())


def _choose(sections: list, value: float) -> tuple[Section, bool]:
    """Return the section for a value, and whether the minus sign is still to be put."""
    if any(section.condition for section in sections):
        for section in sections:
            if not section.condition:
                return section, True
            operator, bound = section.condition
            if _COMPARE[operator](value, bound):
                return section, not (operator in ("<", "<=") and bound <= 0)
        return Section((("general", "General"),), None, ""), True
    if len(sections) > 2 and value == 0:
        return sections[2], False
    if len(sections) > 1 and value < 0:
        return sections[1], False
    return sections[0], True


def _render(section: Section, value: float, region: Region, date1904: bool):
    """Render by one section; None asks for "General"."""
    kinds = {kind for kind, _text in section.tokens}
    if section.locale.startswith("f800"):
        section = _parse('[$-FC19]d mmmm yyyy" г."')
        return render_date(section.tokens, section.locale, value, date1904, region)
    if any(is_date_token(kind) for kind in kinds):
        return render_date(section.tokens, section.locale, value, date1904, region)
    if "general" in kinds:
        return "".join(
            general(value, region) if kind == "general" else _literal(kind, text)
            for kind, text in section.tokens
        )
    if "digit" in kinds:
        return _render_number(section.tokens, value, region)
    if ("mark", "@") in section.tokens:
        return None
    text = "".join(_literal(kind, text) for kind, text in section.tokens)
    return f"-{text}" if text.strip() and value < 0 else text


def _literal(kind: str, text: str) -> str:
    if kind == "pad":
        return " "
    return text if kind in ("literal", "mark") else ""


def _render_number(tokens: tuple, value: float, region: Region):
    kinds = [kind for kind, _text in tokens]
    if "exponent" in kinds:
        return _render_exponent(tokens, value, region)
    if any(token == ("literal", "/") for token in tokens):
        return None  # fractions: the decimal number says the same
    if _is_exact(value) and abs(value) >= PHONE_LIKE and _is_plain(tokens):
        return str(int(value))
    before, after, scale = _split_number(tokens)
    places = sum(kind == "digit" for kind, _text in after)
    whole, fraction = _digits(value, scale, places)
    point = region.decimal if ("mark", ".") in tokens else ""
    text = _fill_whole(before, whole, region) + point + _fill_fraction(after, fraction)
    negative = value < 0 and (whole.strip("0") or fraction.strip("0"))
    return f"-{text}" if negative else text


def _is_exact(value: float) -> bool:
    return abs(value) < EXACT and value == int(value)


def _is_plain(tokens: tuple) -> bool:
    """Whether a format adds nothing but separators, zeros and padding to digits."""
    return all(
        kind in ("digit", "pad", "fill")
        or (kind == "mark" and text in ".,")
        or not text.strip()
        for kind, text in tokens
    )


def _render_exponent(tokens: tuple, value: float, region: Region):
    if _is_exact(value):
        return str(int(value))
    kinds = [kind for kind, _text in tokens]
    mantissa = tokens[: kinds.index("exponent")]
    point = mantissa.index(("mark", ".")) if ("mark", ".") in mantissa else None
    places = 0 if point is None else len(mantissa) - point - 1
    return f"{value:.{places}E}".replace(".", region.decimal)


def _split_number(tokens: tuple) -> tuple[list, list, Decimal]:
    """Return the tokens before and after the decimal point, and the factor.

    A comma after the last digit of the whole part divides by a thousand, a percent
    sign multiplies by a hundred; both work wherever they stand.
    """
    tokens = list(tokens)
    point = tokens.index(("mark", ".")) if ("mark", ".") in tokens else None
    if point is None:
        last = max(i for i, (kind, _t) in enumerate(tokens) if kind == "digit")
        before, after = tokens[: last + 1], []
        tail = tokens[last + 1 :]
    else:
        before, after, tail = tokens[:point], tokens[point + 1 :], []
    scale = Decimal(100) ** tokens.count(("mark", "%"))
    while before and before[-1] == ("mark", ","):
        before.pop()
        scale /= 1000
    while tail and tail[0] == ("mark", ","):
        tail.pop(0)
        scale /= 1000
    return before, after or tail, scale


def _digits(value: float, scale: Decimal, places: int) -> tuple[str, str]:
    """Return the digits before and after the point, rounded half away from zero."""
    with localcontext() as context:
        context.prec = 400
        number = abs(Decimal(repr(value)) * scale)
        number = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        whole, _point, fraction = f"{number:f}".partition(".")
    return whole.lstrip("0"), fraction


def _fill_whole(tokens: list, digits: str, region: Region) -> str:
    """Put digits into the placeholders from the right; the first takes the rest."""
    places = [i for i, (kind, _text) in enumerate(tokens) if kind == "digit"]
    grouped = ("mark", ",") in tokens
    out, left, shown = [], list(digits), 0
    for index in range(len(tokens) - 1, -1, -1):
        kind, text = tokens[index]
        if kind != "digit":
            out.append("" if (kind, text) == ("mark", ",") else _literal(kind, text))
            continue
        first = bool(places) and index == places[0]
        taken = [left.pop() if left else {"0": "0", "?": " "}.get(text, "")]
        while first and left:
            taken.append(left.pop())
        for digit in filter(None, taken):
            if grouped and shown and shown % 3 == 0 and digit != " ":
                out.append(region.thousands)
            out.append(digit)
            shown += 1
    return "".join(left + out[::-1])


def _fill_fraction(tokens: list, digits: str) -> str:
    needed = len(digits.rstrip("0"))
    out, position = [], 0
    for kind, text in tokens:
        if kind != "digit":
            out.append(_literal(kind, text))
            continue
        if position < needed or text == "0":
            out.append(digits[position])
        elif text == "?":
            out.append(" ")
        position += 1
    return "".join(out)
