"""Sender names: what may be one, what is offered, what the provider made of it."""

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .base_case import SmsCase


@tagged("post_install", "-at_install", "sms_devino")
class TestSender(SmsCase):
    def warning_on(self, name):
        """Return what the list of names warns of while ``name`` is typed."""
        sender = self.env["sms.devino.sender"].new(
            {"account_id": self.account.id, "name": name}
        )
        shown = sender._onchange_name()
        return shown and shown["warning"]["message"]

    def test_good_names_are_kept_as_written(self):
        for name in (
            "Devino",
            "DEVINO",
            "devino",
            "My-Shop.ru",
            "79214563763",
            "8" * 15,
        ):
            with self.subTest(name):
                self.assertEqual(self.create_sender(self.account, name).name, name)
                self.assertFalse(self.warning_on(name))

    def test_bad_names_are_refused_with_the_reason(self):
        reasons = {
            "ABCDEFGHIJKL": "12 characters; at most 11",
            "1" * 16: "16 digits; at most 15",
            " ": "enter one",
            "Dеvino": r"not allowed: е \(Cyrillic\)",
            "Привет": r"П \(Cyrillic\), р \(Cyrillic\)",
            "My€Shop": "not allowed: €",
            "My{Shop": "not allowed: {",
            "Devino ": "not allowed: space",
            "De\tvino": "not allowed: U\\+0009",
            "De\u00a0vino": "not allowed: NO-BREAK SPACE",
        }
        for name, reason in reasons.items():
            with self.subTest(name):
                with self.assertRaisesRegex(ValidationError, reason):
                    self.create_sender(self.account, name)
                self.assertRegex(self.warning_on(name), reason)

    def test_all_that_is_wrong_is_told_at_once(self):
        message = self.warning_on("ДевиноТелеком")
        self.assertIn("13 characters", message)
        self.assertIn("Д (Cyrillic)", message)

    def test_stock_names_warn_that_another_must_be_ordered(self):
        for name in ("DTSMS", "testsms"):
            with self.subTest(name):
                self.assertIn("stock name", self.warning_on(name))
                self.assertTrue(self.create_sender(self.account, name).is_stock)

    def test_name_is_once_in_an_account(self):
        with mute_logger("odoo.sql_db"):
            result = self.env["sms.devino.sender"].load(
                ["account_id/.id", "name"], [[str(self.account.id), "Ours"]]
            )
        (message,) = result["messages"]
        self.assertIn("already has this sender name", message["message"])
        self.create_sender(self.account, "ours")
        self.create_sender(self.other_account, "Ours")

    def test_refused_name_is_marked_and_not_offered(self):
        second = self.create_sender(self.account, "Second", sequence=20)
        self.account.default_sender_id = self.sender
        self.assertEqual(self.account._get_default_sender(), self.sender)
        self.env["sms.devino.sender"]._mark(self.account.id, "Ours", "refused")
        self.assertEqual(self.sender.state, "refused")
        self.assertTrue(self.sender.refused_at)
        self.assertEqual(self.other_sender.state, "new")
        self.assertEqual(self.account._get_default_sender(), second)
        self.env["sms.devino.sender"]._mark(self.account.id, "Second", "refused")
        self.assertFalse(self.account._get_default_sender())

    def test_refused_name_can_be_offered_again(self):
        self.sender.write({"state": "refused", "refused_at": fields.Datetime.now()})
        self.sender.state = "new"
        self.assertFalse(self.sender.refused_at)
        self.assertEqual(self.account._get_default_sender(), self.sender)

    def test_accepted_name_is_news_once(self):
        senders = self.env["sms.devino.sender"]
        senders._mark(self.account.id, "Ours", "accepted")
        self.assertEqual(self.sender.state, "accepted")
        self.env.flush_all()
        with self.assertQueryCount(1):
            senders._mark(self.account.id, "Ours", "accepted")

    def test_name_stays_with_its_account(self):
        self.sender.account_id = self.account
        second = self.create_account(self.company)
        for account in (second, self.other_account):
            with self.assertRaisesRegex(UserError, "stays with its account"):
                self.sender.account_id = account

    def test_archived_name_is_not_offered(self):
        self.sender.action_archive()
        self.account.invalidate_recordset()
        self.assertFalse(self.account._get_default_sender())

    def test_own_name_is_offered_before_a_stock_name(self):
        self.create_sender(self.account, "DTSMS", sequence=1)
        self.assertEqual(self.account._get_default_sender(), self.sender)
        self.sender.state = "refused"
        self.assertEqual(self.account._get_default_sender().name, "DTSMS")
