"""The loop, with jobs that keep their work in memory."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ..gateway import (
    AccountRefusedError,
    MessageRefusedError,
    NotSentError,
    OutcomeUnknownError,
)
from ..gateway.limiter import RateLimiter, shared_limiter
from ..gateway.pool import (
    FIRST_CALLS,
    MAX_SILENT,
    SETTLE_SECONDS,
    Channel,
    Job,
    Pool,
)
from ..gateway.transport import on_leaving

POOL = "odoo.addons.sms_devino.gateway.pool"


@dataclass(frozen=True)
class ScriptedCall:
    key: int
    script: Callable

    def make(self):
        on_leaving.get()()
        self.script(self.key)
        return f"id-{self.key}"


@dataclass(frozen=True)
class LateCall:
    """Is on the wire once ``way`` is set, and answered once ``done`` is."""

    key: int
    way: threading.Event
    done: threading.Event

    def make(self):
        self.way.wait(10)
        on_leaving.get()()
        self.done.wait(10)
        return f"id-{self.key}"


@dataclass(frozen=True)
class CallThatStays:
    """Has its answer without a request, as in test mode."""

    key: int

    def make(self):
        return f"id-{self.key}"


class MemoryJob(Job):
    """Claims the numbers of a list and notes what happens when.

    :param keys: what is to be done
    :param script: called in the thread with a key; raises, or returns nothing
    """

    def __init__(self, keys=(), script=lambda key: None, channel=None, workers=4):
        super().__init__(channel or Channel(lambda: None, RateLimiter()))
        self.workers = workers
        self.keys = list(keys)
        self.script = script
        self.claimed, self.settled, self.rescued = [], [], []
        self.most_unsettled = 0

    def claim(self, count):
        keys, self.keys = self.keys[:count], self.keys[count:]
        self.claimed += keys
        done = len(self.settled) + len(self.rescued)
        self.most_unsettled = max(self.most_unsettled, len(self.claimed) - done)
        return [ScriptedCall(key, self.script) for key in keys]

    def settle(self, ended):
        self.settled += ended

    def rescue(self, ended):
        self.rescued += ended

    def kinds(self):
        """Keys by the class of their error, ``None`` for those that were answered."""
        kinds = {}
        for ended in self.settled + self.rescued:
            kind = type(ended.error) if ended.error else None
            if ended.answer is None and not ended.error:
                kind = "not made"
            kinds.setdefault(kind, set()).add(ended.call.key)
        return kinds


class PoolCase(BaseCase):
    def run_pool(self, *jobs, **options):
        """Run jobs to the end; each claimed call must come back exactly once."""
        pool = Pool(lambda: [job for job in jobs if job.keys], **options)
        with mute_logger(POOL):
            pool.run()
        for job in jobs:
            back = [ended.call.key for ended in job.settled + job.rescued]
            self.assertEqual(sorted(back), sorted(job.claimed))
            self.assertEqual(job.under_way, 0)
        return pool


@tagged("post_install", "-at_install", "sms_devino")
class TestPool(PoolCase):
    def test_every_call_is_made_and_settled_once(self):
        job = MemoryJob(range(200))
        pool = self.run_pool(job)
        self.assertEqual(job.kinds(), {None: set(range(200))})
        self.assertEqual(pool.calls, 200)
        self.assertFalse(pool.is_unfinished)

    # not a model: no method of the ORM is overridden
    # pylint: disable-next=missing-return
    def test_free_threads_get_their_calls_by_one_claim(self):
        counts = []

        class Counting(MemoryJob):
            def claim(self, count):
                counts.append(count)
                return super().claim(count)

        self.run_pool(Counting(range(4)))
        self.assertEqual(counts[0], FIRST_CALLS)
        counts.clear()
        channel = Channel(lambda: None, RateLimiter(100))
        self.run_pool(Counting(range(4), channel=channel))
        self.assertEqual(set(counts), {1}, "the limiter gives one turn at a time")

    def test_nothing_to_do_ends_at_once(self):
        started = time.monotonic()
        self.run_pool(MemoryJob(), linger=5)
        self.assertLess(time.monotonic() - started, 1)

    def test_a_call_is_claimed_when_it_starts_and_not_earlier(self):
        under_way, most = [0], [0]
        lock = threading.Lock()

        def script(key):
            with lock:
                under_way[0] += 1
                most[0] = max(most[0], under_way[0])
            time.sleep(0.01)
            with lock:
                under_way[0] -= 1

        job = MemoryJob(range(40), script, workers=3)
        job.channel.limiter.per_second = 50
        self.run_pool(job)
        # those on the wire, and those answered a moment ago
        self.assertLessEqual(most[0], 3)
        self.assertLessEqual(job.most_unsettled, 3 + 50 * SETTLE_SECONDS + 1)

    # not a model: no method of the ORM is overridden
    # pylint: disable-next=missing-return
    def test_an_answer_is_settled_while_other_calls_take_long(self):
        settled_at = {}
        release = threading.Event()

        class Slow(MemoryJob):
            # not a model: no method of the ORM is overridden
            # pylint: disable-next=missing-return
            def settle(self, ended):
                super().settle(ended)
                settled_at.update({e.call.key: time.monotonic() for e in ended})
                if len(self.settled) == 7:
                    release.set()

        job = Slow(range(8), lambda key: release.wait(5) if key == 0 else None)
        self.run_pool(job)
        late = settled_at.pop(0)
        self.assertTrue(all(at <= late for at in settled_at.values()))

    def test_the_login_comes_before_the_first_claim(self):
        order = []
        channel = Channel(lambda: order.append("login"), RateLimiter())
        job = MemoryJob(range(3), lambda key: order.append(key), channel, workers=1)
        other = MemoryJob(range(3), lambda key: order.append(key), channel, workers=1)
        self.run_pool(job, other)
        self.assertEqual(order[0], "login")
        self.assertEqual(order.count("login"), 1)

    def test_a_refused_login_claims_nothing_and_is_not_repeated(self):
        logins = []

        def login():
            logins.append(1)
            raise AccountRefusedError(operation_status="Error_Invalid_Login")

        channel = Channel(login, RateLimiter())
        jobs = MemoryJob(range(3), channel=channel), MemoryJob([7], channel=channel)
        pool = self.run_pool(*jobs)
        self.assertEqual((len(logins), pool.calls), (1, 0))
        self.assertIsInstance(channel.stop_error, AccountRefusedError)
        self.assertFalse(jobs[0].claimed + jobs[1].claimed)

    def test_a_login_that_finds_nobody_leads_to_attempts(self):
        """None of them is made: it would wait for a login of its own, claimed."""
        logins, made = [], []

        def unreachable():
            logins.append(1)
            raise NotSentError()

        channel = Channel(unreachable, RateLimiter())
        job = MemoryJob(range(9), made.append, channel, workers=1)
        self.run_pool(job)
        self.assertEqual(len(job.claimed), MAX_SILENT)
        self.assertEqual(job.kinds(), {NotSentError: set(job.claimed)})
        self.assertEqual((len(logins), made), (1, []))

    def test_a_refused_account_stops_all_its_jobs_and_no_other(self):
        def script(key):
            if key == 3:
                raise AccountRefusedError(operation_status="Error_Not_Enough_Credits")

        channel = Channel(lambda: None, RateLimiter())
        refused = MemoryJob(range(100), script, channel, workers=1)
        sibling = MemoryJob(range(100, 10_000), channel=channel, workers=1)
        other = MemoryJob(range(300))
        self.run_pool(refused, sibling, other)
        self.assertEqual(refused.kinds()[AccountRefusedError], {3})
        self.assertEqual(len(refused.claimed), 4)
        self.assertTrue(sibling.keys)
        self.assertEqual(len(other.settled), 300)

    def test_a_gateway_without_answers_gets_no_more_messages(self):
        for error in (NotSentError, OutcomeUnknownError):
            with self.subTest(error=error):

                def script(key, error=error):
                    raise error()

                job = MemoryJob(range(100), script, workers=1)
                self.run_pool(job)
                self.assertEqual(len(job.claimed), MAX_SILENT)
                self.assertIsInstance(job.stop_error, error)

    def test_a_gateway_that_has_fallen_silent_gets_few_calls_at_once(self):
        def script(key):
            time.sleep(0.02)
            raise OutcomeUnknownError()

        job = MemoryJob(range(100), script, workers=16)
        self.run_pool(job)
        self.assertLessEqual(len(job.claimed), MAX_SILENT + FIRST_CALLS - 1)

    def test_answers_let_more_calls_in(self):
        all_at_once = threading.Barrier(16)

        def script(key):
            if key >= 32:
                all_at_once.wait(10)

        job = MemoryJob(range(48), script, workers=16)
        self.run_pool(job)
        self.assertEqual(len(job.kinds()[None]), 48)

    def test_failures_between_answers_stop_nothing(self):
        def script(key):
            if key % 2:
                raise NotSentError()

        job = MemoryJob(range(30), script, workers=1)
        self.run_pool(job)
        self.assertEqual(len(job.kinds()[None]), 15)

    def test_bad_answers_may_be_allowed_more_of(self):
        def script(key):
            raise NotSentError(http_status=500)

        job = MemoryJob(range(100), script, workers=1)
        job.max_errors = 12
        self.run_pool(job)
        self.assertEqual(len(job.claimed), 12)

    def test_a_request_to_come_later_is_heeded_at_once(self):
        def script(key):
            raise NotSentError(retry_after=90.0)

        job = MemoryJob(range(20), script, workers=1)
        self.run_pool(job)
        self.assertEqual(len(job.claimed), 1)
        self.assertEqual(job.channel.stop_error.retry_after, 90.0)

    def test_a_refused_message_stops_nothing(self):
        def script(key):
            raise MessageRefusedError()

        job = MemoryJob(range(20), script)
        self.run_pool(job)
        self.assertEqual(len(job.settled), 20)

    def test_an_error_of_ours_proves_nothing_about_the_message(self):
        def script(key):
            raise ZeroDivisionError

        job = MemoryJob([1], script)
        self.run_pool(job)
        self.assertEqual(job.kinds(), {OutcomeUnknownError: {1}})

    # not a model: no method of the ORM is overridden
    # pylint: disable-next=missing-return
    def test_a_job_that_has_to_wait_goes_on_when_its_call_ends(self):
        class OneAtATime(MemoryJob):
            def claim(self, count):
                return [] if self.under_way else super().claim(1)

        job = OneAtATime(range(5), lambda key: time.sleep(0.01))
        started = time.monotonic()
        self.run_pool(job)
        self.assertEqual(len(job.settled), 5)
        self.assertLess(time.monotonic() - started, 1)


@tagged("post_install", "-at_install", "sms_devino")
class TestFairness(PoolCase):
    def test_jobs_of_one_account_share_its_turns(self):
        order = []
        channel = Channel(lambda: None, RateLimiter(200))
        sending = MemoryJob(range(20), order.append, channel)
        asking = MemoryJob(range(100, 120), order.append, channel)
        self.run_pool(sending, asking)
        asked = [key for key in order[:20] if key >= 100]
        self.assertIn(len(asked), (9, 10, 11))

    def test_slow_account_holds_up_nobody(self):
        release = threading.Event()
        slow = MemoryJob(range(50), lambda key: release.wait(10))

        def script(key):
            time.sleep(0.02)
            if key == 29:
                release.set()

        quick = MemoryJob(range(30), script)
        # the deadline of the run, too
        self.run_pool(slow, quick, deadline=time.monotonic() + 0.05)
        self.assertEqual(len(quick.settled), 30)
        self.assertLessEqual(len(slow.claimed), slow.workers)

    def test_work_that_comes_meanwhile_is_found(self):
        late = MemoryJob()

        def script(key):
            if key == 0:
                late.keys.append(7)
            time.sleep(0.02)

        self.run_pool(MemoryJob(range(60), script, workers=2), late)
        self.assertEqual(late.kinds(), {None: {7}})

    def test_lingering_finds_the_next_message_at_once(self):
        late = MemoryJob()
        timer = threading.Timer(0.3, lambda: late.keys.append(7))
        timer.start()
        self.run_pool(MemoryJob([1]), late, linger=2)
        timer.join()
        self.assertEqual(late.kinds(), {None: {7}})


@tagged("post_install", "-at_install", "sms_devino")
class TestEnd(PoolCase):
    def test_no_call_starts_after_the_deadline(self):
        job = MemoryJob(range(20), lambda key: time.sleep(1.2), workers=1)
        pool = self.run_pool(job, deadline=time.monotonic() + 1)
        self.assertEqual(job.kinds(), {None: {0}})
        self.assertTrue(pool.is_unfinished)

    def test_nothing_is_claimed_after_the_deadline(self):
        job = MemoryJob(range(5))
        self.run_pool(job, deadline=0)
        self.assertFalse(job.claimed)

    def test_two_quick_accounts_do_not_keep_each_other_going(self):
        jobs = [MemoryJob(range(10_000), lambda key: time.sleep(0.01)) for _n in "ab"]
        started = time.monotonic()
        self.run_pool(*jobs, deadline=started + 0.2)
        self.assertLess(time.monotonic() - started, 1)

    def test_a_job_that_fails_is_rescued_and_stops_no_other(self):
        class Failing(MemoryJob):
            def settle(self, ended):
                raise ZeroDivisionError

        failing, other = Failing(range(50)), MemoryJob(range(50))
        self.run_pool(failing, other)
        self.assertEqual(len(failing.rescued), len(failing.claimed))
        self.assertIsInstance(failing.failure, ZeroDivisionError)
        self.assertEqual(len(other.settled), 50)

    # not a model: no method of the ORM is overridden
    # pylint: disable-next=missing-return
    def test_a_claim_that_fails_is_rescued(self):
        class Failing(MemoryJob):
            def claim(self, count):
                if len(self.claimed) == 3:
                    raise ZeroDivisionError
                return super().claim(1)

        failing = Failing(range(50), lambda key: time.sleep(0.01))
        self.run_pool(failing)
        self.assertEqual(failing.kinds(), {None: {0, 1, 2}})

    def test_whatever_ends_the_run_the_calls_under_way_are_written_down(self):
        class Interrupt(BaseException):
            pass

        class Interrupted(MemoryJob):
            def settle(self, ended):
                raise Interrupt

        job = Interrupted(range(50), lambda key: time.sleep(0.01))
        pool = Pool(lambda: [job])
        with self.assertRaises(Interrupt):
            pool.run()
        self.assertEqual(len(job.rescued), len(job.claimed))
        self.assertTrue(all(ended.answer or ended.error for ended in job.rescued))

    def count_not_on_wire(self, in_turn):
        """Run two calls that take a while to leave; return how many claimed calls were
        not on the wire when each was claimed."""
        way, done, counts = threading.Event(), threading.Event(), []

        class LateJob(MemoryJob):
            claims_in_turn = in_turn

            def claim(self, _count):
                calls = [LateCall(call.key, way, done) for call in super().claim(1)]
                counts.append(self.not_on_wire)
                if len(self.claimed) > 1 or in_turn:
                    threading.Timer(0.2, way.set).start()
                    threading.Timer(0.4, done.set).start()
                return calls

        job = LateJob(range(2))
        Pool(lambda: [job]).run()
        self.assertEqual(len(job.settled), 2)
        return counts[:2]

    def test_nothing_is_claimed_before_what_is_claimed_is_on_the_wire(self):
        self.assertEqual(self.count_not_on_wire(True), [0, 0])
        self.assertEqual(self.count_not_on_wire(False), [0, 1])

    def test_a_call_that_never_leaves_holds_nothing_up_once_it_has_ended(self):
        job = MemoryJob(range(6))
        job.claims_in_turn = True
        job.claim = lambda count: [
            CallThatStays(call.key) for call in MemoryJob.claim(job, count)
        ]
        Pool(lambda: [job]).run()
        self.assertEqual(len(job.settled), 6)
        self.assertEqual(job.not_on_wire, 0)

    def test_an_error_of_the_looking_is_told_after_all_is_written_down(self):
        job = MemoryJob(range(500), lambda key: time.sleep(0.01))
        looks = iter([[job]])
        with self.assertRaises(StopIteration):
            Pool(lambda: next(looks)).run()
        self.assertTrue(job.rescued + job.settled)
        self.assertEqual(len(job.rescued + job.settled), len(job.claimed))


@tagged("post_install", "-at_install", "sms_devino")
class TestRateLimiter(BaseCase):
    def setUp(self):
        super().setUp()
        self.now = 100.0

    def limiter(self, per_second):
        return RateLimiter(per_second, clock=lambda: self.now)

    def test_calls_are_evenly_spaced(self):
        limiter = self.limiter(4)
        for _call in range(5):
            self.assertEqual(limiter.delay(), 0)
            limiter.take()
            self.assertEqual(limiter.delay(), 0.25)
            self.now += 0.25

    def test_turns_taken_at_once_are_made_up_for(self):
        limiter = self.limiter(2)
        limiter.take()
        limiter.take()
        self.assertEqual(limiter.delay(), 1)

    def test_pause_gives_no_right_to_a_burst(self):
        limiter = self.limiter(2)
        limiter.take()
        self.now += 60
        limiter.take()
        self.assertEqual(limiter.delay(), 0.5)

    def test_zero_is_no_limit(self):
        limiter = self.limiter(0)
        for _call in range(100):
            limiter.take()
        self.assertEqual(limiter.delay(), 0)

    def test_limiter_is_shared_by_key(self):
        first = shared_limiter(("db", "test"))
        self.assertIs(shared_limiter(("db", "test")), first)
        self.assertIsNot(shared_limiter(("db", "other")), first)
