import io
import random
import struct
import tracemalloc
import zipfile
from pathlib import Path

import openpyxl
import xlwt

from odoo.tests import BaseCase, tagged

from ..tools.sheet import LIMITS, Limits, SheetError, open_book
from .test_sheet_read import FIXTURES, saved, with_part

SHEET = "xl/worksheets/sheet1.xml"
NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
BOMB = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
XXE = '<!DOCTYPE x [<!ENTITY c SYSTEM "file:///etc/hostname">]>'


def workbook():
    book = openpyxl.Workbook()
    book.active.append(["Телефон", "Имя"])
    book.active.append([79214563763, "Яна"])
    return saved(book)


def sheet_xml(rows, before=""):
    return (
        f'<?xml version="1.0"?>{before}<worksheet xmlns="{NAMESPACE}"><sheetData>'
        f"{rows}</sheetData></worksheet>"
    ).encode()


def old_workbook(records, texts=b""):
    """Return the bare records of an .xls with one sheet."""
    head = struct.pack("<HHHHHHII", 0x809, 16, 0x600, 5, 0, 0, 0, 0)
    end = struct.pack("<HH", 0x0A, 0)
    place = len(head) + 13 + len(texts) + len(end)
    name = struct.pack("<HHIBBBB", 0x85, 9, place, 0, 0, 1, 0) + b"x"
    sheet = head[:6] + struct.pack("<H", 0x10) + head[8:]
    body = b"".join(
        struct.pack("<HH", code, len(data)) + data for code, data in records
    )
    return head + name + texts + end + sheet + body + end


def strings(text, count):
    """Return the records with the texts of an .xls."""
    data = struct.pack("<II", count, count) + text * count
    size = 8224 // len(text) * len(text)
    places = [0, *range(size + 8, len(data), size)]
    pieces = [data[a:b] for a, b in zip(places, [*places[1:], None], strict=True)]
    codes = [0xFC] + [0x3C] * len(pieces)
    return b"".join(
        struct.pack("<HH", code, len(piece)) + piece
        for code, piece in zip(codes, pieces, strict=False)
    )


def read_all(content, **options):
    book = open_book(content, **options)
    return [row for name in book.sheets for row in book.rows(name)]


def code_of(content, **options):
    try:
        read_all(content, **options)
    except SheetError as error:
        return error.code
    return None


