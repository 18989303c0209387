"""What people paste as a list of recipients, and how a cell is kept."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .sheet.errors import SheetError

# The most numbers that are read from one paste; for more there is a file.
MAX_PASTED = 200_000
_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufeff\ufffe\uffff]"
)
_SEPARATOR = re.compile(r"[,;\t]")
_LETTER = re.compile(r"[^\W\d_]")
_NUMBER = re.compile(
    r"(?<![\d.])\+?\(?\d[\d ()\u00a0.\-\u2010-\u2015\u2212]{3,}\d(?!\d)"
)
_LABEL = re.compile(
    r"\b(?:телефон|тел|мобильный|моб|сотовый|сот|phone|tel|mobile|mob|cell)\b[.:\s]*",
    re.IGNORECASE,
)
_EDGE = " \u00a0-–—:.()\"'«»"
_ZEROS = re.compile(r"0{1,2}")


def clean(text) -> str:
    """Return a name or a cell as it is kept: a spreadsheet gives it back unchanged.

    :param text: anything; None and False are empty
    """
    if text is None or text is False:
        return ""
    lines = str(text).replace("\r\n", "\n").replace("\r", "\n")
    return _UNWANTED.sub("", lines).strip()


def clean_data(data: dict | None) -> dict[str, str]:
    """Return further data of a recipient, cleaned, without what is empty."""
    texts = {clean(key): clean(text) for key, text in (data or {}).items()}
    return {key: text for key, text in texts.items() if key and text}


def unique_titles(titles: Iterable[str]) -> list[str]:
    """Return the titles with a number put to those that were there before.

    ``["City", "city"]`` becomes ``["City", "city 2"]``.
    """
    seen: set[str] = set()
    last: dict[str, int] = {}  # the number put to a title last
    result = []
    for title in titles:
        key = title.casefold()
        candidate, number = title, last.get(key, 1)
        while candidate.casefold() in seen:
            number += 1
            candidate = f"{title} {number}"
        last[key] = number
        seen.add(candidate.casefold())
        result.append(candidate)
    return result


@dataclass
class Pasted:
    """A number as it was pasted, and the name that stood beside it ("" for none)."""

    number: str
    name: str = ""


def parse_pasted(text: str, *, limit: int = MAX_PASTED) -> list[Pasted]:
    """Read numbers, with or without names, out of a pasted text.

    One or several in a line, separated by comma, semicolon or tab; a name comes before
    or after its number.  In a line that begins with a name, each name belongs to the
    number after it, else to the one before it.  A line without any number is kept as
    a number, so that it is shown as wrong and not lost.

    :param int limit: how many numbers are read at most
    :raise SheetError: "paste_too_long" for more
    """
    found: list[Pasted] = []
    for line in clean(text).splitlines():
        found += _parse_line(line)
        if len(found) > limit:
            raise SheetError("paste_too_long", limit=limit)
    return found


def _parse_line(line: str) -> list[Pasted]:
    pieces = [part for piece in _SEPARATOR.split(line) for part in _split_piece(piece)]
    if not pieces:
        return []
    if not any(is_number for is_number, _text in pieces):
        return [Pasted(" ".join(text for _is_number, text in pieces))]
    name_first = not pieces[0][0]
    return list(_pair(pieces, name_first))


def _pair(pieces: list[tuple[bool, str]], name_first: bool) -> Iterator[Pasted]:
    """Yield the numbers of a line, each with the words that belong to it."""
    words: list[str] = []
    current = None
    for is_number, text in pieces:
        if not is_number:
            words.append(text)
            continue
        if current:
            yield current if name_first else Pasted(current.number, " ".join(words))
        current = Pasted(text, " ".join(words) if name_first else "")
        words = []
    if current:
        name = " ".join(filter(None, [current.name, *words]))
        yield Pasted(current.number, name)


def _split_piece(piece: str) -> Iterator[tuple[bool, str]]:
    """Yield (is a number, text) for each part between two separators."""
    piece = piece.strip()
    if not piece or _ZEROS.fullmatch(piece):
        return
    if not _LETTER.search(piece):
        yield True, piece
        return
    match = _NUMBER.search(piece)
    if not match:
        yield False, piece.strip(" \u00a0\"'")
        return
    before = _LABEL.sub("", piece[: match.start()]).strip(_EDGE)
    after = piece[match.end() :].strip(_EDGE)
    if before:
        yield False, before
    yield True, match[0].strip()
    if after:
        yield False, after
