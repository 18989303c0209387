"""Workbooks of Excel 2007 and later (.xlsx, .xlsm), read by openpyxl.

The library is given a copy that the guard has made, see there.
"""

import re
import tempfile
import zipfile
from collections.abc import Iterator

from openpyxl import load_workbook
from openpyxl.xml.constants import REL_NS, SHARED_STRINGS, SHEET_MAIN_NS, XLSX

from .errors import SheetError
from .guard import Package, Page, Strings
from .model import Limits, Region, Row
from .show import Shower, format_code

# The library leaves control characters as Excel writes them.
_ESCAPE = re.compile(r"_x(00[01][0-9A-Fa-f]|005[Ff])_")
_STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main workbook"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_SKELETON = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Override PartName="/xl/workbook.xml" ContentType="{XLSX}"/>'
        f'<Override PartName="/xl/strings.xml" ContentType="{SHARED_STRINGS}"/></Types>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{SHEET_MAIN_NS}" xmlns:r="{REL_NS}"><sheets>'
        '<sheet name="x" sheetId="1" r:id="x"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="x" '
        f'Type="{REL_NS}/worksheet" Target="sheet.xml"/></Relationships>'
    ),
}
_STYLES = (
    f'<styleSheet xmlns="{SHEET_MAIN_NS}"><numFmts>%s</numFmts>'
    "<fonts><font/></fonts><fills><fill><patternFill/></fill></fills>"
    "<borders><border/></borders>"
    '<cellStyleXfs><xf fontId="0" fillId="0" borderId="0" numFmtId="0"/></cellStyleXfs>'
    "<cellXfs>%s</cellXfs>"
    '<cellStyles><cellStyle name="Normal" xfId="0"/></cellStyles></styleSheet>'
)
_NO_STRINGS = f'<sst xmlns="{SHEET_MAIN_NS}"/>'.encode()


