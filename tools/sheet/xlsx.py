"""Workbooks of Excel 2007 and later (.xlsx, .xlsm), read as a stream.

openpyxl's reader is not used: it trusts the size that the file claims (1C and some
exporters claim one cell), fails on faults of styling that Excel does not mind, tells
nothing of merged cells when it streams, and takes twice the time.
"""

import math
import re
from collections.abc import Iterator

from openpyxl.styles.numbers import BUILTIN_FORMATS

from .errors import SheetError
from .model import Limits, Merge, Region, Row
from .numfmt import compile_format
from .package import Package
from .xmlpart import CHUNK, feed, local, new_parser, start_tags

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_MERGE = re.compile(
    rb'<(?:\w+:)?mergeCell\s[^<>]*?\bref\s*=\s*["\']([A-Z]+)(\d+):([A-Z]+)(\d+)["\']'
)
_MERGES = 20_000
_STRINGS = 5_000_000
_COLUMN = re.compile(r"\$?([A-Za-z]{1,3})\$?\d")
# Excel takes these from the computer's settings whatever the file says.
_SHORT_DATES = {14: "{}", 22: "{} h:mm"}
_TRUE = {"1", "true"}


class Xlsx:
    """An .xlsx workbook.

    :raise SheetError: "corrupt", "forbidden_xml", "unpacks_too_large", "no_sheets"
    """

    kind = "xlsx"

    def __init__(self, package: Package, limits: Limits, region: Region):
        self._package = package
        self._limits = limits
        self._region = region
        self._strings = None
        self._workbook = main_part(package)
        self._parts: dict[str, str] = {}
        self._others: dict[str, str] = {}
        self._hidden: set[str] = set()
        self._date1904 = False
        self._read_workbook()
        self._styles = self._read_styles()

    @property
    def sheets(self) -> list[tuple[str, bool]]:
        """The sheets in the workbook's order: (name, whether it is hidden)."""
        return [(name, name in self._hidden) for name in self._parts]

    def merges(self, sheet: str, rows: int) -> list[Merge]:
        """Return the merged ranges that begin in the first ``rows`` rows.

        They stand after all cells, so the part is searched for them beforehand.
        """
        found: list[Merge] = []
        tail = b""
        with self._package.open(self._parts[sheet]) as stream:
            while chunk := stream.read(CHUNK):
                text = tail + chunk
                if b"mergeCell" in text:
                    found += filter(None, map(_merge, _MERGE.finditer(text)))
                tail = text[text.rfind(b"<") :][-200:] if b"<" in text else b""
                if len(found) > _MERGES:
                    raise SheetError("corrupt")
        return [merge for merge in found if merge.top < rows]

    def rows(self, sheet: str) -> Iterator[Row]:
        """Yield the rows that the sheet's part holds, in order.

        :raise SheetError: "corrupt", "forbidden_xml", "too_many_columns", …
        """
        if self._strings is None:
            self._strings = self._read_strings()
        parser = _SheetParser(self._strings, self._style, self._limits)
        with self._package.open(self._parts[sheet]) as stream:
            for _chunk in feed(parser.expat, stream):
                yield from parser.taken()

    def _read_workbook(self):
        related = self._package.related(self._workbook)
        parts = {key: (kind, part) for key, kind, part in related}
        self._others = {kind: part for _key, kind, part in related}
        with self._package.open(self._workbook) as stream:
            for path, attributes in start_tags(stream):
                if path[-1] == "workbookPr":
                    self._date1904 = attributes.get("date1904", "") in _TRUE
                elif path[-2:] == ("sheets", "sheet"):
                    self._add_sheet(attributes, parts)
        if not self._parts:
            raise SheetError("no_sheets")

    def _add_sheet(self, attributes: dict, parts: dict):
        key = next((v for k, v in attributes.items() if local(k) == "id"), None)
        kind, part = parts.get(key, ("", ""))
        name = attributes.get("name", "")
        if kind != "worksheet" or name in self._parts or part not in self._package:
            return
        self._parts[name] = part
        if attributes.get("state", "visible") != "visible":
            self._hidden.add(name)

    def _read_styles(self) -> list:
        """Return the number format of each cell style: (number, code or None)."""
        codes = dict(BUILTIN_FORMATS)
        styles = []
        part = self._others.get("styles", "xl/styles.xml")
        if part not in self._package:
            return styles
        with self._package.open(part) as stream:
            for path, attributes in start_tags(stream):
                key = attributes.get("numFmtId", "0")
                if not key.isdecimal():
                    continue
                if path[-2:] == ("numFmts", "numFmt"):
                    codes[int(key)] = attributes.get("formatCode", "General")
                elif path[-2:] == ("cellXfs", "xf"):
                    styles.append(int(key))
        return [(key, codes.get(key)) for key in styles]

    def _style(self, index: str):
        """Return the function that renders a number in a style."""
        at = int(index)
        key, code = self._styles[at] if 0 <= at < len(self._styles) else (0, None)
        code = builtin(key, code, self._region)
        return compile_format(code, region=self._region, date1904=self._date1904)

    def _read_strings(self) -> list[str]:
        part = self._others.get("sharedStrings", "xl/sharedStrings.xml")
        if part not in self._package:
            return []
        parser = _StringsParser(self._limits)
        with self._package.open(part) as stream:
            for _chunk in feed(parser.expat, stream):
                if len(parser.strings) > _STRINGS:
                    raise SheetError("corrupt")
        return parser.strings


