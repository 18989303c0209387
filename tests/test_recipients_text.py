from odoo.tests import BaseCase, tagged

from ..tools.recipients import MAX_PASTED, clean, parse_pasted, unique_titles
from ..tools.sheet import SheetError


@tagged("post_install", "-at_install", "sms_devino")
class TestPasted(BaseCase):
    """What people paste is read as numbers with names."""

    def assertPasted(self, text, *expected):
        found = [(pasted.number, pasted.name) for pasted in parse_pasted(text)]
        self.assertEqual(found, list(expected), text)

    def test_numbers_alone(self):
        two = (("79214563763", ""), ("79214563764", ""))
        for separator in ("\n", ",", ";", "\t", ", ", " ; ", "\r\n", "\n\n"):
            self.assertPasted(f"79214563763{separator}79214563764", *two)

    def test_a_name_before_or_after_its_number(self):
        for line in (
            "Иван Петров; 79214563763",
            "Иван Петров\t79214563763",
            "Иван Петров 79214563763",
            "Иван Петров - 79214563763",
            "79214563763, Иван Петров",
            "79214563763 Иван Петров",
            "Иван, Петров, 79214563763",
            "Иван Петров, тел. 79214563763",
        ):
            self.assertPasted(line, ("79214563763", "Иван Петров"))

    def test_several_pairs_in_a_line(self):
        self.assertPasted(
            "Иван; 79214563763; Пётр; 79214563764",
            ("79214563763", "Иван"),
            ("79214563764", "Пётр"),
        )
        self.assertPasted(
            "79214563763, Иван, 79214563764, Пётр",
            ("79214563763", "Иван"),
            ("79214563764", "Пётр"),
        )

    def test_punctuation_within_a_number_is_kept(self):
        self.assertPasted("Анна +7 (921) 456-37-63", ("+7 (921) 456-37-63", "Анна"))

    def test_a_line_without_a_number_is_not_lost(self):
        self.assertPasted("нет телефона", ("нет телефона", ""))

    def test_decimals_of_a_spreadsheet_are_no_number(self):
        self.assertPasted("79214563763,00", ("79214563763", ""))

    def test_more_than_can_be_pasted(self):
        """Test that more numbers are refused by a sentence, in lines or in one."""
        self.assertEqual(MAX_PASTED, 200_000)
        parse_pasted("1\n" * 50, limit=50)
        for separator in ("\n", ";"):
            with self.assertRaises(SheetError) as caught:
                parse_pasted(f"79161002030{separator}" * 51, limit=50)
            self.assertEqual(caught.exception.code, "paste_too_long")
            self.assertEqual(caught.exception.params, {"limit": 50})

    def test_nothing(self):
        for text in ("", " \n \n", ",;\t", None, False):
            self.assertPasted(text)


@tagged("post_install", "-at_install", "sms_devino")
class TestTexts(BaseCase):
    """Cells are kept as a spreadsheet gives them back."""

    def test_clean(self):
        self.assertEqual(clean("  a\r\nb\rc\x00\x1f "), "a\nb\nc")
        self.assertEqual(clean(None), "")
        self.assertEqual(clean(False), "")
        self.assertEqual(clean(0), "0")

    def test_equal_titles_get_numbers(self):
        self.assertEqual(
            unique_titles(["City", "city", "City 2", "CITY"]),
            ["City", "city 2", "City 2 2", "CITY 3"],
        )

    def test_many_equal_titles(self):
        """Test that equal titles are numbered without trying each number anew."""
        titles = unique_titles(["x"] * 50_000)
        self.assertEqual(titles[-1], "x 50000")
