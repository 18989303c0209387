"""The journal's doors: what enters it, what its buttons do, what it says in words."""

from datetime import timedelta

from lxml import etree

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..gateway.codes import OPERATION_STATUSES
from ..gateway.verdict import classify
from ..sandbox import Fault
from ..services.asking import GIVE_UP, MEMORY
from ..services.message_words import list_events, notify_status
from .base_case import SmsCase
from .common import LiveCase
from .test_status import NOW, StatusCase


@tagged("post_install", "-at_install", "sms_devino")
class TestEnqueue(SmsCase):
    def test_time_in_the_past_means_now_with_its_whole_validity(self):
        past = fields.Datetime.now() - timedelta(days=1)
        message = self.enqueue(scheduled_at=past, validity=60)
        self.assertEqual((message.state, message.scheduled_at), ("outgoing", False))
        left = message.use_until - fields.Datetime.now()
        self.assertGreater(left, timedelta(minutes=58))

    def test_known_key_returns_the_first_message(self):
        first = self.enqueue(key="order/1")
        self.assertEqual(self.enqueue("8 921 456-37-63", key="order/1"), first)
        self.sender.state = "refused"
        self.assertEqual(self.enqueue(key="order/1"), first)

    def test_known_key_with_another_message_says_what_differs(self):
        self.enqueue(key="order/1")
        for differs, options in (
            ("Number", {"number": "79214563764"}),
            ("Text", {"text": "Other"}),
            ("Sender", {"sender": "Other"}),
            ("Number, Text", {"number": "79214563764", "text": "Other"}),
        ):
            with (
                self.subTest(differs),
                self.assertRaisesRegex(UserError, f"differs: {differs}\\."),
            ):
                self.enqueue(key="order/1", **options)

    def test_two_zeros_before_a_number_are_never_sent(self):
        self.assertEqual(self.enqueue("0079214563763").number, "+79214563763")
        self.assertEqual(self.enqueue("00375291234567").number, "+375291234567")
        with self.assertRaises(UserError):
            self.enqueue("00")

    def test_half_of_a_surrogate_pair_is_left_out(self):
        message = self.enqueue(text="Hi \ud83d there \U0001f600")
        self.env.flush_all()
        self.assertEqual(message.body, "Hi  there \U0001f600")
        with self.assertRaisesRegex(UserError, "enter the text"):
            self.enqueue(text="\udc00")

    def test_archived_account_takes_no_message(self):
        self.account.active = False
        with self.assertRaisesRegex(UserError, "archived"):
            self.enqueue()


@tagged("post_install", "-at_install", "sms_devino")
class TestScheduled(SmsCase):
    def scheduled(self, **options):
        at = fields.Datetime.now() + timedelta(hours=2)
        return self.enqueue(scheduled_at=at, **options)

    def move(self, kind, messages, at):
        wizard = self.env_of(kind)["sms.devino.message.move"]
        wizard = wizard.with_context(active_ids=messages.ids)
        wizard.create({"scheduled_at": at}).action_move()

    def test_moved_with_its_validity(self):
        message = self.scheduled(validity=30)
        at = message.scheduled_at + timedelta(hours=3)
        self.move("user", message, at)
        self.assertEqual(message.scheduled_at, at)
        self.assertEqual(message.use_until, at + timedelta(minutes=30))
        self.assertEqual(message.state, "scheduled")

    def test_wizard_begins_with_the_time_there_is(self):
        message = self.scheduled()
        wizard = self.env_of("user")["sms.devino.message.move"]
        defaults = wizard.with_context(active_ids=message.ids).default_get(
            ["scheduled_at", "message_ids"]
        )
        self.assertEqual(defaults["scheduled_at"], message.scheduled_at)

    def test_not_into_the_past_nor_by_somebody_else(self):
        message = self.scheduled()
        with self.assertRaisesRegex(UserError, "has passed"):
            self.move("user", message, fields.Datetime.now() - timedelta(hours=1))
        before = message.scheduled_at
        with self.assertRaisesRegex(UserError, "cannot be found"):
            self.move("colleague", message, fields.Datetime.now() + timedelta(days=1))
        self.assertEqual(message.scheduled_at, before)

    def test_sent_now(self):
        message = self.scheduled(validity=30)
        message.action_send_now()
        self.assertIn(message.id, self.env["sms.devino.message"]._release_due())
        self.assertEqual(message.state, "outgoing")
        left = message.use_until - fields.Datetime.now()
        self.assertLessEqual(left, timedelta(minutes=30))

    def test_too_late_to_move(self):
        message = self.enqueue()
        with self.assertRaisesRegex(UserError, "Too late"):
            message.action_send_now()


