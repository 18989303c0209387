from lxml import etree

from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from ..hooks import uninstall_hook
from .base_case import SmsCase


@tagged("post_install", "-at_install")
class TestDocumentButton(SmsCase):
    """The button that shows the SMS about a document, on every form with a place."""

    def setUp(self):
        super().setUp()
        self.company.sms_devino_account_id = self.account
        for kind in ("user", "internal"):
            self.people[kind].group_ids += self.env.ref("sales_team.group_sale_manager")
        self.lead = self.env["crm.lead"].create(
            {"name": "Lead", "phone": "+79214563763", "company_id": self.company.id}
        )

    def buttons(self, model, kind="user"):
        arch = self.env_of(kind)[model].get_view(view_type="form")["arch"]
        path = "//button[field[@name='sms_devino_message_count']]"
        return etree.fromstring(arch).xpath(path)

    def test_forms_of_documents_have_it_and_others_have_not(self):
        for model, count in (("crm.lead", 1), ("res.partner", 1), ("res.country", 0)):
            with self.subTest(model):
                self.assertEqual(len(self.buttons(model)), count)

    def test_whoever_is_no_member_does_not_see_it(self):
        self.assertFalse(self.buttons("crm.lead", "internal"))

    def test_it_counts_and_opens_the_messages_of_the_document(self):
        lead = self.lead.with_env(self.env_of("user"))
        self.assertEqual(lead.sms_devino_message_count, 0)
        message = self.enqueue(record=self.lead)
        self.enqueue(record=self.people["user"].partner_id)
        self.enqueue(record=self.lead, kind="colleague")
        lead.invalidate_recordset()
        self.assertEqual(lead.sms_devino_message_count, 1, "the own one")
        [button] = self.buttons("crm.lead")
        action = self.env["ir.actions.act_window"].browse(int(button.get("name")))
        context = {"active_model": "crm.lead", "active_id": self.lead.id}
        domain = safe_eval(action.domain, context)
        found = self.env_of("user")["sms.devino.message"].search(domain)
        self.assertEqual(found, message)

    def test_a_record_that_is_not_saved_has_none(self):
        lead = self.env_of("user")["crm.lead"].new({"name": "New"})
        self.assertEqual(lead.sms_devino_message_count, 0)

    def test_whoever_reads_no_messages_counts_none(self):
        self.enqueue(record=self.lead)
        lead = self.lead.with_env(self.env_of("internal"))
        self.assertEqual(lead.sms_devino_message_count, 0)

    def test_uninstalling_also_removes_the_field_that_an_update_lost_track_of(self):
        data = self.env["ir.model.data"]
        field = self.env["ir.model.fields"]._get("crm.lead", "sms_devino_message_count")
        ours = [("model", "=", "ir.model.fields"), ("res_id", "=", field.id)]
        data.search(ours).unlink()
        uninstall_hook(self.env)
        self.assertEqual(data.search(ours).module, "sms_devino")
