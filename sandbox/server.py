"""The provider over HTTP."""

import socket
import struct
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from .control import PREFIX, control
from .faults import REFUSALS, seconds_of
from .rules import Provider, find_endpoint
from .wire import parse_pairs

_DRIP_PARTS = 10
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class SandboxServer:
    """An HTTP/1.1 server with kept-alive connections around a Provider.

    Usable as a context manager.

    :param Provider provider: default a new one
    :param str host:
    :param int port: 0 = any free one
    :param float idle_timeout: seconds after which an idle connection is closed
    """

    def __init__(self, provider=None, *, host="127.0.0.1", port=0, idle_timeout=60.0):
        self.provider = provider or Provider()
        self.requests = Counter()
        self._http = _HttpServer((host, port), self, idle_timeout)
        self._thread = None

    @property
    def url(self):
        """The base URL, "http://127.0.0.1:PORT/rest"."""
        host, port = self._http.server_address[:2]
        return f"http://{host}:{port}/rest"

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


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address, sandbox, idle_timeout):
        self.sandbox = sandbox
        self.idle_timeout = idle_timeout
        self.stopping = threading.Event()
        self.guard = threading.Condition()
        self._open = set()
        super().__init__(address, _Handler)

    def server_bind(self):
        # HTTPServer would look up the host's name, which may take seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

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
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue
            self.guard.wait_for(lambda: not self._open, timeout=2.0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self):
        self.timeout = self.server.idle_timeout
        super().setup()

    def do_GET(self):
        target = urlsplit(self.path)
        if target.path.lower().startswith(PREFIX):
            provider = self.server.sandbox.provider
            body = self._read_body()
            self._put(control(provider, self.command, target.path, body))
        else:
            self._serve(target)

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

    def handle_expect_100(self):
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def _serve(self, target):
        provider = self.server.sandbox.provider
        self._count(target.path)
        faults = provider.befall(target.path)
        if any(fault.kind in REFUSALS for fault in faults):
            # Nothing more is read: the nearest to a port that nobody listens on.
            self._break("refuse")
            return
        pairs = parse_pairs(
            target.query, self.headers.get("Content-Type", ""), self._read_body()
        )
        self.server.stopping.wait(seconds_of(faults, "hold"))
        client_ip = self.client_address[0]
        self._put(
            provider.handle(self.command, target.path, pairs, client_ip, faults=faults)
        )

    def _count(self, path):
        endpoint, _v2 = find_endpoint(path)
        with self.server.guard:
            self.server.sandbox.requests[endpoint.name if endpoint else path] += 1

    def _read_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(iter(self._read_chunk, b""))
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _read_chunk(self):
        size = int(self.rfile.readline().split(b";")[0], 16)
        chunk = self.rfile.read(size)
        self.rfile.readline()
        return chunk

    def _put(self, answer):
        if answer.delay:
            self.server.stopping.wait(answer.delay)
        if answer.connection:
            self._break(answer.connection)
            return
        self.send_response(answer.status)
        for name, value in answer.all_headers().items():
            self.send_header(name, value)
        if answer.declared is not None:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self._put_body(answer.body.encode(), answer.drip)

    def _put_body(self, body, drip):
        if not drip:
            self.wfile.write(body)
            return
        size = max(len(body) // _DRIP_PARTS, 1)
        pause = drip * size / max(len(body), 1)
        for start in range(0, len(body), size):
            self.wfile.flush()
            self.server.stopping.wait(pause)
            self.wfile.write(body[start : start + size])

    def _break(self, how):
        self.close_connection = True
        if how != "drop":
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE
            )
            # Now, before the server says good-bye properly.
            self.connection.close()

    def version_string(self):
        return "Sandbox"

    def log_message(self, *args):
        """Numbers and texts stay out of the log."""