@tagged("post_install", "-at_install", "sms_devino")
class TestWords(SmsCase):
    def test_stopped_account_is_told_at_once_and_to_everybody(self):
        self.account.sudo().write(
            {"state": "stopped", "operation_status": "Error_Invalid_Password"}
        )
        message = self.enqueue()
        for part in ("account is stopped", "wrong password", "leaves by itself"):
            self.assertIn(part, message.waiting_for)

    def test_message_that_waits_says_why_after_ten_seconds(self):
        message = self.enqueue()
        for seconds, expected in ((0, ""), (11, "scheduled actions are busy")):
            self.env.cr.execute(
                "UPDATE sms_devino_message SET create_date = %s",
                [fields.Datetime.now() - timedelta(seconds=seconds)],
            )
            message.invalidate_recordset()
            self.assertIn(expected, message.waiting_for or "")
            self.assertEqual(bool(expected), bool(message.waiting_for))
        self.account.sudo().paused_until = fields.Datetime.now() + timedelta(minutes=1)
        message.invalidate_recordset()
        self.assertIn("could not be reached", message.waiting_for)

    def test_other_count_of_sms_is_told(self):
        message = self.enqueue(text="Ы" * 150).sudo()
        self.assertEqual(message.segment_count, 3)
        message.write({"state": "sent", "accepted_at": fields.Datetime.now()})
        self.env["sms.devino.segment"]._insert({message.id: ["1", "2"]})
        texts = [event["text"] for event in list_events(message)]
        self.assertIn(
            "Accepted by the provider as 2 SMS; by the text it should be 3", texts
        )

    def test_failed_attempt_is_called_an_attempt(self):
        message = self.enqueue().sudo()
        message.claimed_at = fields.Datetime.now()
        texts = [event["text"] for event in list_events(message)]
        self.assertEqual(texts, ["Created", "Attempt to send"])

    def test_part_of_a_number_finds_it_and_behind_a_plus_only_the_beginning(self):
        message = self.enqueue(number="+79214563763")
        for typed, is_found in (
            ("456-37", True),
            ("3763", True),
            ("+7 921 456", True),
            ("+7921456", True),
            ("+921456", False),
            ("+7 921 457", False),
        ):
            found = message.search(
                [("id", "=", message.id), ("number_search", "ilike", typed)]
            )
            self.assertEqual(bool(found), is_found, typed)

    def test_technical_words_are_for_administrators(self):
        view = self.env_of("user")["sms.devino.message"].get_view(view_type="form")
        for name in ("raw_answer", "uuid", "claim"):
            self.assertNotIn(f'name="{name}"', view["arch"])
        # the one error that is told in words of ours
        form = etree.fromstring(view["arch"])
        [error] = form.iterfind(".//field[@name='error_text']")
        self.assertEqual(error.getparent().get("invisible"), "reason != 'capped'")


@tagged("post_install", "-at_install", "sms_devino")
class TestLateReport(StatusCase):
    def test_report_after_the_48_hours_moves_the_message(self):
        for code, state in ((0, "delivered"), (46, "undelivered")):
            message = self.message("unconfirmed", age=MEMORY + timedelta(hours=1))
            self.note(message, code)
            self.assertEqual(message.state, state)

    def test_last_look_is_taken_after_a_failed_connection(self):
        message = self.message(age=timedelta(hours=50))
        from_error = classify(kind="read", exception=ConnectionRefusedError())
        self.note(message, from_error)
        self.assertEqual(message.state, "sent")
        self.assertGreater(message.next_at, NOW)
        self.assertLess(timedelta(hours=50), GIVE_UP)
        self.note(message, 0)
        self.assertEqual(message.state, "delivered")


@tagged("post_install", "-at_install", "sms_devino")
class TestCheckStatus(LiveCase):
    def check(self, message_id):
        """Press Check status; return the title and the text of the notice."""
        with self.transaction(self.users["manager"]) as env:
            action = env["sms.devino.message"].browse(message_id).action_check_status()
        return action["params"]["title"], action["params"]["message"]

    def sent(self):
        message_id = self.enqueue()
        self.dispatch()
        return message_id

    def test_time_of_sending_and_status_also_once_delivered(self):
        message_id = self.sent()
        self.provider.advance(60)
        for _again in range(2):
            title, text = self.check(message_id)
            self.assertEqual(title, "Status of the message")
            self.assertRegex(text, r"^Sent: .+\. Status: Delivered\. As of .+\.$")
        self.assertEqual(self.read(message_id, "state"), "delivered")

    def test_refused_question_shows_the_status_of_the_operation(self):
        message_id = self.sent()
        with self.transaction() as env:
            env.cr.execute("UPDATE sms_devino_segment SET gateway_id = ''")
        title, text = self.check(message_id)
        self.assertEqual(title, "Status of the operation")
        self.assertIn("invalid message ID", text)
        self.assertRegex(text, r"^Sent: .+\. ")

    def test_provider_that_does_not_answer_is_told(self):
        message_id = self.sent()
        self.provider.faults.add(Fault("status500", path="Sms/State", times=None))
        _title, text = self.check(message_id)
        self.assertIn("The provider gave no status", text)
        self.assertEqual(self.read(message_id, "state"), "sent")

    def test_refused_login_is_told(self):
        message_id = self.sent()
        with self.transaction() as env:
            env["sms.devino.account"].browse(self.account_id).password = "other"
        _title, text = self.check(message_id)
        self.assertIn("wrong login", text)

    def test_each_operation_status_has_its_words(self):
        message_id = self.sent()
        with self.transaction(self.users["manager"]) as env:
            message = env["sms.devino.message"].browse(message_id)
            for status, label in OPERATION_STATUSES[1:]:
                error = classify(kind="read", http_status=400, body="{}")
                error.operation_status = status
                action = notify_status(message, error)
                self.assertIn(label, action["params"]["message"])


@tagged("post_install", "-at_install", "sms_devino")
class TestArchivedAccount(LiveCase):
    def test_it_sends_nothing(self):
        message_id = self.enqueue()
        with self.transaction() as env:
            env["sms.devino.account"].browse(self.account_id).active = False
        self.dispatch()
        self.assertEqual(self.read(message_id, "state"), "outgoing")
        self.assertFalse(self.provider.ledger)
