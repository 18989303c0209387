"""What an attacker tries through JSON-RPC, as the person who would try it."""

import base64
import io
import logging
import time

import openpyxl

from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common import LiveCase
from .gateway_wire import WireServer, http
from .mass_case import MassCase
from .rpc_case import RpcCase, RpcMixin

NUMBER = "+79214563763"
LITERALS = ("[" * 3000, "-" * 100_000 + "1", "x", "{}", "1", "[['id','any!',[]]]")


def form_of(*names):
    return {name: {} for name in names}


class RightsCase(RpcCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people["system"] = new_test_user(
            cls.env,
            "sms_rpc_system",
            groups="base.group_system",
            company_id=cls.company.id,
            company_ids=cls.company.ids,
        )

    def batch(self, kind="manager", **values):
        return self.done(kind, "sms.devino.batch", "create", [{"name": "x", **values}])[
            0
        ]

    def list(self, kind="manager", **values):
        values = {"name": "Customers", **values}
        return self.done(kind, "sms.devino.recipient.list", "create", [values])[0]

    def foreign_list(self, **values):
        return self.env["sms.devino.recipient.list"].create(
            {
                "name": "Theirs",
                "company_id": self.other_company.id,
                "columns": ["Diagnosis"],
                **values,
            }
        )

    def failed_message(self, number="79214563763", **values):
        message = self.enqueue(number).sudo()
        message.write({"state": "failed", **values})
        return message


@tagged("post_install", "-at_install", "sms_devino")
class TestCompaniesRpc(RightsCase):
    """Nothing of one company gets into the other, or is seen there."""

    def test_a_draft_is_not_paid_by_another_company(self):
        batch_id = self.batch()
        for values in (
            {"account_id": self.other_account.id},
            {"sender_id": self.other_sender.id},
            {
                "company_id": self.other_company.id,
                "account_id": self.other_account.id,
                "sender_id": self.other_sender.id,
            },
        ):
            with self.subTest(values):
                for ids in ([batch_id], []):
                    method = "write" if ids else "create"
                    values = {"name": "x", **values}
                    args = (ids, values) if ids else ([values],)
                    self.assertRefused(
                        self.call("manager", "sms.devino.batch", method, *args)
                    )
                self.assertRefused(
                    self.call("manager", "sms.devino.batch", "web_save", [], values, {})
                )
        batch = self.env["sms.devino.batch"].browse(batch_id)
        self.assertEqual(batch.account_id, self.account)

    def test_nothing_is_given_to_a_company_of_others(self):
        mapping = self.done(
            "manager",
            "sms.devino.import.mapping",
            "create",
            [
                {
                    "name": "M",
                    "signature": "x",
                    "columns": [{"role": "skip", "name": "x"}],
                }
            ],
        )
        tariff = self.done(
            "admin",
            "sms.devino.tariff",
            "create",
            [{"prefix": "7", "price": 9, "account_id": self.account.id}],
        )
        theirs = {"company_id": self.other_company.id}
        their_account = {"account_id": self.other_account.id}
        own_list = self.list()
        recipient = self.done(
            "manager",
            "sms.devino.recipient",
            "create",
            [{"list_id": own_list, "number_raw": NUMBER}],
        )
        for kind, model, ids, values in (
            ("admin", "sms.devino.account", self.account.ids, theirs),
            ("admin", "sms.devino.sender", self.sender.ids, their_account),
            ("admin", "sms.devino.tariff", tariff, their_account),
            ("manager", "sms.devino.batch", [self.batch()], theirs),
            ("manager", "sms.devino.recipient.list", [own_list], theirs),
            ("manager", "sms.devino.import.mapping", mapping, theirs),
            (
                "manager",
                "sms.devino.recipient",
                recipient,
                {"list_id": self.foreign_list().id},
            ),
        ):
            with self.subTest(model):
                self.assertRefused(self.call(kind, model, "write", ids, values))
                self.assertRefused(self.call(kind, model, "web_save", ids, values, {}))
                record = self.env[model].browse(ids)
                record.invalidate_recordset()
                self.assertEqual(record.sudo().company_id, self.company)

    def test_a_form_that_is_not_saved_computes_from_nothing_foreign(self):
        self.other_account.default_validity = 4321
        self.other_account._note_balance(777777)
        foreign = self.foreign_list()
        cases = (
            ("manager", "sms.devino.batch", "account_id", self.other_account.id),
            ("manager", "sms.devino.batch", "list_ids", [[4, foreign.id]]),
            ("manager", "sms.devino.batch", "list_ids", [[6, 0, foreign.ids]]),
            ("manager", "sms.devino.recipient", "list_id", foreign.id),
            ("manager", "sms.devino.recipient.add", "list_ids", [[4, foreign.id]]),
            ("manager", "sms.devino.recipient.add", "list_id", foreign.id),
            ("admin", "sms.devino.tariff", "account_id", self.other_account.id),
            ("admin", "sms.devino.account", "default_sender_id", self.other_sender.id),
            (
                "system",
                "res.config.settings",
                "sms_devino_account_id",
                self.other_account.id,
            ),
        )
        for kind, model, name, value in cases:
            with self.subTest((model, name)):
                fields = self.env[model]._fields
                spec = form_of(
                    *(f for f in fields if "devino" in str(fields[f]._module))
                )
                answer = self.call(
                    kind, model, "onchange", [], {name: value}, [name], spec
                )
                for secret in ("4321", "777", "Diagnosis", "'test'", "'live'"):
                    self.assertNotIn(secret, repr(answer.get("result", "")))

    def test_settings_show_no_balance_of_another_company(self):
        self.other_account._note_balance(777777)
        made = self.call(
            "system",
            "res.config.settings",
            "create",
            [{"company_id": self.other_company.id}],
        )
        names = ["sms_devino_balance", "sms_devino_mode", "sms_devino_balance_at"]
        answer = made
        if "result" in made:
            answer = self.call(
                "system", "res.config.settings", "read", made["result"], names
            )
        self.assertNotIn("777", repr(answer))

    def test_account_and_company_belong_together(self):
        company = self.company
        refused = self.call(
            "system",
            "res.company",
            "write",
            company.ids,
            {"sms_devino_account_id": self.other_account.id},
        )
        self.assertRefused(refused)
        self.enqueue()
        for values in ({"company_id": self.other_company.id}, {"company_id": False}):
            self.assertRefused(
                self.call(
                    "admin", "sms.devino.account", "write", self.account.ids, values
                )
            )
        self.assertEqual(company.sms_devino_account_id, self.account)

    def test_import_does_not_tell_who_is_in_a_foreign_list(self):
        private = self.list("admin", is_shared=False, user_id=self.people["admin"].id)
        for list_id in (self.foreign_list().id, private):
            values = {"list_id": list_id, "source": "paste", "text": NUMBER}
            spec = form_of("preview", "preview_html")
            for method, args in (
                ("create", ([values],)),
                ("web_save", ([], values, spec)),
                ("onchange", ([], values, ["text"], spec)),
            ):
                with self.subTest((list_id, method)):
                    self.assertRefused(
                        self.call("manager", "sms.devino.recipient.add", method, *args)
                    )

    def test_search_through_relations_finds_nothing_foreign(self):
        """Rules hold inside a domain, and the operator without rules is none."""
        for kind, model, domain in (
            ("user", "sms.devino.message", [("batch_id.list_ids.name", "=", "Theirs")]),
            ("user", "sms.devino.message", [("account_id.stored_password", "!=", "")]),
            ("user", "sms.devino.message", [("account_id.login", "ilike", "d")]),
            ("manager", "sms.devino.message", [("raw_answer", "!=", False)]),
            ("internal", "res.partner", [("sms_devino_message_count", ">", 0)]),
            (
                "manager",
                "sms.devino.batch",
                [("account_id", "any!", [("balance", ">", 0)])],
            ),
        ):
            with self.subTest(domain):
                answer = self.call(kind, model, "search_count", domain)
                self.assertIn("data", answer)

    def test_domain_of_a_draft_runs_with_the_rights_of_its_author(self):
        batch_id = self.batch(domain="[('user_ids.password', '!=', False)]")
        batch = self.env["sms.devino.batch"].browse(batch_id)
        for domain in (batch.domain, *LITERALS):
            wizard = self.call(
                "manager",
                "sms.devino.recipient.add",
                "onchange",
                [],
                {"source": "filter", "domain": domain},
                ["domain"],
                form_of("contact_count", "phone_count"),
            )
            with self.subTest(domain[:30]):
                if "result" not in wizard:
                    self.assertRefused(wizard)


@tagged("post_install", "-at_install", "sms_devino")
class TestMoneyRpc(RightsCase):
    """Balances, and calls that may cost something."""

    def test_strangers_press_no_button(self):
        composer = self.done("user", "sms.composer", "create", [{"body": "x"}])
        settings = self.done("system", "res.config.settings", "create", [{}])
        for model, ids, method in (
            ("sms.devino.account", self.account.ids, "action_refresh_balance"),
            ("sms.devino.account", self.account.ids, "action_check_connection"),
            ("sms.composer", composer, "action_sms_devino_refresh_balance"),
            ("res.config.settings", settings, "action_sms_devino_check_connection"),
        ):
            for kind in ("portal", "internal"):
                for given in (ids, []):
                    with self.subTest((model, method, kind, given)):
                        self.assertRefused(self.call(kind, model, method, given))
        for kind in ("user", "manager", "admin"):
            ids = self.other_account.ids
            for method in ("action_refresh_balance", "action_check_connection"):
                self.assertDenied(self.call(kind, "sms.devino.account", method, ids))
        self.assertFalse((self.account + self.other_account).filtered("balance_at"))

    def test_send_again_checks_what_every_door_checks(self):
        message = self.failed_message()
        again = ("sms.devino.message", "action_send_again", message.ids)
        blocked = self.env["phone.blacklist"].create({"number": NUMBER})
        self.assertRefused(self.call("user", *again), "blacklist")
        blocked.unlink()
        self.account._note_balance(0)
        self.assertRefused(self.call("user", *again), "not enough")
        self.account._note_balance(100)
        for kind in ("colleague", "internal", "portal"):
            self.assertDenied(self.call(kind, *again))
        self.people["user"].group_ids -= self.env.ref("sms_devino.group_user")
        self.assertDenied(self.call("user", *again))
        self.people["user"].group_ids += self.env.ref("sms_devino.group_user")
        self.done("user", *again)
        self.assertEqual(len(message.repeated_by_ids), 1)

    def test_form_asks_before_it_sends_to_a_blacklisted_number(self):
        self.env["phone.blacklist"].create({"number": NUMBER})
        values = {
            "composition_mode": "numbers",
            "sms_devino_direct": True,
            "sms_devino_number": NUMBER,
            "body": "x",
        }
        made = self.done("user", "sms.composer", "create", [values])
        send = ("sms.composer", "action_send_sms", made)
        self.assertRefused(self.call("user", *send), "blacklist")
        self.done("user", "sms.composer", "write", made, {"use_exclusion_list": False})
        self.done("user", *send)
        message = self.env["sms.devino.message"].search([])
        self.assertEqual(message.override_by_id, self.people["user"])

    def test_many_are_for_managers_whatever_the_form(self):
        numbers = ", ".join(f"+792145637{n:02}" for n in range(11))
        values = {"composition_mode": "numbers", "body": "x"}
        for more in (
            {"sms_devino_direct": True, "sms_devino_number": numbers},
            {"numbers": numbers},
        ):
            made = self.done("user", "sms.composer", "create", [values | more])
            send = ("sms.composer", "action_send_sms", made)
            self.assertDenied(self.call("user", *send))
        self.assertDenied(
            self.call("user", "sms.devino.batch", "create", [{"name": "x"}])
        )
        self.assertFalse(self.env["sms.devino.message"].search([]))
        self.assertTrue(
            self.env["res.company"].create({"name": "New"}).sms_devino_members_only
        )

    def test_state_and_figures_of_an_sms_are_the_programs(self):
        """An administrator of Odoo writes ``sms.sms``, but not who pays for it."""
        values = {"number": NUMBER, "body": "x"}
        for more in (
            {"sms_devino_options": {"automatic": True}},
            {"sms_devino_options": "x"},
            {"sms_devino_account_id": self.other_account.id},
            {"sms_devino_company_id": self.other_company.id},
        ):
            with self.subTest(more):
                self.assertDenied(
                    self.call("system", "sms.sms", "create", [values | more])
                )
        [sms_id] = self.done("system", "sms.sms", "create", [values])
        self.assertDenied(
            self.call(
                "system",
                "sms.sms",
                "write",
                [sms_id],
                {"sms_devino_options": {"automatic": True}},
            )
        )
        self.call("system", "sms.sms", "send", [sms_id])
        self.assertFalse(self.env["sms.devino.message"].search([]))


@tagged("post_install", "-at_install", "sms_devino")
class TestApprovedRpc(RightsCase):
    """What the program writes is written by nobody else."""

    def test_no_field_of_a_sending_that_is_readonly_is_written(self):
        batch_id = self.batch()
        model = self.env["sms.devino.batch"]
        names = [
            name
            for name, field in model._fields.items()
            if field.readonly and "sms_devino" in field._modules
        ]
        self.assertGreater(len(names), 30)
        for name in names:
            with self.subTest(name):
                for method, args in (
                    ("write", ([batch_id], {name: False})),
                    ("create", ([{"name": "x", name: False}],)),
                    ("web_save", ([batch_id], {name: False}, {})),
                    ("copy", ([batch_id], {name: 1})),
                ):
                    answer = self.call("manager", "sms.devino.batch", method, *args)
                    self.assertRefused(answer, "cannot be written")

    def test_a_sending_that_left_is_closed(self):
        batch_id = self.batch(body="x")
        self.env["sms.devino.batch"].browse(batch_id).sudo().state = "running"
        for values in (
            {"body": "y"},
            {"account_id": self.account.id},
            {"list_ids": [[5]]},
            {"source_columns": {}},
            {"company_id": self.company.id},
            {"name": "New", "body": "y"},
        ):
            answer = self.call(
                "manager", "sms.devino.batch", "write", [batch_id], values
            )
            self.assertRefused(answer, "Only the name")
        self.assertRefused(
            self.call("manager", "sms.devino.batch", "unlink", [batch_id])
        )

    def test_reading_of_a_number_is_written_by_nobody(self):
        list_id = self.list()
        values = {"list_id": list_id, "number_raw": "none"}
        forged = {"number": NUMBER, "reading": "ok", "others": "x"}
        for name, value in forged.items():
            self.assertDenied(
                self.call(
                    "manager",
                    "sms.devino.recipient",
                    "create",
                    [{**values, name: value}],
                )
            )
        context = {f"default_{name}": value for name, value in forged.items()}
        made = self.done(
            "manager", "sms.devino.recipient", "create", [values], context=context
        )
        recipient = self.env["sms.devino.recipient"].browse(made)
        self.assertEqual((recipient.number, recipient.reading), (False, "letters"))
        self.assertDenied(
            self.call("manager", "sms.devino.recipient", "write", made, forged)
        )

    def test_journal_is_written_by_nobody(self):
        message = self.failed_message()
        self.env["sms.devino.segment"]._insert({message.id: ["id-1"]})
        records = (("sms.devino.message", message.ids, "number"),)
        records += (("sms.devino.segment", message.segment_ids.ids, "gateway_id"),)
        for kind in ("user", "manager", "admin", "system", "internal", "portal"):
            for model, ids, name in records:
                for method, args in (
                    ("create", ([{}],)),
                    ("write", (ids, {name: "1"})),
                    ("web_save", (ids, {name: "1"}, {})),
                    ("web_save", ([], {}, {})),
                    ("unlink", (ids,)),
                    ("copy", (ids,)),
                    ("onchange", ([], {name: "1"}, [name], {})),
                    ("load", ([name], [["1"]])),
                    ("load", ([".id", name], [[str(ids[0]), "1"]])),
                ):
                    with self.subTest((kind, model, method)):
                        answer = self.call(kind, model, method, *args)
                        if method == "load" and "result" in answer:
                            self.assertFalse(answer["result"]["ids"])
                            self.assertIn("not allowed", repr(answer["result"]))
                        else:
                            self.assertRefused(answer)
        self.env.invalidate_all()
        self.assertEqual(self.env["sms.devino.message"].search([]), message)
        self.assertEqual((message.state, message.number), ("failed", NUMBER))
        self.assertEqual(message.segment_ids.gateway_id, "id-1")

    def test_sender_stays_with_its_account(self):
        second = self.create_account(self.company)
        answer = self.call(
            "admin",
            "sms.devino.sender",
            "write",
            self.sender.ids,
            {"account_id": second.id},
        )
        self.assertRefused(answer, "stays with its account")

    def test_files_are_their_makers(self):
        """The file of an export, of a wizard and of a draft over a private list."""
        [export_id] = self.done(
            "user",
            "sms.devino.export",
            "create",
            [{"name": "x.xlsx", "content": base64.b64encode(b"secret").decode()}],
        )
        url = f"/web/content/sms.devino.export/{export_id}/content"
        self.assertEqual(self.url_open(url).content, b"secret")
        for kind in ("colleague", "manager", "admin", "internal", "portal"):
            with self.subTest(kind):
                self.call(kind, "res.users", "context_get")
                self.assertNotIn(b"secret", self.url_open(url).content)
                found = self.call(
                    kind,
                    "ir.attachment",
                    "search_read",
                    [
                        ("res_model", "=", "sms.devino.export"),
                        ("res_field", "!=", False),
                    ],
                    ["datas"],
                )
                self.assertFalse(found.get("result"))

    def test_without_the_right_to_export_nothing_leaves(self):
        manager = self.people["manager"]
        manager.group_ids -= self.env.ref("base.group_allow_export")
        list_id = self.list()
        batch_id = self.batch()
        partner = self.env["res.partner"].create({"name": "P", "phone": NUMBER})
        [wizard_id] = self.done(
            "manager",
            "sms.devino.recipient.add",
            "create",
            [
                {
                    "list_id": list_id,
                    "source": "contacts",
                    "partner_ids": [Command.set(partner.ids)],
                }
            ],
        )
        for model, ids, method in (
            ("sms.devino.recipient.list", [list_id], "action_export_xlsx"),
            ("sms.devino.recipient.list", [list_id], "action_export_xls"),
            ("sms.devino.batch", [batch_id], "action_export"),
            ("sms.devino.recipient.add", [wizard_id], "action_download_problems"),
        ):
            with self.subTest(method):
                self.assertDenied(self.call("manager", model, method, ids))


@tagged("post_install", "-at_install", "sms_devino")
class TestModeRpc(RightsCase):
    """Test and live do not meet, and test is called by its name."""

    def test_message_of_test_mode_is_not_sent_again_live(self):
        message = self.failed_message()
        self.account.mode = "live"
        answer = self.call(
            "user", "sms.devino.message", "action_send_again", message.ids
        )
        self.assertRefused(answer, "mode")

    def test_check_in_test_mode_says_that_nobody_was_asked(self):
        for kind, model, ids, method in (
            (
                "admin",
                "sms.devino.account",
                self.account.ids,
                "action_check_connection",
            ),
            (
                "system",
                "res.config.settings",
                self.done("system", "res.config.settings", "create", [{}]),
                "action_sms_devino_check_connection",
            ),
        ):
            shown = self.done(kind, model, method, ids)["params"]
            self.assertEqual(shown["title"], "Test mode: the provider was not asked")
        [account] = self.done("admin", "sms.devino.account", "create", [{"name": "N"}])
        mode = self.done("admin", "sms.devino.account", "read", [account], ["mode"])
        self.assertEqual(mode[0]["mode"], "test")

    def test_lists_hide_tests_once_there_is_something_live(self):
        self.enqueue()
        self.batch()
        actions = ("message_action", "message_action_reporting", "batch_action")

        def loaded(name):
            action = self.env.ref(f"sms_devino.sms_devino_{name}")
            self.call("manager", "res.users", "context_get")
            answer = self.url_open(
                "/web/action/load", json={"params": {"action_id": action.id}}
            ).json()
            return answer["result"]["context"]

        for name in actions:
            self.assertNotIn("search_default_live", str(loaded(name)))
        self.account.write({"mode": "live"})
        for name in actions:
            self.assertIn("search_default_live", str(loaded(name)))
        self.other_account.mode = "live"
        self.account.mode = "test"
        for name in actions:
            self.assertNotIn("search_default_live", str(loaded(name)))

    def test_export_names_the_mode(self):
        message = self.enqueue()
        rows = self.done(
            "user", "sms.devino.message", "export_data", message.ids, ["mode"]
        )
        self.assertEqual(rows["datas"], [["Test"]])
        saved = self.env.ref("sms_devino.ir_exports_message").export_fields
        self.assertIn("mode", saved.mapped("name"))
        batch_id = self.batch()
        message.sudo().batch_id = batch_id
        asked = self.done("manager", "sms.devino.batch", "action_export", [batch_id])
        ids = [asked["res_id"]]
        action = self.done("manager", "sms.devino.export", "action_save", ids)
        book = openpyxl.load_workbook(io.BytesIO(self.url_open(action["url"]).content))
        titles, *rows = book.active.iter_rows(values_only=True)
        self.assertEqual([row[titles.index("Mode")] for row in rows], ["Test"])

    def test_forms_lists_and_reports_name_the_mode(self):
        views = self.done(
            "manager",
            "sms.devino.message",
            "get_views",
            [[False, kind] for kind in ("form", "list", "kanban", "pivot", "graph")],
        )["views"]
        for kind, view in views.items():
            with self.subTest(kind):
                self.assertIn('name="mode"', view["arch"])
        self.assertIn("web_ribbon", views["form"]["arch"])


@tagged("post_install", "-at_install", "sms_devino")
class TestHostileRpc(RightsCase):
    """Values that no form would send."""

    def test_addresses_to_which_no_password_goes(self):
        for url in (
            "http://provider.example/rest",
            "https://user:pw@provider.example/rest",
            "https://169.254.169.254/rest",
            "https://10.0.0.1/rest",
            "https://[::1]/rest",
            "https://0x7f.1/rest",
            "https://2130706433/rest",
            "https://intranet/rest",
            "https://db.internal/rest",
            "ftp://provider.example",
            "https://provider.example/rest?x=1",
            "javascript:alert(1)",
        ):
            with self.subTest(url):
                for method, args in (
                    (
                        "write",
                        (self.account.ids, {"url": url, "mode": "live"}),
                    ),
                    ("create", ([{"name": "x", "url": url, "mode": "live"}],)),
                ):
                    self.assertRefused(
                        self.call("admin", "sms.devino.account", method, *args),
                        "Server address",
                    )
        for kind in ("user", "manager", "system"):
            self.assertDenied(
                self.call(kind, "sms.devino.account", "read", self.account.ids, ["url"])
            )
        self.assertDenied(
            self.call(
                "admin",
                "sms.devino.account",
                "write",
                self.account.ids,
                {"allow_private_address": True},
            )
        )

    def test_password_is_written_and_never_read(self):
        account = self.account
        self.done(
            "admin", "sms.devino.account", "write", account.ids, {"password": "new"}
        )
        self.assertEqual(account.sudo().stored_password, "new")
        for kind in ("admin", "system", "manager"):
            for name in ("password", "stored_password"):
                answer = self.call(
                    kind, "sms.devino.account", "read", account.ids, [name]
                )
                self.assertNotIn("new", repr(answer))
        for domain in (
            [("stored_password", "=like", "n%")],
            [("password", "=", "new")],
        ):
            answer = self.call("admin", "sms.devino.account", "search", domain)
            self.assertFalse(answer.get("result"), domain)
        for how in (
            ("export_data", account.ids, ["stored_password"]),
            ("read_group", [], ["stored_password"], ["stored_password"]),
            ("copy_data", account.ids),
        ):
            answer = self.call("admin", "sms.devino.account", *how)
            self.assertNotIn("'new'", repr(answer))

    def test_json_of_a_wrong_shape_is_refused(self):
        list_id, batch_id = self.list(), self.batch()
        mapping = {"name": "x", "signature": "x"}
        recipient = {"list_id": list_id, "number_raw": NUMBER}
        for hostile in ("x", 5, ["x"], [5], {"a": {}}, [[]], [{"role": 5}], {"a": []}):
            for model, values in (
                ("sms.devino.batch", {"name": "x", "source_columns": hostile}),
                ("sms.devino.recipient", {**recipient, "data": hostile}),
                ("sms.devino.import.mapping", {**mapping, "columns": hostile}),
                *(
                    [("sms.devino.recipient.list", {"name": "x", "columns": hostile})]
                    if hostile != ["x"]
                    else []
                ),
            ):
                with self.subTest((model, hostile)):
                    answer = self.call("manager", model, "create", [values])
                    self.assertRefused(answer, "not what is kept")
        self.done(
            "manager",
            "sms.devino.batch",
            "read",
            [batch_id],
            ["names", "samples", "sheet"],
        )

    def test_preview_that_came_back_changed_shows_nothing(self):
        for hostile in ("x", [1], {"counts": 5}, {"first": [{"row": {}}]}):
            [wizard_id] = self.done(
                "manager", "sms.devino.recipient.add", "create", [{"preview": hostile}]
            )
            [values] = self.done(
                "manager",
                "sms.devino.recipient.add",
                "read",
                [wizard_id],
                ["preview_html", "problem_count"],
            )
            self.assertFalse(values["preview_html"])

    def test_document_that_cannot_be_one_breaks_no_list(self):
        for model in ("mail.thread", "sms.composer", "nothing", "base"):
            message = self.enqueue().sudo()
            message.write({"res_model": model, "res_id": 1})
            [values] = self.done(
                "user", "sms.devino.message", "read", message.ids, ["document_name"]
            )
            self.assertFalse(values["document_name"])
            self.assertRefused(
                self.call(
                    "user", "sms.devino.message", "action_open_document", message.ids
                )
            )

    def test_document_of_others_is_not_named_as_the_source(self):
        partner = self.env["res.partner"].create(
            {"name": "Qwertina", "company_id": self.other_company.id}
        )
        values = {
            "composition_mode": "numbers",
            "numbers": NUMBER,
            "res_model": "res.partner",
            "res_id": partner.id,
            "body": "x",
        }
        made = self.call("user", "sms.composer", "create", [values])
        if "result" in made:
            self.call("user", "sms.composer", "action_send_sms", made["result"])
        message = self.env["sms.devino.message"].search([])
        self.assertNotEqual(message.res_id, partner.id)

    def test_long_hostile_texts_are_read_at_once(self):
        batch_id = self.batch()
        for text in (
            "{{" * 16_000,
            "{{ a | " * 5_000,
            "{{object." * 4_000,
            "}}{{" * 8000,
        ):
            with self.subTest(text[:10]):
                start = time.monotonic()
                self.done(
                    "manager", "sms.devino.batch", "write", [batch_id], {"body": text}
                )
                self.call("manager", "sms.devino.batch", "action_ask", [batch_id])
                self.call(
                    "user",
                    "sms.composer",
                    "onchange",
                    [],
                    {"composition_mode": "numbers", "numbers": NUMBER, "body": text},
                    ["body"],
                    form_of("sms_devino_problem", "sms_devino_cost"),
                )
                self.assertLess(time.monotonic() - start, 3)

    def test_paste_of_too_many_is_refused_soon(self):
        text = "79214563763\n" * 300_000
        start = time.monotonic()
        answer = self.call(
            "manager",
            "sms.devino.recipient.add",
            "onchange",
            [],
            {"source": "paste", "text": text},
            ["text"],
            form_of("preview"),
        )
        self.assertRefused(answer, "200")
        self.assertLess(time.monotonic() - start, 20)

    def test_many_titles_are_quick(self):
        names = "; ".join(["City"] * 20_000)
        start = time.monotonic()
        self.list(column_names=names)
        self.assertLess(time.monotonic() - start, 10)

    def test_name_of_the_account_is_text_in_notices(self):
        self.done(
            "admin",
            "sms.devino.account",
            "write",
            self.account.ids,
            {"name": "<img src=x onerror=alert(1)>", "low_balance": 10},
        )
        self.account._note_balance(1)
        activity = self.account.activity_ids
        self.assertIn("&lt;img", activity.note)
        self.assertNotIn("<img", activity.note)

    def test_error_of_the_database_is_told_in_own_words(self):
        self.env.cr.execute(
            "ALTER TABLE sms_devino_message ADD CONSTRAINT no_secret "
            "CHECK (body NOT LIKE 'Secret%') NOT VALID"
        )
        values = {
            "composition_mode": "numbers",
            "sms_devino_direct": True,
            "sms_devino_number": NUMBER,
            "body": "Secret text",
        }
        made = self.done("user", "sms.composer", "create", [values])
        self.quiet = ()
        with self.assertLogs("odoo", logging.INFO) as log:
            answer = self.call("user", "sms.composer", "action_send_sms", made)
        for personal in ("Secret text", "9214563763", "aborted"):
            self.assertNotIn(personal, "".join(log.output))
            self.assertNotIn(personal, repr(answer.get("data", {}).get("message")))
        self.assertFalse(self.env["sms.devino.message"].search([]))
        # the transaction is not spoilt
        self.done("user", "sms.devino.message", "search_count", [])

    def test_settings_are_chosen_by_name(self):
        """By a person who is no SMS administrator."""
        found = self.done("system", "sms.devino.account", "name_search", "Acc")
        self.assertEqual([name for _key, name in found], ["Account"])
        view = self.done(
            "system", "res.config.settings", "get_views", [[False, "form"]]
        )["views"]["form"]["arch"]
        self.assertIn('name="sms_devino_account_id"', view)
        self.assertNotIn("action_sms_devino_accounts", view)
        [settings] = self.done("system", "res.config.settings", "create", [{}])
        values = self.done(
            "system",
            "res.config.settings",
            "web_read",
            [settings],
            {"sms_devino_account_id": {"fields": {"display_name": {}}}},
        )
        self.assertEqual(values[0]["sms_devino_account_id"]["display_name"], "Account")
        answer = self.call(
            "system", "res.config.settings", "action_sms_devino_accounts", [settings]
        )
        self.assertDenied(answer)
        self.assertIn("Administrator", answer["data"]["message"])


@tagged("post_install", "-at_install", "sms_devino")
class TestProviderRpc(RpcMixin, LiveCase):
    """Against a provider over HTTP; what is done is committed."""

    def login_of(self, kind):
        return self.logins[kind]

    def account(self, **values):
        with self.transaction() as env:
            env["sms.devino.account"].browse(self.account_id).write(values)

    def test_refused_login_is_not_repeated_by_any_press(self):
        self.account(password="wrong")
        refresh = ("sms.devino.account", "action_refresh_balance", [self.account_id])
        self.call("user", *refresh)
        logins = self.server.requests["User/SessionId"]
        self.assertEqual(logins, 1)
        for kind in ("user", "manager", "admin"):
            self.assertRefused(self.call(kind, *refresh), "wrong login")
        self.assertEqual(self.server.requests["User/SessionId"], logins)

    def test_copied_database_sends_and_asks_nothing(self):
        with self.transaction() as env:
            env["sms.devino.account"].browse(self.account_id).database_uuid = "another"
        message_id = self.enqueue()
        self.dispatch()
        self.assertEqual(self.read(message_id, "state"), "outgoing")
        refresh = ("sms.devino.account", "action_refresh_balance", [self.account_id])
        self.assertRefused(self.call("user", *refresh))
        self.assertFalse(self.server.requests["User/SessionId"])
        confirm = ("sms.devino.account", "action_confirm_database", [self.account_id])
        for kind in ("user", "manager"):
            self.assertDenied(self.call(kind, *confirm))
        self.done("admin", *confirm)
        self.dispatch()
        self.assertEqual(self.read(message_id, "state"), "sent")

    def test_characters_that_no_database_stores_stop_no_press(self):
        body = rb'{"State": 0, "StateDescription": "a\u0000b\ud800", "Price": 1.5}'

        def reply(connection, _request):
            connection.sendall(http(200, body))
            return True

        message_id = self.enqueue()
        self.dispatch()
        with WireServer(reply) as server:
            self.account(url=server.url)
            with self.transaction() as env:
                env["sms.devino.message"].browse(message_id).author_id = self.users[
                    "user"
                ]
            self.done("user", "sms.devino.message", "action_check_status", [message_id])
        self.assertEqual(self.read(message_id, "state"), "delivered")

    def test_one_line_of_log_a_run(self):
        numbers = [f"792145637{n:02}" for n in range(60, 68)]
        for number in numbers:
            self.enqueue(number, f"Text for {number}")
        # Odoo calls another level INFO
        with self.assertLogs("odoo.addons.sms_devino", logging.INFO) as log:
            self.dispatch()
            self.assertEqual(len(self.provider.ledger), len(numbers))
        self.assertEqual(len(log.output), 1, log.output)
        self.assertNotIn("7921", log.output[0])


@tagged("post_install", "-at_install", "sms_devino")
class TestDraftRpc(RpcMixin, MassCase):
    """A draft that was calculated, and what is tried with it."""

    def login_of(self, kind):
        return self.logins[kind]

    def test_account_that_was_swapped_is_found_at_send(self):
        with self.transaction() as env:
            company = env["res.company"].create({"name": "Test: theirs, of a draft"})
            theirs = self._create_account(env, company_id=company.id, name="Theirs")
            theirs = (theirs.id, theirs.sender_ids.id)
        batch_id = self.prepare()
        for values in ({"account_id": theirs[0]}, {"sender_id": theirs[1]}):
            self.assertRefused(
                self.call("manager", "sms.devino.batch", "write", [batch_id], values)
            )
        with self.transaction() as env:
            env.cr.execute(
                "UPDATE sms_devino_batch SET account_id = %s, sender_id = %s", theirs
            )
        answer = self.call("manager", "sms.devino.batch", "action_send", [batch_id])
        self.assertRefused(answer)
        self.assertEqual(self.read_batch(batch_id, "state"), "draft")

    def test_filter_is_held_against_the_rights_of_who_calculates(self):
        for domain in ("[('user_ids.password', '!=', False)]", *LITERALS[:4]):
            batch_id = self.draft(list_ids=[], domain=domain)
            self.done("manager", "sms.devino.batch", "action_calculate", [batch_id])
            self.run_calculations()
            with self.subTest(domain[:30]):
                state, total = self.read_batch(batch_id, "calculation", "total")
                self.assertEqual((state, total), ("failed", 0))
                with self.transaction() as env:
                    env["sms.devino.batch"].browse(batch_id).unlink()

    def test_user_sends_no_draft_of_a_manager(self):
        batch_id = self.prepare()
        for method in ("action_ask", "action_send", "action_cancel", "get_progress"):
            self.assertDenied(self.call("user", "sms.devino.batch", method, [batch_id]))
