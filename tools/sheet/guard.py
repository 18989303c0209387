"""What stands between an .xlsx that nobody vouches for and openpyxl.

The library trusts a file: it keeps what it does not need, drops rows that are out of
order, makes millions of one row's number, and converts what it takes for a date.  So it
never gets the file itself but a workbook of one sheet made from it, in which there are
only rows with something in them, without numbers, shared strings, and number formats
that mean nothing to it.  The cells are copied byte by byte, not understood.
"""

import posixpath
import re
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from io import BytesIO
from itertools import chain
from xml.parsers import expat

from openpyxl.xml.constants import SHEET_MAIN_NS

from .errors import SheetError
from .model import MEGABYTE, Limits

CHUNK = 64 * 1024
# So many chunks without a new tag are a text or a tag that no program writes.
_SILENCE = 16
_ROW_BYTES = 8 * MEGABYTE
# A part above the first is refused when packed more tightly than the second: public
# workbooks stay below 34 : 1, bombs begin at 200 : 1.
_LARGE, _PACKED = MEGABYTE, 100
_ENTRY, _ENTRIES = b"PK\x01\x02", 10_000
_SMALL_TAGS = 300_000
_SMALL_BYTES = 4 * MEGABYTE
# Parts of rich text: the library makes an object of each.
_RUNS = 300_000
_LAST_ROW, _COLUMNS, _MERGES = 1_048_576, 16_384, 20_000
# What zipfile raises for damaged, encrypted or exotic archives.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
    OverflowError,
)
_MERGE = re.compile(r"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})")
_COLUMN = re.compile(r"[A-Za-z]{1,3}")
_PREFIX = re.compile(rb"<([\w.-]+:)?")
# A text in the cell itself costs the library ten times as much as a formula's.
_INLINE_TEXT = re.compile(
    rb'<([\w.-]+:|)c\b([^>]*)\bt="inlineStr"([^>]*)><\1is><\1t(?: [^>]*)?>'
    rb"([^<]*)</\1t></\1is>"
)
# A formula whose result was never stored is shown to the library as an error.
_NO_RESULT = re.compile(
    rb'<([\w.-]+:|)c((?: [rs]="\w*")*) ?><\1f\b[^>]*(?:(?<=/)>|>[^<]*</\1f>)'
    rb"(?:<\1v ?/>|<\1v></\1v>)?</\1c>"
)
_ROW, _CELL, _VALUE, _TEXT, _INLINE, _FORMULA, _STRING, _MERGED, _ROOT, _DATA = (
    f"{SHEET_MAIN_NS} {name}"
    for name in "row c v t is f si mergeCell worksheet sheetData".split()
)
# What stands behind the merged cells: nothing of it is read.
_BEHIND = {
    f"{SHEET_MAIN_NS} {name}"
    for name in "conditionalFormatting dataValidations hyperlinks pageMargins".split()
}


