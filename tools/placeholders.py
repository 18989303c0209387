"""Texts with gaps: ``Hello {{ name }}``, ``Hello {{ name | customer }}``.

A gap holds the name of a value, and maybe after a bar what to write when the value is
empty. Nothing in a gap is ever evaluated.
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

_BRACES = ("{{", "}}")


@dataclass(frozen=True)
class Gap:
    """A place in a text that each recipient's own value is put in.

    :ivar name: the name as written, without the blanks around it
    :ivar default: what is written when the value is empty
    """

    name: str
    default: str = ""

    @cached_property
    def key(self) -> str:
        """The name as names are compared, see :func:`fold`."""
        return fold(self.name)


@dataclass(frozen=True)
class Problem:
    """What keeps a text from being rendered.

    :ivar code: ``"unknown"`` (no value has that name), ``"nameless"`` (``{{ }}``) or
        ``"unbalanced"`` (braces that are not closed or not opened)
    :ivar name: the name as written
    :ivar suggestion: the known name nearest to it, None when none is near
    """

    code: str
    name: str = ""
    suggestion: str | None = None


@dataclass(frozen=True)
class Template:
    """A text taken apart.

    :ivar parts: plain text and gaps in turn, beginning and ending with plain text
    """

    parts: tuple[str | Gap, ...]

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        return self.parts[1::2]

    @cached_property
    def keys(self) -> frozenset[str]:
        """The folded names of all values that the text needs."""
        return frozenset(gap.key for gap in self.gaps)

    def problems(self, known: Iterable[str]) -> list[Problem]:
        """Tell what is wrong with the text, given the names there are values for."""
        names = {fold(name): name for name in known}
        found = [
            Problem("unbalanced")
            for text in self.parts[::2]
            if any(braces in text for braces in _BRACES)
        ][:1]
        for key, gap in {gap.key: gap for gap in self.gaps}.items():
            if not key:
                found.append(Problem("nameless"))
            elif key not in names:
                near = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
                found.append(
                    Problem("unknown", gap.name, names[near[0]] if near else None)
                )
        return found

    def render(self, values: Mapping[str, str]) -> str:
        """Return the text with the values put in.

        :param values: folded name -> value; a missing one is empty
        """
        return "".join(
            part if isinstance(part, str) else values.get(part.key) or part.default
            for part in self.parts
        )

    def empty(self, values: Mapping[str, str]) -> list[str]:
        """Return the names of the gaps that stay empty, each once, in order."""
        return list(
            dict.fromkeys(
                gap.name
                for gap in self.gaps
                if not gap.default and not values.get(gap.key)
            )
        )


def parse(text: str) -> Template:
    """Take a text with gaps apart; :meth:`Template.problems` tells what is wrong."""
    parts: list[str | Gap] = []
    position = 0
    while (start := text.find("{{", position)) >= 0:
        end = text.find("}}", start + 2)
        if end < 0:
            break
        parts += [text[position:start], _read_gap(text[start + 2 : end])]
        position = end + 2
    return Template((*parts, text[position:]))


def fold(name: str) -> str:
    """Return a name as names are compared: case and blanks make no difference."""
    return " ".join(name.split()).casefold()


def _read_gap(inside: str) -> Gap:
    name, _bar, default = inside.partition("|")
    return Gap(" ".join(name.split()), default.strip())
