"""Spreadsheets against the bare libraries, and against files that mean harm.

    python benchmarks/sheets.py [rows [word of harmful files …]]

needs no Odoo, only the libraries.  Each figure is of a process of its own: seconds of
the processor, megabytes at the most (the interpreter and the file included).
"""

import io
import random
import struct
import subprocess
import sys
import time
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import openpyxl
import xlrd
import xlsxwriter

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

from sheet import Column, SheetError, open_book, write_xls, write_xlsx  # noqa: E402

COLUMNS = [Column(f"Title {index}") for index in range(5)]
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


# --- what is read and written ---


def texts(count):
    for n in range(count):
        yield [f"+7916{n:07d}", f"Иванов {n}", f"Город {n % 500}", f"u{n}@x.ru", "да"]


def amounts(count):
    first = datetime(2020, 1, 1)
    for n in range(count):
        date = first + timedelta(days=n % 3000)
        yield [79160000000 + n, n * 1.37, n * 0.5, date, n]


def make_texts(count):
    return _workbook(texts(count), lambda _book: [None] * 5)


def make_amounts(count):
    def formats(book):
        amount = book.add_format({"num_format": "#,##0.00"})
        date = book.add_format({"num_format": "dd.mm.yyyy"})
        return [None, amount, amount, date, None]

    return _workbook(amounts(count), formats)


def _workbook(rows, formats):
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    sheet, styles = book.add_worksheet(), formats(book)
    for number, row in enumerate(rows):
        for index, (value, style) in enumerate(zip(row, styles, strict=True)):
            sheet.write(number, index, value, style)
    book.close()
    return target.getvalue()


def make_xls(count):
    return write_xls(COLUMNS, texts(min(count, 65_000)))


def make_csv(count):
    return "".join(";".join(row) + "\r\n" for row in texts(count)).encode()


def read_ours(content):
    book = open_book(content, "x.csv")
    return sum(1 for _row in book.rows(book.sheets[0]))


def read_openpyxl(content):
    """What a reader needs at the least: each cell's value and number format."""
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    rows = 0
    for row in book.worksheets[0].iter_rows():
        [(cell.value, cell.number_format) for cell in row]
        rows += 1
    return rows


def read_xlrd(content):
    book = xlrd.open_workbook(file_contents=content, formatting_info=True)
    sheet = book.sheet_by_index(0)
    return sum(1 for index in range(sheet.nrows) if sheet.row(index))


def write_ours(count):
    write_xlsx(COLUMNS, texts(count))


def write_xlsxwriter(count):
    book = xlsxwriter.Workbook(io.BytesIO(), {"constant_memory": True})
    sheet = book.add_worksheet()
    for number, row in enumerate(texts(count)):
        for index, value in enumerate(row):
            sheet.write_string(number, index, value)
    book.close()


def write_openpyxl(count):
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in texts(count):
        sheet.append(row)
    book.save(io.BytesIO())


# --- what means harm ---

_RANDOM = random.Random(18)


def _noise(size):
    """Text that compresses to half at best, so that the ratio says nothing."""
    return _RANDOM.randbytes(size // 2).hex()


def _hostile(
    sheet="", strings="", styles="", *, before="", after="", doctype="", method=0
):
    """Return a workbook with these parts, as a rule stored and so at its largest."""
    rels = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    target = io.BytesIO()
    kinds = ("worksheet", "sharedStrings", "styles")
    with zipfile.ZipFile(target, "w", method) as parts:
        parts.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{rels}"><sheets><sheet name="x" '
            'sheetId="1" r:id="worksheet"/></sheets></workbook>',
        )
        links = "".join(
            f'<Relationship Id="{kind}" Type="{rels}/{kind}" Target="{kind}.xml"/>'
            for kind in kinds
        )
        parts.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}">{links}</Relationships>',
        )
        body = f"{before}<sheetData>{sheet}</sheetData>{after}"
        for name, tag, text in (
            ("worksheet", "worksheet", body),
            ("sharedStrings", "sst", strings),
            ("styles", "styleSheet", styles),
        ):
            text = f'{doctype}<{tag} xmlns="{MAIN}">{text}</{tag}>'
            parts.writestr(f"xl/{name}.xml", text)
    return target.getvalue()


_ENTITIES = '<!DOCTYPE x [<!ENTITY a0 "ha">' + "".join(
    f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)
)
_ENTITIES += "]>"


def _overlapping():
    """Return an archive whose directory names the same bytes thousands of times."""
    content = _hostile(_rows("<c><v>1</v></c>", 100), method=zipfile.ZIP_DEFLATED)
    at, end = content.index(b"PK\1\2"), content.rindex(b"PK\5\6")
    parts = content[at:end] * 6_000
    size = struct.pack("<II", len(parts), at)
    return content[:at] + parts + content[end : end + 12] + size + b"\0\0"


def _sheets():
    """Return an .xls in which thousands of sheets are one."""
    content = _records(*[(0x203, bytes(14))] * 100_000)
    head, name, body = content[:20], content[20:33], content[33:]
    place = len(head) + len(name) * 5_000 + 4
    return head + (name[:4] + struct.pack("<I", place) + name[8:]) * 5_000 + body


