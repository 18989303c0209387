"""The provider over HTTP."""

import contextlib
import socket
import struct
import threading
import time
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from ssl import SSLError

from .answers import Answer, html
from .control import PREFIX, control
from .faults import REFUSALS, seconds_of
from .log import RequestLog
from .rules import Provider, find_endpoint
from .wire import parse_pairs

#: Why an answer is a refusal; see ``Answer.reason``.
REASON_HEADER = "X-Sandbox-Reason"
_DRIP_PARTS = 10
_LONGEST_LINE = 65536
_LARGEST_BODY = 64 * 2**20
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class SandboxServer:
    """An HTTP/1.1 server with kept-alive connections around a Provider.

    Usable as a context manager.

    :param Provider provider: default a new one
    :param int port: 0 = any free one
    :param float idle_timeout: seconds after which an idle connection is closed
    :param ssl.SSLContext tls: serve https with it
    :param bool verbose: write a line to stderr for each request
    """

    def __init__(
        self,
        provider=None,
        *,
        host="127.0.0.1",
        port=0,
        idle_timeout=60.0,
        tls=None,
        verbose=False,
    ):
        self.provider = provider or Provider()
        self.log = RequestLog(verbose)
        self.tls = tls
        self._http = _HttpServer((host, port), self, idle_timeout)
        self._thread = None

    @property
    def requests(self):
        """How often each call was made."""
        return self.log.counts

    @property
    def url(self):
        """The base URL, "http://127.0.0.1:PORT/rest"."""
        host, port = self._http.server_address[:2]
        return f"{'https' if self.tls else 'http'}://{host}:{port}/rest"

    def start(self):
        """Serve in a thread of its own.

        :return: itself
        """
        self._thread = threading.Thread(
            target=self._http.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="sandbox",
            daemon=True,
        )
        self._thread.start()
        return self

    def stop(self):
        """Close the port and every connection."""
        if self._thread:
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()
        self._http.close_connections()

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc_info):
        self.stop()


class _HttpServer(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address, sandbox, idle_timeout):
        self.sandbox = sandbox
        self.idle_timeout = idle_timeout
        self.stopping = threading.Event()
        self.guard = threading.Condition()
        self._open = set()
        super().__init__(address, _Connection)

    def get_request(self):
        connection, address = super().get_request()
        if self.sandbox.tls:
            # The handshake belongs to the connection's own thread.
            connection = self.sandbox.tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    def process_request(self, request, client_address):
        with self.guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        super().shutdown_request(request)
        with self.guard:
            self._open.discard(request)
            self.guard.notify_all()

    def handle_error(self, request, client_address):
        """Ignore clients that go away."""

    def close_connections(self):
        self.stopping.set()
        with self.guard:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self.guard.wait_for(lambda: not self._open, timeout=2.0)


class _Malformed(Exception):
    """Why what came is not a request."""


