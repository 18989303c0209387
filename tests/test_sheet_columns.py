import logging

from odoo.tests import BaseCase, tagged

from ..tools.sheet import find_header, guess_columns, signature
from .sheet_headers import tables

_logger = logging.getLogger(__name__)

SAMPLE = [
    ["1", "Иванов Пётр", "8 (921) 456-37-63", "7701234567", "05.01.1985"],
    ["2", "Смирнова Анна", "+7 916 100-20-30", "7707083893", "31.12.1990"],
    ["3", "Ли Чан", "9161002031; 9161002032", "500100732259", "03.02.2001"],
]


@tagged("post_install", "-at_install", "sms_devino")
class TestSheetColumns(BaseCase):
    """The header and the columns are found as a person would find them."""

    def test_header_words(self):
        """Test titles for the telephone and the name, in both languages."""
        for phone, name in (
            ("Телефон", "ФИО"),
            ("Тел.", "Клиент"),
            ("Моб. тел.", "Контрагент"),
            ("Мобильный телефон клиента", "Имя клиента"),
            ("Контактный телефон", "Контактное лицо"),
            ("Номер", "Ф.И.О."),
            ("НОМЕР ТЕЛЕФОНА", "Получатель"),
            ("Phone number", "Name"),
            ("Mobile", "Contact"),
            ("mobile_phone", "full_name"),
            ("Tel", "Customer"),
        ):
            for header in ([phone, name], [name, "Дата", phone]):
                with self.subTest(header=header):
                    found = guess_columns(header, [])
                    self.assertEqual(found["phone"], header.index(phone))
                    self.assertEqual(found["name"], header.index(name))

    def test_content_decides_between_titles(self):
        """Test that the column with the numbers wins over a title without them."""
        header = ["Номер", "Клиент", "Контакты", "ИНН", "Дата"]
        found = guess_columns(header, SAMPLE)
        self.assertEqual((found["phone"], found["name"]), (2, 1))
        self.assertEqual(found["extra"], [0, 3, 4])

    def test_without_titles(self):
        found = guess_columns([], SAMPLE)
        self.assertEqual((found["phone"], found["name"]), (2, 1))

    def test_mobile_before_landline(self):
        header = ["Телефон", "Мобильный"]
        sample = [["+74951234567", "+79161002030"]] * 3
        found = guess_columns(header, sample)
        self.assertEqual((found["phone"], found["phone2"]), (1, 0))

    def test_spoilt_numbers(self):
        """Test that a column of lost digits is proposed all the same."""
        found = guess_columns(["Клиент", "Телефон"], [["Яна", "7.92E+10"]])
        self.assertEqual(found["phone"], 1)

    def test_nothing_to_send_to(self):
        found = guess_columns(["Город", "Сумма"], [["Москва", "100"]])
        self.assertIsNone(found["phone"])
        self.assertEqual(found["extra"], [0, 1])
        self.assertEqual(guess_columns([], [])["phone"], None)

    def test_other_numbers_are_no_telephones(self):
        for title in ("Номер договора", "№ заказа", "Номер карты", "ИНН", "Факс"):
            with self.subTest(title):
                self.assertIsNone(guess_columns([title], [["12"]])["phone"])

    def test_table_of_headers(self):
        """Test that of realistic tables 97 of 100 columns are told rightly."""
        wrong, count = [], 0
        roles = ("phone", "phone2", "name")
        for titles, rows, expected in tables():
            self.assertEqual(find_header([titles, *rows]), 0, titles)
            found = guess_columns(titles, rows)
            count += len(titles)
            for index, title in enumerate(titles):
                told = [role for role in roles if found[role] == index]
                right = [role for role in roles if expected.get(role) == index]
                if told != right:
                    wrong.append((titles, title, told, right))
        share = 1 - len(wrong) / count
        _logger.info("Columns told rightly: %d of %d", count - len(wrong), count)
        self.assertGreaterEqual(share, 0.97, wrong)

    def test_telephones_in_disguise(self):
        """Test an apostrophe, a name, or another number before the mobile one."""
        for cell in (
            "'89161002030",
            "Яна 8 916 100-20-30",
            "8 495 1234567, 89161002030",
        ):
            found = guess_columns(["А", "Б"], [["x", cell]] * 3)
            self.assertEqual(found["phone"], 1, cell)

    def test_empty_column_never_wins(self):
        header = ["Мобильный", "Телефон"]
        found = guess_columns(header, [["", "+79161002030"]] * 3)
        self.assertEqual((found["phone"], found["phone2"]), (1, None))

    def test_sparse_column_does_not_win(self):
        header = ["Телефон", "Телефон (2)"]
        sample = [["", "+79161002030"]] * 9 + [["+79161002031", "+79161002032"]]
        self.assertEqual(guess_columns(header, sample)["phone"], 1)

    def test_header_row(self):
        title = ["Список на рассылку"] * 5
        header = ["№", "Клиент", "Телефон", "ИНН", "Дата рождения"]
        for rows, index in (
            ([header, *SAMPLE], 0),
            ([title, [], header, *SAMPLE], 2),
            ([["Отчёт по клиентам", "за 2025"], header, *SAMPLE], 1),
            ([["Клиент", "Контакты", "Контакты"], ["Клиент", "Телефон", "E-mail"]], 1),
            (SAMPLE, None),
            ([], None),
            ([["79161002030"], ["79161002031"]], None),
            ([["Кому"], ["79161002030"]], 0),
            ([["Кто", "Куда"], ["Яна", "+79161002030"]], 0),
            ([["Рассылка"], ["Яна", "+79161002030"]], None),
            ([["Яна", "+79161002030"], ["Клиент", "Телефон"]], None),
            ([["Город", "Сумма"], ["Тверь", "5"]], 0),
        ):
            with self.subTest(rows=rows[:3]):
                self.assertEqual(find_header(rows), index)

    def test_signature(self):
        """Test that only what matters changes the signature."""
        told = signature(["Клиент", "Тел.", "E-mail"])
        self.assertRegex(told, r"^[0-9a-f]{32}$")
        self.assertEqual(told, signature([" клиент ", "ТЕЛ", "e‑mail", ""]))
        self.assertNotEqual(told, signature(["Тел.", "Клиент", "E-mail"]))
        self.assertNotEqual(told, signature(["Клиент Тел.", "E-mail"]))
        # Mappings are saved by it: it must not change between versions.
        told = signature(["Телефон", "Имя"])
        self.assertEqual(told, "bd2cddbf0132d491ab258be9e11dcad2")