def _records(*records, texts=b""):
    """Return the bare records of an .xls with one sheet: (code, data), …"""
    head = struct.pack("<HHHHHHII", 0x809, 16, 0x600, 5, 0, 0, 0, 0)
    name = struct.pack("<IBBBB", 0, 0, 0, 1, 0) + b"x"
    end = struct.pack("<HH", 0x0A, 0)
    place = len(head) + 4 + len(name) + len(texts) + len(end)
    name = struct.pack("<HHI", 0x85, len(name), place) + name[4:]
    sheet = head[:6] + struct.pack("<H", 0x10) + head[8:]
    body = b"".join(
        struct.pack("<HH", code, len(data)) + data for code, data in records
    )
    return head + name + texts + end + sheet + body + end


def _texts(text, count):
    """Return the record with the texts, and those that go on with it."""
    data = struct.pack("<II", count, count) + text * count
    size = 8224 // len(text) * len(text)
    pieces = [
        data[: size + 8],
        *(data[at : at + size] for at in range(size + 8, len(data), size)),
    ]
    return b"".join(
        struct.pack("<HH", 0x3C if index else 0xFC, len(piece)) + piece
        for index, piece in enumerate(pieces)
    )


def _many(code, item, each, tail=b""):
    """Return a sheet of records that hold many of something."""
    data = item * each + tail
    rows = range(SIZE // (len(data) + 8))
    return _records(*((code, struct.pack("<HH", n % 65_536, 0) + data) for n in rows))


SIZE = 45_000_000


def _fill(text):
    return text * (SIZE // len(text))


def _rows(cells, count):
    return f"<row>{cells}</row>" * count


HOSTILE = {
    "empty cells in one row": lambda: _hostile(f"<row>{_fill('<c/>')}</row>"),
    "empty cells in all rows": lambda: _hostile(_rows("<c/>" * 900, 12_000)),
    "empty strings": lambda: _hostile(strings=_fill("<si/>")),
    "strings of one letter": lambda: _hostile(strings="<si><t>x</t></si>" * 999_999),
    "runs in strings": lambda: _hostile(strings="<si><r><t>x</t></r></si>" * 299_000),
    "empty rows": lambda: _hostile(_fill('<row ht="1"/>')),
    "rows of one cell": lambda: _hostile(_rows("<c><v>1</v></c>", 200_000)),
    "cells of one digit": lambda: _hostile(_rows("<c><v>1</v></c>" * 100, 29_000)),
    "cells of one digit, all that may be": lambda: _hostile(
        _rows("<c><v>1</v></c>" * 100, 19_900)
    ),
    "inline strings": lambda: _hostile(
        _rows('<c t="inlineStr"><is><t>x</t></is></c>' * 60, 18_000)
    ),
    "columns": lambda: _hostile(before=_fill('<col min="1" max="2"/>')),
    "styles": lambda: _hostile(
        styles="<cellXfs>" + '<xf numFmtId="9"/>' * 200_000 + "</cellXfs>"
    ),
    "an attribute of 10 MB": lambda: _hostile(f'<row x="{_noise(10_000_000)}"/>'),
    "tags that are never closed": lambda: _hostile(
        f"<row>{'<c ' * 1_300_000}<c><v>1</v></c></row>" * 10
    ),
    "a text of 40 MB": lambda: _hostile(
        f"<row><c><v>{_noise(40_000_000)}</v></c></row>"
    ),
    "long texts": lambda: _hostile(
        strings="".join(f"<si><t>{_noise(30_000)}</t></si>" for _n in range(1_500))
    ),
    "a row numbered 20 million": lambda: _hostile('<row r="20000000"><c/></row>'),
    "rich texts in cells": lambda: _hostile(
        _rows('<c t="inlineStr"><is><r><t>x</t></r></is></c>' * 60, 4_990)
    ),
    "strings and cells": lambda: _hostile(
        _rows('<c t="s"><v>7</v></c>' * 100, 10_000), "<si><t>x</t></si>" * 999_999
    ),
    "merged cells": lambda: _hostile(after=_fill('<mergeCell ref="A1:B2"/>')),
    "hyperlinks": lambda: _hostile(after=_fill('<hyperlink ref="A1"/>')),
    "data validations": lambda: _hostile(
        after=_fill('<dataValidations><dataValidation sqref="A1"/></dataValidations>')
    ),
    "entities": lambda: _hostile(doctype=_ENTITIES),
    "a bomb of 100 MB in 100 KB": lambda: _hostile(
        " " * 100_000_000, method=zipfile.ZIP_DEFLATED
    ),
    "random cells, packed": lambda: _hostile(
        "".join(
            _rows("".join(f"<c><v>{_RANDOM.random()}</v></c>" for _n in range(10)), 1)
            for _row in range(190_000)
        ),
        method=zipfile.ZIP_DEFLATED,
    ),
    "a part told a thousand times": lambda: _overlapping(),
    "a text file of one line": lambda: b"x" * SIZE,
    "a text file of quotes": lambda: b'"' + b"x\n" * (SIZE // 2),
    "a text file of nothing but quotes": lambda: b'"' * SIZE,
    "a text file of short fields": lambda: b'"x\n",' * (SIZE // 5),
    "a text file of separators": lambda: b";" * SIZE,
    "a text file of lines of separators": lambda: (b";" * 999_000 + b"\n") * 45,
    "a text file of short lines": lambda: b"1\n" * (SIZE // 2),
    "a text file of wide rows": lambda: (b"1;" * 990 + b"\n") * (SIZE // 1981),
    "a text file with zeros": lambda: b"1\0\n" * (SIZE // 3),
    "a text file of noise": lambda: _RANDOM.randbytes(SIZE).replace(b"\0", b" "),
    "a container of noise": lambda: (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + _RANDOM.randbytes(SIZE)
    ),
    ".xls of numbers": lambda: _records(
        *(
            (0x203, struct.pack("<HHHd", n // 30, n % 30, 0, n))
            for n in range(SIZE // 23)
        )
    ),
    ".xls of packed numbers": lambda: _many(0xBD, b"\0\0\x01\0\0\0", 250, b"\xf9\0"),
    ".xls of empty cells": lambda: _many(0xBE, b"\0\0", 250, b"\xf9\0"),
    ".xls of merged cells": lambda: _records(
        *((0xE5, struct.pack("<H", 1000) + bytes(8000)) for _n in range(SIZE // 8006))
    ),
    ".xls of fonts": lambda: _records(
        texts=(struct.pack("<HH", 0xE0, 20) + bytes(20)) * (SIZE // 24)
    ),
    ".xls of short texts": lambda: _records(texts=_texts(b"\2\0\0xy", SIZE // 5)),
    ".xls of a million texts": lambda: _records(texts=_texts(b"\2\0\0xy", 999_999)),
    ".xls of fonts in texts": lambda: _records(
        texts=_texts(b"\1\0\x08\xe8\x03x" + b"\x99\x99" * 2000, SIZE // 4006)
    ),
    ".xls of texts read anew": lambda: _records(
        texts=_texts(b"\1\0\4\xf6\xff\xff\xffx", 900_000)
    ),
    ".xls of one sheet named often": lambda: _sheets(),
    ".xls of nothing": lambda: b"\x09\x08" + bytes(SIZE),
}


# --- figures ---


def run(*args):
    """Run one measure in a process of its own; (seconds, megabytes, what it told)."""
    command = [sys.executable, __file__, "--one", *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, peak, told = done.stdout.strip().split("\t")
    return float(seconds), int(peak), told


def one(kind, name, given):
    """Do one measure and print it; "make" writes a hostile file for another."""
    if kind == "make":
        print("0\t0\t", Path(given).write_bytes(HOSTILE[name]()))
        return
    content = Path(given).read_bytes() if kind == "read" else int(given)
    begun = time.process_time()
    try:
        told = globals()[name](content)
    except SheetError as error:
        told = error.code
    seconds = time.process_time() - begun
    # Not ru_maxrss, which begins with that of the process before.
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) // 1024
    print(f"{seconds:.2f}\t{peak}\t{told}")


def compare(title, kind, ours, bare, given):
    mine, memory, _told = run(kind, ours, given)
    for name in bare:
        theirs, their_memory, _told = run(kind, name, given)
        print(
            f"{title:26} {mine:6.2f} s {memory:4} MB   {name[name.index('_') + 1 :]:12}"
            f" {theirs:6.2f} s {their_memory:4} MB   {mine / theirs:.2f} x"
        )


def main(count, *kinds):
    """Print all figures, or with words those of the harmful files named so."""
    folder = Path("/tmp") / "sheets_benchmark"
    folder.mkdir(exist_ok=True)
    if not kinds:
        _compare_all(folder, count)
    path = folder / "hostile"
    for name in HOSTILE:
        if not kinds or any(kind in name for kind in kinds):
            run("make", name, path)
            seconds, memory, told = run("read", "read_ours", path)
            print(f"| {name} | {seconds:.1f} | {memory} | `{told}` |", flush=True)


def _compare_all(folder, count):
    for title, make, bare in (
        (".xlsx of texts", make_texts, ["read_openpyxl"]),
        (".xlsx of amounts, dates", make_amounts, ["read_openpyxl"]),
        (".xls of texts", make_xls, ["read_xlrd"]),
    ):
        path = folder / make.__name__
        path.write_bytes(make(count))
        compare(f"read {title}", "read", "read_ours", bare, path)
    path = folder / "csv"
    path.write_bytes(make_csv(count))
    seconds, memory, _told = run("read", "read_ours", path)
    print(f"{'read .csv':26} {seconds:6.2f} s {memory:4} MB")
    bare = ["write_xlsxwriter", "write_openpyxl"]
    compare("write .xlsx of texts", "write", "write_ours", bare, count)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(*sys.argv[2:])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 100_000, *sys.argv[2:])
