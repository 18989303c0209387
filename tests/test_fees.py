"""Fixed fees of sender names: in the spending, and renewed in time."""

from datetime import timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..services.fees import ask_renewals
from .base_case import SmsCase


@tagged("post_install", "-at_install", "sms_devino")
class TestFees(SmsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.write({"mode": "live", "responsible_id": cls.people["admin"].id})
        cls.today = fields.Date.today()

    def overview(self):
        return self.env_of("manager")["sms.devino.day"].get_overview()

    def spending(self):
        return [row["amounts"] for row in self.overview()["spending"]]

    def lasts(self):
        [balance] = [
            one for one in self.overview()["balances"] if one["id"] == self.account.id
        ]
        return balance["lasts"]

    def make_old(self):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sms_devino_sender SET create_date = '2020-01-01' WHERE id = %s",
            [self.sender.id],
        )
        self.env.invalidate_all()

    def activities(self):
        kind = self.env.ref("sms_devino.mail_activity_renewal")
        return self.account.activity_ids.filtered(lambda a: a.activity_type_id == kind)

    # --- spending -------------------------------------------------------------------

    def test_without_a_fee_nothing_changes(self):
        self.assertEqual(self.spending(), [["–"], ["–"], ["–"]])
        self.account._note_balance(300)
        self.assertFalse(self.lasts())

    def test_fee_is_in_the_spending_of_the_months_and_in_the_forecast(self):
        self.sender.fee = 300
        self.assertEqual(
            self.spending(), [["300.00 credits"], ["–"], ["300.00 credits"]]
        )
        self.make_old()
        self.assertEqual(self.spending(), [["300.00 credits"]] * 3)

    def test_name_that_is_paid_for_no_more_costs_nothing(self):
        self.sender.write({"fee": 300, "paid_until": self.today - timedelta(days=62)})
        self.make_old()
        self.assertEqual(self.spending(), [["–"], ["–"], ["–"]])

    def test_balance_lasts_shorter_with_a_fee(self):
        self.account._note_balance(300)
        self.sender.fee = 300
        self.assertEqual(self.lasts(), "lasts about 30 days")

    def test_fee_is_in_the_mail_about_last_month(self):
        self.company.sms_devino_spending_emails = "boss@example.com"
        self.sender.fee = 300
        self.make_old()
        before = self.env["mail.mail"].search([])
        with mute_logger("odoo.addons.mail.models.mail_mail"):
            self.env["sms.devino.day"]._cron_mail_spending()
        body = (self.env["mail.mail"].search([]) - before).body_html
        self.assertIn("Fixed fees of sender names", body)
        self.assertEqual(body.count("300.00 credits"), 2)

    # --- renewal --------------------------------------------------------------------

    def test_renewal_is_asked_for_once_and_ends_when_the_day_moves(self):
        self.sender.paid_until = self.today + timedelta(days=30)
        self.assertFalse(self.activities())
        # some weeks later
        self.sender.flush_recordset()
        self.env.cr.execute(
            "UPDATE sms_devino_sender SET paid_until = %s WHERE id = %s",
            [self.today + timedelta(days=5), self.sender.id],
        )
        self.env.invalidate_all()
        for _day in range(2):
            ask_renewals(self.account)
            self.assertEqual(len(self.activities()), 1)
        self.assertEqual(self.activities().user_id, self.people["admin"])
        self.assertIn("Ours", self.activities().note)
        self.sender.paid_until = self.today + timedelta(days=40)
        self.assertFalse(self.activities())

    def test_who_has_done_it_is_not_asked_again_for_the_same_day(self):
        self.sender.paid_until = self.today
        self.activities().action_done()
        ask_renewals(self.account)
        self.assertFalse(self.activities())
        self.sender.paid_until = self.today + timedelta(days=1)
        self.assertEqual(len(self.activities()), 1)

    def test_name_that_is_gone_or_archived_is_not_renewed(self):
        second = self.create_sender(self.account, "Second", paid_until=self.today)
        third = self.create_sender(self.account, "Third", paid_until=self.today)
        self.assertEqual(len(self.activities()), 1)
        second.active = False
        self.assertNotIn("Second", self.activities().note)
        third.unlink()
        self.assertFalse(self.activities())

    def test_name_that_comes_back_or_whose_day_moves_back_is_asked_for_again(self):
        self.sender.paid_until = self.today
        for values in (
            {"active": False},
            {"active": True},
            {"paid_until": self.today + timedelta(days=365)},
            {"paid_until": self.today},
        ):
            self.sender.write(values)
            is_due = self.sender.active and self.sender.paid_until == self.today
            self.assertEqual(len(self.activities()), int(is_due), values)
