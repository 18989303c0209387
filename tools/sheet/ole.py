"""The container of .xls.

xlrd's own walk through it has no end in a file whose chains of sectors or whose tree of
names come back to themselves; here every way is as long as the file at most.  It is
also more patient with what is damaged beside the workbook.
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

    # not a model: no method of the ORM is overridden
    # pylint: disable-next=method-required-super
    def read(self, name: str) -> bytes:
        """Return a stream's bytes, as many as the file still has."""
        first, total = self._streams[name]
        if total >= self._least:
            return self._chain(self._table, first)[:total]
        small = self._chain(self._table, self._root)
        table = array("i", self._whole(self._chain(self._table, self._small)))
        return _chain(small, 64, table, first)[:total]

    def _open(self, content: bytes):
        (shift,) = struct.unpack_from("<H", content, 30)
        if shift not in (9, 12):
            raise ValueError("sectors of another size")
        self._size = 1 << shift
        self._body = content[self._size :]
        directory, self._least, self._small, more = struct.unpack_from(
            "<i4xIi4xi", content, 48
        )
        self._table = self._read_table(content[76:512], more)
        entries = self._chain(self._table, directory)
        self._root, self._streams = -1, {}
        for name, length, kind, first, total in _ENTRY.iter_unpack(
            entries[: len(entries) // 128 * 128]
        ):
            if kind == _STREAM:
                name = name[: max(length - 2, 0)].decode("utf-16-le", "replace")
                self._streams[name] = (first, total)
            elif kind == _ROOT:
                self._root = first
        self.names = set(self._streams)

    def _read_table(self, start: bytes, more: int) -> array:
        """Return which sector follows which."""
        tables = array("i", start)
        for _sector in range(len(self._body) // self._size):
            if more < 0:
                break
            tables.frombytes(self._whole(self._sector(more)))
            more = tables.pop()
        table = array("i")
        for sector in tables:
            if sector >= 0 and len(table) * self._size < len(self._body) * 2:
                table.frombytes(self._whole(self._sector(sector)))
        return table

    def _sector(self, number: int) -> bytes:
        return self._body[number * self._size : (number + 1) * self._size]

    def _chain(self, table: array, sector: int) -> bytes:
        return _chain(self._body, self._size, table, sector)

    @staticmethod
    def _whole(data: bytes) -> bytes:
        return data[: len(data) // 4 * 4]


def _chain(data: bytes, size: int, table: array, sector: int) -> bytes:
    """Return the sectors of a chain, joined; one that comes back ends somewhere."""
    pieces = []
    while 0 <= sector < len(table) and len(pieces) <= len(data) // size:
        pieces.append(data[sector * size : (sector + 1) * size])
        sector = table[sector]
    return b"".join(pieces)
