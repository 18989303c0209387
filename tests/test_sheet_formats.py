from datetime import datetime, timedelta

from odoo.tests import BaseCase, tagged

from ..tools.sheet import Region
from ..tools.sheet.show import Shower, format_code

ROUBLES = '_-* #,##0.00\\ "₽"_-;\\-* #,##0.00\\ "₽"_-;_-* "-"??\\ "₽"_-;_-@_-'
SHOWN = (
    # Integers have all their digits, whatever their format.
    ("General", 79214563763.0, "79214563763"),
    ("General", -5.0, "-5"),
    ("0.00", 79214563763.0, "79214563763"),
    ("#,##0", 79214563763, "79214563763"),
    ("0.00E+00", 79200000000.0, "79200000000"),
    ("+7 (###) ###-##-##", 9214563763, "9214563763"),
    ("dd.mm.yyyy", 79214563763, "79214563763"),
    ("@", 79214563763, "79214563763"),
    ("00000", 42, "00042"),
    # Other numbers
    ("General", 0.1 + 0.2, "0.3"),
    ("General", 1234.56789012, "1234.56789"),
    ("General", 0.00001234, "1.234E-05"),
    ("General", 1e15, "1E+15"),
    ("0", 41.5, "42"),
    ("0.00", -2.345, "-2.35"),
    ("0.00", -0.001, "0.00"),
    ("0.00", 2.675, "2.68"),
    ("0.00", 1.005, "1.01"),
    ("0", 0.49999, "0"),
    ("0.00", float("nan"), "#NUM!"),
    ("0.00", float("inf"), "#NUM!"),
    ("#,##0", 1234567, "1,234,567"),
    ("#,##0.00", 1234567.895, "1,234,567.90"),
    ("#,##0;[Red]-#,##0", -1500, "-1,500"),
    ("#,##0_);(#,##0)", -1500, "(1,500)"),
    ("#,", 1234567, "1234567"),
    ("0,000", 12, "0,012"),
    ("#.##", 0.5, ".5"),
    (".00", 12.5, "12.50"),
    ("0%", 0.256, "26%"),
    ("0.0%", 0.0005, "0.1%"),
    ('#,##0.00\\ "₽"', 1234.5, "1,234.50 ₽"),
    ("#,##0.00\\ [$₽-419]", 1234.5, "1,234.50 ₽"),
    ("#,##0.00р.", 1234.5, "1,234.50р."),
    ("[$$-409]#,##0.00", 9, "$9.00"),
    (ROUBLES, -1234.5, "-1,234.50 ₽"),
    (ROUBLES, 0, "- ₽"),
    ('"да";"нет";"ноль"', 0, "ноль"),
    ('"да";"нет"', -3, "нет"),
    (";;;", 5, ""),
    ("0" * 256, 5, "5"),
    # Dates and times, as the language writes them
    ("dd.mm.yyyy", 45678.5, "21.01.2025"),
    ("dd/mm/yy;@", 45678, "21.01.2025"),
    ("[$-F800]dddd, mmmm dd, yyyy", 45678, "21.01.2025"),
    ("yyyy-mm-dd hh:mm:ss", 45678.25, "21.01.2025 06:00:00"),
    ("h:mm AM/PM", 0.75, "18:00"),
    ("[h]:mm", 1.5, "36:00"),
    ("dd.mm.yyyy", -1, "-1"),
    ("dd.mm.yyyy", 0, "0"),
    # Not rendered as Excel does: the number stands for itself.
    ("0.00E+00", 1234.5, "1234.5"),
    ("# ?/?", 0.5, "0.5"),
    ("[<10]0.0;[>=100]0;0.00", 50, "50"),
    ("[$-419]mmmm yyyy", 45678, "21.01.2025"),
)


@tagged("post_install", "-at_install", "sms_devino")
class TestSheetFormats(BaseCase):
    """Numbers and dates are shown by their formats."""

    def test_table(self):
        show = Shower(Region())
        for code, value, shown in SHOWN:
            with self.subTest(code=code, value=value):
                self.assertEqual(show.by(code)(value), shown)

    def test_language(self):
        """Test that marks, dates and truth values are those of the language."""
        region = Region(
            decimal=",",
            thousands="\u00a0",
            date_format="%m/%d/%Y",
            time_format="%I:%M:%S %p",
            true="ИСТИНА",
        )
        show = Shower(region)
        self.assertEqual(show.by("#,##0.00")(1234567.5), "1\u00a0234\u00a0567,50")
        self.assertEqual(show.by("General")(0.5), "0,5")
        self.assertEqual(show.by("dd.mm.yy h:mm")(45678.75), "01/21/2025 06:00 PM")
        self.assertEqual((show.truth(True), show.truth(False)), ("ИСТИНА", "FALSE"))
        self.assertEqual(show.moment(datetime(2025, 1, 2).date()), "01/02/2025")
        self.assertEqual(show.moment(timedelta(hours=30, seconds=5)), "30:00:05")

    def test_dates_of_1904(self):
        show = Shower(Region(), date1904=True)
        self.assertEqual(show.by("dd.mm.yyyy")(44216), "21.01.2025")

    def test_numbers_of_formats(self):
        """Test formats that a file names by number alone, and its own over them."""
        self.assertEqual(format_code(9, {}), "0%")
        self.assertEqual(format_code(31, {}), "yyyy-mm-dd")
        self.assertEqual(format_code(31, {31: "0"}), "0")
        self.assertEqual(format_code(999, {}), "General")