class Package:
    """The parts of a zip file, by their names in small letters.

    1C writes "xl/SharedStrings.xml", others backslashes; Excel minds neither.

    :raise SheetError: "corrupt", "unpacks_too_large", "packed_too_much"
    """

    def __init__(self, content: bytes, limits: Limits):
        if content.count(_ENTRY) > _ENTRIES:
            raise SheetError("corrupt")
        try:
            self._zip = zipfile.ZipFile(BytesIO(content))
        except _DAMAGED as error:
            raise SheetError("corrupt") from error
        members = self._zip.infolist()
        largest = max((member.file_size for member in members), default=0)
        for size, limit in (
            (sum(member.file_size for member in members), limits.unpacked_bytes),
            (largest, limits.part_bytes),
        ):
            if size > limit:
                raise SheetError("unpacks_too_large", limit_mb=limit // MEGABYTE)
        self._parts = {_normal(member.filename): member for member in members}

    def __contains__(self, name: str) -> bool:
        return _normal(name) in self._parts

    def folders(self) -> set[str]:
        """Return the names at the top of the package, in small letters."""
        return {name.partition("/")[0] for name in self._parts}

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a part, never more than the directory promises.

        :raise SheetError: "corrupt" when there is no such part, "packed_too_much"
        """
        member = self._parts.get(_normal(name))
        if member is None:
            raise SheetError("corrupt")
        tight = member.file_size > _PACKED * member.compress_size
        if tight and member.file_size > _LARGE:
            raise SheetError("packed_too_much")
        try:
            with self._zip.open(member) as stream:
                while chunk := stream.read(CHUNK):
                    yield chunk
        except _DAMAGED as error:
            raise SheetError("corrupt") from error

    def tags(self, name: str) -> list[tuple[str, dict[str, str]]]:
        """Return ("namespace local", attributes) of all elements of a small part.

        :raise SheetError: "corrupt", "forbidden_xml"
        """
        if name in self and self._parts[_normal(name)].file_size > _SMALL_BYTES:
            raise SheetError("corrupt")
        scanner = _Tags()
        for chunk in chain(self.chunks(name), [b""]):
            scanner.feed(chunk)
        return scanner.found

    def related(self, name: str) -> dict[str, tuple[str, str]]:
        """Return what a part refers to: id -> (kind, part's name).

        :param str name: the part, "" for the package itself
        """
        folder, base = posixpath.split(name)
        relations = posixpath.join(folder, "_rels", f"{base}.rels")
        found = {}
        for tag, attributes in self.tags(relations) if relations in self else ():
            target = attributes.get("Target", "").replace("\\", "/")
            if tag.endswith(" Relationship") and "Id" in attributes:
                part = posixpath.normpath(posixpath.join("/", folder, target))
                kind = attributes.get("Type", "").rpartition("/")[2]
                found[attributes["Id"]] = (kind, part.lstrip("/"))
        return found

    def main_part(self) -> str:
        """Return the name of the workbook's part, "" when there is none."""
        for kind, part in self.related("").values():
            if kind == "officeDocument" and part in self:
                return part
        return "xl/workbook.xml" if "xl/workbook.xml" in self else ""


class _Scanner:
    """Reads XML by chunks; ``start`` is called with each element.

    :raise SheetError: "corrupt"; "forbidden_xml" for a document type, and so for every
        entity: the format has none
    """

    def __init__(self):
        self.expat = expat.ParserCreate(namespace_separator=" ")
        self.expat.StartElementHandler = self.start
        self.expat.StartDoctypeDeclHandler = _refuse
        self.expat.XmlDeclHandler = _check_encoding
        self.silence = 0

    def start(self, name: str, attributes: dict):
        """Take an element; sets ``silence`` to 0."""
        raise NotImplementedError

    def feed(self, chunk: bytes):
        """Parse one more chunk; the last one is empty."""
        self.silence += 1
        try:
            self.expat.Parse(chunk, not chunk)
        except (expat.ExpatError, LookupError, ValueError) as error:
            raise SheetError("corrupt") from error
        if self.silence > _SILENCE:
            raise SheetError("corrupt")


class _Tags(_Scanner):
    def __init__(self):
        super().__init__()
        self.found: list = []

    def start(self, name, attributes):
        self.silence = 0
        self.found.append((name, attributes))
        if len(self.found) > _SMALL_TAGS:
            raise SheetError("corrupt")


class Strings(_Scanner):
    """The shared strings, copied as they are while they are counted.

    :ivar int count: how many there are
    """

    def __init__(self, limits: Limits):
        super().__init__()
        self.count = self._runs = 0
        self._limit = limits.cells // 2

    # not a model: no method of the ORM is overridden
    # pylint: disable-next=method-required-super
    def copy(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the part.

        :raise SheetError: "corrupt", "too_many_cells"
        """
        for chunk in chain(chunks, [b""]):
            self.feed(chunk)
            yield chunk

    def start(self, name, attributes):
        self.silence = 0
        if name == _STRING:
            self.count += 1
            if self.count > self._limit:
                raise SheetError("too_many_cells", limit=self._limit)
        elif name != _TEXT:
            self._runs += 1
            if self._runs > _RUNS:
                raise SheetError("corrupt")


class Page(_Scanner):
    """A sheet's rows that have something in them, copied for the library.

    :ivar array numbers: of these rows
    :ivar bytearray hidden: 1 for each of these rows that is hidden
    :ivar int width: columns of the widest row
    :ivar list merges: the merged ranges

    :param str sheet: its name, for errors
    :param last: the number of the last row to copy, None for all
    :param int cells: how many cells there may be
    """

    def __init__(self, sheet: str, limits: Limits, last: int | None, cells: int):
        super().__init__()
        self.numbers, self.hidden = array("L"), bytearray()
        self.width, self.merges = 0, []
        self._sheet, self._limits, self._last = sheet, limits, last or _LAST_ROW
        self._raw, self._base, self._prefix = b"", 0, b""
        self._pieces: list[bytes] = []
        self._columns: dict[str, int] = {}
        self._row_at: int | None = None  # where the current row begins
        self._number, self._cells, self._runs = 0, cells, 0
        # The current cell, and the last one with something in it.
        self._column, self._filled, self._row_hidden = -1, -1, False

    # not a model: no method of the ORM is overridden
    # pylint: disable-next=method-required-super
    def copy(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the sheet as the library is to see it.

        :raise SheetError: "corrupt", "row", "too_many_rows", …
        """
        for chunk in chain(chunks, [b""]):
            self._raw += chunk
            self.feed(chunk)
            if not chunk:
                self._end_row(self._base + len(self._raw))
            yield b"".join(self._pieces)
            self._pieces.clear()
            at = self.expat.CurrentByteIndex if self._row_at is None else self._row_at
            self._raw, self._base = self._raw[at - self._base :], at
            if len(self._raw) > _ROW_BYTES:
                raise SheetError("row_too_long", row=self._number)
        yield b"</%ssheetData></%sworksheet>" % (self._prefix, self._prefix)

    def start(self, name, attributes):
        self.silence = 0
        if name == _CELL:
            self._start_cell(attributes)
        elif name in (_VALUE, _INLINE, _FORMULA):
            self._filled = self._column
        elif name == _ROW:
            self._start_row(attributes)
        elif name == _MERGED:
            self._merge(attributes.get("ref", ""))
        elif name == _ROOT:
            self._start_root()
        elif name in _BEHIND:
            self._end_row(self.expat.CurrentByteIndex)
            self.expat.StartElementHandler = self._ignore
        elif name != _TEXT:
            self._runs += 1
            if self._runs > _RUNS:
                raise SheetError("corrupt")

    def _ignore(self, _name, _attributes):
        self.silence = 0

    def _start_root(self):
        raw = self._raw[self.expat.CurrentByteIndex - self._base :]
        self._prefix = _PREFIX.match(raw)[1] or b""
        self._pieces += [
            raw[: raw.find(b">") + 1],
            b'<%sdimension ref="A1"/><%ssheetData>' % (self._prefix, self._prefix),
        ]

    def _start_row(self, attributes):
        at = self.expat.CurrentByteIndex
        self._end_row(at)
        try:
            number = int(float(attributes.get("r", self._number + 1)))
        except (ValueError, OverflowError) as error:
            raise self.broken(self._number) from error
        if not self._number < number <= _LAST_ROW:
            raise self.broken(self._number)
        self._number, self._column, self._filled = number, -1, -1
        self._row_hidden = attributes.get("hidden") in ("1", "true")
        self._row_at = at if number <= self._last else None

    def _end_row(self, at: int):
        """Copy the row that ends before a place, if there is something in it."""
        self._check_width()
        if self._row_at is not None and self._filled >= 0:
            raw = self._raw[self._row_at - self._base : at - self._base]
            end = raw.rfind(b"</%srow" % self._prefix)
            cells = raw[raw.find(b">") + 1 : end]
            if b"inlineStr" in cells:
                cells = _INLINE_TEXT.sub(rb'<\1c\2t="str"\3><\1v>\4</\1v>', cells)
            if b"f>" in cells:
                cells = _NO_RESULT.sub(rb'<\1c\2 t="e"/>', cells)
            prefix = self._prefix
            self._pieces += [b"<%srow>" % prefix, cells, b"</%srow>" % prefix]
            self.numbers.append(self._number)
            self.hidden.append(self._row_hidden)
            if len(self.numbers) > self._limits.rows:
                raise SheetError("too_many_rows", limit=self._limits.rows)
        self._row_at = None

    def _check_width(self):
        if self._filled >= self.width:
            self.width = self._filled + 1
            if self.width > (limit := self._limits.columns):
                raise SheetError("too_many_columns", row=self._number, limit=limit)

    def _start_cell(self, attributes):
        letters = attributes.get("r", "").rstrip("0123456789")
        column = self._columns.get(letters) if letters else self._column + 1
        if column is None:
            if not _COLUMN.fullmatch(letters):
                raise self.broken(self._number)
            column = self._columns[letters] = column_index(letters)
        if not self._column < column < _COLUMNS:
            self._check_width()
            raise self.broken(self._number)
        self._column = column
        self._cells -= 1
        if self._cells < 0:
            raise SheetError("too_many_cells", limit=self._limits.cells)

    def _merge(self, reference):
        if (match := _MERGE.fullmatch(reference)) and len(self.merges) < _MERGES:
            left, right = column_index(match[1]), column_index(match[3])
            self.merges.append((int(match[2]) - 1, left, int(match[4]) - 1, right))

    def broken(self, number: int) -> SheetError:
        """Return the error that names a row which cannot be read."""
        return SheetError("row", sheet=self._sheet, row=number)


def column_index(letters: str) -> int:
    """Return the position of a column: "A" -> 0, "AA" -> 26."""
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - 64
    return index - 1


def _normal(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _refuse(*_args):
    raise SheetError("forbidden_xml")


def _check_encoding(_version, encoding, _standalone):
    if encoding and encoding.lower() not in ("utf-8", "us-ascii"):
        raise SheetError("corrupt")
