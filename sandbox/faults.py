"""Faults that can be ordered."""

import json
import math
import random
import threading
from dataclasses import dataclass, fields, replace

from .answers import Answer, error, html
from .wire import encode

LOGIN = "User/SessionId"
SENDS = (
    "Sms/Send",
    "Sms/SendByTimeZone",
    "Sms/SendBulk",
    "Sms/SendByTimeZoneToAddresses",
)
#: The documented calls.
CALLS = (LOGIN, "User/Balance", *SENDS, "Sms/State", "Sms/In", "Sms/Statistics")

#: Kinds whose request is never handled, and the answer to it.
_INSTEAD = {
    "refuse": lambda fault: Answer(0, "", connection="refuse"),
    "connect_timeout": lambda fault: Answer(0, "", connection="connect_timeout"),
    "drop_before": lambda fault: Answer(0, "", connection="drop"),
    "status500": lambda fault: html(500, "Server Error"),
    "status500_empty": lambda fault: Answer(500, ""),
    "code5": lambda fault: error(403, 5, "Not enough credits"),
    "code7": lambda fault: error(403, 7, "Forbidden"),
    "code8": lambda fault: error(500, 8, "Gateway error"),
    "code9": lambda fault: error(500, 9, "Internal server error"),
    "html": lambda fault: html(200, "Welcome"),
    "html502": lambda fault: html(502, "Bad Gateway"),
    "session_expired": lambda fault: error(401, 4, "SessionID expired"),
    "session_invalid": lambda fault: error(400, 3, "Invalid session id"),
    "rate_limit": lambda fault: _later(html(429, "Too Many Requests"), fault),
    "unavailable": lambda fault: _later(html(503, "Service Unavailable"), fault),
}


def _as_number(text):
    return int(text) if text.isdigit() else int(text.encode().hex(), 16)


#: Kinds whose request is handled (a message is accepted), and what spoils the answer.
_AFTER = {
    "drop_after": lambda fault, answer: replace(answer, connection="drop"),
    "half_json": lambda fault, answer: _halved(fault, answer),
    "slow_body": lambda fault, answer: replace(answer, drip=fault.seconds),
    "more_ids": lambda fault, answer: _with_ids(
        answer, lambda ids: ids + [f"{ids[-1]}{n}" for n in range(fault.count)]
    ),
    "fewer_ids": lambda fault, answer: _with_ids(
        answer, lambda ids: ids[: max(len(ids) - fault.count, 0)]
    ),
    "no_ids": lambda fault, answer: _with_ids(answer, lambda ids: []),
    "ids_as_numbers": lambda fault, answer: _with_ids(
        answer, lambda ids: [_as_number(text) for text in ids]
    ),
}
#: Kinds that leave the request unread.
REFUSALS = ("refuse", "connect_timeout")
_UNHANDLED = (*REFUSALS, "drop_before")
_OF_SENDS = ("more_ids", "fewer_ids", "no_ids", "ids_as_numbers")
_OF_SESSIONS = ("session_expired", "session_invalid")

#: Kinds that only take time, before and after the request is handled; each of them
#: goes together with one of the others.
PAUSES = ("hold", "latency")
KINDS = (*PAUSES, *_INSTEAD, *_AFTER)
DAY = 24 * 3600.0


