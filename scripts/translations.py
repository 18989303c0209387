"""Keep i18n/ in step with the source: run by ./dev i18n and ./dev lint.

    translations.py merge|check EXPORTED.pot KEPT.pot KEPT.po

EXPORTED.pot is what Odoo finds in the addon now. `merge` makes it the kept template
and carries the translations of KEPT.po over to it; `check` tells what is not in step.
Both print what they find and exit with 1 if that is anything.
"""

import re
import sys
from collections import Counter
from pathlib import Path

import polib

PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sdifrx%]|\{\w*\}|</?\w+")
# What Odoo's own files in this language declare.
RUSSIAN_PLURALS = (
    "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && "
    "(n%100<10 || n%100>=20) ? 1 : 2);"
)


def placeholders(text):
    """What a translation must keep: format fields and the names of tags, counted."""
    return Counter(PLACEHOLDER.findall(text))


def terms(catalogue):
    """{msgid: where it is used}; Odoo applies a translation only where it says."""
    return {
        entry.msgid: sorted(place for place, _line in entry.occurrences)
        for entry in catalogue
        if not entry.obsolete
    }


def out_of_step(exported, kept, name):
    """How the terms of `kept` differ from the exported ones, a line for each."""
    new, old = terms(exported), terms(kept)
    for msgid in new.keys() - old.keys():
        yield f"{name}: lacks {msgid!r}"
    for msgid in old.keys() - new.keys():
        yield f"{name}: no longer in the source: {msgid!r}"
    for msgid in new.keys() & old.keys():
        if new[msgid] != old[msgid]:
            yield f"{name}: used elsewhere now: {msgid!r}"


def untranslated(catalogue, name):
    """Terms without a finished translation, a line for each."""
    for entry in catalogue:
        if entry.obsolete:
            yield f"{name}: obsolete: {entry.msgid!r}"
        elif entry.fuzzy:
            yield f"{name}: fuzzy: {entry.msgid!r}"
        elif not entry.msgstr:
            yield f"{name}: not translated: {entry.msgid!r}"
        elif placeholders(entry.msgid) != placeholders(entry.msgstr):
            yield f"{name}: other placeholders or tags than {entry.msgid!r}"


def read(path):
    """The catalogue in `path`; an empty one when there is none yet."""
    return polib.pofile(str(path), wrapwidth=78) if path.exists() else polib.POFile()


def check(exported, template, translated):
    """Every way in which the two kept files are not in step with the exported terms."""
    new, kept, po = read(exported), read(template), read(translated)
    yield from sorted(out_of_step(new, kept, template.name))
    yield from sorted(out_of_step(new, po, translated.name))
    yield from untranslated(po, translated.name)


def merge(exported, template, translated):
    """Bring both kept files in step; answers the terms that lack a translation."""
    new, kept, po = read(exported), read(template), read(translated)
    if list(out_of_step(new, kept, template.name)):
        template.parent.mkdir(exist_ok=True)
        new.save(str(template))
    old = {entry.msgid: entry for entry in po}
    merged = polib.POFile(wrapwidth=78)
    merged.header = new.header
    language = {"Language": "ru", "Plural-Forms": RUSSIAN_PLURALS}
    merged.metadata = {**new.metadata, **po.metadata, **language}
    for entry in new:
        if entry.msgid in old:
            entry.msgstr = old[entry.msgid].msgstr
            entry.flags = old[entry.msgid].flags
            entry.tcomment = old[entry.msgid].tcomment
        merged.append(entry)
    if str(merged) != str(po):
        merged.save(str(translated))
    yield from untranslated(merged, translated.name)


def main():
    """Run the action named on the command line."""
    action, *paths = sys.argv[1:]
    found = list({"check": check, "merge": merge}[action](*map(Path, paths)))
    print("\n".join(found) if found else "The translations are complete.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
