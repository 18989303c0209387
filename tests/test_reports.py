"""What a company is told of its sendings: reconciliation, spending, printed report."""

from datetime import datetime, time, timedelta

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..services import batch_course, reconciliation
from .base_case import SmsCase
from .mass_case import MassCase

YESTERDAY = timedelta(days=1)


@tagged("post_install", "-at_install", "sms_devino")
class TestReconciliation(MassCase):
    """The provider's statistics beside the journal's counts; real HTTP."""

    def setUp(self):
        super().setUp()
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            account._check_connection()
        self.addCleanup(self.forget)

    def forget(self):
        with self.transaction() as env:
            env["sms.devino.statistics"].search([]).unlink()

    def fetch(self):
        """Do what the scheduled action does; return the days, the last one first."""
        with self.transaction() as env:
            env["sms.devino.statistics"]._cron_fetch()
        with self.transaction() as env:
            days = env["sms.devino.statistics"].search([])
            return [
                (one.day, one.provider_total, one.own_total, one.difference)
                for one in days
            ]

    def make_older(self, days):
        """Move the messages into the past, at noon."""
        noon = datetime.combine(fields.Date.today(), time(12)) - timedelta(days=days)
        with self.transaction() as env:
            env.cr.execute(
                "UPDATE sms_devino_message SET accepted_at = %s, claimed_at = %s "
                "WHERE accepted_at IS NOT NULL",
                [noon, noon],
            )
        return noon.date()

    def test_without_a_message_nothing_is_asked(self):
        self.assertEqual(self.fetch(), [])

    def test_a_message_that_the_provider_does_not_count_is_a_difference(self):
        message_id = self.enqueue()
        self.dispatch()
        day = self.make_older(2)
        self.assertEqual(self.fetch(), [(day + YESTERDAY, 0, 0, 0), (day, 0, 1, -1)])
        with self.transaction(self.users["manager"]) as env:
            one = env["sms.devino.statistics"].search([("day", "=", day)])
            action = one.action_view_messages()
            found = env["sms.devino.message"].search(action["domain"])
        self.assertEqual(found.ids, [message_id])

    def test_a_day_is_asked_again_and_stays_one_row(self):
        self.enqueue()
        self.dispatch()
        self.make_older(1)
        first = self.fetch()
        self.assertEqual(self.fetch(), first)
        self.assertEqual(len(first), 1)

    def test_what_the_provider_counts_stands_beside(self):
        self.enqueue()
        self.dispatch()
        self.provider.advance(60)
        self.check_statuses()
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            today = fields.Date.today()
            answer = account._get_client().statistics(*reconciliation.get_window(today))
            reconciliation._keep(env["sms.devino.statistics"], account, today, answer)
            one = env["sms.devino.statistics"].search([])
            counts = (one.provider_total, one.own_total, one.difference)
            delivered = (one.provider_delivered, one.own_delivered)
        self.assertEqual(counts, (1, 1, 0))
        self.assertEqual(delivered, (1, 1))

    def test_never_more_than_ninety_days_back(self):
        self.enqueue()
        self.dispatch()
        self.make_older(400)
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            statistics = env["sms.devino.statistics"]
            days = reconciliation._find_days(statistics, account)
            self.assertEqual(len(days), reconciliation.FIRST_DAYS)
            old = fields.Date.today() - timedelta(days=300)
            statistics.create({"account_id": account.id, "day": old})
            days = reconciliation._find_days(statistics, account)
            self.assertEqual(len(days), reconciliation.LONGEST_DAYS)

    def test_a_provider_that_does_not_answer_writes_nothing(self):
        self.enqueue()
        self.dispatch()
        self.make_older(1)
        self.server.stop()
        self.assertEqual(self.fetch(), [])

    def test_account_in_test_mode_is_not_asked(self):
        self.enqueue()
        self.dispatch()
        self.make_older(1)
        with self.transaction() as env:
            env["sms.devino.account"].browse(self.account_id).mode = "test"
        self.assertEqual(self.fetch(), [])

    # --- the printed report ---------------------------------------------------------

    def test_report_of_a_mass_sending_is_printed(self):
        batch_id = self.send_mass(body="Hello {{ name }}")
        self.dispatch()
        self.provider.advance(60)
        self.check_statuses()
        with self.transaction(self.users["manager"]) as env:
            html, _kind = env["ir.actions.report"]._render_qweb_html(
                "sms_devino.report_batch", [batch_id]
            )
        text = html.decode()
        for words in ("Hello {{ name }}", "DevinoTest", "100.0", "credits"):
            self.assertIn(words, text)

    def test_price_says_what_is_not_known_yet(self):
        batch_id = self.send_mass()
        self.dispatch()
        with self.transaction() as env:
            batch_course.follow(env["sms.devino.batch"])
        self.assertEqual(
            self.read_batch(batch_id, "price_words"), "Price not known yet"
        )
        self.provider.advance(60)
        self.check_statuses()
        price, color = self.read_batch(batch_id, "price_words", "color")
        self.assertRegex(price, r"^[0-9.]+ credits$")
        self.assertEqual(color, 10)


