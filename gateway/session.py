"""The provider's session id, shared by the threads of a process."""

import copy
import threading
import time
from collections.abc import Callable

from .codes import SESSION_MINUTES
from .errors import GatewayError

# Renewed this much before its end, so that no call meets the end under way.
EARLY_SECONDS = 300.0


class SessionKeeper:
    """Keeps one session id and gets a new one when needed, one login at a time.

    Threads that waited for a login share its result, a failure too: a hundred
    sendings with a wrong password make one login and not a hundred.

    :param login: gets a new session id from the provider, or raises GatewayError.
    :param clock: seconds that never go back.
    """

    def __init__(
        self, login: Callable[[], str], clock: Callable[[], float] = time.monotonic
    ):
        self._login = login
        self._clock = clock
        self._lock = threading.Lock()
        # One tuple, replaced as a whole: readers need no lock. Life is counted from
        # before the login, as the provider may have issued the id at once.
        self._current: tuple[str, float] = ("", float("-inf"))
        self._attempts = 0
        self._failure: GatewayError | None = None

    def get(self) -> str:
        """A session id that should be good now.

        :raises GatewayError: the login failed.
        """
        attempts = self._attempts
        session, ends_at = self._current
        if self._clock() < ends_at:
            return session
        return self._replace(session, attempts)

    def replace(self, refused: str) -> str:
        """A session id other than ``refused``.

        :raises GatewayError: the login failed.
        """
        return self._replace(refused, self._attempts)

    def renew(self) -> str:
        """A new session id in any case.

        :raises GatewayError: the login failed.
        """
        with self._lock:
            return self._renew()

    def _replace(self, refused: str, attempts: int) -> str:
        with self._lock:
            session, ends_at = self._current
            if session != refused and self._clock() < ends_at:
                return session
            if self._attempts != attempts and self._failure:
                raise copy.copy(self._failure)
            return self._renew()

    def _renew(self) -> str:
        issued_at = self._clock()
        self._failure = None
        try:
            session = self._login()
        except GatewayError as err:
            self._failure = copy.copy(err)
            raise
        finally:
            self._attempts += 1
        self._current = (session, issued_at + SESSION_MINUTES * 60 - EARLY_SECONDS)
        return session
