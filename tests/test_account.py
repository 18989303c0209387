"""What an administrator sees of an account: its connection, its secrets, its life."""

from pathlib import Path

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..sandbox import Fault
from .base_case import SmsCase
from .common import LiveCase, mark_secret

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
                self.assertEqual(
                    shown["message"], "Error_Invalid_Login: Error: wrong login"
                )
                self.assertTrue(shown["sticky"])
                state, status, balance = self.account(
                    "state", "operation_status", "balance"
                )
                self.assertEqual((state, status), ("draft", "Error_Invalid_Login"))
                self.assertEqual(balance, 1000, "the last known balance is kept")

    def test_answer_that_is_none_says_that_the_server_is_not_available(self):
        for kind in ("html", "html502", "status500", "status500_empty", "drop_before"):
            with self.subTest(kind):
                self.check()
                self.provider.faults.add(Fault(kind, times=None))
                shown = self.check()
                self.provider.faults.clear()
                self.assertEqual(shown["type"], "danger")
                self.assertIn("Error_", shown["message"])
                self.assertRegex(shown["message"], "(server|parameters)")
                state, details, password = self.account(
                    "state", "last_error", "password"
                )
                self.assertEqual(state, "draft")
                self.assertTrue(details)
                self.assertEqual(password, "demo", "nothing entered is lost")

    def test_server_that_does_not_answer(self):
        self.server.stop()
        shown = self.check()
        self.assertEqual(
            shown["message"],
            "Error_Gateway_Offline: Error: the server is unavailable",
        )

    def test_mended_password_makes_the_queue_move_again(self):
        self.check(password="wrong")
        message_id = self.enqueue()
        self.dispatch()
        self.assertEqual(self.account("state"), ["stopped"])
        self.assertEqual(self.read(message_id, "state"), "outgoing")
        self.check(password="demo")
        self.dispatch()
        self.assertEqual(self.read(message_id, "state"), "sent")
        self.assertLedgerIsJournal()

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
        self.assertEqual(shown["type"], "success")
        self.assertEqual(self.account.state, "ready")
        self.assertGreater(self.account.balance, 0)
        self.account.login = "wrong"
        shown = self.account.action_check_connection()["params"]
        self.assertIn("Error_Invalid_Login", shown["message"])

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
                self.assertRaisesRegex(
                    ValidationError, "Server address: “.*” is not a web address"
                ),
            ):
                self.account.url = url

    def test_server_address_is_filled_in(self):
        form = Form(self.env_of("admin")["sms.devino.account"])
        self.assertEqual(form.url, "https://integrationapi.net/rest")
        self.assertEqual(form.mode, "test")

    def test_changed_connection_forgets_the_verdict(self):
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

    def test_every_company_has_one_default_account(self):
        self.assertTrue(self.account.is_default)
        self.assertTrue(self.other_account.is_default)
        second = self.create_account(self.company)
        self.assertFalse(second.is_default)
        third = self.create_account(self.company, is_default=True)
        self.assertEqual(
            [self.account.is_default, second.is_default, third.is_default],
            [False, False, True],
        )
        second.is_default = True
        self.assertFalse(third.is_default)
        self.assertTrue(self.other_account.is_default)
        default = self.env["sms.devino.account"]._get_default
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
        self.assertEqual(self.account.message_count, 2)

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

    def test_secrets_are_not_copied(self):
        copy = self.account.copy()
        self.assertFalse(copy.login or copy.password)
        self.assertFalse(copy.is_default)
        self.assertEqual(copy.state, "draft")

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
            self.assertFalse(account.login or account.password)

    def test_other_company_is_out_of_sight(self):
        admin = self.env_of("admin")["sms.devino.account"]
        self.assertEqual(admin.search([]), self.account)
        with self.assertRaises(AccessError):
            admin.browse(self.other_account.id).read(["name"])
