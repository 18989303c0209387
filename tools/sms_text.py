"""The text of an SMS: its alphabet, its length and the parts it is sent in.

A text whose characters all belong to the GSM 03.38 default alphabet travels as 7-bit
septets, any other as UCS-2 (in practice UTF-16). A long text is cut into parts, each of
which loses some room to the header that joins them. The limits of 160/153 and 70/67 are
documented by the provider; that characters of the extension table take two septets and
that a pair is never cut in two is the GSM rule.
"""

import re
import unicodedata
from dataclasses import dataclass

# Documented by the provider: a longer text is refused.
MAX_TEXT_LENGTH = 2000
# Documented by the provider: Latin characters of a name, digits of a number.
MAX_SENDER_LENGTH = 11
MAX_SENDER_DIGITS = 15

GSM_SINGLE, GSM_PART = 160, 153
UCS2_SINGLE, UCS2_PART = 70, 67

GSM_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = "\f^{}\\[~]|€"

_ESCAPE = "\x1b"
_HIGH_SURROGATES = range(0xD800, 0xDC00)
_TO_SEPTETS = {ord(char): _ESCAPE + char for char in GSM_EXTENSION}
_is_gsm = re.compile(f"[{re.escape(GSM_BASIC + GSM_EXTENSION)}]*").fullmatch
_has_extension = re.compile(f"[{re.escape(GSM_EXTENSION)}]").search
_not_gsm = re.compile(f"[^{re.escape(GSM_BASIC + GSM_EXTENSION)}]").findall
_drop_halves = re.compile("[\ud800-\udfff]").sub
_has_astral = re.compile("[\U00010000-\U0010ffff]").search

