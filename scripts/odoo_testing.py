"""test-odoo: Odoo's own tests, without the addon and with it, compared.

Two runs a side: the SMS tests and test_lint, which run while their modules are
updated; and the tests that look at every model, view and menu of a database.
"""

import contextlib
import hashlib
import json
import os
import shutil

from .base import (
    ADDON,
    CHECKOUT,
    HOME,
    OWN,
    Failure,
    log_path,
    only_one,
    run,
    say,
    step,
)
from .databases import ODOO_TEST_MODULES, prepared, test_template
from .odoo import addons_path
from .system import BROWSER_NEEDS
from .testing import TestLog, run_odoo

SIDES = {side: f"{ADDON}_odoo_{side}" for side in ("without", "with")}
# Classes of Odoo that look at whatever is installed, by module. Those with a tag
# before the module are not among Odoo's standard tests.
GENERIC_TESTS = [
    "/base:TestEveryModel",
    "/base:TestInvisibleField",
    "/base:TestNeutralize",
    "/base:TestOverrides",
    "/base:TestTranslationExport",
    "migration/base:TestAllViews",
    "render_all_views/base:TestRenderAllViews",
    "click_all/web:TestMenusAdmin",
]
ESLINT_TEST = "test_lint:TestESLint"
ESLINT_VERSION = "8.57.1"  # the newest that takes the options which Odoo gives it
OWN_MODULE = f"odoo.addons.{ADDON}."
# How the addon shows in the lines of a failure. Its bare name will not do: it is in
# the paths of Odoo's own files, too.
SIGNS = (f"addons/{ADDON}", f"addons.{ADDON}", "sms.devino", f"{CHECKOUT}/")
# Odoo has pylint read every module there is, for a quarter of an hour. This one leaves
# out the folders that are not ours, and reads one file of Odoo's so that it has some.
# The addon's comments name checks of pylint-odoo, which this run does not load.
PYLINT = """#!/bin/sh
for argument do
  shift
  case "$argument" in
    {own}/addons/*|{checkout}/*) ;;
    *) [ -d "$argument" ] && continue
  esac
  set -- "$@" "$argument"
done
exec {pylint} "$@" --disable=unknown-option-value {release}
"""


# The same for ESLint and its files, of which at least one has to be there.
ESLINT = """#!/bin/sh
for argument do
  shift
  case "$argument" in
    {own}/addons/*|{checkout}/*) found=1 ;;
    *.js) continue
  esac
  set -- "$@" "$argument"
done
[ "$found" ] || exit 0
exec {eslint} "$@"
"""


def eslint():
    """The program, installed with npm if that is there; None without it."""
    folder = HOME / f"eslint-{ESLINT_VERSION}"
    program = folder / "node_modules" / ".bin" / "eslint"
    if not program.exists() and shutil.which("npm"):
        with contextlib.suppress(Failure), step(f"ESLint {ESLINT_VERSION}"):
            folder.mkdir(exist_ok=True)
            options = ["--no-audit", "--no-fund", "--prefix", folder]
            run(["npm", "install", *options, f"eslint@{ESLINT_VERSION}"], "eslint")
    return program if program.exists() and shutil.which("node") else None


def path_with_linters(odoo):
    """The variable PATH under which test_lint finds linters for our modules."""
    folder = OWN / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    where = {"own": OWN, "checkout": CHECKOUT, "eslint": eslint()}
    where["pylint"] = odoo.python.with_name("pylint")
    where["release"] = odoo.folder / "odoo" / "release.py"
    for name, script in (("pylint", PYLINT), ("eslint", ESLINT)):
        command = folder / name
        command.unlink(missing_ok=True)
        if where[name]:
            command.write_text(script.format(**where))
            command.chmod(0o755)
    folders = [str(folder), str(odoo.python.parent), os.environ["PATH"]]
    return os.pathsep.join(folders)


def suites():
    """What is run on each side: a name, the options, the tags."""
    standard = [f"/{module}" for module in ODOO_TEST_MODULES]
    if not eslint():
        standard.append(f"-/{ESLINT_TEST}")
    return {
        "sms": (["--update=phone_validation,sms,test_lint"], standard),
        "generic": ([], [*GENERIC_TESTS, f"click_all/{ADDON}"]),
    }


def run_side(odoo, cluster, template, side):
    """Odoo's tests on a fresh database, with the addon if `side` says so."""
    database = SIDES[side]
    cluster.copy(template, database)
    without = []
    if side == "with":
        odoo.install("test-odoo-install", database, [ADDON])
    else:  # the linters look at every module on the path
        without.append(f"--addons-path={addons_path(odoo.folder)}")
    path = path_with_linters(odoo)
    results = {}
    for suite, (options, tags) in suites().items():
        options = [*options, *without, f"--test-tags={','.join(tags)}"]
        with step(f"Odoo's tests {side} {ADDON}: {suite}"):
            name = f"test-odoo-{side}-{suite}"
            results[suite] = run_odoo(odoo, database, name, *options, PATH=path)
    return results


