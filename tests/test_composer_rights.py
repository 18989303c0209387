"""The composer through JSON-RPC, as people who may not."""

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .base_case import SmsCase

ODOO_NUMBER, OUR_NUMBER = "+79214563763", "+79214563764"
SPEC = {
    name: {}
    for name in (
        "recipient_single_number_itf",
        "recipient_single_number",
        "recipient_single_description",
        "sms_devino_number",
        "sms_devino_number_hint",
        "sms_devino_sender_id",
        "sms_devino_account_id",
        "sms_devino_left_out",
        "sms_devino_cost",
        "sms_devino_mode",
        "sms_devino_validity",
        "quote_cost",
        "quote_balance",
        "quote_reserved",
        "quote_after",
        "quote_sentence",
        "body",
    )
}
QUIET = (
    "odoo.http",
    "odoo.addons.base.models.ir_rule",
    "odoo.addons.base.models.ir_model",
)


@tagged("post_install", "-at_install", "sms_devino")
class TestComposerRpc(SmsCase, HttpCase):
    def setUp(self):
        super().setUp()
        for company, account in (
            (self.company, self.account),
            (self.other_company, self.other_account),
        ):
            company.sms_devino_account_id = account
            account._note_balance(777777)
            account.price_per_segment = 555
            account.default_validity = 4321

    def call(self, kind, model, method, *args, context=None, **kwargs):
        """Call a method as the web client of a person does; return result or error."""
        login = self.people[kind].login
        self.authenticate(login, login)
        kwargs["context"] = context or {}
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        with mute_logger(*QUIET):
            answer = self.url_open(
                f"/web/dataset/call_kw/{model}/{method}", json={"params": params}
            ).json()
        return answer.get("error") or {"result": answer["result"]}

    def onchange(self, kind, values, context=None):
        return self.call(
            kind, "sms.composer", "onchange", [], values, [], SPEC, context=context
        )

    def assertDenied(self, answer):
        self.assertEqual(
            answer.get("data", {}).get("name"), "odoo.exceptions.AccessError", answer
        )

    # --- reading what rules deny ----------------------------------------------------

    def foreign_records(self):
        """Yield records that an internal user may not read, a field and its value."""
        partner = self.env["res.partner"].create(
            {
                "name": "Qwertina",
                "phone": "+79110001122",
                "company_id": self.other_company.id,
            }
        )
        yield partner, "phone", "79110001122"
        yield partner, "name", "Qwertina"
        message = self.env["sms.devino.message"].enqueue(
            "79110001133", "Confidential text", account=self.account
        )
        yield message, "body", "Confidential text"
        yield message, "number", "79110001133"
        attachment = self.env["ir.attachment"].create({"name": "Salaries.xlsx"})
        attachment.write({"res_model": "res.partner", "res_id": partner.id})
        yield attachment, "name", "Salaries"
        if "crm.lead" in self.env:
            lead = self.env["crm.lead"].create(
                {
                    "name": "Acquisition",
                    "phone": "+79110001144",
                    "company_id": self.other_company.id,
                }
            )
            yield lead, "name", "Acquisition"
            yield lead, "phone", "79110001144"

    def test_onchange_reads_nothing_that_rules_deny(self):
        for kind in ("internal", "user"):
            for record, name, secret in list(self.foreign_records()):
                for mode, ids in (
                    ("comment", {"res_id": record.id}),
                    ("mass", {"res_ids": repr([record.id])}),
                ):
                    self.env.invalidate_all()
                    values = {
                        "composition_mode": mode,
                        "res_model": record._name,
                        "number_field_name": name,
                        "body": f"{{{{ object.{name} }}}}",
                        **ids,
                    }
                    with self.subTest((kind, record._name, name, mode)):
                        answer = self.onchange(kind, values)
                        values.pop("body")
                        self.assertNotIn(secret, repr(answer))

    def test_onchange_reads_what_one_may_read(self):
        partner = self.env["res.partner"].create(
            {"name": "Anna", "phone": "+79110001155"}
        )
        values = {
            "composition_mode": "comment",
            "res_model": "res.partner",
            "res_id": partner.id,
        }
        self.assertIn("+79110001155", repr(self.onchange("internal", values)))

    def test_contact_of_another_company_gives_no_number(self):
        partner = self.env["res.partner"].create(
            {
                "name": "Qwertina",
                "phone": "+79110001122",
                "company_id": self.other_company.id,
            }
        )
        values = {"sms_devino_partner_id": partner.id, "composition_mode": "numbers"}
        answer = self.onchange("user", values, {"default_sms_devino_direct": True})
        self.assertNotIn("79110001122", repr(answer))

    def test_money_is_shown_to_nobody_else(self):
        values = {
            "composition_mode": "numbers",
            "sms_devino_direct": True,
            "sms_devino_number": OUR_NUMBER,
            "numbers": ODOO_NUMBER,
            "body": "Hello",
        }
        for kind, account in (
            ("portal", self.account),
            ("internal", self.account),
            ("user", self.other_account),
            ("manager", self.other_account),
        ):
            answer = self.onchange(
                kind, {**values, "sms_devino_account_id": account.id}
            )
            with self.subTest((kind, account.company_id.name)):
                for secret in ("777", "555", "4321", "test"):
                    self.assertNotIn(secret, repr(answer.get("result", "")))
        shown = self.onchange("user", values)
        self.assertIn("777", repr(shown))

    def test_composer_of_somebody_else_is_not_read(self):
        composer = self.env_of("user")["sms.composer"].create({"body": "Private"})
        for kind in ("colleague", "manager", "internal", "portal"):
            with self.subTest(kind):
                ids = [composer.id]
                self.assertDenied(
                    self.call(kind, "sms.composer", "read", ids, ["body"])
                )

    # --- sending --------------------------------------------------------------------

    def test_public_methods_refuse_a_portal_user(self):
        composer = self.env_of("user")["sms.composer"].create({"body": "Private"})
        for method in (
            "action_send_sms",
            "action_send_sms_mass_now",
            "action_sms_devino_refresh_balance",
        ):
            for ids in ([], [composer.id]):
                with self.subTest((method, ids)):
                    self.assertDenied(self.call("portal", "sms.composer", method, ids))

    def test_numbers_mode_with_a_foreign_document_is_no_way_round(self):
        """The account of a company that lets everybody send is not used for ours."""
        self.other_company.sms_devino_members_only = False
        partner = self.env["res.partner"].create(
            {"name": "Theirs", "company_id": self.other_company.id}
        )
        values = {
            "composition_mode": "numbers",
            "numbers": ODOO_NUMBER,
            "res_model": "res.partner",
            "res_id": partner.id,
            "body": "Hello",
        }
        for more in ({}, {"sms_devino_account_id": self.other_account.id}):
            made = self.call("internal", "sms.composer", "create", [values | more])
            if "result" in made:
                self.assertDenied(
                    self.call(
                        "internal", "sms.composer", "action_send_sms", made["result"]
                    )
                )
        self.assertFalse(self.env["sms.devino.message"].search([]))

    def test_context_of_a_request_decides_nothing(self):
        context = {
            "sms_devino_options": {
                "automatic": True,
                "account_id": self.other_account.id,
            }
        }
        values = {
            "composition_mode": "numbers",
            "numbers": ODOO_NUMBER,
            "body": "Hello",
        }
        made = self.call("internal", "sms.composer", "create", [values])["result"]
        answer = self.call(
            "internal", "sms.composer", "action_send_sms", made, context=context
        )
        self.assertDenied(answer)

    def test_message_of_type_sms_is_refused(self):
        partner = self.people["internal"].partner_id
        answer = self.call(
            "internal",
            "res.partner",
            "message_post",
            [partner.id],
            body="Hello",
            message_type="sms",
            sms_numbers=[ODOO_NUMBER],
        )
        self.assertDenied(answer)
        self.assertFalse(self.env["sms.devino.message"].search([]))

    def test_user_does_not_reach_many_through_the_chatter(self):
        user = self.people["user"]
        user.group_ids += self.env.ref("base.group_partner_manager")
        numbers = [f"+792145637{n:02}" for n in range(20)]
        posted = {"message_type": "sms", "body": "Hello", "sms_numbers": numbers}
        user.partner_id.with_user(user).message_post(**posted)
        self.assertFalse(self.env["sms.devino.message"].search([]))
        posted["sms_numbers"] = numbers[:10]
        user.partner_id.with_user(user).message_post(**posted)
        self.assertEqual(len(self.env["sms.devino.message"].search([])), 10)

    def test_mass_mode_over_the_limit_is_for_managers(self):
        partners = self.env["res.partner"].create(
            [{"name": f"P{n}", "phone": f"+792145637{n:02}"} for n in range(11)]
        )
        values = {
            "composition_mode": "mass",
            "res_model": "res.partner",
            "res_ids": repr(partners.ids),
            "body": "Hello",
        }
        made = self.call("user", "sms.composer", "create", [values])["result"]
        for method in ("action_send_sms", "action_send_sms_mass_now"):
            self.assertDenied(self.call("user", "sms.composer", method, made))
        values["res_ids"] = repr(partners[:10].ids)
        made = self.call("user", "sms.composer", "create", [values])["result"]
        self.call("user", "sms.composer", "action_send_sms_mass_now", made)
        self.assertEqual(len(self.env["sms.devino.message"].search([])), 10)
