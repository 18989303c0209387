"""Test mode of an account: the provider is played inside the process.

Nothing leaves the machine. The ids of sessions and messages carry what a later call
must know, so that any process, also after a restart, tells the same states.
"""

import io
import re
import secrets
import time
from datetime import datetime, timezone
from decimal import Decimal
from urllib.parse import urlsplit

from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

from ..sandbox.fates import Segment
from ..sandbox.rules import Provider
from ..sandbox.store import Session
from ..sandbox.wire import parse_pairs

# TEST-20261124T180203123-67-1of2-1.5-d3600-v60-9f3c21ab: accepted at (UTC, with
# milliseconds), the last two digits of the number, segment, price, then if given the
# delay in seconds and the validity in minutes, and a random end.
_MESSAGE_ID = re.compile(
    r"TEST-(?P<accepted>\d{8}T\d{9})-(?P<ending>\d\d)-(?P<index>\d{1,3})of"
    r"(?P<total>\d{1,3})-(?P<price>\d{1,9}(\.\d{1,4})?)(-d(?P<delay>\d{1,9}))?"
    r"(-v(?P<validity>\d{1,9}))?-[0-9a-f]{8}",
    re.ASCII,
)
# TEST17000000009F3C21AB…: opened at (seconds since 1970) and a random end. Like the
# provider's: 36 letters and digits, as clients count them and logs mask them.
_SESSION_ID = re.compile(r"TEST(?P<opened>\d{10})[0-9A-F]{22}", re.ASCII)


class TestModeAdapter(BaseAdapter):
    """A `requests` transport adapter that answers as the provider would.

    Any login and password are accepted, unless one of them contains "wrong". What
    becomes of a message depends on its number: see the README of the sandbox.

    :param Decimal balance: of every account; sending does not lower it
    :param clock: callable giving seconds since 1970
    """

    def __init__(self, balance, clock=time.time):
        super().__init__()
        self._provider = Provider(
            clock=clock, store=StatelessStore(balance), ledger_limit=0
        )
        self._builder = HTTPAdapter()

    def send(self, request, **_options):
        """Answer a prepared request."""
        target = urlsplit(request.url)
        body = request.body or b""
        if not isinstance(body, str | bytes):
            body = b"".join(body)
        pairs = parse_pairs(
            target.query,
            request.headers.get("Content-Type", ""),
            body.encode() if isinstance(body, str) else body,
        )
        answer = self._provider.handle(request.method, target.path, pairs)
        raw = HTTPResponse(
            body=io.BytesIO(answer.body.encode()),
            headers=answer.all_headers(),
            status=answer.status,
            preload_content=False,
            request_method=request.method,
        )
        return self._builder.build_response(request, raw)

    def close(self):
        """Do nothing: no connection is open."""


class StatelessStore:
    """The part of the sandbox's ``Store`` that test mode needs, without a memory.

    :param Decimal balance: of every account
    """

    def __init__(self, balance):
        self._balance = balance

    def authenticate(self, login, password):
        """Whether the pair is accepted."""
        return "wrong" not in f"{login} {password}".lower()

    def balance(self, login):
        """The Decimal that every account has."""
        return self._balance

    def debit(self, login, amount):
        """Do nothing: another process would not know of it."""

    def open_session(self, login, now):
        """A session id of 36 characters that carries its time."""
        return f"TEST{int(now):010}{secrets.token_hex(11).upper()}"

    def session(self, session_id):
        """The Session that an id carries, expired or not, or None.

        Its login is not known.
        """
        match = _SESSION_ID.fullmatch(session_id)
        if not match:
            return None
        opened_at = float(match["opened"])
        return Session("", opened_at, opened_at)

    def keep(self, message):
        """The ids of a Message, one a segment."""
        # Milliseconds, cut: rounded up, an id would be younger than its message.
        moment = datetime.fromtimestamp(message.accepted_at, timezone.utc)
        accepted = moment.strftime("%Y%m%dT%H%M%S") + f"{moment.microsecond // 1000:03}"
        delay = round(message.starts_at - message.accepted_at)
        options = f"-d{delay}" if delay else ""
        options += f"-v{message.validity}" if message.validity else ""
        end = f"{message.price:f}{options}-{secrets.token_hex(4)}"
        stem = f"TEST-{accepted}-{message.ending}"
        return [
            f"{stem}-{index}of{message.total}-{end}"
            for index in range(1, message.total + 1)
        ]

    def find(self, gateway_id, login):
        """The Segment that an id carries, or None."""
        match = _MESSAGE_ID.fullmatch(gateway_id)
        if not match:
            return None
        try:
            moment = datetime.strptime(match["accepted"] + "000", "%Y%m%dT%H%M%S%f")
        except ValueError:
            return None
        accepted_at = moment.replace(tzinfo=timezone.utc).timestamp()
        return Segment(
            match["ending"],
            int(match["index"]),
            int(match["total"]),
            accepted_at,
            accepted_at + int(match["delay"] or 0),
            int(match["validity"] or 0) or None,
            Decimal(match["price"]),
        )

    def segments(self, login):
        """Nothing is remembered, so statistics are empty."""
        return ()
