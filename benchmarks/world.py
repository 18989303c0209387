"""What the benchmarks stand on: a database with the addon, a sandbox in a process of
its own, an account between them."""

import io
import json
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def load_registry(options):
    """Load Odoo and the database; refuse one that holds somebody's messages.

    :return: the registry
    """
    from odoo.modules.registry import Registry
    from odoo.tools import config

    config.parse_config(
        ["-c", options.config, "-d", options.database, "--log-level=warn"]
    )
    registry = Registry(options.database)
    with registry.cursor() as cr:
        cr.execute("SELECT 1 FROM sms_devino_account WHERE mode = 'live' AND active")
        if cr.fetchone():
            sys.exit("This database has a live account: take one made for benchmarks.")
    return registry


@contextmanager
def sandbox(*arguments, record=None):
    """Run the sandbox; yield a :class:`Sandbox`.

    :param record: path of a file for the numbers that reach it
    """
    command = [sys.executable, "-m", "sandbox", "--port", "0"]
    command += ["--balance", "100000000", *arguments]
    if record:
        command = [sys.executable, "benchmarks/recording.py", str(record)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield Sandbox(process.stdout.readline().strip())
    finally:
        process.terminate()
        process.wait()


class Sandbox:
    """A sandbox in another process.

    :param str url: its base URL
    """

    def __init__(self, url):
        self.url = url

    def ledger(self):
        """Return the accepted messages, a list of dicts."""
        return self._call("ledger")

    def post(self, name, value):
        """Steer it: see the sandbox's README."""
        return self._call(name, json.dumps(value).encode())

    def _call(self, name, data=None):
        url = self.url.replace("/rest", f"/_sandbox/{name}")
        with urllib.request.urlopen(url, data, timeout=120) as answer:
            return json.load(answer)


@contextmanager
def transaction(registry):
    """An environment of a transaction that is committed at the end."""
    from odoo.api import SUPERUSER_ID, Environment

    with registry.cursor() as cr:
        yield Environment(cr, SUPERUSER_ID, {})


@contextmanager
def account(registry, url):
    """Yield the id of an account at ``url``; everything of it is removed at the end."""
    with transaction(registry) as env:
        values = {
            "name": "Benchmark",
            "mode": "live",
            "url": url,
            "login": "demo",
            "password": "demo",
            "requests_per_second": 0,
            "country_id": env.ref("base.ru").id,
        }
        account_id = env["sms.devino.account"].create(values).id
    try:
        yield account_id
    finally:
        forget_batches(registry)
        with transaction(registry) as env:
            env["sms.devino.account"].browse(account_id).unlink()


def empty_journal(registry):
    """Remove every message and every wake-up call of the dispatcher."""
    with transaction(registry) as env:
        env.cr.execute("TRUNCATE sms_devino_message CASCADE")
        env.cr.execute("DELETE FROM ir_cron_trigger")


def forget_batches(registry):
    empty_journal(registry)
    with transaction(registry) as env:
        env.cr.execute("DELETE FROM sms_devino_batch")


def message_rows(env, account_id, count, text="Sale: everything must go", first=0):
    """Return journal rows for ``count`` different numbers; ``text`` may hold ``{}``."""
    record = env["sms.devino.account"].browse(account_id)
    return [
        {
            **record._message_values(env.cr.now(), 0),
            "use_until": None,
            "sender_name": "DevinoTest",
            "number": number_of(key),
            "body": text.format(key),
            "segment_count": 1,
            "state": "outgoing",
            "priority": "0",
            "purpose": "service",
        }
        for key in range(first, first + count)
    ]


def number_of(key):
    """A number of which the sandbox delivers messages after a while."""
    return f"+792{key // 80:06}{key % 80:02}"


def timed(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def copy_rows(env, rows):
    """Insert the same rows as fast as the database can."""
    columns = list(rows[0])
    lines = io.StringIO()
    for row in rows:
        cells = [r"\N" if row[c] is None else str(row[c]) for c in columns]
        lines.write("\t".join(cells) + "\n")
    lines.seek(0)
    names = ", ".join(columns)
    env.cr._obj.copy_expert(f"COPY sms_devino_message ({names}) FROM STDIN", lines)
