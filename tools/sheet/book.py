"""One way into a spreadsheet, whatever its kind."""

from collections.abc import Iterator
from itertools import islice

from .columns import HEAD_ROWS, find_header
from .csvfile import Csv
from .errors import SheetError
from .model import LIMITS, REGION, Limits, Merge, Region, Row
from .sniff import sniff
from .xls import Xls
from .xlsx import Xlsx


class Book:
    """An opened spreadsheet.

    ``kind`` is "xls", "xlsx" or "csv"; ``sheets`` has the names of the sheets, the
    visible ones first; ``hidden`` those that the user does not see in Excel.
    ``encoding`` and ``separator`` tell how a .csv was read, None for the others.
    """

    def __init__(self, source: Xls | Xlsx | Csv, limits: Limits):
        self._source = source
        self._limits = limits
        self._merges: dict[str, list[Merge]] = {}
        self.kind: str = source.kind
        self.encoding: str | None = getattr(source, "encoding", None)
        self.separator: str | None = getattr(source, "separator", None)
        known = source.sheets
        self.sheets = tuple(name for name, _h in sorted(known, key=lambda s: s[1]))
        self.hidden = frozenset(name for name, hidden in known if hidden)

    def rows(
        self, sheet: str, *, start: int = 0, limit: int | None = None
    ) -> Iterator[Row]:
        """Yield the rows of a sheet as Excel shows them, reading as it goes.

        Row ``number`` n is always the n-th: an empty row is yielded, with no values,
        when a filled one follows.  Merged cells that begin at or above the header
        row all have the text of the range; below it only the first one has.

        :param int start: how many rows to leave out
        :param limit: how many rows to yield at most
        :raise SheetError: "sheet_missing"; and whatever shows only while reading:
            "corrupt", "too_many_columns", "too_many_rows", "csv_quote", …
        """
        if sheet not in self.sheets:
            raise SheetError("sheet_missing", sheet=sheet)
        stop = None if limit is None else start + limit
        return islice(self._filled(sheet), start, stop)

    def _filled(self, sheet: str) -> Iterator[Row]:
        """Yield the rows with the merged cells of the heading filled."""
        rows = _trimmed(self._source.rows(sheet), self._limits.columns)
        head = list(islice(rows, HEAD_ROWS))
        if sheet not in self._merges:
            self._merges[sheet] = self._source.merges(sheet, len(head))
        if merges := self._merges[sheet]:
            head = _fill_heading(head, merges)
        yield from head
        yield from rows


def open_book(
    content: bytes,
    filename: str | None = None,
    *,
    limits: Limits = LIMITS,
    region: Region = REGION,
) -> Book:
    """Open a spreadsheet: .xls (Excel 97 and later), .xlsx, .xlsm or .csv.

    :param bytes content: the file; its kind is told by the bytes alone
    :param filename: its name, which becomes the sheet's name of a .csv
    :param Limits limits: what is too much
    :param Region region: decimal mark, thousands' mark and short date to show
    :raise SheetError: the reason why the file cannot be imported
    """
    kind, package = sniff(content, limits)
    if kind == "xlsx":
        return Book(Xlsx(package, limits, region), limits)
    if kind == "xls":
        return Book(Xls(content, limits, region), limits)
    return Book(Csv(content, filename, limits), limits)


def _trimmed(rows: Iterator[Row], columns: int) -> Iterator[Row]:
    """Yield every row up to the last filled one, without empty cells at the end."""
    last = 0
    for row in rows:
        values = row.values
        while values and not values[-1] and len(values) - 1 not in row.errors:
            values.pop()
        if len(values) > columns:
            raise SheetError("too_many_columns", row=row.number, limit=columns)
        if values:
            for number in range(last + 1, row.number):
                yield Row(number, [])
            last = row.number
            yield row


def _fill_heading(head: list[Row], merges: list[Merge]) -> list[Row]:
    """Fill the merged cells that begin at or above the header row."""
    filled = _fill(head, merges)
    header = find_header([row.values for row in filled])
    if header is None:
        return head
    return _fill(head, [merge for merge in merges if merge.top <= header])


def _fill(head: list[Row], merges: list[Merge]) -> list[Row]:
    """Return the rows with the text of each range in all of its cells.

    A range may reach to the sheet's last column: it is filled as far as the other
    rows are wide.
    """
    width = max((len(row.values) for row in head), default=0)
    rows = [Row(row.number, list(row.values), row.errors) for row in head]
    for merge in merges:
        corner = rows[merge.top].values
        text = corner[merge.left] if merge.left < len(corner) else ""
        if not text:
            continue
        for row in rows[merge.top : merge.bottom + 1]:
            right = min(merge.right + 1, width)
            row.values.extend([""] * (right - len(row.values)))
            row.values[merge.left : right] = [text] * (right - merge.left)
    return rows
