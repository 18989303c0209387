"""Workbooks of Excel 97–2003 (.xls), read by xlrd."""

import io
import math
from collections.abc import Iterator, Sequence

import xlrd
from xlrd.biffh import XL_CONTINUE, XL_WORKBOOK_GLOBALS
from xlrd.compdoc import CompDoc

from .errors import SheetError
from .model import Limits, Merge, Region, Row
from .numfmt import compile_format
from .sst import read_strings
from .xlsx import builtin

_BIFF8 = 80
_TEXT = (xlrd.XL_CELL_TEXT, xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK)
_NUMBERS = (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE)


class _Silence(io.TextIOBase):
    """Where xlrd's warnings go: the standard output belongs to the server."""

    # not a model: no method of the ORM is overridden
    # pylint: disable-next=method-required-super
    def write(self, text: str) -> int:
        return len(text)


class Xls:
    """An .xls workbook, wholly in memory: the format holds 65,536 rows at most.

    :raise SheetError: "password", "old_excel", "corrupt", "no_sheets"
    """

    kind = "xls"

    def __init__(self, content: bytes, limits: Limits, region: Region):
        self._limits = limits
        self._region = region
        self._book = _open(content)
        self._renderers: dict[int, object] = {}
        if not self.sheets:
            raise SheetError("no_sheets")

    @property
    def sheets(self) -> list[tuple[str, bool]]:
        """The sheets in the workbook's order: (name, whether it is hidden)."""
        return [(sheet.name, bool(sheet.visibility)) for sheet in self._book.sheets()]

    def merges(self, sheet: str, rows: int) -> list[Merge]:
        """Return the merged ranges that begin in the first ``rows`` rows."""
        return [
            Merge(top, left, bottom - 1, right - 1)
            for top, bottom, left, right in self._book.sheet_by_name(sheet).merged_cells
            if top < rows
        ]

    def rows(self, sheet: str) -> Iterator[Row]:
        """Yield every row of the sheet, the empty ones too."""
        cells = self._book.sheet_by_name(sheet)
        for index in range(cells.nrows):
            if index >= self._limits.rows:
                raise SheetError("too_many_rows", limit=self._limits.rows)
            yield self._row(index, cells)

    def _row(self, index: int, cells) -> Row:
        kinds = cells.row_types(index)
        values, errors = [], []
        for column, value in enumerate(cells.row_values(index)):
            kind = kinds[column]
            if kind in _NUMBERS and not math.isfinite(value):
                value = "#NUM!"
                errors.append(column)
            elif kind in _NUMBERS:
                value = self._number(value, cells.cell_xf_index(index, column))
            elif kind == xlrd.XL_CELL_BOOLEAN:
                value = "TRUE" if value else "FALSE"
            elif kind == xlrd.XL_CELL_ERROR:
                value = xlrd.error_text_from_code.get(value, "#N/A")
                errors.append(column)
            elif kind not in _TEXT:
                value = ""
            values.append(value)
        return Row(index + 1, values, tuple(errors))

    def _number(self, value: float, style: int) -> str:
        render = self._renderers.get(style)
        if render is None:
            render = self._renderers[style] = self._renderer(style)
        return render(value)

    def _renderer(self, style: int):
        key, code = 0, None
        if 0 <= style < len(self._book.xf_list):
            key = self._book.xf_list[style].format_key
        if key in self._book.format_map:
            code = self._book.format_map[key].format_str
        code = builtin(key, code, self._region)
        date1904 = bool(self._book.datemode)
        return compile_format(code, region=self._region, date1904=date1904)


class _Book(xlrd.Book):
    """xlrd's workbook with another reader of the shared strings."""

    def handle_sst(self, data: bytes):
        records = [data]
        while True:
            found, _size, data = self.get_record_parts_conditional(XL_CONTINUE)
            if found is None:
                break
            records.append(data)
        self._sharedstrings = read_strings(records)
        self._rich_text_runlist_map = {}


def _open(content: bytes) -> xlrd.Book:
    options = {
        "file_contents": content,
        "logfile": _Silence(),
        "formatting_info": True,
        "ragged_rows": True,
    }
    try:
        try:
            book = xlrd.open_workbook(**options)
        except UnicodeDecodeError:
            book = _open_tolerantly(options)
    except Exception as error:
        # xlrd raises whatever a damaged record leads to: struct.error, IndexError,
        # AssertionError, …
        encrypted = "encrypted" in str(error)
        raise SheetError("password" if encrypted else "corrupt") from error
    if book.biff_version < _BIFF8:
        raise SheetError("old_excel")
    return book


def _open_tolerantly(options: dict) -> _Book:
    """Do what ``xlrd.open_workbook`` does, which does not let choose the class."""
    book = _Book()
    book.biff2_8_load(**options)
    book.biff_version = book.getbof(XL_WORKBOOK_GLOBALS)
    book.parse_globals()
    book._sheet_list = [None] * len(book.sheet_names())
    book.get_sheets()
    book.nsheets = len(book._sheet_list)
    book.release_resources()
    return book


def streams(content: bytes) -> set[str]:
    """Return the names of the streams of an OLE file (the container of .xls).

    :raise SheetError: "corrupt"
    """
    try:
        container = CompDoc(content, _Silence())
    except Exception as error:
        raise SheetError("corrupt") from error
    if _has_loop(container.SSAT):
        raise SheetError("corrupt")
    return {node.name for node in container.dirlist}


def _has_loop(table: Sequence[int]) -> bool:
    """Tell whether a chain of sectors comes back to itself.

    xlrd would follow the one of small sectors for ever.
    """
    fresh, current, done = range(3)
    states = bytearray(len(table))
    for start in range(len(table)):
        at, path = start, []
        while 0 <= at < len(table) and states[at] == fresh:
            states[at] = current
            path.append(at)
            at = table[at]
        if 0 <= at < len(table) and states[at] == current:
            return True
        for index in path:
            states[index] = done
    return False