# What typography and word processors put in place of plain characters.
REPLACEMENTS = {
    **dict.fromkeys("«»“”„‟″〝〞", '"'),
    **dict.fromkeys("‘’‚‛′‹›`´ʼ", "'"),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys(
        "\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
        "\u202f\u205f\u3000",
        " ",
    ),
    **dict.fromkeys("\u00ad\u200b\u200e\u200f\u2060\ufeff", ""),
    **dict.fromkeys("\u0085\u2028\u2029", "\n"),
    **dict.fromkeys("•·∙", "*"),
    "…": "...",
    "№": "N",
    "×": "x",
    "÷": "/",
    "±": "+/-",
    "≈": "~",
    "≤": "<=",
    "≥": ">=",
    "→": "->",
    "←": "<-",
    "©": "(c)",
    "®": "(R)",
    "™": "(TM)",
    "°": " deg",
    "½": "1/2",
    "¼": "1/4",
    "¾": "3/4",
    "₽": "RUB",
}
_SIMPLIFY = str.maketrans(REPLACEMENTS)
# Cyrillic letters as in Russian passports (ICAO Doc 9303), with Ukrainian, Belarusian
# and Kazakh ones beside them.
LATIN = {
    **dict(zip("абвгдезиклмнопрстуфыэ", "abvgdeziklmnoprstufye", strict=True)),
    **{"ё": "e", "ж": "zh", "й": "i", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh"},
    **{"щ": "shch", "ъ": "ie", "ь": "", "ю": "iu", "я": "ia"},
    **{"і": "i", "ї": "i", "є": "ie", "ґ": "g", "ў": "u"},
    **{"ә": "a", "ғ": "g", "қ": "q", "ң": "n", "ө": "o", "ұ": "u", "ү": "u", "һ": "h"},
}
_split_placeholders = re.compile(r"(\{\{.*?\}\})", re.DOTALL).split
_replaceable = re.compile(f"[{re.escape(''.join(REPLACEMENTS))}]").findall


@dataclass(frozen=True)
class TextInfo:
    """How a text travels.

    :ivar encoding: ``"gsm7"`` or ``"ucs2"``
    :ivar length: septets (a character of the extension table is two) or UTF-16 units
    :ivar segments: parts the text is sent in, 0 for an empty text
    :ivar per_segment: units one part holds: 160 or 70 alone, 153 or 67 among others
    :ivar room: units left in the last part
    :ivar unicode_chars: the distinct characters outside GSM, in order of appearance
    """

    encoding: str
    length: int
    segments: int
    per_segment: int
    room: int
    unicode_chars: tuple[str, ...]


@dataclass(frozen=True)
class SenderProblem:
    """One reason why a name cannot be a sender.

    :ivar code: ``"empty"``, ``"too_long"``, ``"too_many_digits"`` or ``"bad_chars"``
    :ivar chars: the characters at fault: those beyond the limit, or the distinct ones
        that are not allowed, in order of appearance
    """

    code: str
    chars: str = ""

    @property
    def char_names(self) -> tuple[str, ...]:
        """The Unicode name of each character at fault.

        A Cyrillic "А" looks exactly like a Latin one: only its name tells them apart.
        """
        return tuple(
            unicodedata.name(char, f"U+{ord(char):04X}") for char in self.chars
        )


def normalise(text: str) -> str:
    """Return the text as it is sent: every line break is one line feed, and halves of
    surrogate pairs, which no encoding can carry, are left out."""
    text = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    return _drop_halves("", text)


def analyse(text: str) -> TextInfo:
    """Tell how a text travels, counted after :func:`normalise`."""
    text = normalise(text)
    unicode_chars = tuple(dict.fromkeys(_not_gsm(text)))
    if unicode_chars:
        encoding, single, part = "ucs2", UCS2_SINGLE, UCS2_PART
        units, first_halves = _utf16(text), _HIGH_SURROGATES
    else:
        encoding, single, part = "gsm7", GSM_SINGLE, GSM_PART
        units, first_halves = text.translate(_TO_SEPTETS), _ESCAPE
    length = len(units)
    if length <= single:
        return TextInfo(
            encoding, length, int(length > 0), single, single - length, unicode_chars
        )
    count, last = _pack(units, part, first_halves)
    return TextInfo(encoding, length, count, part, part - last, unicode_chars)


def segments(text: str) -> int:
    """Return ``analyse(text).segments``, made for going through very many texts."""
    if "\r" in text:
        text = normalise(text)
    if _is_gsm(text):
        single, part, first_halves = GSM_SINGLE, GSM_PART, _ESCAPE
        pairs = _has_extension(text)
    else:
        single, part, first_halves = UCS2_SINGLE, UCS2_PART, _HIGH_SURROGATES
        pairs = _has_astral(text)
    if not pairs:
        length = len(text)
        return -(-length // part) if length > single else int(length > 0)
    is_gsm = first_halves is _ESCAPE
    units = text.translate(_TO_SEPTETS) if is_gsm else _utf16(text)
    return 1 if len(units) <= single else _pack(units, part, first_halves)[0]


def replacements(text: str) -> dict[str, str]:
    """Return the plain stand-in for each character of the text that has one.

    :return: character -> GSM text (empty for a character that is merely dropped), in
        order of appearance
    """
    return {char: REPLACEMENTS[char] for char in _replaceable(text)}


def simplify(text: str) -> str:
    """Return the text with its typographic characters replaced by GSM ones."""
    return text.translate(_SIMPLIFY)


def transliterate(text: str) -> str:
    """Return the text in Latin letters: every character is a GSM one.

    Typography is simplified, accents that GSM does not have are dropped, and what has
    no stand-in becomes a question mark. Placeholders in double braces stay as they are.
    """
    parts = _split_placeholders(simplify(text))
    return "".join(p if p.startswith("{{") else _to_latin(p) for p in parts)


def _to_latin(text: str) -> str:
    latin = []
    for index, char in enumerate(text):
        plain = LATIN.get(char.lower())
        if plain is None:
            latin.append(char if _is_gsm(char) else _unaccent(char))
        elif char == char.lower():
            latin.append(plain)
        else:
            following, previous = text[index + 1 : index + 2], text[:index][-1:]
            near = following if following.isalpha() else previous
            latin.append(plain.upper() if near.isupper() else plain.capitalize())
    return "".join(latin)


def _unaccent(char: str) -> str:
    """Return a character without its accents, ``"?"`` if GSM does not have it."""
    kept = "".join(c for c in unicodedata.normalize("NFKD", char) if _is_gsm(c))
    return kept or ("" if unicodedata.category(char)[0] in "MC" else "?")


# A name travels in 7-bit GSM characters: of printable ASCII those that take one septet.
_SENDER_CHARS = frozenset(
    char for char in GSM_BASIC if char.isascii() and char.isprintable()
)


def check_sender(name: str) -> list[SenderProblem]:
    """Tell what keeps a name from being a sender.

    At most 11 Latin characters or 15 digits (documented by the provider); which signs
    pass besides letters and digits is an inference from the GSM alphabet. Whether the
    provider has approved the name is another question.

    :return: the problems, none for a good name
    """
    if not name.strip():
        return [SenderProblem("empty")]
    problems = []
    if name.isascii() and name.isdigit():
        if len(name) > MAX_SENDER_DIGITS:
            excess = name[MAX_SENDER_DIGITS:]
            problems.append(SenderProblem("too_many_digits", excess))
    elif len(name) > MAX_SENDER_LENGTH:
        problems.append(SenderProblem("too_long", name[MAX_SENDER_LENGTH:]))
    bad = dict.fromkeys(char for char in name if char not in _SENDER_CHARS)
    if name != name.strip(" "):
        bad[" "] = None
    if bad:
        problems.append(SenderProblem("bad_chars", "".join(bad)))
    return problems


def _utf16(text: str) -> memoryview:
    """Return the UTF-16 units of a text, both halves of a pair included."""
    with_mark = text.encode("utf-16", "surrogatepass")
    return memoryview(with_mark)[2:].cast("H")


def _pack(
    units: str | memoryview, part: int, first_halves: str | range
) -> tuple[int, int]:
    """Fill parts one after the other without cutting a pair in two.

    :return: the number of parts and the units in the last of them
    """
    count, start, length = 1, 0, len(units)
    while length - start > part:
        start += part
        if units[start - 1] in first_halves:
            start -= 1
        count += 1
    return count, length - start