@tagged("post_install", "-at_install", "sms_devino")
class TestSpending(SmsCase):
    def sent(self, when, **values):
        message = self.enqueue()
        message.sudo().write(
            {
                "state": "delivered",
                "mode": "live",
                "accepted_at": when,
                "cost": 2.5,
                **values,
            }
        )

    def mail(self):
        """Do what the scheduled action does on the 1st; return the mail."""
        self.env["sms.devino.day"]._refresh()
        before = self.env["mail.mail"].search([])
        with mute_logger("odoo.addons.mail.models.mail_mail"):
            self.env["sms.devino.day"]._cron_mail_spending()
        return self.env["mail.mail"].search([]) - before

    def last_month(self):
        first = fields.Datetime.now().replace(day=1, hour=12)
        return first - timedelta(days=3)

    def test_last_month_is_mailed_to_the_chosen_addresses(self):
        self.company.sms_devino_spending_emails = "boss@example.com, b@example.com"
        self.account.currency_id = self.env.ref("base.EUR")
        self.sent(self.last_month())
        self.sent(self.last_month())
        self.sent(fields.Datetime.now())
        self.sent(self.last_month(), mode="test")
        mail = self.mail()
        self.assertEqual(mail.email_to, self.company.sms_devino_spending_emails)
        self.assertIn(self.company.name, mail.subject)
        self.assertIn("5.00", mail.body_html)
        self.assertIn("€", mail.body_html)
        self.assertIn("100.0 %", mail.body_html)
        self.assertNotIn("7.50", mail.body_html)

    def test_month_without_a_message_says_so(self):
        self.company.sms_devino_spending_emails = "boss@example.com"
        self.assertIn("Nothing was sent", self.mail().body_html)

    def test_nobody_chosen_nothing_mailed(self):
        self.assertFalse(self.mail())

    def test_what_is_no_address_is_refused(self):
        for text in ("boss", "a@example.com; nobody", "a@example.com, 12"):
            with self.subTest(text), self.assertRaises(ValidationError):
                self.company.sms_devino_spending_emails = text

    def test_sums_keep_the_currency_of_their_account(self):
        self.sent(fields.Datetime.now())
        self.env["sms.devino.day"]._refresh()
        day = self.env["sms.devino.day"].search(
            [("account_id", "=", self.account.id)], limit=1
        )
        self.assertFalse(day.currency_id)
        self.account.currency_id = self.env.ref("base.EUR")
        self.env["sms.devino.day"]._refresh(fields.Date.today() + timedelta(days=1))
        day.invalidate_recordset()
        self.assertEqual(day.currency_id.name, "EUR")
        self.assertFalse(self.env["sms.devino.day"]._count_differences())

    def test_nothing_technical_is_offered_for_grouping(self):
        described = self.env["sms.devino.message"].fields_get()
        for name in ("claim", "uuid", "attempts", "dedup_key"):
            self.assertFalse(described[name]["groupable"], name)
        self.assertTrue(described["sender_name"]["groupable"])
