"""How fast a mass sending is, beside what is bare: COPY, and plain HTTP posts.

PYTHONPATH=<odoo> python benchmarks/mass.py -c odoo.conf -d DATABASE
"""

import io
import time

import requests
from world import (
    account,
    empty_journal,
    load_registry,
    message_rows,
    number_of,
    parse_options,
    sandbox,
    transaction,
)

BULK = 2999


def main():
    options = parse_options(
        __doc__,
        messages=(int, 100_000, "with one text"),
        different=(int, 10_000, "with a text each"),
    )
    registry = load_registry(options)
    with sandbox() as provider, account(registry, provider.url) as account_id:
        bench_insert(registry, account_id, options.messages)
        bench_draft(registry, account_id, options.messages)
        bench_equal(registry, account_id, provider, options.messages)
        bench_different(registry, account_id, provider, options.different)


def tell(what, count, seconds, beside=None):
    """Print one line; return the seconds."""
    ratio = f"   {beside / seconds:6.2f} times as fast" if beside else ""
    rate = count / seconds
    print(f"{what:<52}{seconds:8.2f} s {rate:10.0f}/s{ratio}", flush=True)
    return seconds


def timed(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def bench_insert(registry, account_id, count):
    """Write rows: COPY, our way, and the way of Odoo's own queue. All rolled back."""
    with transaction(registry) as env:
        rows = message_rows(env, account_id, count)
        bare = tell("COPY into the journal", count, timed(lambda: copy_rows(env, rows)))
        env.cr.rollback()
        insert = env["sms.devino.message"]._write_rows
        ours = tell("_write_rows", count, timed(lambda: insert(rows)), bare)
        env.cr.rollback()
        few = count // 10
        values = [{"number": r["number"], "body": r["body"]} for r in rows[:few]]

        def create():
            env["sms.sms"].create(values)
            env.flush_all()

        seconds = timed(create) * count / few
        tell("sms.sms.create (a tenth, scaled)", count, seconds)
        print(f"{'':<52}_write_rows is {seconds / ours:.1f} times as fast as that")
        env.cr.rollback()


def bench_draft(registry, account_id, count):
    """A draft with a text for each recipient: calculate, send, cancel."""
    empty_journal(registry)
    with transaction(registry) as env:
        country = env.ref("base.ru").id
        recipients = env["sms.devino.recipient.list"].create(
            {"name": "Benchmark", "country_id": country}
        )
        rows = [
            {"number_raw": number_of(key), "name": f"Customer {key}"}
            for key in range(count)
        ]
        recipients._add_rows(rows)
        sender = env["sms.devino.sender"].create(
            {"account_id": account_id, "name": "DevinoTest"}
        )
        batch = env["sms.devino.batch"].create(
            {
                "name": "Benchmark",
                "account_id": account_id,
                "sender_id": sender.id,
                "list_ids": recipients.ids,
                "body": "Dear {{ name }}, your order is ready",
            }
        )
        ids = batch.id, recipients.id

    def press(method, of_batch=True):
        with transaction(registry) as env:
            batches = env["sms.devino.batch"]
            batches = batches.browse(ids[0]) if of_batch else batches
            getattr(batches, method)()

    try:
        press("action_calculate")
        seconds = timed(lambda: press("_cron_calculate", of_batch=False))
        tell("calculate a draft, a text each", count, seconds)
        tell("Send, until its answer", count, timed(lambda: press("action_send")))
        tell("progress", count, timed(lambda: press("get_progress")))
        tell("Cancel, until its answer", count, timed(lambda: press("action_cancel")))
        seconds = timed(lambda: press("_follow", of_batch=False))
        tell("cancel, in the job", count, seconds)
    finally:
        empty_journal(registry)
        with transaction(registry) as env:
            env.cr.execute("DELETE FROM sms_devino_batch WHERE id = %s", [ids[0]])
            env["sms.devino.recipient.list"].browse(ids[1]).unlink()


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


def fill(registry, account_id, count, text):
    empty_journal(registry)
    with transaction(registry) as env:
        env["sms.devino.message"]._write_rows(
            message_rows(env, account_id, count, text)
        )


def dispatch(registry):
    """Run the scheduled action until all has left.

    It also asks for statuses, so its own time says little.

    :return: seconds from the first claim to the last acceptance
    """
    waiting = True
    while waiting:
        with transaction(registry) as env:
            env["sms.devino.dispatcher"]._cron_dispatch()
        with transaction(registry) as env:
            waiting = env["sms.devino.message"].search_count(
                [("state", "=", "outgoing")], limit=1
            )
            env.cr.execute(
                "SELECT extract(epoch FROM max(accepted_at) - min(claimed_at)) "
                "FROM sms_devino_message"
            )
            seconds = float(env.cr.fetchone()[0] or 0)
    return seconds


def check(registry, provider, count):
    """Each message is accepted, once."""
    with transaction(registry) as env:
        accepted = [("accepted_at", "!=", False)]
        assert env["sms.devino.message"].search_count(accepted) == count
    numbers = [entry["number"] for entry in provider.ledger()]
    assert len(numbers) == len(set(numbers)) == count


def bench_equal(registry, account_id, provider, count):
    login = session(provider)
    provider.post("reset", {})
    login = session(provider)
    numbers = [number_of(key) for key in range(count)]

    def post_all():
        for start in range(0, count, BULK):
            bulk = numbers[start : start + BULK]
            post(provider, "Sms/SendBulk", login, DestinationAddresses=bulk)

    bare = tell("bare posts, SendBulk, one after the other", count, timed(post_all))
    provider.post("reset", {})
    fill(registry, account_id, count, "Sale: everything must go")
    tell("dispatch, one text", count, dispatch(registry), bare)
    check(registry, provider, count)


def bench_different(registry, account_id, provider, count):
    provider.post("reset", {})
    login = session(provider)

    def post_all():
        for key in range(count):
            number, text = number_of(key), f"Dear {key}"
            post(provider, "Sms/Send", login, DestinationAddress=number, Data=text)

    bare = tell("bare posts, Send, one after the other", count, timed(post_all))
    provider.post("reset", {})
    fill(registry, account_id, count, "Dear {}")
    tell("dispatch, a text each", count, dispatch(registry), bare)
    check(registry, provider, count)
    provider.post("clock", {"advance": 60})
    with transaction(registry) as env:
        env.cr.execute("UPDATE sms_devino_message SET next_at = create_date")

    def refresh():
        with transaction(registry) as env:
            env["sms.devino.dispatcher"]._cron_dispatch()

    tell("refresh of statuses", count, timed(refresh))
    with transaction(registry) as env:
        states = env["sms.devino.message"]._read_group([], ["state"], ["__count"])
        assert dict(states) == {"delivered": count}


def session(provider):
    form = {"login": "demo", "password": "demo"}
    answer = requests.post(f"{provider.url}/User/SessionId", form, timeout=60)
    return answer.json()


def post(provider, call, login, **params):
    form = {"SessionID": login, "SourceAddress": "DevinoTest", "Data": "Sale", **params}
    answer = requests.post(f"{provider.url}/{call}", form, timeout=60)
    assert answer.status_code == 200, answer.text


if __name__ == "__main__":
    main()
