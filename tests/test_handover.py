import threading
import time
from concurrent.futures import ThreadPoolExecutor

from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ..gateway import (
    AccountRefusedError,
    Credentials,
    DevinoClient,
    MessageRefusedError,
    NotSentError,
    OutcomeUnknownError,
)
from ..gateway.handover import (
    MAX_SILENT_IN_A_ROW,
    MAX_SINGLE_REFUSALS,
    CallOrigin,
    HandOver,
    Item,
    RateLimiter,
    plan_calls,
    shared_limiter,
)
from ..sandbox import Fault, SandboxServer

HANDOVER = "odoo.addons.sms_devino.gateway.handover"
BAD_NUMBER = MessageRefusedError(operation_status="Error_Invalid_Destination_Address")
BAD_SENDER = MessageRefusedError(operation_status="Error_Invalid_Source_Address")
BAD_TEXT = MessageRefusedError(operation_status="Error_Message_Rejected")


class ScriptedClient:
    """Stands where the client stands: does what ``script`` says of some numbers.

    :param script: called with (numbers, text); raises, or returns nothing
    """

    def __init__(self, script=lambda numbers, text: None):
        self._script = script
        self._lock = threading.Lock()
        self.calls = []
        self.accepted = []

    def send(self, source, destination, text, *, validity=None):
        return self._take([destination], text)[destination]

    def send_bulk(self, source, destinations, text, *, validity=None):
        return self._take(list(destinations), text)

    def _take(self, numbers, text):
        with self._lock:
            self.calls.append(numbers)
        self._script(numbers, text)
        with self._lock:
            self.accepted += numbers
        return {number: [f"id-{number}"] for number in numbers}


def items(count, text="Hello", first=0, **values):
    return [
        Item(key, f"79{key:09}", "Sender", text, **values)
        for key in range(first, first + count)
    ]


def number_of(key):
    return f"79{key:09}"


class HandOverCase(BaseCase):
    def hand_over(self, client, calls, *, workers=4, **options):
        """Run calls as one chunk; check that each item has one outcome.

        :return: dict kind -> set of keys, and the :class:`HandOver`
        """
        with HandOver(client, RateLimiter(0), workers, **options) as hand_over:
            outcomes = [o for batch in hand_over.run([calls]) for o in batch]
        return self.by_kind(outcomes, calls), hand_over

    def by_kind(self, outcomes, calls):
        told = [item.key for outcome in outcomes for item in outcome.items]
        due = [item.key for call in calls for item in call.items]
        self.assertEqual(sorted(told), sorted(due), "one outcome for each item")
        kinds = {}
        for outcome in outcomes:
            keys = {item.key for item in outcome.items}
            kinds.setdefault(outcome.kind, set()).update(keys)
            if outcome.kind == "accepted":
                self.assertEqual(outcome.ids.keys(), keys)
        return kinds


@tagged("post_install", "-at_install", "sms_devino")
class TestPlanCalls(BaseCase):
    def test_equal_texts_of_one_sender_go_together(self):
        calls = plan_calls(items(3) + items(2, "Other", first=3) + items(1, first=5))
        keys = [[item.key for item in call.items] for call in calls]
        self.assertEqual(keys, [[0, 1, 2, 5], [3, 4]])

    def test_sender_and_lifetime_keep_calls_apart(self):
        others = [Item(8, "79000000008", "Other", "Hello"), *items(1, validity=5)]
        self.assertEqual(len(plan_calls(items(1, first=9) + others)), 3)

    def test_no_call_holds_more_numbers_than_the_provider_takes(self):
        sizes = [len(call.items) for call in plan_calls(items(6000))]
        self.assertEqual(sizes, [2999, 2999, 2])

    def test_repeated_number_goes_into_another_call(self):
        twice = [Item(key, "79000000001", "Sender", "Hello") for key in range(3)]
        calls = plan_calls(twice + items(1, first=5))
        keys = [[item.key for item in call.items] for call in calls]
        self.assertEqual(keys, [[0, 5], [1], [2]])

    def test_every_item_is_in_one_call(self):
        mixed = [
            Item(key, number_of(key % 40), f"S{key % 2}", f"T{key % 3}")
            for key in range(500)
        ]
        calls = plan_calls(mixed, max_numbers=7)
        self.assertEqual(
            sorted(item.key for call in calls for item in call.items), list(range(500))
        )
        for call in calls:
            numbers = [item.number for item in call.items]
            self.assertEqual(len(numbers), len(set(numbers)))
            self.assertEqual(len({(i.sender, i.text) for i in call.items}), 1)


