"""The provider's rules without any input or output."""

import logging
import re
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from . import checks, fates
from .answers import Refusal, html, success
from .faults import Faults, seconds_of
from .segments import count_segments
from .store import Message, Store
from .switches import Switches
from .wire import NEVER, Params, parse_date, to_datetime, to_seconds

_logger = logging.getLogger(__name__)

#: Documented limits.
MAX_NUMBERS = 2999
MAX_TEXT = 2000
SESSION_SECONDS = 120 * 60.0
MAX_STATISTICS = timedelta(days=90)
MAX_INCOMING = timedelta(days=366)

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
class Call:
    """One request as the handlers see it; ``now`` in seconds since 1970."""

    endpoint: Endpoint
    params: Params
    v2: bool
    client_ip: str
    now: float


@dataclass(frozen=True)
class Entry:
    """One accepted message in the ledger.

    ``number``: digits with the country code. ``accepted_at``: seconds since 1970.
    ``send_date``: as asked for, naive (UTC, or the recipient's time for the
    SendByTimeZone calls) or None. ``validity``: minutes or None. ``cost``: of all its
    segments.
    """

    number: str
    text: str
    sender: str
    ids: list
    accepted_at: float
    send_date: datetime
    validity: int
    login: str
    call: str
    cost: Decimal
    client_ip: str


@dataclass(frozen=True)
class _Order:
    """A send call with its parameters read."""

    addresses: list
    text: str
    sender: str
    send_date: datetime
    validity: int


