"""Odoo's own SMS over real commits, and by a person in a browser."""

from functools import partial

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import get_db_name, new_test_user, tagged
from odoo.tools import mute_logger

from .app_common import FAILING_NUMBER, NUMBER
from .common import LiveCase

STRANGER, BOSS = "sms_apps_stranger", "sms_apps_boss"


class OdooLiveCase(LiveCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(self._forget)
        with self.transaction() as env:
            env.company.sms_devino_account_id = self.account_id
            env["sms.devino.account"].browse(self.account_id)._refresh_balance()
            self.partner_id = self.create_partner(env, "Tour Anna", NUMBER).id

    def create_partner(self, env, name, phone):
        return env["res.partner"].create(
            {"name": name, "phone": phone, "country_id": env.ref("base.ru").id}
        )

    def _forget(self):
        with self.transaction() as env:
            env["res.company"].search([]).write(
                {"sms_devino_account_id": False, "sms_devino_members_only": True}
            )
            partners = env["res.partner"].search([("name", "like", "Tour %")])
            env["phone.blacklist"].search([]).unlink()
            env["sms.sms"].search([]).unlink()
            env["sms.tracker"].search([]).unlink()
            partners.message_ids.unlink()
            partners.unlink()
            env["ir.actions.server"].search([("name", "like", "Tour %")]).unlink()
            env["sms.template"].search([("name", "like", "Tour %")]).unlink()

    def notification_status(self):
        with self.transaction() as env:
            partner = env["res.partner"].browse(self.partner_id)
            return partner.message_ids.notification_ids.mapped("notification_status")


@tagged("post_install", "-at_install", "sms_devino")
class TestOdooTransactions(OdooLiveCase):
    def post(self, env):
        env["res.partner"].browse(self.partner_id)._message_sms("Hello")

    def test_committed_message_leaves(self):
        with self.transaction() as env:
            self.post(env)
        self.assertFalse(self.provider.ledger)
        self.dispatch()
        self.assertEqual(self.notification_status(), ["pending"])
        self.provider.advance(60)
        self.check_statuses()
        self.assertEqual(self.notification_status(), ["sent"])
        self.assertLedgerIsJournal()

    def compose(self, env, mode="comment"):
        composer = env["sms.composer"].create(
            {
                "composition_mode": mode,
                "res_model": "res.partner",
                "res_id": self.partner_id,
                "body": "Hello",
                "mass_force_send": True,
            }
        )
        composer.action_send_sms()

    def run_server_action(self, env):
        model_id = env["ir.model"]._get_id("res.partner")
        template = env["sms.template"].create(
            {"name": "Tour template", "model_id": model_id, "body": "Hello"}
        )
        action = env["ir.actions.server"].create(
            {
                "name": "Tour greeting",
                "model_id": model_id,
                "state": "sms",
                "sms_template_id": template.id,
                "sms_method": "comment",
            }
        )
        context = {"active_model": "res.partner", "active_ids": [self.partner_id]}
        action.with_context(**context).run()

    def test_rolled_back_message_leaves_nothing(self):
        senders = {
            "chatter": self.post,
            "contact form": self.compose,
            "contact list": partial(self.compose, mode="mass"),
            "server action": self.run_server_action,
        }
        for name, send in senders.items():
            with self.subTest(name):
                with self.assertRaises(ZeroDivisionError), self.transaction() as env:
                    send(env)
                    self.assertEqual(env["sms.devino.message"].search_count([]), 1)
                    raise ZeroDivisionError
                self.dispatch()
                self.assertFalse(self.provider.ledger)
                self.assertFalse(self.states())
                self.assertFalse(self.notification_status())

    def test_composer_of_a_person_leaves_after_the_commit(self):
        with self.transaction() as env:
            self.compose(env)
        self.assertEqual(self.states(), {"outgoing": 1})
        self.assertFalse(self.provider.ledger)
        self.dispatch()
        self.assertEqual(self.states(), {"sent": 1})
        self.assertEqual(self.notification_status(), ["pending"])

    def test_transaction_that_odoo_retries_sends_once(self):
        goes = []

        def work(env):
            goes.append(1)
            self.post(env)
            env.flush_all()
            if len(goes) == 1:
                self.disturb()
                env["res.partner"].browse(self.partner_id).comment = "Mine"
                env.flush_all()

        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["res.partner"].browse(self.partner_id).read(["name"])
            with mute_logger("odoo.sql_db"):
                retrying(lambda: work(env), env)
        self.assertEqual(len(goes), 2)
        self.dispatch()
        self.assertEqual(len(self.provider.ledger), 1)
        self.assertLedgerIsJournal()

    def disturb(self):
        """Write to the same contact from another transaction."""
        with self.transaction() as env:
            env["res.partner"].browse(self.partner_id).comment = "Theirs"

    def test_queue_of_odoo_survives_its_server(self):
        with self.transaction() as env:
            env["res.partner"].browse(self.partner_id)._message_sms_schedule_mass("Hi")
        for _run in range(2):
            with self.transaction() as env:
                env["sms.sms"]._process_queue()
        self.dispatch()
        self.assertEqual(len(self.provider.ledger), 1)
        self.assertLedgerIsJournal()


@tagged("post_install", "-at_install", "sms_devino")
class TestOdooTours(OdooLiveCase):
    @classmethod
    def setUpClass(cls):
        # committed before the test's own transaction begins, which logs the user in
        with Registry(get_db_name()).cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {"no_reset_password": True})
            groups = {
                STRANGER: "base.group_user,base.group_partner_manager",
                BOSS: "base.group_user,base.group_system,sms_devino.group_admin",
            }
            for login, of_user in groups.items():
                user = new_test_user(env, login, groups=of_user, lang="en_US")
                cls.addClassCleanup(cls._retire, user.id)
        super().setUpClass()

    @classmethod
    def _retire(cls, user_id):
        with cls.registry.cursor() as cr:
            user = api.Environment(cr, SUPERUSER_ID, {})["res.users"].browse(user_id)
            user.write({"active": False, "login": f"{user.login}_{user.id}_gone"})

    def contact_url(self, partner_id=None):
        return f"/odoo/res.partner/{partner_id or self.partner_id}"

    def test_contact_form(self):
        login = self.logins["user"]
        self.start_tour(self.contact_url(), "sms_devino_apps_contact", login=login)
        # Odoo runs post-commit hooks before the commit while a tour is watched
        self.dispatch()
        self.assertEqual(self.states(), {"sent": 1})
        self.assertEqual(
            [(entry.number, entry.text) for entry in self.provider.ledger],
            [(NUMBER[1:], "Price [1] €")],
        )
        self.assertLedgerIsJournal()
        self.provider.advance(60)
        self.check_statuses()
        self.start_tour(self.contact_url(), "sms_devino_apps_delivered", login=login)

    def test_failure_tells_the_reason_in_the_chatter(self):
        with self.transaction(self.users["user"]) as env:
            partner = env["res.partner"].browse(self.partner_id)
            partner.phone = FAILING_NUMBER
            partner._message_sms("Hello")
        self.dispatch()
        self.provider.advance(60)
        self.check_statuses()
        self.start_tour(
            self.contact_url(), "sms_devino_apps_failure", login=self.logins["user"]
        )

    def test_contact_list(self):
        with self.transaction() as env:
            self.create_partner(env, "Tour Boris", "+79214563764")
            self.create_partner(env, "Tour Landline", "+74951234567")
            self.create_partner(env, "Tour No Number", False)
            action = env["ir.actions.act_window"].create(
                {
                    "name": "Tour contacts",
                    "res_model": "res.partner",
                    "view_mode": "list,form",
                    "domain": [("name", "like", "Tour %")],
                }
            )
        self.addCleanup(self._remove_action, action.id)
        self.start_tour(
            f"/odoo/action-{action.id}",
            "sms_devino_apps_contacts",
            login=self.logins["manager"],
        )
        self.dispatch()
        self.assertEqual(self.states(), {"scheduled": 2})
        self.assertFalse(self.provider.ledger)
        with self.transaction() as env:
            messages = env["sms.devino.message"].search([])
            self.assertEqual(
                set(messages.mapped("body")), {"Hi Tour Anna", "Hi Tour Boris"}
            )
            messages.action_cancel()
        self.assertEqual(self.states(), {"canceled": 2})

    def _remove_action(self, action_id):
        with self.transaction() as env:
            env["ir.actions.act_window"].browse(action_id).unlink()

    def test_blacklist(self):
        with self.transaction() as env:
            env["phone.blacklist"]._add([NUMBER])
        self.start_tour(
            self.contact_url(), "sms_devino_apps_excluded", login=self.logins["user"]
        )
        self.dispatch()
        self.assertEqual(len(self.provider.ledger), 1)
        with self.transaction() as env:
            [message] = env["sms.devino.message"].search([])
            self.assertEqual(message.override_by_id.id, self.users["user"])

    def test_stranger_sees_no_button(self):
        with self.transaction() as env:
            env.company.sms_devino_members_only = True
        self.env.invalidate_all()
        self.start_tour(self.contact_url(), "sms_devino_apps_stranger", login=STRANGER)

    def test_settings(self):
        with self.transaction() as env:
            env.company.sms_devino_account_id = False
        self.start_tour(
            "/odoo/action-base_setup.action_general_configuration",
            "sms_devino_apps_settings",
            login=BOSS,
        )
        with self.transaction() as env:
            self.assertEqual(env.company.sms_devino_account_id.id, self.account_id)
            self.assertFalse(env.company.sms_devino_members_only)

    def test_server_action(self):
        with self.transaction() as env:
            template = env["sms.template"].create(
                {
                    "name": "Tour template",
                    "model_id": env["ir.model"]._get_id("res.partner"),
                    "body": "By the action",
                }
            )
            action = env["ir.actions.server"].create(
                {
                    "name": "Tour greeting",
                    "model_id": env["ir.model"]._get_id("res.partner"),
                    "state": "sms",
                    "sms_template_id": template.id,
                    "sms_method": "comment",
                }
            )
            action.create_action()
        self.start_tour(
            self.contact_url(),
            "sms_devino_apps_server_action",
            login=self.logins["user"],
        )
        self.dispatch()
        self.assertEqual([e.text for e in self.provider.ledger], ["By the action"])
        self.assertLedgerIsJournal()
