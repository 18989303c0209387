"""The provider over HTTP."""

import contextlib
import socket
import struct
import threading
import time
from dataclasses import replace
from socketserver import StreamRequestHandler, ThreadingTCPServer
from ssl import SSLError

from . import http11
from .answers import Answer, html
from .control import PREFIX, control
from .faults import REFUSALS, seconds_of
from .log import RequestLog
from .rules import Provider, find_endpoint
from .wire import parse_pairs

#: Why an answer is a refusal; see ``Answer.reason``.
REASON_HEADER = "X-Sandbox-Reason"
_DRIP_PARTS = 10
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class SandboxServer:
    """An HTTP/1.1 server with kept-alive connections around a Provider.

    Usable as a context manager.

    :param Provider provider: default a new one
    :param str host:
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
        """How often each call was made.

        :rtype: Counter
        """
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
        """A client that goes away is no news."""

    def close_connections(self):
        self.stopping.set()
        with self.guard:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self.guard.wait_for(lambda: not self._open, timeout=2.0)


class _Connection(StreamRequestHandler):
    """One connection, in a thread of its own."""

    disable_nagle_algorithm = True
    rbufsize = 65536

    def setup(self):
        self.timeout = self.server.idle_timeout
        self.sandbox = self.server.sandbox
        super().setup()

    def handle(self):
        if self.sandbox.tls and not self._shake_hands():
            return
        self.open = True
        while self.open:
            try:
                self._handle_one()
            except http11.Malformed as why:
                self.open = False
                self._refuse_malformed(str(why))

    def finish(self):
        with contextlib.suppress(OSError):
            super().finish()

    def _shake_hands(self):
        try:
            self.connection.do_handshake()
        except SSLError as why:
            answer = Answer(0, "", connection="drop", reason=f"no TLS: {why}")
            self._log(None, [], answer, time.time())
            return False
        return True

    def _handle_one(self):
        head = http11.read_head(self.rfile)
        if head is None:
            self.open = False
            return
        self.open = head.keep_alive
        if head.path == "/":
            http11.read_body(head, self.rfile, self.connection)
            self._put(Answer(302, "", headers={"Location": f"{PREFIX}/"}), head.method)
        elif head.path.lower().startswith(PREFIX):
            body = http11.read_body(head, self.rfile, self.connection)
            answer = control(self.sandbox, head.method, head.path, body)
            self._put(answer, head.method)
        else:
            self._serve(head)

    def _serve(self, head):
        started = time.time()
        provider = self.sandbox.provider
        endpoint, _v2 = find_endpoint(head.path)
        self.sandbox.log.count(endpoint.name if endpoint else head.path)
        faults = provider.befall(head.path)
        refusal = next((one for one in faults if one.kind in REFUSALS), None)
        if refusal:
            # Nothing more is read: the nearest to a port that nobody listens on.
            answer = refusal.instead()
            self._log(head, [], answer, started)
            self._put(answer)
            return
        body = http11.read_body(head, self.rfile, self.connection)
        pairs = parse_pairs(head.query, head.headers.get("content-type", ""), body)
        if faults:
            self.server.stopping.wait(seconds_of(faults, "hold"))
        answer = provider.handle(
            head.method, head.path, pairs, self.client_address[0], faults=faults
        )
        # Before the answer: whoever has it finds the request in the log.
        self._log(head, pairs, answer, started)
        self._put(answer, head.method)

    def _refuse_malformed(self, reason):
        answer = replace(html(400, "Bad Request"), reason=reason)
        self._log(None, [], answer, time.time())
        self._put(answer)

    def _log(self, head, pairs, answer, started):
        endpoint, v2 = find_endpoint(head.path) if head else (None, False)
        method, path = (head.method, head.path) if head else ("", "")
        call = endpoint.name if endpoint else path
        client = self.client_address[0]
        self.sandbox.log.add(client, method, call, v2, pairs, answer, started)

    def _put(self, answer, method=""):
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
        if answer.declared is not None:
            self.open = False
        if not self.open:
            headers["Connection"] = "close"
        body = b"" if method == "HEAD" else answer.body.encode()
        data = http11.head_of(answer.status, headers)
        if answer.drip:
            self.connection.sendall(data)
            self._put_slowly(body, answer.drip)
        else:
            self.connection.sendall(data + body)

    def _put_slowly(self, body, seconds):
        size = max(len(body) // _DRIP_PARTS, 1)
        pause = seconds * size / max(len(body), 1)
        for start in range(0, len(body), size):
            self.server.stopping.wait(pause)
            self.connection.sendall(body[start : start + size])

    def _break(self, how):
        self.open = False
        if how != "drop":
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE
            )
            # Now, before the server says good-bye properly.
            self.connection.close()