@dataclass(frozen=True)
class Fault:
    """One thing going wrong.

    :raise ValueError: a sentence about a wrong value
    """

    kind: str
    #: the call it concerns, "Sms/Send" in any case; None = any
    path: str = None
    #: how often; None = always
    times: int = 1
    #: probability for each request it concerns
    rate: float = 1.0
    #: how many such requests pass before
    after: int = 0
    #: of "hold", "latency" and "slow_body"
    seconds: float = 0.0
    #: Retry-After of "rate_limit" and "unavailable", in seconds; None = no header
    retry_after: int = None
    #: whether an error answer hides a request that was handled
    handled: bool = False
    #: how many ids "more_ids" and "fewer_ids" add and drop
    count: int = 1
    #: Content-Length of "half_json": that of the "cut" or of the "full" body
    declared: str = "cut"

    def __post_init__(self):
        self._check("kind", self.kind in KINDS, f"one of {', '.join(KINDS)}")
        calls = {call.lower() for call in CALLS}
        known = self.path is None or str(self.path).lower() in calls
        self._check(
            "path", known, f"one of {', '.join(CALLS)}, or none for all of them"
        )
        for name, least in (
            ("times", 1),
            ("after", 0),
            ("retry_after", 0),
            ("count", 1),
        ):
            value = getattr(self, name)
            free = value is None and name in ("times", "retry_after")
            right = free or (type(value) is int and value >= least)
            self._check(name, right, f"a whole number, {least} or more")
        self._check("rate", _is_number(self.rate, 1), "a number from 0 to 1")
        self._check("seconds", _is_number(self.seconds, DAY), "seconds, a day at most")
        self._check("handled", type(self.handled) is bool, "true or false")
        self._check("declared", self.declared in ("cut", "full"), "cut or full")
        if self.handled and self.kind in _UNHANDLED:
            raise ValueError(f"{self.kind} leaves nothing to be handled")

    def _check(self, name, right, expected):
        if not right:
            raise ValueError(
                f"{name} is {getattr(self, name)!r}; it must be {expected}"
            )

    @classmethod
    def from_dict(cls, members):
        """A Fault from plain data.

        :param dict members: the fields by name
        :raise ValueError: what is wrong with it, in a sentence
        """
        if not isinstance(members, dict):
            raise ValueError(f"a fault is an object with its fields, not {members!r}")
        names = [field.name for field in fields(cls)]
        unknown = sorted(set(members) - set(names))
        if unknown:
            raise ValueError(
                f"no such field: {unknown[0]}; they are {', '.join(names)}"
            )
        return cls(**{"kind": None, **members})

    def concerns(self, path):
        """Whether it may hit a call of ``path``, as documented ("Sms/Send")."""
        if self.path and self.path.lower() != path.lower():
            return False
        if self.kind in _OF_SESSIONS:
            return path != LOGIN
        return self.kind not in _OF_SENDS or path in SENDS

    def instead(self):
        """The Answer given without handling the request, or None."""
        if self.handled or self.kind not in _INSTEAD:
            return None
        return self._explained(_INSTEAD[self.kind](self))

    def spoil(self, answer):
        """The Answer to a handled request, made worse.

        Changes of ids leave errors as they are.
        """
        if self.handled and self.kind in _INSTEAD:
            return self._explained(_INSTEAD[self.kind](self))
        if self.kind not in _AFTER:
            return answer
        if self.kind in _OF_SENDS and answer.status != 200:
            return answer
        return self._explained(_AFTER[self.kind](self, answer))

    def _explained(self, answer):
        done = self.handled or self.kind in _AFTER
        handled = "; the request was carried out" if done else ""
        return replace(answer, reason=f"the fault {self.kind} was on order{handled}")


class Faults:
    """The faults on order, in order; safe under threads.

    The chance that ``Fault.rate`` leaves is the same in every run.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self.clear()

    def add(self, fault):
        """Order a Fault."""
        with self._lock:
            self._orders.append(_Order(fault))

    def clear(self):
        """Forget all orders and start the chance anew."""
        with self._lock:
            self._orders = []
            self._random = random.Random(0)

    def pending(self):
        """The faults that can still occur."""
        with self._lock:
            return [order.fault for order in self._orders if not order.is_spent()]

    def take(self, path):
        """The faults that hit a call of ``path`` now: every pause and one other."""
        if not self._orders:
            return []
        with self._lock:
            taken = []
            for order in self._orders:
                fault = order.fault
                other = any(one.kind not in PAUSES for one in taken)
                if other and fault.kind not in PAUSES:
                    continue
                if fault.concerns(path) and order.strikes(self._random):
                    taken.append(fault)
            return taken


class _Order:
    """A Fault with its counters."""

    def __init__(self, fault):
        self.fault = fault
        self._seen = 0
        self._struck = 0

    def is_spent(self):
        return self.fault.times is not None and self._struck >= self.fault.times

    def strikes(self, chance):
        if self.is_spent():
            return False
        self._seen += 1
        if self._seen <= self.fault.after or chance.random() >= self.fault.rate:
            return False
        self._struck += 1
        return True


def _is_number(value, most):
    """Whether it is a number from 0 to ``most``; not true, NaN or "1"."""
    return type(value) in (int, float) and math.isfinite(value) and 0 <= value <= most


def seconds_of(faults, kind):
    """How long the pauses of one kind are together.

    :param list[Fault] faults: what ``Faults.take`` gave
    """
    return sum(fault.seconds for fault in faults if fault.kind == kind)


def _later(answer, fault):
    if fault.retry_after is None:
        return answer
    return replace(answer, headers={"Retry-After": str(fault.retry_after)})


def _halved(fault, answer):
    cut = answer.body[: len(answer.body) // 2]
    full = len(answer.body.encode()) if fault.declared == "full" else None
    return replace(answer, body=cut, declared=full)


def _with_ids(answer, change):
    return replace(answer, body=encode(change(json.loads(answer.body))))
