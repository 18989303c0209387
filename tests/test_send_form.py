"""The form that sends one SMS: what it shows, and what bad input gets."""

import logging
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .base_case import SmsCase
from .common import mark_secret

FORM = "sms.composer"
ACTION = "sms_devino.sms_composer_action_send"
VIEW = "sms.sms_composer_view_form"
FROM_MENU = {"default_composition_mode": "numbers", "default_sms_devino_direct": True}


class FormCase(SmsCase):
    """The form as it opens from the menu, and from a contact."""

    def open(self, kind="user", number="79214563763", text="Hello"):
        form = Form(self.env_of(kind)[FORM].with_context(**FROM_MENU), VIEW)
        if number:
            form.sms_devino_number = number
        if text:
            form.body = text
        return form

    def open_contact(self, partner, text="Hello", kind="user"):
        partner = partner.with_env(self.env_of(kind))
        context = partner.action_sms_devino_send()["context"]
        form = Form(self.env_of(kind)[FORM].with_context(**context), VIEW)
        form.body = text
        return form

    def journal(self):
        return self.env["sms.devino.message"].search([], order="id")

    def send(self, form):
        action = form.save().action_send_sms()
        self.assertEqual(action["res_model"], "sms.devino.message")
        return self.env["sms.devino.message"].browse(action["res_id"])


