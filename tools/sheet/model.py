"""The small values that the readers of all kinds of files share."""

from dataclasses import dataclass
from typing import NamedTuple

MEGABYTE = 1024 * 1024
MAX_ROWS = 200_000


@dataclass(frozen=True)
class Limits:
    """How much of a file is read before it is refused.

    :param int file_bytes: size of the file itself
    :param int part_bytes: one part of an .xlsx, unpacked
    :param int unpacked_bytes: all parts of an .xlsx together, unpacked
    :param int rows: filled rows of one sheet
    :param int columns: filled columns of one row
    :param int cells: cells of one sheet, the empty ones that the file names too, and
        the shared strings of an .xlsx
    :param int row_chars: characters of one .csv row
    """

    file_bytes: int = 50 * MEGABYTE
    part_bytes: int = 100 * MEGABYTE
    unpacked_bytes: int = 150 * MEGABYTE
    rows: int = MAX_ROWS
    columns: int = 1_000
    cells: int = 2_000_000
    row_chars: int = 1_000_000


@dataclass(frozen=True)
class Region:
    """How the user's language writes numbers, dates and truth values.

    :param str decimal: the decimal mark
    :param str thousands: the mark between groups of three digits
    :param str date_format: as of ``strftime``
    :param str time_format: as of ``strftime``; seconds are left out where the cell
        does not show them
    :param str true: what a cell with a truth value shows
    :param str false: likewise
    """

    decimal: str = "."
    thousands: str = ","
    date_format: str = "%d.%m.%Y"
    time_format: str = "%H:%M:%S"
    true: str = "TRUE"
    false: str = "FALSE"


LIMITS = Limits()
REGION = Region()


class Row(NamedTuple):
    """One row of a sheet.

    :param int number: the row's number in the sheet, from 1
    :param list[str] values: the cells as text, without the empty ones at the end
    :param tuple[int, ...] errors: positions in ``values`` of the cells that hold an
        error of Excel ("#N/A") or a formula whose result was never stored ("")
    :param bool hidden: whether a filter or the user hides the row
    """

    number: int
    values: list
    errors: tuple = ()
    hidden: bool = False
