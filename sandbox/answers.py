"""What the provider answers, before it is put on a wire."""

from dataclasses import dataclass, field

from .wire import encode

JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """An answer and what the transport does to the connection meanwhile.

    ``connection``: "" | "refuse" | "connect_timeout" | "drop" (closed without a byte
    of an answer). ``delay``: seconds before the answer. ``drip``: seconds over which
    the body is spread. ``declared``: Content-Length when it is not the true one; the
    connection is closed after such an answer.
    """

    status: int
    body: str
    content_type: str = JSON_TYPE
    headers: dict = field(default_factory=dict)
    connection: str = ""
    delay: float = 0.0
    drip: float = 0.0
    declared: int = None

    def all_headers(self):
        """The headers to send, Content-Length included.

        No WWW-Authenticate ever: an official client would ask its user (inference).

        :rtype: dict[str, str]
        """
        length = len(self.body.encode()) if self.declared is None else self.declared
        return {
            "Cache-Control": "private",
            "Content-Type": self.content_type,
            "Content-Length": str(length),
            **self.headers,
        }


class Refusal(Exception):
    """The provider refuses: HTTP status, Code and Desc (documented table).

    :param int status:
    :param int code: 1 to 9
    :param str desc:
    """

    def __init__(self, status, code, desc):
        super().__init__(desc)
        self.answer = error(status, code, desc)


def success(value):
    """200 with ``value`` as JSON."""
    return Answer(200, encode(value))


def error(status, code, desc):
    """``{"Code":…,"Desc":"…"}``; 1C looks for the literal ``{"Code":``."""
    return Answer(status, encode({"Code": code, "Desc": desc}))


def html(status, title):
    """A page as web servers and proxies write it."""
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body>"
    return Answer(status, page + "</html>", HTML_TYPE)