def kept_file(odoo):
    """Where the results of Odoo's tests without the addon are kept.

    They change with Odoo, the suites and the programs that the tests run, never with
    the addon.
    """
    suites_of = {name: tags for name, (_options, tags) in suites().items()}
    key = f"{odoo.identity()} {odoo.python} {ODOO_TEST_MODULES} {suites_of}"
    digest = hashlib.sha1(key.encode()).hexdigest()[:12]
    return HOME / "run" / f"odoo-tests-without-{digest}.json"


def keep(results, path):
    """Write test results down."""
    plain = {
        suite: {
            "started": result.started,
            "skipped": [[*test, why] for test, why in result.skipped.items()],
            "failed": [[*test, lines] for test, lines in result.failed.items()],
            "seconds": result.seconds,
            "processor_seconds": result.processor_seconds,
        }
        for suite, result in results.items()
    }
    path.write_text(json.dumps(plain))


def read_kept(path):
    """The results that ``keep`` wrote down, a TestLog for each suite."""
    results = {}
    for suite, plain in json.loads(path.read_text()).items():
        results[suite] = result = TestLog()
        result.started = [tuple(test) for test in plain["started"]]
        result.skipped = {(mod, name): why for mod, name, why in plain["skipped"]}
        result.failed = {(mod, name): lines for mod, name, lines in plain["failed"]}
        result.seconds = plain["seconds"]
        result.processor_seconds = plain["processor_seconds"]
    return results


def run_without(odoo, cluster, template, fresh):
    """Odoo's tests without the addon, run once for an Odoo."""
    path = kept_file(odoo)
    if path.exists() and not fresh:
        say(f"Odoo's tests without {ADDON}: as they ended before ({path.name}).")
        return read_kept(path)
    results = run_side(odoo, cluster, template, "without")
    keep(results, path)
    return results


def outcomes(result):
    """How each test, and each subtest that failed, ended: (module, name) -> a word."""
    ended = dict.fromkeys(result.started, "passed")
    ended |= dict.fromkeys(result.skipped, "skipped")
    return ended | dict.fromkeys(result.failed, "failed")


def differences(before, after):
    """What differs between a run without the addon and one with it, a line for each.

    A test that fails in both runs counts where the addon shows in its failure, and a
    skipped one always, since it has compared nothing. The addon's own tests only
    have to pass.
    """
    ended_before, ended = outcomes(before), outcomes(after)
    for test in sorted({*ended_before, *ended}):
        module, name = test
        was, now = ended_before.get(test, "not run"), ended.get(test, "not run")
        what = f"{module.removeprefix('odoo.addons.')}: {name}"
        lines = after.failed.get(test, ())
        if module.startswith(OWN_MODULE):
            if now != "passed":
                yield f"{now.upper()} {what}"
        elif was != now:
            yield f"CHANGED {what}: {was} -> {now}"
        elif now == "skipped":
            yield f"SKIPPED {what}: {after.skipped[test]}"
        elif any(sign in line for line in lines for sign in SIGNS):
            yield f"FAILED in both runs, and the addon shows in it: {what}"


def missing(result):
    """The generic tests that this Odoo does not hold: not one of them was started."""
    started = {
        f"{module.split('.')[2]}:{name.split('.')[0]}"
        for module, name in result.started
    }
    wanted = [tag.split("/")[1] for tag in GENERIC_TESTS]
    return [test for test in wanted if test not in started]


def compare(before, after):
    """Tell what differs, and what could not be compared; answers whether anything."""
    found = [
        line for suite in suites() for line in differences(before[suite], after[suite])
    ]
    for test in missing(before["generic"]):
        found.append(f"MISSING {test}: this Odoo comes without it.")
    for suite in suites():
        if not before[suite].started or not after[suite].started:
            found.append(f"MISSING {suite}: no test ran.")
    for line in found:
        say(line)
    if not eslint():
        say(f"{ESLINT_TEST} was left out: there is no node and npm on this machine.")
    return bool(found)


def tell_run(side, suite, result):
    passed, failed = result.counts()
    took = f"{result.seconds:.0f} s, {result.processor_seconds:.0f} s of the processor"
    log = log_path(f"test-odoo-{side}-{suite}")
    say(f"{side}, {suite}: {passed} passed, {failed} failed; {took}; {log}")


def command_test_odoo(args):
    lock = only_one("test-odoo")
    with prepared(BROWSER_NEEDS) as (odoo, cluster):
        template = test_template(odoo, cluster, ODOO_TEST_MODULES)
        without = run_without(odoo, cluster, template, args.fresh)
        results = {
            "without": without,
            "with": run_side(odoo, cluster, template, "with"),
        }
    lock.release()
    for side, of_side in results.items():
        for suite, result in of_side.items():
            tell_run(side, suite, result)
    differ = compare(results["without"], results["with"])
    say("They differ." if differ else "The results are the same: no difference.")
    return int(differ)
