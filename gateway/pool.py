"""The one loop that makes many calls in parallel, for sending and for asking.

Plain Python: all threads of the addon live here, and none of them touches a database.
What a call is, and what its answer means, is the business of a :class:`Job`, whose
methods run in the thread that runs the pool.
"""

import logging
import math
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from .errors import (
    AccountRefusedError,
    GatewayError,
    MessageRefusedError,
    NotSentError,
    OutcomeUnknownError,
)
from .limiter import RateLimiter
from .transport import on_leaving

_logger = logging.getLogger(__name__)

# After this many calls in a row without a proper answer a job stops: each may leave a
# message with an unknown outcome.
MAX_SILENT = 3
# A job begins with this many calls at once, and each answer lets one more in: a silent
# provider leaves no more than these unanswered.
FIRST_CALLS = 2
# Calls claimed together. If the process is killed, those that were not on the wire yet
# are in doubt too.
MOST_CLAIMED = 4
# The longest time between an answer and its settling; answers that come meanwhile are
# settled together.
SETTLE_SECONDS = 0.08
# How often the pool asks who has work.
LOOK_SECONDS = 0.2
# Calls started before the deadline may take long. As long as one account has such a
# call under way, the others go on, at most this long. With the longest call after it,
# and the tries to write down, a run stays within 120 seconds.
LATE_SECONDS = 20.0
MAX_THREADS = 256


class Call(Protocol):
    """One request to the provider; plain data, as it is made in a thread."""

    def make(self) -> object:
        """Make the call and return the answer, which is not ``None``.

        :raises GatewayError: in one of its kinds
        """


@dataclass(frozen=True)
class Ended:
    """The result of a call: the answer, an error, or neither if it was not made."""

    call: Call
    answer: object = None
    error: GatewayError | None = None


class Channel:
    """The way to the provider for one account, shared by its jobs.

    :param login: logs in unless there is a session; called once, before the first claim
    :param limiter: gives the turns
    """

    def __init__(self, login: Callable[[], object], limiter: RateLimiter):
        self.login = login
        self.limiter = limiter
        self.is_ready = False
        self.is_logging_in = False
        #: why there is no session: the provider could not be reached
        self.login_error: GatewayError | None = None
        #: why no further call is made for this account
        self.stop_error: GatewayError | None = None

    def make(self) -> object:
        """Log in; the pool runs it like a call."""
        self.login()
        return self


class Job(ABC):
    """Work of one kind for one account.

    ``claim``, ``settle`` and ``rescue`` run in the thread of the pool's caller.

    :param channel: the account's
    """

    #: calls under way at once, at most
    workers = 16
    #: calls in a row that ended in an error, although the provider answered
    max_errors = MAX_SILENT
    #: whether the next claim waits until all claimed calls are on the wire. A kill then
    #: leaves fewer messages in doubt that never left.
    claims_in_turn = False

    def __init__(self, channel: Channel):
        self.channel = channel
        self.under_way = 0
        #: calls claimed whose request has not begun to be written
        self.not_on_wire = 0
        #: answers that :meth:`settle` has not written down yet
        self.unsettled: list[Ended] = []
        #: why no further call is made: calls without an answer
        self.stop_error: GatewayError | None = None
        #: what ``claim`` or ``settle`` raised; nothing more is asked of the job then
        self.failure: Exception | None = None
        self.is_rescued = False
        self._errors = self._silent = 0
        self._room = FIRST_CALLS

    def count_free(self) -> int:
        """How many calls may start now, as far as the job is concerned."""
        if self.claims_in_turn and self.not_on_wire:
            return 0
        return max(min(self._room, self.workers) - self.under_way, 0)

    @abstractmethod
    def claim(self, count: int) -> list[Call]:
        """Return at most ``count`` calls, claimed and committed, which all start now;
        none if there is nothing to do, or not before another call has ended."""

    @abstractmethod
    def settle(self, ended: list[Ended]) -> None:
        """Record the results of some calls, and commit."""

    @abstractmethod
    def rescue(self, ended: list[Ended]) -> None:
        """Do the same after ``claim`` or ``settle`` has failed."""

    def stop_if_hopeless(self, ended: Ended) -> None:
        """Stop the job, or the whole account, if further calls cannot succeed."""
        error = ended.error
        is_answered = error is None or error.http_status
        self._room = min(self._room + 1, self.workers) if is_answered else FIRST_CALLS
        if error is None or isinstance(error, MessageRefusedError):
            self._errors = self._silent = 0
            return
        if isinstance(error, AccountRefusedError) or getattr(error, "retry_after", 0):
            # a provider that asks to be left alone for a while is left alone
            self.channel.stop_error = self.channel.stop_error or error
            return
        self._errors += 1
        self._silent = 0 if error.http_status else self._silent + 1
        if self._silent >= MAX_SILENT or self._errors >= self.max_errors:
            self.stop_error = error


