"""Doors to sending, and to what came in: whose they are, through JSON-RPC."""

import logging

import psycopg2

from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..services.private_log import log_failure
from .mass_case import MassCase
from .rpc_case import RpcMixin
from .test_rights_rpc import NUMBER, RightsCase, form_of

OTHER_NUMBER = "+79214563764"
LATER, EVEN_LATER = "2036-01-01 00:00:00", "2037-01-01 00:00:00"


class DoorsCase(RightsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people["theirs"] = new_test_user(
            cls.env,
            "sms_theirs",
            groups="sms_devino.group_admin",
            company_id=cls.other_company.id,
            company_ids=cls.other_company.ids,
        )

    def send(self, kind, **values):
        """Write in the form and press Send; return the answer."""
        values = {"composition_mode": "numbers", "body": "x", **values}
        made = self.call(kind, "sms.composer", "create", [values])
        if "result" not in made:
            return made
        return self.call(kind, "sms.composer", "action_send_sms", made["result"])

    def messages(self):
        self.env.invalidate_all()
        return self.env["sms.devino.message"].search([])


@tagged("post_install", "-at_install", "sms_devino")
class TestIncomingRpc(DoorsCase):
    def incoming(self, account, **values):
        return self.env["sms.devino.incoming"].create(
            {
                "account_id": account.id,
                "company_id": account.company_id.id,
                "gateway_id": "1",
                "number": NUMBER,
                "body": "Private words",
                **values,
            }
        )

    def test_what_came_for_others_stays_closed(self):
        for kind, incoming in (
            ("colleague", self.incoming(self.account, user_id=self.people["user"].id)),
            ("theirs", self.incoming(self.account, gateway_id="2")),
            ("admin", self.incoming(self.other_account)),
            ("internal", self.incoming(self.account, gateway_id="3")),
            ("portal", self.incoming(self.account, gateway_id="4")),
        ):
            for method, *args in (
                ("action_mark_read",),
                ("action_mark_unread",),
                ("action_reply",),
                ("action_open_messages",),
                ("read", ["body"]),
                ("write", {"is_read": True}),
                ("unlink",),
            ):
                with self.subTest((kind, method)):
                    answer = self.call(
                        kind, "sms.devino.incoming", method, incoming.ids, *args
                    )
                    self.assertDenied(answer)
            answer = self.call(
                kind, "sms.devino.incoming", "message_post", incoming.ids, body="x"
            )
            self.assertIn("data", answer)
            found = self.call(
                kind, "sms.devino.incoming", "search", [("id", "=", incoming.id)]
            )
            self.assertFalse(found.get("result"))
            self.assertFalse(incoming.is_read)

    def test_its_person_reads_and_writes_nothing_else(self):
        incoming = self.incoming(self.account, user_id=self.people["user"].id)
        self.done("user", "sms.devino.incoming", "action_mark_read", incoming.ids)
        self.assertTrue(incoming.is_read)
        for values in ({"user_id": self.people["user"].id}, {"body": "Forged"}):
            self.assertDenied(
                self.call("user", "sms.devino.incoming", "write", incoming.ids, values)
            )
        values = {"account_id": self.account.id, "number": NUMBER, "gateway_id": "9"}
        self.assertDenied(self.call("admin", "sms.devino.incoming", "create", [values]))

    def test_answer_goes_through_no_account_of_others(self):
        incoming = self.incoming(self.account, user_id=self.people["user"].id)
        action = self.done("user", "sms.devino.incoming", "action_reply", incoming.ids)
        values = {
            key.removeprefix("default_"): value
            for key, value in action["context"].items()
        }
        values |= {
            "sms_devino_account_id": self.other_account.id,
            "sms_devino_sender_id": self.other_sender.id,
        }
        self.assertRefused(self.send("user", **values))
        self.assertFalse(self.messages())

    def test_person_for_incoming_sms_is_of_the_company(self):
        answer = self.call(
            "admin",
            "sms.devino.account",
            "write",
            self.account.ids,
            {"incoming_user_id": self.people["theirs"].id},
        )
        self.assertRefused(answer)
        self.assertFalse(self.account.incoming_user_id)


@tagged("post_install", "-at_install", "sms_devino")
class TestOverviewRpc(DoorsCase):
    def test_it_tells_of_the_own_companies_only(self):
        self.other_account.write({"name": "Foreign", "low_balance": 5})
        self.other_account._note_balance(777777)
        self.account._note_balance(555555)
        # a user learns for how many SMS it is enough
        self.account.price_per_segment = 5
        message = self.env["sms.devino.message"].enqueue(
            NUMBER, "x", account=self.other_account
        )
        message.write({"state": "sent", "accepted_at": "2026-11-01 10:00:00"})
        self.env["sms.devino.day"]._refresh()
        for kind in ("user", "manager", "admin"):
            with self.subTest(kind):
                shown = repr(self.done(kind, "sms.devino.day", "get_overview", []))
                self.assertNotIn("777", shown)
                self.assertNotIn("Foreign", shown)
                self.assertEqual("555" in shown, kind != "user")
                days = self.done(kind, "sms.devino.day", "search_count", [])
                self.assertFalse(days)
                foreign = {"allowed_company_ids": self.other_company.ids}
                answer = self.call(
                    kind, "sms.devino.day", "get_overview", [], context=foreign
                )
                self.assertDenied(answer)
        for kind in ("internal", "portal", "system"):
            self.assertDenied(self.call(kind, "sms.devino.day", "get_overview", []))

    def test_user_learns_of_own_messages_only(self):
        message = self.enqueue(kind="manager").sudo()
        message.write({"state": "sent", "accepted_at": "2026-11-01 10:00:00"})
        self.env["sms.devino.day"]._refresh()
        count = ("sms.devino.day", "search_count", [])
        self.assertEqual(self.done("manager", *count), 1)
        self.assertEqual(self.done("user", *count), 0)
        self.assertDenied(self.call("manager", "sms.devino.day", "action_rebuild", []))


@tagged("post_install", "-at_install", "sms_devino")
class TestJournalDoorsRpc(DoorsCase):
    def test_scheduled_message_of_others_is_not_moved(self):
        message = self.enqueue(scheduled_at=self.env.cr.now().replace(year=2036))
        before = message.sudo().scheduled_at
        move = "sms.devino.message.move"
        values = {
            "message_ids": [Command.set(message.ids)],
            "scheduled_at": EVEN_LATER,
        }
        for kind in ("colleague", "theirs"):
            for method in ("action_send_now", "action_cancel", "action_send_again"):
                self.assertDenied(
                    self.call(kind, "sms.devino.message", method, message.ids)
                )
            made = self.call(kind, move, "create", [values])
            if "result" in made:
                self.call(kind, move, "action_move", made["result"])
            self.assertDenied(
                self.call(kind, move, "onchange", [], values, ["message_ids"], {})
            )
            for ids in (message.ids, "x", True, [[1]], {"a": 1}):
                context = {"active_ids": ids}
                given = self.done(
                    kind, move, "default_get", ["message_ids"], context=context
                )
                self.assertNotIn(str(message.id), repr(given))
        for kind in ("internal", "portal"):
            self.assertDenied(self.call(kind, move, "create", [values]))
        self.env.invalidate_all()
        self.assertEqual(message.sudo().scheduled_at, before)
        self.assertEqual(message.sudo().state, "scheduled")
        made = self.done("user", move, "create", [values])
        self.done("user", move, "action_move", made)
        self.env.invalidate_all()
        self.assertEqual(message.sudo().scheduled_at.year, 2037)

    def test_form_repeats_no_message_of_others(self):
        message = self.env["sms.devino.message"].enqueue(
            OTHER_NUMBER, "Private words", account=self.account
        )
        message.write({"state": "failed", "author_id": self.people["user"].id})
        values = {
            "composition_mode": "numbers",
            "sms_devino_direct": True,
            "sms_devino_repeat_id": message.id,
            "sms_devino_message_ids": [Command.set(message.ids)],
        }
        spec = form_of("body", "sms_devino_number", "sms_devino_repeat_id")
        spec["sms_devino_message_ids"] = {"fields": form_of("body", "number")}
        for kind in ("colleague", "theirs", "internal"):
            answer = self.call(
                kind, "sms.composer", "onchange", [], values, list(values), spec
            )
            for secret in ("Private words", OTHER_NUMBER):
                self.assertNotIn(secret, repr(answer.get("result")))
            self.send(kind, **{**values, "sms_devino_number": NUMBER})
            self.assertFalse(message.repeated_by_ids)
            self.env.invalidate_all()

    def test_message_of_test_mode_is_not_repeated_by_a_live_account(self):
        message = self.failed_message()
        live = self.create_account(self.company, name="Live")
        sender = self.create_sender(live, "Live")
        live.write({"mode": "live", "state": "ready"})
        live._note_balance(1000)
        answer = self.send(
            "user",
            sms_devino_direct=True,
            sms_devino_repeat_id=message.id,
            sms_devino_number=NUMBER,
            sms_devino_account_id=live.id,
            sms_devino_sender_id=sender.id,
        )
        self.assertRefused(answer, "test mode")
        self.assertFalse(message.repeated_by_ids)

    def test_server_action_holds_to_the_blacklist(self):
        self.env["phone.blacklist"].create({"number": NUMBER})
        self.people["user"].group_ids += self.env.ref("base.group_partner_manager")
        partner = self.env["res.partner"].create({"name": "P", "phone": NUMBER})
        model = self.env["ir.model"]._get("res.partner")
        template = self.env["sms.template"].create(
            {"name": "T", "model_id": model.id, "body": "Hello"}
        )
        context = {
            "active_model": "res.partner",
            "active_id": partner.id,
            "active_ids": partner.ids,
        }
        for method in ("sms", "comment"):
            for holds in (True, False):
                action = self.env["ir.actions.server"].create(
                    {
                        "name": "A",
                        "model_id": model.id,
                        "state": "sms",
                        "sms_template_id": template.id,
                        "sms_method": method,
                        "sms_devino_blacklist": holds,
                    }
                )
                before = self.messages(), self.waiting_in_odoo()
                self.call(
                    "user", "ir.actions.server", "run", action.ids, context=context
                )
                with self.subTest((method, holds)):
                    sent = (
                        self.messages() - before[0],
                        self.waiting_in_odoo() - before[1],
                    )
                    self.assertEqual(any(sent), not holds)

    def waiting_in_odoo(self):
        """Return what Odoo itself has yet to hand on."""
        return self.env["sms.sms"].search(
            [("number", "=", NUMBER), ("state", "=", "outgoing")]
        )

    def test_branch_uses_the_account_of_its_parent_and_no_other(self):
        branches = self.env["res.company"].create(
            [{"name": name, "parent_id": self.company.id} for name in ("N", "S")]
        )
        north, south = branches
        own = self.create_account(north, name="North")
        self.people["system"].company_ids += branches
        self.people["north"] = new_test_user(
            self.env,
            "sms_north",
            groups="sms_devino.group_user",
            company_id=north.id,
            company_ids=north.ids,
        )
        for company, account, is_allowed in (
            (north, self.account, True),
            (north, self.other_account, False),
            (south, own, False),
            (self.company, own, False),
        ):
            with self.subTest((company.name, account.name)):
                answer = self.call(
                    "system",
                    "res.company",
                    "write",
                    company.ids,
                    {"sms_devino_account_id": account.id},
                )
                if is_allowed:
                    self.assertTrue(answer.get("result"), answer)
                else:
                    self.assertRefused(answer)
        answer = self.send("north", numbers=NUMBER)
        self.assertIn("result", answer, answer)
        message = self.messages()
        self.assertEqual(message.account_id, self.account)
        self.assertEqual(message.company_id, north)
        own.active = False
        north.sms_devino_account_id = False
        answer = self.send(
            "north", sms_devino_direct=True, sms_devino_number=OTHER_NUMBER
        )
        self.assertIn("result", answer, answer)
        self.assertEqual(self.messages().account_id, self.account)
        self.assertEqual(self.messages().company_id, north)

    def test_links_in_names_are_no_links_in_activities(self):
        name = "https://evil.example/x <a href='//e.example'>y</a>"
        self.account.low_balance = 10
        self.done(
            "admin", "sms.devino.account", "write", self.account.ids, {"name": name}
        )
        self.account._note_balance(1)
        note = self.account.activity_ids.note
        self.assertIn("evil.example", note)
        for tag in ("<a", "<img", 'href="'):
            self.assertNotIn(tag, note)

    def test_duplicate_of_a_sending_is_in_no_log(self):
        """Not even where the database refuses it."""
        batch_id = self.batch(body="Secret words")
        self.env.cr.execute(
            "ALTER TABLE sms_devino_batch ADD CONSTRAINT no_copy "
            "CHECK (name NOT LIKE '%(copy)') NOT VALID"
        )
        self.quiet = ()
        with self.assertLogs("odoo", logging.INFO) as log:
            answer = self.call("manager", "sms.devino.batch", "copy", [batch_id])
            self.assertIn("data", answer)
            answer = self.call(
                "manager",
                "sms.devino.batch",
                "write",
                [batch_id],
                {"name": "x (copy)", "body": "Secret words, changed"},
            )
            self.assertIn("data", answer)
        self.assertIn("bad query", "".join(log.output))
        self.assertNotIn("Secret words", "".join(log.output))

    def test_failure_of_sql_is_logged_without_the_row(self):
        logger = logging.getLogger("odoo.addons.sms_devino.tests")
        secret = "Secret words"
        with self.assertLogs("odoo", "ERROR") as log:
            try:
                with self.env.cr.savepoint(), mute_logger("odoo.sql_db"):
                    self.env.cr.execute("SELECT %s::int", [secret])
            except psycopg2.Error:
                log_failure(logger, "list %s", 5)
        [line] = log.output
        self.assertIn("list 5: InvalidTextRepresentation", line)
        self.assertNotIn(secret, line)


@tagged("post_install", "-at_install", "sms_devino")
class TestBatchDoorRpc(RpcMixin, MassCase):
    def login_of(self, kind):
        return self.logins[kind]

    def test_mass_sending_holds_to_the_blacklist(self):
        with self.transaction() as env:
            blocked = "+" + self.numbers(10)[3]
            env["phone.blacklist"].create({"number": blocked})
        batch_id = self.prepare()
        self.done("manager", "sms.devino.batch", "action_send", [batch_id])
        [row_id] = self.rows(batch_id, "id", state="left_out")
        for method in ("action_send_now", "action_send_again"):
            self.assertRefused(
                self.call("manager", "sms.devino.message", method, [row_id])
            )
        self.dispatch()
        sent = {entry.number for entry in self.provider.ledger}
        self.assertEqual(sent, set(self.numbers(10)) - {blocked.removeprefix("+")})
