"""Many messages: writing them, calculating and sending them, beside what is bare."""

import resource
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, nullcontext
from pathlib import Path

import requests
from bench import put
from world import (
    account,
    copy_rows,
    empty_journal,
    load_registry,
    message_rows,
    number_of,
    sandbox,
    timed,
    transaction,
)

BULK = 2999


def count_of(options, full):
    return full // 10 if options.quick else full


@contextmanager
def world(options):
    """Yield the registry, a sandbox and the id of an account there."""
    registry = load_registry(options)
    with sandbox() as provider, account(registry, provider.url) as account_id:
        yield registry, provider, account_id


# --- rows -----------------------------------------------------------------------------


def rows(options):
    """Write the rows of a draft: COPY, our way, the way of Odoo's queue."""
    count = count_of(options, 100_000)
    with world(options) as (registry, _provider, account_id):
        with transaction(registry) as env:
            values = message_rows(env, account_id, count)
            write = env["sms.devino.message"]._write_rows
            turns = []
            for _turn in range(3):
                bare = timed(lambda: copy_rows(env, values))
                env.cr.rollback()
                turns.append((timed(lambda: write(values)), bare))
                env.cr.rollback()
            ours, bare = sorted(turns, key=lambda turn: turn[0] / turn[1])[1]
            put(f"{count} rows of a draft, s (COPY)", ours, bare, most=3)
            few = count // 10
            of_odoo = [{"number": r["number"], "body": r["body"]} for r in values[:few]]

            def create():
                env["sms.sms"].create(of_odoo)
                env.flush_all()

            theirs = timed(create) * count / few
            env.cr.rollback()
            put(f"{count} rows, s (sms.sms.create)", ours, theirs, most=1)


# --- a draft --------------------------------------------------------------------------


def make_draft(registry, account_id, count, body):
    """A draft over a list of its own; return its id."""
    with transaction(registry) as env:
        recipients = env["sms.devino.recipient.list"].create(
            {"name": "Benchmark", "country_id": env.ref("base.ru").id}
        )
        recipients._add_rows(
            [
                {"number_raw": number_of(key), "name": f"Customer {key}"}
                for key in range(count)
            ]
        )
        sender = env["sms.devino.sender"].create(
            {"account_id": account_id, "name": "DevinoTest"}
        )
        values = {
            "name": "Benchmark",
            "account_id": account_id,
            "sender_id": sender.id,
            "list_ids": recipients.ids,
            "body": body,
            # leaves at any hour of the day
            "purpose": "service",
        }
        return env["sms.devino.batch"].create(values).id


def press(registry, method, batch=()):
    with transaction(registry) as env:
        getattr(env["sms.devino.batch"].browse(batch), method)()


def draft(options):
    """Calculate a draft, a text each; *Send*, *Cancel*."""
    count = count_of(options, 100_000)
    with world(options) as (registry, _provider, account_id):
        body = "Dear {{ name }}, your order is ready"
        batch = make_draft(registry, account_id, count, body)
        press(registry, "action_calculate", batch)
        seconds = timed(lambda: press(registry, "_cron_calculate"))
        limit = 10 * count / 100_000
        put(f"{count} calculated, a text each, s", seconds, alone=limit)
        seconds = timed(lambda: press(registry, "action_send", batch))
        put(f"Send of {count}, in the transaction, s", seconds, alone=2)
        seconds = timed(lambda: press(registry, "action_cancel", batch))
        put(f"Cancel of {count}, in the transaction, s", seconds, alone=2)


# --- handing over ---------------------------------------------------------------------


def fill(registry, account_id, count, text):
    empty_journal(registry)
    with transaction(registry) as env:
        env["sms.devino.message"]._write_rows(
            message_rows(env, account_id, count, text)
        )


def dispatch(registry):
    """Run the scheduled action until all has left.

    :return: seconds until the last acceptance is written
    """
    began = time.monotonic()
    waiting = True
    with noted_acceptances(registry) as moments:
        while waiting:
            with transaction(registry) as env:
                env["sms.devino.dispatcher"]._cron_dispatch()
            with transaction(registry) as env:
                waiting = env["sms.devino.message"].search_count(
                    [("state", "=", "outgoing")], limit=1
                )
    return moments[-1] - began


@contextmanager
def noted_acceptances(registry):
    """Yield a list that gets the moment of each acceptance: columns of the journal are
    kept to the second."""
    moments, journal = [], registry["sms.devino.message"]
    original = journal._on_transition

    def noted(self, target, ids):
        result = original(self, target, ids)
        if target == "sent":
            moments.append(time.monotonic())
        return result

    journal._on_transition = noted
    try:
        yield moments
    finally:
        del journal._on_transition


def check(registry, provider, count):
    """Each message is accepted, once."""
    with transaction(registry) as env:
        accepted = [("accepted_at", "!=", False)]
        assert env["sms.devino.message"].search_count(accepted) == count
    numbers = [entry["number"] for entry in provider.ledger()]
    assert len(numbers) == len(set(numbers)) == count


