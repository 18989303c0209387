"""Strict reading of the provider's answers.

Every reader takes decoded JSON and raises ``ValueError`` with a reason that quotes
nothing of the answer, as reasons reach the log.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

_EPOCH = datetime(1970, 1, 1)
_DATE = re.compile(r"/Date\((-?\d{1,15})\)/")
# .NET's DateTime.MinValue, the provider's way to say "never" (documented).
_NEVER = -62135596800000
_SESSION_ID = re.compile(r"[!-~]{1,512}")
# 18 digits in the documentation and in every client.
_MESSAGE_ID = re.compile(r"[!-~]{1,64}")
# What PostgreSQL cannot store.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
MAX_TEXT = 2000


@dataclass(frozen=True)
class MessageState:
    """State of one segment; the dates are naive UTC, the price is for this segment."""

    state: int
    submitted: datetime | None
    reported: datetime | None
    description: str
    price: Decimal | None


@dataclass(frozen=True)
class IncomingMessage:
    """A message from a subscriber (``source``) to one's own number (naive UTC)."""

    message_id: str
    source: str
    destination: str
    text: str
    created: datetime | None


@dataclass(frozen=True)
class Statistics:
    """The account's counters over a period."""

    delivered: int
    errors: int
    expired: int
    rejected: int
    total: int
    total_with_errors: int


def load(body: str) -> object:
    """Decode JSON; numbers with a point become Decimal, NaN and Infinity are refused.

    :raises ValueError: not JSON.
    """
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except RecursionError as err:
        raise ValueError("nested too deeply") from err


def error_of(value: object) -> tuple[int, str] | None:
    """``(Code, Desc)`` of an error answer, ``None`` for anything else."""
    if not isinstance(value, dict) or not _is_integer(value.get("Code")):
        return None
    description = value.get("Desc")
    return value["Code"], _text(description if isinstance(description, str) else "")


def session_id(value: object) -> str:
    """A session id: a bare string of visible ASCII characters."""
    if not isinstance(value, str) or not _SESSION_ID.fullmatch(value):
        raise ValueError("not a session id")
    return value


def decimal(value: object) -> Decimal:
    """A number, exactly as written."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("not a number")
    number = Decimal(value)
    if number.adjusted() > 15 or number.as_tuple().exponent < -30:
        raise ValueError("a number out of range")
    return number


def message_ids(value: object) -> list[str]:
    """A list of ids, one per segment. They stay strings: 18 digits do not survive a
    float, and an id that came as a number is not trusted."""
    if not isinstance(value, list) or not value:
        raise ValueError("not a list of ids")
    if not all(isinstance(item, str) and _MESSAGE_ID.fullmatch(item) for item in value):
        raise ValueError("an id is not a string of visible characters")
    if len(set(value)) != len(value):
        raise ValueError("an id occurs twice")
    return value


def ids_by_number(value: object, numbers: list[str]) -> dict[str, list[str]]:
    """Share a flat list of ids among ``numbers``: all segments of the first number,
    then of the second, ... in the order of the request (documented by the provider;
    the order also relied on by several clients).

    :raises ValueError: also when the ids cannot be shared evenly.
    """
    ids = message_ids(value)
    segments, rest = divmod(len(ids), len(numbers))
    if rest or not segments:
        raise ValueError("the number of ids does not fit the number of recipients")
    return {
        number: ids[start : start + segments]
        for number, start in zip(numbers, range(0, len(ids), segments), strict=True)
    }


def message_state(value: object) -> MessageState:
    """The answer of ``Sms/State``; a member that is absent counts as null."""
    answer = _members(value)
    price = answer.get("Price")
    return MessageState(
        state=_integer(answer.get("State")),
        submitted=_date(answer.get("SubmittedDateUtc")),
        reported=_date(answer.get("ReportedDateUtc")),
        description=_text(answer.get("StateDescription") or ""),
        price=None if price is None else decimal(price),
    )


def incoming(value: object) -> list[IncomingMessage]:
    """The answer of ``Sms/In``. The id is a number in the documentation and a string
    in an official client: both are taken."""
    if not isinstance(value, list):
        raise ValueError("not a list of messages")
    return [_incoming_message(_members(item)) for item in value]


def statistics(value: object) -> Statistics:
    """The answer of ``Sms/Statistics``."""
    answer = _members(value)
    return Statistics(
        delivered=_integer(answer.get("Delivered")),
        errors=_integer(answer.get("Errors")),
        expired=_integer(answer.get("Expired")),
        rejected=_integer(answer.get("Rejected")),
        total=_integer(answer.get("Total")),
        total_with_errors=_integer(answer.get("TotalWithErrors")),
    )


def _incoming_message(answer: dict) -> IncomingMessage:
    message_id = answer.get("ID")
    if _is_integer(message_id):
        message_id = str(message_id)
    return IncomingMessage(
        message_id=_text(message_id),
        source=_text(answer.get("SourceAddress")),
        destination=_text(answer.get("DestinationAddress")),
        text=_text(answer.get("Data")),
        created=_date(answer.get("CreatedDateUtc")),
    )


def _members(value: object) -> dict:
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _integer(value: object) -> int:
    if not _is_integer(value) or abs(value) >= 2**31:
        raise ValueError("not a whole number of 32 bits")
    return value


def _text(value: object) -> str:
    """A string of bounded size, without characters that a database refuses."""
    if not isinstance(value, str):
        raise ValueError("not a string")
    return _UNSTORABLE.sub("\ufffd", value[:MAX_TEXT])


def _date(value: object) -> datetime | None:
    r"""A moment in naive UTC from ``\/Date(ms)\/``; null and "never" are ``None``."""
    if value is None:
        return None
    match = _DATE.fullmatch(_text(value))
    if not match:
        raise ValueError("not a date")
    milliseconds = int(match[1])
    if milliseconds == _NEVER:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError as err:
        raise ValueError("a date out of range") from err


def _refuse_constant(_name: str):
    raise ValueError("not a number")
