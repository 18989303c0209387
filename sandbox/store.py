"""What the provider remembers: accounts, sessions, messages."""

import itertools
import secrets
from dataclasses import dataclass
from decimal import Decimal

from .fates import Segment


@dataclass
class Session:
    """Whose it is; when it was opened and last used, in seconds since 1970."""

    login: str
    opened_at: float
    used_at: float


@dataclass(frozen=True)
class Message:
    """An accepted message to one number; ``price`` is that of one segment.

    ``ending``: the digits that decide its fate.
    """

    login: str
    number: str
    ending: str
    total: int
    accepted_at: float
    starts_at: float
    validity: int
    price: Decimal

    def segment(self, index):
        """The segment ``index`` (from 1) as a ``Segment``."""
        return Segment(
            self.ending,
            index,
            self.total,
            self.accepted_at,
            self.starts_at,
            self.validity,
            self.price,
        )


class Store:
    """Everything in memory. The Provider's lock guards it.

    :param dict[str, str] accounts: login -> password
    :param dict[str, Decimal] balances: login -> balance at first
    :param str id_style: see ``Switches.id_style``
    :param float now: seconds since 1970; ids of a later run are greater
    """

    def __init__(self, accounts, balances, id_style, now):
        self._accounts = dict(accounts)
        self._initial = dict(balances)
        self._make_ids = _ID_MAKERS[id_style]
        self._counter = itertools.count(int(now * 1e8))
        self.clear()

    def clear(self):
        """Forget all but the accounts, with their first balance. Ids go on."""
        self._balances = dict(self._initial)
        self._sessions = {}
        self._segments = {}

    def authenticate(self, login, password):
        known = self._accounts.get(login)
        return known is not None and known == password

    def balance(self, login):
        return self._balances[login]

    def balances(self):
        """What every account has left, by login."""
        return dict(self._balances)

    def set_balance(self, login, amount):
        """Raise KeyError for an unknown login."""
        if login not in self._balances:
            raise KeyError(f"there is no account {login!r}")
        self._balances[login] = amount

    def debit(self, login, amount):
        self._balances[login] -= amount

    def open_session(self, login, now):
        """A new session id: 36 upper-case hex characters (documented samples)."""
        session_id = secrets.token_hex(18).upper()
        self._sessions[session_id] = Session(login, now, now)
        return session_id

    def session(self, session_id):
        """The Session, expired or not, or None."""
        return self._sessions.get(session_id)

    def drop_session(self, session_id):
        self._sessions.pop(session_id, None)

    def keep(self, message):
        """Remember a Message; return its ids, one a segment."""
        ids = self._make_ids(self._counter, message)
        for index, gateway_id in enumerate(ids, 1):
            self._segments[gateway_id] = (message, index)
        return ids

    def find(self, gateway_id, login):
        """The Segment of an id of this login, or None."""
        message, index = self._segments.get(gateway_id, (None, 0))
        return message.segment(index) if message and message.login == login else None

    def segments(self, login):
        """Yield every Segment of a login."""
        for message, index in list(self._segments.values()):
            if message.login == login:
                yield message.segment(index)


def _digits(counter, message):
    first = 500_000_000_000_000_000
    return [str(first + next(counter)) for _ in range(message.total)]


def _hex(counter, message):
    return [f"WD{next(counter) % 16**7:07X}" for _ in range(message.total)]


def _route(counter, message):
    stem = f"SAR-GW01+{message.number}-{next(counter) % 16**8:08x}-{message.total}"
    return [f"{stem}-{index}" for index in range(1, message.total + 1)]


_ID_MAKERS = {"digits": _digits, "hex": _hex, "route": _route}
