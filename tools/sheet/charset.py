"""The encoding of a text file, for the encodings that Russian tables come in."""

import codecs

import chardet

# The encodings to offer when the guess is wrong.
ENCODINGS = ("utf-8", "cp1251", "koi8-r", "cp866", "mac-cyrillic", "utf-16-le")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 32 * 1024
# In short texts and in capitals chardet takes windows-1251 for something else; of its
# guesses only these are believed, when it is sure and has seen some letters.
_BELIEVED = {"KOI8-R": "koi8-r", "IBM866": "cp866"}
_SURE, _LETTERS = 0.8, 8
# In nearly valid UTF-8, at most one of this many characters above ASCII is broken.
_SPOILT = 20


def find_encoding(content: bytes) -> str:
    """Return the codec's name: by its mark, else UTF-8 if (nearly) valid, else a guess.

    Of the single-byte encodings windows-1251 is taken unless chardet is sure of KOI8-R
    or cp866.
    """
    for mark, name in _MARKS:
        if content.startswith(mark):
            return name
    if name := find_wide(content):
        return name
    text = content.decode("utf-8", "replace")
    above = len(text) - len(text.encode("ascii", "ignore"))
    nearly = text.count("\ufffd") * _SPOILT <= above
    return "utf-8" if nearly else _guess(content)


def find_wide(content: bytes) -> str | None:
    """Recognise UTF-16 without its mark: ASCII characters are half zeros."""
    sample = content[: _SAMPLE // 2 * 2]
    for odd, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros = sample[odd::2].count(0)
        if zeros * 10 > len(sample) and not sample[1 - odd :: 2].count(0):
            return name
    return None


def _guess(content: bytes) -> str:
    # Lines without a character above ASCII tell nothing.
    telling, size = [], 0
    for line in content.splitlines():
        if not line.isascii():
            telling.append(line)
            size += len(line)
        if size > _SAMPLE:
            break
    sample = b"\n".join(telling)[:_SAMPLE]
    found = chardet.detect(sample)
    letters = sum(byte > 127 for byte in sample)
    if (found["confidence"] or 0) < _SURE or letters < _LETTERS:
        return "cp1251"
    return _BELIEVED.get(found["encoding"], "cp1251")
