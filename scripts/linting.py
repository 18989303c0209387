"""lint and i18n."""

import subprocess
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


def malformed_xml():
    """Every XML file of the checkout that cannot be parsed, and why."""
    found = []
    for path in sorted(CHECKOUT.rglob("*.xml")):
        try:
            ElementTree.parse(path)
        except ElementTree.ParseError as error:
            found.append(f"{path.relative_to(CHECKOUT)}: {error}")
    return "\n".join(found)


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
        "XML": malformed_xml,
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
