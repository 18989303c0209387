"""The form that sends one SMS: what it shows, and what bad input gets."""

from dataclasses import replace
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..sandbox import Fault
from .base_case import SmsCase
from .common import LiveCase, mark_secret

FORM = "sms.devino.message.send"


@tagged("post_install", "-at_install", "sms_devino")
class TestSendForm(SmsCase):
    def open(self, kind="user", number="79214563763", text="Hello", **context):
        form = Form(self.env_of(kind)[FORM].with_context(**context))
        if number:
            form.number = number
        if text:
            form.text = text
        return form

    def journal(self):
        return self.env["sms.devino.message"].search([])

    def assertRefused(self, form, sentence, error=UserError):
        """The button answers with a sentence; what was entered stays, nothing goes."""
        wizard = form.save()
        before = wizard.read(["number", "text", "sender_id", "when"])
        with self.assertRaisesRegex(error, sentence):
            wizard.action_send()
        self.assertEqual(wizard.read(["number", "text", "sender_id", "when"]), before)
        self.assertFalse(self.journal())

    # --- what it shows --------------------------------------------------------------

    def test_form_is_filled_in(self):
        self.create_sender(self.account, "Default")
        self.account.default_sender_id = self.sender
        self.account.default_validity = 90
        for kind in ("user", "manager", "admin"):
            with self.subTest(kind):
                form = Form(self.env_of(kind)[FORM])
                self.assertEqual(form.account_id, self.account)
                self.assertEqual(form.sender_id, self.sender)
                self.assertEqual((form.when, form.validity), ("now", 90))

    def test_number_is_read_while_typed(self):
        form = self.open(number="")
        self.assertFalse(form.number_hint)
        for written in (
            "79214563763",
            "+7 921 456-37-63",
            "89214563763",
            "9214563763",
            "8 (921) 456-37-63",
        ):
            with self.subTest(written):
                form.number = written
                self.assertIn("+79214563763", form.number_hint)
                self.assertEqual(form.number_verdict, "ok")
        for written, hint in {
            "8 812 123-45-67": "landline",
            "8 800 555-35-35": "service number",
            "112": "service number",
            "7921456": "too short",
            "7921456376312": "too long",
            "allo": "letters",
            "380501234567": r"Write it with a plus.*\+380501234567",
        }.items():
            with self.subTest(written):
                form.number = written
                self.assertRegex(form.number_hint, hint)
                self.assertEqual(form.number_verdict, "bad")

    def test_number_comes_from_the_contact(self):
        partner = self.env["res.partner"].create(
            {"name": "Anna", "phone": "+7 921 456-37-63"}
        )
        form = self.open(number="")
        form.partner_id = partner
        self.assertEqual(form.number, "+7 921 456-37-63")
        message = self.send(form)
        self.assertEqual((message.partner_id, message.res_id), (partner, partner.id))

    def test_number_of_somebody_else_is_not_the_contact_s(self):
        partner = self.env["res.partner"].create(
            {"name": "Anna", "phone": "+7 921 456-37-63"}
        )
        form = self.open(number="")
        form.partner_id = partner
        form.number = "79110000000"
        self.assertFalse(self.send(form).partner_id)

    def test_cost_and_balance_are_shown_before(self):
        self.account.price_per_segment = 2.5
        form = self.open(text="я" * 71)
        self.assertEqual(form.segment_count, 2)
        self.assertRegex(form.cost, r"5\D00 credits")
        self.assertFalse(form.balance or form.shortage)
        self.account._note_balance(12)
        self.enqueue(text="Waiting")
        form = self.open(text="я" * 71)
        self.assertRegex(form.balance, r"12\D00")
        self.assertRegex(form.reserved, r"2\D50")
        self.assertRegex(form.balance_after, r"4\D50")
        self.assertFalse(form.shortage)

    def test_money_is_shown_in_the_currency_of_the_account(self):
        rub = self.env.ref("base.RUB")
        rub.active = True
        self.account.currency_id = rub
        self.assertEqual(self.open().cost, rub.format(1))

    def test_sender_follows_the_account(self):
        second = self.create_account(self.company, default_validity=7)
        sender = self.create_sender(second, "Second")
        form = self.open()
        form.account_id = second
        self.assertEqual((form.sender_id, form.validity), (sender, 7))

    def send(self, form):
        action = form.save().action_send()
        message = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(action["view_mode"], "form")
        return message

    def test_message_opens_after_sending(self):
        message = self.send(self.open(number="8 921 456-37-63", text="Привет"))
        self.assertRecordValues(
            message,
            [
                {
                    "number": "+79214563763",
                    "body": "Привет",
                    "state": "outgoing",
                    "sender_name": "Ours",
                    "author_id": self.people["user"].id,
                    "company_id": self.company.id,
                    "encoding": "ucs2",
                    "segment_count": 1,
                }
            ],
        )

    def test_planned_message_is_held(self):
        later = fields.Datetime.now().replace(microsecond=0) + timedelta(hours=2)
        form = self.open()
        form.when = "later"
        form.scheduled_at = later
        message = self.send(form)
        self.assertEqual((message.state, message.scheduled_at), ("scheduled", later))

    def test_form_told_twice_sends_once(self):
        wizard = self.open().save()
        self.assertEqual(wizard.action_send(), wizard.action_send())
        self.assertEqual(len(self.journal()), 1)
        self.send(self.open())
        self.assertEqual(len(self.journal()), 2)

    # --- bad input, and what it gets ------------------------------------------------

    def test_bad_numbers_are_refused(self):
        for number, sentence in {
            "allo": "has letters",
            "7921456": "too short",
            "79214563763123": "too long",
            "380501234567": "Write it with a plus",
            "8 812 123-45-67": "landline",
            "()": "enter the recipient's number",
        }.items():
            with self.subTest(number):
                self.assertRefused(self.open(number=number), sentence)

    def test_required_fields_are_named(self):
        for missing in ("number", "text"):
            with self.subTest(missing):
                form = self.open(**{missing: ""})
                with self.assertRaisesRegex(AssertionError, f"{missing} is a required"):
                    form.save()
        form = self.open()
        form.when = "later"
        with self.assertRaisesRegex(AssertionError, "scheduled_at is a required"):
            form.save()

    def test_bad_texts_are_refused(self):
        self.assertRefused(self.open(text=" \n "), "Text: enter the text")
        self.assertRefused(
            self.open(text="я" * 2001), "2001 characters.*Shorten it by 1"
        )

    def test_longest_text_is_accepted(self):
        message = self.send(self.open(text="я" * 2000))
        self.assertEqual(message.segment_count, 30)

    def test_time_that_has_passed_is_refused(self):
        form = self.open()
        form.when = "later"
        form.scheduled_at = fields.Datetime.now() - timedelta(minutes=1)
        self.assertRefused(form, "Date and time: .* has passed")

    def test_time_is_told_in_the_zone_of_the_user(self):
        form = self.open()
        form.when = "later"
        form.scheduled_at = "2020-01-31 21:30:00"
        self.assertRefused(form, r"01\.02\.2020 00:30 has passed")

    def test_too_little_money_is_refused(self):
        self.account._note_balance(1)
        form = self.open(text="я" * 71)
        self.assertRegex(form.shortage, r"1\D00")
        self.assertRefused(form, "The balance is not enough")

    def test_missing_sender_is_named(self):
        self.sender.state = "refused"
        form = self.open()
        self.assertFalse(form.sender_id)
        with self.assertRaisesRegex(AssertionError, "sender_id is a required"):
            form.save()
        with self.assertRaisesRegex(UserError, "no sender name to send under"):
            self.enqueue()

    def test_nothing_is_sent_without_an_account(self):
        self.account.action_archive()
        form = Form(self.env_of("user")[FORM])
        self.assertFalse(form.account_id)
        form.number, form.text = "79214563763", "Hello"
        with self.assertRaisesRegex(AssertionError, "is a required"):
            form.save()

    def test_account_of_another_company_is_refused(self):
        values = {
            "number": "79214563763",
            "text": "Hello",
            "account_id": self.other_account.id,
            "sender_id": self.other_sender.id,
        }
        with self.assertRaises(AccessError):
            self.env_of("user")[FORM].create(values).action_send()
        wizard = self.open().save()
        with self.assertRaises(AccessError):
            wizard.write({"account_id": self.other_account.id})
            wizard.action_send()
        self.assertFalse(self.journal())

    def test_sender_of_another_account_is_refused(self):
        second = self.create_account(self.company)
        foreign = self.create_sender(second, "Second")
        wizard = self.open().save()
        wizard.sender_id = foreign
        with self.assertRaisesRegex(UserError, "not a sender name of the account"):
            wizard.action_send()
        wizard.sender_id = self.other_sender
        with self.assertRaises(AccessError):
            wizard.action_send()
        self.assertFalse(self.journal())

    def test_nobody_else_sends(self):
        for kind in ("internal", "portal", "public"):
            with self.subTest(kind), self.assertRaises(AccessError):
                self.env_of(kind)[FORM].create({"number": "7", "text": "x"})
        wizard = self.open().save()
        for kind in ("colleague", "manager", "internal"):
            with self.subTest(kind), self.assertRaises(AccessError):
                wizard.with_env(self.env_of(kind)).action_send()

    def test_form_of_somebody_else_is_out_of_sight(self):
        wizard = self.open(text="Private").save()
        for kind in ("colleague", "manager", "admin"):
            with (
                self.subTest(kind),
                mute_logger("odoo.addons.base.models.ir_rule"),
                self.assertRaises(AccessError),
            ):
                wizard.with_env(self.env_of(kind)).read(["text"])

    def test_balance_is_refreshed_without_losing_anything(self):
        wizard = self.open(text="Kept").save()
        action = wizard.action_refresh_balance()
        self.assertEqual((action["res_model"], action["res_id"]), (FORM, wizard.id))
        self.assertEqual(wizard.text, "Kept")
        self.assertTrue(wizard.balance)
        self.account.login = "wrong"
        action = wizard.action_refresh_balance()
        self.assertEqual(action["params"]["message"], "Error: wrong login")
        self.assertEqual(action["params"]["next"]["res_id"], wizard.id)


