"""What the drill plays on: a server in prefork mode, the emulated provider, the
database and, if libfaketime is there, a clock of their own."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path

import psycopg2
import requests

ROOT = Path(__file__).resolve().parent.parent
ZONE = "Europe/Berlin"
SECONDS = 20.0


def winter_change(now):
    """Return the last end of summer time in Europe: 1:00 UTC on October's last Sunday.

    :param datetime now: aware
    """
    for year in (now.year, now.year - 1):
        last = datetime(year, 10, 31, 1, tzinfo=timezone.utc)
        change = last - timedelta(days=(last.weekday() + 1) % 7)
        if change < now:
            return change
    raise AssertionError("unreachable")


def clock_settings(until_change):
    """Return the environment in which a program's clock reaches the change to winter
    time after ``until_change`` seconds; an empty dict without libfaketime.

    The clock is behind, not ahead: a signal that comes while PostgreSQL waits finds the
    true time (libfaketime 0.9.10), and a timer that is not due yet would never ring. No
    deadlock would be noticed.
    """
    library = next(iter(sorted(Path("/usr/lib").glob("*/faketime/*MT.so.1"))), None)
    if not library:
        return {}
    now = datetime.now(timezone.utc)
    behind = now - winter_change(now) + timedelta(seconds=until_change)
    own = str(ROOT / "benchmarks" / "moved_clock")
    return {
        "PYTHONPATH": os.pathsep.join([own, os.environ.get("PYTHONPATH", "")]),
        "LD_PRELOAD": str(library),
        "FAKETIME": f"-{int(behind.total_seconds())}",
        "FAKETIME_DISABLE_SHM": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
        "TZ": ZONE,
    }


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Provider:
    """The sandbox in a process of its own, which writes down what reached it."""

    def __init__(self, logins, record, settings):
        command = [sys.executable, ROOT / "benchmarks" / "recording.py", record]
        self._record = record
        self._process = subprocess.Popen(
            [*map(str, command), *logins],
            cwd=ROOT,
            env=os.environ | settings,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = self._process.stdout.readline().strip()

    def close(self):
        self._process.kill()
        self._process.wait()

    def steer(self, name, value=None):
        """Ask or tell the sandbox: see its README."""
        url = self.url.replace("/rest", f"/_sandbox/{name}")
        data = None if value is None else json.dumps(value).encode()
        with urllib.request.urlopen(url, data, timeout=60) as answer:
            return json.load(answer)

    def calls(self):
        """Return every sending that reached the provider, as a dict each: ``at``,
        ``answer``, ``reason``, ``numbers``."""
        # the last line may be half written
        lines = self._record.read_text().rpartition("\n")[0].splitlines()
        return [json.loads(line) for line in lines]


class Server:
    """Odoo with processes for requests and for scheduled actions."""

    ALIVE = re.compile(r"Worker (WorkerHTTP|WorkerCron) \((\d+)\) alive")

    def __init__(self, config, database, log, settings):
        self._log, self._settings = log, settings
        self.url = f"http://127.0.0.1:{free_port()}"
        self._command = [
            *(sys.executable, ROOT / "benchmarks" / "serve.py", "server"),
            *("-c", config, "-d", database),
            *("--workers=2", "--max-cron-threads=2", "--no-database-list"),
            *(f"--db-filter=^{database}$", f"--logfile={log}"),
            "--log-handler=odoo.sql_db:WARNING",
            f"--http-port={self.url.rsplit(':', 1)[1]}",
            f"--gevent-port={free_port()}",
        ]
        self._process = None

    def start(self):
        self._process = subprocess.Popen(
            self._command,
            env=os.environ | self._settings,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait_ready(self, seconds=300):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"{self.url}/web/health", timeout=5).ok:
                    return
            time.sleep(0.1)
        sys.exit(f"The server is not up: see {self._log}")

    def kill(self):
        """End it with all its processes; nothing is written down."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def stop(self, patience=20):
        """Ask it to end, as the administrator of the machine does."""
        self._process.terminate()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()

    def keep_up(self):
        """Start it again if it has ended, as the machine's service manager does: it
        does not survive a database that is away for a moment."""
        if self._process.poll() is not None:
            self.start()

    def kill_worker(self, kind, chance):
        """Kill one process of a kind; return whether there was one."""
        told = self._log.read_text("utf-8", "replace") if self._log.exists() else ""
        alive = {int(pid): name for name, pid in self.ALIVE.findall(told)}
        path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        try:
            children = [int(pid) for pid in path.read_text().split()]
            mine = [pid for pid in children if alive.get(pid) == kind]
            if mine:
                os.kill(chance.choice(mine), signal.SIGKILL)
            return bool(mine)
        except OSError:
            return False


class Person:
    """The web client of one user."""

    def __init__(self, url, database, login):
        self._url, self._database, self._login = url, database, login
        self._session = None

    def log_in(self):
        self._session = requests.Session()
        self.uid = self._post(
            "/web/session/authenticate",
            db=self._database,
            login=self._login,
            password=self._login,
        )["uid"]

    def call(self, model, method, *args, seconds=SECONDS, **kwargs):
        """Call a method.

        :raise NoAnswerError: nobody knows whether it was done
        :raise RefusedError: Odoo answered with an error: it was not done
        """
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        path = f"/web/dataset/call_kw/{model}/{method}"
        return self._post(path, seconds=seconds, **params)

    def _post(self, path, *, seconds=SECONDS, **params):
        body = {"jsonrpc": "2.0", "params": params}
        try:
            answer = self._session.post(self._url + path, json=body, timeout=seconds)
            answer = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise NoAnswerError(type(error).__name__) from None
        if "error" in answer:
            data = answer["error"].get("data", {})
            raise RefusedError(data.get("message") or str(answer["error"]))
        return answer.get("result")  # a method that returns nothing


class NoAnswerError(Exception):
    """A request of a person got no answer."""


class RefusedError(Exception):
    """A request of a person was refused, or failed."""


class Database:
    """The database, past Odoo; it may be down for a moment."""

    def __init__(self, name, **where):
        self.name, self._where = name, where

    def run(self, statement, params=(), *, patience=60.0, name=None):
        """Run one statement in a transaction of its own; return its rows."""
        end = time.monotonic() + patience
        while True:
            try:
                cnx = psycopg2.connect(dbname=name or self.name, **self._where)
                try:
                    with cnx, cnx.cursor() as cr:
                        cr.execute(statement, params)
                        return cr.fetchall() if cr.description else []
                finally:
                    cnx.close()
            except psycopg2.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def wake(self):
        """Have Odoo calculate and send now. The other scheduled actions run in their
        own time: woken as often, they would leave a small machine nothing else."""
        # Odoo leaves out an action that was killed three times in a row
        self.run(
            """WITH idle AS (SELECT id FROM ir_cron FOR UPDATE SKIP LOCKED),
                    gone AS (DELETE FROM ir_cron_progress
                              WHERE cron_id IN (SELECT id FROM idle))
               INSERT INTO ir_cron_trigger (cron_id, call_at)
               SELECT c.id, now() AT TIME ZONE 'UTC' FROM ir_cron c
                WHERE c.id IN (SELECT res_id FROM ir_model_data
                                WHERE module = 'sms_devino' AND name IN
                                      ('ir_cron_dispatch', 'ir_cron_calculate'))
                  AND NOT EXISTS (
                          SELECT 1 FROM ir_cron_trigger t
                           WHERE t.cron_id = c.id
                             AND t.call_at <= now() AT TIME ZONE 'UTC')"""
        )
        statement = "SELECT pg_notify('cron_trigger', %s)"
        self.run(statement, [self.name], name="postgres")
