"""The provider's rules without any input or output."""

import itertools
import logging
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from . import checks, fates
from .answers import Refusal, html, state_object, statistics_object, success
from .calls import (
    ParsedCall,
    find_endpoint,
    identity,
    null_entry,
    optional_date,
    read_validity,
    require,
    required_date,
)
from .faults import Faults, seconds_of
from .segments import count_segments
from .store import Message, Store
from .switches import Switches
from .wire import Params, to_datetime, to_seconds

_logger = logging.getLogger(__name__)

#: Documented limits.
MAX_NUMBERS = 2999
MAX_TEXT = 2000
SESSION_SECONDS = 120 * 60.0
MAX_STATISTICS = timedelta(days=90)
MAX_INCOMING = timedelta(days=366)


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
    :param dict[str, Decimal] balances: login -> balance at first, where it differs
    :param senders: the approved sender names, case-sensitive; None = every valid one
    :param Store store: keeps accounts, sessions and messages in another way
    :param int ledger_limit: keep only so many of the last entries; None = all
    :param bool has_fates: whether the number decides what becomes of a message;
        without fates every message is delivered
    """

    def __init__(
        self,
        *,
        clock=time.time,
        speed=1.0,
        switches=Switches(),  # noqa: B008  frozen
        balance=Decimal("1000"),
        accounts=None,
        balances=None,
        senders=None,
        store=None,
        ledger_limit=None,
        has_fates=True,
    ):
        self._clock = clock
        self._offset = 0.0
        self.speed = speed
        self._switches = switches
        self._senders = senders
        accounts = accounts or {"demo": "demo"}
        balances = {**dict.fromkeys(accounts, balance), **(balances or {})}
        self._store = store or Store(accounts, balances, switches.id_style, clock())
        self.has_fates = has_fates
        self._ledger = deque(maxlen=ledger_limit)
        self._inbox = []
        self._lock = threading.RLock()
        self.faults = Faults()

    # -- for those who watch and steer

    @property
    def ledger(self):
        """The accepted messages in order, as a list of Entry."""
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

    def balances(self):
        """What every account has left, by login."""
        with self._lock:
            return self._store.balances()

    def set_balance(self, amount, login="demo"):
        """Set what an account has left; KeyError for an unknown login."""
        with self._lock:
            self._store.set_balance(login, Decimal(amount))

    def accepted(self):
        """How many messages the ledger has."""
        with self._lock:
            return len(self._ledger)

    def latest(self, count):
        """Pairs of a message and the states of its segments, the newest first."""
        with self._lock:
            entries = list(itertools.islice(reversed(self._ledger), count))
            return [(entry, self._states(entry)) for entry in entries]

    def _states(self, entry):
        found = (self._store.find(one, entry.login) for one in entry.ids)
        now = self.now()
        return [fates.progress(one, now, self.speed).state for one in found]

    def add_incoming(self, source, destination, text, login=None):
        """A message from a subscriber, received now.

        :param str source: the subscriber's number
        :param str destination: the account's inbound number
        :param str login: the account that receives it; None = every one
        """
        with self._lock:
            message = (
                login,
                {
                    "Data": text,
                    "SourceAddress": source,
                    "DestinationAddress": destination,
                    "ID": 539187174 + len(self._inbox),
                    "CreatedDateUtc": to_datetime(self.now()),
                },
            )
            self._inbox.append(message)

    def reset(self):
        """Forget messages, sessions, faults; first balances, true clock. Ids go on."""
        with self._lock:
            self._ledger.clear()
            self._inbox.clear()
            self._store.clear()
            self._offset = 0.0
        self.faults.clear()

    # -- the one entrance

    def take_faults(self, path):
        """The faults that hit a request of ``path`` now.

        For a transport that carries some out before the request is read.
        """
        endpoint, _v2 = find_endpoint(path)
        return self.faults.take(endpoint.name) if endpoint else []

    def handle(self, method, path, pairs, client_ip="127.0.0.1", faults=None):
        """The answer to one request; never raises.

        :param str method: "GET", "POST", …
        :param str path: "/rest/Sms/Send", "/rest/v2/sms/send/", …
        :param list[tuple[str, str]] pairs: parameters of the body, then of the query
        :param list[Fault] faults: of ``take_faults``, which is called by default
        """
        endpoint, v2 = find_endpoint(path)
        if endpoint is None:
            reason = "no call has this path; they are /rest/Sms/Send and the like"
            return replace(html(404, "Not Found"), reason=reason)
        taken = self.take_faults(path) if faults is None else faults
        call = ParsedCall(endpoint, Params(pairs), v2, client_ip, self.now())
        answer = self._instead(call, taken) or self._answer(method, call)
        for fault in taken:
            answer = fault.spoil(answer)
        delay = seconds_of(taken, "latency")
        return replace(answer, delay=delay) if delay else answer

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
            reason = f"{call.endpoint.name} takes {' or '.join(call.endpoint.methods)}"
            return replace(html(405, "Method Not Allowed"), reason=reason)
        try:
            with self._lock:
                return success(getattr(self, call.endpoint.handler)(call))
        except Refusal as refusal:
            return refusal.answer
        except Exception:
            _logger.exception("The sandbox failed in %s", call.endpoint.name)
            reason = "the emulator itself failed: its log has the traceback"
            return Refusal(500, 9, "Internal server error", reason).answer

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
            reason = "no such session: log in with User/SessionId first"
            raise Refusal(400, 3, "Invalid session id", reason)
        sliding = self._switches.session_life == "sliding"
        since = session.used_at if sliding else session.opened_at
        if call.now - since >= SESSION_SECONDS:
            reason = f"the session is older than {SESSION_SECONDS / 60:.0f} minutes"
            if self._switches.expired_session == "401/4":
                raise Refusal(401, 4, "SessionID expired", reason)
            raise Refusal(400, 3, "Invalid session id", reason)
        if sliding:
            session.used_at = call.now
        return session.login

    def _authenticate(self, login, password):
        if not self._store.authenticate(login, password):
            status = self._switches.login_failure
            reason = f"no account {login!r} with this password"
            raise Refusal(status, 4, "Invalid user login or password", reason)

    def _open_session(self, call):
        require(call, "Login", "Password")
        login = call.params.first("Login")
        self._authenticate(login, call.params.first("Password"))
        return self._store.open_session(login, call.now)

    def _balance(self, call):
        require(call, *identity(call))
        return self._store.balance(self._login(call))

    # -- sending

    def _send(self, call):
        """The ids. Checks in the documented order, all or nothing."""
        order = self._read_order(call)
        login = self._login(call)
        numbers = self._read_numbers(order.addresses)
        segments = count_segments(order.text)
        self._check_balance(login, numbers, segments)
        self._check_numbers(order.addresses, numbers)
        self._check_sender(order.sender)
        if len(order.text) > MAX_TEXT:
            reason = f"a text of {len(order.text)} characters; {MAX_TEXT} at most"
            raise Refusal(400, 2, "Invalid argument", reason)
        starts = [self._start(call, order, number) for number in numbers]
        ids = []
        for number, start in zip(numbers, starts, strict=True):
            ids += self._accept(call, order, login, number, start, segments)
        return ids

    def _read_order(self, call):
        params = call.params
        many = self._takes_list(call)
        name = "DestinationAddresses" if many else "DestinationAddress"
        require(call, *identity(call), "SourceAddress", name, "Data")
        send_date = optional_date(call, "SendDate")
        if call.endpoint.local_time and send_date is None:
            raise null_entry("SendDate")
        addresses = params.all(name) if many else [params.first(name)]
        limited = self._switches.above_limit == "refuse"
        if limited and len(addresses) > MAX_NUMBERS:
            reason = f"{len(addresses)} numbers; {MAX_NUMBERS} at most"
            raise Refusal(400, 2, "Invalid argument", reason)
        return _Order(
            addresses,
            params.text("Data"),
            params.first("SourceAddress"),
            send_date,
            read_validity(params.first("Validity")),
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
        prices = (checks.price_of(one) for one in numbers if one)
        cost, balance = sum(prices) * segments, self._store.balance(login)
        if cost > balance:
            reason = f"it costs {cost}, the balance is {balance}"
            raise Refusal(403, 5, "Not enough credits", reason)

    def _check_numbers(self, addresses, numbers):
        reason = ""
        if not all(numbers):
            wrong = next(one for one in addresses if not checks.read_number(one))
            reason = f"{wrong!r} is not a number with its country code"
        elif refused := [n for n in numbers if fates.fate_of(self._ending(n)).refused]:
            reason = f"{refused[0]} is refused, as its last two digits are 99"
        if reason:
            # The text was seen in one client; the code is an inference.
            raise Refusal(400, 6, "Invalid destination address", reason)

    def _ending(self, number):
        return number[-2:] if self.has_fates else fates.NO_ENDING

    def _check_sender(self, sender):
        desc = "Invalid source address"
        if not checks.is_sender(sender):
            reason = f"{sender!r} is not 1 to 11 Latin characters or 1 to 15 digits"
            raise Refusal(400, 6, desc, reason)
        if self._senders is not None and sender not in self._senders:
            reason = f"{sender!r} is none of the approved sender names"
            raise Refusal(400, 6, desc, reason)

    def _start(self, call, order, number):
        """When the message leaves, in seconds since 1970."""
        if order.send_date is None:
            return call.now
        start = to_seconds(order.send_date)
        if call.endpoint.local_time:
            start -= checks.utc_offset(number)
        if start < call.now and self._switches.past_send_date == "refuse":
            raise Refusal(400, 2, "Invalid argument", "the SendDate is in the past")
        return max(start, call.now)

    def _accept(self, call, order, login, number, start, segments):
        price = checks.price_of(number)
        message = Message(
            *(login, number, self._ending(number), segments),
            *(call.now, start, order.validity, price),
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
        require(call, *identity(call), "MessageID")
        login = self._login(call)
        segment = self._store.find(call.params.first("MessageID"), login)
        if segment is None and self._switches.unknown_message == "code":
            raise Refusal(400, 2, "Invalid argument", "no message has this id")
        if segment is None:
            return state_object(fates.Progress(fates.UNKNOWN), None)
        return state_object(fates.progress(segment, call.now, self.speed), segment)

    def _incoming(self, call):
        require(call, *identity(call))
        newest = required_date(call, "maxDateUtc")
        oldest = required_date(call, "minDateUtc")
        login = self._login(call)
        if newest <= oldest or oldest < to_datetime(call.now) - MAX_INCOMING:
            reason = "maxDateUtc is not after minDateUtc, or that is over a year ago"
            raise Refusal(400, 2, "Invalid argument", reason)
        return [
            message
            for receiver, message in self._inbox
            if receiver in (None, login)
            and oldest <= message["CreatedDateUtc"] <= newest
        ]

    def _statistics(self, call):
        require(call, *identity(call))
        start = required_date(call, "startDateTime")
        end = required_date(call, "endDateTime")
        login = self._login(call)
        if end - start > MAX_STATISTICS:
            desc = "Нельзя указывать диапазон дат более 90 дней."
            raise Refusal(400, 2, desc, "the dates are more than 90 days apart")
        # Taken as UTC; the sources contradict each other.
        states = Counter(
            fates.life(segment, call.now, self.speed).state
            for segment in self._store.segments(login)
            if start <= to_datetime(segment.accepted_at) <= end
        )
        return statistics_object(states)
