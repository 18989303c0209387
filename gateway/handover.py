"""Hand many messages over at once: grouped into calls, in parallel, bisected.

Plain Python on plain data, so that no thread ever touches a database.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
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

# The gateway is taken for unreachable after so many calls in a row that surely did not
# reach it; what is left of the work is handed back untouched.
MAX_NOT_SENT_IN_A_ROW = 3
# A text or sender that the provider refuses is refused for every number. After so many
# single numbers refused, and none accepted, the rest of the call is not tried.
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


def plan_calls(items: Iterable[Item], max_numbers: int = MAX_BULK_NUMBERS) -> list[Call]:
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
    """Let at most ``per_second`` calls a second pass, evenly spaced; 0 is no limit."""

    def __init__(self, per_second: float):
        self._interval = 1.0 / per_second if per_second else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Block the calling thread until its turn."""
        if not self._interval:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._interval
        time.sleep(max(turn - now, 0.0))


class HandOver:
    """Run calls on a bounded pool of threads and tell the outcome of every item.

    :param client: a :class:`DevinoClient`
    :param limiter: a :class:`RateLimiter` that several runs may share
    :param workers: how many calls are under way at once, at most
    """

    def __init__(self, client, limiter: RateLimiter, workers: int = 8):
        self._client = client
        self._limiter = limiter
        self._workers = workers
        self._not_sent_in_a_row = 0
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """Whether the account or the gateway made further calls pointless."""
        return self._stopped

    def run(self, calls: Iterable[Call]) -> Iterator[Outcome]:
        """Yield outcomes as they come; every item of ``calls`` is in exactly one."""
        with ThreadPoolExecutor(self._workers, "sms_devino") as pool:
            pending = {pool.submit(self._perform, call): call for call in calls}
            while pending:
                done, _rest = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    outcome, retry = self._judge(pending.pop(future), future)
                    for call in retry:
                        pending[pool.submit(self._perform, call)] = call
                    if outcome:
                        yield outcome

    def _perform(self, call: Call):
        """Make one call; runs in a thread.

        :return: key -> ids, or ``None`` when the call was not made
        """
        if self._stopped:
            return None
        self._limiter.wait()
        if self._stopped:
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
            self._not_sent_in_a_row = 0
            call.origin.accepted = True
            return Outcome("accepted", call.items, ids), []
        if isinstance(error, MessageRefusedError):
            self._not_sent_in_a_row = 0
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
        middle = len(call.items) // 2
        return None, [
            Call(call.items[:middle], call.origin),
            Call(call.items[middle:], call.origin),
        ]

    def _kind_of(self, error: BaseException) -> str:
        if isinstance(error, AccountRefusedError):
            self._stopped = True
            return "account"
        if isinstance(error, NotSentError):
            self._not_sent_in_a_row += 1
            if self._not_sent_in_a_row >= MAX_NOT_SENT_IN_A_ROW:
                self._stopped = True
            return "not_sent"
        if not isinstance(error, GatewayError):
            _logger.error("a call ended unexpectedly", exc_info=error)
        return "unknown"


def _known(error: BaseException) -> GatewayError:
    """Return the error as one of the family; a bug of ours proves nothing was refused."""
    if isinstance(error, GatewayError):
        return error
    return OutcomeUnknownError(f"unexpected {type(error).__name__}")
