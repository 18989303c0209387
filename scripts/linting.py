"""lint and i18n."""

import re
import subprocess
from urllib.parse import unquote
from xml.etree import ElementTree

from .base import (
    ADDON,
    CHECKOUT,
    CONFIG,
    OWN,
    Failure,
    clean_env,
    foreground,
    say,
    step,
)
from .databases import I18N_DB, addon_hash, prepared, test_template


def export_terms(odoo, cluster):
    """The addon's translatable terms as Odoo exports them; cached by the files."""
    target = OWN / f"terms-{addon_hash()}.pot"
    if not target.exists():
        template = test_template(odoo, cluster)
        with step("Export of the translatable terms"):
            cluster.copy(template, I18N_DB)
            odoo.install("i18n", I18N_DB, [ADDON])
            where = ["-c", CONFIG, "-d", I18N_DB, "-l", "pot", "-o", target]
            command = odoo.command("i18n", "export", *where, ADDON)
            odoo.run("i18n", command, append=True)
            cluster.drop(I18N_DB)
        for old in OWN.glob("terms-*.pot"):
            if old != target:
                old.unlink()
    return target


def translations(odoo, action, terms):
    """The command that checks or merges i18n/ against the exported `terms`."""
    files = [terms, CHECKOUT / "i18n" / f"{ADDON}.pot", CHECKOUT / "i18n" / "ru.po"]
    return [odoo.python, CHECKOUT / "scripts" / "translations.py", action, *files]


def command_i18n(_args):
    with prepared() as (odoo, cluster):
        return foreground(translations(odoo, "merge", export_terms(odoo, cluster)))


def findings(command, **kwargs):
    """What a checking `command` prints when it fails, else ""."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    command = [str(part) for part in command]
    result = subprocess.run(command, check=False, env=clean_env(), **streams, **kwargs)
    return result.stdout or str(command) if result.returncode else ""


# Odoo's own tests ask why a field is there that never shows.
HIDDEN_FIELD = re.compile(r"""<field [^>]*invisible="1"[^>]*/>(?!\s*<!--)""")


def faults_of_xml():
    """Every XML file of the checkout that cannot be parsed, and why; every field that
    never shows and has no comment behind it."""
    found = []
    for path in sorted(CHECKOUT.rglob("*.xml")):
        name = path.relative_to(CHECKOUT)
        try:
            ElementTree.parse(path)
        except ElementTree.ParseError as error:
            found.append(f"{name}: {error}")
        for match in HIDDEN_FIELD.finditer(path.read_text()):
            found.append(f"{name}: say in a comment what this is for: {match[0]}")
    return "\n".join(found)


LINK = re.compile(r"\]\(([^)\s]+)[^)]*\)|(?:href|src)=\"([^\"]+)\"")
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
HTML_ID = re.compile(r"\bid=\"([^\"]+)\"")
ELSEWHERE = re.compile(r"[a-z]+:|//")


def anchors(text):
    """The anchors that GitHub gives the headings of a page, and those that HTML has."""
    headings = HEADING.findall(CODE_BLOCK.sub("", text))
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {word.replace(" ", "-") for word in words} | set(HTML_ID.findall(text))


def broken_links():
    """Every link of a page of the checkout that leads to no file or heading of it."""
    found = []
    pages = [*CHECKOUT.rglob("*.md"), CHECKOUT / "static/description/index.html"]
    for page in sorted(pages):
        for link in links(page.read_text()):
            path, _hash, anchor = unquote(link).partition("#")
            target = page.parent / path if path else page
            if not target.exists():
                found.append(f"{page.relative_to(CHECKOUT)}: no file {link}")
            elif anchor and anchor not in anchors(target.read_text()):
                found.append(f"{page.relative_to(CHECKOUT)}: no heading {link}")
    return "\n".join(found)


def links(text):
    """The links of a page to files beside it."""
    found = LINK.findall(CODE_BLOCK.sub("", text))
    return [link for link in map("".join, found) if not ELSEWHERE.match(link)]


def untranslated(odoo, cluster):
    try:
        terms = export_terms(odoo, cluster)
    except Failure as failure:
        return str(failure)
    return findings(translations(odoo, "check", terms))


def lint_checks(odoo, cluster):
    """Each check's name and a function that answers its findings as text."""
    ruff, pylint = odoo.python.with_name("ruff"), odoo.python.with_name("pylint")
    addon = [f"--rcfile={CHECKOUT / '.pylintrc'}", ADDON]
    return {
        "ruff check": lambda: findings([ruff, "check", "."], cwd=CHECKOUT),
        "ruff format": lambda: findings([ruff, "format", "--check", "."], cwd=CHECKOUT),
        "pylint-odoo": lambda: findings([pylint, *addon], cwd=OWN / "addons"),
        "XML": faults_of_xml,
        "links of pages": broken_links,
        "translations": lambda: untranslated(odoo, cluster),
    }


def command_lint(_args):
    failed = []
    with prepared() as (odoo, cluster):
        for name, check in lint_checks(odoo, cluster).items():
            found = check()
            say(f"{name}: {'findings' if found else 'clean'}")
            if found:
                failed.append(name)
                say(found.rstrip() + "\n")
    say(f"lint: findings of {', '.join(failed)}" if failed else "lint: clean")
    return 1 if failed else 0