class Provider:
    """The provider. Threads may share it.

    :param clock: callable giving seconds since 1970
    :param float speed: the mobile network is so many times quicker
    :param Switches switches: answers to what is uncertain
    :param Decimal balance: of each account at first
    :param dict[str, str] accounts: login -> password; default demo/demo
    :param senders: the approved sender names, case-sensitive; None = every valid one
    :param dict[str, Decimal] prices: of one segment by prefix of the number
    :param int seed: of the chance of the faults
    :param Store store: keeps accounts, sessions and messages in another way
    :param int ledger_limit: keep only so many of the last entries; None = all
    """

    def __init__(
        self,
        *,
        clock=time.time,
        speed=1.0,
        switches=Switches(),  # noqa: B008  frozen
        balance=Decimal("1000"),
        accounts=None,
        senders=None,
        prices=None,
        seed=0,
        store=None,
        ledger_limit=None,
    ):
        self._clock = clock
        self._offset = 0.0
        self._speed = speed
        self._switches = switches
        self._senders = senders
        self._prices = prices or checks.PRICES
        self._store = store or Store(
            accounts or {"demo": "demo"}, balance, switches.id_style, clock()
        )
        self._ledger = deque(maxlen=ledger_limit)
        self._inbox = []
        self._lock = threading.RLock()
        self.faults = Faults(seed)

    # -- for those who watch and steer

    @property
    def ledger(self):
        """The accepted messages in order.

        :rtype: list[Entry]
        """
        with self._lock:
            return list(self._ledger)

    def now(self):
        """Seconds since 1970 by the provider's clock."""
        return self._clock() + self._offset

    def advance(self, seconds):
        """Put the provider's clock forward."""
        with self._lock:
            self._offset += seconds

    def balance(self, login="demo"):
        """The Decimal left to an account."""
        with self._lock:
            return self._store.balance(login)

    def set_balance(self, amount, login="demo"):
        """Set what an account has left.

        :raise KeyError: an unknown login
        """
        with self._lock:
            self._store.set_balance(login, Decimal(amount))

    def add_incoming(self, source, destination, text):
        """A message from a subscriber, received now.

        :param str source: the subscriber's number
        :param str destination: the account's inbound number
        """
        with self._lock:
            self._inbox.append(
                {
                    "Data": text,
                    "SourceAddress": source,
                    "DestinationAddress": destination,
                    "ID": 539187174 + len(self._inbox),
                    "CreatedDateUtc": to_datetime(self.now()),
                }
            )

    def reset(self):
        """Forget messages, sessions, faults; first balances, true clock. Ids go on."""
        with self._lock:
            self._ledger.clear()
            self._inbox.clear()
            self._store.clear()
            self._offset = 0.0
        self.faults.clear()

    # -- the one entrance

    def befall(self, path):
        """The faults that befall a request of ``path`` now.

        For a transport that carries some out before the request is read.

        :rtype: list[Fault]
        """
        endpoint, _v2 = find_endpoint(path)
        return self.faults.take(endpoint.name) if endpoint else []

    def handle(self, method, path, pairs, client_ip="127.0.0.1", faults=None):
        """The answer to one request; never raises.

        :param str method: "GET", "POST", …
        :param str path: "/rest/Sms/Send", "/rest/v2/sms/send/", …
        :param list[tuple[str, str]] pairs: parameters of the body, then of the query
        :param str client_ip:
        :param list[Fault] faults: what ``befall`` gave; default: it is asked
        :rtype: Answer
        """
        endpoint, v2 = find_endpoint(path)
        if endpoint is None:
            return html(404, "Not Found")
        taken = self.befall(path) if faults is None else faults
        call = Call(endpoint, Params(pairs), v2, client_ip, self.now())
        answer = self._instead(call, taken) or self._answer(method, call)
        for fault in taken:
            answer = fault.spoil(answer)
        return replace(answer, delay=seconds_of(taken, "latency"))

    def _instead(self, call, taken):
        for fault in taken:
            if fault.kind == "session_expired":
                with self._lock:
                    self._store.drop_session(call.params.first("SessionID"))
            answer = fault.instead()
            if answer:
                return answer
        return None

    def _answer(self, method, call):
        if method not in call.endpoint.methods:
            return html(405, "Method Not Allowed")
        try:
            with self._lock:
                return success(getattr(self, call.endpoint.handler)(call))
        except Refusal as refusal:
            return refusal.answer
        except Exception:
            _logger.exception("The sandbox failed in %s", call.endpoint.name)
            return Refusal(500, 9, "Internal server error").answer

    # -- who asks

    def _login(self, call):
        """The login behind a call, or a Refusal by section "Session" of the docs."""
        if call.v2:
            login = call.params.first("Login")
            self._authenticate(login, call.params.first("Password"))
            return login
        session_id = call.params.first("SessionID")
        session = self._store.session(session_id)
        if session is None:
            raise Refusal(400, 3, "Invalid session id")
        sliding = self._switches.session_life == "sliding"
        since = session.used_at if sliding else session.opened_at
        if call.now - since >= SESSION_SECONDS:
            if self._switches.expired_session == "401/4":
                raise Refusal(401, 4, "SessionID expired")
            raise Refusal(400, 3, "Invalid session id")
        if sliding:
            self._store.touch_session(session_id, replace(session, used_at=call.now))
        return session.login

    def _authenticate(self, login, password):
        if not self._store.authenticate(login, password):
            status = self._switches.login_failure
            raise Refusal(status, 4, "Invalid user login or password")

    def _open_session(self, call):
        _require(call, "Login", "Password")
        login = call.params.first("Login")
        self._authenticate(login, call.params.first("Password"))
        return self._store.open_session(login, call.now)

    def _balance(self, call):
        _require(call, *_identity(call))
        return self._store.balance(self._login(call))

    # -- sending

    def _send(self, call):
        """The ids. Checks in the documented order, all or nothing."""
        order = self._read_order(call)
        login = self._login(call)
        numbers = self._read_numbers(order.addresses)
        segments = count_segments(order.text)
        self._check_balance(login, numbers, segments)
        if not all(numbers) or any(fates.fate_of(one).refused for one in numbers):
            # The text was seen in one client; the code is an inference.
            raise Refusal(400, 6, "Invalid destination address")
        self._check_sender(order.sender)
        if len(order.text) > MAX_TEXT:
            raise Refusal(400, 2, "Invalid argument")
        starts = [self._start(call, order, number) for number in numbers]
        ids = []
        for number, start in zip(numbers, starts, strict=True):
            ids += self._accept(call, order, login, number, start, segments)
        return ids

    def _read_order(self, call):
        params = call.params
        many = self._takes_list(call)
        name = "DestinationAddresses" if many else "DestinationAddress"
        _require(call, *_identity(call), "SourceAddress", name, "Data")
        send_date = _optional_date(call, "SendDate")
        if call.endpoint.local_time and send_date is None:
            raise _null_entry("SendDate")
        addresses = params.all(name) if many else [params.first(name)]
        limited = self._switches.above_limit == "refuse"
        if limited and len(addresses) > MAX_NUMBERS:
            raise Refusal(400, 2, "Invalid argument")
        return _Order(
            addresses,
            params.text("Data"),
            params.first("SourceAddress"),
            send_date,
            _read_validity(params.first("Validity")),
        )

    def _takes_list(self, call):
        if call.endpoint.many or not call.endpoint.local_time:
            return call.endpoint.many
        # 1C's delayed mass sending.
        accepted = self._switches.time_zone_list == "accept"
        return accepted and not call.params.first("DestinationAddress")

    def _read_numbers(self, addresses):
        numbers = [checks.read_number(address) for address in addresses]
        if self._switches.duplicates == "once":
            return list(dict.fromkeys(numbers))
        return numbers

    def _check_balance(self, login, numbers, segments):
        prices = (checks.price_of(one, self._prices) for one in numbers if one)
        if sum(prices) * segments > self._store.balance(login):
            raise Refusal(403, 5, "Not enough credits")

    def _check_sender(self, sender):
        approved = self._senders is None or sender in self._senders
        if not approved or not checks.is_sender(sender):
            raise Refusal(400, 6, "Invalid source address")

    def _start(self, call, order, number):
        """When the message leaves, in seconds since 1970."""
        if order.send_date is None:
            return call.now
        start = to_seconds(order.send_date)
        if call.endpoint.local_time:
            start -= checks.utc_offset(number)
        if start < call.now and self._switches.past_send_date == "refuse":
            raise Refusal(400, 2, "Invalid argument")
        return max(start, call.now)

    def _accept(self, call, order, login, number, start, segments):
        price = checks.price_of(number, self._prices)
        message = Message(
            login, number, segments, call.now, start, order.validity, price
        )
        ids = self._store.keep(message)
        cost = price * segments
        self._store.debit(login, cost)
        self._ledger.append(
            Entry(
                number,
                order.text,
                order.sender,
                ids,
                call.now,
                order.send_date,
                order.validity,
                login,
                call.endpoint.name,
                cost,
                call.client_ip,
            )
        )
        return ids

    # -- asking

    def _state(self, call):
        _require(call, *_identity(call), "MessageID")
        login = self._login(call)
        segment = self._store.find(call.params.first("MessageID"), login)
        if segment is None and self._switches.unknown_message == "code":
            raise Refusal(400, 2, "Invalid argument")
        if segment is None:
            return _state_object(fates.Progress(fates.UNKNOWN), None)
        return _state_object(fates.progress(segment, call.now, self._speed), segment)

    def _incoming(self, call):
        _require(call, *_identity(call))
        newest = _required_date(call, "maxDateUtc")
        oldest = _required_date(call, "minDateUtc")
        self._login(call)
        if newest <= oldest or oldest < to_datetime(call.now) - MAX_INCOMING:
            raise Refusal(400, 2, "Invalid argument")
        return [one for one in self._inbox if oldest <= one["CreatedDateUtc"] <= newest]

    def _statistics(self, call):
        _require(call, *_identity(call))
        start = _required_date(call, "startDateTime")
        end = _required_date(call, "endDateTime")
        login = self._login(call)
        if end - start > MAX_STATISTICS:
            raise Refusal(400, 2, "Нельзя указывать диапазон дат более 90 дней.")
        # Taken as UTC; the sources contradict each other.
        states = Counter(
            fates.life(segment, call.now, self._speed).state
            for segment in self._store.segments(login)
            if start <= to_datetime(segment.accepted_at) <= end
        )
        return _statistics_object(states)