class Xlsx:
    """An .xlsx workbook.

    :raise SheetError: "corrupt", "forbidden_xml", "strict", "no_sheets"
    """

    kind = "xlsx"

    def __init__(self, package: Package, limits: Limits, region: Region):
        self._package = package
        self._limits = limits
        self._parts: dict[str, str] = {}
        self._others: dict[str, str] = {}
        self._hidden: set[str] = set()
        self._date1904 = False
        self._read_workbook()
        self._show = Shower(region, self._date1904)
        self._formats, self._styles = self._read_styles()

    @property
    def sheets(self) -> list[tuple[str, bool]]:
        """The sheets in the workbook's order: (name, whether it is hidden)."""
        return [(name, name in self._hidden) for name in self._parts]

    # not a model: no method of the ORM is overridden
    # pylint: disable-next=method-required-super
    def read(self, sheet: str, limit: int | None) -> tuple[list, Iterator[Row]]:
        """Return the merged ranges and the filled rows of a sheet.

        :raise SheetError: whatever speaks against the sheet
        """
        file = tempfile.TemporaryFile()
        try:
            page = self._copy(sheet, limit, file)
        except BaseException:
            file.close()
            raise
        return page.merges, self._rows(page, file)

    def _rows(self, page: Page, file) -> Iterator[Row]:
        number = 1
        try:
            with file:
                book = load_workbook(file, read_only=True, data_only=True)
                book.worksheets[0].reset_dimensions()
                rows = book.worksheets[0].iter_rows(max_col=max(page.width, 1))
                for number, hidden in zip(page.numbers, page.hidden, strict=True):
                    yield self._row(number, next(rows), bool(hidden))
        except SheetError:
            raise
        except Exception as error:
            # The library raises whatever a damaged part leads to.
            raise page.broken(number) from error

    def _row(self, number: int, cells: tuple, hidden: bool) -> Row:
        values, errors = [], []
        for column, cell in enumerate(cells):
            value = cell.value
            if value is None:
                text = ""
            elif type(value) is str:
                text = value if "_x" not in value else unescape(value)
            elif type(value) is bool:
                text = self._show.truth(value)
            elif type(value) in (int, float):
                text = self._function(cell)(value)
            else:
                text = self._show.moment(value)
            if cell.data_type == "e":
                errors.append(column)
            values.append(text)
        return Row(number, values, tuple(errors), hidden)

    def _function(self, cell):
        try:
            return self._formats[cell.number_format]
        except LookupError:  # a style that the workbook does not have
            return self._show.by("General")

    def _copy(self, sheet: str, limit: int | None, file) -> Page:
        """Write a workbook of one sheet."""
        with zipfile.ZipFile(file, "w") as package:
            for name, text in _SKELETON.items():
                package.writestr(name, text)
            package.writestr("xl/styles.xml", self._styles)
            strings = Strings(self._limits)
            part = self._others.get("sharedStrings", "xl/sharedStrings.xml")
            with package.open("xl/strings.xml", "w") as target:
                if part in self._package:
                    target.writelines(strings.copy(self._package.chunks(part)))
                else:
                    target.write(_NO_STRINGS)
            page = Page(sheet, self._limits, limit, self._limits.cells - strings.count)
            with package.open("xl/sheet.xml", "w") as target:
                target.writelines(page.copy(self._package.chunks(self._parts[sheet])))
        return page

    def _read_workbook(self):
        workbook = self._package.main_part()
        parts = self._package.related(workbook)
        self._others = dict(parts.values())
        for tag, attributes in self._package.tags(workbook):
            if tag == _STRICT:
                raise SheetError("strict")
            if tag == f"{SHEET_MAIN_NS} workbookPr":
                self._date1904 = attributes.get("date1904") in ("1", "true")
            elif tag == f"{SHEET_MAIN_NS} sheet":
                self._add_sheet(attributes, parts)
        if not self._parts:
            raise SheetError("no_sheets")

    def _add_sheet(self, attributes: dict, parts: dict):
        kind, part = parts.get(attributes.get(f"{REL_NS} id"), ("", ""))
        name = attributes.get("name", "")
        if kind != "worksheet" or name in self._parts or part not in self._package:
            return
        self._parts[name] = part
        if attributes.get("state", "visible") != "visible":
            self._hidden.add(name)

    def _read_styles(self) -> tuple[dict, str]:
        """Return what shows a number by the formats of a styles part of ours, and that.

        The library takes a text in quotes for no date, and so converts nothing: a
        telephone number that is formatted as a date would come out as an error.
        """
        codes: dict[int, str] = {}
        styles: list[int] = []
        within = ""
        part = self._others.get("styles", "xl/styles.xml")
        for tag, attributes in (
            self._package.tags(part) if part in self._package else ()
        ):
            tag = tag.rpartition(" ")[2]
            if tag in ("numFmts", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs"):
                within = tag
            key = attributes.get("numFmtId", "0")
            key = int(key) if key.isdecimal() else 0
            if (within, tag) == ("numFmts", "numFmt"):
                codes[key] = attributes.get("formatCode", "General")
            elif (within, tag) == ("cellXfs", "xf"):
                styles.append(key)
        keys = list(dict.fromkeys(styles)) or [0]
        formats = {f'"{key}"': self._show.by(format_code(key, codes)) for key in keys}
        return formats, _styles(keys, styles or [0])


def _styles(keys: list[int], styles: list[int]) -> str:
    """Return a styles part: each key, in quotes, as a number format."""
    first = 164  # below it stand the formats that need no code
    numbers = {key: first + index for index, key in enumerate(keys)}
    codes = (
        f'<numFmt numFmtId="{number}" formatCode="&quot;{key}&quot;"/>'
        for key, number in numbers.items()
    )
    cells = (f'<xf numFmtId="{numbers[key]}"/>' for key in styles)
    return _STYLES % ("".join(codes), "".join(cells))


def unescape(text: str) -> str:
    """Put back the control characters that OOXML writes as _xHHHH_."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
