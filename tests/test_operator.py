"""The operator by the range of a number, in the journal and in the reports."""

from odoo.tests import tagged

from ..services import ranges
from .base_case import SmsCase
from .mass_case import MassCase

RANGES = (
    ("921", "4500000", "4509999", "ПАО МегаФон", "г. Санкт-Петербург"),
    ("914", "0000000", "0999999", "ПАО МТС", "Приморский край"),
)


def load_ranges(env):
    """Load a small table, as an administrator's import does."""
    return env["sms.devino.range"].create(
        [
            {"code": code, "first": first, "last": last, "operator": op, "region": name}
            for code, first, last, op, name in RANGES
        ]
    )


@tagged("post_install", "-at_install", "sms_devino")
class TestOperator(SmsCase):
    def test_one_query_for_all_tells_the_operators_of_numbers(self):
        load_ranges(self.env)
        self.env.flush_all()
        numbers = ["+79214500000", "+79140999999", "+79141000000", "+4917012345678"]
        with self.assertQueryCount(1):
            found = ranges.find_operators(self.env, [*numbers, False, ""])
        with self.assertQueryCount(0):
            ranges.find_operators(self.env, numbers)
        self.assertEqual(
            found, {"+79214500000": "ПАО МегаФон", "+79140999999": "ПАО МТС"}
        )
        self.assertEqual(
            ranges.find_ranges(self.env, numbers)["+79140999999"],
            ("ПАО МТС", "Приморский край")[::-1],
        )

    def test_without_a_table_nothing_is_known_and_one_look_is_all(self):
        self.env["sms.devino.range"].search([]).unlink()
        self.env.flush_all()
        with self.assertQueryCount(1):
            self.assertEqual(ranges.find_operators(self.env, ["+79214500000"]), {})
        with self.assertQueryCount(0):
            ranges.find_operators(self.env, ["+79214500000"])
        self.assertFalse(self.enqueue().operator)

    def test_ranges_of_an_operator_share_its_name_in_memory(self):
        load_ranges(self.env)
        more = {"code": "922", "first": "0000000", "last": "9999999"}
        self.env["sms.devino.range"].create(
            [more | {"operator": RANGES[0][3]}, more | {"code": "923"}]
        )
        operators = self.env["sms.devino.range"]._get_table()[2]
        first, second = (name for name in operators if name == RANGES[0][3])
        self.assertIs(first, second)
        self.assertIn(None, operators)

    def test_a_single_message_has_it(self):
        load_ranges(self.env)
        self.assertEqual(self.enqueue("79214500000").operator, "ПАО МегаФон")
        self.assertFalse(self.enqueue("79031234567").operator)

    def test_it_is_called_what_it_is(self):
        for model in ("sms.devino.message", "sms.devino.day"):
            label = self.env[model].fields_get(["operator"])["operator"]["string"]
            self.assertEqual(label, "Operator (by range)")


@tagged("post_install", "-at_install", "sms_devino")
class TestOperatorOfMany(MassCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.forget_ranges)
        with self.transaction() as env:
            load_ranges(env)

    def forget_ranges(self):
        with self.transaction() as env:
            env["sms.devino.range"].search([]).unlink()

    def test_a_table_that_is_read_while_it_is_loaded_is_read_anew(self):
        number, find = "+79310000000", ranges.find_operators
        with self.transaction() as env:
            values = {"code": "931", "first": "0000000", "last": "9999999"}
            env["sms.devino.range"].create({**values, "operator": "New"})
            with self.transaction() as other:
                self.assertFalse(find(other, [number]))
        with self.transaction() as env:
            self.assertEqual(find(env, [number]), {number: "New"})

    def test_a_mass_sending_has_it_and_reports_group_by_it(self):
        numbers = ["79214500000", "79214500100", "79140000000", "79031234567"]
        self.list_id = self.make_list(numbers, "Test: operators")
        batch_id = self.send_mass()
        self.dispatch()
        self.assertEqual(
            [one or "" for one in self.rows(batch_id, "operator", state="sent")],
            ["ПАО МегаФон", "ПАО МегаФон", "ПАО МТС", ""],
        )
        with self.transaction() as env:
            days = env["sms.devino.day"]
            days._refresh()
            groups = days._read_group(
                [("batch_id", "=", batch_id)], ["operator"], ["message_count:sum"]
            )
        self.assertEqual(
            {operator or "": count for operator, count in groups},
            {"ПАО МегаФон": 2, "ПАО МТС": 1, "": 1},
        )
