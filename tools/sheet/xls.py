"""Workbooks of Excel 5 to 2003 (.xls), read by xlrd."""

import os
from collections.abc import Iterator

import xlrd

from .biff import checked
from .errors import SheetError
from .model import Limits, Region, Row
from .ole import SIGNATURE, Container
from .show import BAD_NUMBER, Shower, format_code

_NUMBERS = (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE)
_STREAMS = ("Workbook", "WORKBOOK", "Book", "BOOK")


class Xls:
    """An .xls workbook, wholly in memory: the format holds 65,536 rows at most.

    :raise SheetError: "password", "old_excel", "corrupt", "no_sheets"
    """

    kind = "xls"

    def __init__(self, content: bytes, limits: Limits, region: Region):
        self._limits = limits
        self._book = _open(content, limits)
        self._show = Shower(region, bool(self._book.datemode))
        self._functions: dict = {}
        if not self.sheets:
            raise SheetError("no_sheets")

    @property
    def sheets(self) -> list[tuple[str, bool]]:
        """The sheets in the workbook's order: (name, whether it is hidden)."""
        return [(sheet.name, bool(sheet.visibility)) for sheet in self._book.sheets()]

    def read_sheet(self, sheet: str, limit: int | None) -> tuple[list, Iterator[Row]]:
        """Return the merged ranges and the rows of a sheet."""
        cells = self._book.sheet_by_name(sheet)
        merges = [
            (top, left, bottom - 1, right - 1)
            for top, bottom, left, right in cells.merged_cells
        ]
        return merges, self._rows(cells, limit)

    def _rows(self, cells, limit: int | None) -> Iterator[Row]:
        for index in range(min(cells.nrows, limit or cells.nrows)):
            if index >= self._limits.rows:
                raise SheetError("too_many_rows", limit=self._limits.rows)
            try:
                yield self._row(index, cells)
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                raise SheetError("row", sheet=cells.name, row=index + 1) from error

    def _row(self, index: int, cells) -> Row:
        values, errors = cells.row_values(index), []
        for column, kind in enumerate(cells.row_types(index)):
            if kind in _NUMBERS:
                function = self._function(cells.cell_xf_index(index, column))
                text = function(values[column])
            elif kind == xlrd.XL_CELL_BOOLEAN:
                text = self._show.truth(bool(values[column]))
            elif kind == xlrd.XL_CELL_ERROR:
                text = xlrd.error_text_from_code.get(values[column], "#N/A")
            else:
                continue
            values[column] = text
            if kind == xlrd.XL_CELL_ERROR or text == BAD_NUMBER:
                errors.append(column)
        info = cells.rowinfo_map.get(index)
        return Row(index + 1, values, tuple(errors), bool(info and info.hidden))

    def _function(self, style: int):
        """Return what shows the numbers of a style."""
        if style not in self._functions:
            styles = self._book.xf_list
            key = styles[style].format_key if style < len(styles) else 0
            known = self._book.format_map.get(key)
            code = format_code(key, {key: known.format_str} if known else {})
            self._functions[style] = self._show.by(code)
        return self._functions[style]


def _open(content: bytes, limits: Limits) -> xlrd.Book:
    try:
        # xlrd writes its warnings to the standard output, which belongs to the server
        with open(os.devnull, "w") as nowhere:
            return xlrd.open_workbook(
                file_contents=checked(_stream(content), limits.cells),
                logfile=nowhere,
                formatting_info=True,
                ragged_rows=True,
            )
    except SheetError:
        raise
    except Exception as error:
        # xlrd raises whatever a damaged record leads to: struct.error, IndexError,
        # AssertionError, …
        old = "BIFF" in str(error) or "BOF" in str(error)
        raise SheetError("old_excel" if old else "corrupt") from error


def _stream(content: bytes) -> bytes:
    """Return the records of the workbook."""
    if not content.startswith(SIGNATURE):
        return content
    container = Container(content)
    for name in _STREAMS:
        if name in container.names:
            return container.get_stream(name)
    if "EncryptedPackage" in container.names:
        raise SheetError("password")
    if container.names & {"WordDocument", "PowerPoint Document"}:
        raise SheetError("document")
    raise SheetError("unknown")
