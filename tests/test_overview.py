from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .base_case import SmsCase


@tagged("post_install", "-at_install")
class TestOverview(SmsCase):
    def setUp(self):
        super().setUp()
        self.days = self.env["sms.devino.day"]
        self.days._refresh()

    def send(self, kind="user", state="delivered", days_ago=0, **values):
        message = self.enqueue(kind=kind).sudo()
        at = fields.Datetime.now() - timedelta(days=days_ago)
        message.write({"state": state, "accepted_at": at, "cost": 2.5, **values})
        return message

    def test_trial_portion_that_waits_is_told(self):
        batch = self.env["sms.devino.batch"].create(
            {"name": "Sale", "account_id": self.account.id}
        )
        batch.write({"state": "running", "trial_count": 20})

        def lines(kind):
            days = self.env_of(kind)["sms.devino.day"]
            return [one["text"] for one in days.get_overview()["attention"]]

        text = "Trial portions that wait for Continue: 1"
        self.assertIn(text, lines("manager"))
        self.assertNotIn(text, lines("user"))

    def test_days_are_summed_as_the_journal_has_them(self):
        self.send()
        self.send(state="undelivered")
        self.send(kind="manager", days_ago=20)
        self.enqueue()
        self.assertEqual(self.days._count_differences(), 2)
        self.days._refresh()
        self.assertEqual(self.days._count_differences(), 0)
        days = self.days.search([("company_id", "=", self.company.id)])
        self.assertEqual(sum(days.mapped("message_count")), 3)
        self.assertEqual(sum(days.mapped("delivered_count")), 2)
        self.assertEqual(sum(days.mapped("cost")), 7.5)

    def test_a_refresh_touches_only_days_that_may_change(self):
        self.send(days_ago=20)
        self.days._refresh()
        old = self.days.search([("company_id", "=", self.company.id)])
        self.send()
        self.days._cron_refresh()
        self.assertTrue(old.exists())
        self.assertEqual(self.days._count_differences(), 0)

    def test_the_day_is_that_of_the_company(self):
        self.company.partner_id.tz = "Asia/Vladivostok"
        self.send(accepted_at="2026-03-01 20:00:00")
        self.days._refresh()
        days = self.days.search([("company_id", "=", self.company.id)])
        self.assertEqual(days.day, fields.Date.to_date("2026-03-02"))

    def test_a_user_sees_the_own_figures_a_manager_those_of_the_company(self):
        self.send()
        self.send(kind="manager", state="undelivered")
        self.days._refresh()
        mine = self.env_of("user")["sms.devino.day"].get_overview()
        ours = self.env_of("manager")["sms.devino.day"].get_overview()
        self.assertEqual(mine["periods"][0]["counts"]["message"], 1)
        self.assertEqual(ours["periods"][0]["counts"]["message"], 2)
        self.assertEqual(ours["periods"][0]["share"], 50)
        self.assertFalse(mine["spending"])
        self.assertNotIn("balance", mine["balances"][0])
        self.assertEqual(len(ours["spending"]), 3)
        with self.assertRaises(AccessError):
            self.env_of("internal")["sms.devino.day"].get_overview()

    def test_a_sender_that_is_delivered_less_than_usual_needs_attention(self):
        day = {"company_id": self.company.id, "account_id": self.account.id}
        today = fields.Date.context_today(self.days)
        counts = {
            ("Good", 10): (190, 10),
            ("Good", 0): (95, 5),
            ("Fallen", 10): (190, 10),
            ("Fallen", 0): (60, 40),
            ("New", 0): (0, 100),
            ("Rare", 10): (190, 10),
            ("Rare", 0): (0, 9),
        }
        for (name, ago), (delivered, undelivered) in counts.items():
            self.days.create(
                {
                    **day,
                    "day": today - timedelta(days=ago),
                    "mode": "live",
                    "sender_name": name,
                    "delivered_count": delivered,
                    "undelivered_count": undelivered,
                }
            )
        lines = self.env_of("manager")["sms.devino.day"].get_overview()["attention"]
        about = [line["text"] for line in lines if "Fewer SMS" in line["text"]]
        self.assertEqual(len(about), 1)
        self.assertIn("Fallen are delivered: 60%", about[0])
        lines = self.env_of("user")["sms.devino.day"].get_overview()["attention"]
        self.assertFalse([line for line in lines if "Fewer SMS" in line["text"]])

    def test_a_stopped_account_and_unknown_outcomes_need_attention(self):
        self.send(state="unknown")
        self.account.write(
            {"state": "stopped", "operation_status": "Error_Invalid_Password"}
        )
        lines = self.env_of("admin")["sms.devino.day"].get_overview()["attention"]
        self.assertEqual([line["level"] for line in lines], ["danger", "warning"])
        self.assertEqual(lines[0]["action"]["res_id"], self.account.id)

    def test_every_number_opens_what_it_counts(self):
        self.send()
        self.send(state="failed", accepted_at=False)
        self.days._refresh()
        env = self.env_of("manager")
        period = env["sms.devino.day"].get_overview()["periods"][0]
        for name, action in period["actions"].items():
            found = env["sms.devino.message"].search_count(action["domain"])
            self.assertEqual(found, period["counts"][name], name)

    def test_only_an_administrator_sums_up_anew(self):
        with self.assertRaises(AccessError):
            self.env_of("manager")["sms.devino.day"].action_rebuild()
        action = self.env_of("admin")["sms.devino.day"].action_rebuild()
        self.assertEqual(action["tag"], "display_notification")
