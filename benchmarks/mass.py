"""How fast the rows of a mass sending are written, beside a bare COPY.

PYTHONPATH=<odoo> python benchmarks/mass.py -c odoo.conf -d DATABASE
"""

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


def main():
    options = parse_options(
        __doc__,
        messages=(int, 100_000, "with one text"),
    )
    registry = load_registry(options)
    with sandbox() as provider, account(registry, provider.url) as account_id:
        bench_insert(registry, account_id, options.messages)
        bench_draft(registry, account_id, options.messages)


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


if __name__ == "__main__":
    main()
