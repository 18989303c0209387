import base64
import io

import xlwt

from odoo.tests import tagged

from .mass_case import MassCase
from .test_import import ImportCase

# The two columns that the module for 1C itself names: telephone, name of the addressee.
PHONE, NAME = "Телефон", "Имя адресата"
ROWS = (
    ("79214563763", "Иванов Пётр"),
    ("79161002030", "ООО «Ромашка»"),
    ("9057001291", "Смирнова Анна"),
)
NUMBERS = ["+79214563763", "+79161002030", "+79057001291"]


def saved_by_1c(titles=(PHONE, NAME), rows=ROWS, with_numbers=False):
    """Return an .xls workbook as 1C saves a table: the columns, nothing else."""
    book = xlwt.Workbook(encoding="cp1251")
    page = book.add_sheet("Лист1")
    table = [list(row) for row in rows]
    if titles and titles[0] != PHONE:
        table = [row[::-1] for row in table]
    if with_numbers:  # 1C writes digits as numbers where the column is one
        table = [[float(v) if v.isdigit() else v for v in row] for row in table]
    for index, row in enumerate([list(titles), *table] if titles else table):
        for column, value in enumerate(row):
            page.write(index, column, value)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


@tagged("post_install", "-at_install", "sms_devino")
class TestImportFrom1c(ImportCase):
    """A list saved by the provider's module for 1C needs no mapping by hand."""

    def assertImportsAsItIs(self, content):
        created = self.import_file(content, "База абонентов.xls")
        self.assertEqual(
            [(line[0], line[1]) for line in self.content(created)],
            list(zip(NUMBERS, [row[1] for row in ROWS], strict=True)),
        )
        self.assertFalse(created.columns)

    def test_columns_of_the_module(self):
        for titles in (
            (PHONE, NAME),
            (NAME, PHONE),
            (PHONE, "Имя"),
            (PHONE, "Адресат"),
            (PHONE, "Абонент"),
            ("Наименование", PHONE),
            (),
        ):
            with self.subTest(titles=titles):
                self.assertImportsAsItIs(saved_by_1c(titles))

    def test_numbers_saved_as_numbers(self):
        self.assertImportsAsItIs(saved_by_1c(with_numbers=True))

    def test_an_address_is_no_addressee(self):
        rows = [(row[0], "Москва") for row in ROWS]
        created = self.import_file(saved_by_1c((PHONE, "Адрес доставки"), rows))
        self.assertEqual([line[1] for line in self.content(created)], ["", "", ""])
        self.assertEqual(created.columns, ["Адрес доставки"])


@tagged("post_install", "-at_install", "sms_devino")
class TestSendingTo1cList(MassCase):
    """From the saved list to delivered messages, by the buttons a manager presses."""

    def test_list_of_1c_gets_its_messages(self):
        with self.transaction(self.users["manager"]) as env:
            wizard = env["sms.devino.recipient.add"].create(
                {
                    "source": "file",
                    "file": base64.b64encode(saved_by_1c()),
                    "filename": "База абонентов.xls",
                }
            )
            wizard.action_open_file()
            wizard.action_preview()
            batch_id = wizard.action_apply()["res_id"]
        self.write(batch_id, body="{{ name }}, hello")
        self.calculate(batch_id)
        self.approve(batch_id)
        self.dispatch()
        # calls run side by side, in no order
        self.assertCountEqual(
            [(entry.number, entry.text) for entry in self.provider.ledger],
            [
                (number.removeprefix("+"), f"{row[1]}, hello")
                for number, row in zip(NUMBERS, ROWS, strict=True)
            ],
        )
