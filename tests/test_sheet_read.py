import io
import re
import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import xlsxwriter
import xlwt

from odoo.tests import BaseCase, tagged

from ..tools.sheet import Limits, Row, SheetError, open_book

FIXTURES = Path(__file__).parent / "fixtures" / "sheet"
TITLES = ["ФИО", "Мобильный телефон", "E-mail", "Дата рождения", "Долг", "Скидка"]
LIST = [
    [
        "Иванов Пётр",
        "79214563763",
        "a@example.com",
        "05.01.1985",
        "1,234.50 ₽",
        "15.0%",
    ],
    ["Смирнова Анна", "+7 916 100-20-30", "b@example.com", "31.12.1990", "0.00 ₽"],
    ["Чан «Ли»", "9161002031", "", "03.02.2001", "-50.25 ₽", "100.0%"],
    ["Ёлкина Ю.", "7.92E+10", "", "03.04.1999", "1,000,000.00 ₽", ""],
]


def values(book, sheet=None):
    return [row.values for row in book.rows(sheet or book.sheets[0])]


def saved(book):
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def with_part(content, name, data, *, stored=False):
    """Return the package with one part replaced or added."""
    target = io.BytesIO()
    method = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(target, "w", method) as new,
    ):
        for member in old.namelist():
            if member != name:
                new.writestr(member, old.read(member))
        new.writestr(name, data)
    return target.getvalue()