@tagged("post_install", "-at_install", "sms_devino")
class TestSendForm(FormCase):
    def assertRefused(self, form, sentence, error=UserError):
        """The button answers with a sentence; what was entered stays, nothing goes."""
        names = ["sms_devino_number", "body", "sms_devino_sender_id", "sms_devino_when"]
        composer = form.save()
        before = composer.read(names)
        with self.assertRaisesRegex(error, sentence):
            composer.action_send_sms()
        self.assertEqual(composer.read(names), before)
        self.assertFalse(self.journal())

    # --- what it shows --------------------------------------------------------------

    def test_half_of_an_emoji_at_the_end_of_a_text_is_left_out(self):
        self.send(self.open(text="Hello \ud83d"))
        self.assertEqual(self.journal().body, "Hello ")

    def test_menu_opens_it(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(ACTION)
        self.assertEqual((action["res_model"], action["target"]), (FORM, "new"))
        menu = self.env.ref("sms_devino.sms_devino_message_send_menu")
        self.assertEqual(menu.action, self.env.ref(ACTION))

    def test_form_is_filled_in(self):
        self.create_sender(self.account, "Default")
        self.account.default_sender_id = self.sender
        self.account.default_validity = 90
        for kind in ("user", "manager", "admin"):
            with self.subTest(kind):
                form = self.open(kind, number="", text="")
                self.assertEqual(form.sms_devino_account_id, self.account)
                self.assertEqual(form.sms_devino_sender_id, self.sender)
                self.assertEqual(form.sms_devino_when, "now")
                self.assertEqual(form.sms_devino_validity, 90)

    def test_number_is_read_while_typed(self):
        form = self.open(number="")
        self.assertFalse(form.sms_devino_number_hint)
        for written in (
            "79214563763",
            "+7 921 456-37-63",
            "89214563763",
            "9214563763",
            "8 (921) 456-37-63",
        ):
            with self.subTest(written):
                form.sms_devino_number = written
                self.assertIn("+79214563763", form.sms_devino_number_hint)
                self.assertEqual(form.sms_devino_number_state, "good")
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
                form.sms_devino_number = written
                self.assertRegex(form.sms_devino_number_hint, hint)
                self.assertEqual(form.sms_devino_number_state, "bad")

    def test_number_comes_from_the_contact(self):
        partner = self.env["res.partner"].create(
            {"name": "Anna", "phone": "+7 921 456-37-63"}
        )
        form = self.open(number="")
        form.sms_devino_partner_id = partner
        self.assertEqual(form.sms_devino_number, "+7 921 456-37-63")
        message = self.send(form)
        self.assertEqual((message.partner_id, message.res_id), (partner, partner.id))

    def test_number_of_somebody_else_is_not_the_contact_s(self):
        partner = self.env["res.partner"].create(
            {"name": "Anna", "phone": "+7 921 456-37-63"}
        )
        form = self.open(number="")
        form.sms_devino_partner_id = partner
        form.sms_devino_number = "79110000000"
        self.assertFalse(self.send(form).partner_id)
        self.assertEqual(partner.phone, "+7 921 456-37-63")

    def test_cost_and_balance_are_shown_before(self):
        self.account.price_per_segment = 2.5
        form = self.open(text="я" * 71)
        self.assertEqual(form.sms_devino_segment_count, 2)
        self.assertEqual(form.sms_devino_recipient_count, 1)
        self.assertRegex(form.quote_cost, r"5\D00 credits")
        self.assertFalse(form.quote_balance or form.quote_sentence)
        self.account._note_balance(12)
        self.enqueue(text="Waiting")
        form = self.open(text="я" * 71)
        self.assertRegex(form.quote_balance, r"12\D00")
        self.assertRegex(form.quote_reserved, r"2\D50")
        self.assertRegex(form.quote_after, r"4\D50")
        self.assertFalse(form.quote_sentence)

    def test_balance_to_the_last_kopeck_is_enough(self):
        self.account.price_per_segment = 2.1
        self.account._note_balance(6.3)
        form = self.open(text="я" * 135)
        self.assertEqual(form.sms_devino_segment_count, 3)
        self.assertFalse(form.quote_refused)
        self.assertEqual(self.send(form).state, "outgoing")

    def test_sender_and_validity_follow_the_account(self):
        second = self.create_account(self.company, default_validity=7)
        sender = self.create_sender(second, "Second")
        form = self.open()
        form.sms_devino_account_id = second
        self.assertEqual(form.sms_devino_sender_id, sender)
        self.assertEqual(form.sms_devino_validity, 7)
        self.assertEqual(self.send(form).account_id, second)

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
                    "override_by_id": False,
                }
            ],
        )

    def test_scheduled_message_is_held(self):
        later = fields.Datetime.now().replace(microsecond=0) + timedelta(hours=2)
        form = self.open()
        form.sms_devino_when = "later"
        form.sms_devino_scheduled_at = later
        form.sms_devino_validity = 30
        message = self.send(form)
        self.assertEqual((message.state, message.scheduled_at), ("scheduled", later))
        self.assertEqual(message.use_until, later + timedelta(minutes=30))

    def test_form_told_twice_sends_once(self):
        composer = self.open().save()
        self.assertEqual(composer.action_send_sms(), composer.action_send_sms())
        self.assertEqual(len(self.journal()), 1)
        self.send(self.open())
        self.assertEqual(len(self.journal()), 2)

    # --- several numbers ------------------------------------------------------------

    def test_several_numbers_are_all_sent_and_paid_for(self):
        form = self.open(number="89214563763, 79214563764; +7 921 456-37-63", text="x")
        self.assertEqual(form.sms_devino_recipient_count, 2)
        self.assertEqual(form.sms_devino_segment_count, 2)
        self.assertRegex(form.quote_cost, r"2\D00")
        self.assertIn("2", form.sms_devino_number_hint)
        action = form.save().action_send_sms()
        self.assertEqual(
            self.journal().mapped("number"), ["+79214563763", "+79214563764"]
        )
        self.assertEqual(action["domain"], [("id", "in", self.journal().ids)])

    def test_numbers_with_other_signs_between_are_all_sent(self):
        form = self.open(number="8 921 456-37-63 / 8 911 000-00-00")
        self.assertRegex(form.sms_devino_number_hint, r"2 numbers: \+7921.*\+7911")
        self.assertRegex(form.quote_cost, r"2\D00")
        form.save().action_send_sms()
        self.assertEqual(
            self.journal().mapped("number"), ["+79214563763", "+79110000000"]
        )

    def test_two_numbers_of_a_contact_are_both_sent(self):
        partner = self.env["res.partner"].create(
            {"name": "Anna", "phone": "+79214563763"}
        )
        self.people["user"].group_ids += self.env.ref("base.group_partner_manager")
        form = self.open_contact(partner)
        form.recipient_single_number_itf = "+79214563763, 8 911 000-00-00"
        self.assertIn("2 numbers", form.sms_devino_number_hint)
        self.assertEqual(form.sms_devino_recipient_count, 2)
        form.save().action_send_sms()
        self.assertEqual(
            {message.number: message.partner_id for message in self.journal()},
            {"+79214563763": partner, "+79110000000": partner[:0]},
        )
        self.assertEqual(self.journal().mapped("res_id"), [partner.id] * 2)
        self.assertEqual(partner.phone, "+79214563763")
        sms = partner.message_ids.filtered(lambda m: m.message_type == "sms")
        self.assertEqual(len(sms), 1, "one note in the chatter, with both numbers")

    def test_odoos_own_door_sends_to_both_and_keeps_the_contact(self):
        self.company.sms_devino_account_id = self.account
        partner = self.env["res.partner"].create(
            {"name": "Anna", "phone": "+79214563763"}
        )
        composer = self.env[FORM].create(
            {
                "composition_mode": "comment",
                "res_model": "res.partner",
                "res_id": partner.id,
                "recipient_single_number_itf": "+79214563763; +79110000000",
                "body": "Hello",
            }
        )
        composer.action_send_sms()
        self.assertEqual(len(self.journal()), 2)
        self.assertEqual(partner.phone, "+79214563763")

    def test_one_bad_number_among_several_is_named(self):
        form = self.open(number="79214563763, allo")
        self.assertIn("allo", form.sms_devino_number_hint)
        self.assertRefused(form, "allo.*letters")

    def test_more_numbers_than_a_user_may_reach(self):
        self.company.sms_devino_user_limit = 2
        numbers = ",".join(f"7921456376{n}" for n in range(3))
        self.assertRefused(
            self.open(number=numbers), "more than 2 recipients", AccessError
        )
        self.open("manager", number=numbers).save().action_send_sms()
        self.assertEqual(len(self.journal()), 3)

    # --- from a contact -------------------------------------------------------------

    def test_contact_s_number_stays_as_it_was(self):
        partner = self.env["res.partner"].create(
            {"name": "Anna", "phone": "+79214563763"}
        )
        form = self.open_contact(partner)
        self.assertEqual(form.sms_devino_account_id, self.account)
        form.recipient_single_number_itf = "8 911 000-00-00"
        message = self.send(form)
        self.assertEqual(message.number, "+79110000000")
        self.assertEqual(
            (message.partner_id, message.res_id), (partner[:0], partner.id)
        )
        self.assertEqual(partner.phone, "+79214563763")

    def test_contact_is_sent_to_and_linked(self):
        partner = self.env["res.partner"].create(
            {"name": "Anna", "phone": "8 921 456-37-63"}
        )
        form = self.open_contact(partner)
        self.assertTrue(form.recipient_single_valid)
        self.people["user"].group_ids += self.env.ref("base.group_partner_manager")
        message = self.send(form)
        self.assertEqual(message.number, "+79214563763")
        self.assertEqual((message.partner_id, message.res_id), (partner, partner.id))
        sms = partner.message_ids.filtered(lambda m: m.message_type == "sms")
        self.assertEqual(len(sms), 1, "the chatter shows it")

    def test_contact_that_one_may_only_read_is_sent_to(self):
        partner = self.env["res.partner"].create(
            {"name": "Anna", "phone": "+79214563763"}
        )
        message = self.send(self.open_contact(partner))
        self.assertEqual((message.partner_id, message.res_id), (partner, partner.id))

    def test_blacklisted_number_needs_the_override(self):
        self.env["phone.blacklist"]._add(["+79214563763"])
        form = self.open()
        self.assertTrue(form.sms_devino_is_excluded)
        self.assertRefused(form, "blacklist")
        form.use_exclusion_list = False
        message = self.send(form)
        self.assertEqual(message.override_by_id, self.people["user"])

    # --- bad input, and what it gets ------------------------------------------------

    def test_bad_numbers_are_refused(self):
        for number, sentence in {
            "allo": "has letters",
            "7921456": "too short",
            "79214563763123": "too long",
            "380501234567": "Write it with a plus",
            "8 812 123-45-67": "landline",
            ",": "enter the recipient's number",
        }.items():
            with self.subTest(number):
                self.assertRefused(self.open(number=number), sentence)

    def test_required_fields_are_named(self):
        for missing, values in {
            "sms_devino_number": {"number": ""},
            "body": {"text": ""},
        }.items():
            with self.subTest(missing):
                form = self.open(**values)
                with self.assertRaisesRegex(AssertionError, f"{missing} is a required"):
                    form.save()
        form = self.open()
        form.sms_devino_when = "later"
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

    def test_time_that_has_passed_is_told_in_the_zone_of_the_user(self):
        form = self.open()
        form.sms_devino_when = "later"
        form.sms_devino_scheduled_at = "2020-01-31 21:30:00"
        self.assertRefused(form, r"2/1/20,? 12:30\W+AM has passed")

    def test_too_little_money_is_refused(self):
        self.account._note_balance(1)
        form = self.open(text="я" * 71)
        self.assertRegex(form.quote_sentence, r"1\D00")
        self.assertTrue(form.quote_refused)
        self.assertRefused(form, "The balance is not enough")

    def test_missing_sender_is_named(self):
        self.sender.state = "refused"
        form = self.open()
        self.assertFalse(form.sms_devino_sender_id)
        with self.assertRaisesRegex(AssertionError, "sender_id is a required"):
            form.save()

    def test_nothing_is_sent_without_an_account(self):
        self.account.action_archive()
        form = self.open()
        self.assertFalse(form.sms_devino_account_id)
        self.assertRefused(form, "There is no SMS account")

    def test_account_of_another_company_is_refused(self):
        values = {
            "sms_devino_number": "79214563763",
            "body": "Hello",
            "sms_devino_account_id": self.other_account.id,
            "sms_devino_sender_id": self.other_sender.id,
        }
        forms = self.env_of("user")[FORM].with_context(**FROM_MENU)
        with self.assertRaises(AccessError):
            forms.create(values).action_send_sms()
        composer = self.open().save()
        composer.sms_devino_account_id = self.other_account.id
        with self.assertRaises(AccessError):
            composer.action_send_sms()
        self.assertFalse(self.journal())

    def test_sender_of_another_account_is_refused(self):
        second = self.create_account(self.company)
        composer = self.open().save()
        for foreign in (self.create_sender(second, "Second"), self.other_sender):
            composer.sms_devino_sender_id = foreign.id
            with self.assertRaisesRegex(UserError, "one of the sender names"):
                composer.action_send_sms()
        self.assertFalse(self.journal())

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_nobody_else_sends(self):
        for kind in ("portal", "public"):
            with self.subTest(kind), self.assertRaises(AccessError):
                self.env_of(kind)[FORM].create({"body": "x"})
        forms = self.env_of("internal")[FORM].with_context(**FROM_MENU)
        values = {"sms_devino_number": "79214563763", "body": "x"}
        with self.assertRaises(AccessError):
            forms.create(values).action_send_sms()
        composer = self.open().save()
        for kind in ("colleague", "manager", "admin", "internal", "portal"):
            for method in ("action_send_sms", "action_sms_devino_refresh_balance"):
                with self.subTest((kind, method)), self.assertRaises(AccessError):
                    getattr(composer.with_env(self.env_of(kind)), method)()
        self.assertFalse(self.journal())

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_form_of_somebody_else_is_out_of_sight(self):
        composer = self.open(text="Private").save()
        for kind in ("colleague", "manager", "admin"):
            with self.subTest(kind), self.assertRaises(AccessError):
                composer.with_env(self.env_of(kind)).read(["body"])

    def test_balance_is_refreshed_without_losing_anything(self):
        composer = self.open(text="Kept").save()
        action = composer.action_sms_devino_refresh_balance()
        self.assertEqual((action["res_model"], action["res_id"]), (FORM, composer.id))
        self.assertEqual(composer.body, "Kept")
        self.assertTrue(composer.quote_balance)

    def test_sql_error_is_told_in_own_words(self):
        """Another module's constraint fails: own words, nothing in the log."""
        self.env.cr.execute(
            "ALTER TABLE sms_devino_message ADD CONSTRAINT no_secret "
            "CHECK (body NOT LIKE 'Secret%') NOT VALID"
        )
        mark_secret("qzx" + "75")
        self.people["user"].group_ids += self.env.ref("base.group_partner_manager")
        text = "Secret text " + "qzx" + "75"
        partner = self.env["res.partner"].create(
            {"name": "Anna", "phone": "+79214563763"}
        )
        with self.assertLogs("odoo", logging.INFO) as log:
            self.open_contact(partner, text).save().action_send_sms()
        self.assertFalse([line for line in log.output if "qzx75" in line])
        self.assertFalse(self.journal())
        notification = partner.message_ids.notification_ids.filtered(
            lambda n: n.notification_type == "sms"
        )
        self.assertEqual(notification.notification_status, "exception")


@tagged("post_install", "-at_install", "sms_devino")
class TestWaiting(FormCase):
    """What the form of a message says while nothing serves the queue."""

    def test_message_that_waits_too_long_says_why(self):
        message = self.enqueue()
        self.assertFalse(message.waiting_for)
        self.env.cr.execute(
            "UPDATE sms_devino_message SET create_date = create_date - interval '1 min'"
        )
        self.env.invalidate_all()
        self.assertIn("scheduled actions are busy", message.waiting_for)
        self.account.state = "stopped"
        self.env.invalidate_all()
        self.assertIn("the account is stopped", message.waiting_for)
        message.action_cancel()
        self.env.invalidate_all()
        self.assertFalse(message.waiting_for)

    def test_scheduled_message_waits_for_its_time(self):
        at = fields.Datetime.now() + timedelta(hours=1)
        message = self.enqueue(scheduled_at=at)
        self.assertFalse(message.waiting_for)
