"""Reading phone numbers as people and spreadsheets write them.

Only a number that a message can reach is good: a landline, a toll-free or a short one
is named as such. A foreign number needs its plus (or the prefix of an international
call), so that a Russian number with a digit too many is never sent abroad.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from decimal import Decimal

import phonenumbers
from phonenumbers import PhoneNumberType, ValidationResult

SENDABLE = frozenset({"ok", "corrected"})


@dataclass(frozen=True)
class Reading:
    """What a cell or a field says about a phone number.

    :ivar raw: the text that was read
    :ivar e164: the number, ``"+79214563763"``, also of a landline or a toll-free
        number; None when there is none
    :ivar code: ``"ok"``; ``"corrected"`` (a digit was added or changed);
        ``"landline"``; ``"special"`` (toll-free, paid or short); ``"impossible"``;
        ``"foreign_without_plus"``; ``"letters"``; ``"too_short"``; ``"too_long"``;
        ``"lost_digits"`` (a spreadsheet rounded it); ``"empty"``
    :ivar others: the further numbers of the same text, as E.164
    :ivar country: two-letter code of the number's country, None when unknown
    :ivar suggestion: what an unreadable number may have meant, as E.164
    """

    raw: str
    e164: str | None
    code: str
    others: tuple[str, ...] = ()
    country: str | None = None
    suggestion: str | None = None

    @property
    def sendable(self) -> bool:
        """Whether a message may be sent to the number."""
        return self.code in SENDABLE


def read(raw: str, country: str | None = "RU") -> Reading:
    """Read the phone number of a text.

    If there are several numbers, the first that can get an SMS is taken.

    :param raw: the text of a field or a cell; None and False are empty
    :param country: two-letter code of the country whose numbers need no plus
    """
    if not raw:
        return Reading("", None, "empty")
    reading = _read_plain_russian(raw) if country == "RU" else None
    return reading or _read_cell(raw, country)


# --- The common case ---

_PUNCTUATION = str.maketrans("", "", " ()-\u00a0")
# Ranges beginning with 930 are only partly in use: they are left to the metadata.
_match_plain_russian = re.compile(r"(\+?[78]|)(9(?!30)[0-9]{9})").fullmatch
_AS_WRITTEN = {"+7", "7"}


def _read_plain_russian(raw: str) -> Reading | None:
    """Read a Russian mobile number that leaves no doubt, None for all the rest."""
    match = _match_plain_russian(raw.translate(_PUNCTUATION))
    if not match:
        return None
    prefix, national = match.groups()
    code = "ok" if prefix in _AS_WRITTEN else "corrected"
    return Reading(raw, f"+7{national}", code, country="RU")


# --- A cell: artefacts of spreadsheets, labels, several numbers ---


class _PlainCharacters(dict):
    """Maps any digit, dash, blank and plus sign of Unicode to the ASCII one."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        category = unicodedata.category(char)
        if category == "Nd":
            plain = str(unicodedata.decimal(char))
        elif category in {"Cc", "Zl", "Zp"}:
            plain = "\n" if char in "\n\r\x0b\x0c\x85\u2028\u2029" else " "
        else:
            plain = {"Pd": "-", "Cf": "", "Zs": " ", "So": " "}.get(category, char)
        self[code] = plain
        return plain


_PLAIN = _PlainCharacters(
    {ord("−"): "-", ord("＋"): "+", ord("﹢"): "+", ord("，"): ",", ord("；"): ";"}
)
_EXCEL_QUOTES = " \n'\"`="
_match_float = re.compile(r"(\+?[0-9]{6,})[.,]0{1,2}").fullmatch
_match_scientific = re.compile(r"[0-9](?:[.,]([0-9]+))?[eEеЕ]\+?([0-9]{1,2})").fullmatch
_LABEL = re.compile(
    r"^\s*(?:телефон|тел|мобильный|моб|сотовый|сот|phone|tel|mobile|mob|cell)\b[.:\s]*",
    re.IGNORECASE,
)
_EXTENSION = re.compile(
    r"\b(?:доб(?:авочный)?|вн(?:утр)?|ext(?:ension)?)\b[.:\s]*[0-9]{1,6}\)?\s*$",
    re.IGNORECASE,
)
_split = re.compile(
    r"[,;/\\|\n]|\s(?:и|или|and|or)\s|\s(?=\+)|(?<=[0-9])(?=\+)", re.IGNORECASE
).split
_ONE_NUMBER = 12


