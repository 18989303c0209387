from odoo.exceptions import ValidationError
from odoo.tests import BaseCase

from ..tools.operator_patterns import Pattern
from .mass_case import MassCase


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
            ("Come to %w{1,2} soon", "Come to a b c soon", "Come to a b"),
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
