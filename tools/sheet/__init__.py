"""Spreadsheets in and out: .xls, .xlsx and .csv read as Excel shows them, and lists
written such that they import back unchanged."""

from .book import Book, open_book
from .columns import HEAD_ROWS, find_header, guess_columns, signature
from .errors import MESSAGES, SheetError
from .model import Limits, Region, Row
from .writer import Column, write_xls, write_xlsx

__all__ = [
    "HEAD_ROWS",
    "MESSAGES",
    "Book",
    "Column",
    "Limits",
    "Region",
    "Row",
    "SheetError",
    "find_header",
    "guess_columns",
    "open_book",
    "signature",
    "write_xls",
    "write_xlsx",
]
