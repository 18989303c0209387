"""One quote: what a sending costs beside the money that the account has."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..services.quote import QUOTE_FIELDS
from .base_case import SmsCase


@tagged("post_install", "-at_install", "sms_devino")
class TestQuote(SmsCase):
    def setUp(self):
        super().setUp()
        self.account.write(
            {
                "balance": 6.30,
                "balance_at": fields.Datetime.now(),
                "price_per_segment": 2.10,
            }
        )

    def add_row(self, state, **values):
        return self.env["sms.devino.message"].create(
            {
                "account_id": self.account.id,
                "company_id": self.company.id,
                "mode": self.account.mode,
                "number": "+79214563763",
                "body": "x",
                "sender_name": "Ours",
                "state": state,
                "cost_estimated": 2.10,
                **values,
            }
        )

    def test_the_last_credit_may_be_spent(self):
        """In floating point 6.30 is a trifle less than three times 2.10."""
        quote = self.account._get_quote(2.10 + 2.10 + 2.10)
        self.assertEqual((quote.after, quote.shortage), (0.0, 0.0))
        self.assertFalse(quote.is_refused or quote.sentence)
        self.account._check_enough(3 * 2.10)
        self.enqueue()
        self.enqueue()
        self.account._check_enough(2.10)

    def test_shortage_is_told_in_one_sentence(self):
        self.add_row("outgoing")
        quote = self.account._get_quote(4.2001)
        self.assertEqual((quote.reserved, quote.after), (2.10, -0.0001))
        self.assertEqual((quote.shortage, quote.is_refused), (0.0001, True))
        self.assertRegex(quote.sentence, r"costs 4\D20 credits, 0\D01 credits more")
        with self.assertRaises(UserError) as caught:
            self.account._check_enough(4.2001)
        self.assertEqual(str(caught.exception), quote.sentence)

    def test_administrator_may_choose_a_warning_only(self):
        self.account.insufficient_policy = "warn"
        quote = self.account._get_quote(100)
        self.assertFalse(quote.is_refused)
        self.assertTrue(quote.sentence)
        self.account._check_enough(100)

    def test_unknown_balance_refuses_nothing(self):
        self.account.balance_at = False
        quote = self.account._get_quote(100)
        self.assertEqual((quote.balance, quote.after), (None, None))
        self.assertEqual((quote.shortage, quote.is_refused), (0, False))

    def test_reserved_is_what_is_committed_but_not_deducted(self):
        batch = self.env["sms.devino.batch"].create(
            {
                "name": "Sale",
                "company_id": self.company.id,
                "account_id": self.account.id,
            }
        )
        row = self.add_row("draft", batch_id=batch.id)
        before = fields.Datetime.now() - timedelta(hours=1)
        after = fields.Datetime.now() + timedelta(hours=1)
        for what, change, reserved in (
            ("draft of a draft", {}, 0),
            ("scheduled", {"state": "scheduled"}, 2.1),
            ("in the queue", {"state": "outgoing"}, 2.1),
            ("being sent", {"state": "sending"}, 2.1),
            ("deducted", {"state": "sent", "accepted_at": before}, 0),
            ("not deducted yet", {"accepted_at": after}, 2.1),
            ("delivered since", {"state": "delivered"}, 2.1),
            ("canceled", {"state": "canceled", "accepted_at": False}, 0),
            ("left out", {"state": "left_out"}, 0),
            ("of the other mode", {"state": "outgoing", "mode": "live"}, 0),
        ):
            row.write(change)
            with self.subTest(what):
                self.assertEqual(self.account._get_quote(0).reserved, reserved)
        row.write({"state": "draft", "mode": self.account.mode})
        for state in dict(batch._fields["state"].selection):
            batch.state = state
            sent = state in ("scheduled", "running", "paused")
            with self.subTest(batch=state):
                reserved = self.account._get_quote(0).reserved
                self.assertEqual(reserved, 2.1 if sent else 0)

    def test_figures_are_for_members_of_the_company(self):
        for kind, account, sees in (
            ("user", self.account, True),
            ("manager", self.account, True),
            ("internal", self.account, False),
            ("portal", self.account, False),
            ("user", self.other_account, False),
            ("admin", self.other_account, False),
        ):
            env = self.env_of(kind)
            for rights in (env, env(su=True)):
                values = account.with_env(rights)._get_quote_values(100)
                with self.subTest(kind=kind, account=account.name, su=rights.su):
                    self.assertEqual(any(values.values()), sees)
                    self.assertEqual(set(values), {*QUOTE_FIELDS, "sending_problem"})
                self.assertLessEqual(
                    set(values), self.env["sms.devino.quote"]._fields.keys()
                )

    def test_figures_read_as_money_or_credits(self):
        values = self.account._get_quote_values(8.40)
        self.assertRegex(values["quote_cost"], r"^8\D40 credits$")
        self.assertRegex(values["quote_balance"], r"^6\D30 credits$")
        self.assertRegex(values["quote_shortage"], r"^2\D10 credits$")
        self.assertTrue(values["quote_refused"])
        self.account.currency_id = self.env.ref("base.RUB")
        symbol = self.account.currency_id.symbol
        self.assertIn(symbol, self.account._get_quote_values(1)["quote_cost"])
