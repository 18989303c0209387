"""Words by which a recipient refuses further messages, or wants them again."""

import re

STOP_WORDS = "стоп, stop, отписка, отписаться, отказ, unsubscribe"
START_WORDS = "старт, start, подписка, подписаться, subscribe"

# Cyrillic letters, and a digit, that look like a Latin letter.
_LOOK_ALIKE = str.maketrans("авекмнорстухёі0", "abekmhopctyxeio")
_SEPARATOR = re.compile(r"[,;\n]")


def split_words(text):
    """Return the words of a setting, a list of strings as they were written.

    :param str text: words between commas, semicolons or line breaks
    """
    words = (word.strip() for word in _SEPARATOR.split(text or ""))
    return [word for word in words if _skeleton(word)]


def says_one_of(text, words):
    """Tell whether a text is one of the words and nothing else.

    Case, spaces, punctuation and letters that look alike do not matter.

    :param str text: the message
    :param str words: as for :func:`split_words`
    """
    return _skeleton(text) in {_skeleton(word) for word in split_words(words)}


def _skeleton(text):
    letters = "".join(char for char in (text or "").casefold() if char.isalnum())
    return letters.translate(_LOOK_ALIKE)
