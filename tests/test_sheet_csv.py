from pathlib import Path

from odoo.tests import BaseCase, tagged

from ..tools.sheet import ENCODINGS, Limits, SheetError, open_book

FIXTURES = Path(__file__).parent / "fixtures" / "sheet"
NAMES = (
    "Иванов Пётр Сергеевич;Смирнова Анна Павловна;Кузнецов Олег;Попова Юлия;"
    "Васильев Дмитрий;Соколова Екатерина;Михайлов Андрей;Новикова Ольга"
).split(";")
TABLE = [["Клиент", "Телефон"], *([name, "+79161002030"] for name in NAMES)]


def read(content, name="list.csv", **options):
    book = open_book(content, name, **options)
    return book, [row.values for row in book.rows(book.sheets[0])]


def code_of(content, **options):
    try:
        read(content, **options)
    except SheetError as error:
        return error.code
    return None


@tagged("post_install", "-at_install", "sms_devino")
class TestSheetCsv(BaseCase):
    """Text files are read whatever their separator and encoding."""

    def test_encodings(self):
        text = "\r\n".join(";".join(row) for row in TABLE)
        for codec, found in (
            ("utf-8", "utf-8"),
            ("utf-8-sig", "utf-8-sig"),
            ("utf-16", "utf-16"),
            ("cp1251", "cp1251"),
            ("koi8-r", "koi8-r"),
            ("cp866", "cp866"),
        ):
            with self.subTest(codec):
                book, rows = read(text.encode(codec))
                self.assertEqual((book.encoding, book.separator), (found, ";"))
                self.assertEqual(rows, TABLE)

    def test_short_texts_are_windows_1251(self):
        """Test that a few letters, or capitals only, do not mislead."""
        for name in (*NAMES, *map(str.upper, NAMES), "Имя", "Я", "ООО", "№ 5 – «Ы»"):
            with self.subTest(name):
                book, rows = read(f"{name};1\n".encode("cp1251"))
                self.assertEqual(book.encoding, "cp1251")
                self.assertEqual(rows, [[name, "1"]])

    def test_big_endian_utf_16(self):
        text = "\ufeffТелефон\tИмя\n+79161002030\tЯна\n"
        book, rows = read(text.encode("utf-16-be"))
        self.assertEqual(rows, [["Телефон", "Имя"], ["+79161002030", "Яна"]])
        self.assertEqual(book.separator, "\t")

    def test_utf_16_without_a_mark(self):
        text = "Телефон\tИмя\n" + "+79161002030\tЯна\n" * 20
        for codec in ("utf-16-le", "utf-16-be"):
            book, rows = read(text.encode(codec))
            self.assertEqual((book.encoding, len(rows)), (codec, 21))
            self.assertEqual(rows[20], ["+79161002030", "Яна"])

    def test_nearly_right_utf_8(self):
        """Test that the characters that are none are named by their lines."""
        lines = [f"{name};7916100203{n}" for n, name in enumerate(NAMES)]
        content = "\n".join(lines).encode().replace("Юлия".encode(), b"\xd0\xff")
        book, rows = read(content)
        self.assertEqual((book.encoding, rows[4][0]), ("utf-8", NAMES[4]))
        (note,) = book.notes
        self.assertEqual(note.code, "bad_characters")
        self.assertEqual(note.params, {"count": 2, "lines": "4"})
        self.assertEqual(read("Яна;1".encode())[0].notes, [])

    def test_encoding_as_told(self):
        content = "Яна;1\n".encode("koi8-r")
        book, rows = read(content, encoding="koi8-r")
        self.assertEqual((book.encoding, rows), ("koi8-r", [["Яна", "1"]]))
        self.assertNotEqual(read(content)[1], rows)
        for encoding in ENCODINGS:
            read(content, encoding=encoding)
        for encoding in ("hex", "nonsense"):
            self.assertEqual(code_of(content, encoding=encoding), "encoding")

    def test_quote_that_swallows_rows(self):
        """Test a quotation mark that another one closes hundreds of rows below."""
        rows = [f"name {n};7916{n:07d}" for n in range(400)]
        rows[11], rows[312] = f'"{rows[11]}', f'"{rows[312]}'
        with self.assertRaises(SheetError) as caught:
            read("\n".join(rows).encode())
        self.assertEqual(caught.exception.code, "csv_lines")
        self.assertEqual(caught.exception.params, {"row": 12, "lines": 302})

    def test_separators(self):
        for separator in ";,\t|":
            with self.subTest(separator):
                text = "\n".join(separator.join(row) for row in TABLE)
                book, rows = read(text.encode())
                self.assertEqual((book.separator, rows), (separator, TABLE))

    def test_decimal_commas_do_not_separate(self):
        rows = read(b"phone;sum\n79161002030;1,5\n79161002031;2,75\n")[1]
        self.assertEqual(rows[1], ["79161002030", "1,5"])

    def test_ragged_rows(self):
        text = "a;1\nb;1;2\nc;1;2;3\nd;1;2;3;4\ne;1;2,5;3;4;5\nf;1\n"
        self.assertEqual(read(text.encode())[0].separator, ";")

    def test_one_column(self):
        """Test that a stray comma does not cut a list of numbers in two columns."""
        book, rows = read(b"79161002030\n79161002031, 79161002032\n79161002033\n7")
        self.assertEqual(book.separator, "")
        self.assertEqual(rows[1], ["79161002031, 79161002032"])

    def test_told_separator(self):
        """Test that "sep=" is obeyed, and is no row of the table."""
        book = open_book("sep=|\r\na|b;c\r\n".encode("utf-16"))
        (row,) = book.rows("csv")
        self.assertEqual((row.number, row.values), (1, ["a", "b;c"]))

    def test_quotes_and_line_breaks(self):
        text = 'a;"x ""y"";\r\nz";c\r\n\r\nООО "Ромашка";1;=""79""\r\n;;\r\n'
        book = open_book(text.encode(), "Мой список.csv")
        self.assertEqual(book.sheets, ("Мой список",))
        self.assertEqual(
            [(row.number, row.values) for row in book.rows("Мой список")],
            [(1, ["a", 'x "y";\r\nz', "c"]), (2, [])]
            + [(3, ['ООО "Ромашка"', "1", '=""79""'])],
        )

    def test_formula_around_a_number(self):
        rows = read(b'name;phone\nAnn;="79161002030"\nBob;"=""0079"""\n')[1]
        self.assertEqual(rows[1:], [["Ann", "79161002030"], ["Bob", "0079"]])

    def test_quote_that_never_ends(self):
        with self.assertRaises(SheetError) as caught:
            read(b'a;b\n1;2\n"3;4\n5;6\n')
        self.assertEqual(caught.exception.code, "csv_quote")
        self.assertEqual(caught.exception.params, {"row": 3})

    def test_old_macintosh_line_ends(self):
        self.assertEqual(read(b"a;b\r1;2\r")[1], [["a", "b"], ["1", "2"]])

    def test_end_mark_of_dos(self):
        rows = read("Клиент;Телефон\r\nИванов Пётр;1\r\n\x1a".encode("cp866"))[1]
        self.assertEqual(rows[1:], [["Иванов Пётр", "1"]])

    def test_libreoffice(self):
        content = (FIXTURES / "libreoffice_cp1251.csv").read_bytes()
        book, rows = read(content)
        self.assertEqual(book.encoding, "cp1251")
        self.assertEqual(rows[1][2], 'строка 1\nстрока "2"')
        self.assertEqual(rows[2], ["Ёлкина", "79161002030"])

    def test_text_that_is_named_like_a_workbook(self):
        book, rows = read("Имя\tТелефон\nЯна\t79161002030\n".encode("cp1251"), "a.xls")
        self.assertEqual((book.kind, rows[1]), ("csv", ["Яна", "79161002030"]))

    def test_limits(self):
        many = b"a,b\n" * 50
        self.assertEqual(code_of(many, limits=Limits(rows=49)), "too_many_rows")
        self.assertEqual(code_of(b"x," * 600_000), "row_too_long")
        self.assertEqual(code_of(b"x," * 5_000), "too_many_columns")
        self.assertEqual(code_of(b'"' + b"x\n" * 600_000), "csv_quote")
