"""Who may do what, as tables. What stands in no table fails the test: a new model, a
new public method, a new field that is kept from some."""

import inspect
import re

from odoo.exceptions import AccessError, UserError
from odoo.fields import NO_ACCESS
from odoo.models import BaseModel
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .base_case import SmsCase

ADDON = "odoo.addons.sms_devino."
QUIET = ("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
QUIET += ("odoo.models", "odoo.service.model")
OPERATIONS = {"c": "create", "r": "read", "u": "write", "d": "unlink"}
# "system" is an administrator of Odoo who is no member of SMS.
ROLES = ("user", "manager", "admin", "system", "internal", "portal", "public")
MEMBERS = ("user", "manager", "admin")
MANAGERS = ("manager", "admin")
ADMINS = ("admin",)
NOBODY = ()

# Model -> role -> operations (of create, read, update, delete) on records of the own
# company; nobody has any on those of another company. A role that is left out has none.
MODELS = {
    "sms.devino.account": {"user": "r", "manager": "r", "admin": "crud", "system": "r"},
    "sms.devino.sender": {
        "user": "r",
        "manager": "r",
        "admin": "crud",
        "system": "r",
        "internal": "r",
    },
    # what is public knowledge belongs to no company
    "sms.devino.range": {"admin": "crud"},
    "sms.devino.tariff": {"user": "r", "manager": "r", "admin": "crud"},
    "sms.devino.operator.template": {"manager": "r", "admin": "crud"},
    "sms.devino.limit": {"manager": "r", "admin": "crud"},
    "sms.devino.message": dict.fromkeys(MEMBERS, "r"),
    "sms.devino.segment": dict.fromkeys(MEMBERS, "r"),
    "sms.devino.doubt": dict.fromkeys(MANAGERS, "r"),
    "sms.devino.message.move": dict.fromkeys(MEMBERS, "crud"),
    "sms.devino.number": {"manager": "r", "admin": "rd"},
    "sms.devino.incoming": dict.fromkeys(MEMBERS, "r"),
    "sms.devino.day": dict.fromkeys(MEMBERS, "r"),
    "sms.devino.statistics": dict.fromkeys(MANAGERS, "r"),
    "sms.devino.batch": dict.fromkeys(MANAGERS, "crud"),
    "sms.devino.rule": dict.fromkeys(MANAGERS, "crud"),
    "sms.devino.mark": dict.fromkeys(MANAGERS, "r"),
    "sms.devino.recipient.list": dict.fromkeys(MANAGERS, "crud"),
    "sms.devino.recipient": dict.fromkeys(MANAGERS, "crud"),
    "sms.devino.import.mapping": dict.fromkeys(MANAGERS, "crud"),
    "sms.devino.export": dict.fromkeys(MEMBERS, "crud"),
    "sms.devino.recipient.add": dict.fromkeys(MANAGERS, "crud"),
    "sms.devino.recipient.add.column": dict.fromkeys(MANAGERS, "crud"),
    "sms.devino.consent": dict.fromkeys(MANAGERS, "cru"),
    "sms.devino.consent.wording": dict.fromkeys(MANAGERS, "crud"),
    "sms.devino.history": dict.fromkeys(MEMBERS, "crud"),
    "sms.devino.unsubscribe": dict.fromkeys(MEMBERS, "crud"),
}
# Records of these are their creator's only, whatever the company.
PERSONAL = (
    "sms.devino.message.move",
    "sms.devino.export",
    "sms.devino.recipient.add",
    "sms.devino.recipient.add.column",
    "sms.devino.history",
    "sms.devino.unsubscribe",
)

# (model, public method) -> who gets beyond the check of rights on a record of the own
# company; nobody does on one of another company. Every method is called without
# arguments, through the door that remote calls take.
METHODS = {
    ("phone.blacklist", "action_sms_devino_take_back"): MANAGERS,
    ("res.config.settings", "action_sms_devino_check_connection"): ("system",),
    ("sms.devino.account", "action_check_connection"): ADMINS,
    ("sms.devino.account", "action_confirm_database"): ADMINS,
    ("sms.devino.account", "action_learn_prices"): ADMINS,
    ("sms.devino.account", "action_refresh_balance"): MEMBERS,
    ("sms.devino.account", "action_send_trial"): MEMBERS,
    ("sms.devino.account", "action_use_for_odoo"): ("system",),
    ("sms.devino.account", "action_view_messages"): (*MEMBERS, "system"),
    ("sms.devino.account", "want_balance"): MEMBERS,
    ("sms.devino.day", "action_rebuild"): ADMINS,
    ("sms.devino.day", "get_overview"): MEMBERS,
    ("sms.devino.incoming", "action_mark_read"): MEMBERS,
    ("sms.devino.incoming", "action_mark_unread"): MEMBERS,
    ("sms.devino.incoming", "action_open_messages"): MEMBERS,
    ("sms.devino.incoming", "action_reply"): MEMBERS,
    ("sms.devino.message", "action_cancel"): MEMBERS,
    ("sms.devino.message", "action_check_status"): MEMBERS,
    ("sms.devino.message", "action_open_document"): MEMBERS,
    ("sms.devino.message", "action_open_doubt"): MANAGERS,
    ("sms.devino.message", "action_send_again"): MEMBERS,
    ("sms.devino.message", "action_send_now"): MEMBERS,
    ("sms.devino.message", "action_settle_not_sent"): MANAGERS,
    ("sms.devino.message", "action_settle_sent"): MANAGERS,
    ("sms.devino.statistics", "action_view_messages"): MANAGERS,
    ("sms.devino.tariff", "action_take_over"): ADMINS,
    ("sms.devino.message", "get_states"): MEMBERS,
    ("sms.devino.message.move", "action_move"): NOBODY,
    ("sms.devino.doubt", "action_send_again"): MANAGERS,
    ("sms.devino.doubt", "action_settle_not_sent"): MANAGERS,
    ("sms.devino.doubt", "action_settle_sent"): MANAGERS,
    ("sms.devino.doubt", "action_view_messages"): MANAGERS,
    ("sms.devino.recipient.list", "action_add_recipients"): MANAGERS,
    ("sms.devino.recipient.list", "action_export_xls"): MANAGERS,
    ("sms.devino.recipient.list", "action_export_xlsx"): MANAGERS,
    ("sms.devino.recipient.list", "action_new_batch"): MANAGERS,
    ("sms.devino.recipient.list", "action_view_by_reading"): MANAGERS,
    ("sms.devino.recipient.list", "action_view_recipients"): MANAGERS,
    **{
        ("sms.devino.batch", name): MANAGERS
        for name in (
            "action_approve",
            "action_ask",
            "action_ask_return",
            "action_calculate",
            "action_cancel",
            "action_clear",
            "action_continue",
            "action_export",
            "action_leave_empty_out",
            "action_pause",
            "action_refresh_balance",
            "action_resume",
            "action_return",
            "action_sample",
            "action_schedule",
            "action_send",
            "action_send_empty",
            "action_send_failed",
            "action_use_default",
            "action_view_contacts",
            "action_view_rows",
            "action_withdraw",
            "get_progress",
        )
    },
    **{
        ("sms.devino.rule", name): MANAGERS
        for name in (
            "action_retry_missing",
            "action_send_held",
            "action_send_seen",
            "action_skip_held",
            "action_switch_off",
            "action_switch_on",
            "action_view_matching",
            "action_view_messages",
            "action_view_missing",
        )
    },
    # on a record of somebody else: nobody, see PERSONAL
    ("sms.devino.export", "action_save"): NOBODY,
    ("sms.devino.unsubscribe", "action_apply"): NOBODY,
    **{
        ("sms.devino.recipient.add", name): NOBODY
        for name in (
            "action_apply",
            "action_back",
            "action_download_problems",
            "action_download_sample",
            "action_open_file",
            "action_preview",
        )
    },
}
# Methods whose check is another test's: why.
METHODS_ELSEWHERE = {
    ("res.config.settings", "action_sms_devino_accounts"): "concerns no company",
    ("sms.devino.account", "get_first_steps"): "test_first_steps",
    ("sms.devino.account", "hide_first_steps"): "test_first_steps",
    ("res.partner", "action_sms_devino_consents"): "by the rules of consents",
    ("res.partner", "action_sms_devino_messages"): "by the rules of the journal",
    ("res.partner", "action_sms_devino_send"): "opens the composer",
    ("sms.devino.message", "submit"): "test_remote",
    ("sms.composer", "action_sms_devino_refresh_balance"): "the composer's own tests",
    ("sms.composer", "action_sms_devino_save_template"): "the composer's own tests",
}

# Every field that is kept from some, or whose name sounds like a secret: who reads it.
FIELDS = {
    ("sms.devino.account", "allow_private_address"): ("system",),
    ("sms.devino.account", "database_uuid"): NOBODY,
    ("sms.devino.account", "login"): ADMINS,
    ("sms.devino.account", "password"): ADMINS,  # always empty
    ("sms.devino.account", "password_hint"): ADMINS,  # says whether there is one
    ("sms.devino.account", "stored_password"): NOBODY,
    ("sms.devino.account", "url"): ADMINS,
    ("sms.devino.mark", "message_key"): MANAGERS,
    ("sms.devino.message", "dedup_key"): MEMBERS,
    ("sms.devino.message", "doubt_id"): MANAGERS,
    ("sms.devino.message", "evidence"): MANAGERS,
    ("sms.devino.message", "raw_answer"): ADMINS,
    ("sms.devino.message", "uuid"): MEMBERS,
    ("sms.devino.recipient.list", "import_file"): NOBODY,
    ("sms.devino.recipient.list", "import_job"): NOBODY,
    ("sms.devino.sender", "fee"): MEMBERS,
    ("sms.devino.sender", "paid_until"): MEMBERS,
    ("sms.devino.sender", "renewal_asked_for"): MEMBERS,
}
SOUNDS_SECRET = re.compile(
    r"login|password|secret|token|(^|_)key|credential|uuid|(^|_)url|(^|_)raw_answer"
)


@tagged("post_install", "-at_install", "sms_devino")
class TestAccessMatrix(SmsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people["system"] = new_test_user(
            cls.env,
            "sms_system",
            groups="base.group_system",
            company_id=cls.company.id,
            company_ids=cls.company.ids,
        )
        cls.people["owner"] = cls.env.user
        for person in cls.people.values():
            person.group_ids += cls.env.ref("base.group_allow_export")
        cls.own, cls.foreign = (
            cls.make_records(account) for account in (cls.account, cls.other_account)
        )

    @classmethod
    def make_records(cls, account):
        """Return a record of each model for the company of an account: a dict."""
        env, company = cls.env, account.company_id
        message = env["sms.devino.message"].enqueue("79214563763", "x", account=account)
        message.author_id = cls.people["user"]
        message.write({"state": "failed", "accepted_at": "2026-01-01"})
        company.sms_devino_account_id = account
        env["sms.devino.segment"]._insert({message.id: [f"id-{message.id}"]})
        recipients = env["sms.devino.recipient.list"].create(
            {"name": "List", "company_id": company.id, "is_shared": True}
        )
        values = {
            "sms.devino.tariff": {"prefix": "7", "price": 1, "account_id": account.id},
            "sms.devino.operator.template": {
                "sender_id": account.sender_ids[:1].id,
                "pattern": "Order %d",
            },
            "sms.devino.limit": {"company_id": company.id, "message_count": 1},
            "sms.devino.batch": {
                "name": "Batch",
                "company_id": company.id,
                "account_id": account.id,
            },
            "sms.devino.recipient": {
                "list_id": recipients.id,
                "number_raw": "79214563763",
            },
            "sms.devino.import.mapping": {
                "name": "Mapping",
                "company_id": company.id,
                "signature": "x",
                "columns": [{"role": "name", "name": "Name"}],
            },
            "sms.devino.export": {"name": "x.xlsx", "content": b"eA=="},
            "sms.devino.incoming": {
                "account_id": account.id,
                "company_id": company.id,
                "gateway_id": "1",
                "number": "+79214563763",
                "user_id": cls.people["user"].id,
            },
            "sms.devino.recipient.add": {},
            "sms.devino.history": {"query": "79214563763"},
            "sms.devino.consent": {
                "number": "79214563763",
                "source": "Website",
                "company_id": company.id,
            },
            "sms.devino.consent.wording": {
                "name": "Version 1",
                "text": "I agree",
                "company_id": company.id,
            },
            "sms.devino.unsubscribe": {"text": "79214563763", "reason": "asked"},
            "phone.blacklist": {
                "number": f"+7921456{company.id % 10000:04}",
                "sms_devino_company_id": company.id,
            },
            "sms.devino.message.move": {
                "message_ids": message.ids,
                "scheduled_at": "2036-01-01",
            },
            "sms.devino.doubt": {
                "account_id": account.id,
                "company_id": company.id,
                "mode": "test",
                "claimed_at": "2026-01-01",
            },
            "sms.devino.statistics": {
                "account_id": account.id,
                "day": "2026-01-01",
            },
            "res.config.settings": {"company_id": company.id},
        }
        made = {model: env[model].create(vals) for model, vals in values.items()}
        rule = env["sms.devino.rule"].create(
            {
                "name": "Rule",
                "model": "res.partner",
                "company_id": company.id,
                "account_id": account.id,
            }
        )
        mark = {"rule_id": rule.id, "res_id": 1}
        made |= {
            "sms.devino.rule": rule,
            "sms.devino.mark": env["sms.devino.mark"].create(mark),
        }
        return made | {
            "sms.devino.account": account,
            "sms.devino.sender": account.sender_ids,
            "sms.devino.message": message,
            "sms.devino.segment": message.segment_ids,
            "sms.devino.recipient.list": recipients,
        }

    def env_of_role(self, role):
        return self.env_of(role)

    # --- models ---------------------------------------------------------------------

    def ours(self):
        """Return the names of the models of this addon that have a table."""
        return {
            name
            for name, model in self.env.registry.items()
            if model._original_module == "sms_devino" and not model._abstract
        }

    def test_every_model_stands_in_the_table(self):
        self.assertEqual(self.ours(), MODELS.keys())

    def test_every_model_that_a_person_writes_is_guarded(self):
        """Its records stay in the company, its forms compute from nothing foreign."""
        guarded = self.env.registry["sms.devino.guarded"]
        for name in self.ours():
            model = self.env[name]
            is_written = any("u" in granted for granted in MODELS[name].values())
            related = {field.comodel_name for field in model._fields.values()}
            if is_written and related & (self.ours() | {"res.company"}):
                with self.subTest(name):
                    self.assertIsInstance(model, guarded)

    def test_rights_on_models(self):
        for model in sorted(MODELS):
            for role in ROLES:
                granted = MODELS[model].get(role, "")
                for letter, operation in OPERATIONS.items():
                    with self.subTest(model=model, role=role, operation=operation):
                        allowed = self.env_of_role(role)[model].has_access(operation)
                        self.assertEqual(allowed, letter in granted)

    def test_rights_on_records_of_the_own_and_another_company(self):
        for model in sorted(MODELS):
            for where, records in (("own", self.own), ("other", self.foreign)):
                if model not in records:
                    continue
                is_reachable = where == "own" and model not in PERSONAL
                for role in ROLES:
                    record = records[model].with_env(self.env_of_role(role))
                    granted = MODELS[model].get(role, "") if is_reachable else ""
                    for letter, operation in OPERATIONS.items():
                        with self.subTest(
                            model=model, role=role, company=where, operation=operation
                        ):
                            allowed = record.has_access(operation)
                            self.assertEqual(allowed, letter in granted)

    # --- public methods -------------------------------------------------------------

    def public_methods(self):
        """Return (model, name) of each method that this addon opens to remote calls.

        Those that extend a method of Odoo are left out: its own checks hold there.
        """
        found = set()
        for model_name, model in self.env.registry.items():
            if model._abstract:
                # what inherits from it is looked at
                continue
            for base in model.mro():
                if not base.__module__.startswith(ADDON):
                    continue
                for name, function in vars(base).items():
                    if name.startswith("_") or not inspect.isfunction(function):
                        continue
                    if getattr(function, "_api_private", False):
                        continue
                    if not self.extends_odoo(model, name):
                        found.add((model_name, name))
        return found

    @staticmethod
    def extends_odoo(model, name):
        return hasattr(BaseModel, name) or any(
            name in vars(base)
            for base in model.mro()
            if base.__module__.startswith("odoo.")
            and not base.__module__.startswith(ADDON)
        )

    def test_every_public_method_stands_in_the_table(self):
        self.assertEqual(
            self.public_methods(), METHODS.keys() | METHODS_ELSEWHERE.keys()
        )

    def call(self, role, record, name):
        """Call as a remote client does; return whether the caller was let in.

        An empty list of ids lets nobody in either: it must be refused, or do nothing.
        """
        model = self.env_of_role(role)[record._name]
        savepoint = self.env.cr.savepoint(flush=False)
        try:
            with savepoint:
                call_kw(model, name, [record.ids], {})
        except (AccessError, ValueError):
            return False
        except UserError:
            # let in, though there was nothing to do
            return True
        finally:
            self.env.invalidate_all()
        return True

    def test_rights_on_public_methods(self):
        for (model, name), allowed in METHODS.items():
            for where, records in (("own", self.own), ("other", self.foreign)):
                if model not in records:
                    continue
                for role in ROLES:
                    expected = where == "own" and role in allowed
                    with (
                        self.subTest(model=model, name=name, role=role, company=where),
                        mute_logger(*QUIET),
                    ):
                        entered = self.call(role, records[model], name)
                        self.assertEqual(entered, expected)

    def test_no_public_method_works_without_a_record(self):
        """A call with an empty list of ids gets no further than with a foreign one."""
        for model, name in METHODS:
            for role in ("internal", "portal", "public"):
                with (
                    self.subTest(model=model, name=name, role=role),
                    mute_logger(*QUIET),
                ):
                    nothing = self.env[model]
                    self.assertFalse(self.call(role, nothing, name))

    # --- fields ---------------------------------------------------------------------

    def test_every_secret_field_stands_in_the_table(self):
        kept = {
            (model, name)
            for model in self.ours()
            for name, field in self.env[model]._fields.items()
            if field._module == "sms_devino"
            and (field.groups or SOUNDS_SECRET.search(name))
        }
        self.assertEqual(kept, set(FIELDS))

    def test_secret_fields_are_read_by_few(self):
        for (model, name), allowed in FIELDS.items():
            for role in ROLES:
                record = self.own[model].with_env(self.env_of_role(role))
                with (
                    self.subTest(model=model, field=name, role=role),
                    mute_logger(*QUIET),
                ):
                    if role in allowed:
                        record.read([name])
                        continue
                    for how in (
                        lambda record=record, name=name: record.read([name]),
                        lambda record=record, name=name: record.search(
                            [(name, "!=", False)]
                        ),
                        lambda record=record, name=name: record.web_read({name: {}}),
                        lambda record=record, name=name: record.export_data([name]),
                    ):
                        with self.assertRaises(AccessError):
                            how()

    def test_nobody_gets_at_a_stored_secret(self):
        field = self.env["sms.devino.account"]._fields["stored_password"]
        self.assertEqual(field.groups, NO_ACCESS)
        self.assertFalse(field.copy)
