"""Tables as text: .csv and its relatives, whatever their separator and encoding."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, count, islice
from pathlib import PurePath

from .charset import ENCODINGS, find_encoding
from .errors import SheetError
from .model import Limits, Row

_SEPARATORS = ";\t,|"
_CODECS = {*ENCODINGS, "utf-8-sig", "utf-16", "utf-16-be"}
_SAMPLE_ROWS = 200
# A row with more lines comes from a stray quotation mark.
_LINES = 100
_SHOWN_LINES = 10
# The share of rows that have to agree on the number of columns, and what it counts
# that a row has the separator at all: ragged rows are tables too.
_AGREE, _RAGGED = 0.5, 0.6
# The separator for the parser when the file has one column: no text contains it.
_NONE = "\x1f"
# Added after the last line, to see whether a quotation mark is still open there.
_END = "\x1e\x1e"
_SEP_LINE = re.compile(r"sep=(.)\r?\n?$", re.IGNORECASE | re.DOTALL)
_AS_TEXT = re.compile(r'="([^"]*)"$')


class Csv:
    """A table kept as text.

    ``encoding`` is the codec used and ``separator`` the character, "" when the file
    has a single column; ``notes`` names the characters that could not be decoded.

    :param filename: gives the one sheet its name
    :param encoding: the codec, None to find it
    :raise SheetError: "encoding", "row_too_long", "csv_quote", "csv_lines"
    """

    kind = "csv"

    def __init__(
        self, content: bytes, filename: str | None, limits: Limits, encoding: str | None
    ):
        self._content = content.rstrip(b"\x1a")  # the mark of DOS for the end of a text
        self._limits = limits
        self._name = PurePath(filename or "").stem or "csv"
        if encoding not in (None, *_CODECS):
            raise SheetError("encoding", encoding=encoding)
        self.encoding = encoding or find_encoding(self._content)
        self.notes = self._find_bad_characters()
        self._told = _told_separator(next(self._lines(), ""))
        self.separator = self._told or self._find_separator()

    @property
    def sheets(self) -> list[tuple[str, bool]]:
        """The one sheet: (name, False)."""
        return [(self._name, False)]

    def read_sheet(self, _sheet: str, _limit: int | None) -> tuple[list, Iterator[Row]]:
        """Return no merged cells, and the rows, numbered as by Excel, not by line."""
        return [], self._rows()

    def _rows(self) -> Iterator[Row]:
        for number, values in enumerate(self._records(self.separator), 1):
            if number > self._limits.rows:
                raise SheetError("too_many_rows", limit=self._limits.rows)
            yield Row(number, [_unwrap(value) for value in values])

    def _find_bad_characters(self) -> list[SheetError]:
        count, lines = 0, []
        for number, line in enumerate(self._lines(), 1):
            if bad := line.count("\ufffd"):
                count += bad
                lines.append(number)
        if not count:
            return []
        shown = ", ".join(map(str, lines[:_SHOWN_LINES]))
        more = ", …" if len(lines) > _SHOWN_LINES else ""
        return [SheetError("bad_characters", count=count, lines=shown + more)]

    def _lines(self) -> Iterator[str]:
        """Yield the lines with their ends, each of them bounded."""
        limit = self._limits.row_chars
        with io.TextIOWrapper(
            io.BytesIO(self._content), self.encoding, "replace", newline=""
        ) as stream:
            for number in count(1):
                line = stream.readline(limit + 1)
                if len(line) > limit:
                    raise SheetError("row_too_long", row=number)
                if not line:
                    return
                yield line

    def _records(self, separator: str) -> Iterator[list[str]]:
        """Yield the fields of each row.

        :raise SheetError: "csv_quote" when a quoted field has no end, "csv_lines" when
            it seems to be closed by the opening mark of another
        """
        row, above, size = 1, 0, 0

        def lines():
            nonlocal size
            for line in chain(islice(self._lines(), bool(self._told), None), [_END]):
                size += len(line)
                if size > self._limits.row_chars:
                    raise SheetError("csv_quote", row=row)
                yield line

        reader = csv.reader(lines(), delimiter=separator or _NONE)
        try:
            for values in reader:
                if values and _END in values[-1]:
                    if values == [_END]:
                        return
                    raise SheetError("csv_quote", row=row)
                if reader.line_num - above > _LINES:
                    told = reader.line_num - above
                    raise SheetError("csv_lines", row=row, lines=told)
                yield values
                row, above, size = row + 1, reader.line_num, 0
        except csv.Error as error:  # the parser's own limit of a field
            raise SheetError("csv_quote", row=row) from error

    def _find_separator(self) -> str:
        """Return the separator by which most rows have equally many columns."""
        best, best_score = "", (_AGREE, 0)
        for separator in _SEPARATORS:
            score = self._agreement(separator)
            if score > best_score:
                best, best_score = separator, score
        return best

    def _agreement(self, separator: str) -> tuple[float, int]:
        try:
            rows = islice(self._records(separator), _SAMPLE_ROWS)
            widths = [len(values) for values in rows if any(values)]
        except SheetError:
            return 0.0, 0  # the quotes make no sense with this separator
        wide = Counter(width for width in widths if width > 1)
        if not wide:
            return 0.0, 0
        width, rows = wide.most_common(1)[0]
        return max(rows, _RAGGED * wide.total()) / len(widths), width


def _told_separator(line: str) -> str:
    """Return what a first line "sep=;" says: Excel's own way to tell it."""
    match = _SEP_LINE.match(line)
    return match[1] if match and match[1] not in '"\r\n' else ""


def _unwrap(value: str) -> str:
    """Take off ="…", by which exporters keep Excel from making a number of it."""
    if value.startswith('="') and (match := _AS_TEXT.match(value)):
        return match[1]
    return value
