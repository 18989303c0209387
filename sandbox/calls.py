"""The provider's calls: their names, and their parameters read."""

import functools
import re
from dataclasses import dataclass

from .answers import Refusal
from .wire import Params, parse_date

_MINUTES = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True)
class Endpoint:
    """A call: its documented name, verbs, and the Provider's method that answers it."""

    name: str
    handler: str
    methods: tuple = ("GET", "POST")
    many: bool = False
    local_time: bool = False


_POST = ("POST",)
_ENDPOINTS = {
    endpoint.name.lower(): endpoint
    for endpoint in (
        Endpoint("User/SessionId", "_open_session"),
        Endpoint("User/Balance", "_balance"),
        Endpoint("Sms/Send", "_send", _POST),
        Endpoint("Sms/SendByTimeZone", "_send", _POST, local_time=True),
        Endpoint("Sms/SendBulk", "_send", _POST, many=True),
        Endpoint("Sms/SendByTimeZoneToAddresses", "_send", _POST, True, True),
        Endpoint("Sms/State", "_state"),
        Endpoint("Sms/In", "_incoming"),
        Endpoint("Sms/Statistics", "_statistics"),
    )
}


@dataclass(frozen=True)
class ParsedCall:
    """One request as the handlers see it; ``now`` in seconds since 1970."""

    endpoint: Endpoint
    params: Params
    v2: bool
    client_ip: str
    now: float


@functools.lru_cache(maxsize=256)
def find_endpoint(path):
    """``(Endpoint, v2)`` of a path in any case, with or without a trailing "/" or "?".

    :return: ``(None, False)`` when there is no such call
    """
    parts = [part for part in path.rstrip("?").lower().split("/") if part]
    if "rest" not in parts:
        return None, False
    rest = parts[parts.index("rest") + 1 :]
    v2 = rest[:1] == ["v2"]
    name = "/".join(rest[1:] if v2 else rest)
    if v2 and name == "user/sessionid":
        return None, False
    return _ENDPOINTS.get(name), v2


def identity(call):
    """The names of the parameters that tell who asks."""
    return ("Login", "Password") if call.v2 else ("SessionID",)


def require(call, *names):
    """Refuse a call without these parameters (Code 1, documented)."""
    for name in names:
        if not call.params.text(name):
            camel = name[0].lower() + name[1:].replace("ID", "Id")
            desc = f"{name} can not be null or empty\r\nParameter name: {camel}"
            raise Refusal(400, 1, desc, f"{name} is missing or empty")


def null_entry(name):
    """What ASP.NET says to a missing date (seen; the text is on record)."""
    desc = f"The parameters dictionary contains a null entry for parameter '{name}'"
    reason = f"{name} is missing, or is no date like 2026-11-24T18:30:00"
    return Refusal(500, 9, f"{desc} of non-nullable type 'DateTime'", reason)


def optional_date(call, name):
    """A naive UTC datetime, or None when the parameter is missing or empty."""
    text = call.params.first(name)
    try:
        return parse_date(text) if text else None
    except ValueError:
        raise null_entry(name) from None


def required_date(call, name):
    """The same for a parameter that must be there."""
    moment = optional_date(call, name)
    if moment is None:
        raise null_entry(name)
    return moment


def read_validity(text):
    """Minutes, None for the default; official clients send 0 or nothing for it."""
    if not text:
        return None
    if not _MINUTES.fullmatch(text):
        reason = f"the validity {text[:20]!r} is no number of minutes"
        raise Refusal(400, 2, "Invalid argument", reason)
    return int(text) or None
