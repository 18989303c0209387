"""One POST over kept-alive connections: bytes out, whatever came back in.

What `requests` leaves open matters here, because a sending must be told apart by
whether it may have reached the provider:

- a connection kept for long is not used again, so that a server closing it at that
  very moment does not turn a sending into one with an unknown outcome;
- all that fails before a connection stands (TLS and proxy handshakes included) is
  reported as such, and not as a read timeout or an aborted connection;
- ``read_timeout`` bounds the whole answer, not each single byte of it.
"""

import contextlib
import functools
import http.client
import io
import re
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlencode

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

# Well below the idle time after which usual servers close (IIS 120 s, nginx 75 s, and
# 5 s for the shortest defaults).
MAX_IDLE_SECONDS = 4.0
MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_RETRY_AFTER = 24 * 3600.0
_CHUNK_BYTES = 64 * 1024
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": "sms_devino",
}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class AnswerTooLong(Exception):
    """The body went beyond ``MAX_BODY_BYTES``."""


@dataclass(frozen=True)
class Exchange:
    """What came of one request.

    :param http_status: ``None`` when no answer began.
    :param body: the answer, or the part of it that came.
    :param retry_after: seconds, from the ``Retry-After`` header.
    :param exception: why there is no (complete) answer.
    """

    http_status: int | None = None
    body: str = ""
    retry_after: float | None = None
    exception: Exception | None = None


class Transport:
    """Posts forms below one base URL; may be shared by threads.

    :param adapter: takes the place of the network (a `requests` transport adapter).
    :param connect_timeout: seconds for one address to accept the connection.
    :param read_timeout: seconds from the request being written to the answer's end.
    :param pool_size: connections at most; more callers than that wait.
    """

    def __init__(
        self,
        url: str,
        *,
        adapter: BaseAdapter | None,
        connect_timeout: float,
        read_timeout: float,
        pool_size: int,
    ):
        self._url = url.strip().rstrip("/?")
        self._read_timeout = read_timeout
        self._session = _Session()
        self._session.headers.update(_HEADERS)
        # A cookie would tie the calls of all threads to one session of the web server.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = adapter or _Adapter(connect_timeout, read_timeout, pool_size)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def post(self, path: str, pairs: Iterable[tuple[str, str]]) -> Exchange:
        """Post ``pairs`` as a UTF-8 form (a key may repeat). Raises nothing for
        trouble on the way: it is in the result."""
        try:
            response = self._session.post(
                f"{self._url}/{path}",
                data=urlencode(list(pairs)).encode("ascii"),
                headers=_FORM,
                # One number only: the adapter knows both timeouts.
                timeout=self._read_timeout,
                allow_redirects=False,
                stream=True,
            )
        except (OSError, HTTPError, http.client.HTTPException, ValueError) as err:
            return Exchange(exception=err)
        with contextlib.closing(response):
            return _read_answer(response)

    def close(self):
        """Close the idle connections. A later call opens new ones."""
        self._session.close()


class _Session(requests.Session):
    def get_redirect_target(self, resp):
        """No redirect exists: `requests` would read its body whole, however long, and
        prepare the next request even when told not to follow."""
        return None


def _read_answer(response: requests.Response) -> Exchange:
    body, failure = bytearray(), None
    # Else urllib3 throws away what came of an answer that is too short.
    response.raw.enforce_content_length = False
    try:
        for chunk in response.iter_content(_CHUNK_BYTES):
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise AnswerTooLong
        if response.raw.length_remaining:
            raise http.client.IncompleteRead(b"", response.raw.length_remaining)
    except (AnswerTooLong, OSError, HTTPError, http.client.HTTPException) as err:
        failure = err
    if failure is None and response.status_code == 200:
        try:
            body.decode("utf-8-sig")
        except UnicodeDecodeError as err:
            failure = err
    return Exchange(
        http_status=response.status_code,
        body=body.decode("utf-8-sig", "replace"),
        retry_after=retry_after(response.headers.get("Retry-After"), time.time()),
        exception=failure,
    )


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds from the header ``Retry-After`` (a number, or a date measured from
    ``now``, seconds since 1970), within a day; ``None`` if absent or unreadable."""
    value = (value or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        seconds = float(value)
    else:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - now
        except (TypeError, ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)


# --- the network ----------------------------------------------------------------------


class _AnswerReader(io.RawIOBase):
    """Reads a socket until a deadline: its timeout, counted from now, once for all."""

    def __init__(self, sock: socket.socket):
        super().__init__()
        self._socket = sock
        self._stream = sock.makefile("rb", buffering=0)
        self._seconds = sock.gettimeout()
        self._deadline = time.monotonic() + self._seconds

    def readable(self):
        return True

    def readinto(self, buffer):
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer takes too long")
        self._socket.settimeout(left)
        count = self._stream.readinto(buffer)
        self._socket.settimeout(self._seconds)
        return count

    # not a model: no method of the ORM is overridden
    # pylint: disable-next=missing-return
    def close(self):
        self._stream.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer that must be complete within the timeout set on its socket."""

    def __init__(self, sock, *args, **kwargs):
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_AnswerReader(sock))


class _PlainConnection(HTTPConnection):
    response_class = _Answer


class _TlsConnection(HTTPSConnection):
    response_class = _Answer


class _FreshConnections:
    """A pool that gives out no connection idle for more than MAX_IDLE_SECONDS. (That a
    connection was closed meanwhile urllib3 sees by itself.)"""

    # not a model: no method of the ORM is overridden
    # pylint: disable-next=missing-return
    def _put_conn(self, conn):
        if conn is not None:
            conn.idle_since = time.monotonic()
        super()._put_conn(conn)

    def _get_conn(self, timeout=None):
        conn = super()._get_conn(timeout)
        idle_since = getattr(conn, "idle_since", None)
        if idle_since is None or time.monotonic() - idle_since <= MAX_IDLE_SECONDS:
            return conn
        conn.close()
        return self._new_conn()


def _connecting(method):
    """Let what goes wrong in ``method(pool, conn)`` count as a failure to connect."""

    @functools.wraps(method)
    def wrapper(pool, conn):
        try:
            return method(pool, conn)
        except ConnectTimeoutError:
            raise
        except (OSError, HTTPError, http.client.HTTPException, ValueError) as err:
            conn.close()
            raise NewConnectionError(conn, f"{type(err).__name__}: {err}") from err

    return wrapper


class _PlainPool(_FreshConnections, HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(_FreshConnections, HTTPSConnectionPool):
    ConnectionCls = _TlsConnection
    # Connect, handshake and check of the certificate; the tunnel through a proxy.
    _validate_conn = _connecting(HTTPSConnectionPool._validate_conn)
    _prepare_proxy = _connecting(HTTPSConnectionPool._prepare_proxy)


_POOLS = {"http": _PlainPool, "https": _TlsPool}


class _Adapter(HTTPAdapter):
    def __init__(self, connect_timeout: float, read_timeout: float, pool_size: int):
        self._timeouts = (connect_timeout, read_timeout)
        super().__init__(
            pool_connections=1,
            pool_maxsize=pool_size,
            max_retries=0,
            pool_block=True,
        )

    # not a model: no method of the ORM is overridden
    # pylint: disable-next=missing-return
    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy, **proxy_kwargs):
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(self, request, **kwargs):
        kwargs["timeout"] = self._timeouts
        return super().send(request, **kwargs)
