"""Patterns of texts that are registered at an operator: ``Order %d is ready, %w``.

A gap is ``%d`` (a number) or ``%w`` (a word). ``%w+`` stands for one or more words with
one space between them, ``%w{1,4}`` for one to four of them; likewise for ``%d``.
Everything else has to be the same in the text, upper and lower case included.
"""

import re
from dataclasses import dataclass

# So many words or numbers a gap stands for at most.
MAX_REPEATS = 100
_GAP = re.compile(r"%([dw])(?:(\+)|\{(\d{1,3}),(\d{1,3})\})?")


@dataclass(frozen=True)
class Gap:
    """A place for words or numbers.

    :ivar bool digits: numbers only
    :ivar int least: at least so many
    :ivar int most: at most so many
    """

    digits: bool
    least: int
    most: int

    def find_ends(self, text, starts):
        """Return where the gap may end in a text.

        It takes the same time for every text: nothing is tried twice.

        :param set starts: positions where it may begin
        """
        ends = set()
        for count in range(1, self.most + 1):
            reached = self._step(text, starts)
            if not reached:
                break
            if count >= self.least:
                ends |= reached
            starts = {at + 1 for at in reached if text.startswith(" ", at)}
        return ends

    def _step(self, text, starts):
        """Return where one word or number may end that begins at one of ``starts``."""
        reached = set()
        for start in sorted(starts):
            at = start
            while at < len(text) and self._takes(text[at]):
                at += 1
                if at in reached:
                    break
                reached.add(at)
        return reached

    def _takes(self, char):
        return char.isdecimal() if self.digits else not char.isspace()


class Pattern:
    """A registered text, taken apart.

    :param str text: as it was registered
    :raise ValueError: when a gap asks for nothing, or for too much
    """

    def __init__(self, text):
        self.text = text
        self._parts = tuple(_split(text))

    def matches(self, text):
        """Whether a text is the registered one, but for the gaps."""
        return len(text) in self._find_ends(text)[0]

    def find_difference(self, text):
        """Return the position up to which a text follows the pattern.

        ``None`` when it matches.
        """
        ends, furthest = self._find_ends(text)
        return None if len(text) in ends else furthest

    def _find_ends(self, text):
        """Return where the pattern may end in a text, and how far it was followed."""
        ends, furthest = {0}, 0
        for part in self._parts:
            if isinstance(part, Gap):
                reached = part.find_ends(text, ends)
            else:
                reached = {at + len(part) for at in ends if text.startswith(part, at)}
            if not reached:
                if isinstance(part, str):
                    furthest = max(at + _shared(part, text, at) for at in ends)
                return set(), furthest
            ends, furthest = reached, max(reached)
        return ends, furthest


def _split(text):
    """Yield literal texts and gaps."""
    at = 0
    for match in _GAP.finditer(text):
        if match.start() > at:
            yield text[at : match.start()]
        yield _read_gap(match)
        at = match.end()
    if at < len(text):
        yield text[at:]


def _read_gap(match):
    letter, plus, least, most = match.groups()
    least, most = int(least or 1), int(most or (MAX_REPEATS if plus else 1))
    if not 1 <= least <= most <= MAX_REPEATS:
        raise ValueError(match[0])
    return Gap(letter == "d", least, most)


def _shared(part, text, at):
    """Return how many characters of ``part`` a text has at a position."""
    count = 0
    for one, other in zip(part, text[at:], strict=False):
        if one != other:
            break
        count += 1
    return count
