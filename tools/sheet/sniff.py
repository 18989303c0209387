"""What kind of file it is, by its bytes: the name is often wrong."""

import codecs
import re

from .charset import find_wide
from .errors import SheetError
from .guard import Package
from .model import MEGABYTE, Limits
from .ole import SIGNATURE

_HEAD = 4096
# The first bytes of files that people choose by mistake: a code, or the kind's name.
_MAGIC = (
    (b"%PDF", "PDF"),
    (b"\x89PNG", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"BM", "image"),
    (b"II*\0", "image"),
    (b"MM\0*", "image"),
    (b"RIFF", "image"),
    (b"Rar!", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"\x1f\x8b", "archive"),
    (b"{\\rtf", "document"),
)
_BINARY = ("image", "archive")
_OPEN_DOCUMENT = {b"spreadsheet": "ods", b"text": "document"}
# Excel 2 to 4 wrote their records without a container.
_BARE_RECORDS = re.compile(rb"\x09[\x00\x02\x04\x08][\x04-\x10]\x00", re.DOTALL)
# Texts that are not tables, by how they begin.
_TEXTS = (
    (re.compile(r"<\?xml"), "XML"),
    (re.compile(r"begin:vcard", re.I), "vCard"),
    (re.compile(r"begin:vcalendar", re.I), "iCalendar"),
    (re.compile(r'(\{\s*"|\[\s*[{\["])'), "JSON"),
    (re.compile(r"(--.*\n\s*)*(create table|insert into)\s", re.I), "SQL"),
    (re.compile(r"(from|received|return-path|delivered-to): ", re.I), "e-mail"),
)
_HTML = re.compile(
    r"<(!doctype\s+html|html|head|meta|body|table|div|style|font)\b"
    r"|mime-version:",
    re.IGNORECASE,
)
_SPREADSHEETML = "urn:schemas-microsoft-com:office:spreadsheet"
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1e]")


def sniff(content: bytes, limits: Limits) -> tuple[str, Package | None]:
    """Return the kind ("xls", "xlsx" or "csv") and the opened package of an .xlsx.

    :raise SheetError: the file is something else; the code says what
    """
    if not content.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise SheetError("empty")
    if len(content) > limits.file_bytes:
        size, limit = -(-len(content) // MEGABYTE), limits.file_bytes // MEGABYTE
        raise SheetError("too_large", size_mb=size, limit_mb=limit)
    if content.startswith(b"PK\x03\x04") or content.startswith(b"PK\x05\x06"):
        return "xlsx", _sniff_zip(content, limits)
    if content.startswith(SIGNATURE) or _BARE_RECORDS.match(content):
        return "xls", None
    _check_text(content)
    return "csv", None


def _sniff_zip(content: bytes, limits: Limits) -> Package:
    package = Package(content, limits)
    part = package.main_part()
    if part.endswith(".bin"):
        raise SheetError("xlsb")
    if part.lower().startswith("xl/"):
        return package
    if "mimetype" in package:
        kind = next(package.chunks("mimetype"), b"")[:200]
        kind = kind.rpartition(b".")[2].partition(b"-")[0]
        raise SheetError(_OPEN_DOCUMENT.get(kind, "document"))
    raise SheetError("document" if package.folders() & {"word", "ppt"} else "archive")


def _check_text(content: bytes):
    for magic, code in _MAGIC:
        # "BM" and "RIFF" also begin words; pictures have zeros soon after.
        if content.startswith(magic) and (
            code not in _BINARY or _CONTROL.search(content[:_HEAD])
        ):
            if code == "PDF":
                raise SheetError("other_kind", kind=code)
            raise SheetError(code)
    marks = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    wide = "utf-16" if content.startswith(marks) else find_wide(content)
    if not wide and _CONTROL.search(content):
        raise SheetError("unknown")
    head = content[:_HEAD].decode(wide or "latin-1", "replace")
    head = head.removeprefix("ï»¿").lstrip("\ufeff \t\r\n")
    if _SPREADSHEETML in head:
        raise SheetError("spreadsheetml")
    if _HTML.match(head) or (head.startswith("<") and _HTML.search(head)):
        raise SheetError("html")
    for pattern, kind in _TEXTS:
        if pattern.match(head):
            raise SheetError("other_kind", kind=kind)
