"""The zip package of an .xlsx: its parts by name, never more bytes than allowed."""

import io
import posixpath
import zipfile
import zlib
from typing import BinaryIO

from .errors import SheetError
from .model import MEGABYTE, Limits
from .xmlpart import start_tags

# The largest workbooks have some hundreds of parts.
_ENTRY, _ENTRIES = b"PK\x01\x02", 50_000
# What zipfile raises for damaged, encrypted or exotic archives.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
    OverflowError,
)


class Package:
    """The parts of a zip file.

    :param bytes content: the file
    :param Limits limits: ``unpacked_bytes`` bounds what the directory promises and
        also what is really read
    :raise SheetError: "corrupt", "unpacks_too_large"
    """

    def __init__(self, content: bytes, limits: Limits):
        self._limits = limits
        if content.count(_ENTRY) > _ENTRIES:
            raise SheetError("corrupt")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except _DAMAGED as error:
            raise SheetError("corrupt") from error
        members = self._zip.infolist()
        if sum(member.file_size for member in members) > limits.unpacked_bytes:
            raise _too_large(limits)
        # Some exporters write "xl\\SharedStrings.xml"; Excel does not mind.
        self._parts = {_normal(member.filename): member for member in members}

    def __contains__(self, name: str) -> bool:
        return _normal(name) in self._parts

    def folders(self) -> set[str]:
        """Return the names at the top of the package, in lower case."""
        return {name.partition("/")[0] for name in self._parts}

    def open(self, name: str) -> BinaryIO:
        """Open one part for reading.

        :raise SheetError: "corrupt" when there is no such part
        """
        member = self._parts.get(_normal(name))
        if member is None or member.flag_bits & 1:
            raise SheetError("corrupt")
        try:
            return _Bounded(self._zip.open(member), self._limits)
        except _DAMAGED as error:
            raise SheetError("corrupt") from error

    def related(self, name: str) -> list[tuple[str, str, str]]:
        """Return (id, kind, part's name) of what a part refers to.

        :param str name: the part, "" for the package itself
        """
        folder, base = posixpath.split(name)
        relations = posixpath.join(folder, "_rels", f"{base}.rels")
        if relations not in self:
            return []
        found = []
        with self.open(relations) as stream:
            for path, attributes in start_tags(stream):
                target = attributes.get("Target", "").replace("\\", "/")
                if path[-1] != "Relationship" or "Id" not in attributes:
                    continue
                if attributes.get("TargetMode") != "External":
                    kind = attributes.get("Type", "").rpartition("/")[2]
                    part = posixpath.normpath(posixpath.join("/", folder, target))
                    found.append((attributes["Id"], kind, part.lstrip("/")))
        return found


class _Bounded(io.RawIOBase):
    """A stream that ends in SheetError, not in gigabytes."""

    def __init__(self, stream: BinaryIO, limits: Limits):
        super().__init__()
        self._stream = stream
        self._limits = limits
        self._left = limits.unpacked_bytes

    def readable(self) -> bool:
        return True

    # not a model: no method of the ORM is overridden
    # pylint: disable-next=method-required-super
    def read(self, size: int = -1) -> bytes:
        """Read at most ``size`` bytes, or "corrupt", "unpacks_too_large"."""
        try:
            data = self._stream.read(size)
        except _DAMAGED as error:
            raise SheetError("corrupt") from error
        self._left -= len(data)
        if self._left < 0:
            raise _too_large(self._limits)
        return data


def _normal(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _too_large(limits: Limits) -> SheetError:
    return SheetError("unpacks_too_large", limit_mb=limits.unpacked_bytes // MEGABYTE)
