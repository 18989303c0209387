"""test: Odoo's runner on a fresh database, and what its log says."""

import contextlib
import os
import re
import resource
import signal
import subprocess
import threading
import time

from .base import ADDON, LOGS, OWN, log_path, only_one, say, start, step, stop, tail
from .databases import TEST_DB, prepared, test_template
from .demo import free_port
from .system import BROWSER_NEEDS

# Plays a third-party module that extends the journal.
TEST_MODULE = "sms_devino_test_journal"
# A runner that logs nothing for so many seconds has got stuck.
SILENCE = 180


class TestLog:
    """Reads the log of Odoo's test runner line by line.

    `started`, `skipped`: tests as (module, name); `failed`: the same, a subtest with
    its parameters, or a name for what failed outside of any test, each with the lines
    that tell why.
    """

    RECORD = re.compile(r"\d{4}-\d\d-\d\d [\d:,]+ \d+ ([A-Z]+) \S+ ([\w.]+): (.*)")
    STARTING = re.compile(r"Starting (\S+) \.\.\.")
    SKIPPED = re.compile(r"skipped (\S+) : (.*)")
    FAILED = re.compile(r"(?:FAIL|ERROR): (?:Subtest )?(.+)")
    SUMMARY = re.compile(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests when loading")
    SUBTOTAL = re.compile(r"Module \S+: \d+ failures, \d+ errors of \d+ tests")
    # Debian's Odoo lacks this file; where it is used as it is (by ODOO_HOME), every
    # build of the bundle logs that as an error.
    KNOWN = "Could not get content for mail/static/lib/selfie_segmentation/"

    def __init__(self):
        self.started, self.skipped, self.failed = [], {}, {}
        self.summary = None
        self.warnings = 0
        self.seconds = self.processor_seconds = 0.0
        self._current = None
        self._lines = None

    def feed(self, line):
        record = self.RECORD.match(line)
        if record:
            self._lines = None
            self._record(*record.groups())
        elif self._lines is not None:
            self._lines.append(line.rstrip("\n"))

    def _record(self, level, logger, message):
        if level == "INFO":
            self._info(logger, message)
        elif level == "WARNING":
            self.warnings += 1
        if summary := self.SUMMARY.match(message):
            self.summary = tuple(map(int, summary.groups()))
        elif level in ("ERROR", "CRITICAL"):
            self._error(logger, message)

    def _info(self, logger, message):
        if started := self.STARTING.match(message):
            self._current = (logger, started[1])
            self.started.append(self._current)
        elif skipped := self.SKIPPED.match(message):
            self.skipped[logger, skipped[1]] = skipped[2]
        elif " post-tests in " in message or message.startswith("Starting post tests"):
            self._current = None

    def _error(self, logger, message):
        if self.SUBTOTAL.match(message) or self.KNOWN in message:
            return
        failed = self.FAILED.match(message) if ".tests." in logger else None
        test = (logger, failed[1]) if failed else self._current or ("log", logger)
        self._lines = self.failed.setdefault(test, [])
        self._lines.append(message)

    def add_failure(self, name, *lines):
        self.failed.setdefault(("run", name), []).extend(lines)

    def add_silence(self):
        """The runner was ended because it stood still."""
        test = self._current or ("run", "silence")
        why = (
            f"no line in the log for {SILENCE} s; it ends with where each thread stood"
        )
        self.failed.setdefault(test, []).append(why)

    def finish(self, code, words):
        """Cross-check what was read with the runner's summary and exit code.

        `words` are the last ones of the log.
        """
        for (module, name), reason in self.skipped.items():
            if f".{ADDON}." in module:
                lines = self.failed.setdefault((module, name), [])
                lines.append(f"skipped, and no test of the addon may be: {reason}")
        if self.summary is None:
            why = "" if self.failed else f" Its last words:\n{words}"
            self.add_failure("end", f"The runner did not finish.{why}")
        elif self.summary[2] != len(self.started):
            told = f"{self.summary[2]} tests, its log {len(self.started)}"
            self.add_failure("count", f"The runner counts {told}.")
        if (code or any((self.summary or ())[:2])) and not self.failed:
            self.add_failure("exit", f"The runner failed (code {code}), see the log.")

    def counts(self):
        """How many passed, how many failed."""
        # the name of a subtest begins with that of its test
        failed = {(module, name.split(" ")[0]) for module, name in self.failed}
        passed = set(self.started) - failed - set(self.skipped)
        return len(passed), len(self.failed)

    def report(self):
        for (module, name), lines in self.failed.items():
            say(f"\nFAILED {module.removeprefix('odoo.addons.')}: {name}")
            say("\n".join("    " + line for line in lines[:80]))


class Watchdog(threading.Thread):
    """Ends a runner that hangs, after it has printed where.

    `last` is the time of its last sign of life, `barked` whether it was ended.
    """

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process = process
        self.last = time.monotonic()
        self.barked = False
        self.start()

    def run(self):
        while self.process.poll() is None:
            time.sleep(1)
            if time.monotonic() - self.last > SILENCE:
                self.barked = True
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.process.pid, signal.SIGQUIT)  # Odoo logs its stacks
                    time.sleep(2)
                    os.killpg(self.process.pid, signal.SIGKILL)
                return


