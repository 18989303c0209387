"""The encoding of a text file, for the encodings that Russian tables come in."""

import codecs

from .errors import SheetError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK = 256 * 1024
_SAMPLE = 64 * 1024
_CANDIDATES = ("cp1251", "koi8-r", "cp866")
# How much better than windows-1251 another encoding has to read, per letter.
_MARGIN = 0.5

# Letters of Russian by how often they occur (letters per thousand, rounded).
_FREQUENCY = dict(
    zip(
        "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
        (
            *(110, 85, 80, 74, 67, 63, 55, 47, 45, 44, 35, 32, 30, 28, 26, 20, 19),
            *(17, 17, 16, 16, 14, 12, 10, 9, 7, 6, 5, 4, 3, 3, 1, 1),
        ),
        strict=True,
    )
)
_WEIGHT = {letter: (share - 30) / 25 for letter, share in _FREQUENCY.items()}


def find_encoding(content: bytes) -> str:
    """Return the codec's name: by its mark, else UTF-8 if valid, else Cyrillic.

    Of the single-byte encodings windows-1251 is taken unless the text reads as
    Russian in KOI8-R or cp866 and does not in windows-1251.

    :raise SheetError: "encoding" for UTF-16 that is cut
    """
    for mark, name in _BOMS:
        if content.startswith(mark):
            if not _decodes(content, name):
                raise SheetError("encoding")
            return name
    return "utf-8" if _decodes(content, "utf-8") else _find_cyrillic(content)


def _decodes(content: bytes, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)()
    try:
        for start in range(0, len(content), _CHUNK):
            decoder.decode(content[start : start + _CHUNK])
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _find_cyrillic(content: bytes) -> str:
    # Only bytes above ASCII tell the encodings apart; ASCII ones keep words apart.
    first = next(i for i, byte in enumerate(content) if byte > 127)
    start = max(0, first - 100)
    sample = content[start : start + _SAMPLE]
    scores = {name: _russian(sample.decode(name, "replace")) for name in _CANDIDATES}
    best = max(scores, key=scores.get)
    sure = scores[best] > scores["cp1251"] + _MARGIN and scores[best] > 0
    return best if sure else "cp1251"


def _russian(text: str) -> float:
    """Tell how Russian a text reads: the mean over its characters above ASCII."""
    total, count, before = 0.0, 0, ""
    for char in text:
        if char > "\x7f":
            count += 1
            lower = char.lower()
            total += _WEIGHT.get(lower, -3)
            # A capital after a small letter is the mark of swapped cases.
            if char != lower and before.isalpha() and before == before.lower():
                total -= 2
        before = char
    return total / count if count else 0.0
