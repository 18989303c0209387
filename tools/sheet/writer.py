"""Lists and journals as .xlsx and .xls, so that an import gives them back unchanged.

Text is always written as text: a number keeps its leading zeros and its plus, and a
cell that begins with "=" is not a formula.  Characters that XML cannot hold (control
characters, halves of surrogate pairs) are left out, of .xls too, so that both formats
hold the same; nothing else is dropped or cut.
"""

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import xlsxwriter
import xlwt

from .errors import SheetError

XLS_ROWS = 65_535
XLSX_ROWS = 1_048_575
CELL_CHARS = 32_767
DATE_FORMAT = "dd.mm.yyyy hh:mm:ss"

_FORMATS = {"text": "@", "number": "General", "datetime": DATE_FORMAT, "integer": "0"}
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MARKUP = re.compile("<r>.*</r>", re.DOTALL)
# A text that looks like a formula, a number or an address stays a text.
_AS_GIVEN = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
_SHEET_NAME = re.compile(r"[\[\]:*?/\\]")
_NO_DATE = datetime(1900, 3, 1)  # before it Excel's calendar is a day off


@dataclass(frozen=True)
class Column:
    """A column to write.

    :param str title: what the header row says
    :param str kind: "text", "number", "datetime" or "integer"
    :param int width: in characters
    """

    title: str
    kind: str = "text"
    width: int = 16


def write_xlsx(
    columns: list[Column],
    rows: Iterable,
    *,
    sheet: str = "Sheet1",
    hidden: Iterable[int] = (),
) -> bytes:
    """Write a workbook with one sheet, row by row in constant memory.

    :param columns: what each row has
    :param rows: sequences in the columns' order; None and False leave a cell empty, a
        datetime has no time zone
    :param str sheet: the sheet's name; what Excel does not allow in it is left out
    :param hidden: numbers of rows to hide, from 1 below the titles
    :raise SheetError: "cell_too_long", "xlsx_too_many_rows"
    :raise ValueError: a datetime with a time zone or before March 1900
    """
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, _AS_GIVEN)
    try:
        page = book.add_worksheet(_sheet_name(sheet))
        page.freeze_panes(1, 0)
        page.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        for index, column in enumerate(columns):
            page.set_column(index, index, column.width)
        for number in hidden:
            page.set_row(number, None, None, {"hidden": True})
        plain = book.add_format()

        def put(row, index, value, style):
            if isinstance(value, str) and _MARKUP.fullmatch(value):
                # The library takes such a text for markup of its own; in two pieces it
                # is escaped like any other.
                page.write_rich_string(row, index, value[:1], plain, value[1:], style)
            else:
                page.write(row, index, value, style)

        styles = {
            kind: book.add_format({"num_format": code})
            for kind, code in _FORMATS.items()
        }
        header = book.add_format({"bold": True, "text_wrap": True, "num_format": "@"})
        limit = (XLSX_ROWS, "xlsx_too_many_rows")
        count = _fill(put, header, styles, columns, rows, limit)
        page.autofilter(0, 0, count, max(len(columns) - 1, 0))
    finally:
        book.close()
    return target.getvalue()


def write_xls(columns: list[Column], rows: Iterable, *, sheet: str = "Sheet1") -> bytes:
    """Write an .xls workbook with one sheet; see :func:`write_xlsx`.

    :raise SheetError: "cell_too_long", "xls_too_many_rows" (more than 65,535)
    :raise ValueError: a datetime with a time zone or before March 1900
    """
    book = xlwt.Workbook(encoding="utf-8")
    page = book.add_sheet(_sheet_name(sheet))
    page.set_panes_frozen(True)
    page.set_horz_split_pos(1)
    for index, column in enumerate(columns):
        page.col(index).width = min(column.width * 256, 65_535)
    styles = {kind: xlwt.easyxf(num_format_str=code) for kind, code in _FORMATS.items()}
    header = xlwt.easyxf("font: bold on; align: wrap on", num_format_str="@")
    limit = (XLS_ROWS, "xls_too_many_rows")
    _fill(page.write, header, styles, columns, rows, limit)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _fill(put, header, styles: dict, columns: list[Column], rows, limit: tuple) -> int:
    """Write the titles and the rows; return how many rows there were.

    :param put: what writes a cell: (row, column, value, style)
    :param limit: how many rows there may be, and the code of the error
    """
    for index, column in enumerate(columns):
        put(0, index, _clean(column.title, 1, column.title), header)
    number = 0
    for number, row in enumerate(rows, 1):
        if number > limit[0]:
            raise SheetError(limit[1], limit=limit[0])
        for index, (column, value) in enumerate(zip(columns, row, strict=True)):
            value = _value(column, value, number + 1)
            if value not in (None, ""):
                put(number, index, value, styles[column.kind])
    return number


def _value(column: Column, value, row: int):
    if value is None or value is False:
        return None
    if column.kind == "text":
        return _clean(str(value), row, column.title)
    if column.kind == "datetime":
        if value.tzinfo is not None or value < _NO_DATE:
            raise ValueError(f"Not a date that a spreadsheet can hold: {value!r}")
        return value
    return int(value) if column.kind == "integer" else float(value)


def _clean(text: str, row: int, title: str) -> str:
    """Return the text without what cannot be written; refuse what would be cut."""
    text = _UNWRITABLE.sub("", text)
    # Excel counts in units of UTF-16.
    if len(text) > CELL_CHARS // 2:
        if len(text.encode("utf-16-le")) // 2 > CELL_CHARS:
            limit = CELL_CHARS
            raise SheetError("cell_too_long", row=row, column=title, limit=limit)
    return text


def _sheet_name(name: str) -> str:
    return _SHEET_NAME.sub("", _UNWRITABLE.sub("", name))[:31].strip("' ") or "Sheet1"
