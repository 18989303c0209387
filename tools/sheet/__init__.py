"""Spreadsheets in and out: .xls, .xlsx and .csv are read as a person sees them, and
lists are written so that an import gives them back unchanged.

Reading
    ``open_book(content, filename=None, *, limits=LIMITS, region=REGION,
    encoding=None)`` returns a :class:`Book`; the bytes alone tell the kind of the file.

    =========================  ======================================================
    ``book.kind``              "xls", "xlsx" or "csv"
    ``book.sheets``            tuple of names, the visible sheets first
    ``book.hidden``            frozenset of the names of hidden sheets
    ``book.encoding``          codec of a .csv, else None; ``encoding=`` of
                               ``open_book`` overrides the guess (``ENCODINGS`` are
                               the ones worth offering)
    ``book.separator``         of a .csv ("" for a single column), else None
    ``book.notes``             list of :class:`SheetError`, not raised: what was read
                               in spite of a fault, such as characters that are none
                               in a .csv; known once it is open
    ``book.rows(sheet, *,      iterator over :class:`Row`; each call reads the sheet
    limit=None)``              from its beginning, ``limit`` rows of it at most (which
                               is quick: only so much of the sheet is read)
    =========================  ======================================================

    ``Row(number, values, errors, hidden)``: the row's number in the sheet, from 1; its
    cells as text without the empty ones at the end; the positions of cells with an
    error or a formula without a result; whether a filter or the user hides it.
    Row ``number`` n is always the n-th: an empty row is yielded, with no values, when
    a filled one follows.  ``limit`` counts them too.

    ``find_header(rows)``, ``guess_columns(header, sample)`` and ``signature(header)``
    take lists of ``row.values``.  ``guess_columns`` returns ``{"phone", "phone2",
    "name": index or None, "extra": [index, ...], "confidence": {"phone": 0..1,
    "name": 0..1}}``; "phone2" is to be taken where "phone" is empty.

Writing
    ``write_xlsx(columns, rows, *, sheet="Sheet1")`` and ``write_xls(...)`` return
    bytes; see :class:`Column`.

Errors
    Whatever a file holds, the only error is :class:`SheetError`, from ``open_book``
    and from the iteration of ``rows``.  It has ``code`` and ``params`` and no words:
    the sentences are ``services/sheet_words.py``.
"""

from .book import Book, open_book
from .charset import ENCODINGS
from .columns import HEAD_ROWS, find_header, guess_columns, signature
from .errors import SheetError
from .model import LIMITS, MAX_ROWS, REGION, Limits, Region, Row
from .writer import Column, write_xls, write_xlsx

__all__ = [
    "ENCODINGS",
    "HEAD_ROWS",
    "LIMITS",
    "MAX_ROWS",
    "REGION",
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