def main_part(package: Package) -> str:
    """Return the name of the workbook's part, "" when the package has none."""
    for _key, kind, part in package.related(""):
        if kind == "officeDocument" and part in package:
            return part
    return "xl/workbook.xml" if "xl/workbook.xml" in package else ""


def builtin(key: int, code: str | None, region: Region) -> str:
    """Return the code of a number format, the regional ones as the region has them.

    :param int key: the format's number; 14 and 22 are "the computer's short date"
    :param code: what the file says, None for a number without a code
    """
    if key in _SHORT_DATES:
        return _SHORT_DATES[key].format(region.short_date)
    if code is None and (27 <= key <= 36 or 50 <= key <= 58):
        return region.short_date  # the dates of East Asian Excel
    return code or "General"


def _merge(match: re.Match) -> Merge | None:
    left, right = column_index(match[1].decode()), column_index(match[3].decode())
    top, bottom = int(match[2]) - 1, int(match[4]) - 1
    return Merge(top, left, bottom, right) if left >= 0 and top >= 0 else None


def column_index(letters: str) -> int:
    """Return the position of a column: "A" -> 0, "AA" -> 26."""
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - 64
    return index - 1


def unescape(text: str) -> str:
    """Put back the characters that OOXML writes as _xHHHH_."""
    if "_x" not in text:
        return text
    text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    # A pair of escapes may be the halves of one character.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class _TextParser:
    """What the parsers of strings and of sheets share: text, without readings.

    Japanese files carry the pronunciation in ``rPh`` beside the text itself.
    """

    def __init__(self, limits: Limits):
        self._limits = limits
        self._text: list[str] = []
        self._size = 0
        self._collecting = False
        self._phonetic = False
        self.expat = new_parser()
        self.expat.StartElementHandler = self._start
        self.expat.EndElementHandler = self._end
        self.expat.CharacterDataHandler = self._characters

    def _characters(self, data: str):
        if self._collecting:
            self._text.append(data)
            self._size += len(data)
            if self._size > self._limits.row_chars:
                raise SheetError("corrupt")

    def _take(self) -> str:
        pieces = self._text
        if not pieces:
            return ""
        text = pieces[0] if len(pieces) == 1 else "".join(pieces)
        pieces.clear()
        self._size = 0
        return text


