"""A memory that needs none: the ids themselves carry what is to be known later."""

import base64
import hashlib
import hmac
import math
import secrets
import struct
from decimal import Decimal

from .fates import Segment
from .store import Session

#: Tells an id of ours from a damaged or foreign one. No secret: nothing is guarded.
_KEY = b"sms_devino test mode"
_PREFIX = "TEST"

#: accepted (ms), nonce, ending, index, total, price (1/100), delay (s), validity (min)
_SEGMENT = struct.Struct(">QIBBBHII")
#: together 30 bytes: 48 characters of base 32 without padding
_SEGMENT_MAC = 5
#: opened (s), nonce
_SESSION = struct.Struct(">II")
_SESSION_MAC = 10


class StatelessStore:
    """What ``Store`` does, for accounts in test mode in any number of processes.

    Any login and password do, unless "wrong" is in one of them. The balance is never
    debited. Statistics know of nothing.

    :param Decimal balance: what every account has
    """

    def __init__(self, balance):
        self._initial = balance
        self.clear()

    def clear(self):
        """Forget the dropped sessions and a balance set since."""
        self._balance = self._initial
        self._dropped = set()

    def authenticate(self, login, password):
        """Whether the pair will do."""
        return "wrong" not in login.lower() and "wrong" not in password.lower()

    def balance(self, login):
        """The Decimal every account has."""
        return self._balance

    def set_balance(self, login, amount):
        """Set it for every account."""
        self._balance = amount

    def debit(self, login, amount):
        """Nothing: a debit would be forgotten by the next process."""

    def open_session(self, login, now):
        """A session id that carries its time."""
        data = _SESSION.pack(int(now), secrets.randbits(32))
        return (data + _mac(data, _SESSION_MAC)).hex().upper()

    def session(self, session_id):
        """The Session, expired or not, or None. Its login is not known any more."""
        try:
            data = _checked(bytes.fromhex(session_id), _SESSION, _SESSION_MAC)
        except ValueError:
            return None
        if data is None or session_id in self._dropped:
            return None
        opened_at = float(data[0])
        return Session("", opened_at, opened_at)

    def touch_session(self, session_id, session):
        """Nothing: the life of such a session is absolute."""

    def drop_session(self, session_id):
        """Refuse it from now on, in this process."""
        self._dropped.add(session_id)

    def keep(self, message):
        """The ids of a Message, one a segment.

        :rtype: list[str]
        """
        nonce = secrets.randbits(32)
        return [
            _PREFIX + self._encode(message, nonce, index + 1)
            for index in range(message.total)
        ]

    def _encode(self, message, nonce, index):
        data = _SEGMENT.pack(
            round(message.accepted_at * 1000),
            nonce,
            int(message.number[-2:]),
            index,
            message.total,
            min(round(message.price * 100), 0xFFFF),
            min(math.ceil(message.starts_at - message.accepted_at), 0xFFFFFFFF),
            min(message.validity or 0, 0xFFFFFFFF),
        )
        return base64.b32encode(data + _mac(data, _SEGMENT_MAC)).decode()

    def find(self, gateway_id, login):
        """The Segment an id carries, or None."""
        try:
            raw = base64.b32decode(gateway_id.removeprefix(_PREFIX))
        except ValueError:
            return None
        data = _checked(raw, _SEGMENT, _SEGMENT_MAC)
        if data is None:
            return None
        accepted, _nonce, ending, index, total, price, delay, validity = data
        return Segment(
            f"{ending:02}",
            index,
            total,
            accepted / 1000,
            accepted / 1000 + delay,
            validity or None,
            Decimal(price) / 100,
        )

    def segments(self, login):
        """Nothing is remembered.

        :rtype: Iterator[Segment]
        """
        return iter(())


def _mac(data, size):
    return hmac.new(_KEY, data, hashlib.sha256).digest()[:size]


def _checked(raw, layout, mac_size):
    """The unpacked fields, or None when it is not ours."""
    data, mac = raw[: layout.size], raw[layout.size :]
    if len(data) != layout.size or not hmac.compare_digest(mac, _mac(data, mac_size)):
        return None
    return layout.unpack(data)