@tagged("post_install", "-at_install", "sms_devino")
class TestHandOver(HandOverCase):
    def test_every_call_is_made_once(self):
        client = ScriptedClient()
        calls = plan_calls(items(50)) + plan_calls(
            [Item(key, number_of(key), "S", f"T{key}") for key in range(100, 160)]
        )
        kinds, hand_over = self.hand_over(client, calls)
        self.assertEqual(kinds.keys(), {"accepted"})
        self.assertEqual(len(client.calls), 61)
        self.assertEqual(len(client.accepted), 110)
        self.assertFalse(hand_over.pointless)

    def test_bad_numbers_are_found_and_nobody_gets_it_twice(self):
        bad = {3, 4, 500, 998}

        def script(numbers, text):
            if any(number_of(key) in numbers for key in bad):
                raise BAD_NUMBER

        client = ScriptedClient(script)
        kinds, _hand_over = self.hand_over(client, plan_calls(items(1000)))
        self.assertEqual(kinds["refused"], bad)
        self.assertEqual(len(kinds["accepted"]), 996)
        self.assertEqual(len(client.accepted), len(set(client.accepted)))
        self.assertLess(len(client.calls), 4 * 2 * 10 + 1)

    def test_refused_sender_is_refused_for_all_at_once(self):
        def script(numbers, text):
            raise BAD_SENDER

        client = ScriptedClient(script)
        kinds, hand_over = self.hand_over(client, plan_calls(items(1000)))
        self.assertEqual(len(kinds["refused"]), 1000)
        self.assertEqual(len(client.calls), 1)
        self.assertFalse(hand_over.pointless)

    def test_refused_text_is_not_tried_for_every_number(self):
        def script(numbers, text):
            raise BAD_TEXT

        client = ScriptedClient(script)
        kinds, _hand_over = self.hand_over(client, plan_calls(items(2000)), workers=1)
        self.assertEqual(len(kinds["refused"]), 2000)
        self.assertLess(len(client.calls), 60)

    def test_text_that_was_accepted_once_is_never_hopeless(self):
        origin = CallOrigin(single_refusals=MAX_SINGLE_REFUSALS)
        self.assertTrue(origin.is_hopeless())
        origin.accepted = True
        self.assertFalse(origin.is_hopeless())

    def test_bad_numbers_alone_never_make_a_text_hopeless(self):
        last = 255

        def script(numbers, text):
            if numbers != [number_of(last)]:
                raise BAD_NUMBER

        kinds, _hand_over = self.hand_over(
            ScriptedClient(script), plan_calls(items(256)), workers=1
        )
        self.assertEqual(kinds["accepted"], {last})

    def test_first_singles_tried_are_spread_over_the_call(self):
        def script(numbers, text):
            # all that stands at the front is refused, as when a list begins badly
            if any(number < number_of(MAX_SINGLE_REFUSALS + 2) for number in numbers):
                raise BAD_TEXT

        kinds, _hand_over = self.hand_over(
            ScriptedClient(script), plan_calls(items(512)), workers=1
        )
        self.assertEqual(len(kinds["accepted"]), 512 - MAX_SINGLE_REFUSALS - 2)

    def test_refused_account_stops_the_rest(self):
        def script(numbers, text):
            if text == "T3":
                raise AccountRefusedError(operation_status="Error_Not_Enough_Credits")

        calls = plan_calls([Item(k, number_of(k), "S", f"T{k}") for k in range(100)])
        client = ScriptedClient(script)
        kinds, hand_over = self.hand_over(client, calls, workers=1)
        self.assertEqual(kinds["account"], {3})
        self.assertTrue(hand_over.pointless)
        # one more may be on its way before the answer is judged
        self.assertLessEqual(len(client.calls), 5)
        self.assertEqual(len(kinds["untouched"]), 100 - len(client.calls))

    def test_gateway_that_is_not_reached_is_left_alone(self):
        def script(numbers, text):
            raise NotSentError()

        calls = plan_calls([Item(k, number_of(k), "S", f"T{k}") for k in range(100)])
        client = ScriptedClient(script)
        kinds, hand_over = self.hand_over(client, calls, workers=1)
        self.assertTrue(hand_over.pointless)
        self.assertEqual(len(kinds["not_sent"]), len(client.calls))
        self.assertLess(len(client.calls), MAX_SILENT_IN_A_ROW + 2)
        self.assertEqual(len(kinds["untouched"]), 100 - len(client.calls))

    def test_gateway_that_does_not_answer_gets_no_more_messages(self):
        def script(numbers, text):
            raise OutcomeUnknownError()

        calls = plan_calls([Item(k, number_of(k), "S", f"T{k}") for k in range(100)])
        kinds, hand_over = self.hand_over(ScriptedClient(script), calls, workers=1)
        self.assertTrue(hand_over.pointless)
        self.assertLess(len(kinds["unknown"]), MAX_SILENT_IN_A_ROW + 2)

    def test_failures_that_answers_interrupt_stop_nothing(self):
        def script(numbers, text):
            if int(text) % 2:
                raise NotSentError()

        calls = plan_calls([Item(k, number_of(k), "S", f"{k}") for k in range(30)])
        kinds, hand_over = self.hand_over(ScriptedClient(script), calls, workers=1)
        self.assertFalse(hand_over.pointless)
        self.assertEqual(len(kinds["accepted"]), 15)

    def test_request_to_come_later_is_heeded_at_once(self):
        def script(numbers, text):
            raise NotSentError(retry_after=90.0)

        calls = plan_calls([Item(k, number_of(k), "S", f"T{k}") for k in range(20)])
        client = ScriptedClient(script)
        kinds, hand_over = self.hand_over(client, calls, workers=1)
        self.assertEqual(hand_over.retry_after, 90.0)
        self.assertLessEqual(len(client.calls), 3)
        self.assertTrue(kinds["untouched"])

    def test_error_of_ours_proves_nothing_about_the_message(self):
        def script(numbers, text):
            raise ZeroDivisionError

        with mute_logger(HANDOVER):
            kinds, _hand_over = self.hand_over(
                ScriptedClient(script), plan_calls(items(5))
            )
        self.assertEqual(kinds, {"unknown": {0, 1, 2, 3, 4}})

    def test_no_call_starts_after_the_deadline(self):
        client = ScriptedClient(lambda numbers, text: time.sleep(0.05))
        calls = plan_calls([Item(k, number_of(k), "S", f"T{k}") for k in range(20)])
        kinds, hand_over = self.hand_over(
            client, calls, workers=1, deadline=time.monotonic() + 0.02
        )
        self.assertEqual(kinds["accepted"], {0})
        self.assertEqual(len(kinds["untouched"]), 19)
        self.assertFalse(hand_over.pointless)

    def test_nothing_is_taken_after_the_deadline(self):
        with HandOver(ScriptedClient(), RateLimiter(0), deadline=0) as hand_over:
            chunks = iter([plan_calls(items(5))])
            self.assertFalse(list(hand_over.run(chunks)))
            self.assertTrue(list(chunks))


