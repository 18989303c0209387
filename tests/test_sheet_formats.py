from odoo.tests import BaseCase, tagged

from ..tools.sheet.model import Region
from ..tools.sheet.numfmt import compile_format, general

ROUBLES = '_-* #,##0.00\\ "₽"_-;\\-* #,##0.00\\ "₽"_-;_-* "-"??\\ "₽"_-;_-@_-'


@tagged("post_install", "-at_install", "sms_devino")
class TestSheetFormats(BaseCase):
    """Numbers and dates are rendered as Excel shows them."""

    def assert_shown(self, table):
        for code, value, shown in table:
            with self.subTest(code=code, value=value):
                self.assertEqual(compile_format(code)(value), shown)

    def test_general_shows_all_digits_of_integers(self):
        """Test that no telephone number is shortened, whatever Excel would do."""
        for value, shown in (
            (79214563763.0, "79214563763"),
            (79200000000, "79200000000"),
            (-5.0, "-5"),
            (0.1 + 0.2, "0.3"),
            (1234.56789012, "1234.56789"),
            (1 / 3, "0.333333333"),
            (0.00001234, "1.234E-05"),
            (1e15, "1E+15"),
            (123456789012.5, "1.23457E+11"),
        ):
            with self.subTest(value=value):
                self.assertEqual(general(value), shown)

    def test_numbers(self):
        self.assert_shown(
            (
                ("0", 41.5, "42"),
                ("0.00", -2.345, "-2.35"),
                ("0.00", -0.001, "0.00"),
                ("#,##0", 1234567, "1,234,567"),
                ("#,##0.00", 1234567.895, "1,234,567.90"),
                ("#,##0;[Red]-#,##0", -1500, "-1,500"),
                ("#,##0_);(#,##0)", -1500, "(1,500)"),
                ("#,##0\\ _₽", 12345, "12,345"),
                ("#,", 1234567, "1235"),
                ("0%", 0.256, "26%"),
                ("0.0%", 0.0005, "0.1%"),
                ("#.##", 0.5, ".5"),
                (".00", 12.5, "12.50"),
                ("0.00E+00", 1234.5, "1.23E+03"),
                ("0,000", 12, "0,012"),
                ("@", 79214563763, "79214563763"),
                ("# ?/?", 0.5, "0.5"),
                (";;;", 5, ""),
                ('"да";"нет";"ноль"', 0, "ноль"),
                ('"да";"нет"', -3, "нет"),
                ("[<10]0.0;[>=100]0,0;0", 5, "5.0"),
                ("[<10]0.0;[>=100]0;0.00", 50, "50.00"),
                ("не формат", 5, "не формат"),
                ("0" * 256, 5, "5"),
            )
        )

    def test_currency(self):
        self.assert_shown(
            (
                ('#,##0.00\\ "₽"', 1234.5, "1,234.50 ₽"),
                ("#,##0.00\\ [$₽-419]", 1234.5, "1,234.50 ₽"),
                ("[$$-409]#,##0.00", 9, "$9.00"),
                (ROUBLES, 1234.5, "1,234.50 ₽"),
                (ROUBLES, -1234.5, "-1,234.50 ₽"),
            )
        )

    def test_telephone_numbers_in_number_formats(self):
        """Test that separators and decimals do not get into a telephone number."""
        self.assert_shown(
            (
                ("0.00", 79214563763.0, "79214563763"),
                ("#,##0", 79214563763, "79214563763"),
                ("#,##0.00_р_.", 9161002030, "9161002030"),
                ("0.00E+00", 79200000000.0, "79200000000"),
                ("+7 (###) ###-##-##", 9214563763, "+7 (921) 456-37-63"),
                ("[<=9999999]###-####;(###) ###-####", 1234567, "123-4567"),
                ("[<=9999999]###-####;(###) ###-####", 9214563763, "(921) 456-3763"),
                ("00000", 42, "00042"),
                ('#,##0.00\\ "₽"', 79214563763, "79,214,563,763.00 ₽"),
            )
        )

    def test_dates(self):
        self.assert_shown(
            (
                ("dd.mm.yyyy", 45678.5, "21.01.2025"),
                ("dd/mm/yy;@", 45678, "21/01/25"),
                ("yyyy-mm-dd hh:mm:ss", 45678.123456, "2025-01-21 02:57:47"),
                ("d mmm yy", 45678, "21 Jan 25"),
                ("dddd", 45678, "Tuesday"),
                ("[$-419]mmmm yyyy", 45678, "Январь 2025"),
                ("[$-FC19]d mmmm yyyy\\ \\г\\.", 45678, "21 января 2025 г."),
                ("[$-ru-RU]ddd, d mmm", 45678, "Вт, 21 янв"),
                ("[$-F800]dddd, mmmm dd, yyyy", 45678, "21 января 2025 г."),
                ("h:mm AM/PM", 0.75, "6:00 PM"),
                ("h:mm", 45678.999988, "23:59"),
                ("[h]:mm", 1.5, "36:00"),
                ("mm:ss.0", 0.0012345, "01:46.7"),
                ("dd.mm.yyyy", 1, "01.01.1900"),
                ("dd.mm.yyyy", 61, "01.03.1900"),
                ("dd.mm.yyyy", -1, "-1"),
                ("dd.mm.yyyy", 79214563763, "79214563763"),
            )
        )

    def test_dates_of_1904(self):
        self.assertEqual(
            compile_format("dd.mm.yyyy", date1904=True)(44216), "21.01.2025"
        )

    def test_region(self):
        region = Region(decimal=",", thousands="\u00a0")
        shown = compile_format("#,##0.00", region=region)(1234.5)
        self.assertEqual(shown, "1\u00a0234,50")
        self.assertEqual(general(0.5, region), "0,5")