@tagged("post_install", "-at_install", "sms_devino")
class TestSheetHostile(BaseCase):
    """A file that is none, is broken or means harm is refused with its reason."""

    def test_other_files(self):
        word = io.BytesIO()
        with zipfile.ZipFile(word, "w") as package:
            package.writestr("word/document.xml", "<x/>")
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as package:
            package.writestr("list.csv", "a;b")
        for content, code in (
            (b"", "empty"),
            (b" \r\n\r\n", "empty"),
            ("\ufeff \n".encode("utf-16"), "empty"),
            (b"\x89PNG\r\n\x1a\n" + bytes(50), "image"),
            (b"\xff\xd8\xff\xe0" + bytes(50), "image"),
            (b"%PDF-1.7\n1 0 obj\n", "other_kind"),
            (b'[{"phone": "+79161002030"}]', "other_kind"),
            (b'{"phones": ["+79161002030"]}', "other_kind"),
            (b"BEGIN:VCARD\r\nVERSION:3.0\r\n", "other_kind"),
            (b"BEGIN:VCALENDAR\r\n", "other_kind"),
            (b"-- dump\nINSERT INTO x VALUES (1);", "other_kind"),
            (b"{\\rtf1 phone}", "document"),
            (word.getvalue(), "document"),
            (archive.getvalue(), "archive"),
            (b"Rar!\x1a\x07\x00" + bytes(50), "archive"),
            ((FIXTURES / "libreoffice.ods").read_bytes(), "ods"),
            ((FIXTURES / "libreoffice_html.xls").read_bytes(), "html"),
            (b"\xef\xbb\xbf\r\n<table><tr><td>1</td></tr></table>", "html"),
            ("<HTML><body>".encode("utf-16"), "html"),
            (b"MIME-Version: 1.0\nContent-Type: multipart/related", "html"),
            (
                b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
                b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
                "spreadsheetml",
            ),
            (b'<?xml version="1.0"?><list><phone>1</phone></list>', "other_kind"),
            (b"\x00\x01\x02\x03 nothing known", "unknown"),
            (b"\x09\x08\x08\x00\x00\x05\x05\x00" + bytes(8), "corrupt"),
        ):
            with self.subTest(content=content[:20]):
                self.assertEqual(code_of(content), code)

    def test_words_that_begin_like_pictures(self):
        rows = read_all(b"BMW;RIFF\n1;2\n")
        self.assertEqual(rows[0].values, ["BMW", "RIFF"])

    def test_excel_95(self):
        """Test that a workbook in the stream "Book" is read, one of Excel 4 refused."""
        book = xlwt.Workbook()
        book.add_sheet("x").write(0, 0, "Яна")
        name = "Workbook".encode("utf-16-le")
        old = "Book".encode("utf-16-le").ljust(len(name), b"\0")
        content = saved(book)
        at = content.index(name)
        content = content.replace(name, old)
        content = content[: at + 64] + struct.pack("<H", 10) + content[at + 66 :]
        self.assertEqual(read_all(content)[0].values, ["Яна"])

    def test_chain_of_sectors_that_never_ends(self):
        """Test a small stream whose sectors lead back to the first."""
        content = bytearray((FIXTURES / "password.xls").read_bytes())
        table = 512 + 512 * struct.unpack_from("<i", content, 60)[0]
        struct.pack_into("<i", content, table + 4, 0)
        self.assertIn(code_of(bytes(content)), ("corrupt", "password", None))

    def test_tree_of_names_that_branches_for_ever(self):
        """Test names that each point twice to the next: xlrd would visit 2 ** 40."""
        book = xlwt.Workbook()
        book.add_sheet("x").write(0, 0, "Яна")
        content = bytearray(saved(book))
        directory = 512 + 512 * struct.unpack_from("<i", content, 48)[0]
        entry = content[directory + 128 : directory + 256]
        sectors = len(content) // 512 - 1
        entries = []
        for number in range(1, 41):
            struct.pack_into("<ii", entry, 68, number + 1, number + 1)
            entries.append(bytes(entry))
        root = bytes(content[directory : directory + 128])
        tree = (root + b"".join(entries)).ljust(512 * 11, b"\0")
        table = 512 + 512 * struct.unpack_from("<i", content, 76)[0]
        for number in range(11):
            after = sectors + number + 1 if number < 10 else -2
            struct.pack_into("<i", content, table + 4 * (sectors + number), after)
        struct.pack_into("<i", content, 48, sectors)
        self.assertEqual(read_all(bytes(content) + tree)[0].values, ["Яна"])

    def test_records_that_promise_too_much(self):
        """Test what makes xlrd slow or large, without its having begun."""
        font = (0xE0, bytes(20))
        merged = (0xE5, struct.pack("<H", 1000) + bytes(8000))
        empty = (0xBE, bytes(504) + b"\xf9\0")
        runs = b"\1\0\x08\xe8\x03x" + bytes(4000)
        back = struct.pack("<HBi", 1, 4, -8) + b"x"
        for records, texts, code in (
            ([(0x203, struct.pack("<HHHd", 0, 0, 0, 5))], b"", None),
            ([font] * 21_000, b"", "too_many_cells"),
            ([merged] * 2_100, b"", "too_many_cells"),
            ([empty] * 8_100, b"", "too_many_cells"),
            ([], strings(b"\1\0\0x", 1_000_001), "too_many_cells"),
            ([], strings(runs, 301), "corrupt"),
            ([], strings(back, 10), "corrupt"),
            ([], strings(b"\1\0\0x", 3)[:-3], "corrupt"),
        ):
            with self.subTest(code=code):
                self.assertEqual(code_of(old_workbook(records, texts)), code)

    def test_one_sheet_under_many_names(self):
        content = old_workbook([(0x203, bytes(14))])
        name = content[20:33]
        place = struct.unpack_from("<I", name, 4)[0] + len(name)
        name = name[:4] + struct.pack("<I", place) + name[8:]
        self.assertEqual(code_of(content[:20] + name * 2 + content[33:]), "corrupt")

    def test_unknown_xml_encoding(self):
        part = b'<?xml version="1.0" encoding="UTF-6"?><styleSheet/>'
        content = with_part(workbook(), "xl/styles.xml", part)
        self.assertEqual(code_of(content), "corrupt")

    def test_numbers_that_are_not_finite(self):
        book = xlwt.Workbook()
        book.add_sheet("x").write(0, 0, float("nan"))
        (row,) = read_all(saved(book))
        self.assertEqual((row.values, row.errors), (["#NUM!"], (0,)))

    def test_word_document(self):
        book = xlwt.Workbook()
        book.add_sheet("x").write(0, 0, 1)
        content = saved(book)
        name = "Workbook".encode("utf-16-le")
        content = content.replace(name, "Textbook".encode("utf-16-le"))
        self.assertEqual(code_of(content), "unknown")

    def test_entities(self):
        cell = '<row r="1"><c r="A1" t="inlineStr"><is><t>&c;</t></is></c></row>'
        for declared in (BOMB, XXE):
            for part in (SHEET, "xl/styles.xml", "xl/workbook.xml", "_rels/.rels"):
                content = with_part(workbook(), part, sheet_xml(cell, declared))
                with self.subTest(part=part, declared=declared):
                    self.assertEqual(code_of(content), "forbidden_xml")

    def test_zip_bomb_that_says_so(self):
        content = with_part(workbook(), "xl/media/big.bin", bytes(30_000_000))
        self.assertLess(len(content), 100_000)
        for limits in (Limits(unpacked_bytes=20_000_000), Limits(part_bytes=9_000_000)):
            self.assertEqual(code_of(content, limits=limits), "unpacks_too_large")

    def test_packed_too_tightly(self):
        rows = sheet_xml("".join(f'<row r="{n}"/>' for n in range(1, 99)) + " " * 10**7)
        content = with_part(workbook(), SHEET, rows)
        self.assertEqual(code_of(content), "packed_too_much")

    def test_zip_bomb_that_lies(self):
        """Test that the real bytes are bounded when the directory tells few."""
        rows = sheet_xml("<row/>" + " " * 30_000_000)
        content = bytearray(with_part(workbook(), SHEET, rows))
        size = struct.pack("<I", len(rows))
        self.assertEqual(content.count(size), 2)
        content = bytes(content).replace(size, struct.pack("<I", 1000))
        limits = Limits(unpacked_bytes=20_000_000)
        tracemalloc.start()
        self.assertEqual(code_of(content, limits=limits), "corrupt")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        self.assertLess(peak, 5_000_000)

    def test_directory_of_countless_parts(self):
        """Test that a directory that repeats its parts is not even read."""
        content = workbook()
        at, end = content.index(b"PK\x01\x02"), content.rindex(b"PK\x05\x06")
        parts = content[at:end] * 6000
        size = struct.pack("<II", len(parts), at)
        end = content[end : end + 12] + size + content[end + 20 :]
        self.assertEqual(code_of(content[:at] + parts + end), "corrupt")

    def test_sheet_of_nothing_is_bounded(self):
        """Test that a long run of nothing neither hangs nor fills the memory."""
        content = with_part(workbook(), SHEET, sheet_xml(" " * 20_000_000), stored=True)
        self.assertEqual(code_of(content), "row")

    def test_endless_tag(self):
        row = f'<row r="1"><c r="A1" x="{"y" * 20_000_000}"/></row>'
        content = with_part(workbook(), SHEET, sheet_xml(row), stored=True)
        self.assertEqual(code_of(content), "row")

    def test_endless_cell(self):
        cell = f'<c t="inlineStr"><is><t>{"y" * 6_000_000}</t></is></c>'
        row = sheet_xml(f"<row>{cell}</row>")
        content = with_part(workbook(), SHEET, row, stored=True)
        self.assertEqual(code_of(content), "row")

    def test_tags_that_are_never_closed(self):
        """Test that patterns do not begin anew at each of a million tags."""
        filled = "<c><v>1</v></c>"
        inline = 'x t="inlineStr" ' * 100_000
        for rows in (
            "<row " * 1_000_000,
            f"<row>{'<c ' * 1_000_000}{filled}</row>",
            f"<row><c {inline}></c>{filled}</row>",
            f"<row><c>{'<f ' * 1_000_000}</c>{filled}</row>",
        ):
            content = with_part(workbook(), SHEET, sheet_xml(rows), stored=True)
            with self.subTest(rows[:20]):
                self.assertIsNotNone(code_of(content))
        root = b"<worksheet " * 90_000
        content = with_part(workbook(), SHEET, root, stored=True)
        self.assertEqual(code_of(content), "corrupt")

    def test_a_million_columns(self):
        """Test that only cells up to the last filled one count."""
        filled = "<c><v>1</v></c>"
        for cells, code in (
            (filled * 1_001, "too_many_columns"),
            (f"<c/>{filled * 999}<c/>", None),
            (filled * 1_000_000, "row"),
            ("<c/>" * 900_000, None),
        ):
            row = sheet_xml(f"<row>{cells}</row>")
            with self.subTest(cells[:20], code=code):
                content = with_part(workbook(), SHEET, row, stored=True)
                self.assertEqual(code_of(content), code)

    def test_counts(self):
        """Test what is too much of rows, cells, strings and parts of rich text."""
        rows = "".join("<row><c/><c><v>1</v></c></row>" for _row in range(50))
        runs = "<r><t>x</t></r>" * 600_000
        rich = '<row><c t="inlineStr"><is><r><t>x</t></r></is></c></row>' * 130_000
        for part, data, code, limits in (
            (SHEET, rows, "too_many_rows", Limits(rows=49)),
            (SHEET, rows, "too_many_cells", Limits(cells=99)),
            (SHEET, rows, None, Limits(rows=50, cells=110)),
            (SHEET, rich, "corrupt", LIMITS),
            ("xl/sharedStrings.xml", f"<si>{runs}</si>", "corrupt", LIMITS),
            ("xl/sharedStrings.xml", "<si/>" * 1_000_001, "too_many_cells", LIMITS),
        ):
            if part != SHEET:
                data = f'<sst xmlns="{NAMESPACE}">{data}</sst>'.encode()
            else:
                data = sheet_xml(data)
            content = with_part(workbook(), part, data, stored=True)
            with self.subTest(part=part, code=code):
                self.assertEqual(code_of(content, limits=limits), code)

    def test_broken_cells(self):
        for row in (
            '<row r="2"/><row r="1"/>',
            '<row r="x"/>',
            '<row r="nan"/>',
            "<row><c><v>abc</v></c></row>",
            '<row><c s="x"><v>1</v></c></row>',
            '<row><c t="s"><v>99</v></c></row>',
            '<row><c r="ABCD1"><v>1</v></c></row>',
            '<row><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row>',
            "<row><c>",
        ):
            with self.subTest(row):
                content = with_part(workbook(), SHEET, sheet_xml(row))
                self.assertIn(code_of(content), ("corrupt", "row"))

    def test_broken_cell_is_named(self):
        rows = '<row r="2"><c><v>1</v></c></row><row r="7"><c><v>abc</v></c></row>'
        content = with_part(workbook(), SHEET, sheet_xml(rows))
        with self.assertRaises(SheetError) as caught:
            read_all(content)
        self.assertEqual(caught.exception.code, "row")
        self.assertEqual(caught.exception.params, {"sheet": "Sheet", "row": 7})

    def test_numbers_that_are_none(self):
        row = sheet_xml('<row><c><v>1E999</v></c><c s="99"><v>2.0</v></c></row>')
        (found,) = read_all(with_part(workbook(), SHEET, row))
        self.assertEqual(found.values, ["#NUM!", "2"])

    def test_rows_out_of_order_or_out_of_reach(self):
        for numbers in ((2, 1), (1, 1), (20_000_000,), (1_048_577,)):
            cell = "<c><v>1</v></c>"
            rows = "".join(f'<row r="{number}">{cell}</row>' for number in numbers)
            content = with_part(workbook(), SHEET, sheet_xml(rows))
            with self.subTest(numbers):
                self.assertEqual(code_of(content), "row")

    def test_strict_and_binary_workbooks(self):
        strict = (
            '<workbook xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main">'
            "<sheets/></workbook>"
        )
        content = with_part(workbook(), "xl/workbook.xml", strict)
        self.assertEqual(code_of(content), "strict")
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as binary:
            binary.writestr(
                "_rels/.rels",
                '<Relationships xmlns="x"><Relationship Id="a" Type="x/officeDocument" '
                'Target="xl/workbook.bin"/></Relationships>',
            )
            binary.writestr("xl/workbook.bin", b"x")
        self.assertEqual(code_of(package.getvalue()), "xlsb")

    def test_odd_styles(self):
        """Test styles that openpyxl refuses and Excel does not mind."""
        styles = (
            f'<styleSheet xmlns="{NAMESPACE}"><fonts><font><sz val="big"/></font>'
            '</fonts><cellXfs><xf numFmtId="9" fontId="7"/></cellXfs></styleSheet>'
        )
        content = with_part(workbook(), "xl/styles.xml", styles)
        row = sheet_xml('<row><c s="0"><v>0.5</v></c></row>')
        content = with_part(content, SHEET, row)
        self.assertEqual(read_all(content)[0].values, ["50%"])

    def test_prefixed_names_and_backslashes(self):
        """Test two habits of exporters that Excel does not mind."""
        content = workbook()
        row = (
            f'<x:worksheet xmlns:x="{NAMESPACE}"><x:sheetData><x:row r="1">'
            '<x:c r="A1" t="inlineStr"><x:is><x:t>Яна</x:t></x:is></x:c></x:row>'
            "</x:sheetData></x:worksheet>"
        )
        content = with_part(content, SHEET, row.encode())
        self.assertEqual(read_all(content)[0].values, ["Яна"])
        slashed = content.replace(b"xl/worksheets/", b"xl\\Worksheets\\")
        self.assertEqual(read_all(slashed)[0].values, ["Яна"])

    def test_part_names_of_1c(self):
        content = workbook().replace(b"xl/sharedStrings.xml", b"xl/SharedStrings.xml")
        self.assertEqual(read_all(content)[0].values, ["Телефон", "Имя"])

    def test_truncated(self):
        """Test that a cut file is refused, or (an .xls with its end cut) still read."""
        for name in ("libreoffice.xlsx", "libreoffice.xls"):
            content = (FIXTURES / name).read_bytes()
            for size in range(30, len(content), 331):
                code = code_of(content[:size])
                with self.subTest(name=name, size=size):
                    self.assertIn(code, (None, "corrupt", "unknown"))
                    if name.endswith("xlsx"):
                        self.assertIsNotNone(code)

    def test_damaged(self):
        """Test that whatever the bytes, the only error is SheetError."""
        generator = random.Random(19)
        for path in sorted(Path(FIXTURES).iterdir()):
            for _time in range(60):
                content = bytearray(path.read_bytes())
                for _byte in range(generator.randrange(1, 30)):
                    content[generator.randrange(len(content))] = generator.randrange(
                        256
                    )
                code_of(bytes(content))

    def test_random_bytes(self):
        generator = random.Random(20)
        starts = (b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x09\x08")
        for number in range(200):
            noise = generator.randbytes(generator.randrange(1, 3000))
            self.assertIsNotNone(code_of(starts[number % 4] + noise + b"\0"))
