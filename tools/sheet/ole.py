"""The container of .xls.

xlrd never finishes a file whose chains of sectors, or whose tree of names, form a loop;
here every chain ends at the size of the file.  Damage outside the workbook's own stream
does no harm.
"""

import struct
from array import array

from .errors import SheetError

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENTRY = struct.Struct("<64sHB49xiI4x")
_STREAM, _ROOT = 2, 5


class Container:
    """The streams of a file, by their names.

    :ivar set names: of all streams
    :raise SheetError: "corrupt"
    """

    def __init__(self, content: bytes):
        try:
            self._open(content)
        except (struct.error, ValueError) as error:
            raise SheetError("corrupt") from error

    def get_stream(self, name: str) -> bytes:
        """Return a stream's bytes, as many as the file still has."""
        first, total = self._streams[name]
        if total >= self._least:
            return self._chain(first)[:total]
        table = array("i", self._chain(self._small))
        return _chain(self._chain(self._root), 64, table, first)[:total]

    def _open(self, content: bytes):
        (shift,) = struct.unpack_from("<H", content, 30)
        if shift not in (9, 12):
            raise ValueError("sectors of another size")
        self._size = size = 1 << shift
        self._body = content[size:] + bytes(-len(content) % size)
        directory, self._least, self._small, more = struct.unpack_from(
            "<i4xIi4xi", content, 48
        )
        self._table = self._read_table(array("i", content[76:512]), more)
        self._root, self._streams = -1, {}
        for name, length, kind, first, total in _ENTRY.iter_unpack(
            self._chain(directory)
        ):
            if kind == _STREAM:
                name = name[: max(length - 2, 0)].decode("utf-16-le", "replace")
                self._streams[name] = (first, total)
            elif kind == _ROOT:
                self._root = first
        self.names = set(self._streams)

    def _read_table(self, tables: array, more: int) -> array:
        """Return which sector follows which."""
        sectors = len(self._body) // self._size
        for _sector in range(sectors):
            if not 0 <= more < sectors:
                break
            tables.frombytes(self._sector(more))
            more = tables.pop()
        table = array("i")
        for sector in tables:
            if 0 <= sector < sectors and len(table) < sectors * 2:
                table.frombytes(self._sector(sector))
        return table

    def _sector(self, number: int) -> bytes:
        return self._body[number * self._size : (number + 1) * self._size]

    def _chain(self, sector: int) -> bytes:
        return _chain(self._body, self._size, self._table, sector)


def _chain(data: bytes, size: int, table: array, sector: int) -> bytes:
    """Return the sectors of a chain, joined; a loop ends at the size of the data."""
    pieces = []
    while 0 <= sector < len(table) and len(pieces) <= len(data) // size:
        pieces.append(data[sector * size : (sector + 1) * size])
        sector = table[sector]
    return b"".join(pieces)