@tagged("post_install", "-at_install", "sms_devino")
class TestBreakingOff(HandOverCase):
    """Whoever consumes the outcomes may break off at any moment."""

    def setUp(self):
        super().setUp()
        self.release = threading.Event()
        self.addCleanup(self.release.set)
        self.calls = plan_calls(
            [Item(key, number_of(key), "S", f"T{key}") for key in range(40)]
        )

    def test_chunks_are_taken_only_as_they_are_needed(self):
        taken = []

        def chunks():
            for start in range(0, 40, 4):
                taken.append(start)
                yield self.calls[start : start + 4]

        client = ScriptedClient(lambda numbers, text: self.release.wait(10))
        with HandOver(client, RateLimiter(0), 2) as hand_over:
            running = hand_over.run(chunks())
            with ThreadPoolExecutor(1) as consumer:
                first = consumer.submit(next, running)
                while len(client.calls) < 2:
                    self.release.wait(0.01)
                self.assertEqual(taken, [0])
                self.release.set()
                outcomes = first.result() + [o for batch in running for o in batch]
        self.by_kind(outcomes, self.calls)
        self.assertEqual(len(taken), 10)

    def test_drain_tells_what_became_of_the_calls_under_way(self):
        client = ScriptedClient(lambda numbers, text: self.release.wait(10))
        with HandOver(client, RateLimiter(0), 4, gather_seconds=0) as hand_over:
            running = hand_over.run([self.calls])
            with ThreadPoolExecutor(1) as consumer:
                first = consumer.submit(next, running)
                while len(client.calls) < 4:
                    self.release.wait(0.01)
                self.release.set()
                outcomes = first.result()
            running.close()
            outcomes += hand_over.drain()
        kinds = self.by_kind(outcomes, self.calls)
        self.assertEqual(len(kinds["accepted"]), len(client.accepted))
        self.assertTrue(kinds["untouched"])

    def test_error_of_the_source_loses_no_outcome(self):
        def chunks():
            yield self.calls[:4]
            raise ZeroDivisionError

        client = ScriptedClient()
        with HandOver(client, RateLimiter(0), 2) as hand_over:
            outcomes = []
            with self.assertRaises(ZeroDivisionError):
                for batch in hand_over.run(chunks()):
                    outcomes += batch
            outcomes += hand_over.drain()
        kinds = self.by_kind(outcomes, self.calls[:4])
        self.assertEqual(len(kinds.get("accepted", ())), len(client.accepted))

    def test_halves_of_a_refused_bulk_are_untouched_after_a_stop(self):
        running = []

        def script(numbers, text):
            running[0].stop()
            raise BAD_NUMBER

        calls = plan_calls(items(10))
        client = ScriptedClient(script)
        with HandOver(client, RateLimiter(0), 2) as hand_over:
            running.append(hand_over)
            outcomes = [o for batch in hand_over.run([calls]) for o in batch]
        self.assertEqual(self.by_kind(outcomes, calls).keys(), {"untouched"})
        self.assertEqual(len(client.calls), 1)


