"""A calculation that is stopped, or killed, and goes on."""

import base64
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged

from ..services import audience, calculation
from ..tools.sheet import open_book
from .mass_case import MassCase
from .server_process import ServerProcess
from .test_kill import RaceCase

ROW = ("number", "number_raw", "name", "state", "reason", "body", "cost_estimated")
FILE = "Phone;Name;Order\n" + "".join(
    # every third number is in the first list, too
    f"{79214500000 + 100 * (index // 3 if index % 3 == 0 else 50 + index)};"
    f"From a file {index};{'№' * index}\n"
    for index in range(10)
)
COLUMNS = {
    "header_row": 1,
    "columns": [
        {"index": 0, "role": "phone", "title": "Phone", "name": ""},
        {"index": 1, "role": "name", "title": "Name", "name": ""},
        {"index": 2, "role": "extra", "title": "Order", "name": "Order"},
    ],
    "sheet": open_book(FILE.encode(), "orders.csv").sheets[0],
}


class CalculationCase(MassCase):
    def outcome(self, batch_id):
        """Return all that a calculation leaves behind, without ids and moments."""
        with self.transaction() as env:
            batch = env["sms.devino.batch"].browse(batch_id)
            rows = env["sms.devino.message"].search(
                [("batch_id", "=", batch_id)], order="id"
            )
            positions = {row.id: index for index, row in enumerate(rows)}
            figures = dict(batch.figures or {})
            figures["samples"] = [positions[key] for key in figures.get("samples", ())]
            figures["longest"] = positions.get(figures.get("longest"))
            names = ("total", "left_out_count", "segment_count", "cost_estimated")
            return {
                "rows": [tuple(row[name] for name in ROW) for row in rows],
                "figures": figures,
                "sums": [batch[name] for name in names],
                "state": (batch.calculation, batch.is_calculated, batch.error_text),
            }


@tagged("post_install", "-at_install", "sms_devino")
class TestCalculation(CalculationCase):
    """A calculation that runs out of time after every page."""

    def setUp(self):
        super().setUp()
        for module, name, value in (
            (audience, "PAGE", 3),
            (calculation, "PAGE", 2),
            (calculation, "RUN_SECONDS", 0),
        ):
            patcher = patch.object(module, name, value)
            patcher.start()
            self.addCleanup(patcher.stop)

    def run_to_the_end(self, batch_id, between=lambda run: None):
        """Run the job until the draft is calculated; return how often."""
        self.press(batch_id, "action_calculate")
        for run in range(100):
            self.run_calculations()
            if self.read_batch(batch_id, "calculation") != "running":
                return run + 1
            between(run)
        self.fail("the calculation does not end")

    def draft_of_all_sources(self):
        other = self.make_list(
            [*self.numbers(5, 79214500800), "8 495 123-45-67", "abc"],
            "Test: others",
            {3: {"order": "Ж" * 80}},
        )
        with self.transaction() as env:
            env["phone.blacklist"].create({"number": "+79214500100"})
            contacts = env["res.partner"].create(
                [
                    {
                        "name": f"Test: contact {index}",
                        "phone": f"+7{9214500700 + 100 * index}",
                    }
                    for index in range(7)
                ]
            )
            self.addCleanup(self.remove_contacts, contacts.ids)
        return self.draft(
            body="Hello {{ name }}, order {{ order | none }}",
            list_ids=[Command.set([self.list_id, other])],
            partner_ids=[Command.set(contacts.ids[:2])],
            domain=str([("id", "in", contacts.ids[2:])]),
            source_file=base64.b64encode(FILE.encode()),
            source_name="orders.csv",
            source_columns=COLUMNS,
        )

    def remove_contacts(self, ids):
        with self.transaction() as env:
            env["res.partner"].browse(ids).unlink()

    def whole(self, batch_id):
        """Return the outcome of a calculation without an interruption."""
        with patch.object(calculation, "RUN_SECONDS", 60):
            self.assertEqual(self.run_to_the_end(batch_id), 1)
        return self.outcome(batch_id)

    def test_interrupted_after_each_page_it_ends_the_same(self):
        batch_id = self.draft_of_all_sources()
        expected = self.whole(batch_id)
        self.assertEqual(
            expected["figures"]["reasons"].keys(),
            {"duplicate", "blacklisted", "landline", "letters"},
        )
        runs = self.run_to_the_end(batch_id)
        self.assertGreater(runs, 10)
        self.assertEqual(self.outcome(batch_id), expected)
        self.assertFalse(self.read_batch(batch_id, "calculation_mark"))
        self.approve(batch_id)

    def test_failed_ones_again_is_interrupted_too(self):
        first = self.draft()
        self.whole(first)
        self.approve(first)
        with self.transaction() as env:
            env.cr.execute(
                "UPDATE sms_devino_message SET state = 'failed', reason = 'refused' "
                "WHERE batch_id = %s",
                [first],
            )
        action = self.press(first, "action_send_failed")
        expected = self.whole(action["res_id"])
        self.run_to_the_end(action["res_id"])
        self.assertEqual(self.outcome(action["res_id"]), expected)

    def test_what_comes_to_a_source_meanwhile_makes_no_double(self):
        batch_id = self.draft()

        def add(run):
            with self.transaction() as env:
                record = env["sms.devino.recipient.list"].browse(self.list_id)
                row = {"number_raw": f"+7921460{run:02}00", "name": "Late"}
                record._add_rows([row], keep_wrong=True)

        self.run_to_the_end(batch_id, lambda run: run < 3 and add(run))
        numbers = self.rows(batch_id, "number")
        self.assertEqual(len(numbers), 13)
        self.assertEqual(len(set(numbers)), 13)

    def test_renamed_list_is_read_in_the_order_that_was_begun(self):
        other = self.make_list(self.numbers(10, 79214500500), "Test: zebra")
        batch_id = self.draft(list_ids=[Command.set([self.list_id, other])])
        expected = self.whole(batch_id)

        def rename(_run):
            with self.transaction() as env:
                env["sms.devino.recipient.list"].browse(other).name = "Test: aardvark"

        self.run_to_the_end(batch_id, rename)
        self.assertEqual(self.outcome(batch_id), expected)

    def test_draft_changed_between_two_runs_drops_its_rows(self):
        batch_id = self.draft()
        self.press(batch_id, "action_calculate")
        self.run_calculations()
        self.assertEqual(len(self.rows(batch_id, "id")), 3)
        self.write(batch_id, body="Newer")
        self.run_calculations()
        self.assertEqual(self.outcome(batch_id)["state"], ("none", False, False))
        self.assertFalse(self.rows(batch_id, "id"))

    def test_asked_for_again_between_two_runs_it_begins_anew(self):
        batch_id = self.draft()
        self.press(batch_id, "action_calculate")
        self.run_calculations()
        self.write(batch_id, body="Newer")
        self.run_to_the_end(batch_id)
        self.assertEqual(self.rows(batch_id, "body"), ["Newer"] * 10)

    def test_small_draft_does_not_wait_for_the_end_of_a_big_one(self):
        big, small = self.draft(), self.draft()
        self.press(big, "action_calculate")
        self.run_calculations()
        with patch.object(audience, "PAGE", 10):
            self.press(small, "action_calculate")
            self.run_calculations()
            self.run_calculations()
        self.assertEqual(self.read_batch(small, "calculation"), "running")
        self.run_to_the_end(small)

    def test_draft_that_kills_odoo_again_and_again_says_so(self):
        batch_id = self.draft()
        self.press(batch_id, "action_calculate")
        self.run_calculations()
        # as a job leaves it that is killed before the page is written
        with self.transaction() as env:
            batch = env["sms.devino.batch"].browse(batch_id)
            batch.calculation_mark = {**batch.calculation_mark, "tries": 3}
        self.run_calculations()
        self.assertEqual(self.read_batch(batch_id, "calculation"), "failed")
        self.assertIn("Odoo stopped", self.read_batch(batch_id, "error_text"))
        self.assertFalse(self.rows(batch_id, "id"))
        self.assertGreater(self.run_to_the_end(batch_id), 3)
        self.assertTrue(self.read_batch(batch_id, "is_calculated"))

    def test_rows_that_somebody_else_writes_meanwhile_are_left_to_him(self):
        batch_id = self.draft()
        self.press(batch_id, "action_calculate")
        self.run_calculations()
        pages = audience.Audience.pages

        def overtaken(reader):
            for page in pages(reader):
                with patch.object(audience.Audience, "pages", pages):
                    self.run_calculations()
                yield page

        with patch.object(audience.Audience, "pages", overtaken):
            self.run_calculations()
        numbers = self.rows(batch_id, "number")
        self.assertEqual(len(numbers), len(set(numbers)))


