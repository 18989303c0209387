"""What Odoo itself sends from, and each end of it: delivered, failed, rolled back."""

from odoo.exceptions import UserError
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


@tagged("post_install", "-at_install", "sms_devino")
class TestRuleOfOurs(Fates, AppCase):
    """Rules write to the journal themselves: no notification."""

    has_icon = False

    def send(self):
        rule = self.env["sms.devino.rule"].create(
            {
                "name": "Test",
                "model": "res.partner",
                "domain": "[('ref', '=', 'rule')]",
                "body": "Hello {{ name }}",
                "hour_from": 0,
                "hour_to": 24,
            }
        )
        rule.action_switch_on()
        self.partner.ref = "rule"
        with self.enter_registry_test_mode():
            self.env.ref("sms_devino.ir_cron_rules").method_direct_trigger()
        return self.partner


@tagged("post_install", "-at_install", "sms_devino")
class TestScheduledActionWithFilter(Fates, AppCase):
    """A scheduled action of type Send SMS, which has no records but by its filter."""

    has_icon = False

    def setUp(self):
        super().setUp()
        self.partner.ref = "cron"
        self.cron = self.env["ir.cron"].create(
            {
                "name": "Test",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "state": "sms",
                "sms_template_id": self.create_template("res.partner").id,
                "sms_method": "sms",
                "sms_devino_domain": "[('ref', '=', 'cron')]",
                "sms_devino_once": True,
            }
        )

    def run_cron(self):
        with self.enter_registry_test_mode():
            self.cron.method_direct_trigger()

    def send(self):
        self.run_cron()
        self.run_odoo_queue()
        return self.partner

    def test_a_document_gets_one_message_however_often_it_runs(self):
        self.partner.copy({"phone": "+79214563765", "ref": "other"})
        self.send()
        self.send()
        self.send_all()
        self.assertOneSent(self.partner)

    def test_a_document_without_a_number_gets_its_message_later(self):
        number, self.partner.phone = self.partner.phone, False
        self.send()
        of_partner = [("partner_id", "=", self.partner.id)]
        self.assertFalse(self.env["sms.sms"].search(of_partner))
        self.partner.phone = number
        self.send()
        self.send_all()
        self.assertOneSent(self.partner)

    def test_without_a_filter_nobody_gets_anything(self):
        self.cron.sms_devino_domain = False
        self.send()
        self.assertFalse(self.journal())

    def test_a_filter_that_cannot_be_read_is_refused(self):
        for domain in ("__import__('os')", "[('nothing', '=', 1)]", "x"):
            with self.subTest(domain), self.assertRaises(UserError):
                self.cron.sms_devino_domain = domain
