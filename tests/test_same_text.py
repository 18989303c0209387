"""The same text to the same number within a window of time."""

from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from ..services import same_text
from .base_case import SmsCase
from .mass_case import TEXT, MassCase

NUMBER = "+79214563763"


@tagged("post_install", "-at_install", "sms_devino")
class TestFindRecentSame(SmsCase):
    def sent(self, minutes=1, state="sent", **values):
        message = self.enqueue().sudo()
        at = fields.Datetime.now() - timedelta(minutes=minutes)
        message.write({"state": state, "accepted_at": at, **values})
        self.env.flush_all()
        return message

    def find(self, number=NUMBER, body="Hello", minutes=10):
        window = timedelta(minutes=minutes)
        pair = (number, body)
        found = same_text.find_recent_same(self.account, [pair], window)
        return found.get(pair)

    def test_same_number_and_text_within_the_window(self):
        message = self.sent(minutes=5)
        self.assertEqual(self.find().id, message.id)
        self.assertIsNone(self.find(minutes=4))
        self.assertIsNone(self.find(body="Hello!"))
        self.assertIsNone(self.find(number="+79214563764"))

    def test_only_what_may_be_with_the_recipient_counts(self):
        for state, counts in (
            ("delivered", True),
            ("unknown", True),
            ("unconfirmed", True),
            ("failed", False),
            ("undelivered", False),
            ("canceled", False),
            ("left_out", False),
        ):
            message = self.sent(state=state)
            self.assertEqual(bool(self.find()), counts, state)
            message.accepted_at = fields.Datetime.now() - timedelta(days=9)
        self.assertIsNone(self.find())

    def test_message_that_waits_counts_too(self):
        message = self.enqueue()
        self.assertEqual(self.find().id, message.id)

    def test_other_account_and_other_mode_do_not_count(self):
        message = self.sent(mode="live")
        self.assertIsNone(self.find())
        message.mode = "test"
        self.assertTrue(self.find())
        found = same_text.find_recent_same(
            self.other_account, [(NUMBER, "Hello")], timedelta(minutes=10)
        )
        self.assertFalse(found)

    def test_many_pairs_by_one_query(self):
        pairs = [(f"+7921000{n:04}", "Hello") for n in range(5000)]
        self.enqueue("79210000003")
        self.env.flush_all()
        self.assertEqual(self.account.mode, "test")  # read before the count
        with self.assertQueryCount(3):  # and two settings
            found = same_text.find_recent_same(
                self.account, pairs, timedelta(minutes=10)
            )
        self.assertEqual(list(found), [("+79210000003", "Hello")])
        with self.assertQueryCount(1):
            same_text.find_recent_same(
                self.account, pairs[: same_text.FEW], timedelta(minutes=10)
            )

    def test_many_numbers_are_not_looked_for_as_parts(self):
        cr = self.env.cr
        with same_text.past_trigrams(cr):
            cr.execute(
                "EXPLAIN SELECT id FROM sms_devino_message WHERE number = ANY(%s)",
                [[f"+7921000{n:04}" for n in range(5000)]],
            )
            plan = "\n".join(line for (line,) in cr.fetchall())
        self.assertNotIn("Bitmap", plan)
        cr.execute("SHOW enable_bitmapscan")
        self.assertEqual(cr.fetchone()[0], "on")

    def test_warning_by_the_setting_of_the_account(self):
        self.sent(minutes=5)
        pairs = [(NUMBER, "Hello")]
        self.assertIn("got the same text", same_text.warn_single(self.account, pairs))
        self.account.same_text_minutes = 4
        self.assertFalse(same_text.warn_single(self.account, pairs))
        self.account.same_text_minutes = 0
        self.assertFalse(same_text.warn_single(self.account, pairs))
        self.assertIsNone(same_text.window_of(self.account, is_mass=False))
        self.assertEqual(
            same_text.window_of(self.account, is_mass=True), timedelta(hours=24)
        )


@tagged("post_install", "-at_install", "sms_devino")
class TestSameTextInForm(SmsCase):
    def warning(self, number, text, user="user"):
        composer = self.env_of(user)["sms.composer"].create(
            {
                "sms_devino_direct": True,
                "sms_devino_account_id": self.account.id,
                "sms_devino_number": number,
                "composition_mode": "numbers",
                "body": text,
            }
        )
        self.assertEqual(composer.sms_devino_recipient_count, 1)
        return composer.sms_devino_same_text

    def test_form_warns_before_sending(self):
        self.enqueue()
        self.assertIn("got the same text", self.warning("8 921 456-37-63", "Hello"))
        self.assertFalse(self.warning("8 921 456-37-63", "Hello again"))
        self.assertFalse(self.warning("79214563764", "Hello"))

    def test_warning_links_to_the_earlier_message_for_those_who_may_read_it(self):
        message = self.enqueue(kind="manager")
        link = f"/odoo/sms.devino.message/{message.id}"
        same = ("8 921 456-37-63", "Hello")
        self.assertIn(link, self.warning(*same, user="manager"))
        # a user reads the own ones only
        told = self.warning(*same)
        self.assertIn("got the same text", told)
        self.assertNotIn("href", told)
        message.sudo().author_id = self.people["user"]
        self.assertIn(link, self.warning(*same))


@tagged("post_install", "-at_install", "sms_devino")
class TestSameTextInDraft(MassCase):
    def test_who_got_it_within_a_day_is_left_out_unless_overridden(self):
        number = self.numbers(1)[0]
        self.enqueue(number, TEXT)
        self.enqueue(self.numbers(2)[1], "Another text")
        batch_id = self.prepare()
        reasons = self.rows(batch_id, "number", "reason", state="left_out")
        self.assertEqual(reasons, [(f"+{number}", "same_text")])
        self.assertEqual(self.read_batch(batch_id, "total", "left_out_count"), (9, 1))
        with self.transaction() as env:
            batch = env["sms.devino.batch"].browse(batch_id)
            batch.allow_same_text = True
        self.calculate(batch_id)
        self.assertEqual(self.read_batch(batch_id, "total"), 10)

    def test_rows_of_a_sent_batch_count_before_they_are_queued(self):
        at = fields.Datetime.now() + timedelta(hours=1)
        self.send_mass(scheduled_at=at)
        self.assertEqual(self.read_batch(self.prepare(), "left_out_count"), 10)

    def test_setting_switches_it_off(self):
        self.enqueue(self.numbers(1)[0], TEXT)
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            account.same_text_mass_hours = 0
        self.assertEqual(self.read_batch(self.prepare(), "total"), 10)

    def test_what_failed_is_sent_again(self):
        rejected = self.make_list(self.numbers(2, 79214600091), "Test: rejected")
        batch_id = self.send_mass(list_ids=[(6, 0, [rejected])])
        self.dispatch()
        self.provider.advance(60)
        self.check_statuses()
        again = self.press(batch_id, "action_send_failed")["res_id"]
        self.run_calculations()
        self.assertEqual(self.read_batch(again, "total"), 2)

    def test_row_that_is_left_out_names_the_earlier_message(self):
        self.send_mass()
        self.dispatch()
        batch_id = self.prepare()
        with self.transaction(self.users["manager"]) as env:
            rows = env["sms.devino.message"].search(
                [("batch_id", "=", batch_id), ("reason", "=", "same_text")]
            )
            self.assertEqual(len(rows), 10)
            for row in rows:
                self.assertEqual(row.earlier_id.number, row.number)
                self.assertEqual(row.earlier_id.state, "sent")
                self.assertEqual(row.earlier_at, row.earlier_id.accepted_at)
            self.assertFalse(rows.earlier_id.earlier_id)
