"""What the provider answers, before it is put on a wire."""

from dataclasses import dataclass, field
from decimal import Decimal

from . import fates
from .wire import NEVER, encode, to_datetime

JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """An answer and what the transport does to the connection meanwhile.

    ``connection``: "" | "refuse" | "connect_timeout" | "drop" (closed without a byte
    of an answer). ``delay``: seconds before the answer. ``drip``: seconds over which
    the body is spread. ``declared``: Content-Length when it is not the true one; the
    connection is closed after such an answer. ``reason``: why it is a refusal, in plain
    words for the developer of a client; the provider has nothing like it.
    """

    status: int
    body: str
    content_type: str = JSON_TYPE
    headers: dict = field(default_factory=dict)
    connection: str = ""
    delay: float = 0.0
    drip: float = 0.0
    declared: int = None
    reason: str = ""

    def all_headers(self):
        """The headers to send, Content-Length included.

        No WWW-Authenticate ever: an official client would ask its user (inference).
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

    :param int code: 1 to 9
    :param str reason: why, more exactly
    """

    def __init__(self, status, code, desc, reason):
        super().__init__(desc)
        self.answer = error(status, code, desc, reason)


def success(value):
    """200 with ``value`` as JSON."""
    return Answer(200, encode(value))


def error(status, code, desc, reason=""):
    """``{"Code":…,"Desc":"…"}``; 1C looks for the literal ``{"Code":``."""
    return Answer(status, encode({"Code": code, "Desc": desc}), reason=reason)


def html(status, title):
    """A page as web servers and proxies write it."""
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body>"
    return Answer(status, page + "</html>", HTML_TYPE)


def state_object(progress, segment):
    """What Sms/State answers (documented, in this order).

    :param fates.Segment segment: None for an id that nobody knows
    """
    known = progress.state != fates.UNKNOWN
    description = fates.DESCRIPTIONS.get(progress.state, fates.UNKNOWN_DESCRIPTION)
    return {
        "State": progress.state,
        "CreationDateUtc": to_datetime(segment.accepted_at) if known else None,
        "SubmittedDateUtc": to_datetime(progress.submitted),
        "ReportedDateUtc": to_datetime(progress.reported),
        "TimeStampUtc": to_datetime(progress.changed) if known else NEVER,
        "StateDescription": description,
        "Price": None if progress.submitted is None else segment.price,
    }


def statistics_object(states):
    """What Sms/Statistics answers; in the sample TotalWithErrors = Total + Errors.

    :param Counter states: how many segments are in each state
    """
    counts = {
        "Sent": states[fates.SENT],
        "Delivered": states[fates.DELIVERED],
        "Errors": states[10] + states[11] + states[41] + states[1234],
        "InProcess": states[fates.QUEUED],
        "Expired": states[fates.EXPIRED],
        "Rejected": states[42] + states[47] + states[48] + states[69],
    }
    total = sum(counts.values()) - counts["Errors"]
    ratio = Decimal(100 * counts["Delivered"]) / total if total else Decimal(0)
    return {
        **counts,
        "Total": total,
        "TotalWithErrors": total + counts["Errors"],
        "DeliveryRatio": round(ratio, 2),
    }