class _Connection(BaseHTTPRequestHandler):
    """One connection, in a thread of its own."""

    protocol_version = default_request_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # head and body leave together
    rbufsize = wbufsize = 65536

    def setup(self):
        self.timeout = self.server.idle_timeout
        self.sandbox = self.server.sandbox
        super().setup()

    def handle(self):
        if self.sandbox.tls and not self._shake_hands():
            return
        super().handle()

    def finish(self):
        with contextlib.suppress(OSError):
            super().finish()

    def _shake_hands(self):
        try:
            self.connection.do_handshake()
        except SSLError as why:
            answer = Answer(0, "", connection="drop", reason=f"no TLS: {why}")
            self.command = ""
            self._log("", [], answer, time.time())
            return False
        return True

    def handle_one_request(self):
        self.raw_requestline = self.rfile.readline(_LONGEST_LINE)
        if self.raw_requestline in (b"\r\n", b"\n"):
            # left over from the body before (RFC 9112, 2.2)
            self.raw_requestline = self.rfile.readline(_LONGEST_LINE)
        if not self.raw_requestline:
            self.close_connection = True
        elif self.parse_request():
            try:
                self._answer()
            except _Malformed as why:
                self.send_error(400, str(why))

    def send_error(self, code, message=None, explain=None):
        """Answer what is no request; the standard library calls it too."""
        self.close_connection = True
        answer = replace(html(code, HTTPStatus(code).phrase), reason=message or "")
        self._log("", [], answer, time.time())
        self._put(answer)

    def _answer(self):
        if "://" in self.path[:8]:  # as clients write to a proxy
            self.path = "/" + self.path.split("/", 3)[-1]
        path = self.path.partition("?")[0]
        if path == "/":
            self._read_body()
            self._put(Answer(302, "", headers={"Location": f"{PREFIX}/"}))
        elif path.lower().startswith(PREFIX):
            self._put(control(self.sandbox, self.command, path, self._read_body()))
        else:
            self._serve(path)

    def _serve(self, path):
        started = time.time()
        provider = self.sandbox.provider
        endpoint, _v2 = find_endpoint(path)
        self.sandbox.log.count(endpoint.name if endpoint else path)
        faults = provider.take_faults(path)
        refusal = next((one for one in faults if one.kind in REFUSALS), None)
        if refusal:
            # Nothing more is read: the nearest to a port that nobody listens on.
            answer = refusal.instead()
            self._log(path, [], answer, started)
            self._put(answer)
            return
        body = self._read_body()
        query = self.path.partition("?")[2].partition("#")[0]
        pairs = parse_pairs(query, self.headers.get("Content-Type", ""), body)
        if faults:
            self.server.stopping.wait(seconds_of(faults, "hold"))
        answer = provider.handle(
            self.command, path, pairs, self.client_address[0], faults=faults
        )
        # Before the answer, so that its reader finds the request in the log.
        self._log(path, pairs, answer, started)
        self._put(answer)

    def _read_body(self):
        """The body of the request.

        :raise _Malformed: when its length is not told properly
        """
        # the client may wait for "100 Continue"
        self.wfile.flush()
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(iter(self._read_chunk, b""))
        length = self.headers.get("Content-Length") or "0"
        if not (length.isascii() and length.isdigit()) or int(length) > _LARGEST_BODY:
            raise _Malformed("Content-Length is no length, or too great")
        return self.rfile.read(int(length))

    def _read_chunk(self):
        text = self.rfile.readline(_LONGEST_LINE).partition(b";")[0].strip()
        try:
            size = int(text, 16)
        except ValueError:
            raise _Malformed(f"{text[:20]!r} is no size of a chunk") from None
        if not 0 <= size <= _LARGEST_BODY:
            raise _Malformed("a chunk is too great")
        chunk = self.rfile.read(size)
        while self.rfile.readline(_LONGEST_LINE).strip() and not size:
            """Trailers are of no use here."""
        return chunk

    def _log(self, path, pairs, answer, started):
        endpoint, v2 = find_endpoint(path)
        call = endpoint.name if endpoint else path
        client, method = self.client_address[0], self.command or ""
        self.sandbox.log.add(client, method, call, v2, pairs, answer, started)

    def _put(self, answer):
        """Send an Answer, or break the connection."""
        if answer.delay:
            self.server.stopping.wait(answer.delay)
        if answer.connection:
            self._break(answer.connection)
            return
        headers = answer.all_headers()
        if answer.reason:
            # ascii() also escapes line breaks.
            headers[REASON_HEADER] = ascii(answer.reason)[1:-1]
        if self.close_connection or answer.declared is not None:
            headers["Connection"] = "close"
        self.send_response_only(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        body = b"" if self.command == "HEAD" else answer.body.encode()
        if answer.drip:
            self._put_slowly(body, answer.drip)
        else:
            self.wfile.write(body)
            self.wfile.flush()

    def _put_slowly(self, body, seconds):
        size = max(len(body) // _DRIP_PARTS, 1)
        self.wfile.flush()
        pause = seconds * size / max(len(body), 1)
        for start in range(0, len(body), size):
            self.server.stopping.wait(pause)
            self.wfile.write(body[start : start + size])
            self.wfile.flush()

    def _break(self, how):
        self.close_connection = True
        if how != "drop":
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE
            )
            # Now, before the server says good-bye properly.
            self.connection.close()