def find_endpoint(path):
    """``(Endpoint, v2)`` of a path in any case, with or without a trailing "/" or "?".

    :return: ``(None, False)`` when there is no such call
    :rtype: tuple[Endpoint | None, bool]
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


def _identity(call):
    return ("Login", "Password") if call.v2 else ("SessionID",)


def _require(call, *names):
    for name in names:
        if not call.params.text(name):
            camel = name[0].lower() + name[1:].replace("ID", "Id")
            desc = f"{name} can not be null or empty\r\nParameter name: {camel}"
            raise Refusal(400, 1, desc)


def _null_entry(name):
    """What ASP.NET says to a missing date (seen; the text is on record)."""
    desc = f"The parameters dictionary contains a null entry for parameter '{name}'"
    return Refusal(500, 9, f"{desc} of non-nullable type 'DateTime'")


def _optional_date(call, name):
    text = call.params.first(name)
    try:
        return parse_date(text) if text else None
    except (ValueError, OverflowError):
        raise _null_entry(name) from None


def _required_date(call, name):
    moment = _optional_date(call, name)
    if moment is None:
        raise _null_entry(name)
    return moment


def _read_validity(text):
    """Minutes, None for the default; official clients send 0 or nothing for it."""
    if not text:
        return None
    if not _MINUTES.fullmatch(text):
        raise Refusal(400, 2, "Invalid argument")
    return int(text) or None


def _state_object(progress, segment):
    known = progress.state != fates.UNKNOWN
    description = fates.DESCRIPTIONS.get(progress.state, fates.UNKNOWN_DESCRIPTION)
    return {
        "State": progress.state,
        "CreationDateUtc": to_datetime(segment.accepted_at) if known else None,
        "SubmittedDateUtc": to_datetime(progress.submitted),
        "ReportedDateUtc": to_datetime(progress.reported),
        "TimeStampUtc": to_datetime(progress.changed) if known else NEVER,
        "StateDescription": description,
        "Price": None if progress.submitted is None else segment.price,
    }


def _statistics_object(states):
    """The documented counters; in the sample TotalWithErrors = Total + Errors."""
    counts = {
        "Sent": states[fates.SENT],
        "Delivered": states[fates.DELIVERED],
        "Errors": states[10] + states[11] + states[41] + states[1234],
        "InProcess": states[fates.QUEUED],
        "Expired": states[fates.EXPIRED],
        "Rejected": states[42] + states[47] + states[48] + states[69],
    }
    total = sum(counts.values()) - counts["Errors"]
    ratio = Decimal(100 * counts["Delivered"]) / total if total else Decimal(0)
    return {
        **counts,
        "Total": total,
        "TotalWithErrors": total + counts["Errors"],
        "DeliveryRatio": round(ratio, 2),
    }
