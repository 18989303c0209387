"""What an administrator sees of an account: its connection, its secrets, its life."""

import time
from pathlib import Path

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import convert_file, mute_logger

from ..sandbox import Fault
from ..services.balance import lock_asking
from ..services.jobs import DISPATCH
from .base_case import SmsCase
from .common import LiveCase, mark_secret

JOBS_LOGGER = "odoo.addons.sms_devino.services.jobs"
QUIET = ("odoo.models", "odoo.addons.base.models.ir_rule")
SECRET_LOGIN, SECRET_PASSWORD = "l0gin-qzx71-secret", "s3cret-qzx72-password"


@tagged("post_install", "-at_install", "sms_devino")
class TestConnection(LiveCase):
    """The button that checks the connection, over real HTTP."""

    def check(self, **values):
        """Save ``values``, press the button; return what is shown."""
        with self.transaction(self.users["admin"], lang="en_US") as env:
            account = env["sms.devino.account"].browse(self.account_id)
            if values:
                account.write(values)
            return account.action_check_connection()["params"]

    def account(self, *names):
        with self.transaction() as env:
            values = env["sms.devino.account"].browse(self.account_id).read(names)[0]
        return [values[name] for name in names]

    def test_right_login_shows_the_balance(self):
        shown = self.check()
        self.assertEqual(shown["type"], "success")
        self.assertEqual(shown["title"], "Operation completed")
        self.assertRegex(shown["message"], r"^Balance: 1\D?000\D00 credits$")
        state, status, balance, at = self.account(
            "state", "operation_status", "balance", "balance_at"
        )
        self.assertEqual(
            (state, status, balance), ("ready", "OK_Operation_Completed", 1000)
        )
        self.assertLess((fields.Datetime.now() - at).total_seconds(), 60)

    def test_wrong_login_or_password_is_told_in_the_words_of_the_manual(self):
        mark_secret(SECRET_LOGIN, SECRET_PASSWORD)
        for values in ({"login": SECRET_LOGIN}, {"password": SECRET_PASSWORD}):
            with self.subTest(wrong=list(values)):
                self.check(login="demo", password="demo")
                shown = self.check(**values)
                self.assertEqual(shown["type"], "danger")
                self.assertEqual(shown["message"], "Error: wrong login")
                self.assertTrue(shown["sticky"])
                state, status, balance = self.account(
                    "state", "operation_status", "balance"
                )
                self.assertEqual((state, status), ("stopped", "Error_Invalid_Login"))
                self.assertEqual(balance, 1000, "the last known balance is kept")

    def test_answer_that_is_none_says_that_the_server_is_not_available(self):
        for kind in ("html", "html502", "status500", "status500_empty", "drop_before"):
            with self.subTest(kind):
                self.check()
                self.provider.faults.add(Fault(kind, times=None))
                shown = self.check()
                self.provider.faults.clear()
                self.assertEqual(shown["type"], "danger")
                self.assertRegex(shown["message"], "^Error: .*(server|parameters)")
                with self.transaction() as env:
                    account = env["sms.devino.account"].browse(self.account_id)
                    self.assertNotEqual(account.state, "ready")
                    self.assertTrue(account.last_error)
                    self.assertEqual(account.stored_password, "demo", "is kept")

    def test_server_that_does_not_answer(self):
        self.server.stop()
        shown = self.check()
        self.assertEqual(
            shown["message"],
            "Error: the server is unavailable",
        )

    def activities(self):
        with self.transaction() as env:
            return env["sms.devino.account"].browse(self.account_id).activity_ids.ids

    def watch(self):
        """Run the scheduled action that asks for balances."""
        with self.transaction() as env:
            env["sms.devino.account"]._cron_watch_balance()

    def triggers(self, xmlid):
        with self.transaction() as env:
            cron = env.ref(xmlid)
            return env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]).ids

    def test_corrected_password_makes_the_queue_move_again(self):
        message_id = self.enqueue()
        for password in ("wrong", "wrong too", "wrong again"):
            self.save(password=password)
            self.dispatch()
            self.assertEqual(self.account("state"), ["stopped"])
            self.assertEqual(self.read(message_id, "state"), "outgoing")
            self.assertEqual(len(self.activities()), 1, "they do not pile up")
        self.save(password="demo")
        self.watch()
        self.assertEqual(self.account("state"), ["ready"], "checked by itself")
        self.assertFalse(self.activities())
        self.dispatch()
        self.assertEqual(self.read(message_id, "state"), "sent")

    def test_wrong_password_is_noticed_without_a_message(self):
        self.check()
        self.save(password="wrong")
        self.watch()
        self.assertEqual(self.account("state"), ["stopped"])
        self.assertEqual(len(self.activities()), 1)

    def test_every_success_wakes_the_queue_and_closes_activities(self):
        self.save(password="wrong")
        self.enqueue()
        self.dispatch()
        self.assertEqual(len(self.activities()), 1)
        self.save(password="demo")
        for _press in range(2):
            before = self.triggers(DISPATCH)
            self.assertEqual(self.check()["type"], "success")
            self.assertFalse(self.activities())
            self.assertGreater(len(self.triggers(DISPATCH)), len(before))

    def test_stopped_account_says_what_to_do_and_whom_to_ask(self):
        self.check()
        self.assertEqual(self.account("sending_problem"), [False])
        self.save(password="wrong")
        self.enqueue()
        self.dispatch()
        for kind, asked in (("admin", ""), ("user", "Ask an SMS administrator.")):
            with (
                self.subTest(kind),
                self.transaction(self.users[kind], lang="en_US") as env,
            ):
                account = env["sms.devino.account"].browse(self.account_id)
                problem = account.sending_problem
                self.assertIn("Error: wrong login. Check login and password", problem)
                self.assertIn("Messages wait in the queue and are sent then.", problem)
                self.assertTrue(problem.endswith(asked))
                self.assertEqual("Ask" in problem, bool(asked))
        self.check(password="demo")
        self.assertEqual(self.account("sending_problem"), [False])

    def test_silent_provider_says_when_it_is_tried_again(self):
        self.check()
        soon = fields.Datetime.add(fields.Datetime.now(), minutes=1)
        self.save(paused_until=soon)
        [problem] = self.account("sending_problem")
        self.assertIn("could not be reached", problem)

    def test_old_balance_is_asked_by_the_scheduled_action(self):
        self.check()
        self.provider.set_balance("555")
        with self.transaction(self.users["user"]) as env:
            account = env["sms.devino.account"].browse(self.account_id)
            self.assertFalse(account.want_balance(), "some seconds old")
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            account.balance_at = fields.Datetime.subtract(account.balance_at, minutes=9)
        self.server.requests.clear()
        with self.transaction(self.users["user"]) as env:
            account = env["sms.devino.account"].browse(self.account_id)
            self.assertTrue(account.want_balance())
        self.assertFalse(self.server.requests, "the form does not wait")
        self.watch()
        self.assertEqual(self.account("balance"), [555])
        self.server.requests.clear()
        self.watch()
        self.assertFalse(self.server.requests, "once")

    def save(self, **values):
        with self.transaction(self.users["admin"]) as env:
            env["sms.devino.account"].browse(self.account_id).write(values)

    def test_refused_login_is_not_repeated(self):
        self.save(password="wrong")
        self.enqueue()
        self.dispatch()
        logins = self.server.requests["User/SessionId"]
        self.dispatch()
        with self.transaction() as env:
            env["sms.devino.account"]._cron_watch_balance()
        with self.transaction(self.users["user"]) as env:
            account = env["sms.devino.account"].browse(self.account_id)
            with self.assertRaisesRegex(UserError, "wrong login"):
                account.action_refresh_balance()
        self.assertEqual(self.server.requests["User/SessionId"], logins)
        self.assertEqual(self.check()["type"], "danger", "a person may try")
        self.assertEqual(self.server.requests["User/SessionId"], logins + 1)
        self.save(password="demo")
        self.assertEqual(self.check()["type"], "success")

    def test_button_waits_five_seconds_at_most(self):
        self.provider.faults.add(Fault("hold", path="User/Balance", seconds=8))
        start = time.monotonic()
        shown = self.check()
        self.assertLess(time.monotonic() - start, 7)
        self.assertEqual(shown["message"], "Error: the server is unavailable")

    def test_one_person_at_a_time_asks(self):
        with self.transaction() as env:
            lock_asking(env["sms.devino.account"].browse(self.account_id))
            with self.assertRaisesRegex(UserError, "is being asked already"):
                self.check()
        self.assertEqual(self.check()["type"], "success")

    def test_copied_database_asks_a_person_once(self):
        self.check()
        message_id = self.enqueue()
        with self.transaction() as env:
            env["sms.devino.account"].browse(self.account_id).database_uuid = "other"
        self.server.requests.clear()
        for _run in range(2):
            self.dispatch()
        self.assertFalse(self.server.requests, "nothing reaches the provider")
        self.assertEqual(self.account("state"), ["stopped"])
        self.assertEqual(len(self.activities()), 1)
        with self.assertRaisesRegex(UserError, "This database is a copy"):
            self.check()
        with self.transaction(self.users["user"]) as env:
            account = env["sms.devino.account"].browse(self.account_id)
            with self.assertRaises(AccessError):
                account.action_confirm_database()
        with self.transaction(self.users["admin"]) as env:
            account = env["sms.devino.account"].browse(self.account_id)
            self.assertTrue(account.is_copied)
            account.action_confirm_database()
            self.assertFalse(account.is_copied)
        self.assertFalse(self.activities())
        self.dispatch()
        self.assertEqual(self.read(message_id, "state"), "sent")

    def test_watch_survives_the_failure_of_one_account(self):
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            account.write({"low_balance": 1, "state": "ready"})
            broken = self._create_account(env, name="Broken", sequence=0)
            broken.write({"login": False, "low_balance": 1})
            broken.state = "ready"
        with self.transaction() as env, mute_logger(JOBS_LOGGER):
            env["sms.devino.account"]._cron_watch_balance()
        self.assertEqual(self.account("balance"), [1000])

    def test_balance_that_cannot_be_asked_leaves_the_account_connected(self):
        self.check()
        self.provider.faults.add(Fault("code8", path="User/Balance"))
        with self.transaction(self.users["user"]) as env:
            env["sms.devino.account"].browse(self.account_id).action_refresh_balance()
        self.assertEqual(
            self.account("state", "balance", "operation_status"),
            ["ready", 1000, "Error_Gateway_Offline"],
        )

    def test_secrets_travel_in_no_address(self):
        self.check()
        for path in self.server.requests:
            self.assertNotIn("demo", path)


