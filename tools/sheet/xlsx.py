"""Workbooks of Excel 2007 and later (.xlsx, .xlsm), read by openpyxl.

The library is given a copy that the guard has made, see there.
"""

import re
import tempfile
import zipfile
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from openpyxl import load_workbook
from openpyxl.xml.constants import REL_NS, SHARED_STRINGS, SHEET_MAIN_NS, XLSX

from .errors import SheetError
from .guard import Package, Page, copy_strings
from .model import Limits, Region, Row
from .show import Shower, format_code

# The library leaves control characters as OOXML writes them: _xHHHH_.
_ESCAPE = re.compile(r"_x(00[01][0-9A-Fa-f]|005[Ff])_")
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}workbook"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
# The workbook that the library sees, apart from its sheet and strings.
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
# Number formats below this are built in.
_OWN_FORMATS = 164


class Xlsx:
    """An .xlsx workbook.

    ``sheets`` are pairs of name and whether the sheet is hidden.

    :raise SheetError: "corrupt", "forbidden_xml", "strict", "no_sheets"
    """

    kind = "xlsx"

    def __init__(self, package: Package, limits: Limits, region: Region):
        self._package, self._limits = package, limits
        self._parts: dict[str, str] = {}
        self.sheets: list[tuple[str, bool]] = []
        date1904 = self._read_workbook()
        self._show = Shower(region, date1904)
        self._formats, self._styles = self._read_styles()

    def read_sheet(self, sheet: str, limit: int | None) -> tuple[list, Iterator[Row]]:
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
                rows = book.worksheets[0].iter_rows()
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
            if type(value) in (int, float):
                values.append(self._function(cell)(value))
                continue
            if cell.data_type == "e":
                errors.append(column)
            if type(value) is str:
                plain = _ESCAPE.sub(_unescape, value) if "_x" in value else value
                values.append(plain)
            elif value is None:
                values.append("")
            elif type(value) is bool:
                values.append(self._show.truth(value))
            else:
                values.append(self._show.moment(value))
        return Row(number, values, tuple(errors), hidden)

    def _function(self, cell):
        try:
            return self._formats[cell.number_format]
        except LookupError:  # a style that the workbook does not have
            return self._show.by("General")

    def _copy(self, sheet: str, limit: int | None, file) -> Page:
        """Write a workbook of one sheet."""
        limits, chunks = self._limits, self._package.chunks
        with zipfile.ZipFile(file, "w") as package:
            for name, text in (*_SKELETON.items(), ("xl/styles.xml", self._styles)):
                package.writestr(name, text)
            part = self._parts.get("sharedStrings", "xl/sharedStrings.xml")
            strings = chunks(part) if part in self._package else iter([_NO_STRINGS])
            with package.open("xl/strings.xml", "w") as target:
                count = copy_strings(strings, target, limits.cells // 2)
            page = Page(sheet, limits, limit, limits.cells - count)
            with package.open("xl/sheet.xml", "w") as target:
                page.copy_sheet(chunks(self._parts["sheet " + sheet]), target)
        return page

    def _read_workbook(self) -> bool:
        """Find the parts; tell whether day 0 is 1904-01-01."""
        workbook, date1904 = self._package.main_part(), False
        links = self._package.related(workbook)
        # Sheets by "sheet " and their names, the others by their kinds.
        self._parts = {kind: part for kind, part in links.values()}
        for element in self._package.elements(workbook):
            if element.tag == _STRICT:
                raise SheetError("strict")
            if element.tag == f"{{{SHEET_MAIN_NS}}}workbookPr":
                date1904 = element.get("date1904") in ("1", "true")
            elif element.tag == f"{{{SHEET_MAIN_NS}}}sheet":
                self._add_sheet(element, links)
        if not self.sheets:
            raise SheetError("no_sheets")
        return date1904

    def _add_sheet(self, element: Element, links: dict):
        kind, part = links.get(element.get(f"{{{REL_NS}}}id"), ("", ""))
        name = element.get("name", "")
        key = "sheet " + name
        if kind == "worksheet" and part in self._package and key not in self._parts:
            self._parts[key] = part
            self.sheets.append((name, element.get("state", "visible") != "visible"))

    def _read_styles(self) -> tuple[dict, str]:
        """Return what shows a number by the formats of a styles part of ours, and that.

        The library takes a text in quotes for no date, and so converts nothing: a
        telephone number that is formatted as a date would come out as an error.
        """
        codes, styles = {}, []
        part = self._parts.get("styles", "xl/styles.xml")
        for element in self._package.elements(part):
            name = element.tag.rpartition("}")[2]
            if name == "numFmts":
                codes = {_key(one): one.get("formatCode", "General") for one in element}
            elif name == "cellXfs":
                styles = [_key(one) for one in element]
        styles = styles or [0]
        keys = set(styles)
        numbers = "".join(
            f'<numFmt numFmtId="{_OWN_FORMATS + key}" formatCode="&quot;{key}&quot;"/>'
            for key in keys
        )
        cells = "".join(f'<xf numFmtId="{_OWN_FORMATS + key}"/>' for key in styles)
        formats = {f'"{key}"': self._show.by(format_code(key, codes)) for key in keys}
        return formats, _STYLES % (numbers, cells)


def _key(element: Element) -> int:
    """Return the number of a number format."""
    key = element.get("numFmtId", "0")
    return int(key) if key.isdecimal() and len(key) < 10 else 0


def _unescape(match: re.Match) -> str:
    return chr(int(match[1], 16))
