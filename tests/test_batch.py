import base64
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from ..services import batch_course
from ..services.batch_report import get_failures
from ..tools.sheet import Column, open_book, write_xlsx
from .mass_case import MassCase


@tagged("post_install", "-at_install", "sms_devino")
class TestBatch(MassCase):
    """The course of a mass sending after Send, and its money."""

    def test_equal_texts_go_as_one_call(self):
        batch_id = self.send_mass()
        self.assertEqual(self.states(), {"outgoing": 10})
        self.dispatch()
        self.assertEqual(self.server.requests["Sms/SendBulk"], 1)
        self.assertEqual(self.server.requests["Sms/Send"], 0)
        self.assertEqual(self.read_batch(batch_id, "state"), "done")
        self.assertAllAgree(batch_id, sent=10)

    def test_fate_and_price_come_back_and_the_sender_is_told(self):
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
            self.assertNotIn("Outcome not known", notices)
            self.assertIn("accepted 10 of 10", notices)
            self.assertIn(self.provider.ledger[0].ids[0], notices)

    def test_batch_is_saved_to_a_spreadsheet_with_ids_and_statuses(self):
        batch_id = self.send_mass()
        self.dispatch()
        with self.assertRaises(AccessError):
            self.press(batch_id, "action_export")
        self.allow_export()
        rows = self.results(batch_id)
        self.assertEqual(len(rows), 11)
        self.assertEqual(len(self.results(batch_id, "left_out")), 1)
        self.assertIn("Name 0", rows[1])
        cells = {cell for row in rows for cell in row}
        for entry in self.provider.ledger:
            self.assertLessEqual({f"+{entry.number}", *entry.ids}, cells)

    def results(self, batch_id, which="all"):
        """Save the results as the manager; return the rows of the spreadsheet."""
        book = open_book(self.saved_results(batch_id, which))
        return [row.values for row in book.rows(book.sheets[0])]

    def saved_results(self, batch_id, which="all"):
        action = self.press(batch_id, "action_export")
        with self.transaction(self.users["manager"]) as env:
            export = env["sms.devino.export"].browse(action["res_id"])
            export.which = which
            saved = export.browse(int(export.action_save()["url"].split("/")[4]))
            return base64.b64decode(saved.content)

    def allow_export(self):
        with self.transaction() as env:
            may_export = env.ref("base.group_allow_export")
            manager = env["res.users"].browse(self.users["manager"])
            manager.group_ids = [Command.link(may_export.id)]

    def test_control_numbers_are_not_in_the_file_that_comes_back(self):
        with self.transaction() as env:
            company = env["sms.devino.account"].browse(self.account_id).company_id
            company.sms_devino_control_numbers = "+7 921 450-99-00"
        self.addCleanup(self._remove_control_numbers)
        self.test_file_comes_back_with_its_results(accepted=3)

    def _remove_control_numbers(self):
        with self.transaction() as env:
            company = env["sms.devino.account"].browse(self.account_id).company_id
            company.sms_devino_control_numbers = False

    def test_file_comes_back_with_its_results(self, accepted=2):
        self.allow_export()
        titles = ["Note", "Client", "Tel."]
        table = [
            ["first", "Anna", "8 921 450-00-00"],
            ["", "Boris", "8 495 123-45-67"],
            ["again", "Anna", "79214500000"],
            ["last", "", "+7 921 450-01-00"],
        ]
        content = write_xlsx([Column(title) for title in titles], table)
        columns = {
            "sheet": "Sheet1",
            "header_row": 1,
            "columns": [
                {"index": 1, "role": "name", "title": "Client", "name": ""},
                {"index": 2, "role": "phone", "title": "Tel.", "name": ""},
            ],
        }
        batch_id = self.send_mass(
            source_file=base64.b64encode(content),
            source_name="clients.xlsx",
            source_columns=columns,
            list_ids=False,
        )
        self.dispatch()
        self.assertEqual(len(self.provider.ledger), accepted)
        [head, *rows] = self.results(batch_id)
        self.assertEqual(head[:4], [*titles, "Number as sent"])
        rows = [row + [""] * (len(head) - len(row)) for row in rows]
        self.assertEqual([row[:3] for row in rows], table)
        self.assertEqual(
            [(row[3], row[4], row[-1]) for row in rows],
            [
                ("+79214500000", "Sent", ""),
                ("+74951234567", "Left out", "Landline"),
                ("+79214500000", "Left out", "Duplicate"),
                ("+79214500100", "Sent", ""),
            ],
        )
        self.assertEqual(len(self.results(batch_id, "sent")), 3)
        content = base64.b64encode(self.saved_results(batch_id))
        with self.transaction(self.users["manager"]) as env:
            recipients = env["sms.devino.recipient.list"].create({"name": "Again"})
            again = env["sms.devino.recipient.add"].create(
                {
                    "list_id": recipients.id,
                    "source": "file",
                    "file": content,
                    "filename": "results.xlsx",
                }
            )
            again.action_open_file()
            again.action_preview()
            counts = again.preview["counts"]
            self.assertEqual(counts, {"new": 2, "wrong": 1, "duplicate": 1})
            again.action_apply()
            found = recipients.recipient_ids.mapped("name")
            self.assertEqual(sorted(filter(None, found)), ["Anna", "Boris"])
            self.assertEqual(len(found), 3)

    def test_rows_of_the_file_without_a_message_come_back_unchanged(self):
        """Rows that a filter hides, and those whose message was deleted since."""
        self.allow_export()
        table = [[f"7921450000{n}", f"n{n}"] for n in (1, 2, 3, 4)]
        table.insert(3, ["8 921 450-00-03", "again"])
        content = write_xlsx([Column("Tel."), Column("Client")], table, hidden=[2])
        batch_id = self.send_mass(
            source_file=base64.b64encode(content),
            source_name="clients.xlsx",
            source_columns={
                "sheet": "Sheet1",
                "header_row": 1,
                "columns": [{"index": 0, "role": "phone", "title": "Tel.", "name": ""}],
            },
        )
        with self.transaction() as env:
            domain = [("batch_id", "=", batch_id), ("state", "=", "left_out")]
            twice = env["sms.devino.message"].search(
                [*domain, ("reason", "=", "duplicate")]
            )
            env.cr.execute(
                "DELETE FROM sms_devino_message WHERE id = %s", twice.ids[-1:]
            )
        book = open_book(self.saved_results(batch_id))
        rows = list(book.rows(book.sheets[0]))[1:]
        self.assertEqual([row.values[:2] for row in rows], table)
        numbers = [row.values[2] if len(row.values) > 2 else "" for row in rows]
        sent = [f"+7921450000{n}" if n else "" for n in (1, 0, 3, 0, 4)]
        self.assertEqual(numbers, sent)
        self.assertEqual(
            [row.hidden for row in rows], [False, True, False, False, False]
        )
        self.assertEqual(len(self.results(batch_id, "waiting")), 4)

    def test_second_press_of_send_changes_nothing(self):
        batch_id = self.prepare()
        self.approve(batch_id)
        self.approve(batch_id)
        self.assertEqual(self.states(), {"outgoing": 10})

    def test_two_presses_of_send_at_once_send_once(self):
        batch_id = self.prepare()
        with self.transaction(self.users["manager"]) as env:
            env.cr.execute("SELECT 1")
            self.approve(batch_id)
            with (
                self.assertNoLogs("odoo.sql_db", "ERROR"),
                self.assertRaisesRegex(Exception, "could not serialize"),
            ):
                env["sms.devino.batch"].browse(batch_id).action_send()
            env.cr.rollback()
        self.assertEqual(self.states(), {"outgoing": 10})

    def test_what_was_approved_goes_though_the_list_changes(self):
        batch_id = self.prepare()
        with self.transaction() as env:
            env["sms.devino.recipient.list"].browse(self.list_id).recipient_ids.unlink()
        self.approve(batch_id)
        self.dispatch()
        self.assertEqual(len(self.provider.ledger), 10)

    def test_someone_excluded_after_the_calculation_stops_the_sending(self):
        batch_id = self.prepare()
        with self.transaction() as env:
            env["phone.blacklist"].create({"number": "+79214500000"})
        with self.assertRaisesRegex(UserError, "blacklist"):
            self.approve(batch_id)
        self.assertEqual(self.states(), {"draft": 10})

    def test_other_mode_of_the_account_stops_the_sending(self):
        batch_id = self.prepare()
        with self.transaction() as env:
            env["sms.devino.account"].browse(self.account_id).mode = "test"
        with self.assertRaisesRegex(UserError, "account"):
            self.approve(batch_id)
        self.assertEqual(self.states(), {"draft": 10})

    # --- money ----------------------------------------------------------------------

    def test_not_enough_money_is_refused_and_said_by_how_much(self):
        self.provider.set_balance(6)
        batch_id = self.prepare()
        shortage, refused = self.read_batch(batch_id, "quote_shortage", "quote_refused")
        self.assertIn("4", shortage)
        self.assertTrue(refused)
        with self.assertRaisesRegex(UserError, "balance is not enough"):
            self.approve(batch_id)
        self.assertEqual(self.states(), {"draft": 10})

    def test_administrator_may_allow_to_send_all_the_same(self):
        self.provider.set_balance(6)
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            account.insufficient_policy = "warn"
        batch_id = self.prepare()
        shortage, refused = self.read_batch(batch_id, "quote_shortage", "quote_refused")
        self.assertTrue(shortage)
        self.assertFalse(refused)
        self.approve(batch_id)
        self.assertEqual(self.states(), {"outgoing": 10})

    def test_second_sending_sees_what_the_first_has_reserved(self):
        self.provider.set_balance(15)
        first, second = self.prepare(), self.prepare()
        self.approve(first)
        with self.assertRaisesRegex(UserError, "balance is not enough"):
            self.approve(second)

    def test_scheduled_sending_reserves_though_its_rows_are_no_messages_yet(self):
        self.provider.set_balance(15)
        at = fields.Datetime.now() + timedelta(hours=2)
        first, second = self.prepare(scheduled_at=at), self.prepare()
        self.approve(first)
        with self.assertRaisesRegex(UserError, "balance is not enough"):
            self.approve(second)
        self.press(first, "action_cancel")
        self.approve(second)

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
            env.cr.execute("SELECT 1")
            self.approve(first)
            with (
                self.assertNoLogs("odoo.sql_db", "ERROR"),
                self.assertRaisesRegex(Exception, "could not serialize"),
            ):
                env["sms.devino.batch"].browse(second).action_send()
            env.cr.rollback()
        with self.assertRaisesRegex(UserError, "balance is not enough"):
            self.approve(second)

    # --- the course -----------------------------------------------------------------

    def test_scheduled_sending_waits_and_can_be_moved(self):
        at = fields.Datetime.now() + timedelta(hours=2)
        batch_id = self.send_mass(scheduled_at=at)
        self.dispatch()
        self.assertEqual(self.read_batch(batch_id, "state"), "scheduled")
        self.assertAllAgree(batch_id, waiting=10)
        later = at + timedelta(days=1)
        self.write(batch_id, scheduled_at=later)
        self.dispatch()
        self.assertFalse(self.provider.ledger)
        with self.transaction() as env:
            env.cr.execute(
                "UPDATE sms_devino_batch SET scheduled_at = %s",
                [fields.Datetime.now()],
            )
        self.dispatch()
        self.assertEqual(self.read_batch(batch_id, "state"), "done")
        self.assertAllAgree(batch_id, sent=10)
        with self.assertRaisesRegex(UserError, "while it is scheduled"):
            self.write(batch_id, scheduled_at=later)

    def test_scheduled_sending_is_not_moved_into_the_past(self):
        at = fields.Datetime.now() + timedelta(hours=2)
        batch_id = self.send_mass(scheduled_at=at)
        for wrong in ("2020-01-01 10:00:00", False):
            with self.assertRaisesRegex(UserError, "Date and time"):
                self.write(batch_id, scheduled_at=wrong)

    def test_pause_holds_and_resume_goes_on(self):
        batch_id = self.send_mass()
        self.press(batch_id, "action_pause")
        single = self.enqueue("79219990000", "Single")
        self.dispatch()
        self.assertEqual(self.read(single, "state"), "sent")
        self.assertEqual(self.progress(batch_id), {"waiting": 10})
        self.press(batch_id, "action_resume")
        self.dispatch()
        self.assertEqual(self.progress(batch_id), {"sent": 10})
        self.assertLedgerIsJournal()

    def test_scheduled_sending_pauses_too(self):
        at = fields.Datetime.now() + timedelta(hours=2)
        batch_id = self.send_mass(scheduled_at=at)
        self.press(batch_id, "action_pause")
        self.press(batch_id, "action_resume")
        self.assertEqual(self.read_batch(batch_id, "state"), "scheduled")

    def test_canceled_rest_is_never_sent(self):
        batch_id = self.send_mass()
        self.press(batch_id, "action_cancel")
        self.dispatch()
        self.assertFalse(self.provider.ledger)
        state, finished = self.read_batch(batch_id, "state", "finished_at")
        self.assertEqual(state, "canceled")
        self.assertTrue(finished)
        self.assertAllAgree(batch_id, canceled=10)
        with self.assertRaisesRegex(UserError, "moved on"):
            self.press(batch_id, "action_resume")

    def test_canceled_before_its_time(self):
        at = fields.Datetime.now() + timedelta(hours=2)
        batch_id = self.send_mass(scheduled_at=at)
        self.press(batch_id, "action_cancel")
        self.dispatch()
        self.assertAllAgree(batch_id, canceled=10)

    def test_failed_ones_are_grouped_in_words_and_sent_again(self):
        refused = self.make_list(self.numbers(2, 79214600099), "Test: refused")
        rejected = self.make_list(self.numbers(2, 79214600091), "Test: rejected")
        batch_id = self.send_mass(
            list_ids=[Command.set([self.list_id, refused, rejected])]
        )
        self.report()
        self.assertAllAgree(batch_id, delivered=10, failed=4)
        with self.transaction() as env:
            failures = dict(get_failures(env["sms.devino.batch"].browse(batch_id)))
        self.assertEqual(failures.pop("Error: invalid recipient number"), 2)
        self.assertEqual(list(failures.values()), [2])
        firsts = self.rows(batch_id, "id", state="undelivered")
        again = self._repeat(batch_id)
        self.assertEqual([row.id for row in self.rows(again, "repeat_of_id")], firsts)
        reasons = self.rows(again, "reason", state="left_out")
        self.assertEqual(reasons, ["refused_before"] * 2)
        self.approve(again)
        self.report()
        self.assertEqual(self.progress(again), {"failed": 2})
        # what failed again is sent again as a repeat of the first message
        third = self._repeat(again)
        self.assertEqual([row.id for row in self.rows(third, "repeat_of_id")], firsts)

    def report(self):
        """Send what is queued, and have all reports come."""
        self.dispatch()
        self.provider.advance(60)
        self.check_statuses()

    def _repeat(self, batch_id):
        action = self.press(batch_id, "action_send_failed")
        self.run_calculations()
        return action["res_id"]

    def test_two_tabs_do_not_both_send_the_failed_ones_again(self):
        rejected = self.make_list(self.numbers(2, 79214600091), "Test: rejected")
        batch_id = self.send_mass(list_ids=[Command.set([rejected])])
        self.report()
        one, other = self._repeat(batch_id), self._repeat(batch_id)
        with self.transaction(self.users["manager"]) as env:
            env.cr.execute("SELECT 1")
            self.approve(one)
            with (
                self.assertNoLogs("odoo.sql_db", "ERROR"),
                self.assertRaisesRegex(Exception, "could not serialize"),
            ):
                env["sms.devino.batch"].browse(other).action_send()
            env.cr.rollback()
        with self.assertRaisesRegex(UserError, "sent again in the meantime"):
            self.approve(other)
        self.calculate(other)
        self.assertEqual(self.rows(other, "reason", state="left_out"), ["repeated"] * 2)

    def test_what_becomes_known_late_is_counted(self):
        batch_id = self.send_mass()
        with self.transaction() as env:
            rows = [{"id": key} for key in env["sms.devino.message"].search([]).ids]
            messages = env["sms.devino.message"]
            messages._transition("sending", rows)
            messages._transition("unknown", rows)
            batch_course.follow(env["sms.devino.batch"])
        self.assertTrue(self.read_batch(batch_id, "reported_at"))
        with self.transaction() as env:
            told = env["sms.devino.batch"].browse(batch_id).message_ids.mapped("body")
            self.assertRegex(" ".join(told), "Outcome not known: 10[.] Price")
            env["sms.devino.message"]._transition("failed", rows[:3])
        counts = self.read_batch(batch_id, "unknown_count", "failed_count")
        self.assertEqual(counts, (7, 3))

    def give_up(self, batch_id, count):
        """Have another server take the owner of some messages for dead; return what the
        owner writes when it puts them back."""
        with self.transaction() as env:
            messages = env["sms.devino.message"].search([("batch_id", "=", batch_id)])
            rows = [{"id": key, "claim": 7} for key in messages.sorted("id").ids]
            messages._transition("sending", rows)
            messages._transition("sent", rows[count:])
            messages._transition("unknown", [{"id": row["id"]} for row in rows[:count]])
            batch_course.follow(env["sms.devino.batch"])
        return [{**row, "claim": None} for row in rows[:count]]

    def put_back(self, rows):
        with self.transaction() as env:
            env["sms.devino.message"]._transition("outgoing", rows, claim=7)
            batch_course.follow(env["sms.devino.batch"])

    def test_what_its_owner_puts_back_after_the_end_is_sent(self):
        for count in (4, 10):
            with self.subTest(unknown=count):
                batch_id = self.send_mass(allow_same_text=True)
                before = len(self.provider.ledger)
                rows = self.give_up(batch_id, count)
                self.assertEqual(self.read_batch(batch_id, "state"), "done")
                self.put_back(rows)
                state, finished = self.read_batch(batch_id, "state", "finished_at")
                self.assertEqual((state, finished), ("running", False))
                self.dispatch()
                self.assertEqual(len(self.provider.ledger) - before, count)
                self.assertEqual(self.read_batch(batch_id, "state"), "done")

    def test_what_its_owner_puts_back_after_a_cancellation_is_canceled(self):
        batch_id = self.send_mass()
        rows = self.give_up(batch_id, 10)
        with self.transaction() as env:
            env["sms.devino.batch"].browse(batch_id).state = "canceled"
        self.put_back(rows)
        self.dispatch()
        self.assertFalse(self.provider.ledger)
        self.assertEqual(self.progress(batch_id), {"canceled": 10})

    # --- who may --------------------------------------------------------------------

    def test_long_wait_for_reports_is_announced_while_they_are_awaited(self):
        batch_id = self.send_mass()
        self.enqueue_rows(3000, state="sent", next_at=fields.Datetime.now())
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            account.requests_per_second = 1
        self.assertFalse(self.read_batch(batch_id, "complete_at"), "nothing has left")
        for count, shown in ((10, True), (0, False)):
            with self.transaction() as env:
                env["sms.devino.batch"].browse(batch_id).sent_count = count
            complete_at = self.read_batch(batch_id, "complete_at")
            self.assertEqual(bool(complete_at), shown)
            if shown:
                left = complete_at - fields.Datetime.now()
                self.assertGreater(left.total_seconds(), 6000)

    def test_user_does_not_send_to_many(self):
        with self.assertRaises(AccessError):
            self.draft(user="user")
        batch_id = self.send_mass()
        for method in ("action_pause", "action_cancel", "action_calculate"):
            with self.assertRaises(AccessError):
                self.press(batch_id, method, user="user")
        with (
            self.assertRaises(AccessError),
            self.transaction(self.users["user"]) as env,
        ):
            env["sms.devino.batch"].browse(batch_id).get_progress()