def _read_cell(raw: str, country: str | None) -> Reading:
    text = raw.translate(_PLAIN).strip(_EXCEL_QUOTES)
    if match := _match_float(text):
        text = match[1]
    elif match := _match_scientific(text):
        text = _expand(match[1] or "", int(match[2]), text)
        if not text:
            return Reading(raw, None, "lost_digits")
    readings = [_read_one(part, country) for part in _parts(text)]
    readings = [found for found in readings if found.code != "empty"]
    if not readings:
        return Reading(raw, None, "empty")
    taken = next((found for found in readings if found.sendable), readings[0])
    others = dict.fromkeys(found.e164 for found in readings if found.e164)
    others.pop(taken.e164, None)
    return replace(taken, raw=raw, others=tuple(others))


def _expand(decimals: str, exponent: int, text: str) -> str:
    """Write out a number in scientific notation, empty when digits are missing."""
    if len(decimals) < exponent:
        return ""
    value = Decimal(re.sub("[eEеЕ]", "E", text.replace(",", ".")))
    return str(int(value)) if value == int(value) else ""


def _digit_count(text: str) -> int:
    return sum(map(text.count, "0123456789"))


def _parts(text: str) -> list[str]:
    """Split a text into the pieces that may be one number each."""
    text = _EXTENSION.sub("", text).rstrip(" ,;(")
    if _digit_count(text) <= _ONE_NUMBER:
        return [re.sub(r"[,;/\\|\n]", " ", text)]
    pieces = [part for part in _split(text) if _digit_count(part) > 4]
    return [part for piece in pieces for part in _split_at_blanks(piece)] or [text]


def _split_at_blanks(text: str) -> list[str]:
    """Split Russian numbers that nothing but blanks keeps apart."""
    if _digit_count(text) < 20:
        return [text]
    parts, current = [], ""
    for word in text.split():
        current = f"{current} {word}".strip(" -")
        digits = re.sub("[^0-9]", "", current)
        if len(digits) > 11:
            return [text]
        if len(digits) == (10 if digits.startswith("9") else 11):
            parts.append(current)
            current = ""
    return [text] if _digit_count(current) or not parts else parts


# --- One number ---

_match_number = re.compile(r"(\+*)[0-9 .()\-~']*").fullmatch
_match_short = re.compile(r"(?!00)[0-9]{3,5}").fullmatch
_match_service = re.compile(r"[*#][0-9*#]*#").fullmatch
# Typed on a Russian phone "8" means the country: also found after a plus, or +7.
_match_eight = re.compile(r"\+7?8(9[0-9]{9})").fullmatch
_SEVEN_COUNTRIES = {"RU", "KZ"}
_SEVEN_LENGTHS = {10, 11}
_SPECIAL = {
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
}


def _read_one(text: str, country: str | None) -> Reading:
    if country == "RU" and (plain := _read_plain_russian(text)):
        return plain
    text = _LABEL.sub("", text).strip(_EXCEL_QUOTES)
    if any(map(str.isalpha, text)):
        return _read_letters(text, country)
    if _match_service(text.replace(" ", "")):
        return Reading(text, None, "special")
    digits = re.sub("[^0-9]", "", text)
    if not digits:
        return Reading(text, None, "empty")
    match = _match_number(text.lstrip("( "))
    if not match:
        return Reading(text, None, "impossible")
    return _read_digits(digits, bool(match[1]), country)


def _read_letters(text: str, country: str | None) -> Reading:
    """Refuse a text with letters; suggest the number when they stand apart from it."""
    numbers = [word for word in re.split(r"[^\W\d_]+", text) if _digit_count(word)]
    if len(numbers) != 1:
        return Reading(text, None, "letters")
    found = _read_one(numbers[0].strip(" .,:;"), country)
    return Reading(
        text, None, "letters", suggestion=found.e164 if found.sendable else None
    )


