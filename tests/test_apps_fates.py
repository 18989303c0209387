"""What Odoo itself sends from, and each end of it: delivered, failed, rolled back."""

from odoo import fields
from odoo.tests import tagged

from .app_common import AppCase, Fates


@tagged("post_install", "-at_install", "sms_devino")
class TestContactForm(Fates, AppCase):
    def send(self):
        self.compose(self.partner).action_send_sms()
        return self.partner


@tagged("post_install", "-at_install", "sms_devino")
class TestContactList(Fates, AppCase):
    """Mass mode: Odoo keeps a note on the contact, no notification."""

    has_icon = False

    def send(self):
        excluded = self.partner.copy({"phone": "+79214563765"})
        self.env["phone.blacklist"]._add([excluded.phone])
        self.compose(self.partner + excluded).action_send_sms()
        self.run_odoo_queue()
        return self.partner

    # a test answers nothing
    # pylint: disable-next=missing-return
    def test_failed(self):
        super().test_failed()
        sms = self.env["sms.sms"].search([("partner_id", "=", self.partner.id)])
        # Odoo has no word for a rejected message here; the journal has
        self.assertEqual((sms.state, sms.failure_type), ("error", "unknown"))


class ServerActionFates(Fates):
    method = None

    def setUp(self):
        super().setUp()
        self.action = self.env["ir.actions.server"].create(
            {
                "name": "Send",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "state": "sms",
                "sms_template_id": self.create_template("res.partner").id,
                "sms_method": self.method,
            }
        )

    def send(self):
        context = {"active_model": "res.partner", "active_ids": self.partner.ids}
        self.action.with_context(**context).run()
        self.run_odoo_queue()
        return self.partner


@tagged("post_install", "-at_install", "sms_devino")
class TestServerActionWithNote(ServerActionFates, AppCase):
    method = "comment"


@tagged("post_install", "-at_install", "sms_devino")
class TestServerActionWithoutNote(ServerActionFates, AppCase):
    """Mass mode: Odoo keeps nothing on the contact."""

    method = "sms"
    has_icon = False


@tagged("post_install", "-at_install", "sms_devino")
class TestScheduledAction(ServerActionFates, AppCase):
    """A scheduled action that runs the server action on the records it is for."""

    method = "comment"

    def setUp(self):
        super().setUp()
        self.cron = self.env["ir.cron"].create(
            {
                "name": "Send daily",
                "model_id": self.action.model_id.id,
                "state": "code",
                "code": f"env['ir.actions.server'].browse({self.action.id})"
                ".with_context(active_model=model._name, "
                f"active_ids={self.partner.ids}).run()",
            }
        )

    def send(self):
        with self.enter_registry_test_mode():
            self.cron.method_direct_trigger()
        return self.partner


class ReminderFates(Fates):
    """The ready-made reminders write to the journal themselves: no notification."""

    has_icon = False
    cron = None

    def remind(self):
        with self.enter_registry_test_mode():
            self.env.ref(f"sms_devino.{self.cron}").method_direct_trigger()


@tagged("post_install", "-at_install", "sms_devino")
class TestGreeting(ReminderFates, AppCase):
    cron = "ir_cron_greet_contacts"

    def send(self):
        today = fields.Date.context_today(self.partner)
        self.partner.sms_devino_greeting_date = today.replace(year=1996)
        self.remind()
        return self.partner


@tagged("post_install", "-at_install", "sms_devino")
class TestReminderOfActivities(ReminderFates, AppCase):
    cron = "ir_cron_remind_of_activities"

    def send(self):
        colleague = self.new_user("sms_fates_colleague")
        colleague.partner_id.phone = self.partner.phone
        self.partner.activity_schedule(
            "mail.mail_activity_data_todo", user_id=colleague.id
        )
        self.remind()
        return colleague.partner_id
