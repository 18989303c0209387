import re

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import BaseCase, tagged

from ..tools.operator_patterns import Pattern
from .base_case import SmsCase
from .mass_case import MassCase


@tagged("post_install", "-at_install", "sms_devino")
class TestOperatorPatterns(BaseCase):
    def test_a_text_matches_by_words_and_numbers_in_its_gaps(self):
        for pattern, text in (
            ("Order %d is ready", "Order 12345 is ready"),
            ("Order %d is ready, %w!", "Order 1 is ready, Мария!"),
            ("Come to %w{1,3}.", "Come to Lenina 5, 12."),
            ("Sum %w rub.", "Sum 1500,50 rub."),
            ("%w+ thanks", "many many thanks"),
            ("Codes %d+", "Codes 1 22 333"),
            ("Discount 100%", "Discount 100%"),
        ):
            with self.subTest(pattern):
                self.assertTrue(Pattern(pattern).matches(text))

    def test_the_place_is_told_where_a_text_differs(self):
        for pattern, text, follows in (
            ("Order %d is ready", "Order 12 is waiting", "Order 12 is "),
            ("Order %d is ready", "Order A is ready", "Order "),
            ("Order %d is ready", "order 1 is ready", ""),
            ("Come to %w", "Come to Lenina 5", "Come to Lenina"),
            ("Come to %w{1,2} soon", "Come to a b c soon", "Come to a b "),
            ("Thanks", "Thanks!", "Thanks"),
            ("Thanks a lot", "Thanks", "Thanks"),
        ):
            with self.subTest(pattern, text=text):
                place = Pattern(pattern).find_difference(text)
                self.assertEqual(text[:place], follows)
        self.assertIsNone(Pattern("Order %d").find_difference("Order 7"))

    def test_a_gap_that_asks_for_nothing_is_refused(self):
        for gap in ("%w{0,3}", "%w{5,2}", "%d{1,999}"):
            with self.subTest(gap), self.assertRaisesRegex(ValueError, gap[:2]):
                Pattern(f"Order {gap}")


