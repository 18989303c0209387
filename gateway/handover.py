"""Hand many messages over at once: grouped into calls, in parallel, bisected.

Plain Python on plain data, so that no thread ever touches a database.
"""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from .codes import MAX_BULK_NUMBERS
from .errors import (
    AccountRefusedError,
    GatewayError,
    MessageRefusedError,
    NotSentError,
    OutcomeUnknownError,
)

_logger = logging.getLogger(__name__)

# After so many calls in a row that got no proper answer no further one is made: what is
# left is handed back untouched. Each call without an answer may leave a message of
# which nobody knows whether it was sent.
MAX_SILENT_IN_A_ROW = 3
# A text that the provider refuses is refused for every number. After so many single
# numbers refused, and none accepted, the rest of the call is not tried.
MAX_SINGLE_REFUSALS = 8


@dataclass(frozen=True)
class Item:
    """One message: a key of the caller's and all that goes on the wire."""

    key: int
    number: str
    sender: str
    text: str = field(repr=False)
    validity: int | None = None


@dataclass(frozen=True)
class Call:
    """One request to the provider: equal texts from one sender, distinct numbers."""

    items: tuple[Item, ...]
    origin: "CallOrigin"

    def halves(self) -> list["Call"]:
        """Two calls for the same items. Every second item goes into the other half, so
        that the first single numbers tried are spread over the whole call."""
        return [Call(self.items[start::2], self.origin) for start in (0, 1)]


@dataclass
class CallOrigin:
    """What became of the parts of a call that the provider refused as a whole."""

    single_refusals: int = 0
    accepted: bool = False

    def is_hopeless(self) -> bool:
        return not self.accepted and self.single_refusals >= MAX_SINGLE_REFUSALS


@dataclass(frozen=True)
class Outcome:
    """What is known of some items after a call.

    ``kind``: ``accepted`` (``ids``: key -> the provider's id of each segment),
    ``refused`` (for this message), ``not_sent`` (surely; later again), ``account``
    (refused for the account; surely not sent), ``unknown``, ``untouched`` (no call was
    made). ``error`` says why, except for accepted and untouched.
    """

    kind: str
    items: tuple[Item, ...]
    ids: dict[int, list[str]] = field(default_factory=dict)
    error: GatewayError | None = None


def plan_calls(
    items: Iterable[Item], max_numbers: int = MAX_BULK_NUMBERS
) -> list[Call]:
    """Group items into calls, in the order in which their first item came.

    Equal texts from one sender go together, at most ``max_numbers`` to a call (2999:
    documented by the provider). A number that occurs twice goes into another call:
    what the provider answers to a repeated number is not documented.
    """
    groups: dict[tuple, list[dict[str, Item]]] = {}
    for item in items:
        layers = groups.setdefault((item.sender, item.text, item.validity), [{}])
        for layer in layers:
            if item.number not in layer and len(layer) < max_numbers:
                layer[item.number] = item
                break
        else:
            layers.append({item.number: item})
    return [
        Call(tuple(layer.values()), CallOrigin())
        for layers in groups.values()
        for layer in layers
    ]


class RateLimiter:
    """Let at most ``per_second`` calls a second pass, evenly spaced; 0 is no limit.

    :param clock: seconds that never go back
    :param sleep: waits so many seconds
    """

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self.per_second = per_second
        self._interval = 1.0 / per_second if per_second else 0.0
        self._next = 0.0
        self._lock = threading.Lock()
        self._clock = clock
        self._sleep = sleep

    def wait(self) -> None:
        """Block the calling thread until its turn."""
        if not self._interval:
            return
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._interval
        if turn > now:
            self._sleep(turn - now)


_limiters: dict[Hashable, RateLimiter] = {}
_limiters_lock = threading.Lock()


def shared_limiter(key: Hashable, per_second: float) -> RateLimiter:
    """The limiter of this process for ``key``, whoever sends or asks under it; another
    rate makes a new one."""
    with _limiters_lock:
        limiter = _limiters.get(key)
        if limiter is None or limiter.per_second != per_second:
            limiter = _limiters[key] = RateLimiter(per_second)
        return limiter


