"""Who may see and do what with the journal."""

from odoo.exceptions import AccessError
from odoo.service.model import get_public_method
from odoo.tests import tagged
from odoo.tools import mute_logger

from .base_case import SmsCase

QUIET = ("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
ACTIONS = ("action_cancel", "action_send_again", "action_check_status")


@tagged("post_install", "-at_install", "sms_devino")
class TestAccess(SmsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.own, cls.of_colleague = (
            cls.env(user=cls.people[kind])["sms.devino.message"]
            .with_context(allowed_company_ids=cls.company.ids)
            .enqueue("79214563763", "Hello", account=cls.account)
            .sudo()
            for kind in ("user", "colleague")
        )
        cls.of_other_company = cls.env["sms.devino.message"].enqueue(
            "79214563763", "Hello", account=cls.other_account
        )
        cls.messages = cls.own | cls.of_colleague | cls.of_other_company
        cls.env["sms.devino.segment"]._insert(
            {message.id: [f"id-{message.id}"] for message in cls.messages}
        )

    def visible(self, kind, model="sms.devino.message"):
        return self.env_of(kind)[model].search([]).sudo().with_env(self.env)

    def test_user_sees_own_messages_and_manager_those_of_the_company(self):
        for kind, expected in {
            "user": self.own,
            "colleague": self.of_colleague,
            "manager": self.own | self.of_colleague,
            "admin": self.own | self.of_colleague,
        }.items():
            with self.subTest(kind):
                self.assertEqual(self.visible(kind), expected.sorted("id", True))
                self.assertEqual(
                    self.visible(kind, "sms.devino.segment").message_id, expected
                )

    def test_others_see_nothing(self):
        for kind in ("internal", "portal", "public"):
            for model in (
                "sms.devino.message",
                "sms.devino.segment",
                "sms.devino.account",
                "sms.devino.message.send",
            ):
                with (
                    self.subTest(kind=kind, model=model),
                    mute_logger(*QUIET),
                    self.assertRaises(AccessError),
                ):
                    self.env_of(kind)[model].search([])

    def test_message_of_somebody_else_is_out_of_reach(self):
        for kind, message in (
            ("user", self.of_colleague),
            ("user", self.of_other_company),
            ("manager", self.of_other_company),
            ("admin", self.of_other_company),
        ):
            message = message.with_env(self.env_of(kind))
            for action in ("read", "action_open_document", *ACTIONS):
                with (
                    self.subTest(kind=kind, action=action),
                    mute_logger(*QUIET),
                    self.assertRaises(AccessError),
                ):
                    getattr(message, action)()
        self.assertEqual(set(self.messages.mapped("state")), {"outgoing"})

    def test_own_message_hides_no_other_in_the_same_call(self):
        both = (self.own | self.of_colleague).with_env(self.env_of("user"))
        for action in ACTIONS:
            with (
                self.subTest(action),
                mute_logger(*QUIET),
                self.assertRaises(AccessError),
            ):
                getattr(both, action)()
        self.assertEqual(self.own.state, "outgoing")

    def test_journal_is_written_by_nobody_directly(self):
        values = {"number": "+79214563763", "body": "x", "state": "outgoing"}
        for kind in ("user", "manager", "admin", "internal", "portal", "public"):
            message = self.own.with_env(self.env_of(kind))
            for how, change in {
                "create": lambda message: message.create(values),
                "write": lambda message: message.write({"state": "outgoing"}),
                "unlink": lambda message: message.unlink(),
                "copy": lambda message: message.copy(),
                "segment": lambda message: message.segment_ids.write({"code": 0}),
                "check": lambda message: message.check_access("create"),
            }.items():
                with (
                    self.subTest(kind=kind, how=how),
                    mute_logger(*QUIET),
                    self.assertRaises(AccessError),
                ):
                    change(message)

    def test_remote_calls_reach_no_inner_method(self):
        for model, name in (
            ("sms.devino.message", "enqueue"),
            ("sms.devino.message", "_write_rows"),
            ("sms.devino.message", "_transition"),
            ("sms.devino.account", "_get_client"),
            ("sms.devino.account", "_note_balance"),
            ("sms.devino.dispatcher", "_cron_dispatch"),
            ("sms.devino.sender", "_mark"),
        ):
            with self.subTest(f"{model}.{name}"), self.assertRaises(AccessError):
                get_public_method(self.env[model], name)

    def test_raw_answer_and_history_are_hidden(self):
        for kind, hidden in {
            "user": {"raw_answer", "history"},
            "manager": {"raw_answer", "history"},
            "admin": {"history"},
        }.items():
            message = self.own.with_env(self.env_of(kind))
            with self.subTest(kind):
                self.assertFalse(hidden & message.fields_get().keys())
                self.assertFalse(hidden & message.read()[0].keys())
                for name in hidden:
                    with self.assertRaises(AccessError):
                        message.read([name])
                    with self.assertRaises(AccessError):
                        message.search([(name, "!=", False)])
        self.own.with_env(self.env_of("admin")).read(["raw_answer"])

    def test_timeline_is_for_whoever_sees_the_message(self):
        self.own.action_cancel()
        timeline = self.own.with_env(self.env_of("user")).timeline
        self.assertIn("Canceled", timeline)

    def test_user_reads_sender_names_of_the_company_only(self):
        names = self.env_of("user")["sms.devino.sender"].search([])
        self.assertEqual(names.ids, self.sender.ids)
        for change in (
            lambda name: name.write({"state": "new"}),
            lambda name: name.unlink(),
            lambda name: name.create({"account_id": self.account.id, "name": "x"}),
        ):
            with mute_logger(*QUIET), self.assertRaises(AccessError):
                change(names)

    def test_chosen_companies_bound_what_is_seen(self):
        manager = self.people["manager"]
        manager.company_ids |= self.other_company
        messages = self.env(user=manager)["sms.devino.message"]
        for companies in (self.company, self.other_company, manager.company_ids):
            with self.subTest(companies.mapped("name")):
                seen = messages.with_context(allowed_company_ids=companies.ids)
                self.assertEqual(seen.search([]).company_id, companies)
