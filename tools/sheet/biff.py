"""The records of an .xls, looked at before xlrd reads them.

xlrd creates objects for every item that a record declares, reads a sheet once for each
of its names, and fails when a character of two halves, such as an emoji, is split
between two records.
"""

import struct
from collections.abc import Iterator

from .errors import SheetError

_HEADER = struct.Struct("<HH")
_SIZE = struct.Struct("<H")
_TEXT = struct.Struct("<HB")
_NUMBER = struct.Struct("<I")
_BEGIN, _END, _SHEET, _PASSWORD = 0x809, 0x0A, 0x85, 0x2F
_STRINGS, _MORE = 0xFC, 0x3C
# Bytes for each cell, merged range or reference of a record that holds many.
_MANY = {0xBD: 6, 0xBE: 2, 0xE5: 8, 0x17: 6, 0x15F: 8}
# Fonts, formats, styles and names: xlrd needs kilobytes for each.
_HEAVY, _WEIGHT = {0x31, 0x231, 0xE0, 0x1E, 0x41E, 0x293, 0x18, 0x218}, 100
# Two numbers for each change of font within a text.
_RUNS = 300_000
_WIDE, _PHONETIC, _RICH = 1, 4, 8


def checked(stream: bytes, limit: int) -> bytes:
    """Return the records as xlrd can read them.

    :param int limit: how many cells, or strings, there may be
    :raise SheetError: "too_many_cells", "corrupt", "password"
    :raise struct.error, IndexError, StopIteration: the strings are damaged
    """
    data = bytearray(stream)
    depth = cells = 0
    sheets, starts, strings, before = [], set(), [], None
    for code, start, end in _records(data):
        if code == _BEGIN:
            if not depth:
                starts.add(start - 4)
            depth += 1
        elif code == _END:
            depth = max(depth - 1, 0)
        elif code == _PASSWORD:
            raise SheetError("password")
        elif code == _SHEET:
            sheets += _NUMBER.unpack_from(data, start)
        elif code == _STRINGS:
            strings.append([(start, end)])
        elif code == _MORE and before in (_STRINGS, _MORE) and strings:
            strings[-1].append((start, end))
        before = code
        size = (end - start) // _MANY.get(code, 65_536)
        cells += _WEIGHT if code in _HEAVY else max(size, 1)
        if cells > limit:
            raise SheetError("too_many_cells", limit=limit)
    if starts and (len(set(sheets)) < len(sheets) or not starts.issuperset(sheets)):
        raise SheetError("corrupt")
    for pieces in strings:
        _check_strings(data, pieces, limit)
    return bytes(data)


def _records(data: bytearray) -> Iterator[tuple[int, int, int]]:
    """Yield (code, where its data begins, where they end)."""
    at = 0
    while at + 4 <= len(data):
        code, size = _HEADER.unpack_from(data, at)
        yield code, at + 4, min(at + 4 + size, len(data))
        at += 4 + size


def _check_strings(data: bytearray, pieces: list[tuple[int, int]], limit: int):
    """Walk through the strings of a workbook, and keep characters together."""
    records = iter(pieces)
    begin, end = next(records)
    (count,) = _NUMBER.unpack_from(data, begin + 4)
    if count > limit // 2:
        raise SheetError("too_many_cells", limit=limit // 2)
    at, runs = begin + 8, 0
    for _string in range(count):
        chars, flags = _TEXT.unpack_from(data, at)
        at, rest = at + 3, 0
        if flags & _RICH:
            (rich,) = _SIZE.unpack_from(data, at)
            at, rest, runs = at + 2, 4 * rich, runs + rich
        if flags & _PHONETIC:
            at, rest = at + 4, rest + _NUMBER.unpack_from(data, at)[0]
        if runs > _RUNS or rest > len(data):
            raise SheetError("corrupt")
        while (read := min((end - at) // (1 + (flags & _WIDE)), chars)) < chars:
            at, chars = at + read * (1 + (flags & _WIDE)), chars - read
            first = begin
            begin, end = next(records)
            if flags & _WIDE and read and 0xD8 <= data[at - 1] <= 0xDB:
                begin, chars = _move_half(data, first, begin), chars + 1
            at, flags = begin + 1, data[begin]
        at += chars * (1 + (flags & _WIDE)) + rest
        while at >= end and (piece := next(records, None)):
            at, begin, end = piece[0] + at - end, *piece


def _move_half(data: bytearray, first: int, second: int) -> int:
    """Move the last half of a character from one record to the next.

    :return: where the data of the second record begin now
    """
    half, size = data[second - 6 : second - 4], _SIZE.unpack_from(data, second - 2)[0]
    _SIZE.pack_into(data, first - 2, _SIZE.unpack_from(data, first - 2)[0] - 2)
    data[second - 6 : second + 1] = (
        _HEADER.pack(_MORE, size + 2) + data[second : second + 1] + half
    )
    return second - 2
