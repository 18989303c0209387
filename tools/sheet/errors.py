"""Why a spreadsheet cannot be read or written: codes and parameters, no words.

The sentences are ``services/sheet_words.py``, where they can be translated.
"""

from dataclasses import dataclass

# Each code with the parameters of its sentence.
CODES = {
    # -- not a file that can be imported
    "empty": (),
    "too_large": ("size_mb", "limit_mb"),
    "html": (),
    "spreadsheetml": (),
    "ods": (),
    "xlsb": (),
    "strict": (),
    "old_excel": (),
    "xls_halves": (),
    "image": (),
    "document": (),
    "archive": (),
    "other_kind": ("kind",),
    "unknown": (),
    "password": (),
    # -- damaged, or made to do harm
    "corrupt": (),
    "row": ("sheet", "row"),
    "forbidden_xml": (),
    "packed_too_much": (),
    "unpacks_too_large": ("limit_mb",),
    "too_many_rows": ("limit",),
    "too_many_columns": ("row", "limit"),
    "too_many_cells": ("limit",),
    "row_too_long": ("row",),
    "encoding": ("encoding",),
    "csv_quote": ("row",),
    "csv_lines": ("row", "lines"),
    "no_sheets": (),
    "sheet_missing": ("sheet",),
    # -- writing
    "cell_too_long": ("row", "column", "limit"),
    "xls_too_many_rows": ("limit",),
    "xlsx_too_many_rows": ("limit",),
    # -- pasting
    "paste_too_long": ("limit",),
}
NOTES = {
    "bad_characters": ("count", "lines"),
}


class SheetError(Exception):
    """A spreadsheet cannot be read or written, and the user can be told why.

    :ivar str code: a key of ``CODES``
    :ivar dict params: what its sentence names: numbers, a row's number, a title
    """

    def __init__(self, code, **params):
        super().__init__(code, params)
        self.code = code
        self.params = params


@dataclass(frozen=True)
class SheetNote:
    """What was read in spite of a fault: a key of ``NOTES``, and its parameters."""

    code: str
    params: dict
