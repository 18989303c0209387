import time
from datetime import datetime, timedelta
from decimal import Decimal

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL, mute_logger

from ..gateway import AccountRefusedError, MessageState, NotSentError
from ..sandbox import Fault
from ..sandbox.answers import Refusal
from ..services.asking import (
    GIVE_UP,
    LAST_LOOK,
    LATEST,
    MEMORY,
    NOT_ASKED,
    SOONEST,
    UNREACHABLE_PAUSE,
    check_now,
    expect_complete,
    next_look,
    note,
)
from ..services.message_states import TRANSITIONS
from .common import LiveCase

MESSAGE_LOG = "odoo.addons.sms_devino.services.message_life"
NOW = datetime(2026, 11, 23, 12, 0, 0)
NEVER = None


class StatusCase(TransactionCase):
    """One account, messages put into any state, answers made up: nothing is asked."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account = cls.env["sms.devino.account"].create(
            {"name": "Status", "mode": "test", "country_id": cls.env.ref("base.ru").id}
        )
        cls.messages = cls.env["sms.devino.message"]

    def setUp(self):
        super().setUp()
        self.enterContext(freeze_time(NOW))

    def message(self, state="sent", segments=1, age=timedelta(), **values):
        """A message in some state, accepted so long ago."""
        message = self.messages._write_rows([self.row(state, age, **values)])
        self.env["sms.devino.segment"]._insert(
            {message.id: [f"{message.id}-{n}" for n in range(segments)]}
        )
        return message

    def row(self, state="outgoing", age=timedelta(), **values):
        return {
            **self.account._message_values(NOW, 0),
            "use_until": None,
            "sender_name": "DevinoTest",
            "number": "+79214563763",
            "body": "Hello",
            "state": state,
            "accepted_at": NOW - age,
            "next_at": NOW,
            **values,
        }

    def answer(self, segment, state, *, price=None, words=""):
        return MessageState(
            state=state,
            submitted=NOW if state in (-1, 0) else NEVER,
            reported=NOW if state >= 0 and state != 255 else NEVER,
            description=words,
            price=price,
        )

    def note(self, message, *answers):
        """Note states (numbers), or errors, of the segments in order."""
        told = {
            segment.id: answer
            if isinstance(answer, Exception)
            else self.answer(segment, answer)
            for segment, answer in zip(message.segment_ids, answers, strict=True)
        }
        note(message, told)
        return message


@tagged("post_install", "-at_install", "sms_devino")
class TestRhythm(StatusCase):
    def look(self, age, **options):
        """Seconds until the next look at a message of that age."""
        message = self.message(age=age)
        return next_look(message, **options) - NOW

    def test_pauses_widen_with_age(self):
        for age, pause in (
            (timedelta(), SOONEST),
            (timedelta(seconds=10), SOONEST),
            (timedelta(minutes=1), timedelta(seconds=30)),
            (timedelta(hours=1), timedelta(minutes=30)),
            (timedelta(hours=7), timedelta(hours=3, minutes=30)),
            (timedelta(hours=20), LATEST),
        ):
            with self.subTest(age=age):
                self.assertEqual(self.look(age), pause)

    def test_last_look_comes_before_the_provider_forgets(self):
        age = LAST_LOOK - timedelta(minutes=5)
        self.assertEqual(self.look(age), timedelta(minutes=5))
        self.assertEqual(self.look(LAST_LOOK), MEMORY - LAST_LOOK)

    def test_unanswered_question_is_asked_later(self):
        self.assertEqual(self.look(timedelta(), unanswered=True), UNREACHABLE_PAUSE)
        self.assertEqual(
            self.look(timedelta(hours=4), unanswered=True), timedelta(hours=2)
        )

    def test_few_looks_in_a_whole_life(self):
        age, looks = timedelta(seconds=10), 0
        while age < MEMORY:
            age += self.look(age)
            looks += 1
        self.assertEqual(age, MEMORY)
        self.assertLess(looks, 40)


@tagged("post_install", "-at_install", "sms_devino")
class TestVerdict(StatusCase):
    def test_delivered_when_all_segments_are(self):
        message = self.note(self.message(segments=2), 0, -1)
        self.assertEqual(message.state, "sent")
        self.note(message, 0, 0)
        self.assertRecordValues(
            message,
            [
                {
                    "state": "delivered",
                    "delivered_at": NOW,
                    "next_at": False,
                    "message_status": "Delivered_To_Recipient",
                }
            ],
        )

    def test_partial_delivery_is_told_as_such(self):
        message = self.note(self.message(segments=3), 0, 46, 0)
        self.assertRecordValues(
            message,
            [
                {
                    "state": "undelivered",
                    "reason": "partial",
                    "message_status": "Error_Expired",
                }
            ],
        )

    def test_message_waits_for_its_last_segment(self):
        message = self.note(self.message(segments=2), 46, -1)
        self.assertEqual(message.state, "sent")
        self.assertEqual(message.message_status, "Error_Expired")
        self.assertEqual(message.next_at, NOW + SOONEST)

    def test_undelivered_by_its_code(self):
        for code, status in (
            (10, "Error_Invalid_Source_Address"),
            (11, "Error_Invalid_Destination_Address"),
            (42, "Error_Rejected"),
            (46, "Error_Expired"),
        ):
            with self.subTest(code=code):
                message = self.note(self.message(), code)
                self.assertEqual(message.state, "undelivered")
                self.assertEqual(message.message_status, status)
                self.assertFalse(message.reason)

    def test_price_is_the_sum_over_the_segments(self):
        message = self.message(segments=3)
        first, second, third = message.segment_ids
        note(
            message,
            {
                first.id: self.answer(first, 0, price=Decimal("1.55")),
                second.id: self.answer(second, -1, price=Decimal("1.55")),
                third.id: self.answer(third, -2),
            },
        )
        self.assertEqual(message.cost, 3.1)
        # a price that is told no more stays
        self.note(message, 0, -1, -1)
        self.assertEqual(message.cost, 3.1)

    def test_unknown_to_the_provider_overwrites_nothing(self):
        message = self.note(self.message(segments=2, age=timedelta(hours=1)), -1, 0)
        self.note(message, 255, 255)
        self.assertEqual(message.segment_ids.mapped("code"), [-1, 0])
        self.assertEqual(message.message_status, "Sent")
        message = self.note(message, 0, 0)
        self.note(message, 255, 255)
        self.assertEqual(message.state, "delivered")
        self.assertEqual(message.segment_ids.mapped("code"), [0, 0])

    def test_final_state_is_never_overwritten(self):
        message = self.note(self.message(), 46)
        with mute_logger(MESSAGE_LOG):
            self.note(message, 0)
        self.assertEqual(message.state, "undelivered")
        self.assertEqual(message.segment_ids.code, 46)

    def test_answers_that_come_twice_or_in_the_wrong_order_change_nothing(self):
        message = self.message(segments=2)
        for answers in ((-1, -1), (0, -1), (-1, -1), (0, -1), (255, 0), (-2, -2)):
            self.note(message, *answers)
        self.assertEqual(message.state, "delivered")
        self.note(message, 0, 0)
        self.assertEqual(message.state, "delivered")

    def test_without_final_report_for_48_hours_it_stays_unconfirmed(self):
        message = self.note(self.message(age=MEMORY - timedelta(seconds=1)), -1)
        self.assertEqual(message.state, "sent")
        for age, answer in ((MEMORY, -1), (MEMORY, 255), (GIVE_UP, NotSentError())):
            with self.subTest(answer=answer):
                message = self.note(self.message(age=age), answer)
                self.assertRecordValues(
                    message,
                    [
                        {
                            "state": "unconfirmed",
                            "reason": "silence",
                            "message_status": "Unrecognized",
                            "next_at": False,
                        }
                    ],
                )

    def test_final_report_at_the_last_moment_counts(self):
        message = self.note(self.message(age=MEMORY + timedelta(hours=1)), 0)
        self.assertEqual(message.state, "delivered")

    def test_question_without_an_answer_leaves_the_message_as_it_is(self):
        message = self.note(self.message(), -1)
        self.note(message, NotSentError())
        self.assertEqual(message.message_status, "Sent")
        self.assertEqual(message.next_at, NOW + UNREACHABLE_PAUSE)

    def test_last_look_that_failed_is_taken_again(self):
        for age, pause in (
            (LAST_LOOK, UNREACHABLE_PAUSE),
            (MEMORY, timedelta(hours=1)),
        ):
            message = self.note(self.message(age=age), NotSentError())
            self.assertEqual(message.state, "sent")
            self.assertEqual(message.next_at, NOW + pause)

    def test_question_whose_turn_did_not_come_stays_due(self):
        message = self.note(self.message(), NOT_ASKED)
        self.assertEqual(message.next_at, NOW)

    def test_one_statement_notes_many_messages(self):
        def statements(count):
            messages = self.messages.browse(self.message().id for _n in range(count))
            answers = {s.id: self.answer(s, -1) for s in messages.segment_ids}
            messages.mapped("accepted_at")
            before = self.env.cr.sql_log_count
            note(messages, answers)
            self.assertEqual(set(messages.mapped("message_status")), {"Sent"})
            return self.env.cr.sql_log_count - before

        self.assertEqual(statements(5), statements(60))


@tagged("post_install", "-at_install", "sms_devino")
class TestTransitions(StatusCase):
    def test_every_state_to_every_state(self):
        """The table is the law: what it allows happens, all else changes nothing."""
        states = [name for name, _label in self.messages._fields["state"].selection]
        for target, sources in TRANSITIONS.items():
            for source in states:
                with self.subTest(source=source, target=target):
                    message = self.message(source)
                    with mute_logger(MESSAGE_LOG):
                        moved = self.messages._transition(target, [{"id": message.id}])
                    allowed = source in sources
                    self.assertEqual(moved, message.ids if allowed else [])
                    self.assertEqual(message.state, target if allowed else source)

    def test_no_way_leads_out_of_a_final_state(self):
        final = {"delivered", "undelivered", "failed", "canceled"}
        for sources in TRANSITIONS.values():
            self.assertFalse(final & set(sources))

    def test_unknown_is_never_queued_again(self):
        for target in ("outgoing", "scheduled", "sending"):
            self.assertNotIn("unknown", TRANSITIONS.get(target, ()))

    def test_wrong_transition_is_logged_without_the_number(self):
        message = self.message("delivered")
        with self.assertLogs(MESSAGE_LOG, "WARNING") as log:
            self.messages._transition("canceled", [{"id": message.id}])
        self.assertIn("delivered -> canceled is not allowed", log.output[0])
        self.assertNotIn("9214563763", log.output[0])

    def test_repeated_transition_is_ignored_quietly(self):
        message = self.message("delivered")
        with self.assertNoLogs(MESSAGE_LOG, "WARNING"):
            self.messages._transition("delivered", [{"id": message.id}])

    def test_condition_narrows_the_sources(self):
        mine, other = self.message("sending", claim=1), self.message("sending", claim=2)
        rows = [{"id": mine.id}, {"id": other.id}]
        with mute_logger(MESSAGE_LOG):
            moved = self.messages._transition(
                "sent", rows, condition=SQL("m.claim = %s", 1)
            )
        self.assertEqual(moved, mine.ids)
        self.assertEqual(other.state, "sending")

    def test_rows_of_many_go_by_one_statement_with_a_value_each(self):
        def statements(count):
            messages = [self.message("outgoing") for _n in range(count)]
            rows = [{"id": m.id, "claim": m.id + 1} for m in messages]
            before = self.env.cr.sql_log_count
            self.messages._transition("sending", rows)
            used = self.env.cr.sql_log_count - before
            for message in messages:
                self.assertEqual(message.claim, message.id + 1)
            return used

        statements(1)  # fills caches
        self.assertEqual(statements(3), statements(90))

    def test_inserted_ids_come_in_the_order_of_the_rows(self):
        rows = [
            self.row(number=f"+7921{n:07}", body=f"{n}", dedup_key=f"key-{n % 40}")
            for n in range(60)
        ]
        written = self.messages._write_rows(rows)
        self.assertEqual(written.mapped("body"), [f"{n}" for n in range(40)])
        self.assertFalse(self.messages._write_rows(rows))
        self.assertFalse(self.messages._write_rows([]))


@tagged("post_install", "-at_install", "sms_devino")
class TestAsking(LiveCase):
    """The same with the sandbox asked over HTTP."""

    def sent(self, count=1, text="Hello"):
        ids = [self.enqueue(f"792145637{n:02}", text) for n in range(count)]
        self.dispatch()
        self.assertEqual(self.states(), {"sent": count})
        return ids

    def due(self):
        with self.transaction() as env:
            now = fields.Datetime.now()
            return env["sms.devino.message"].search_count(
                [("state", "=", "sent"), ("next_at", "<=", now)]
            )

    def wakes_now(self):
        with self.transaction() as env:
            now = fields.Datetime.now()
            return env["ir.cron.trigger"].search_count([("call_at", "<=", now)])

    def test_errors_while_asking_change_no_message(self):
        self.sent(3)
        self.provider.advance(60)
        for kind in ("drop_before", "status500", "html", "half_json", "code9"):
            self.provider.faults.add(Fault(kind, path="Sms/State", times=None))
            with self.subTest(kind=kind):
                self.check_statuses()
                self.assertEqual(self.states(), {"sent": 3})
                self.assertEqual(self.due(), 0)
            self.provider.faults.clear()
        self.check_statuses()
        self.assertEqual(self.states(), {"delivered": 3})

    def test_provider_that_is_gone_is_not_asked_for_every_message(self):
        self.sent(40)
        self.provider.faults.add(Fault("drop_before", path="Sms/State", times=None))
        before = self.server.requests["Sms/State"]
        with self.transaction() as env:
            env["ir.cron.trigger"].search([]).unlink()
        self.check_statuses()
        asked = self.server.requests["Sms/State"] - before
        self.assertLess(asked, 20)
        # those that were asked come later, and nobody is woken for the others at once
        self.assertEqual(self.due(), 40 - asked)
        self.assertFalse(self.wakes_now())

    def test_account_refused_while_asking_is_asked_once(self):
        self.sent(30)
        with self.transaction() as env:
            env["sms.devino.account"].browse(self.account_id).password = "other"
        before = self.server.requests["User/SessionId"]
        for _again in range(3):
            self.check_statuses()
        self.assertEqual(self.states(), {"sent": 30})
        self.assertEqual(self.server.requests["User/SessionId"] - before, 1)
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            self.assertEqual(account.state, "stopped")

    def test_account_without_password_is_left_alone_for_a_while(self):
        self.sent()
        with self.transaction() as env:
            env["sms.devino.account"].browse(self.account_id).password = False
        self.check_statuses()
        self.assertEqual(self.states(), {"sent": 1})
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            self.assertGreater(account.paused_until, fields.Datetime.now())

    def test_ids_that_always_fail_keep_no_other_from_being_asked(self):
        ids = self.sent(60)
        self.provider.advance(60)
        bad = []
        for message_id in ids[10:60:2]:
            with self.message(message_id) as message:
                bad += message.segment_ids.mapped("gateway_id")
        self.fail_states_of(bad)
        self.check_statuses()
        self.assertEqual(self.states(), {"delivered": 35, "sent": 25})

    def test_newest_ids_that_always_fail_keep_no_other_from_being_asked(self):
        ids = self.sent(60)
        self.provider.advance(60)
        with self.transaction() as env:
            newest = env["sms.devino.message"].browse(ids[30:])
            bad = newest.segment_ids.mapped("gateway_id")
        self.fail_states_of(bad)
        self.check_statuses()
        self.assertEqual(self.states(), {"delivered": 30, "sent": 30})

    def test_complete_picture_is_announced_when_it_takes_long(self):
        self.enqueue_rows(300, state="sent", next_at=fields.Datetime.now())
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            batch = env["sms.devino.batch"].new({"account_id": account.id})
            batch.sent_count = 300
            self.assertFalse(expect_complete(batch), "no limit, no wait")
            account.requests_per_second = 20
            self.assertFalse(expect_complete(batch), "less than ten minutes")
            account.requests_per_second = 1
            left = expect_complete(batch) - fields.Datetime.now()
            self.assertAlmostEqual(left.total_seconds(), 300 * 2.3, delta=5)

    def test_button_waits_five_seconds_for_all_accounts_together(self):
        self.sent()
        with self.transaction() as env:
            other = self._create_account(env, name="Other")
            env["sms.devino.message"].enqueue("79214563764", "Hello", account=other)
        self.dispatch()
        self.provider.faults.add(Fault("hold", seconds=8, path="Sms/State", times=2))
        with self.transaction() as env:
            messages = env["sms.devino.message"].search([])
            self.assertEqual(len(messages.account_id), 2)
            started = time.monotonic()
            check_now(messages)
            self.assertLess(time.monotonic() - started, 7)

    def fail_states_of(self, gateway_ids):
        """Have the provider answer 500 when it is asked for one of these ids."""
        answer_state = self.provider._state

        def state(call):
            if call.params.first("MessageID") in gateway_ids:
                raise Refusal(500, 9, "Internal server error", "ordered by a test")
            return answer_state(call)

        self.provider._state = state

    def test_single_messages_are_asked_before_those_of_a_mass_sending(self):
        self.enqueue_rows(30, priority="0")
        single = self.enqueue("79214563763", "Single")
        self.dispatch()
        self.provider.advance(60)
        asked = []
        with self.message(single) as message:
            gateway_id = message.segment_ids.gateway_id
        answer_state = self.provider._state

        def state(call):
            asked.append(call.params.first("MessageID"))
            return answer_state(call)

        self.provider._state = state
        self.check_statuses()
        self.assertIn(gateway_id, asked[:8])

    def test_button_locks_the_asking_and_no_account(self):
        self.sent()
        with self.transaction() as env:
            check_now(env["sms.devino.message"].search([]))
            with self.transaction() as other:
                account = other["sms.devino.account"].browse(self.account_id)
                account.lock_for_update()
                with self.assertRaisesRegex(UserError, "is being asked already"):
                    check_now(other["sms.devino.message"].search([]))

    def test_refused_account_is_told_from_a_refused_question(self):
        self.sent()
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            account.password = "other"
            messages = env["sms.devino.message"].search([])
            check_now(messages)
            self.assertEqual(messages.state, "sent")
        with self.assertRaises(AccountRefusedError), self.transaction() as env:
            env["sms.devino.account"].browse(self.account_id)._get_client().login()

    def test_partial_delivery_over_http(self):
        message_id = self.enqueue("79214563797", "Ы" * 200)
        self.dispatch()
        self.provider.advance(60)
        self.check_statuses()
        state, reason, cost = self.read(message_id, "state", "reason", "cost")
        self.assertEqual((state, reason), ("undelivered", "partial"))
        self.assertEqual(cost, 4.5)

    def test_never_reported_ends_unconfirmed_after_48_hours(self):
        message_id = self.enqueue("79214563798")
        self.dispatch()
        self.provider.advance(MEMORY.total_seconds() + 60)
        with self.transaction() as env:
            env.cr.execute(
                "UPDATE sms_devino_message SET accepted_at = accepted_at "
                "- interval '48 hours 1 minute'"
            )
        self.check_statuses()
        self.assertEqual(
            self.read(message_id, "state", "reason"), ("unconfirmed", "silence")
        )