def _read_digits(digits: str, plus: bool, country: str | None) -> Reading:
    if not plus and _match_short(digits):
        return Reading(digits, None, "special", country=country)
    written = digits
    digits, plus = _without_call_prefix(digits, plus, country)
    if not plus:
        return _read_national(digits, country)
    number = f"+{digits}"
    if country in _SEVEN_COUNTRIES and (match := _match_eight(number)):
        number = f"+7{match[1]}"
    return _read_as(number, None, changed=number != f"+{written}") or _unreadable(
        number, country
    )


def _without_call_prefix(
    digits: str, plus: bool, country: str | None
) -> tuple[str, bool]:
    """Take away what is dialled before an international number: 00, in Russia 8-10."""
    if digits.startswith("00"):
        return digits.lstrip("0"), True
    abroad = country in _SEVEN_COUNTRIES and digits.startswith("810")
    if abroad and not plus and len(digits) > 11:
        return digits[3:], True
    return digits, plus


def _read_national(digits: str, country: str | None) -> Reading:
    """Read a number written without a plus."""
    found = None
    if country and (country not in _SEVEN_COUNTRIES or len(digits) in _SEVEN_LENGTHS):
        found = _read_as(digits, country, changed=True)
    if found and _is_home(found, digits, country):
        as_written = found.code == "corrected" and found.e164 == f"+{digits}"
        return replace(found, code="ok") if as_written else found
    guess = found or _read_as(f"+{digits}", None, changed=False)
    if not guess:
        return _unreadable(digits, country)
    return Reading(
        digits,
        None,
        "foreign_without_plus",
        country=guess.country,
        suggestion=guess.e164,
    )


def _is_home(found: Reading, digits: str, country: str | None) -> bool:
    """Tell whether the country's own plan allows a number written without a plus.

    Russia and Kazakhstan share +7: ten digits alone are a number of one's own country.
    """
    return (
        country not in _SEVEN_COUNTRIES or len(digits) > 10 or found.country == country
    )


def _read_as(number: str, country: str | None, *, changed: bool) -> Reading | None:
    """Return the reading of a number that the metadata knows, None for any other."""
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return None
    kind = phonenumbers.number_type(parsed)
    if kind == PhoneNumberType.UNKNOWN:
        return None
    if kind == PhoneNumberType.FIXED_LINE:
        code = "landline"
    elif kind in _SPECIAL:
        code = "special"
    else:
        code = "corrected" if changed else "ok"
    e164 = f"+{parsed.country_code}{phonenumbers.national_significant_number(parsed)}"
    region = phonenumbers.region_code_for_number(parsed)
    return Reading(number, e164, code, country=region)


_SHORTEST = 7
_TOO_SHORT = {ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY}


def _unreadable(number: str, country: str | None) -> Reading:
    """Say why a text is not a number, and what may have been meant."""
    digits = number.lstrip("+")
    code = _russian_length(digits) if country in _SEVEN_COUNTRIES else None
    suggestion = None
    if number.startswith("+") and country and len(digits) == 10:
        home = _read_as(digits, country, changed=True)
        suggestion = home.e164 if home and home.sendable else None
    return Reading(
        number,
        None,
        code or _length_verdict(number, country),
        suggestion=suggestion,
    )


def _russian_length(digits: str) -> str | None:
    """Check the length of what begins like a Russian mobile number."""
    if not re.match("[78]?9", digits):
        return None
    expected = 10 if digits.startswith("9") else 11
    if len(digits) == expected:
        return "impossible"
    return "too_short" if len(digits) < expected else "too_long"


def _length_verdict(number: str, country: str | None) -> str:
    if len(number) < _SHORTEST:
        return "too_short"
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException as error:
        return {
            error.TOO_LONG: "too_long",
            error.TOO_SHORT_NSN: "too_short",
            error.TOO_SHORT_AFTER_IDD: "too_short",
        }.get(error.error_type, "impossible")
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    if reason == ValidationResult.TOO_LONG:
        return "too_long"
    return "too_short" if reason in _TOO_SHORT else "impossible"
