"""At most so many messages of a purpose to one number."""

from datetime import timedelta
from itertools import product

from psycopg2 import IntegrityError

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..services import caps
from .base_case import SmsCase
from .mass_case import MassCase

NUMBER = "+79214500000"


@tagged("post_install", "-at_install", "sms_devino")
class TestCaps(MassCase):
    def remind(self, text, **options):
        return self.enqueue(NUMBER, text, purpose="debt", **options)

    def test_third_reminder_of_a_debt_on_one_day_is_held_back(self):
        for text in ("Please pay", "Please pay today"):
            message_id = self.remind(text)
            self.dispatch()
            self.assertEqual(self.read(message_id, "state"), "sent")
        third_id = self.remind("Please pay now")
        self.dispatch()
        state, reason, words = self.read(third_id, "state", "reason", "error_text")
        self.assertEqual((state, reason), ("canceled", "capped"))
        self.assertIn(f"At most 2 a day. The last one: SMS {message_id} at", words)
        self.assertEqual(len(self.provider.ledger), 2)
        # the limit is over when the day is
        with self.transaction() as env:
            env.cr.execute(
                "UPDATE sms_devino_message SET accepted_at = accepted_at - %s "
                "WHERE accepted_at IS NOT NULL",
                [timedelta(days=1)],
            )
        fourth_id = self.remind("Please pay at last")
        self.dispatch()
        self.assertEqual(self.read(fourth_id, "state"), "sent")

    def test_reminders_to_companies_have_no_limit(self):
        with self.transaction() as env:
            partners = env["res.partner"]
            company = partners.create(
                {"name": "Firm", "is_company": True, "phone": NUMBER}
            )
            worker = partners.create({"name": "Clerk", "parent_id": company.id})
            person = partners.create({"name": "Anna", "phone": NUMBER})
            self.addCleanup(self._unlink, (worker + company + person).ids)
        sent = []
        for partner in (company, company, company, worker, person):
            with self.transaction() as env:
                partner = env["res.partner"].browse(partner.id)
                sent.append(self.remind(f"Text {len(sent)}", partner=partner))
            self.dispatch()
        states = [self.read(key, "state") for key in sent]
        self.assertEqual(states, ["sent"] * 4 + ["canceled"])
        # a draft leaves out the person and not the company
        for partner, left_out in ((company, 0), (person, 1)):
            batch_id = self.prepare(
                purpose="debt",
                list_ids=[Command.clear()],
                partner_ids=[Command.set(partner.ids)],
            )
            rows = self.rows(batch_id, "reason", state="left_out")
            self.assertEqual(rows, ["capped"] * left_out)

    def _unlink(self, partner_ids):
        with self.transaction() as env:
            env["res.partner"].browse(partner_ids).unlink()

    def test_three_that_are_due_at_the_same_time(self):
        message_ids = [self.remind(f"Text {n}") for n in range(3)]
        self.dispatch()
        states = [self.read(key, "state") for key in message_ids]
        self.assertEqual(states, ["sent", "sent", "canceled"])

    def test_service_and_advertising_are_not_held_back(self):
        for purpose in ("service", "advertising"):
            for number in range(3):
                self.enqueue(NUMBER, f"{purpose} {number}", purpose=purpose)
        self.dispatch()
        self.assertEqual(len(self.provider.ledger), 6)

    def test_mass_sending_leaves_out_and_looks_again_at_departure(self):
        for number in range(2):
            message_id = self.remind(f"Text {number}")
        self.dispatch()
        batch_id = self.prepare(purpose="debt")
        [(number, reason, words)] = self.rows(
            batch_id, "number", "reason", "error_text", state="left_out"
        )
        self.assertEqual((number, reason), (NUMBER, "capped"))
        self.assertIn(f"SMS {message_id} at", words)
        self.assertEqual(self.read_batch(batch_id, "total"), 9)
        # between calculation and departure another number gets its two
        other = f"+{self.numbers(2)[1]}"
        for number in range(2):
            self.enqueue(other, f"Text {number}", purpose="debt")
        self.dispatch()
        self.approve(batch_id)
        self.dispatch()
        canceled = self.rows(batch_id, "number", "reason", state="canceled")
        self.assertEqual(canceled, [(other, "capped")])
        self.assertEqual(len(self.rows(batch_id, "id", state="sent")), 8)

    def test_company_limits_advertising(self):
        with self.transaction() as env:
            env.company.sms_devino_cap_advertising = True
        self.addCleanup(self._switch_off)
        self.approve(self.prepare())
        self.dispatch()
        self.assertEqual(len(self.provider.ledger), 10)
        batch_id = self.prepare(body="Another sale")
        reasons = self.rows(batch_id, "reason", state="left_out")
        self.assertEqual(reasons, ["capped"] * 10)

    def _switch_off(self):
        with self.transaction() as env:
            env.company.sms_devino_cap_advertising = False


@tagged("post_install", "-at_install", "sms_devino")
class TestCapRules(SmsCase):
    def test_limit_of_zero_is_refused(self):
        for purpose, period in product(caps.CAPPED, caps.PERIODS):
            name = f"sms_devino_cap_{purpose}_{period}"
            with (
                self.subTest(name),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
                self.env.cr.savepoint(),
            ):
                self.company[name] = 0
                self.company.flush_recordset()

    def test_which_limit_is_reached(self):
        now = fields.Datetime.now()
        limits = {"day": 2, "week": 4, "month": 16}
        hours = [1, 2, 30, 31, 33]
        for ago, period in (([], None), (hours[:1], None), (hours[:2], "day")):
            times = sorted((now - timedelta(hours=hour), hour) for hour in ago)
            over = caps.find_over(times, now, limits)
            self.assertEqual(over and over[0], period)
        times = sorted((now - timedelta(hours=hour), hour) for hour in hours[1:])
        self.assertEqual(caps.find_over(times, now, limits)[0], "week")
        # what comes later does not count
        self.assertIsNone(caps.find_over([(now + timedelta(1), 1)] * 9, now, limits))

    def test_other_companies_modes_and_fates_do_not_count(self):
        message = self.enqueue(purpose="debt").sudo()
        now = fields.Datetime.now()

        def count(company=self.company, mode="test"):
            found = caps.find_counted(
                self.env, company, "debt", mode, [{"number": message.number}]
            )
            return sum(map(len, found.values()))

        for state, expected in (("sent", 1), ("unknown", 1), ("failed", 0)):
            message.write({"state": state, "accepted_at": now})
            self.assertEqual(count(), expected, state)
        message.state = "delivered"
        self.assertEqual(count(company=self.other_company), 0)
        self.assertEqual(count(mode="live"), 0)
        message.accepted_at = now - timedelta(days=32)
        self.assertEqual(count(), 0)

    def test_many_numbers_by_one_query(self):
        rows = [{"number": f"+7921000{n:04}"} for n in range(5000)]
        self.env.flush_all()
        with self.assertQueryCount(1):
            caps.find_counted(self.env, self.company, "debt", "test", rows)
