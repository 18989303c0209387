"""How fast messages are handed over, beside what is bare and beside Odoo's own way.

- one text: COPY, claim and settle as bare statements; ours, from writing the rows to
  the last acceptance; Odoo's ``sms.sms`` with a stand-in of its service on loopback;
- different texts: plain HTTP posts by as many threads as ours; ours, without a limit;
- a limit of 50 calls a second: the database's share of the run;
- statuses: plain HTTP posts by as many threads; ours, and how many calls they took.

PYTHONPATH=<odoo> python benchmarks/hand_over.py -c odoo.conf -d DATABASE
"""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
from world import (
    account,
    copy_rows,
    empty_journal,
    load_registry,
    message_rows,
    number_of,
    parse_options,
    sandbox,
    tell,
    timed,
    transaction,
)

BULK = 2999
THREADS = 8
TEXT = "Sale: everything must go"
CLAIM = """UPDATE sms_devino_message
              SET state = 'sending', claim = 1, claimed_at = now(), attempts = 1
            WHERE id = ANY(%s)"""
SETTLE = """UPDATE sms_devino_message
               SET state = 'sent', claim = NULL, accepted_at = now(), next_at = now(),
                   operation_status = 'OK_Operation_Completed'
             WHERE id = ANY(%s)"""
SEGMENTS = """INSERT INTO sms_devino_segment
                     (message_id, sequence, gateway_id, code, is_final)
              SELECT id, 1, id + 1000000000000::int8, 255, FALSE
                FROM unnest(%s) AS id"""


def main():
    options = parse_options(
        __doc__,
        messages=(int, 100_000, "with one text; 0 leaves this part out"),
        different=(int, 5_000, "with a text each; 0 leaves this part out"),
    )
    registry = load_registry(options)
    with sandbox() as provider, account(registry, provider.url) as account_id:
        if options.messages:
            bench_equal(registry, account_id, provider, options.messages)
        if options.different:
            bench_different(registry, account_id, provider, options.different)
            bench_statuses(registry, provider, options.different)
            bench_limited(registry, account_id, provider)


# --- one text -------------------------------------------------------------------------


