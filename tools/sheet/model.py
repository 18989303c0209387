"""The small values that the readers of all kinds of files share."""

from dataclasses import dataclass

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """How much of a file is read before it is refused.

    :param int file_bytes: size of the file itself
    :param int unpacked_bytes: all parts of an .xlsx together, unpacked
    :param int rows: rows of one sheet (the default is Excel's own bound)
    :param int columns: filled columns of one row
    :param int row_chars: characters of one cell or of one .csv row
    """

    file_bytes: int = 50 * MEGABYTE
    unpacked_bytes: int = 768 * MEGABYTE
    rows: int = 1_048_576
    columns: int = 1_000
    row_chars: int = 1_000_000


@dataclass(frozen=True)
class Region:
    """What Excel takes from the computer's regional settings, not from the file.

    :param str decimal: the decimal mark
    :param str thousands: the mark between groups of three digits
    :param str short_date: number format of the date that Excel names "short"
    """

    decimal: str = "."
    thousands: str = ","
    short_date: str = "dd.mm.yyyy"


LIMITS = Limits()
REGION = Region()


@dataclass(frozen=True)
class Row:
    """One row of a sheet.

    :param int number: the row's number in the sheet, from 1
    :param list[str] values: the cells as text, without the empty ones at the end
    :param tuple[int, ...] errors: positions in ``values`` of the cells that hold an
        error of Excel ("#N/A") or a formula whose result was never stored ("")
    """

    number: int
    values: list
    errors: tuple = ()


@dataclass(frozen=True)
class Merge:
    """A merged range; all bounds are counted from 0 and belong to the range."""

    top: int
    left: int
    bottom: int
    right: int
