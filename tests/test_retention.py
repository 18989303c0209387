from datetime import timedelta
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from ..services import retention
from .base_case import SmsCase
from .mass_case import TEXT, MassCase

OLD = fields.Datetime.now() - timedelta(days=100)
KEPT = ("state", "segment_count", "cost_estimated", "sender_name", "account_id")
ERASED = (*retention.PERSONAL, *retention.RELATED)


class RetentionCase(SmsCase):
    def old_message(self, state="delivered", at=OLD, **values):
        partner = self.env["res.partner"].create({"name": "Anna"})
        message = self.enqueue(partner=partner, record=partner).sudo()
        values = {"state": state, "accepted_at": at, "error_text": "x", **values}
        message.write({"name": "Anna", "data": {"a": "b"}, **values})
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sms_devino_message SET create_date = %s WHERE id = %s",
            (at, message.id),
        )
        message.invalidate_recordset()
        return message

    def count(self, months=3):
        limit = retention.find_limit(self.company, months)
        return retention.count(self.company, limit) if limit else 0

    def erase(self):
        """Do what a page of the job does; the job itself commits."""
        if limit := retention.find_limit(self.company):
            old = retention._old(self.company, limit)
            retention._anonymise_page(self.env["sms.devino.message"], old)
        self.env.invalidate_all()


@tagged("post_install", "-at_install", "sms_devino")
class TestRetention(RetentionCase):
    """Old messages lose whom and what, and keep counts and money."""

    def test_nothing_is_touched_by_default(self):
        message = self.old_message()
        self.assertEqual(self.company.sms_devino_keep_months, 0)
        self.assertIsNone(retention.find_limit(self.company))
        self.erase()
        self.assertTrue(message.number)

    def test_old_messages_at_rest_are_made_anonymous(self):
        self.company.sms_devino_keep_months = 3
        messages = [self.old_message(state) for state in retention.TOUCHED]
        before = [[message[name] for name in KEPT] for message in messages]
        self.assertEqual(self.count(), len(messages))
        self.erase()
        for message, kept in zip(messages, before, strict=True):
            with self.subTest(message.state):
                self.assertFalse([name for name in ERASED if message[name]])
                self.assertEqual([message[name] for name in KEPT], kept)
        self.assertEqual(self.count(), 0)

    def test_what_is_on_its_way_is_never_touched(self):
        self.company.sms_devino_keep_months = 3
        waiting = [
            self.old_message(state)
            for state in ("scheduled", "outgoing", "sending", "sent", "draft")
        ]
        later = fields.Datetime.now() + timedelta(days=9)
        waiting += [
            self.old_message(accepted_at=fields.Datetime.now()),
            self.old_message("canceled", accepted_at=False, scheduled_at=later),
            self.old_message(at=fields.Datetime.now() - timedelta(days=80)),
        ]
        self.assertEqual(self.count(), 0)
        self.erase()
        for message in waiting:
            self.assertTrue(message.number and message.body, message.state)

    def test_another_company_keeps_its_own(self):
        self.other_company.sms_devino_keep_months = 3
        message = self.old_message()
        self.erase()
        self.assertTrue(message.number)

    def test_a_message_without_a_number_is_not_sent_again(self):
        self.company.sms_devino_keep_months = 3
        message = self.old_message("failed")
        self.erase()
        with self.assertRaisesRegex(UserError, "made anonymous"):
            message.with_env(self.env_of("manager")).action_send_again()

    def test_the_settings_count_before_anything_is_touched(self):
        self.old_message()
        settings = self.env["res.config.settings"].with_company(self.company)
        values = {"company_id": self.company.id, "sms_devino_keep_months": 3}
        spec = {name: {} for name in values}
        answer = settings.onchange(values, ["sms_devino_keep_months"], spec)
        text = answer["warning"]["message"]
        self.assertEqual(self.company.sms_devino_keep_months, 0)
        self.assertIn("1 messages", text)

    def test_what_is_anonymous_is_not_walked_again(self):
        self.company.sms_devino_keep_months = 3
        for _number in range(20):
            self.old_message()
        self.erase()
        self.env.cr.execute("ANALYZE sms_devino_message")
        old = retention._old(self.company, retention.find_limit(self.company))
        query = SQL(
            "EXPLAIN SELECT m.id FROM sms_devino_message m WHERE %s "
            "ORDER BY m.create_date LIMIT 5000",
            old,
        )
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        plan = "\n".join(line for (line,) in self.env.execute_query(query))
        self.assertIn("sms_devino_message_personal_idx", plan)

    def test_less_than_no_month_is_refused(self):
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self.company.sms_devino_keep_months = -1
            self.env.flush_all()


@tagged("post_install", "-at_install", "sms_devino")
class TestRetentionJob(MassCase):
    """The job in real transactions; a mass sending keeps its text."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self._undo)

    def _undo(self):
        with self.transaction() as env:
            env.company.sms_devino_keep_months = 0

    def test_page_by_page_and_the_text_of_the_sending_stays(self):
        self.startPatcher(patch.object(retention, "PAGE", 4))
        batch_id = self.send_mass()
        self.dispatch()
        self.provider.advance(60)
        self.check_statuses()
        fresh = self.enqueue()
        with self.transaction() as env:
            env.company.sms_devino_keep_months = 1
            env.cr.execute(
                """UPDATE sms_devino_message SET create_date = %s, accepted_at = %s
                    WHERE batch_id = %s""",
                (OLD, OLD, batch_id),
            )
        with self.transaction() as env:
            env["sms.devino.message"]._cron_anonymise()
        numbers = self.rows(batch_id, "number", "body", state="delivered")
        self.assertEqual(numbers, [(False, False)] * 10)
        self.assertEqual(self.read_batch(batch_id, "body", "total"), (TEXT, 10))
        self.assertEqual(self.progress(batch_id), {"delivered": 10})
        self.assertTrue(self.read(fresh, "number"))
