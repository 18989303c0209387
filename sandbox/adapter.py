"""The provider inside the process, for an account in test mode."""

import io
import time
from decimal import Decimal
from http.client import RemoteDisconnected
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from .faults import seconds_of
from .rules import Provider
from .stateless import StatelessStore
from .switches import Switches
from .wire import parse_pairs

_DRIP_PARTS = 10


class SandboxAdapter(BaseAdapter):
    """A transport for ``requests`` that answers by the rules without any network.

    An id carries all that is to be known of its message, so that another process, or
    the same after a restart, can tell its state. Every login will do but one with
    "wrong" in it or in its password; the balance is the same for ever.

    :param Provider provider: another than the one described above
    :param clock: callable giving seconds since 1970
    :param float speed: the mobile network is so many times quicker
    :param Switches switches: answers to what is uncertain
    :param Decimal balance: what every account has
    :param sleep: callable that waits the given seconds
    """

    def __init__(
        self,
        *,
        provider=None,
        clock=time.time,
        speed=1.0,
        switches=Switches(),  # noqa: B008  frozen
        balance=Decimal("1000"),
        sleep=time.sleep,
    ):
        super().__init__()
        self.provider = provider or Provider(
            clock=clock,
            speed=speed,
            switches=switches,
            store=StatelessStore(balance),
            ledger_limit=10_000,
        )
        self._sleep = sleep
        self._builder = HTTPAdapter()

    def send(
        self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None
    ):
        """Answer a prepared request.

        :param requests.PreparedRequest request:
        :param timeout: seconds, or a pair (connect, read), or None
        :rtype: requests.Response
        :raise requests.RequestException: that of a real connection in the same trouble
        """
        target = urlsplit(request.url)
        content_type = request.headers.get("Content-Type", "")
        pairs = parse_pairs(target.query, content_type, _body_of(request))
        read_timeout = timeout[1] if isinstance(timeout, tuple) else timeout
        faults = self.provider.befall(target.path)
        self._wait(seconds_of(faults, "hold"), read_timeout, request)
        answer = self.provider.handle(request.method, target.path, pairs, faults=faults)
        self._wait(answer.delay, read_timeout, request)
        if answer.connection:
            raise _broken(answer.connection, request)
        return self._response(request, answer, read_timeout)

    def close(self):
        """Nothing is open."""

    def _wait(self, delay, read_timeout, request):
        if read_timeout is not None and delay > read_timeout:
            self._sleep(read_timeout)
            raise requests.ReadTimeout("Read timed out.", request=request)
        if delay:
            self._sleep(delay)

    def _response(self, request, answer, read_timeout):
        body = answer.body.encode()
        raw = HTTPResponse(
            body=_Drip(body, answer.drip, read_timeout, self._sleep),
            headers=answer.all_headers(),
            status=answer.status,
            preload_content=False,
            enforce_content_length=True,
            request_method=request.method,
        )
        return self._builder.build_response(request, raw)


class _Drip(io.BytesIO):
    """A body that takes ``seconds`` to arrive, in parts."""

    def __init__(self, body, seconds, read_timeout, sleep):
        super().__init__(body)
        self._pause = seconds / _DRIP_PARTS
        self._part = max(-(-len(body) // _DRIP_PARTS), 1) if seconds else None
        self._read_timeout = read_timeout
        self._sleep = sleep

    def read(self, size=-1):
        if self._part is None:
            return super().read(size)
        parts = []
        while size is None or size < 0 or sum(map(len, parts)) < size:
            part = self._next_part()
            if not part:
                break
            parts.append(part)
        return b"".join(parts)

    def _next_part(self):
        if self.tell() == len(self.getbuffer()):
            return b""
        if self._read_timeout is not None and self._pause > self._read_timeout:
            self._sleep(self._read_timeout)
            raise TimeoutError("timed out")
        self._sleep(self._pause)
        return super().read(self._part)


def _body_of(request):
    body = request.body or b""
    if isinstance(body, str):
        return body.encode()
    return body if isinstance(body, bytes) else b"".join(body)


def _broken(connection, request):
    """The exception ``requests`` raises for a connection broken in this way."""
    if connection == "connect_timeout":
        return requests.ConnectTimeout("Connection timed out.", request=request)
    if connection == "refuse":
        why = NewConnectionError(None, "Connection refused")
        return requests.ConnectionError(
            MaxRetryError(None, request.url, why), request=request
        )
    gone = RemoteDisconnected("Remote end closed connection without response")
    return requests.ConnectionError(
        ProtocolError("Connection aborted.", gone), request=request
    )
