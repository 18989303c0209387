"""Checks of an untrusted .xlsx before openpyxl reads it.

The library trusts a file: it keeps what it does not need, drops rows that are out of
order, makes millions of one row's number, and converts what it takes for a date.  So it
never gets the file itself but a workbook of one sheet made from it, in which there are
only rows with something in them, without numbers, shared strings, and number formats
that mean nothing to it.  The cells are copied byte by byte, not understood.
"""

import posixpath
import re
import zipfile
from array import array
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from xml.etree import ElementTree

from openpyxl.utils import column_index_from_string

from .errors import SheetError
from .model import MEGABYTE, Limits

# A part above the first is refused when packed more tightly than the second: public
# workbooks stay below 34 : 1, bombs begin at 200 : 1.
_LARGE, _PACKED = MEGABYTE, 100
_ENTRY, _ENTRIES = b"PK\x01\x02", 10_000
_SMALL_BYTES = 4 * MEGABYTE
_ROW_BYTES = 4 * MEGABYTE
# Tags of rich text: the library makes an object of each element.
_RICH_TAGS = 1_000_000
_LAST_ROW, _MERGES = 1_048_576, 20_000
# Patterns stop at the next "<" or after a number of characters: a malicious text would
# keep them busy for hours.
_ROOT = re.compile(rb"<([\w.-]+:|)worksheet\b[^<>]*>")
_END = re.compile(rb"</[\w.:-]*worksheet\s*>\s*$")
_ENCODING = re.compile(rb"""<\?xml[^>]*encoding=["'](?!utf-8|us-ascii)""", re.I)
_NUMBER = re.compile(rb"""(?:^|\s)r=["']([^"']*)""")
_HIDDEN = re.compile(rb"""\shidden=["'](?:1|true)["']""")
# Of a sheet; "%s" is the prefix of its elements.
_ROW_OR_MERGE = (
    rb"<%s(?:row\b([^<>]*)"
    rb'|mergeCell ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"\s*/?)>'
    rb"|<%s(?P<broken>row)\b"
)
_FILLED = rb"(?s).*<%s(?:v|is|f)(?=[\s/>])(?:.*?</%sc>)?"
_CELLS = rb"""<%sc(?=[\s/>])(?:[^<>]{0,200}?\sr=["']([A-Z]{1,3})\d*["'])?"""
# A text in the cell itself costs the library ten times as much as a formula's.
_INLINE_TEXT = (
    rb'<%sc\b([^<>]{0,200})\bt="inlineStr"([^<>]{0,200})>'
    rb"<%sis><%st(?: [^<>]*)?>([^<]*)</%st></%sis>"
)
# A formula whose result was never stored is shown to the library as an error.
_NO_RESULT = (
    rb'<%sc((?: [rs]="\w*")*) ?><%sf\b[^<>]*(?:(?<=/)>|>[^<]*</%sf>)'
    rb"(?:<%sv ?/>|<%sv></%sv>)?</%sc>"
)
# In the shared strings: tags that cost little, and the tag of one string.
_PLAIN = re.compile(rb"</?(?:[\w.-]+:)?(?:si|t)\b")
_STRING = re.compile(rb"<(?:[\w.-]+:)?si\b")


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
        except Exception as error:
            # It raises many kinds for damaged, encrypted or exotic archives.
            raise SheetError("corrupt") from error
        self._parts = {_normal(one.filename): one for one in self._zip.infolist()}
        sizes = [member.file_size for member in self._zip.infolist()]
        for size, limit in (
            (sum(sizes), limits.unpacked_bytes),
            (max(sizes, default=0), limits.part_bytes),
        ):
            if size > limit:
                raise SheetError("unpacks_too_large", limit_mb=limit // MEGABYTE)

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
                while chunk := stream.read(MEGABYTE):
                    yield chunk
        except Exception as error:
            raise SheetError("corrupt") from error

    def elements(self, name: str) -> Iterator[ElementTree.Element]:
        """Return all elements of a small part, none when there is no such part.

        :raise SheetError: "corrupt", "forbidden_xml"
        """
        if name not in self:
            return iter(())
        if self._parts[_normal(name)].file_size > _SMALL_BYTES:
            raise SheetError("corrupt")
        parser = ElementTree.XMLParser(target=_NoDoctype())
        try:
            parser.feed(b"".join(self.chunks(name)))
            return parser.close().iter()
        except (ElementTree.ParseError, LookupError, ValueError) as error:
            raise SheetError("corrupt") from error

    def related(self, name: str) -> dict[str, tuple[str, str]]:
        """Return what a part refers to: id -> (kind, part's name).

        :param str name: the part, "" for the package itself
        """
        folder, base = posixpath.split(name)
        found = {}
        for link in self.elements(posixpath.join(folder, "_rels", f"{base}.rels")):
            target = link.get("Target", "").replace("\\", "/")
            if link.tag.endswith("}Relationship"):
                part = posixpath.normpath(posixpath.join("/", folder, target))
                kind = link.get("Type", "").rpartition("/")[2]
                found[link.get("Id")] = (kind, part.lstrip("/"))
        return found

    def main_part(self) -> str:
        """Return the name of the workbook's part, "" when there is none."""
        for kind, part in self.related("").values():
            if kind == "officeDocument" and part in self:
                return part
        return "xl/workbook.xml" if "xl/workbook.xml" in self else ""


class _NoDoctype(ElementTree.TreeBuilder):
    """Refuses document types, and so every entity: the format has none."""

    def doctype(self, *_args):
        raise SheetError("forbidden_xml")


def copy_strings(chunks: Iterator[bytes], target, limit: int) -> int:
    """Copy the shared strings as they are; return how many there are.

    :raise SheetError: "corrupt", "forbidden_xml", "too_many_cells"
    """
    count, rich, rest = 0, 0, b""
    for chunk in chunks:
        rest = _joined(rest, chunk)
        at = rest.rfind(b"<")
        piece, rest = rest[:at], rest[at:]
        count += len(_STRING.findall(piece))
        rich += piece.count(b"<") - len(_PLAIN.findall(piece))
        if count > limit:
            raise SheetError("too_many_cells", limit=limit)
        if rich > _RICH_TAGS or len(rest) > MEGABYTE:
            raise SheetError("corrupt")
        target.write(piece)
    target.write(rest)
    return count


class Page:
    """A sheet's rows that have something in them, copied for the library.

    :ivar array numbers: of these rows
    :ivar bytearray hidden: 1 for each of these rows that is hidden
    :ivar list merges: the merged ranges: (top, left, bottom, right), from 0

    :param str sheet: its name, for errors
    :param last: the number of the last row to copy, None for all
    :param int cells: how many cells there may be
    """

    def __init__(self, sheet: str, limits: Limits, last: int | None, cells: int):
        self.numbers, self.hidden, self.merges = array("L"), bytearray(), []
        self._sheet, self._limits, self._last = sheet, limits, last or _LAST_ROW
        self._number, self._cells, self._rich = 0, cells, 0

    def copy_sheet(self, chunks: Iterator[bytes], target):
        """Write the sheet as the library is to see it.

        :raise SheetError: "corrupt", "row", "too_many_rows", …
        """
        rest = _joined(b"", next(chunks, b""))
        if not (root := _ROOT.search(rest)):
            raise SheetError("corrupt")
        self._set_prefix(root[1])
        # With a dimension the library does not pass over the sheet to find it.
        target.write(
            root[0] + b'<%sdimension ref="A1"/><%ssheetData>' % ((root[1],) * 2)
        )
        rest = self._copy_rows(rest[root.end() :], target)
        for chunk in chunks:
            rest = self._copy_rows(_joined(rest, chunk), target)
        if not _END.match(rest):
            raise SheetError("corrupt")
        target.write(b"</%ssheetData></%sworksheet>" % (root[1], root[1]))

    def _set_prefix(self, prefix: bytes):
        self._begin, self._end = b"<%srow>" % prefix, b"</%srow>" % prefix
        self._error, self._formula = rb'<%sc\1 t="e"/>' % prefix, b"<%sf" % prefix
        self._text = rb'<%sc\1t="str"\2><%sv>\3</%sv>' % ((prefix,) * 3)
        self._row_or_merge, self._filled, self._letters, self._inline, self._bare = (
            re.compile(pattern.replace(b"%s", re.escape(prefix)))
            for pattern in (_ROW_OR_MERGE, _FILLED, _CELLS, _INLINE_TEXT, _NO_RESULT)
        )

    def _copy_rows(self, data: bytes, target) -> bytes:
        """Copy the rows that are complete; return what is left."""
        at, pieces = 0, []
        while found := self._row_or_merge.search(data, at):
            attributes, row, at = found[1], b"", found.end()
            if found["broken"]:
                if b"<" in data[at:] or b">" in data[at:]:
                    raise self.broken(self._number + 1)
                at = found.start()
                break
            if attributes is None:
                self._add_merge(*found.group(2, 3, 4, 5))
                continue
            if not attributes.endswith(b"/"):
                end = data.find(self._end, at)
                if end < 0:
                    at = found.start()
                    break
                row, at = data[at:end], end + len(self._end)
            pieces.append(self._take_row(attributes, row))
        else:
            at = max(at, data.rfind(b"<"))
        target.write(b"".join(pieces))
        if len(data) - at > _ROW_BYTES:
            raise self.broken(self._number + 1)
        return data[at:]

    def _take_row(self, attributes: bytes, row: bytes) -> bytes:
        """Return a row as it is to be copied, as far as there is something in it."""
        try:
            number = _NUMBER.search(attributes)
            number = int(float(number[1])) if number else self._number + 1
        except (ValueError, OverflowError) as error:
            raise self.broken(self._number + 1) from error
        if not self._number < number <= _LAST_ROW:
            raise self.broken(number)
        self._number = number
        filled = self._filled.match(row) if number <= self._last else None
        if not filled:
            return b""
        row = filled[0]
        self._check_cells(row)
        if b"inlineStr" in row:
            row = self._inline.sub(self._text, row)
            self._check_rich(row)
        if self._formula in row:
            row = self._bare.sub(self._error, row)
        self.numbers.append(number)
        self.hidden.append(bool(_HIDDEN.search(attributes)))
        if len(self.numbers) > self._limits.rows:
            raise SheetError("too_many_rows", limit=self._limits.rows)
        return self._begin + row + self._end

    def _check_cells(self, row: bytes):
        """Refuse a row whose cells are too many, or out of order."""
        column = 0
        letters = self._letters.findall(row)
        for name in letters:
            after = _column(name) if name else column + 1
            if after <= column:
                raise self.broken(self._number)
            column = after
        limits = self._limits
        if column > limits.columns:
            raise SheetError("too_many_columns", row=self._number, limit=limits.columns)
        self._cells -= len(letters)
        if self._cells < 0:
            raise SheetError("too_many_cells", limit=limits.cells)

    def _check_rich(self, row: bytes):
        if b"inlineStr" in row:
            self._rich += row.count(b"<")
            if self._rich > _RICH_TAGS:
                raise SheetError("corrupt")

    def _add_merge(self, left: bytes, top: bytes, right: bytes, bottom: bytes):
        if len(self.merges) < _MERGES:
            columns = _column(left) - 1, _column(right) - 1
            self.merges.append((int(top) - 1, columns[0], int(bottom) - 1, columns[1]))

    def broken(self, number: int) -> SheetError:
        """Return the error that names a row which cannot be read."""
        return SheetError("row", sheet=self._sheet, row=number)


def _joined(rest: bytes, chunk: bytes) -> bytes:
    """Return a part's bytes, those of a chunk added.

    :raise SheetError: "corrupt", "forbidden_xml"
    """
    if b"\0" in chunk or _ENCODING.match(chunk):
        raise SheetError("corrupt")
    data = rest + chunk
    if b"<!DOCTYPE" in data:
        raise SheetError("forbidden_xml")
    return data


@cache
def _column(letters: bytes) -> int:
    return column_index_from_string(letters.decode())


def _normal(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()