def leaked(log, markers):
    """Where in `log` a secret, number or text stands that the tests registered."""
    if not markers.exists():
        return []
    wanted = {line.strip() for line in markers.read_text("utf-8").splitlines()} - {""}
    found = []
    with log.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            hits = sorted(marker for marker in wanted if marker in line)
            found += [f"{log}:{number}: {marker}" for marker in hits]
    return found


def processor_seconds():
    """What the children that have ended took of the processor (not the database)."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run_odoo(odoo, database, name, *options, **variables):
    """Odoo's runner on `database` with its log under `name`; answers the read log."""
    log = log_path(name)
    options = [*options, "--stop-after-init", "--max-cron-threads=0"]
    options += [f"--http-port={free_port()}"]
    options += [f"--screenshots={LOGS / f'{name}-screenshots'}"]
    env = odoo.env(**variables)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    began, used = time.monotonic(), processor_seconds()
    process = start(odoo.options(database, *options), cwd=OWN, env=env, **streams)
    watchdog = Watchdog(process)
    result = TestLog()
    with log.open("wb") as output:
        for line in process.stdout:
            watchdog.last = time.monotonic()
            output.write(line)
            output.flush()
            result.feed(line.decode("utf-8", "replace"))
    code = process.wait()
    stop(process)
    result.seconds = time.monotonic() - began
    result.processor_seconds = processor_seconds() - used
    if watchdog.barked:
        result.add_silence()
    result.finish(code, tail(log))
    return result


def run_tests(odoo, tags, template):
    """The addon's tests on the fresh test database; answers the read log.

    Tests that need a database of their own copy `template`.
    """
    markers = OWN / "leak_markers.txt"
    markers.unlink(missing_ok=True)
    options = ["--init", f"{ADDON},{TEST_MODULE}", f"--test-tags={tags}"]
    variables = {
        "SMS_DEVINO_LEAK_MARKERS": str(markers),
        "SMS_DEVINO_TEMPLATE": template,
    }
    result = run_odoo(odoo, TEST_DB, "test", *options, **variables)
    if leaks := leaked(log_path("test"), markers):
        result.add_failure("leak: the log tells what it must not", *leaks)
    return result


def command_test(args):
    lock = only_one("test")
    tags = ",".join(args.tags) or f"/{ADDON},/{TEST_MODULE}"
    with prepared(BROWSER_NEEDS) as (odoo, cluster):
        template = test_template(odoo, cluster)
        cluster.copy(template, TEST_DB)
        with step(f"Tests {tags}"):
            result = run_tests(odoo, tags, template)
    lock.release()
    result.report()
    passed, failed = result.counts()
    skipped = f", {len(result.skipped)} skipped" if result.skipped else ""
    say(f"\nLog: {log_path('test')} ({result.warnings} warnings{skipped})")
    if not result.started:
        say("No test ran.")
    say(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1