@tagged("post_install", "-at_install", "sms_devino")
class TestAccount(SmsCase):
    def test_test_mode_runs_the_whole_client_without_network(self):
        shown = self.account.action_check_connection()["params"]
        self.assertEqual(shown["title"], "Test mode: the provider was not asked")
        self.assertEqual(self.account.state, "ready")
        self.assertGreater(self.account.balance, 0)
        self.account.login = "wrong"
        shown = self.account.action_check_connection()["params"]
        self.assertEqual(shown["message"], "Error: wrong login")

    def test_balance_of_the_sandbox_never_counts_as_real(self):
        self.account.action_check_connection()
        self.account.mode = "live"
        self.assertFalse(self.account.balance or self.account.balance_at)
        self.assertIsNone(self.account._get_quote(1).balance)

    def test_job_that_is_off_is_said_on_the_account(self):
        self.assertFalse(self.account.sending_problem)
        self.env.ref(DISPATCH).active = False
        self.account.invalidate_recordset()
        self.assertIn("switched off", self.account.sending_problem)
        account = self.account.with_env(self.env_of("internal"))
        self.assertFalse(account._get_quote_values(1)["sending_problem"])
        self.company.sms_devino_account_id = self.account
        self.company.sms_devino_members_only = False
        values = account._get_quote_values(1)
        self.assertIn("switched off", values["sending_problem"])
        self.assertFalse(values["quote_cost"])

    def test_first_sender_name_is_typed_on_the_account(self):
        form = Form(self.env_of("admin")["sms.devino.account"])
        self.assertEqual(form.name, "Devino")
        form.sender_name = "OurShop"
        account = form.save()
        self.assertEqual(account.sender_ids.name, "OurShop")
        self.assertEqual(account.default_sender_id, account.sender_ids)
        account.sender_name = "Second"
        self.assertEqual(len(account.sender_ids), 2)
        account.sender_name = "OurShop"
        self.assertEqual(account.default_sender_id.name, "OurShop")
        self.assertEqual(len(account.sender_ids), 2)
        with self.assertRaisesRegex(ValidationError, "Cyrillic"):
            account.sender_name = "МойМагазин"

    def test_sender_is_added_where_it_is_missing(self):
        senders = self.env_of("admin")["sms.devino.sender"]
        senders = senders.with_context(default_account_id=self.account.id)
        made, _name = senders.name_create("Quick")
        self.assertEqual(senders.browse(made).account_id, self.account)

    def test_account_that_works_is_offered_for_all_sms_of_odoo(self):
        system = self.env_of("admin").user
        system.group_ids += self.env.ref("base.group_system")
        account = self.account.with_env(self.env_of("admin"))
        self.assertFalse(account.is_used_by_odoo)
        account.action_use_for_odoo()
        self.assertEqual(self.company.sms_devino_account_id, self.account)
        account.invalidate_recordset()
        self.assertTrue(account.is_used_by_odoo)

    def test_live_account_without_login_or_password_says_so(self):
        for missing in ("login", "password"):
            with self.subTest(missing):
                account = self.create_account(
                    self.company, mode="live", **{missing: False}
                )
                with self.assertRaisesRegex(UserError, "has no login or no password"):
                    account.action_check_connection()
                self.assertEqual(account.state, "draft")

    def test_form_asks_for_login_and_password_of_a_live_account(self):
        form = Form(self.env_of("admin")["sms.devino.account"])
        form.name = "Live"
        form.mode = "live"
        with self.assertRaisesRegex(AssertionError, "login is a required field"):
            form.save()

    def test_server_address_that_is_none_is_refused(self):
        for url in ("integrationapi.net/rest", "ftp://x/rest", "https://", "привет"):
            with (
                self.subTest(url),
                self.assertRaisesRegex(ValidationError, "this is not a web address"),
            ):
                self.account.url = url

    def test_password_goes_to_no_unsafe_address(self):
        account = self.create_account(
            self.company, mode="live", url="https://provider.example/rest"
        ).with_env(self.env_of("admin"))
        for url, words in {
            "http://provider.example/rest": "unencrypted",
            "https://demo:demo@provider.example/rest": "must not contain a login",
            "https://10.0.0.1/rest": "own network",
            "https://169.254.169.254/latest": "own network",
            "https://localhost/rest": "own network",
            "http://127.0.0.1:8069": "own network",
            "https://2130706433/rest": "own network",
            "https://127.1/rest": "own network",
            "https://[::1]/rest": "own network",
            "https://[::ffff:10.0.0.1]/rest": "own network",
            "https://gateway.internal/rest": "own network",
        }.items():
            with self.subTest(url), self.assertRaisesRegex(ValidationError, words):
                account.url = url
        with self.assertRaises(AccessError):
            account.allow_private_address = True
        account.sudo().allow_private_address = True
        account.url = "http://127.0.0.1:8069"
        account.mode = "test"
        account.mode = "live"

    def test_server_address_is_filled_in(self):
        form = Form(self.env_of("admin")["sms.devino.account"])
        self.assertEqual(form.url, "https://integrationapi.net/rest")
        self.assertEqual(form.mode, "test")

    def test_changed_connection_resets_the_check(self):
        for name, value in {
            "login": "other",
            "password": "other",
            "mode": "live",
            "url": "http://127.0.0.1/other",
        }.items():
            with self.subTest(name):
                self.account.write(
                    {
                        "state": "stopped",
                        "operation_status": "Error_Invalid_Login",
                        "last_error": "x",
                        "paused_until": fields.Datetime.now(),
                    }
                )
                self.account[name] = value
                self.assertRecordValues(
                    self.account,
                    [
                        {
                            "state": "draft",
                            "operation_status": False,
                            "last_error": False,
                            "paused_until": False,
                        }
                    ],
                )

    def test_first_account_of_a_company_is_its_default(self):
        second = self.create_account(self.company)
        default = self.env["sms.devino.account"]._get_default
        self.assertEqual(default(self.company), self.account)
        second.sequence = 1
        self.assertEqual(default(self.company), second)
        self.assertEqual(default(self.other_company), self.other_account)

    def test_archived_default_account_leaves_its_place_to_the_next(self):
        second = self.create_account(self.company)
        self.account.action_archive()
        default = self.env["sms.devino.account"]._get_default
        self.assertEqual(default(self.company), second)
        second.action_archive()
        self.assertFalse(default(self.company))
        with self.assertRaisesRegex(UserError, "no SMS account for the company"):
            self.enqueue(account=None)

    def test_account_with_messages_is_archived_and_not_deleted(self):
        message = self.enqueue()
        with self.assertRaisesRegex(UserError, "Archive it instead"):
            self.account.unlink()
        self.account.action_archive()
        self.assertEqual(message.account_id, self.account)

    def test_unused_account_is_deleted_with_its_sender_names(self):
        self.other_account.default_sender_id = self.other_sender
        self.other_account.unlink()
        self.assertFalse(self.other_sender.exists())

    def test_reserved_is_what_still_has_to_leave(self):
        self.account.price_per_segment = 2.5
        tomorrow = fields.Datetime.add(fields.Datetime.now(), days=1)
        self.enqueue(text="я" * 71)
        planned = self.enqueue(scheduled_at=tomorrow)
        self.account.invalidate_recordset()
        self.assertEqual(self.account.reserved, 7.5)
        planned.action_cancel()
        self.account.invalidate_recordset()
        self.assertEqual(self.account.reserved, 5)

    # --- secrets --------------------------------------------------------------------

    def test_secrets_are_for_administrators_only(self):
        for kind in ("user", "manager"):
            accounts = self.env_of(kind)["sms.devino.account"]
            account = accounts.browse(self.account.id)
            self.assertTrue(account.name)
            for name in ("login", "password"):
                for how, peep in {
                    "read": lambda account, name: account.read([name]),
                    "search": lambda account, name: account.search([(name, "!=", 1)]),
                    "group": lambda account, name: account.formatted_read_group(
                        [], [name], ["__count"]
                    ),
                    "order": lambda account, name: account.search([], order=name),
                    "export": lambda account, name: account.export_data([name]),
                    "copy": lambda account, name: account.copy(),
                    "web": lambda account, name: account.web_read({name: {}}),
                }.items():
                    with (
                        self.subTest(kind=kind, name=name, how=how),
                        mute_logger("odoo.models", "odoo.addons.base.models.ir_rule"),
                        self.assertRaises(AccessError),
                    ):
                        peep(account, name)
            self.assertNotIn("login", accounts.fields_get())
            self.assertNotIn("password", account.read()[0])

    def test_only_administrators_change_and_check_accounts(self):
        for kind in ("user", "manager"):
            account = self.account.with_env(self.env_of(kind))
            for how, change in {
                "write": lambda account: account.write({"name": "x"}),
                "create": lambda account: account.create({"name": "x"}),
                "unlink": lambda account: account.unlink(),
                "check": lambda account: account.action_check_connection(),
            }.items():
                with self.subTest(kind=kind, how=how), self.assertRaises(AccessError):
                    change(account)

    def test_password_is_write_only(self):
        account = self.account.with_env(self.env_of("admin"))
        account.password = "secret"
        self.assertEqual(account.sudo().stored_password, "secret")
        self.assertFalse(account.read(["password"])[0]["password"])
        saved = account.web_save({"password": "secret 2"}, {"password": {}})
        self.assertFalse(saved[0]["password"])
        for how in (
            lambda: account.read(["stored_password"]),
            lambda: account.search([("stored_password", "!=", False)]),
            lambda: account.write({"stored_password": "x"}),
            lambda: account.search([], order="stored_password"),
            lambda: account.read(["database_uuid"]),
        ):
            with mute_logger(*QUIET), self.assertRaises(AccessError):
                how()

    def test_secrets_are_not_copied(self):
        copy = self.account.copy()
        self.assertFalse(copy.login or copy.stored_password)
        self.assertEqual(copy.state, "draft")

    # --- companies ------------------------------------------------------------------

    def make_branch(self):
        return self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )

    def test_company_sends_through_its_own_accounts_only(self):
        with self.assertRaisesRegex(UserError, "belongs to another company"):
            self.company.sms_devino_account_id = self.other_account
        self.company.sms_devino_account_id = self.account
        with self.assertRaisesRegex(UserError, "belongs to another company"):
            self.account.company_id = self.other_company

    def test_branch_uses_the_account_of_its_parent(self):
        branch = self.make_branch()
        branch.sms_devino_account_id = self.account
        user = self.people["user"]
        user.write({"company_ids": [(4, branch.id)], "company_id": branch.id})
        env = self.env(user=user, context={"allowed_company_ids": branch.ids})
        self.assertEqual(env["sms.devino.account"]._get_default(), self.account)
        self.assertTrue(self.account.with_env(env)._get_quote_values(1)["quote_cost"])
        message = env["sms.devino.message"].enqueue("79214563763", "Hello")
        self.assertEqual(message.account_id, self.account)
        self.assertEqual(message.company_id, branch)
        own = self.create_account(branch)
        self.assertEqual(env["sms.devino.account"]._get_default(), own)

    def test_branch_does_not_change_the_account_of_its_parent(self):
        branch = self.make_branch()
        admin = self.people["admin"]
        admin.write({"company_ids": [(6, 0, branch.ids)], "company_id": branch.id})
        account = self.account.with_env(self.env_of("admin"))
        self.assertTrue(account.name)
        for change in (
            lambda: account.write({"name": "x"}),
            lambda: account.unlink(),
            lambda: account.action_check_connection(),
            lambda: self.sender.with_env(account.env).write({"name": "x"}),
        ):
            with mute_logger(*QUIET), self.assertRaises(AccessError):
                change()

    def test_company_of_an_account_with_messages_is_fixed(self):
        self.account.company_id = self.other_company
        self.account.company_id = self.company
        self.enqueue()
        self.account.company_id = self.company
        with self.assertRaisesRegex(UserError, "its company cannot be changed"):
            self.account.company_id = self.other_company

    def test_default_sender_is_one_of_the_account(self):
        second = self.create_account(self.company)
        with self.assertRaisesRegex(ValidationError, "belongs to another account"):
            second.default_sender_id = self.sender

    # --- what administrators of Odoo may --------------------------------------------

    def test_settings_are_for_whoever_may_change_settings(self):
        system = new_test_user(
            self.env,
            "sms_system",
            groups="base.group_system",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        env = self.env(user=system, context={"allowed_company_ids": self.company.ids})
        with Form(env["res.config.settings"]) as form:
            form.sms_devino_provider = "devino"
            self.assertEqual(form.sms_devino_account_id, self.account)
        settings = form.save()
        self.assertEqual(settings.sms_devino_account_id.display_name, "Account")
        settings.execute()
        self.assertEqual(self.company.sms_devino_account_id, self.account)
        shown = settings.action_sms_devino_check_connection()["params"]
        self.assertEqual(shown["title"], "Test mode: the provider was not asked")
        for field in ("login", "url", "password", "stored_password"):
            with mute_logger(*QUIET), self.assertRaises(AccessError):
                self.account.with_env(env).read([field])
        with self.assertRaises(AccessError):
            settings.action_sms_devino_accounts()
        for kind in ("manager", "internal", "portal"):
            for action in ("check_connection", "accounts"):
                with mute_logger(*QUIET), self.assertRaises(AccessError):
                    settings = settings.with_env(self.env_of(kind))
                    getattr(settings, f"action_sms_devino_{action}")()

    def test_update_brings_nobody_back_into_the_group(self):
        group = self.env.ref("sms_devino.group_admin")
        admin = self.env.ref("base.user_admin")
        group.user_ids -= admin
        convert_file(
            self.env,
            "sms_devino",
            "security/sms_devino_groups.xml",
            {},
            mode="update",
            noupdate=False,
        )
        self.assertNotIn(admin, group.user_ids)
        self.assertEqual(group.name, "Administrator")

    def test_secrets_stand_in_no_chatter(self):
        mark_secret(SECRET_LOGIN, SECRET_PASSWORD)
        # as if the account had been created in a transaction of its own
        self.env.flush_all()
        self.cr.precommit.run()
        self.account.write(
            {"login": SECRET_LOGIN, "password": SECRET_PASSWORD, "mode": "live"}
        )
        self.env.flush_all()
        self.cr.precommit.run()
        tracked = self.account.message_ids.tracking_value_ids
        self.assertEqual(tracked.field_id.mapped("name"), ["mode"])
        words = " ".join(self.account.message_ids.mapped("body"))
        self.assertNotIn(SECRET_PASSWORD, words)

    def test_neutralized_copy_sends_nothing(self):
        self.account.write({"mode": "live", "login": "x", "password": "y"})
        self.env.flush_all()
        path = Path(__file__).parent.parent / "data" / "neutralize.sql"
        self.env.cr.execute(path.read_text("utf-8"))
        self.env.invalidate_all()
        for account in self.env["sms.devino.account"].search([]):
            self.assertEqual(account.mode, "test")
            self.assertFalse(account.login or account.stored_password)

    def test_other_company_is_out_of_sight(self):
        admin = self.env_of("admin")["sms.devino.account"]
        self.assertEqual(admin.search([]), self.account)
        with self.assertRaises(AccessError):
            admin.browse(self.other_account.id).read(["name"])
