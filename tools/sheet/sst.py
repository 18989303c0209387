"""The shared strings of an .xls, for the files whose strings xlrd cannot read.

A table of strings is cut into records of 8 KB, and both Excel and xlwt may cut within
a character beyond the 16-bit ones (an emoji); xlrd decodes record by record and fails.
"""

from collections.abc import Sequence
from struct import unpack

_COUNT_AT, _STRINGS_AT = 4, 8
_WIDE, _PHONETIC, _RICH = 0x01, 0x04, 0x08


def read_strings(records: Sequence[bytes]) -> list[str]:
    """Return the strings of the SST record and the CONTINUE records after it.

    :raise IndexError: the records end too early
    :raise struct.error: likewise
    """
    (count,) = unpack("<I", records[0][_COUNT_AT:_STRINGS_AT])
    tape = _Tape(records)
    return [tape.string() for _index in range(count)]


class _Tape:
    def __init__(self, records: Sequence[bytes]):
        self._records = iter(records)
        self._record = next(self._records)
        self._at = _STRINGS_AT

    def string(self) -> str:
        size, options = unpack("<HB", self._take(3))
        runs = unpack("<H", self._take(2))[0] if options & _RICH else 0
        spoken = unpack("<I", self._take(4))[0] if options & _PHONETIC else 0
        text = self._characters(size, bool(options & _WIDE))
        self._take(4 * runs + spoken)
        return text

    def _take(self, size: int) -> bytes:
        data = b""
        while size > len(data):
            if self._at >= len(self._record):
                self._turn()
            piece = self._record[self._at : self._at + size - len(data)]
            self._at += len(piece)
            data += piece
        return data

    def _characters(self, size: int, wide: bool) -> str:
        """Read 16-bit units; each record says anew how wide it keeps them."""
        data = bytearray()
        while size:
            if self._at >= len(self._record):
                self._turn()
                wide, self._at = bool(self._record[0] & _WIDE), 1
            end = min(self._at + size * (1 + wide), len(self._record))
            piece = self._record[self._at : end]
            self._at = end
            size -= len(piece) // (1 + wide)
            if wide and len(piece) % 2:
                raise IndexError("half a character")
            data += piece if wide else piece.decode("latin-1").encode("utf-16-le")
        return data.decode("utf-16-le", "replace")

    def _turn(self):
        record = next(self._records, b"")
        if not record:
            raise IndexError("no more records")
        self._record, self._at = record, 0
