"""Spreadsheets against the bare libraries, and against files that mean harm.

    python benchmarks/sheets.py [rows]

needs no Odoo, only the libraries.  Each figure is of a process of its own: seconds of
the processor, megabytes at the most (the interpreter and the file included).
"""

import io
import random
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

COLUMNS = [Column(str(index), f"Title {index}") for index in range(5)]
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


def _hostile(sheet="", strings="", styles="", before=""):
    """Return a workbook with these parts, stored and so as large as it may be."""
    rels = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    target = io.BytesIO()
    kinds = ("worksheet", "sharedStrings", "styles")
    with zipfile.ZipFile(target, "w") as parts:
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
        body = f"{before}<sheetData>{sheet}</sheetData>"
        for name, tag, text in (
            ("worksheet", "worksheet", body),
            ("sharedStrings", "sst", strings),
            ("styles", "styleSheet", styles),
        ):
            parts.writestr(f"xl/{name}.xml", f'<{tag} xmlns="{MAIN}">{text}</{tag}>')
    return target.getvalue()


SIZE = 45_000_000


def _fill(text):
    return text * (SIZE // len(text))


def _rows(cells, count):
    return f"<row>{cells}</row>" * count


HOSTILE = {
    "empty cells in one row": lambda: _hostile(f"<row>{_fill('<c/>')}</row>"),
    "empty cells": lambda: _hostile(_rows("<c/>" * 900, 12_000)),
    "empty strings": lambda: _hostile(strings=_fill("<si/>")),
    "strings of one letter": lambda: _hostile(strings="<si><t>x</t></si>" * 999_999),
    "runs in strings": lambda: _hostile(strings="<si><r><t>x</t></r></si>" * 299_000),
    "empty rows": lambda: _hostile(_fill('<row ht="1"/>')),
    "rows of one cell": lambda: _hostile(_rows("<c><v>1</v></c>", 200_000)),
    "cells of one digit": lambda: _hostile(_rows("<c><v>1</v></c>" * 100, 29_000)),
    "cells up to the limit": lambda: _hostile(_rows("<c/>" * 900, 3_300)),
    "inline strings": lambda: _hostile(
        _rows('<c t="inlineStr"><is><t>x</t></is></c>' * 60, 18_000)
    ),
    "columns": lambda: _hostile(before=_fill('<col min="1" max="2"/>')),
    "styles": lambda: _hostile(
        styles="<cellXfs>" + '<xf numFmtId="9"/>' * 200_000 + "</cellXfs>"
    ),
    "an attribute of 10 MB": lambda: _hostile(f'<row x="{_noise(10_000_000)}"/>'),
    "a text of 40 MB": lambda: _hostile(
        f"<row><c><v>{_noise(40_000_000)}</v></c></row>"
    ),
    "long texts": lambda: _hostile(
        strings="".join(f"<si><t>{_noise(30_000)}</t></si>" for _n in range(1_500))
    ),
    "a row numbered 20 million": lambda: _hostile('<row r="20000000"><c/></row>'),
    "a text file of quotes": lambda: b'"' + b"x\n" * (SIZE // 2),
    "a text file of separators": lambda: b";" * SIZE,
    "a text file of short lines": lambda: b"1\n" * (SIZE // 2),
    "a text file of noise": lambda: _RANDOM.randbytes(SIZE).replace(b"\0", b" "),
    "a container of noise": lambda: (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + _RANDOM.randbytes(SIZE)
    ),
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


def main(count):
    folder = Path("/tmp") / "sheets_benchmark"
    folder.mkdir(exist_ok=True)
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
    print()
    path = folder / "hostile"
    for name in HOSTILE:
        run("make", name, path)
        seconds, memory, told = run("read", "read_ours", path)
        print(f"{name:28} {seconds:6.2f} s {memory:4} MB   {told}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(*sys.argv[2:])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 100_000)
