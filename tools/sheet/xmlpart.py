"""Streaming over the XML of an .xlsx that nobody vouches for.

openpyxl reads sheets with ElementTree, which expands entities and keeps a token of
any size in memory; here a document type is refused (OPC forbids it) and so is a
token that no spreadsheet program would write.
"""

from collections.abc import Iterator
from typing import BinaryIO
from xml.parsers import expat

from .errors import SheetError

CHUNK = 64 * 1024
# The parser looks at an unfinished token again with every chunk, so a tag of many
# megabytes would take hours; Excel's longest are a few kilobytes.
_TOKEN = 2 * 1024 * 1024


def local(name: str) -> str:
    """Return an element's name without its prefix ("x:row" -> "row")."""
    return name.rpartition(":")[2]


def new_parser() -> "expat.XMLParserType":
    """Return a parser that refuses document types and so every entity."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = CHUNK
    parser.StartDoctypeDeclHandler = _refuse
    return parser


def _refuse(*_args):
    raise SheetError("forbidden_xml")


def feed(parser: "expat.XMLParserType", stream: BinaryIO) -> Iterator[None]:
    """Parse a stream chunk by chunk, yielding after each.

    :raise SheetError: "corrupt", "forbidden_xml"
    """
    fed = 0
    try:
        while chunk := stream.read(CHUNK):
            parser.Parse(chunk)
            fed += len(chunk)
            if fed - parser.CurrentByteIndex > _TOKEN:
                raise SheetError("corrupt")
            yield
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        # The latter two for an encoding that Python does not know.
        raise SheetError("corrupt") from error
    yield


def start_tags(stream: BinaryIO) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """Yield (path of local names, attributes) of each element as it begins.

    :raise SheetError: "corrupt", "forbidden_xml"
    """
    found, path = [], []

    def start(name, attributes):
        path.append(local(name))
        if len(path) > 100:
            raise SheetError("corrupt")
        found.append((tuple(path), attributes))

    parser = new_parser()
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _name: path.pop()
    for _chunk in feed(parser, stream):
        yield from found
        found.clear()