def bench_equal(registry, account_id, provider, count):
    empty_journal(registry)
    bare = bench_bare(registry, account_id, count)
    seconds = {"ours": 0.0}
    provider.post("reset", {})
    empty_journal(registry)
    seconds["write"] = timed(lambda: fill(registry, account_id, count, TEXT))
    seconds["hand over"] = dispatch(registry)
    check(registry, provider, count)
    ours = seconds["write"] + seconds["hand over"]
    tell("ours: rows written and handed over", count, ours)
    print("   " + ", ".join(f"{k} {v:.2f} s" for k, v in seconds.items() if v))
    print(f"   {ours / bare:.2f} times the bare sum (aim: 1.5)")
    few = max(count // 10, 1)
    odoo = bench_odoo(registry, few) * count / few
    tell("Odoo's own way (a tenth, scaled)", count, odoo)
    print(f"   ours is {odoo / ours:.2f} times as fast (aim: 2.5)")


def bench_bare(registry, account_id, count):
    """Return the seconds that the database needs, a commit for each call as ours."""
    parts = {}
    with transaction(registry) as env:
        rows = message_rows(env, account_id, count, TEXT)
        parts["COPY"] = timed(lambda: (copy_rows(env, rows), env.cr.commit()))
        env.cr.execute("SELECT id FROM sms_devino_message ORDER BY id")
        ids = [row[0] for row in env.cr.fetchall()]
        for name, query in (("claim", CLAIM), ("settle", SETTLE), ("ids", SEGMENTS)):
            parts[name] = timed(lambda query=query: run_in_bulks(env.cr, query, ids))
    empty_journal(registry)
    total = sum(parts.values())
    tell("bare: COPY, claim, settle, ids of the provider", count, total)
    print("   " + ", ".join(f"{name} {value:.2f} s" for name, value in parts.items()))
    return total


def run_in_bulks(cr, query, ids):
    for start in range(0, len(ids), BULK):
        cr.execute(query, [ids[start : start + BULK]])
        cr.commit()


class StandIn(BaseHTTPRequestHandler):
    """Accepts whatever Odoo would send through its own service."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        accepted = [
            {"uuid": number["uuid"], "state": "success", "credit": 1}
            for message in request["params"]["messages"]
            for number in message["numbers"]
        ]
        body = json.dumps({"jsonrpc": "2.0", "id": 0, "result": accepted}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        """Nothing is logged."""


@contextmanager
def stand_in():
    server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def bench_odoo(registry, count):
    """Return the seconds of sms.sms from writing to the last batch of its queue."""
    with stand_in() as url, transaction(registry) as env:
        parameters = env["ir.config_parameter"].sudo()
        former = parameters.get_param("sms.endpoint")
        env["res.company"].search([]).sms_devino_account_id = False
        parameters.set_param("sms.endpoint", url)
        env.cr.commit()
        values = [{"number": number_of(key), "body": TEXT} for key in range(count)]
        queue = env["sms.sms"]
        waiting = [("state", "=", "outgoing"), ("to_delete", "!=", True)]

        def work():
            queue.create(values)
            env.cr.commit()
            while queue.search_count(waiting, limit=1):
                queue._process_queue()
                env.cr.commit()

        try:
            return timed(work)
        finally:
            env.cr.rollback()
            parameters.set_param("sms.endpoint", former)
            env.cr.execute("DELETE FROM sms_sms")
            env.cr.commit()


# --- different texts ------------------------------------------------------------------


def bench_different(registry, account_id, provider, count):
    provider.post("reset", {})
    key = login(provider)
    posts = [
        ("Sms/Send", {"DestinationAddress": number_of(n), "Data": f"Dear {n}"})
        for n in range(count)
    ]
    bare = tell(
        "bare posts, a text each, 8 threads", count, post_all(provider, posts, key)
    )
    provider.post("reset", {})
    fill(registry, account_id, count, "Dear {}")
    tell("ours, a text each, without a limit", count, dispatch(registry), bare)
    check(registry, provider, count)


def bench_statuses(registry, provider, count):
    """Ask for the messages of the part before until each has its final status."""
    key = login(provider)
    with transaction(registry) as env:
        # the dispatcher may have asked for some before all were handed over
        env.cr.execute("UPDATE sms_devino_message SET state = 'sent'")
        env.cr.execute("UPDATE sms_devino_segment SET is_final = FALSE")
        ids = env["sms.devino.segment"].search([]).mapped("gateway_id")
    posts = [("Sms/State", {"MessageId": gateway_id}) for gateway_id in ids]
    bare = tell("bare posts, a status each", len(ids), post_all(provider, posts, key))
    provider.post("clock", {"advance": 60})
    seconds = 0.0
    before = count_calls(provider)
    while find_state(registry, "sent"):
        with transaction(registry) as env:
            env.cr.execute("UPDATE sms_devino_message SET next_at = create_date")
        seconds += timed(lambda: run_dispatcher(registry))
    calls = count_calls(provider) - before
    tell("ours, statuses", count, seconds, bare)
    print(f"   {calls / count:.2f} calls a message")


def count_calls(provider):
    counts = provider._call("state")["counts"]
    return sum(count for path, count in counts.items() if path.endswith("State"))


def bench_limited(registry, account_id, provider, per_second=50, count=400):
    """What is left of a second for others when calls are limited."""
    provider.post("reset", {})
    with transaction(registry) as env:
        env["sms.devino.account"].browse(account_id).requests_per_second = per_second
    fill(registry, account_id, count, "Dear {}")
    with counted_statements() as spent:
        seconds = dispatch(registry)
    check(registry, provider, count)
    tell(f"ours, a text each, limit of {per_second} a second", count, seconds)
    print(f"   the database works {spent[0] / seconds:.3f} s of a second (aim: 0.2)")


@contextmanager
def counted_statements():
    """Yield a list whose element is the seconds spent in statements and commits."""
    from odoo.sql_db import Cursor

    spent, execute, commit = [0.0], Cursor.execute, Cursor.commit

    def measured(method):
        def call(*args, **kwargs):
            began = time.perf_counter()
            try:
                return method(*args, **kwargs)
            finally:
                spent[0] += time.perf_counter() - began

        return call

    Cursor.execute, Cursor.commit = measured(execute), measured(commit)
    try:
        yield spent
    finally:
        Cursor.execute, Cursor.commit = execute, commit


# --- tools ----------------------------------------------------------------------------


def fill(registry, account_id, count, text):
    empty_journal(registry)
    with transaction(registry) as env:
        rows = message_rows(env, account_id, count, text)
        env["sms.devino.message"]._write_rows(rows)


def dispatch(registry):
    """Run the scheduled action until all has left.

    It also asks for statuses, so its own time says little.

    :return: seconds to the last acceptance
    """
    began = time.time()
    while True:
        run_dispatcher(registry)
        if not find_state(registry, "outgoing"):
            break
    with transaction(registry) as env:
        env.cr.execute(
            "SELECT extract(epoch FROM max(accepted_at) AT TIME ZONE 'UTC')::float "
            "FROM sms_devino_message"
        )
        # kept to the second
        return max(env.cr.fetchone()[0] + 0.5 - began, 0.1)


def run_dispatcher(registry):
    with transaction(registry) as env:
        env["sms.devino.dispatcher"]._cron_dispatch()


def find_state(registry, state):
    with transaction(registry) as env:
        return env["sms.devino.message"].search_count([("state", "=", state)], limit=1)


def check(registry, provider, count):
    """Each message is accepted, once."""
    with transaction(registry) as env:
        accepted = [("accepted_at", "!=", False)]
        assert env["sms.devino.message"].search_count(accepted) == count
    numbers = [entry["number"] for entry in provider.ledger()]
    assert len(numbers) == len(set(numbers)) == count


def login(provider):
    form = {"login": "demo", "password": "demo"}
    answer = requests.post(f"{provider.url}/User/SessionId", form, timeout=60)
    return answer.json()


def post_all(provider, posts, key):
    """Post by threads with a kept-alive connection each; return the seconds."""
    local = threading.local()

    def post(path, params):
        if not hasattr(local, "session"):
            local.session = requests.Session()
        form = {"SessionID": key, "SourceAddress": "DevinoTest", **params}
        answer = local.session.post(f"{provider.url}/{path}", form, timeout=60)
        assert answer.status_code == 200, answer.text

    def work():
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(lambda one: post(*one), posts))

    return timed(work)


if __name__ == "__main__":
    main()