class Pool:
    """Runs jobs: take the limiter's turn, claim the calls that start now, make them in
    threads, settle.

    Jobs take turns, so that neither an account nor a kind of work waits for another.

    :param look: returns the jobs that have work now, always the same object for the
        same work; called every ``LOOK_SECONDS``, in the thread of the caller
    :param deadline: of ``clock``; no call starts later, see ``LATE_SECONDS``
    :param linger: seconds to go on looking for work once some is done
    """

    def __init__(
        self,
        look: Callable[[], Iterable[Job]],
        *,
        deadline: float = math.inf,
        linger: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._find_jobs = look
        self._deadline = deadline
        self._linger = linger
        self._clock = clock
        self._next_look = -math.inf
        self._last_work = -math.inf
        self._jobs: dict[Job, None] = {}
        self._awake: dict[Job, None] = {}
        # token of a call -> its channel and when it started
        self._under_way: dict[object, tuple[Channel, float]] = {}
        self._not_on_wire: set[object] = set()
        self._answers: queue.SimpleQueue = queue.SimpleQueue()
        self._settle_at = math.inf
        self._is_stopped = False
        #: calls made
        self.calls = 0
        #: whether time was up before the work was done
        self.is_unfinished = False

    def run(self) -> None:
        """Work until nothing is left to do, or time is up.

        A job that fails is left out from then on; what ``look`` raises ends the run.
        In any case the calls under way come to their end and are written down.
        """
        threads = ThreadPoolExecutor(MAX_THREADS, "sms_devino")
        with _interpreter_kept(), threads as self._threads:
            try:
                while self._step():
                    pass
            finally:
                self._end()

    def _step(self) -> bool:
        self._look()
        started = self._start_calls()
        self._collect(0.0 if started else self._pause())
        if not self._under_way or self._clock() >= self._settle_at:
            self._settle()
        return bool(self._under_way or self._awake or self._is_lingering())

    def _look(self) -> None:
        now = self._clock()
        if now < self._next_look or not (self._under_way or now < self._deadline):
            return
        self._next_look = now + LOOK_SECONDS
        for job in self._find_jobs():
            self._jobs[job] = self._awake[job] = None

    def _is_lingering(self) -> bool:
        now = self._clock()
        if now >= self._deadline or self._is_stopped:
            return False
        return now < self._last_work + self._linger

    def _pause(self) -> float:
        """Seconds until there is something to do, unless an answer comes before."""
        now = self._clock()
        moments = [self._next_look - now, self._settle_at - now]
        moments += [
            job.channel.limiter.delay()
            for job in self._awake
            if job.channel.is_ready and job.count_free()
        ]
        return max(min(moments), 0.001)

    # --- starting -------------------------------------------------------------------

    def _start_calls(self) -> bool:
        """Start calls for each job that may; return whether any was started."""
        started = False
        for job in list(self._awake):
            if self._clock() >= self._settle_at:
                break
            if not self._may_go_on(job):
                del self._awake[job]
            elif not job.channel.is_ready:
                self._log_in(job.channel)
            elif count := self._count_free(job):
                started |= self._start(job, count)
        return started

    def _count_free(self, job: Job) -> int:
        """How many calls of a job may start now."""
        free = MAX_THREADS - len(self._under_way)
        return job.channel.limiter.count_turns(
            min(job.count_free(), free, MOST_CLAIMED)
        )

    def _may_go_on(self, job: Job) -> bool:
        if job.failure or job.stop_error or job.channel.stop_error or self._is_stopped:
            return False
        now = self._clock()
        if now < self._deadline:
            return True
        held_up = now < self._deadline + LATE_SECONDS and any(
            channel is not job.channel and started < self._deadline
            for channel, started in self._under_way.values()
        )
        self.is_unfinished |= not held_up
        return held_up

    def _log_in(self, channel: Channel) -> None:
        if not channel.is_logging_in:
            channel.is_logging_in = True
            self._submit(None, channel, channel)

    def _start(self, job: Job, count: int) -> bool:
        del self._awake[job]
        try:
            calls = job.claim(count)
        except Exception as error:
            self._fail(job, error)
            return False
        if calls:
            # behind the others
            self._awake[job] = None
        for call in calls:
            job.channel.limiter.take()
            self.calls += 1
            job.under_way += 1
            job.not_on_wire += 1
            self._submit(job, job.channel, call)
        return bool(calls)

    def _submit(self, job: Job | None, channel: Channel, call: Call) -> None:
        token = object()
        self._last_work = self._clock()
        self._under_way[token] = channel, self._last_work
        self._not_on_wire.add(token)
        try:
            self._threads.submit(self._make, token, job, call)
        except RuntimeError:
            # the interpreter is shutting down
            self._is_stopped = True
            self._answers.put((token, job, Ended(call)))

    def _make(self, token: object, job: Job | None, call: Call) -> None:
        """Make one call; runs in a thread."""
        on_leaving.set(lambda: self._answers.put((token, job, None)))
        try:
            # Without a session a call would log in first: claimed, and not on the wire.
            error = job and job.channel.login_error
            ended = Ended(call, error=error) if error else Ended(call, call.make())
        except BaseException as error:
            ended = Ended(call, error=_known(error))
        self._answers.put((token, job, ended))

    # --- results --------------------------------------------------------------------

    def _collect(self, seconds: float) -> None:
        """Take what has come back; wait for it so long."""
        try:
            self._take(*self._answers.get(block=bool(seconds), timeout=seconds or None))
            while True:
                self._take(*self._answers.get_nowait())
        except queue.Empty:
            return

    def _take(self, token: object, job: Job | None, ended: Ended | None) -> None:
        """Take note of a call that left, which may be told twice, or that ended."""
        if job and token in self._not_on_wire:
            job.not_on_wire -= 1
        self._not_on_wire.discard(token)
        if ended:
            self._take_answer(token, job, ended)

    def _take_answer(self, token: object, job: Job | None, ended: Ended) -> None:
        channel, _started = self._under_way.pop(token)
        self._last_work = self._clock()
        if job is None:
            self._note_login(channel, ended.error)
            return
        job.under_way -= 1
        job.stop_if_hopeless(ended)
        job.unsettled.append(ended)
        self._settle_at = min(self._settle_at, self._last_work + SETTLE_SECONDS)
        self._awake.setdefault(job)

    def _note_login(self, channel: Channel, error: GatewayError | None) -> None:
        """An unreachable provider is no refusal: the first calls fail with the error
        of the login, without being made, and count as attempts."""
        unreachable = isinstance(error, NotSentError) and not error.retry_after
        if error is None or unreachable:
            channel.is_ready, channel.login_error = True, error
        else:
            channel.stop_error = error

    def _settle(self) -> None:
        self._settle_at = math.inf
        for job in self._jobs:
            if job.failure:
                if not job.under_way:
                    self._rescue(job)
            elif job.unsettled:
                try:
                    job.settle(job.unsettled)
                    job.unsettled = []
                    # there may be room for what had to wait
                    self._awake.setdefault(job)
                except Exception as error:
                    self._fail(job, error)

    def _fail(self, job: Job, error: Exception) -> None:
        _logger.warning("a job broke off: %s", type(error).__name__)
        job.failure = error

    def _rescue(self, job: Job) -> None:
        if job.is_rescued:
            return
        job.is_rescued = True
        ended, job.unsettled = job.unsettled, []
        try:
            job.rescue(ended)
        except Exception as error:
            _logger.error("%s while writing down answers", type(error).__name__)

    def _end(self) -> None:
        """Wait for the calls under way, and have everything written down."""
        while self._under_way:
            self._collect(1.0)
        for job in self._jobs:
            if job.unsettled or job.failure:
                self._rescue(job)


def _known(error: BaseException) -> GatewayError:
    """Return the error as one of the family; a bug of ours proves no refusal."""
    if isinstance(error, GatewayError):
        return error
    _logger.error("a call ended unexpectedly", exc_info=error)
    return OutcomeUnknownError(description=f"unexpected {type(error).__name__}")


def within(seconds: float, work: Callable[[], object]) -> bool:
    """Run ``work``, which must not use a database, and wait for it no longer than so
    many seconds. Work that takes longer goes on; its result is dropped.

    :return: whether it has ended
    """
    thread = threading.Thread(target=work, name="sms_devino_button", daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


@contextmanager
def _interpreter_kept():
    """Delay the interpreter's exit until the work inside is done.

    Odoo's threads are daemons. Once told to stop, the interpreter does not wait for
    them, and the answers to the calls under way would be lost.
    """
    done = threading.Event()
    # Explicit, because a thread inherits `daemon` from its parent.
    threading.Thread(target=done.wait, name="sms_devino_keeper", daemon=False).start()
    try:
        yield
    finally:
        done.set()
