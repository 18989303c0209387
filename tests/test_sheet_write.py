import io
import random
from datetime import datetime, timezone

import openpyxl
import xlrd

from odoo.tests import BaseCase, tagged

from ..tools.sheet import Column, SheetError, open_book, write_xls, write_xlsx

COLUMNS = [
    Column("Телефон", "text", 20),
    Column("Частей", "integer", 8),
    Column("Цена", "number", 10),
    Column("Отправлено", "datetime", 20),
]
TITLES = [column.title for column in COLUMNS]
WRITERS = (write_xlsx, write_xls)
LETTERS = "абвЁ ыaz09+=-@;,'\"<>&_x0041_\n\t😀№«»—\u00a0\u200b\ufeffé漢"


def read(content):
    book = open_book(content)
    return [row.values for row in book.rows(book.sheets[0])]


@tagged("post_install", "-at_install", "sms_devino")
class TestSheetWrite(BaseCase):
    """What is written is what was given, and imports back unchanged."""

    def test_kinds(self):
        sent = datetime(2025, 1, 21, 14, 5, 9)
        for write in WRITERS:
            content = write(
                COLUMNS,
                [
                    ("+79161002030", 2, 3.5, sent),
                    ("0079", 0, 0, None),
                    (False, None, None, None),
                ],
                sheet="Журнал: [2025]",
            )
            with self.subTest(write.__name__):
                self.assertEqual(open_book(content).sheets, ("Журнал 2025",))
                self.assertEqual(
                    read(content),
                    [TITLES, ["+79161002030", "2", "3.5", "21.01.2025 14:05:09"]]
                    + [["0079", "0", "0"]],
                )

    def test_real_types(self):
        """Test with the libraries' own readers that dates and numbers are such."""
        sent = datetime(2025, 1, 21, 14, 5, 9)
        row = ("=1+1", 2, 3.5, sent)
        sheet = openpyxl.load_workbook(io.BytesIO(write_xlsx(COLUMNS, [row]))).active
        cells = [(cell.data_type, cell.value) for cell in sheet[2]]
        self.assertEqual(cells, [("s", row[0]), ("n", 2), ("n", 3.5), ("d", sent)])
        self.assertEqual(sheet.freeze_panes, "A2")
        self.assertEqual(sheet.auto_filter.ref, "A1:D2")
        book = xlrd.open_workbook(file_contents=write_xls(COLUMNS, [row]))
        types = book.sheet_by_index(0).row_types(1)
        kinds = (xlrd.XL_CELL_TEXT, xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_NUMBER)
        self.assertEqual(tuple(types), (*kinds, xlrd.XL_CELL_DATE))

    def test_text_stays_text(self):
        texts = [
            *("=1+1", "+79161002030", "-5", "@x", "=HYPERLINK(1)", "00123", "1E5"),
            *("https://example.com/", "mailto:a@b", "<r>x</r>", "<r></r>", "TRUE"),
            *("a\nb", "a\r\nb", " x ", "_x000D_", "😀" * 100, "#N/A", "05.01.2025"),
        ]
        for write in WRITERS:
            rows = read(write(COLUMNS[:1], [[text] for text in texts]))
            with self.subTest(write.__name__):
                self.assertEqual([row[0] for row in rows[1:]], texts)

    def test_round_trip(self):
        """Test rows of random text, numbers and dates in both formats."""
        generator = random.Random(7)
        columns = [Column(f"c{index}") for index in range(6)]
        given = []
        for _row in range(400):
            cells = [
                "".join(generator.choices(LETTERS, k=generator.randrange(1, 40)))
                for _cell in columns
            ]
            given.append(cells)
        given.append(["щ" * 5000, "y" * 9000, "😀" * 3000, "x", "", "z"])
        self.assertEqual(read(write_xlsx(columns, given))[1:], given)
        self.assertEqual(read(write_xls(columns, given))[1:], given)

    def test_emoji_in_xls(self):
        """Test characters of two halves, some of which two records of 8 KB share."""
        for start in ("", "x", "xy"):
            texts = [start + "😀" * 16_000, "Яна", "y" * 9000, "я" * 5000 + "😀"]
            rows = read(write_xls(COLUMNS[:1], [[text] for text in texts]))
            self.assertEqual([row[0] for row in rows[1:]], texts)

    def test_control_characters_are_left_out(self):
        for write in WRITERS:
            rows = read(write(COLUMNS[:1], [["a\x00b\x1fc\x0bd\ud800e\uffff"]]))
            self.assertEqual(rows[1], ["abcde"])

    def test_long_text(self):
        """Test that the last character that fits is kept and one more is refused."""
        for text, over in (("x" * 32_767, "x"), ("😀" * 16_383, "😀")):
            for write in WRITERS:
                with self.subTest(write=write.__name__, text=text[0]):
                    self.assertEqual(read(write(COLUMNS[:1], [[text]]))[1], [text])
                    with self.assertRaises(SheetError) as caught:
                        write(COLUMNS[:1], [["ok"], [text + over]])
                    self.assertEqual(caught.exception.code, "cell_too_long")
                    self.assertEqual(
                        caught.exception.params,
                        {"row": 3, "column": "Телефон", "limit": 32_767},
                    )

    def test_too_many_rows(self):
        numbers = [Column("n", "integer")]
        with self.assertRaises(SheetError) as caught:
            write_xls(numbers, ([n] for n in range(65_536)))
        self.assertEqual(caught.exception.code, "xls_too_many_rows")
        self.assertEqual(caught.exception.params, {"limit": 65_535})

    def test_wrong_values(self):
        aware = datetime(2025, 1, 21, tzinfo=timezone.utc)
        for write in WRITERS:
            for sent in (aware, datetime(1899, 1, 1)):
                with self.assertRaises(ValueError):
                    write(COLUMNS, [("x", 1, 1, sent)])

    def test_no_rows(self):
        for write in WRITERS:
            self.assertEqual(read(write(COLUMNS, [])), [TITLES])
