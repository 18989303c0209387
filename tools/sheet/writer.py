"""Lists and journals as .xlsx and .xls, such that they import back unchanged.

Text is always written as text: a number keeps its leading zeros and its plus, and a
cell that begins with "=" is not a formula.  Characters that XML has no place for
(control characters, halves of surrogate pairs) are left out, from .xls too, so that
both formats hold the same; nothing else is dropped or cut.
"""

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import xlsxwriter
import xlwt

from .errors import SheetError

XLS_ROWS = 65_535
XLSX_ROWS = 1_048_575
CELL_CHARS = 32_767
DATE_FORMAT = "dd.mm.yyyy hh:mm:ss"

_KINDS = ("text", "number", "datetime", "integer")
_FORMATS = {"text": "@", "number": "General", "datetime": DATE_FORMAT, "integer": "0"}
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SHEET_NAME = re.compile(r"[\[\]:*?/\\]")
_NO_DATE = datetime(1900, 3, 1)  # before it Excel's calendar is a day off


@dataclass(frozen=True)
class Column:
    """A column to write.

    :param str key: the value's key in a row that is a dict
    :param str title: what the header row says
    :param str kind: "text", "number", "datetime" or "integer"
    :param int width: in characters
    """

    key: str
    title: str
    kind: str = "text"
    width: int = 16

    def __post_init__(self):
        if self.kind not in _KINDS:
            raise ValueError(f"Unknown kind of column: {self.kind}")


def write_xlsx(
    columns: list[Column], rows: Iterable, *, sheet: str = "Sheet1"
) -> bytes:
    """Write a workbook with one sheet, row by row in constant memory.

    :param columns: what each row has
    :param rows: dicts by the columns' keys, or sequences in the columns' order; None
        and False leave a cell empty, a datetime has no time zone
    :param str sheet: the sheet's name; what Excel does not allow in it is left out
    :raise SheetError: "cell_too_long", "xlsx_too_many_rows"
    :raise ValueError: a datetime with a time zone or before March 1900
    """
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"constant_memory": True})
    try:
        page = book.add_worksheet(_sheet_name(sheet))
        count = _fill_xlsx(book, page, columns, rows)
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
    header = xlwt.easyxf("font: bold on; align: wrap on", num_format_str="@")
    styles = {kind: xlwt.XFStyle() for kind in _KINDS}
    for kind, style in styles.items():
        style.num_format_str = _FORMATS[kind]
    for index, column in enumerate(columns):
        page.col(index).width = min(column.width * 256, 65_535)
        page.write(0, index, _clean(column.title, 1, column.title), header)
    page.set_panes_frozen(True)
    page.set_horz_split_pos(1)
    for number, values in _numbered(columns, rows, XLS_ROWS, "xls_too_many_rows"):
        row = page.row(number)
        for index, (column, value) in enumerate(zip(columns, values, strict=True)):
            if value is not None:
                _put_xls(row, index, column.kind, value, styles[column.kind])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _fill_xlsx(book, page, columns: list[Column], rows: Iterable) -> int:
    """Write the header and the rows; return how many rows there were."""
    plain = book.add_format()
    header = book.add_format({"bold": True, "text_wrap": True, "num_format": "@"})
    formats = {kind: book.add_format({"num_format": _FORMATS[kind]}) for kind in _KINDS}
    page.freeze_panes(1, 0)
    page.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    for index, column in enumerate(columns):
        page.set_column(index, index, column.width)
    for index, column in enumerate(columns):
        title = _clean(column.title, 1, column.title)
        _put_text(page, 0, index, title, header, plain)
    number = 0
    for number, values in _numbered(columns, rows, XLSX_ROWS, "xlsx_too_many_rows"):
        for index, (column, value) in enumerate(zip(columns, values, strict=True)):
            style = formats[column.kind]
            if value is None:
                continue
            if column.kind == "text":
                _put_text(page, number, index, value, style, plain)
            elif column.kind == "datetime":
                page.write_datetime(number, index, value, style)
            else:
                page.write_number(number, index, value, style)
    return number


def _put_text(page, row: int, column: int, text: str, style, plain):
    if text.startswith("<r>") and text.endswith("</r>"):
        # The library takes such a text for markup of its own; in two pieces it is
        # escaped like any other.
        page.write_rich_string(row, column, text[:1], plain, text[1:], style)
    elif text:
        page.write_string(row, column, text, style)


def _put_xls(row, index: int, kind: str, value, style):
    if kind == "text":
        if value:
            row.set_cell_text(index, value, style)
    elif kind == "datetime":
        row.set_cell_date(index, value, style)
    else:
        row.set_cell_number(index, value, style)


def _numbered(
    columns: list[Column], rows: Iterable, limit: int, code: str
) -> Iterator[tuple[int, list]]:
    """Yield (row's number below the header, its values ready to be written)."""
    for number, row in enumerate(rows, 1):
        if number > limit:
            raise SheetError(code, limit=limit)
        if isinstance(row, dict):
            row = [row.get(column.key) for column in columns]
        yield (
            number,
            [
                _value(column, value, number + 1)
                for column, value in zip(columns, row, strict=True)
            ],
        )


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
