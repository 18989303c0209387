"""One way into a spreadsheet, whatever its kind."""

from collections.abc import Iterator
from itertools import islice

from .columns import HEAD_ROWS, find_header
from .csvfile import Csv
from .errors import SheetError
from .model import LIMITS, REGION, Limits, Region, Row
from .sniff import sniff
from .xls import Xls
from .xlsx import Xlsx


class Book:
    """An opened spreadsheet.

    :ivar kind: "xls", "xlsx" or "csv"
    :ivar sheets: names, the visible sheets first
    :ivar hidden: the names of hidden sheets
    :ivar encoding: codec of a .csv, else None
    :ivar separator: of a .csv ("" for a single column), else None
    :ivar notes: list of :class:`SheetError`, not raised: what was read in spite of a
        fault
    """

    def __init__(self, source: Xls | Xlsx | Csv, limits: Limits):
        self._source = source
        self._limits = limits
        self.kind: str = source.kind
        self.encoding: str | None = getattr(source, "encoding", None)
        self.separator: str | None = getattr(source, "separator", None)
        self.notes: list[SheetError] = getattr(source, "notes", [])
        known = source.sheets
        self.sheets = tuple(name for name, _h in sorted(known, key=lambda s: s[1]))
        self.hidden = frozenset(name for name, hidden in known if hidden)

    def rows(self, sheet: str, *, limit: int | None = None) -> Iterator[Row]:
        """Yield the rows of a sheet, reading as it goes.

        Row ``number`` n is always the n-th: an empty row is yielded, with no values,
        when a filled one follows.  Merged cells that begin at or above the header
        row all have the text of the range; below it only the first one has.

        :param int limit: how many rows to yield at most
        :raise SheetError: "sheet_missing"; and whatever shows only while reading:
            "corrupt", "too_many_columns", "too_many_rows", "csv_quote", …
        """
        if sheet not in self.sheets:
            raise SheetError("sheet_missing", sheet=sheet)
        return islice(self._filled(sheet, limit), limit)

    def _filled(self, sheet: str, limit: int | None) -> Iterator[Row]:
        """Yield the rows with the merged cells of the heading filled."""
        # The heading is the same however little is asked for.
        last = limit and max(limit, HEAD_ROWS)
        merges, rows = self._source.read_sheet(sheet, last)
        rows = _trimmed(rows, self._limits.columns)
        head = list(islice(rows, HEAD_ROWS))
        if merges := [merge for merge in merges if merge[0] < len(head)]:
            head = _fill_heading(head, merges)
        yield from head
        yield from rows


def open_book(
    content: bytes,
    filename: str | None = None,
    *,
    limits: Limits = LIMITS,
    region: Region = REGION,
    encoding: str | None = None,
) -> Book:
    """Open a spreadsheet: .xls (Excel 5 and later), .xlsx, .xlsm or .csv.

    :param bytes content: the file; its kind is read from the bytes alone
    :param filename: its name, which becomes the sheet's name of a .csv
    :param Limits limits: what is too much
    :param Region region: how numbers and dates are written
    :param encoding: the codec of a .csv, None to find it
    :raise SheetError: the reason why the file cannot be imported
    """
    kind, package = sniff(content, limits)
    if kind == "xlsx":
        return Book(Xlsx(package, limits, region), limits)
    if kind == "xls":
        return Book(Xls(content, limits, region), limits)
    return Book(Csv(content, filename, limits, encoding), limits)


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


def _fill_heading(head: list[Row], merges: list) -> list[Row]:
    """Fill the merged cells that begin at or above the header row."""
    filled = _fill(head, merges)
    header = find_header([row.values for row in filled])
    if header is None:
        return head
    return _fill(head, [merge for merge in merges if merge[0] <= header])


def _fill(head: list[Row], merges: list) -> list[Row]:
    """Return the rows with the text of each range in all of its cells.

    A range may reach to the sheet's last column: it is filled as far as the other
    rows are wide.
    """
    width = max((len(row.values) for row in head), default=0)
    rows = [row._replace(values=list(row.values)) for row in head]
    for top, left, bottom, right in merges:
        text = "".join(rows[top].values[left : left + 1])
        right = min(right + 1, width)
        for row in rows[top : bottom + 1] if text else ():
            row.values.extend([""] * (right - len(row.values)))
            row.values[left:right] = [text] * (right - left)
    return rows
