"""test-odoo: Odoo's own SMS tests, without the addon and with it, compared."""

from .base import ADDON, log_path, only_one, say, step
from .databases import ODOO_TEST_MODULES, prepared, test_template
from .system import BROWSER_NEEDS
from .testing import run_odoo

DATABASES = {"without": f"{ADDON}_odoo_without", "with": f"{ADDON}_odoo_with"}


def run_odoo_tests(odoo, cluster, template, name):
    """Odoo's tests on a fresh database, with the addon if `name` says so."""
    database = DATABASES[name]
    cluster.copy(template, database)
    if name == "with":
        odoo.install("test-odoo-install", database, [ADDON])
    tags = ",".join(f"/{module}" for module in ODOO_TEST_MODULES)
    updated = "--update=phone_validation,sms"  # and so all that stands on them
    return run_odoo(odoo, database, f"test-odoo-{name}", updated, f"--test-tags={tags}")


def outcomes(result):
    """How each test ended: (module, name) -> a word."""
    ended = dict.fromkeys(result.started, "passed")
    ended |= dict.fromkeys(result.skipped, "skipped")
    return ended | dict.fromkeys(result.failed, "failed")


def command_test_odoo(_args):
    lock = only_one("test-odoo")
    results = {}
    with prepared(BROWSER_NEEDS) as (odoo, cluster):
        template = test_template(odoo, cluster, ODOO_TEST_MODULES)
        for name in DATABASES:
            with step(f"Odoo's own SMS tests {name} {ADDON}"):
                results[name] = run_odoo_tests(odoo, cluster, template, name)
    lock.release()
    ended = {name: outcomes(result) for name, result in results.items()}
    changed = {
        test: [ended[name].get(test, "not run") for name in DATABASES]
        for test in {*ended["without"], *ended["with"]}
        if ended["without"].get(test) != ended["with"].get(test)
    }
    for (module, name), (before, after) in sorted(changed.items()):
        say(f"CHANGED {module}: {name}: {before} -> {after}")
    for name, result in results.items():
        passed, failed = result.counts()
        say(
            f"{name}: {passed} passed, {failed} failed; {log_path(f'test-odoo-{name}')}"
        )
    ran = all(result.started for result in results.values())
    say("The results are the same." if ran and not changed else "They differ.")
    return 0 if ran and not changed else 1
