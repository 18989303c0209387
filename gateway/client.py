"""The provider's REST API, one method per endpoint: plain data in, dataclasses out.

Variant of the API: with a session id in each call (the base URL without ``/v2``).
Every call is a POST with a form body, so that no URL holds a secret. The provider
documents that for sending; for ``User/*`` and ``Sms/State`` it was seen in several
clients; for ``Sms/In`` and ``Sms/Statistics``, documented with GET, it is inference.
"""

import functools
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from requests.adapters import BaseAdapter

from . import answers
from .answers import IncomingMessage, MessageState, Statistics
from .codes import MAX_BULK_NUMBERS
from .errors import GatewayError
from .session import SessionKeeper
from .transport import Transport
from .verdict import CallKind, classify, session_refused, unusable

_logger = logging.getLogger(__name__)

Value = TypeVar("Value")
Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Credentials:
    """Server and login; the URL is the base, ``https://…/rest``.

    :ivar proxy: the URL of a proxy; empty for none. The environment names none
    :ivar is_public: nothing is sent unless the server's name leads into the internet
    """

    url: str
    login: str = field(repr=False)
    password: str = field(repr=False)
    proxy: str = field(default="", repr=False)
    is_public: bool = False


class DevinoClient:
    """A client for one account; threads may share it.

    Every method raises :class:`~.errors.GatewayError` in one of its four kinds.
    Only a call refused for its session is repeated, once.

    :param adapter: a `requests` transport adapter in place of the network.
    :param connect_timeout: seconds to establish a connection.
    :param read_timeout: seconds for the whole answer. A login and a call that both hang
        must end within the 120 seconds that Odoo gives a request.
    :param pool_size: connections kept and used at a time.
    :param clock: seconds that never go back, for the age of the session.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        adapter: BaseAdapter | None = None,
        connect_timeout: float = 10.0,
        read_timeout: float = 45.0,
        pool_size: int = 96,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._credentials = credentials
        self._sessions = SessionKeeper(self._request_session, clock)
        self._transport = Transport(
            credentials.url,
            adapter=adapter,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            pool_size=pool_size,
            proxy=credentials.proxy,
            is_public=credentials.is_public,
        )

    def close(self):
        """Close the idle connections; the client stays usable."""
        self._transport.close()

    # --- account ---

    def login(self) -> str:
        """Log in anew and return the session id (good for 120 minutes). The other
        methods log in by themselves."""
        return self._sessions.renew()

    def log_in_once(self) -> str:
        """Return the session id in use; log in if it is missing or too old."""
        return self._sessions.get()

    def balance(self) -> Decimal:
        """What is left on the account, in its currency (overdraft included)."""
        return self._call("read", "User/Balance", [], answers.decimal)

    # --- sending ---

    def send(
        self,
        source: str,
        destination: str,
        text: str,
        *,
        send_date: datetime | None = None,
        by_time_zone: bool = False,
        validity: int | None = None,
    ) -> list[str]:
        """Send one message.

        :param source: sender name, approved by the provider.
        :param destination: number with country code, a leading "+" allowed.
        :param send_date: not before this moment, naive UTC.
        :param by_time_zone: ``send_date`` is in the recipient's local time.
        :param validity: life of the message in minutes.
        :return: the ids of its segments, in order.
        """
        path = "Sms/SendByTimeZone" if by_time_zone else "Sms/Send"
        pairs = [("DestinationAddress", _on_the_wire(destination))]
        pairs += _content(source, text, send_date, validity)
        return self._call("send", path, pairs, answers.message_ids)

    def send_bulk(
        self,
        source: str,
        destinations: Sequence[str],
        text: str,
        *,
        send_date: datetime | None = None,
        by_time_zone: bool = False,
        validity: int | None = None,
    ) -> dict[str, list[str]]:
        """Send one text to many numbers; all are accepted or none (documented).

        :param destinations: 1 to 2999 distinct numbers.
        :return: ids of the segments by number, the numbers as they were given.
        :raises OutcomeUnknownError: also when the ids cannot be shared evenly.
        :raises ValueError: too many numbers, none, or one twice; nothing was sent.
        """
        numbers = list(destinations)
        wire = [_on_the_wire(number) for number in numbers]
        if not 1 <= len(wire) <= MAX_BULK_NUMBERS:
            raise ValueError(f"1 to {MAX_BULK_NUMBERS} numbers, not {len(wire)}")
        if len(set(wire)) != len(wire):
            raise ValueError("the numbers must be distinct")
        path = "Sms/SendByTimeZoneToAddresses" if by_time_zone else "Sms/SendBulk"
        pairs = [("DestinationAddresses", number) for number in wire]
        pairs += _content(source, text, send_date, validity)
        parse = functools.partial(answers.ids_by_number, numbers=numbers)
        return self._call("send", path, pairs, parse)

    # --- reading ---

    def state(self, message_id: str) -> MessageState:
        """State of one segment. The provider remembers it for 48 hours; state 255
        means not stored yet, or forgotten (documented)."""
        pairs = [("MessageId", message_id)]
        return self._call("read", "Sms/State", pairs, answers.message_state)

    def incoming(self, min_date: datetime, max_date: datetime) -> list[IncomingMessage]:
        """Messages received between two moments in naive UTC, ``min_date`` at most a
        year ago (documented)."""
        period = [("minDateUTC", _moment(min_date)), ("maxDateUTC", _moment(max_date))]
        return self._call("read", "Sms/In", period, answers.incoming)

    def statistics(self, start: datetime, end: datetime) -> Statistics:
        """Counters over at most 90 days (documented). The provider's sources contradict
        each other about whether the naive moments are UTC or local time."""
        period = [("startDateTime", _moment(start)), ("endDateTime", _moment(end))]
        return self._call("read", "Sms/Statistics", period, answers.statistics)

    # --- the way there ---

    def _request_session(self) -> str:
        pairs = [
            ("Login", self._credentials.login),
            ("Password", self._credentials.password),
        ]
        return self._post("login", "User/SessionId", pairs, answers.session_id)

    def _call(
        self, kind: CallKind, path: str, pairs: Pairs, parse: Callable[[object], Value]
    ) -> Value:
        session = self._sessions.get()
        try:
            return self._post(kind, path, pairs, parse, session)
        except GatewayError as err:
            if not session_refused(err):
                raise
        # The session is checked before anything is accepted (documented).
        session = self._sessions.replace(session)
        return self._post(kind, path, pairs, parse, session)

    def _post(self, kind, path, pairs, parse, session=""):
        if session:
            pairs = [("SessionId", session), *pairs]
        started, outcome = time.monotonic(), "OK"
        try:
            return self._exchange(kind, path, pairs, parse, session)
        except GatewayError as err:
            outcome = str(err)
            raise
        finally:
            milliseconds = (time.monotonic() - started) * 1000
            _logger.debug("POST %s: %s, %.0f ms", path, outcome, milliseconds)

    def _exchange(self, kind, path, pairs, parse, session):
        came = self._transport.post(path, pairs)
        secrets = (self._credentials.login, self._credentials.password, session)
        error = classify(
            kind=kind,
            exception=came.exception,
            is_sent=came.is_sent,
            http_status=came.http_status,
            body=came.body,
            retry_after=came.retry_after,
            secrets=secrets,
        )
        if error:
            raise error from came.exception
        try:
            return parse(answers.load(came.body))
        except ValueError as err:
            raise unusable(kind, came.body, str(err), secrets) from err


def _content(
    source: str, text: str, send_date: datetime | None, validity: int | None
) -> Pairs:
    pairs = [("SourceAddress", source), ("Data", text)]
    if send_date is not None:
        pairs.append(("SendDate", _moment(send_date)))
    if validity is not None:
        pairs.append(("Validity", str(validity)))
    return pairs


def _on_the_wire(number: str) -> str:
    return number.removeprefix("+")


def _moment(moment: datetime) -> str:
    if moment.tzinfo is not None:
        raise ValueError("the provider takes moments without a time zone")
    return moment.isoformat(timespec="seconds")