class HandOver:
    """Run calls on a bounded pool of threads and tell the outcome of every item.

    A context manager; :meth:`drain` before its end if :meth:`run` was not exhausted.
    ``pointless`` tells that account or gateway made further calls pointless, and
    ``retry_after`` the seconds that the provider asked to wait, 0 if it did not.

    :param client: a :class:`DevinoClient`
    :param limiter: a :class:`RateLimiter` that several runs may share
    :param workers: how many calls are under way at once, at most
    :param deadline: of ``time.monotonic``; no call starts later
    :param gather_seconds: outcomes are told at the latest so long after they came
    :param gather_items: and as soon as there are so many items
    """

    def __init__(
        self,
        client,
        limiter: RateLimiter,
        workers: int = 8,
        *,
        deadline: float = math.inf,
        gather_seconds: float = 1.0,
        gather_items: int = 3000,
    ):
        self._client = client
        self._limiter = limiter
        self._deadline = deadline
        self._gather_seconds = gather_seconds
        self._gather_items = gather_items
        self._pool = ThreadPoolExecutor(workers, "sms_devino")
        # a few more than workers: no thread waits while outcomes are written down
        self._max_pending = 2 * workers
        self._pending: dict[Future, Call] = {}
        self._backlog: deque[Call] = deque()
        self._told: list[Outcome] = []
        self._silent_in_a_row = 0
        self._over = False
        self.pointless = False
        self.retry_after = 0.0

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.stop()
        self._pool.shutdown()

    def stop(self) -> None:
        """Start no further call; those under way come to their end."""
        self._over = True

    def run(self, chunks: Iterable[list[Call]]) -> Iterator[list[Outcome]]:
        """Yield outcomes as they come; every item of every call that was taken from
        ``chunks`` is in exactly one, unless the caller breaks off: see :meth:`drain`.

        A chunk is taken when the pool runs short of calls, and none after a stop.
        """
        source = iter(chunks)
        while self._fill(source) or self._told:
            self._gather(source)
            outcomes, self._told = self._told, []
            yield outcomes

    def drain(self) -> list[Outcome]:
        """Stop, wait for the calls under way; return the outcomes not yet told."""
        self.stop()
        while self._fill(iter(())):
            self._collect(None)
        outcomes, self._told = self._told, []
        return outcomes

    def _fill(self, source: Iterator[list[Call]]) -> bool:
        """Submit calls as long as there is room; return whether any is under way."""
        while len(self._pending) < self._max_pending and not self._is_over():
            if not self._backlog:
                chunk = next(source, None)
                if chunk is None:
                    break
                self._backlog.extend(chunk)
                continue
            call = self._backlog.popleft()
            try:
                self._pending[self._pool.submit(self._perform, call)] = call
            except RuntimeError:
                # the interpreter is shutting down
                self._backlog.appendleft(call)
                self.stop()
        if self._is_over():
            self._told += [Outcome("untouched", call.items) for call in self._backlog]
            self._backlog.clear()
        return bool(self._pending)

    def _gather(self, source: Iterator[list[Call]]) -> None:
        """Collect outcomes for a moment, keeping the pool busy meanwhile."""
        until = None
        while self._pending:
            self._collect(until)
            if until is None:
                until = time.monotonic() + self._gather_seconds
            items = sum(len(outcome.items) for outcome in self._told)
            if items >= self._gather_items or time.monotonic() >= until:
                break
            self._fill(source)

    def _collect(self, until: float | None) -> None:
        """Wait for calls to end, no longer than ``until``; judge them."""
        timeout = None if until is None else max(until - time.monotonic(), 0.0)
        done, _rest = wait(self._pending, timeout, FIRST_COMPLETED)
        # in the order of the calls: failures in a row are counted
        for future in [future for future in self._pending if future in done]:
            call = self._pending[future]
            outcome, retry = self._judge(call, future)
            # Depth first: however little time a run has, it gets to single numbers.
            self._backlog.extendleft(reversed(retry))
            if outcome:
                self._told.append(outcome)
            del self._pending[future]

    def _is_over(self) -> bool:
        over = self._over or self.pointless
        return over or time.monotonic() >= self._deadline

    def _perform(self, call: Call):
        """Make one call; runs in a thread.

        :return: key -> ids, or ``None`` when the call was not made
        """
        if not self._is_over():
            self._limiter.wait()
        if self._is_over():
            return None
        first, options = call.items[0], {"validity": call.items[0].validity}
        if len(call.items) == 1:
            ids = self._client.send(first.sender, first.number, first.text, **options)
            return {first.key: ids}
        numbers = [item.number for item in call.items]
        ids = self._client.send_bulk(first.sender, numbers, first.text, **options)
        return {item.key: ids[item.number] for item in call.items}

    def _judge(self, call: Call, future: Future) -> tuple[Outcome | None, list[Call]]:
        """Turn the end of a call into an outcome, or into smaller calls to make."""
        error = future.exception()
        if error is None:
            ids = future.result()
            if ids is None:
                return Outcome("untouched", call.items), []
            self._silent_in_a_row = 0
            call.origin.accepted = True
            return Outcome("accepted", call.items, ids), []
        if isinstance(error, MessageRefusedError):
            self._silent_in_a_row = 0
            return self._judge_refusal(call, error)
        return Outcome(self._kind_of(error), call.items, error=_known(error)), []

    def _judge_refusal(self, call: Call, error) -> tuple[Outcome | None, list[Call]]:
        """A bulk is refused as a whole for one bad number (documented): halve it."""
        if error.operation_status == "Error_Invalid_Source_Address":
            return Outcome("refused", call.items, error=error), []
        if len(call.items) == 1:
            if error.operation_status != "Error_Invalid_Destination_Address":
                call.origin.single_refusals += 1
            return Outcome("refused", call.items, error=error), []
        if call.origin.is_hopeless():
            return Outcome("refused", call.items, error=error), []
        return None, call.halves()

    def _kind_of(self, error: BaseException) -> str:
        if isinstance(error, AccountRefusedError):
            self.pointless = True
            return "account"
        self._silent_in_a_row += 1
        if self._silent_in_a_row >= MAX_SILENT_IN_A_ROW:
            self.pointless = True
        if isinstance(error, NotSentError):
            if error.retry_after:
                # the provider asks to be left alone for a while
                self.retry_after = max(self.retry_after, error.retry_after)
                self.pointless = True
            return "not_sent"
        if not isinstance(error, GatewayError):
            _logger.error("a call ended unexpectedly", exc_info=error)
        return "unknown"


def _known(error: BaseException) -> GatewayError:
    """Return the error as one of the family; a bug of ours proves no refusal."""
    if isinstance(error, GatewayError):
        return error
    return OutcomeUnknownError(description=f"unexpected {type(error).__name__}")