@tagged("post_install", "-at_install", "sms_devino")
class TestOperatorTemplates(MassCase):
    """A service text that differs from what is registered costs as advertising."""

    def setUp(self):
        super().setUp()
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            account.price_per_segment = 1
            self.sender_id = account._get_default_sender().id
            env["sms.devino.tariff"].create(
                {"account_id": account.id, "kind": "advertising", "price": 3}
            )
            self.template_id = self.register(env, "Order %d is ready, %w").id
        self.addCleanup(self._forget)

    def _forget(self):
        with self.transaction() as env:
            env["sms.devino.operator.template"].search([]).unlink()
            env["sms.devino.tariff"].search([]).unlink()

    def register(self, env, pattern, **values):
        return env["sms.devino.operator.template"].create(
            {"sender_id": self.sender_id, "pattern": pattern, **values}
        )

    def change(self, **values):
        with self.transaction() as env:
            env["sms.devino.operator.template"].browse(self.template_id).write(values)

    def figures(self, body, **values):
        """Return the cost of a draft to three people, and what it says in HTML."""
        list_id = self.make_list(self.numbers(3))
        batch_id = self.prepare(
            body=body, purpose="service", list_ids=[Command.set([list_id])], **values
        )
        with self.transaction() as env:
            batch = env["sms.devino.batch"].browse(batch_id)
            return batch.cost_estimated, str(batch.sheet)

    def test_texts_that_match_cost_as_service(self):
        cost, sheet = self.figures("Order 15 is ready, Maria")
        self.assertEqual(cost, 3)
        self.assertNotIn("registered", sheet)

    def test_a_text_one_word_off_is_told_before_sending_and_costs_as_advertising(self):
        cost, sheet = self.figures("Order 15 is waiting, Maria")
        self.assertEqual(cost, 9)
        self.assertIn("match no template registered", sheet)
        self.assertIn("Order 15 is <mark>waiting, Maria</mark>", sheet)
        self.assertIn("Order %d is ready, %w", sheet)

    def test_only_texts_with_another_wording_are_counted(self):
        list_id = self.make_list(
            self.numbers(3), data={0: {"N": "1"}, 1: {"N": "two"}, 2: {"N": "3"}}
        )
        batch_id = self.prepare(
            body="Order {{ N }} is ready, Maria",
            purpose="service",
            list_ids=[Command.set([list_id])],
        )
        with self.transaction() as env:
            batch = env["sms.devino.batch"].browse(batch_id)
            count, message_id = batch.figures["unregistered"]
            self.assertEqual(count, 1)
            message = env["sms.devino.message"].browse(message_id)
            self.assertIn("two", message.body)
            self.assertEqual(batch.cost_estimated, 1 + 3 + 1)

    def test_only_registered_templates_count(self):
        other = "Quite another text"
        for values in (
            {"state": "submitted"},
            {"state": "refused"},
            {"active": False},
        ):
            self.change(state="registered", valid_until=False, active=True)
            self.change(**values)
            with self.subTest(values):
                self.assertEqual(self.figures(other)[0], 3)
        self.change(state="registered", valid_until="2099-01-01", active=True)
        self.assertEqual(self.figures(other)[0], 9)

    def test_after_its_last_day_nothing_matches_a_template(self):
        self.change(valid_until="2020-01-01")
        cost, sheet = self.figures("Order 15 is ready, Maria")
        self.assertEqual(cost, 9)
        self.assertIn("match no template registered", sheet)
        self.assertNotIn("Differs here", sheet)

    def test_an_operator_that_no_range_names_is_refused(self):
        with self.transaction() as env:
            values = {"code": "921", "first": "4500000", "last": "4509999"}
            env["sms.devino.range"].create({**values, "operator": "MTS"})
        self.addCleanup(self._forget_ranges)
        self.change(operators="mts, ")
        with self.assertRaisesRegex(ValidationError, "MTC"):
            self.change(operators="MTS, MTC")

    def test_another_sender_is_not_concerned(self):
        with self.transaction() as env:
            sender = env["sms.devino.sender"].create(
                {"name": "OTHER", "account_id": self.account_id}
            )
        self.assertEqual(self.figures("Hello", sender_id=sender.id)[0], 3)

    def test_an_operator_without_a_template_is_not_concerned(self):
        self.change(operators="MTS, Beeline")
        with self.transaction() as env:
            for first, last, operator in (
                ("4500000", "4500199", "MTS"),
                ("4500200", "4509999", "Tele2"),
            ):
                values = {"code": "921", "first": first, "last": last}
                env["sms.devino.range"].create({**values, "operator": operator})
        self.addCleanup(self._forget_ranges)
        self.assertEqual(self.figures("Hello")[0], 3 + 3 + 1)

    def _forget_ranges(self):
        with self.transaction() as env:
            env["sms.devino.range"].search([]).unlink()

    def test_advertising_is_not_held_against_templates(self):
        list_id = self.make_list(self.numbers(3))
        batch_id = self.prepare(body="Sale", list_ids=[Command.set([list_id])])
        with self.transaction() as env:
            batch = env["sms.devino.batch"].browse(batch_id)
            self.assertEqual(batch.figures["unregistered"], [0, None])
            self.assertEqual(batch.cost_estimated, 9)

    def test_a_pattern_that_cannot_be_read_is_refused_in_words(self):
        with (
            self.transaction() as env,
            self.assertRaisesRegex(ValidationError, re.escape("%w{3,1}")),
        ):
            self.register(env, "Hello %w{3,1}")

    def test_an_empty_pattern_is_refused(self):
        for pattern in (" \n", "", False):
            with (
                self.subTest(pattern),
                self.assertRaisesRegex(ValidationError, "as it was registered"),
                self.transaction() as env,
            ):
                template = env["sms.devino.operator.template"].browse(self.template_id)
                template.write({"pattern": pattern})

    def test_line_breaks_of_a_pasted_pattern_are_those_of_messages(self):
        self.change(pattern="Order %d\r\nis ready\r\n")
        self.assertEqual(self.figures("Order 15\nis ready")[0], 3)

    def test_only_administrators_enter_templates(self):
        with (
            self.transaction(self.users["manager"]) as env,
            self.assertRaises(AccessError),
        ):
            self.register(env, "Hello")


@tagged("post_install", "-at_install", "sms_devino")
class TestTemplatesOfCompanies(SmsCase):
    def test_a_template_is_not_given_to_another_company(self):
        templates = self.env_of("admin")["sms.devino.operator.template"]
        template = templates.create({"sender_id": self.sender.id, "pattern": "Hello"})
        with self.assertRaises(AccessError):
            template.write({"sender_id": self.other_sender.id})