@tagged("post_install", "-at_install", "sms_devino")
class TestHostileDraft(CalculationCase):
    """Texts and numbers that no database or provider takes as they are."""

    def test_half_of_a_surrogate_pair_and_a_null_are_left_out(self):
        batch_id = self.prepare(body="Hi \ud83d{{ name }}\x00!")
        self.assertFalse(self.read_batch(batch_id, "error_text"))
        self.assertEqual(self.rows(batch_id, "body")[0], "Hi Name 0!")
        self.approve(batch_id)
        self.dispatch()
        self.assertEqual(self.states(), {"sent": 10})

    def test_values_with_them_are_sent_without(self):
        list_id = self.make_list(
            self.numbers(2, 79214700000), "Test: odd", {0: {"order": "A\ud83d-1"}}
        )
        batch_id = self.prepare(
            list_ids=[Command.set([list_id])], body="Order {{ order | none }}"
        )
        self.assertFalse(self.read_batch(batch_id, "error_text"))
        self.assertEqual(self.rows(batch_id, "body"), ["Order A-1", "Order none"])

    def test_numbers_with_two_zeros_are_read_as_with_a_plus(self):
        list_id = self.make_list(
            ["0079214563763", "00375291234567", "00", "0044 20 7946 0000"],
            "Test: zeros",
        )
        batch_id = self.prepare(list_ids=[Command.set([list_id])])
        self.approve(batch_id)
        self.dispatch()
        sent = {entry.number for entry in self.provider.ledger}
        self.assertLessEqual({"79214563763", "375291234567"}, sent)
        self.assertFalse([number for number in sent if number.startswith("0")])


@tagged("post_install", "-at_install", "sms_devino")
class TestCalculationKill(CalculationCase, RaceCase):
    """A server that is killed while it calculates."""

    def test_killed_it_goes_on_with_the_next_page(self):
        self._leave_our_crons_alone()
        numbers = self.numbers(16_000, 79210000000)
        list_id = self.make_list(numbers + numbers[:100], "Test: long")
        batch_id = self.draft(
            list_ids=[Command.set([list_id])], body="Привет, {{ name }}"
        )
        self.calculate(batch_id)
        expected = self.outcome(batch_id)
        with ServerProcess(self.env.cr.dbname) as server:
            server.wait_ready(120)
            self.press(batch_id, "action_calculate")
            self.wait_for(lambda: self.has_written(batch_id), 120)
            server.kill()
        self.run_calculations()
        self.assertEqual(self.outcome(batch_id), expected)

    def has_written(self, batch_id):
        """Whether a page is committed, or even all of them."""
        calculation, mark = self.read_batch(batch_id, "calculation", "calculation_mark")
        return calculation == "none" or bool(mark and mark["left"])
