from odoo.exceptions import UserError
from odoo.tests import tagged

from .base_case import SmsCase


@tagged("post_install", "-at_install")
class TestBatchRecords(SmsCase):
    """A mass sending about documents, found by a filter."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sms_devino_account_id = cls.account
        for kind in ("manager", "admin"):
            cls.people[kind].group_ids += cls.env.ref("sales_team.group_sale_manager")
        cls.anna, cls.boris = (
            cls.env["res.partner"].create(
                {"name": name, "phone": phone, "city": city, "lang": "en_US"}
            )
            for name, phone, city in (
                ("Anna", "+79214563701", "Tver"),
                ("Boris", "+79214563702", "Omsk"),
            )
        )
        cls.leads = cls.env["crm.lead"].create(
            [
                {
                    "name": f"Lead of {partner.name}",
                    "type": "opportunity",
                    "partner_id": partner.id,
                    "expected_revenue": 1500,
                    "company_id": cls.company.id,
                    "user_id": cls.people["manager"].id,
                }
                for partner in (cls.anna, cls.boris)
            ]
        )

    def draft(self, kind="manager", **values):
        return self.env_of(kind)["sms.devino.batch"].create(
            {
                "name": "Test",
                "account_id": self.account.id,
                "sender_id": self.sender.id,
                "model": "crm.lead",
                "domain": "[('name', '=like', 'Lead of %')]",
                "body": "{{ name }}: {{ expected_revenue }}, {{ partner_id.city }}",
                **values,
            }
        )

    def calculate(self, batch):
        batch.action_calculate()
        with self.enter_registry_test_mode():
            self.env.ref("sms_devino.ir_cron_calculate").method_direct_trigger()
        self.env.invalidate_all()
        return self.env["sms.devino.message"].search(
            [("batch_id", "=", batch.id)], order="id"
        )

    def test_each_record_gets_its_own_text_and_keeps_its_document(self):
        batch = self.draft()
        rows = self.calculate(batch)
        self.assertFalse(batch.error_text)
        self.assertRecordValues(
            rows,
            [
                {
                    "number": partner.phone,
                    "body": f"{lead.name}: 1,500.00, {partner.city}",
                    "partner_id": partner.id,
                    "res_model": "crm.lead",
                    "res_id": lead.id,
                    "state": "draft",
                }
                for lead, partner in zip(
                    self.leads, (self.anna, self.boris), strict=True
                )
            ],
        )

    def test_records_without_a_number_and_repeated_numbers_are_left_out(self):
        nobody = self.env["res.partner"].create({"name": "Nobody"})
        self.env["crm.lead"].create(
            [
                {
                    "name": "Lead of somebody",
                    "partner_id": partner.id,
                    "company_id": self.company.id,
                }
                for partner in (nobody, self.anna)
            ]
        )
        reasons = self.calculate(self.draft()).mapped("reason")
        self.assertEqual(reasons, [False, False, "empty", "duplicate"])

    def test_only_what_the_person_may_read_is_reached(self):
        manager = self.people["manager"]
        manager.group_ids -= self.env.ref("sales_team.group_sale_manager")
        manager.group_ids += self.env.ref("sales_team.group_sale_salesman")
        self.leads[0].user_id = self.people["admin"]
        self.assertEqual(
            self.calculate(self.draft()).mapped("res_id"), [self.leads[1].id]
        )

    def test_a_model_that_the_person_may_not_read_is_not_offered(self):
        groups = self.people["manager"].group_ids
        self.people["manager"].group_ids = groups.filtered(
            lambda group: "sales_team" not in (group.get_external_id()[group.id] or "")
        )
        batch = self.env_of("manager")["sms.devino.batch"]
        offered = dict(batch._fields["model"]._description_selection(batch.env))
        self.assertNotIn("crm.lead", offered)
        self.assertNotIn("ir.cron", offered)

    def test_what_cannot_be_read_is_told_by_the_draft(self):
        for values, words in (
            ({"domain": "[('nothing', '=', 1)]"}, "Filter"),
            ({"domain": "__import__('os')"}, "Filter"),
            ({"body": "{{ partner_id.nothing }}"}, "partner_id.nothing"),
            ({"body": "{{ 1 + 1 }}"}, r"1 \+ 1"),
        ):
            with self.subTest(values):
                batch = self.draft(**values)
                self.assertFalse(self.calculate(batch))
                self.assertRegex(batch.error_text, words)

    def test_without_a_filter_nobody_is_reached(self):
        batch = self.draft(domain="[]")
        self.assertFalse(self.calculate(batch))
        self.assertTrue(batch.error_text)

    def test_the_menu_of_values_is_that_of_the_records(self):
        names = [entry["name"] for entry in self.draft().names]
        self.assertIn("expected_revenue", names)
        self.assertIn("partner_id.city", names)

    def test_a_template_of_the_records_becomes_the_text(self):
        template = self.env["sms.template"].create(
            {
                "name": "T",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "body": "{{ object.name }}, {{ object.partner_id.name or 'client' }}",
            }
        )
        batch = self.draft()
        batch.template_id = template
        batch._onchange_template_id()
        self.assertEqual(batch.body, "{{ name }}, {{ partner_id | client }}")

    def test_many_documents_become_a_draft_from_the_composer(self):
        self.company.sms_devino_user_limit = 1
        composer = (
            self.env_of("manager")["sms.composer"]
            .with_context(
                default_res_model="crm.lead",
                default_res_ids=repr(self.leads.ids),
                default_composition_mode="mass",
            )
            .create({"body": "Hello {{ object.name }}"})
        )
        self.assertTrue(composer.sms_devino_is_many)
        action = composer.action_send_sms()
        batch = self.env_of("manager")["sms.devino.batch"].browse(action["res_id"])
        self.assertEqual((batch.model, batch.body), ("crm.lead", "Hello {{ name }}"))
        rows = self.calculate(batch)
        self.assertEqual(rows.mapped("res_id"), self.leads.ids)

    def test_also_where_so_many_need_approval(self):
        approvers = self.people["manager"] + self.people["admin"]
        self.company.write(
            {
                "sms_devino_approval_count": 1,
                "sms_devino_approver_ids": approvers.ids,
            }
        )
        self.test_many_documents_become_a_draft_from_the_composer()

    def test_queries_do_not_grow_with_the_records(self):
        def count(copies):
            partners = self.env["res.partner"].create(
                [
                    {"name": f"N{index}", "phone": f"+7921{copies:03}{index:04}"}
                    for index in range(copies)
                ]
            )
            self.env["crm.lead"].create(
                [
                    {
                        "name": f"Many {copies}",
                        "partner_id": partner.id,
                        "user_id": self.people["manager"].id,
                    }
                    for partner in partners
                ]
            )
            batch = self.draft(domain=f"[('name', '=', 'Many {copies}')]")
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(len(self.calculate(batch)), copies)
            return self.env.cr.sql_log_count - before

        count(3)
        few, many = count(5), count(100)
        self.assertLessEqual(many, few + 5)

    def test_users_keep_no_mass_sendings(self):
        with self.assertRaises(UserError):
            self.draft("user")
