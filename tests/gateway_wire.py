"""A server that puts exact bytes on the wire: what the sandbox is too polite for."""

import contextlib
import socket
import threading
from dataclasses import dataclass
from urllib.parse import parse_qsl

SESSION = "C619DF83829F4C3094CB54F4D62878786B5B"


@dataclass(frozen=True)
class Request:
    """One request as it came; ``connection`` counts the connections from 1."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def pairs(self):
        return parse_qsl(self.body.decode(), keep_blank_values=True)


def http(status, body=b"", **headers):
    """The bytes of an answer of known length."""
    headers.setdefault("Content_Length", len(body))
    lines = [f"HTTP/1.1 {status} Status"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class WireServer:
    """Answers a login properly and every other request by ``reply``.

    :param reply: callable (socket, Request) that writes to the socket; the connection
        is closed after it if it returns True.
    :param context: an ssl.SSLContext to speak TLS.
    """

    def __init__(self, reply, context=None):
        self.requests = []
        self._reply = reply
        self._context = context
        self._connections = 0
        self._open = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.port}/rest"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc_info):
        # shutdown() wakes the accepting thread, close() alone does not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _address = self._listener.accept()
                self._open.append(connection)
                self._connections += 1
                threading.Thread(
                    target=self._serve,
                    args=(connection, self._connections),
                    daemon=True,
                ).start()

    def _serve(self, connection, number):
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(connection.close)
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
                stack.callback(connection.close)
            stream = stack.enter_context(connection.makefile("rb"))
            while request := _read_request(stream, number):
                self.requests.append(request)
                if "/User/SessionId" in request.line:
                    connection.sendall(http(200, f'"{SESSION}"'.encode()))
                elif self._reply(connection, request):
                    return


def _read_request(stream, number):
    line = stream.readline().decode("latin-1").strip()
    if not line:
        return None
    headers = {}
    while header := stream.readline().decode("latin-1").strip():
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Request(line, headers, body, number)
