"""What a message is for: chosen at each door, kept on every message."""

from odoo.tests import tagged

from .app_common import AppCase
from .base_case import SmsCase


@tagged("post_install", "-at_install", "sms_devino")
class TestPurpose(SmsCase):
    def test_mass_sending_begins_as_advertising_and_a_single_message_as_service(self):
        batch = self.env["sms.devino.batch"].create({"account_id": self.account.id})
        self.assertEqual(batch.purpose, "advertising")
        self.assertEqual(self.enqueue().purpose, "service")
        self.assertEqual(self.enqueue(purpose="debt").purpose, "debt")

    def test_change_of_a_mass_sending_is_tracked(self):
        batch = self.env["sms.devino.batch"].create({"account_id": self.account.id})
        self.env.flush_all()
        self.env.cr.precommit.run()
        batch.purpose = "debt"
        self.env.flush_all()
        self.env.cr.precommit.run()
        tracked = batch.message_ids.tracking_value_ids.mapped("field_id.name")
        self.assertIn("purpose", tracked)

    def test_advertising_honours_the_blacklist_without_being_asked(self):
        self.env["phone.blacklist"]._add(["+79214563763"])
        self.assertTrue(self.enqueue())
        with self.assertRaisesRegex(Exception, "blacklist"):
            self.enqueue(purpose="advertising")

    def test_message_that_is_sent_again_keeps_its_purpose(self):
        message = self.enqueue(purpose="debt").sudo()
        message.state = "failed"
        self.env.flush_all()
        message.action_send_again()
        self.assertEqual(message.repeated_by_ids.purpose, "debt")


@tagged("post_install", "-at_install", "sms_devino")
class TestPurposeInApps(AppCase):
    def purposes(self):
        return self.journal().mapped("purpose")

    def run_action(self, **values):
        action = self.env["ir.actions.server"].create(
            {
                "name": "Send",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "state": "sms",
                "sms_method": "comment",
                **values,
            }
        )
        context = {"active_model": "res.partner", "active_ids": self.partner.ids}
        action.with_context(**context).run()

    def test_what_odoo_sends_is_service(self):
        self.partner._message_sms("Hello")
        self.assertEqual(self.purposes(), ["service"])

    def test_template_says_it_for_the_form_and_for_apps(self):
        template = self.create_template("res.partner", sms_devino_purpose="advertising")
        composer = self.compose(self.partner, template_id=template.id)
        self.assertEqual(composer.sms_devino_purpose, "advertising")
        composer.action_send_sms()
        self.partner._message_sms_with_template(template=template)
        self.assertEqual(self.purposes(), ["advertising"] * 2)

    def test_person_changes_it_in_the_form(self):
        composer = self.compose(self.partner, sms_devino_purpose="debt")
        composer.action_send_sms()
        self.assertEqual(self.purposes(), ["debt"])

    def test_server_action_goes_before_its_template(self):
        template = self.create_template("res.partner", sms_devino_purpose="advertising")
        self.run_action(sms_template_id=template.id)
        self.run_action(sms_template_id=template.id, sms_devino_purpose="debt")
        self.assertEqual(self.purposes(), ["advertising", "debt"])
