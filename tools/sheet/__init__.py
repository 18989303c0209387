"""Spreadsheets in and out: .xls, .xlsx and .csv are read as a person sees them, and
lists are written so that an import gives them back unchanged.

Whatever a file holds, the only error is :class:`SheetError`. It has a code and no
words: the sentences are in ``services/sheet_words.py``.
"""

from .book import Book, open_book
from .charset import ENCODINGS
from .columns import HEAD_ROWS, find_header, guess_columns, signature
from .errors import SheetError
from .model import LIMITS, MAX_ROWS, REGION, Limits, Region, Row
from .writer import Column, write_xls, write_xlsx
