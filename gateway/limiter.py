"""How many calls a second may start."""

import threading
import time
from collections.abc import Callable, Hashable


class RateLimiter:
    """Turns for at most ``per_second`` calls a second, evenly spaced; 0 is no limit.

    It never blocks: a caller looks at :meth:`delay` and, when it is 0, calls
    :meth:`take`. Threads may share it.

    :param clock: seconds that never go back
    """

    def __init__(
        self, per_second: float = 0.0, *, clock: Callable[[], float] = time.monotonic
    ):
        self.per_second = per_second
        self._next = 0.0
        self._lock = threading.Lock()
        self._clock = clock

    def delay(self) -> float:
        """Seconds until the next turn, 0 when a call may start now."""
        return max(self._next - self._clock(), 0.0) if self.per_second else 0.0

    def count_turns(self, wanted: int) -> int:
        """How many of ``wanted`` calls may start now: all without a limit, else one."""
        if not self.per_second:
            return wanted
        return min(wanted, 0 if self.delay() else 1)

    def take(self) -> None:
        """Use a turn. A pause gives no right to a burst afterwards."""
        if self.per_second:
            with self._lock:
                self._next = max(self._clock(), self._next) + 1 / self.per_second


_limiters: dict[Hashable, RateLimiter] = {}
_limiters_lock = threading.Lock()


def shared_limiter(key: Hashable) -> RateLimiter:
    """Return the limiter of this process for ``key``."""
    with _limiters_lock:
        return _limiters.setdefault(key, RateLimiter())
