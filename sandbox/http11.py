"""HTTP/1.1 as a server speaks it: read a request, write an answer.

Python's own ``http.server`` takes several times as long for a request as the rules do.
"""

from dataclasses import dataclass
from http import HTTPStatus

_LONGEST_LINE = 65536
_MOST_HEADERS = 200
_LARGEST_BODY = 64 * 2**20
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Malformed(Exception):
    """What came is no request.

    :param str reason:
    """


@dataclass(frozen=True)
class Head:
    """What stands before the body; names of ``headers`` are in lower case."""

    method: str
    target: str
    headers: dict
    keep_alive: bool

    @property
    def path(self):
        """The path without the query."""
        return self.target.partition("?")[0]

    @property
    def query(self):
        """The query without "?"."""
        return self.target.partition("?")[2].partition("#")[0]


def read_head(reader):
    """The Head of the next request, or None at the end of the connection.

    :param reader: a binary file
    :raise Malformed: when it is none
    """
    line = _read_line(reader)
    if line in ("\r\n", "\n"):  # left over from the body before (RFC 9112, 2.2)
        line = _read_line(reader)
    if not line:
        return None
    words = line.split()
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise Malformed("the first line is not like: POST /rest/Sms/Send HTTP/1.1")
    method, target, version = words
    headers = _read_headers(reader)
    wish = headers.get("connection", "").lower()
    keep_alive = "close" not in wish and (version != "HTTP/1.0" or "keep-alive" in wish)
    if "://" in target[:8]:  # as clients write to a proxy
        target = "/" + target.split("/", 3)[-1]
    return Head(method, target, headers, keep_alive)


def _read_line(reader):
    line = reader.readline(_LONGEST_LINE + 1)
    if len(line) > _LONGEST_LINE:
        raise Malformed("a line of the head is too long")
    return line.decode("latin-1")


def _read_headers(reader):
    headers = {}
    while len(headers) < _MOST_HEADERS:
        line = _read_line(reader)
        if line in ("\r\n", "\n", ""):
            return headers
        name, colon, value = line.partition(":")
        if not colon:
            raise Malformed(f"no colon in the header {name.strip()[:50]!r}")
        headers[name.strip().lower()] = value.strip()
    raise Malformed("too many headers")


def read_body(head, reader, connection):
    """The body of a request.

    :param Head head:
    :param reader: a binary file
    :param connection: a socket, for clients that wait for "100 Continue"
    :rtype: bytes
    :raise Malformed: when its length is not told properly
    """
    if head.headers.get("expect", "").lower() == "100-continue":
        connection.sendall(_CONTINUE)
    if "chunked" in head.headers.get("transfer-encoding", "").lower():
        return b"".join(iter(lambda: _read_chunk(reader), b""))
    length = head.headers.get("content-length") or "0"
    if not (length.isascii() and length.isdigit()) or int(length) > _LARGEST_BODY:
        raise Malformed("Content-Length is no length, or too great")
    return reader.read(int(length))


def _read_chunk(reader):
    text = _read_line(reader).partition(";")[0].strip()
    try:
        size = int(text, 16)
    except ValueError:
        raise Malformed(f"{text[:20]!r} is no size of a chunk") from None
    if not 0 <= size <= _LARGEST_BODY:
        raise Malformed("a chunk is too great")
    chunk = reader.read(size)
    while _read_line(reader) not in ("\r\n", "\n", "") and not size:
        """Trailers are of no use here."""
    return chunk


def head_of(status, headers):
    """Status line and headers as bytes.

    :param int status:
    :param dict[str, str] headers:
    """
    lines = [f"HTTP/1.1 {status} {_PHRASES.get(status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
