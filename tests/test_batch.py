import base64
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from ..tools.sheet import open_book
from .mass_case import TEXT, MassCase


@tagged("post_install", "-at_install", "sms_devino")
class TestBatch(MassCase):
    def test_equal_texts_go_as_one_call(self):
        batch_id = self.send_mass()
        self.assertEqual(self.states(), {"outgoing": 10})
        self.dispatch()
        self.assertEqual(self.server.requests["Sms/SendBulk"], 1)
        self.assertEqual(self.server.requests["Sms/Send"], 0)
        self.assertEqual(self.read_batch(batch_id, "state"), "done")
        self.assertAllAgree(batch_id, sent=10)

    def test_fate_and_price_come_back_and_the_author_is_told(self):
        batch_id = self.send_mass(name="Autumn")
        self.dispatch()
        self.provider.advance(60)
        self.check_statuses()
        self.assertAllAgree(batch_id, delivered=10)
        with self.transaction() as env:
            batch = env["sms.devino.batch"].browse(batch_id)
            self.assertTrue(batch.reported_at)
            self.assertEqual(batch.cost, 15.0)
            self.assertEqual(batch.cost_estimated, 10.0)
            notices = " ".join(batch.message_ids.mapped("body"))
            self.assertIn("10 of 10 messages were delivered", notices)
            self.assertIn("accepted 10 of 10", notices)
            gateway_id = batch._first_gateway_ids()[0]
            self.assertIn(gateway_id, notices)

    def test_batch_is_saved_to_a_spreadsheet_with_ids_and_statuses(self):
        batch_id = self.send_mass()
        self.dispatch()
        for file_format in ("xlsx", "xls"):
            action = self.press(batch_id, f"action_export_{file_format}")
            with self.transaction(self.users["manager"]) as env:
                export = env["sms.devino.export"].browse(
                    int(action["url"].split("/")[4])
                )
                book = open_book(base64.b64decode(export.content))
                rows = [row.values for row in book.rows(book.sheets[0])]
            self.assertEqual(len(rows), 11)
            cells = {cell for row in rows for cell in row}
            for entry in self.provider.ledger:
                self.assertLessEqual({f"+{entry.number}", *entry.ids}, cells)

    def test_second_press_of_send_changes_nothing(self):
        wizard_id = self.prepare()
        first = self.approve(wizard_id)
        self.assertEqual(self.approve(wizard_id), first)
        self.assertEqual(self.states(), {"outgoing": 10})

    def test_what_was_approved_goes_though_the_list_changes(self):
        wizard_id = self.prepare()
        with self.transaction() as env:
            env["sms.devino.recipient.list"].browse(self.list_id).recipient_ids.unlink()
        self.approve(wizard_id)
        self.dispatch()
        self.assertEqual(len(self.provider.ledger), 10)

    def test_someone_excluded_after_the_preview_stops_the_sending(self):
        wizard_id = self.prepare()
        with self.transaction() as env:
            env["phone.blacklist"].create({"number": "+79214500000"})
        with self.assertRaisesRegex(UserError, "blacklist"):
            self.approve(wizard_id)
        self.assertFalse(self.states())

    def test_recipients_are_united_by_number_and_the_rest_named(self):
        other = self.make_list(
            ["79214500000", "+7 (921) 460-00-00", "8 495 123-45-67", "abc"],
            "Test: others",
        )
        with self.transaction() as env:
            env["phone.blacklist"].create({"number": "+79214500100"})
        wizard_id = self.prepare(list_ids=[Command.set([self.list_id, other])])
        total, left_out = self.read_wizard(wizard_id, "total", "left_out_count")
        self.assertEqual((total, left_out), (10, 4))
        with self.transaction() as env:
            reasons = env["sms.devino.batch.reason"].search(
                [("wizard_id", "=", wizard_id)]
            )
            found = {reason.reason: reason.count for reason in reasons}
            self.assertEqual(
                found, {"duplicate": 1, "blacklisted": 1, "landline": 1, "letters": 1}
            )
            action = reasons.filtered(lambda r: r.reason == "blacklisted").action_open()
            lines = env["sms.devino.batch.line"].search(action["domain"])
            self.assertEqual(lines.mapped("number"), ["+79214500100"])
        batch_id = self.approve(wizard_id)
        with self.transaction() as env:
            batch = env["sms.devino.batch"].browse(batch_id)
            action = batch.reason_ids[0].action_open()
            kept = env["sms.devino.batch.line"].search(action["domain"])
            self.assertEqual(kept.batch_id, batch)

    def test_each_gets_his_own_text(self):
        list_id = self.make_list(
            self.numbers(3, 79214700000),
            "Test: orders",
            {0: {"Номер заказа": "A-1"}, 1: {"Номер заказа": "Я-2"}},
        )
        wizard_id = self.prepare(
            list_ids=[Command.set([list_id])],
            text="Hi {{ name }}, order {{ номер заказа }}",
        )
        empty, figures = self.read_wizard(wizard_id, "empty_count", "figures")
        self.assertEqual(empty, 1)
        self.assertEqual(figures["messages"], {"gsm7": 2, "ucs2": 1})
        batch_id = self.approve(wizard_id)
        self.dispatch()
        self.assertEqual(
            sorted(entry.text for entry in self.provider.ledger),
            ["Hi Name 0, order A-1", "Hi Name 1, order Я-2", "Hi Name 2, order "],
        )
        self.assertAllAgree(batch_id, sent=3)

    def test_contacts_by_filter_and_chosen_ones(self):
        with self.transaction() as env:
            partners = env["res.partner"].create(
                [
                    {"name": "Anna", "phone": "8 921 480-00-00", "city": "Omsk"},
                    {"name": "Boris", "phone": "+79214800100", "city": "Tver"},
                    {"name": "Vera", "phone": False, "city": "Tver"},
                ]
            )
            ids = partners.ids
        self.addCleanup(self._unlink, "res.partner", ids)
        wizard_id = self.prepare(
            list_ids=False,
            partner_ids=[Command.set(ids[:1])],
            with_contacts=True,
            contact_domain=repr([("id", "in", ids), ("city", "=", "Tver")]),
            text="{{ name }} of {{ city }}",
        )
        self.assertEqual(self.read_wizard(wizard_id, "total", "left_out_count"), (2, 1))
        batch_id = self.approve(wizard_id)
        self.dispatch()
        self.assertEqual(
            sorted(entry.text for entry in self.provider.ledger),
            ["Anna of Omsk", "Boris of Tver"],
        )
        with self.transaction(self.users["manager"]) as env:
            anna = env["res.partner"].browse(ids[0])
            self.assertEqual(anna.sms_devino_message_count, 1)
            domain = anna.action_sms_devino_messages()["domain"]
            messages = env["sms.devino.message"].search(domain)
            self.assertEqual(messages.batch_id.id, batch_id)

    def _unlink(self, model, ids):
        with self.transaction() as env:
            env[model].browse(ids).unlink()

    def test_wrong_texts_are_refused_with_a_sentence(self):
        for text, words in (
            ("Hi {{ nmae }}", "Did you mean “name”"),
            ("Hi {{ object.env }}", "no value named “object.env”"),
            ("Hi {{ name", "without its"),
            ("{{ }}", "without a name"),
            ("  ", "enter the text"),
        ):
            with self.subTest(text), self.assertRaisesRegex(UserError, words):
                self.prepare(text=text)

    def test_too_long_and_empty_texts_are_left_out(self):
        list_id = self.make_list(
            self.numbers(3, 79214700000),
            "Test: long",
            {0: {"note": "x" * 2001}, 1: {"note": "fine"}},
        )
        wizard_id = self.prepare(list_ids=[Command.set([list_id])], text="{{ note }}")
        with self.transaction() as env:
            reasons = env["sms.devino.batch.reason"].search(
                [("wizard_id", "=", wizard_id)]
            )
            self.assertEqual(
                {reason.reason for reason in reasons}, {"long_text", "no_text"}
            )
        self.assertEqual(self.read_wizard(wizard_id, "total"), 1)

    def test_template_of_odoo_is_read_or_refused(self):
        with self.transaction() as env:
            model = env["ir.model"]._get("res.partner")
            templates = env["sms.template"].create(
                [
                    {
                        "name": "Plain",
                        "model_id": model.id,
                        "body": "Hi {{ object.name }} of {{object.city}}",
                    },
                    {
                        "name": "Sum",
                        "model_id": model.id,
                        "body": "{{ object.name.upper() }}",
                    },
                ]
            )
            ids = templates.ids
        self.addCleanup(self._unlink, "sms.template", ids)
        with self.transaction(self.users["manager"]) as env:
            wizard = env["sms.devino.batch.send"]
            plain, computed = env["sms.template"].browse(ids)
            self.assertEqual(
                wizard._read_template(plain), "Hi {{ name }} of {{ city }}"
            )
            with self.assertRaisesRegex(UserError, "is a calculation"):
                wizard._read_template(computed)

    # --- money ----------------------------------------------------------------------

    def test_not_enough_money_is_refused_and_said_by_how_much(self):
        self.provider.set_balance(6)
        wizard_id = self.prepare()
        shortage, refused = self.read_wizard(wizard_id, "shortage", "is_refused")
        self.assertIn("4", shortage)
        self.assertTrue(refused)
        with self.assertRaisesRegex(UserError, "balance is not enough"):
            self.approve(wizard_id)
        self.assertFalse(self.states())

    def test_administrator_may_allow_to_send_all_the_same(self):
        self.provider.set_balance(6)
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            account.insufficient_policy = "warn"
        wizard_id = self.prepare()
        shortage, refused = self.read_wizard(wizard_id, "shortage", "is_refused")
        self.assertTrue(shortage)
        self.assertFalse(refused)
        self.approve(wizard_id)
        self.assertEqual(self.states(), {"outgoing": 10})

    def test_second_sending_sees_what_the_first_has_reserved(self):
        self.provider.set_balance(15)
        first, second = self.prepare(), self.prepare()
        self.approve(first)
        with self.assertRaisesRegex(UserError, "balance is not enough"):
            self.approve(second)
        self.assertEqual(self.states(), {"outgoing": 10})

    def test_what_left_since_the_balance_was_asked_is_spent(self):
        self.provider.set_balance(15)
        first, second = self.prepare(), self.prepare()
        self.approve(first)
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            account.balance_at -= timedelta(seconds=5)
        self.dispatch()
        with self.assertRaisesRegex(UserError, "balance is not enough"):
            self.approve(second)

    def test_two_sendings_at_once_do_not_both_spend_the_last_money(self):
        self.provider.set_balance(15)
        first, second = self.prepare(), self.prepare()
        with self.transaction(self.users["manager"]) as env:
            wizards = env["sms.devino.batch.send"]
            env.cr.execute("SELECT 1")
            self.approve(first)
            with (
                self.assertLogs("odoo.sql_db", "ERROR"),
                self.assertRaisesRegex(Exception, "could not serialize"),
            ):
                wizards.browse(second).action_send()
            env.cr.rollback()
        with self.assertRaisesRegex(UserError, "balance is not enough"):
            self.approve(second)

    # --- the course of a sending ----------------------------------------------------

    def test_planned_sending_waits_and_can_be_moved(self):
        scheduled_at = fields.Datetime.now() + timedelta(hours=2)
        batch_id = self.send_mass(when="later", scheduled_at=scheduled_at)
        self.dispatch()
        self.assertEqual(self.read_batch(batch_id, "state"), "planned")
        self.assertAllAgree(batch_id, waiting=10)
        later = scheduled_at + timedelta(days=1)
        with self.transaction(self.users["manager"]) as env:
            env["sms.devino.batch"].browse(batch_id).scheduled_at = later
        with self.transaction() as env:
            messages = env["sms.devino.message"].search([])
            self.assertEqual(set(messages.mapped("scheduled_at")), {later})
            env.cr.execute(
                "UPDATE sms_devino_message SET scheduled_at = %(at)s;"
                "UPDATE sms_devino_batch SET scheduled_at = %(at)s",
                {"at": fields.Datetime.now()},
            )
        self.dispatch()
        self.assertEqual(self.read_batch(batch_id, "state"), "done")
        self.assertAllAgree(batch_id, sent=10)
        with (
            self.assertRaisesRegex(UserError, "still planned"),
            self.transaction(self.users["manager"]) as env,
        ):
            env["sms.devino.batch"].browse(batch_id).scheduled_at = later

    def test_planned_sending_is_not_moved_into_the_past(self):
        scheduled_at = fields.Datetime.now() + timedelta(hours=2)
        batch_id = self.send_mass(when="later", scheduled_at=scheduled_at)
        with (
            self.assertRaisesRegex(UserError, "in the future"),
            self.transaction(self.users["manager"]) as env,
        ):
            env["sms.devino.batch"].browse(batch_id).scheduled_at = "2020-01-01 10:00:00"

    def test_pause_holds_and_resume_goes_on(self):
        batch_id = self.send_mass()
        self.press(batch_id, "action_pause")
        single = self.enqueue("79219990000", "Single")
        self.dispatch()
        self.assertEqual(self.read(single, "state"), "sent")
        self.assertEqual(self.progress(batch_id), {"waiting": 10})
        with self.transaction() as env:
            held = env["sms.devino.message"].search([("is_on_hold", "=", True)])
            self.assertEqual(len(held), 10)
        self.press(batch_id, "action_resume")
        self.dispatch()
        self.assertEqual(self.progress(batch_id), {"sent": 10})
        self.assertLedgerIsJournal()

    def test_pause_is_seen_by_a_dispatcher_that_has_read_its_queue(self):
        batch_id = self.send_mass()
        with self.transaction() as env:
            ids = env["sms.devino.message"].search([]).ids
            self.press(batch_id, "action_pause")
            env.cr.commit()
            rows = [{"id": message_id, "claim": 1} for message_id in ids]
            moved = env["sms.devino.message"]._transition("sending", rows)
        self.assertFalse(moved)

    def test_canceled_rest_is_never_sent(self):
        batch_id = self.send_mass()
        self.press(batch_id, "action_cancel")
        self.assertEqual(self.progress(batch_id), {"canceled": 10})
        self.dispatch()
        self.assertFalse(self.provider.ledger)
        state, finished, on_hold = self.read_batch(
            batch_id, "state", "finished_at", "on_hold"
        )
        self.assertEqual((state, on_hold), ("canceled", False))
        self.assertTrue(finished)
        self.assertAllAgree(batch_id, canceled=10)
        with self.assertRaisesRegex(UserError, "moved on"):
            self.press(batch_id, "action_resume")

    def test_failed_ones_are_grouped_in_words_and_sent_again(self):
        refused = self.make_list(self.numbers(2, 79214600099), "Test: refused")
        batch_id = self.send_mass(list_ids=[Command.set([self.list_id, refused])])
        self.dispatch()
        self.assertAllAgree(batch_id, sent=10, failed=2)
        self.assertEqual(
            self._failures(batch_id), [("Error: invalid recipient number", 2)]
        )
        action = self.press(batch_id, "action_send_failed")
        again = self.approve(action["res_id"])
        self.dispatch()
        self.assertEqual(self.progress(again), {"failed": 2})
        with self.transaction() as env:
            repeats = env["sms.devino.message"].search([("batch_id", "=", again)])
            self.assertEqual(set(repeats.repeat_of_id.batch_id.ids), {batch_id})
        action = self.press(batch_id, "action_send_failed")
        self.assertEqual(self.read_wizard(action["res_id"], "total"), 0)

    def _failures(self, batch_id):
        with self.transaction() as env:
            return env["sms.devino.batch"].browse(batch_id)._get_failures()

    def test_copy_has_audience_and_text(self):
        batch_id = self.send_mass(name="First")
        action = self.press(batch_id, "action_copy")
        text, lists, name = self.read_wizard(
            action["res_id"], "text", "list_ids", "name"
        )
        self.assertEqual((text, lists.ids, name), (TEXT, [self.list_id], "First"))

    # --- who may --------------------------------------------------------------------

    def test_user_does_not_send_to_many(self):
        with self.assertRaises(AccessError):
            self.prepare(user="user")
        batch_id = self.send_mass()
        with self.assertRaises(AccessError):
            self.press(batch_id, "action_pause", user="user")
        with (
            self.assertRaises(AccessError),
            self.transaction(self.users["user"]) as env,
        ):
            env["sms.devino.batch"].browse(batch_id).get_progress()

    def test_manager_changes_nothing_but_name_and_time(self):
        batch_id = self.send_mass()
        with self.transaction(self.users["manager"]) as env:
            env["sms.devino.batch"].browse(batch_id).name = "Renamed"
        for values in ({"state": "done"}, {"on_hold": True}, {"text": "x"}):
            with (
                self.subTest(values),
                self.assertRaises(UserError),
                self.transaction(self.users["manager"]) as env,
            ):
                env["sms.devino.batch"].browse(batch_id).write(values)
        with (
            self.assertRaises(AccessError),
            self.transaction(self.users["manager"]) as env,
        ):
            env["sms.devino.batch"].create({"name": "x"})

    def test_preparation_of_another_is_out_of_reach(self):
        wizard_id = self.prepare()
        with (
            self.assertRaises(AccessError),
            self.transaction(self.users["admin"]) as env,
        ):
            env["sms.devino.batch.send"].browse(wizard_id).action_send()
        with self.transaction(self.users["admin"]) as env:
            lines = env["sms.devino.batch.line"].search([("wizard_id", "=", wizard_id)])
            self.assertFalse(lines)