@tagged("post_install", "-at_install", "sms_devino")
class TestRateLimiter(BaseCase):
    def setUp(self):
        super().setUp()
        self.now = 100.0
        self.slept = []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

    def limiter(self, per_second):
        return RateLimiter(per_second, clock=lambda: self.now, sleep=self.sleep)

    def test_calls_are_evenly_spaced(self):
        limiter = self.limiter(4)
        for _call in range(5):
            limiter.wait()
        self.assertEqual(self.slept, [0.25] * 4)

    def test_pause_gives_no_right_to_a_burst(self):
        limiter = self.limiter(2)
        limiter.wait()
        self.now += 60
        limiter.wait()
        limiter.wait()
        self.assertEqual(self.slept, [0.5])

    def test_zero_is_no_limit(self):
        limiter = self.limiter(0)
        for _call in range(100):
            limiter.wait()
        self.assertFalse(self.slept)

    def test_limiter_is_shared_by_key_until_the_rate_changes(self):
        first = shared_limiter(("db", "test"), 5)
        self.assertIs(shared_limiter(("db", "test"), 5), first)
        self.assertIsNot(shared_limiter(("db", "other"), 5), first)
        self.assertEqual(shared_limiter(("db", "test"), 6).per_second, 6)


@tagged("post_install", "-at_install", "sms_devino")
class TestHandOverOverHttp(HandOverCase):
    """The same over the real client and a real server: the ledger tells."""

    def setUp(self):
        super().setUp()
        self.server = self.enterContext(SandboxServer())
        self.provider = self.server.provider
        self.provider.set_balance(100000)
        self.client = self.enterContext(
            DevinoClient(Credentials(self.server.url, "demo", "demo"))
        )

    def numbers(self):
        return sorted(entry.number for entry in self.provider.ledger)

    def test_numbers_that_the_provider_refuses_fail_alone(self):
        chosen = [
            Item(key, f"7921{key:07}", "DevinoTest", "Sale")
            for key in range(1000, 1300)
        ]
        kinds, _hand_over = self.hand_over(self.client, plan_calls(chosen))
        self.assertEqual(kinds["refused"], {1099, 1199, 1299})
        accepted = sorted(i.number for i in chosen if i.key in kinds["accepted"])
        self.assertEqual(self.numbers(), accepted)

    def test_outcomes_say_what_the_ledger_says_whatever_goes_wrong(self):
        for kind in ("drop_before", "drop_after", "half_json", "status500", "code8"):
            self.provider.faults.add(Fault(kind, times=None, rate=0.05))
        chosen = [
            Item(key, f"7921{key:07}", "DevinoTest", f"Text {key}")
            for key in range(1000, 1090)
        ]
        kinds, _hand_over = self.hand_over(self.client, plan_calls(chosen))
        ledger = self.numbers()
        self.assertEqual(len(ledger), len(set(ledger)), "a message went twice")
        by_key = {item.key: item.number for item in chosen}
        for key in kinds["accepted"]:
            self.assertIn(by_key[key], ledger)
        for kind in ("not_sent", "untouched", "refused", "account"):
            for key in kinds.get(kind, ()):
                self.assertNotIn(by_key[key], ledger)
