"""The form that sends one SMS: sending again, what stands in the way, templates."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools.safe_eval import safe_eval

from .test_send_form import FORM, VIEW, FormCase


@tagged("post_install", "-at_install", "sms_devino")
class TestSendFormAgain(FormCase):
    """Sending a message again opens the form, filled in."""

    def failed(self, **values):
        """A message of the user that was not sent."""
        message = self.enqueue(text="Привет")
        journal = self.env["sms.devino.message"]
        journal._transition("sending", [{"id": message.id}])
        row = {"id": message.id, "reason": "refused", **values}
        journal._transition("failed", [row])
        return message

    def open_again(self, message, kind="user"):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_devino.sms_composer_action_again"
        )
        active = {"active_model": message._name, "active_id": message.id}
        context = safe_eval(action["context"], active)
        return Form(self.env_of(kind)[FORM].with_context(**context, **active), VIEW)

    def test_filled_in_and_corrected(self):
        message = self.failed()
        form = self.open_again(message)
        self.assertEqual(form.sms_devino_number, message.number)
        self.assertEqual(form.body, "Привет")
        self.assertEqual(form.sms_devino_sender_id, self.sender)
        form.sms_devino_number = "8 911 000-00-00"
        form.body = "Привет ещё раз"
        copy = self.send(form)
        self.assertEqual(
            (copy.number, copy.body, copy.repeat_of_id),
            ("+79110000000", "Привет ещё раз", message),
        )
        self.assertEqual(len(self.journal()), 2)

    def test_guard_stays(self):
        message = self.failed()
        first, second = self.open_again(message).save(), self.open_again(message).save()
        first.action_send_sms()
        with self.assertRaisesRegex(UserError, "is not sent again"):
            second.action_send_sms()
        self.assertEqual(len(self.journal()), 2)

    def test_number_that_is_refused_for_good_has_to_be_corrected(self):
        form = self.open_again(
            self.failed(operation_status="Error_Invalid_Destination_Address")
        )
        self.assertEqual(form.sms_devino_number_state, "bad")
        with self.assertRaisesRegex(UserError, "does not accept the number"):
            form.save().action_send_sms()
        form = self.open_again(self.journal())
        form.sms_devino_number = "79110000000"
        self.assertEqual(self.send(form).state, "outgoing")

    def test_contact_and_document_are_kept_with_the_number(self):
        partner = self.env["res.partner"].create(
            {"name": "Anna", "phone": "+79214563763"}
        )
        for number, linked in (("79214563763", True), ("79110000000", False)):
            message = self.failed()
            message.sudo().write(
                {
                    "partner_id": partner.id,
                    "res_model": partner._name,
                    "res_id": partner.id,
                }
            )
            form = self.open_again(message)
            form.sms_devino_number = number
            copy = self.send(form)
            self.assertEqual(bool(copy.partner_id), linked)
            self.assertEqual(copy.res_id, partner.id)

    def test_message_that_one_may_not_read_is_no_source(self):
        message = self.failed()
        form = self.open_again(message, "colleague")
        self.assertFalse(form.sms_devino_number or form.body)


@tagged("post_install", "-at_install", "sms_devino")
class TestSendFormHelp(FormCase):
    """What stands in the way, and what saves typing."""

    def stop(self, status="Error_Invalid_Password"):
        self.account.write({"state": "stopped", "operation_status": status})

    def test_stopped_account_is_told_and_nothing_goes_now(self):
        self.stop()
        form = self.open()
        for words in ("wrong password", "Check login and password", "Ask "):
            self.assertIn(words, form.sending_problem)
        with self.assertRaisesRegex(UserError, "wrong password"):
            form.save().action_send_sms()
        self.assertNotIn("Ask ", self.open("admin").sending_problem)
        form.sms_devino_when = "later"
        form.sms_devino_scheduled_at = fields.Datetime.now() + timedelta(hours=1)
        self.assertEqual(self.send(form).state, "scheduled")
        self.account._note_balance(100)
        self.assertFalse(self.open().sms_devino_notice)

    def test_copied_database_is_told(self):
        self.account.write({"mode": "live"})
        self.account.sudo().database_uuid = "another"
        self.assertIn("is a copy", self.open().sms_devino_notice)

    def test_template_is_filled_in_for_the_contact(self):
        template = self.env["sms.template"].create(
            {
                "name": "Greeting",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "body": "Hi {{ object.name }}",
            }
        )
        form = self.open(text="")
        form.template_id = template
        self.assertIn("placeholder", form.sms_devino_problem)
        partner = self.env["res.partner"].create({"name": "Anna", "phone": "x"})
        form.sms_devino_partner_id = partner
        self.assertEqual(form.body, "Hi Anna")
        self.assertFalse(form.sms_devino_problem)

    def test_managers_save_the_text_as_a_template(self):
        self.open(
            "manager", text="Ready: come by"
        ).save().action_sms_devino_save_template()
        template = self.env["sms.template"].search([("body", "=", "Ready: come by")])
        self.assertEqual(template.model, "res.partner")
        with self.assertRaises(AccessError):
            self.open().save().action_sms_devino_save_template()

    def test_offered_for_every_document_with_a_phone_or_a_contact(self):
        ours = self.env.ref("sms_devino.sms_composer_action_records").id

        def offered(model, kind="user"):
            actions = self.env_of(kind)["ir.actions.actions"].get_bindings(model)
            return ours in [action["id"] for action in actions.get("action", [])]

        for model, expected in {
            "res.partner": False,  # Odoo's own action is there
            "sale.order": True,
            "calendar.event": True,
            "sms.devino.account": False,
            "res.country": False,
        }.items():
            if model in self.env:
                self.assertEqual(offered(model), expected, model)
        if "sale.order" in self.env:
            self.assertFalse(offered("sale.order", "internal"))