@tagged("post_install", "-at_install", "sms_devino")
class TestSheetRead(BaseCase):
    """Workbooks are read as Excel shows them, whoever wrote them."""

    def check_list(self, kind):
        book = open_book((FIXTURES / f"libreoffice.{kind}").read_bytes())
        self.assertEqual(book.kind, kind)
        self.assertEqual(book.sheets, ("Клиенты", "Даты", "Скрытый"))
        self.assertEqual(book.hidden, {"Скрытый"})
        rows = list(book.rows("Клиенты"))
        self.assertEqual([row.number for row in rows], list(range(1, 8)))
        self.assertEqual(set(rows[0].values), {"Список на рассылку"})
        self.assertEqual(rows[1].values[:3], ["ФИО", "Контакты", "Контакты"])
        self.assertEqual(rows[2].values[:6], TITLES)
        for row, expected in zip(rows[3:], LIST, strict=True):
            self.assertEqual(row.values[: len(expected)], expected)
        self.assertEqual(rows[3].values[6:], ["TRUE", "2469"])
        self.assertEqual((rows[4].values[7], rows[4].errors), ("#DIV/0!", (7,)))
        self.assertEqual((rows[5].values[7], rows[5].errors), ("#N/A", (7,)))
        self.assertEqual((rows[6].values[7], rows[6].errors), ("Ёлкина Ю.!", ()))
        self.assertEqual(
            values(book, "Даты")[1][1:], ["21.01.2025", "18:00", "21.01.2025"]
        )

    def test_libreoffice_xlsx(self):
        self.check_list("xlsx")

    def test_libreoffice_xls(self):
        self.check_list("xls")

    def test_openpyxl(self):
        """Test a short date, a formula without a result, and a gap between rows."""
        book = openpyxl.Workbook()
        sheet = book.active
        sheet["B2"] = datetime(2025, 1, 21)
        sheet["B2"].number_format = "mm-dd-yy"
        sheet["C2"] = "=1+1"
        sheet["A4"] = "00123"
        sheet["F4"].number_format = "0.00"
        rows = list(open_book(saved(book)).rows("Sheet"))
        self.assertEqual(
            rows,
            [Row(1, []), Row(2, ["", "21.01.2025", ""], (2,)), Row(3, [])]
            + [Row(4, ["00123"])],
        )

    def test_xlsxwriter(self):
        """Test that strings are the same, shared or inline, with odd characters."""
        texts = [
            " край ",
            "a\nb",
            "a\r\nb",
            "_x0041_",
            "<r>&amp;</r>x",
            "😀",
            "7.92E+10",
        ]
        for constant_memory in (False, True):
            target = io.BytesIO()
            book = xlsxwriter.Workbook(target, {"constant_memory": constant_memory})
            sheet = book.add_worksheet("Ё & <1>")
            for index, text in enumerate(texts):
                sheet.write_string(0, index, text)
            sheet.write_number(1, 0, 79214563763)
            book.close()
            with self.subTest(constant_memory=constant_memory):
                found = open_book(target.getvalue())
                self.assertEqual(found.sheets, ("Ё & <1>",))
                self.assertEqual(values(found), [texts, ["79214563763"]])

    def test_texts_in_cells(self):
        """Test texts that stand in the cells, which the guard makes simpler."""
        main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        cells = (
            '<c r="A1" s="0" t="inlineStr"><is><t xml:space="preserve"> a &lt;</t>'
            "</is></c>"
            '<c t="inlineStr" r="B1"><is><t/></is></c><c r="C1" t="inlineStr"><is><t>'
            f"{'x' * 70_000}</t></is></c>"
            '<c r="D1" t="inlineStr"><is><r><t>b</t></r><r><t>c</t></r></is></c>'
            '<c r="E1"><f>1+1</f><v/></c><c r="F1" s="0"><f t="shared" si="0"/></c>'
            '<c r="G1"><f>1+1</f><v>2</v></c><c r="H1" t="str"><f>A1</f></c>'
            '<c r="I1" t="inlineStr"><is><t>d</t></is></c>'
        )
        expected = [" a <", "", "x" * 70_000, "bc", "", "", "2", "", "d"]
        for prefix in ("", "x:"):
            marked = re.sub(r"<(/?)(?=\w)", rf"<\1{prefix}", cells)
            name = f"xmlns{prefix and ':x'}"
            content = with_part(
                saved(openpyxl.Workbook()),
                "xl/worksheets/sheet1.xml",
                f'<{prefix}worksheet {name}="{main}"><{prefix}sheetData><{prefix}row>'
                f"{marked}</{prefix}row></{prefix}sheetData></{prefix}worksheet>",
            )
            (row,) = open_book(content).rows("Sheet")
            self.assertEqual((row.values, row.errors), (expected, (4, 5)))

    def test_xlwt(self):
        book = xlwt.Workbook()
        sheet = book.add_sheet("Лист")
        date = xlwt.easyxf(num_format_str="DD.MM.YYYY")
        for index, title in enumerate(("Телефон", "Дата", "Да", "Сумма")):
            sheet.write(0, index, title)
        sheet.write(2, 0, 79214563763)
        sheet.write(2, 1, datetime(2025, 1, 21), date)
        sheet.write(2, 2, True)
        sheet.write(2, 3, 0.5, xlwt.easyxf(num_format_str="0%"))
        rows = values(open_book(saved(book)))
        self.assertEqual(rows[1:], [[], ["79214563763", "21.01.2025", "TRUE", "50%"]])

    def test_only_the_heading_is_filled(self):
        """Test that merged cells among the data stay as Excel shows them."""
        book = openpyxl.Workbook()
        sheet = book.active
        sheet.append(["Клиент", "Телефон", None])
        sheet.append(["Ромашка", "+79161002030", "x"])
        sheet.append([None, "+79161002031", "y"])
        sheet.merge_cells("B1:C1")
        sheet.merge_cells("A2:A3")
        self.assertEqual(
            values(open_book(saved(book))),
            [["Клиент", "Телефон", "Телефон"], ["Ромашка", "+79161002030", "x"]]
            + [["", "+79161002031", "y"]],
        )

    def test_merged_to_the_last_column(self):
        book = openpyxl.Workbook()
        book.active["A1"] = "Список"
        book.active.merge_cells("A1:XFD1")
        book.active.append(["Телефон", "Имя"])
        found = values(open_book(saved(book)))
        self.assertEqual(found, [["Список", "Список"], ["Телефон", "Имя"]])

    def test_limit(self):
        """Test that no more rows are read than asked for, and the same ones."""
        book = openpyxl.Workbook()
        for number in range(100):
            book.active.append([f"n{number}"])
        book.active["A150"] = "n149"
        book = open_book(saved(book))
        whole = list(book.rows("Sheet"))
        self.assertEqual((len(whole), whole[120]), (150, Row(121, [])))
        for limit in (1, 40, 120):
            self.assertEqual(list(book.rows("Sheet", limit=limit)), whole[:limit][:100])

    def test_hidden_rows(self):
        """Test that the rows a filter has hidden are told, in both formats."""
        new = openpyxl.Workbook()
        old = xlwt.Workbook()
        sheet = old.add_sheet("Sheet")
        for number in range(4):
            new.active.append([f"n{number}"])
            sheet.write(number, 0, f"n{number}")
        new.active.auto_filter.ref = "A1:A4"
        new.active.row_dimensions[3].hidden = True
        sheet.row(2).hidden = True
        for content in (saved(new), saved(old)):
            rows = open_book(content).rows("Sheet")
            hidden = [(row.number, row.hidden) for row in rows]
            self.assertEqual(hidden, [(1, False), (2, False), (3, True), (4, False)])

    def test_last_row_of_libreoffice(self):
        """Test that a formatted row at the very end is no row."""
        book = openpyxl.Workbook()
        book.active["A1"] = "x"
        book.active.row_dimensions[1048576].height = 12
        book.active.cell(1048576, 1).number_format = "0.00"
        self.assertEqual(list(open_book(saved(book)).rows("Sheet")), [Row(1, ["x"])])

    def test_telephone_number_formatted_as_a_date(self):
        book = openpyxl.Workbook()
        book.active["A1"] = 79161002030
        book.active["A1"].number_format = "dd.mm.yyyy"
        self.assertEqual(values(open_book(saved(book))), [["79161002030"]])

    def test_missing_sheet(self):
        book = open_book((FIXTURES / "libreoffice.xls").read_bytes())
        with self.assertRaises(SheetError) as caught:
            book.rows("Лист 7")
        self.assertEqual(caught.exception.code, "sheet_missing")
        self.assertEqual(caught.exception.params, {"sheet": "Лист 7"})

    def test_password(self):
        for name in ("password.xlsx", "password.xls"):
            with self.subTest(name), self.assertRaises(SheetError) as caught:
                open_book((FIXTURES / name).read_bytes())
            self.assertEqual(caught.exception.code, "password")

    def test_limits(self):
        for kind, code, limits in (
            ("xlsx", "too_large", Limits(file_bytes=1000)),
            ("xlsx", "unpacks_too_large", Limits(unpacked_bytes=1000)),
            ("xlsx", "too_many_rows", Limits(rows=3)),
            ("xlsx", "too_many_columns", Limits(columns=3)),
            ("xls", "too_large", Limits(file_bytes=1000)),
            ("xls", "too_many_rows", Limits(rows=3)),
            ("xls", "too_many_columns", Limits(columns=3)),
        ):
            content = (FIXTURES / f"libreoffice.{kind}").read_bytes()
            with self.subTest(code, kind=kind), self.assertRaises(SheetError) as caught:
                list(open_book(content, limits=limits).rows("Клиенты"))
            self.assertEqual(caught.exception.code, code)
