"""One POST over kept-alive connections: bytes out, bytes in.

What `requests` leaves open matters here, because a sending must be told apart by
whether it may have reached the provider:

- connections idle for long are not used again, so that a server closing one at that
  very moment does not turn a sending into one with an unknown outcome;
- a request did not leave unless its body has begun to be written, whatever the
  exception is (TLS and proxy handshakes included);
- ``read_timeout`` bounds the whole answer, not each single byte of it.
"""

import contextlib
import http.client
import io
import ipaddress
import os
import re
import socket
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlencode

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

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

#: Called when a request begins to be written; a thread sets it for the calls it makes.
on_leaving: ContextVar[Callable[[], None]] = ContextVar(
    "on_leaving", default=lambda: None
)


class AnswerTooLong(Exception):
    """The body went beyond ``MAX_BODY_BYTES``."""


@dataclass(frozen=True)
class Exchange:
    """The result of one request.

    :param http_status: ``None`` when no answer began.
    :param body: the answer, or the part of it that came.
    :param retry_after: seconds, from the ``Retry-After`` header.
    :param exception: why there is no (complete) answer.
    :param is_sent: ``False`` when the request surely did not leave.
    """

    http_status: int | None = None
    body: str = ""
    retry_after: float | None = None
    exception: Exception | None = None
    is_sent: bool = True


class _Body:
    """The body of a request, which knows whether anybody has begun to write it."""

    def __init__(self, content: bytes):
        self._content = content
        self.is_taken = False

    def __len__(self):
        return len(self._content)

    def __iter__(self):
        self.is_taken = True
        on_leaving.get()()
        yield self._content


class Transport:
    """Posts forms below one base URL; may be shared by threads.

    :param adapter: takes the place of the network (a `requests` transport adapter).
    :param connect_timeout: seconds for one address to accept the connection.
    :param read_timeout: seconds from the request being written to the answer's end.
    :param pool_size: connections at most; more callers than that wait.
    :param proxy: the URL of a proxy; those of the environment are not used.
    :param is_public: send only to addresses of the internet, whatever the server is
        called. A proxy resolves the name itself.
    """

    def __init__(
        self,
        url: str,
        *,
        adapter: BaseAdapter | None,
        connect_timeout: float,
        read_timeout: float,
        pool_size: int,
        proxy: str = "",
        is_public: bool = False,
    ):
        self._url = url.strip().rstrip("/?")
        self._read_timeout = read_timeout
        self._last_used = time.monotonic()
        self._session = requests.Session()
        self._session.headers.update(_HEADERS)
        # A cookie would tie the calls of all threads to one session of the web server.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # Neither a password in a .netrc file nor a proxy in the environment counts;
        # the certificates that a company trusts do.
        self._session.trust_env = False
        self._session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        self._session.proxies = {"all": proxy} if proxy else {}
        # No redirect exists: `requests` would read its body whole, however long, and
        # prepare the next request even when told not to follow.
        self._session.get_redirect_target = lambda response: None
        adapter = adapter or _Adapter(
            connect_timeout,
            read_timeout,
            pool_size,
            is_public=is_public and not proxy,
        )
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def post(self, path: str, pairs: Iterable[tuple[str, str]]) -> Exchange:
        """Post ``pairs`` as a UTF-8 form (a key may repeat). Raises nothing for
        trouble on the way: it is in the result."""
        self._close_if_idle()
        body = None
        try:
            body = _Body(urlencode(list(pairs)).encode("ascii"))
            response = self._session.post(
                f"{self._url}/{path}",
                data=body,
                headers=_FORM,
                # One number only: the adapter knows both timeouts.
                timeout=self._read_timeout,
                allow_redirects=False,
                stream=True,
            )
        except (OSError, HTTPError, http.client.HTTPException, ValueError) as err:
            is_sent = body is not None and body.is_taken
            return Exchange(exception=err, is_sent=is_sent)
        with contextlib.closing(response):
            return _read_answer(response)

    def _close_if_idle(self):
        """Begin with new connections after a while without any call."""
        last, self._last_used = self._last_used, time.monotonic()
        if self._last_used - last > MAX_IDLE_SECONDS:
            self.close()

    def close(self):
        """Close the idle connections. A later call opens new ones."""
        self._session.close()


def _read_answer(response: requests.Response) -> Exchange:
    body, failure = bytearray(), None
    # Else urllib3 throws away the part of a truncated answer that arrived.
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
        # PostgreSQL stores no NUL
        body=body.decode("utf-8-sig", "replace").replace("\0", "\ufffd"),
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

    def close(self):
        self._stream.close()
        return super().close()


class _Answer(http.client.HTTPResponse):
    """An answer that must be complete within the timeout set on its socket."""

    def __init__(self, sock, *args, **kwargs):
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_AnswerReader(sock))


def _only_public(connect):
    """Return a ``connect`` that refuses addresses outside the internet.

    The address that is judged is the one that the connection has: a name that leads
    elsewhere the next time makes no difference.
    """

    def connect_public():
        sock = connect()
        address = ipaddress.ip_address(sock.getpeername()[0].partition("%")[0])
        if not (getattr(address, "ipv4_mapped", None) or address).is_global:
            sock.close()
            raise OSError("the name of the server leads into a private network")
        return sock

    return connect_public


def _pool_of(pool_class, is_public):
    """Return a function that makes pools whose connections obey the read deadline."""

    def make_pool(*args, **kwargs):
        pool = pool_class(*args, **kwargs)
        connection_class = pool.ConnectionCls

        def make_connection(*args, **kwargs):
            connection = connection_class(*args, **kwargs)
            connection.response_class = _Answer
            if is_public:
                connection._new_conn = _only_public(connection._new_conn)
            return connection

        pool.ConnectionCls = make_connection
        return pool

    return make_pool


def _pools(is_public):
    classes = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}
    return {scheme: _pool_of(one, is_public) for scheme, one in classes.items()}


class _Adapter(HTTPAdapter):
    def __init__(self, connect_timeout, read_timeout, pool_size, *, is_public):
        self._timeouts = (connect_timeout, read_timeout)
        super().__init__(
            pool_connections=1,
            pool_maxsize=pool_size,
            max_retries=0,
            pool_block=True,
        )
        self.poolmanager.pool_classes_by_scheme = _pools(is_public)

    def proxy_manager_for(self, proxy, **proxy_kwargs):
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = _pools(is_public=False)
        return manager

    def send(self, request, **kwargs):
        kwargs["timeout"] = self._timeouts
        return super().send(request, **kwargs)