def equal(options):
    """One text to many, beside COPY, claim, post and settle done barely."""
    count = count_of(options, 100_000)
    with world(options) as (registry, provider, account_id):
        bare = hand_over_barely(registry, provider, account_id, count)
        provider.post("reset", {})
        written = timed(lambda: fill(registry, account_id, count, "Sale"))
        seconds = written + dispatch(registry)
        check(registry, provider, count)
        what = f"{count} of one text, written and accepted, s (bare sum)"
        put(what, seconds, bare, most=1.5)


def hand_over_barely(registry, provider, account_id, count):
    """COPY; then for each bulk: mark it, post it, mark it and keep the ids."""
    empty_journal(registry)
    login = session(provider)
    with transaction(registry) as env:
        values = message_rows(env, account_id, count, "Sale")
        began = time.perf_counter()
        copy_rows(env, values)
        env.cr.commit()
        with requests.Session() as http:
            while hand_over_bulk(env.cr, provider, http, login):
                pass
        return time.perf_counter() - began


def hand_over_bulk(cr, provider, http, login):
    cr.execute(
        """UPDATE sms_devino_message SET state = 'sending', claim = 1,
                  claimed_at = now() AT TIME ZONE 'UTC'
            WHERE id IN (SELECT id FROM sms_devino_message WHERE state = 'outgoing'
                       ORDER BY id LIMIT %s)
        RETURNING id, number""",
        [BULK],
    )
    found = cr.fetchall()
    if not found:
        return False
    cr.commit()
    numbers = [number.lstrip("+") for _id, number in found]
    ids = post(provider, "Sms/SendBulk", login, http, DestinationAddresses=numbers)
    cr.execute(
        """WITH answer AS (SELECT * FROM unnest(%s, %s) AS t(id, gateway_id)),
                kept AS (INSERT INTO sms_devino_segment
                                (message_id, sequence, gateway_id)
                         SELECT id, 1, gateway_id FROM answer)
           UPDATE sms_devino_message m
              SET state = 'sent', claim = NULL,
                  accepted_at = now() AT TIME ZONE 'UTC'
             FROM answer WHERE m.id = answer.id""",
        [[row[0] for row in found], ids],
    )
    cr.commit()
    return True


def session(provider):
    form = {"login": "demo", "password": "demo"}
    answer = requests.post(f"{provider.url}/User/SessionId", form, timeout=60)
    return answer.json()


def post(provider, call, login, http=requests, **params):
    form = {"SessionID": login, "SourceAddress": "DevinoTest", "Data": "Sale", **params}
    answer = http.post(f"{provider.url}/{call}", form, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


# --- beside something else ------------------------------------------------------------


@contextmanager
def old_snapshot(registry):
    """A transaction that looks at the database as it is now, and stays."""
    with registry.cursor() as cr:
        cr.execute("SELECT count(*) FROM sms_devino_message")
        yield
        cr.rollback()


def snapshot(options):
    """The queue while another transaction holds an old snapshot (a report, pg_dump)."""
    count = count_of(options, 50_000)
    with world(options) as (registry, provider, account_id):
        rates = {}
        for text, held in (("Sale", 100), ("Dear {}", 20)):
            for is_held in (False, True):
                many = count * held // 100
                provider.post("reset", {})
                fill(registry, account_id, many, text)
                with old_snapshot(registry) if is_held else nullcontext():
                    rates[is_held] = many / dispatch(registry)
            kind = "one text" if text == "Sale" else "a text each"
            what = f"{many}, {kind}, old snapshot held, a second (not held)"
            put(what, rates[True], rates[False], least=0.9)


def memory(options):
    """What a mass sending adds to the memory of its process, at the most."""
    count = count_of(options, 100_000)
    with world(options) as (registry, _provider, account_id):
        batch = make_draft(registry, account_id, count, "Dear {{ name }}")
        before = resident()
        peak = Peak()
        with peak:
            press(registry, "action_calculate", batch)
            press(registry, "_cron_calculate")
        put(f"calculation of {count}, + MB", peak.most - before, alone=200)
        fill(registry, account_id, count, "Sale")
        before = resident()
        with peak:
            dispatch(registry)
        put(f"{count} of one text handed over, + MB", peak.most - before, alone=200)


def resident():
    """Megabytes of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


class Peak:
    """Looks at the memory of this process all the time."""

    def __enter__(self):
        self.most, self._stop = resident(), threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def _look(self):
        while not self._stop.wait(0.02):
            self.most = max(self.most, resident())

    def __exit__(self, *exc_info):
        self._stop.set()
        self._thread.join()


# --- spreadsheets ---------------------------------------------------------------------


def sheets(options):
    """They have a table of their own."""
    command = [sys.executable, Path(__file__).with_name("sheets.py")]
    command.append(str(count_of(options, 100_000)))
    subprocess.run(command, stdout=sys.stderr, check=True)