class _StringsParser(_TextParser):
    """The strings that cells refer to by number."""

    def __init__(self, limits: Limits):
        super().__init__(limits)
        self.strings: list[str] = []

    def _start(self, name: str, _attributes: dict):
        if ":" in name:
            name = local(name)
        if name == "rPh":
            self._phonetic = True
        self._collecting = name == "t" and not self._phonetic

    def _end(self, name: str):
        if ":" in name:
            name = local(name)
        self._collecting = False
        if name == "rPh":
            self._phonetic = False
        elif name == "si":
            self.strings.append(unescape(self._take()))


class _SheetParser(_TextParser):
    """The rows of one sheet; ``taken`` hands over those that are complete."""

    def __init__(self, strings: list[str], style, limits: Limits):
        super().__init__(limits)
        self._strings = strings
        self._style = style
        self._styles: dict[str, object] = {}
        self._columns: dict[str, int] = {}
        self._rows: list[Row] = []
        self._number = 0
        self._values: list[str] = []
        self._errors: list[int] = []
        self._column = -1
        self._cell: dict[str, str] = {}
        self._formula = False

    def taken(self) -> list[Row]:
        """Return the rows parsed since the last call."""
        rows, self._rows = self._rows, []
        return rows

    def _start(self, name: str, attributes: dict):
        if ":" in name:
            name = local(name)
        if name == "c":
            self._cell = attributes
            self._formula = False
        elif name == "v" or (name == "t" and not self._phonetic):
            self._collecting = True
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._phonetic = True
        elif name == "row":
            self._start_row(attributes)

    def _end(self, name: str):
        if ":" in name:
            name = local(name)
        self._collecting = False
        if name == "c":
            self._end_cell()
        elif name == "row":
            self._rows.append(Row(self._number, self._values, tuple(self._errors)))
        elif name == "rPh":
            self._phonetic = False

    def _start_row(self, attributes: dict):
        try:
            number = int(float(attributes.get("r", self._number + 1)))
        except (ValueError, OverflowError) as error:
            raise SheetError("corrupt") from error
        if number <= self._number:
            raise SheetError("corrupt")
        if number > self._limits.rows:
            raise SheetError("too_many_rows", limit=self._limits.rows)
        self._number = number
        self._values, self._errors, self._column = [], [], -1

    def _end_cell(self):
        cell = self._cell
        reference = cell.get("r")
        self._column = column = (
            self._position(reference) if reference else self._column + 1
        )
        raw = self._take()
        if not raw and not self._formula:
            return
        text = self._render(cell, raw) if raw else ""
        gap = column - len(self._values)
        if gap < 0:
            raise SheetError("corrupt")
        if column >= self._limits.columns:
            limit = self._limits.columns
            raise SheetError("too_many_columns", row=self._number, limit=limit)
        if gap:
            self._values.extend([""] * gap)
        self._values.append(text)
        if cell.get("t") == "e" or not raw and "t" not in cell:
            self._errors.append(column)

    def _position(self, reference: str) -> int:
        letters = reference.rstrip("0123456789")
        column = self._columns.get(letters)
        if column is None:
            if not _COLUMN.match(f"{letters}1"):
                raise SheetError("corrupt")
            column = self._columns[letters] = column_index(letters.strip("$"))
        return column

    def _render(self, cell: dict, raw: str) -> str:
        kind = cell.get("t", "n")
        if kind == "s":
            return self._shared(raw)
        if kind == "n":
            return self._render_number(cell.get("s", "0"), raw)
        if kind == "b":
            return "TRUE" if raw.strip() in _TRUE else "FALSE"
        return raw if kind in ("e", "d") else unescape(raw)

    def _shared(self, raw: str) -> str:
        try:
            return self._strings[int(raw)]
        except (ValueError, IndexError) as error:
            raise SheetError("corrupt") from error

    def _render_number(self, style: str, raw: str) -> str:
        try:
            render = self._styles.get(style)
            if render is None:
                render = self._styles[style] = self._style(style)
            value = float(raw)
        except ValueError as error:
            raise SheetError("corrupt") from error
        return render(value) if math.isfinite(value) else raw