@tagged("post_install", "-at_install", "sms_devino")
class TestSendFormOverHttp(LiveCase):
    """What the browser is answered, and what the log of the server keeps."""

    def setUp(self):
        super().setUp()
        self.authenticate(self.logins["user"], self.logins["user"])

    def call(self, method, args):
        """Call the form as the web client does; return the answer, error or not."""
        answer = self.opener.post(
            f"{self.base_url()}/web/dataset/call_kw/{FORM}/{method}",
            json={
                "params": {"model": FORM, "method": method, "args": args, "kwargs": {}}
            },
            timeout=30,
        ).json()
        return answer.get("error") or answer["result"]

    def fill(self, number="79214563763", text="Hello"):
        """Return the id of a form that is filled in."""
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            sender_id = account.sender_ids.id
        values = {
            "account_id": self.account_id,
            "sender_id": sender_id,
            "number": number,
            "text": text,
        }
        return self.call("create", [[values]])[0]

    def test_refused_number_stands_in_no_log(self):
        number, text = "812764019385512", "Improbable text qzx73"
        mark_secret(number, text)
        wizard_id = self.fill(number, text)
        with self.assertLogs("odoo.http", "DEBUG") as log:
            error = self.call("action_send", [[wizard_id]])
        self.assertIn(number, error["data"]["message"])
        self.assertEqual(error["data"]["name"], "odoo.exceptions.UserError")
        loud = [r for r in log.records if r.levelname != "DEBUG"]
        self.assertFalse([r for r in loud if number in r.getMessage()])
        self.assertFalse(self.states())

    def test_message_that_is_sent_stands_in_no_log(self):
        number, text = "79218350917", "Improbable text qzx74"
        mark_secret(number, text)
        wizard_id = self.fill(number, text)
        first = self.call("action_send", [[wizard_id]])
        again = self.call("action_send", [[wizard_id]])
        self.assertEqual(first, again, "told twice it sends once")
        self.assertEqual(self.states(), {"sent": 1})
        self.assertLedgerIsJournal()

    def test_trouble_after_the_commit_is_no_error_of_the_form(self):
        """Whatever the gateway does, the message opens and says what is known."""
        for fault, state, lost in (
            (Fault("drop_before"), "unknown", 0),
            (Fault("drop_after"), "unknown", 1),
            (Fault("half_json"), "unknown", 2),
            (Fault("code8"), "outgoing", 2),
        ):
            with self.subTest(fault.kind):
                self.provider.faults.clear()
                self.provider.faults.add(replace(fault, path="Sms/Send"))
                action = self.call("action_send", [[self.fill(text=fault.kind)]])
                self.assertEqual(action["res_model"], "sms.devino.message")
                self.assertEqual(self.read(action["res_id"], "state"), state)
                self.assertLedgerIsJournal(lost_answers=lost)
