from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .base_case import SmsCase

QUIET = ("odoo.models", "odoo.addons.base.models.ir_rule")


@tagged("post_install", "-at_install", "sms_devino")
class TestFirstSteps(SmsCase):
    def steps(self, kind):
        steps = self.env_of(kind)["sms.devino.account"].get_first_steps()
        return {step["key"]: step for step in steps}

    def done(self, kind="admin"):
        return [key for key, step in self.steps(kind).items() if step["done"]]

    def test_steps_get_their_tick_one_by_one(self):
        self.assertEqual(
            list(self.steps("admin")), ["account", "trial", "list", "odoo"]
        )
        self.assertEqual(self.done(), [])
        self.account.action_check_connection()
        self.assertEqual(self.done(), ["account"])
        self.enqueue().sudo().state = "sent"
        self.assertEqual(self.done(), ["account", "trial"])
        self.env_of("manager")["sms.devino.recipient.list"].create({"name": "First"})
        self.assertEqual(self.done(), ["account", "trial", "list"])
        self.company.sms_devino_account_id = self.account
        self.assertEqual(self.done(), [], "all done: no steps any more")

    def test_who_may_not_do_a_step_sees_whom_to_ask(self):
        self.account.responsible_id = self.people["admin"]
        name = self.people["admin"].name
        for kind, may_do in {
            "user": ["trial"],
            "manager": ["trial", "list"],
            "admin": ["account", "trial", "list"],
        }.items():
            steps = self.steps(kind)
            with self.subTest(kind):
                self.assertEqual([k for k, s in steps.items() if s["action"]], may_do)
                asked = {k: s["ask"] for k, s in steps.items() if s["ask"]}
                self.assertEqual(set(asked), set(steps) - set(may_do))
                self.assertEqual(set(asked.values()), {name})

    def test_other_company_ticks_nothing(self):
        self.other_account.action_check_connection()
        self.enqueue(kind="user")
        message = self.env["sms.devino.message"].enqueue(
            "79214563763", "x", account=self.other_account
        )
        message.state = "sent"
        self.assertEqual(self.done(), [])

    def test_steps_are_hidden_and_called_back(self):
        for kind in ("user", "manager", "internal", "portal"):
            accounts = self.env_of(kind)["sms.devino.account"]
            with mute_logger(*QUIET), self.assertRaises(AccessError):
                accounts.hide_first_steps()
        for kind in ("internal", "portal"):
            with mute_logger(*QUIET), self.assertRaises(AccessError):
                self.steps(kind)
        self.env_of("admin")["sms.devino.account"].hide_first_steps()
        self.assertFalse(self.steps("admin") or self.steps("user"))
        self.company.sms_devino_show_steps = True
        self.assertTrue(self.steps("user"))

    def test_trial_opens_the_form_with_an_sms_to_oneself(self):
        user = self.people["user"]
        user.partner_id.phone = "+79214563763"
        self.account.action_check_connection()
        account = self.account.with_env(self.env_of("user"))
        action = account.action_send_trial()
        composer = account.env["sms.composer"].with_context(**action["context"])
        form = composer.create({})
        self.assertEqual(form.sms_devino_account_id, self.account)
        self.assertEqual(form.sms_devino_number, "+79214563763")
        self.assertTrue(form.body)
        form.action_send_sms()
        sent = self.env["sms.devino.message"].search([("author_id", "=", user.id)])
        self.assertEqual(sent.state, "outgoing")
        self.assertEqual(sent.number, "+79214563763")

    def test_trial_from_the_form_of_the_account_is_to_oneself_as_well(self):
        admin = self.env_of("admin")
        admin.user.partner_id.phone = "+79214563763"
        action = self.account.with_env(admin).action_send_trial()
        # as the browser opens it above a form
        opened_from = {"active_model": self.account._name, "active_id": self.account.id}
        composers = admin["sms.composer"].with_context(
            **opened_from, active_ids=self.account.ids, **action["context"]
        )
        composer = composers.create({})
        self.assertFalse(composer.comment_single_recipient)
        self.assertEqual(composer.sms_devino_number, "+79214563763")
        composer.action_send_sms()
        sent = self.env["sms.devino.message"].search([("author_id", "=", admin.uid)])
        self.assertEqual(sent.number, "+79214563763")

    def test_trial_with_a_wrong_password_says_so(self):
        self.account.login = "wrong"
        account = self.account.with_env(self.env_of("admin"))
        shown = account.action_send_trial()["params"]
        self.assertEqual(shown["message"], "Error: wrong login")
