"""A journal of 5,000,000 rows, beside one of 50,000: what people open, the queue."""

import statistics
import sys
import time

from bench import put
from bench_mass import count_of, dispatch, world
from world import message_rows, transaction

SMALL = 50_000
BATCH = 10_000
CONTACTS = 2000
TIMES = 5
# numbers of the past; those that are handed over now begin with +792
ROWS = """
INSERT INTO sms_devino_message
       (create_uid, create_date, write_uid, write_date, account_id, company_id, mode,
        batch_id, partner_id, author_id, number, name, body, sender_name,
        segment_count, state, reason, priority, accepted_at, delivered_at,
        cost_estimated, cost, attempts, largest_bulk)
SELECT 1, at, 1, at, %(account)s, %(company)s, 'live',
       %(batches)s[1 + k / %(size)s],
       CASE WHEN k %% 10 = 0 THEN %(contacts)s[1 + (k / 10) %% %(contact_count)s] END,
       2, '+7916' || lpad((k * 7919 %% 10000000)::text, 7, '0'), 'Customer ' || k,
       'Dear customer ' || k || ', your order ' || md5(k::text) || ' is ready',
       'DevinoTest', 1,
       CASE WHEN k %% 100 < 93 THEN 'delivered' WHEN k %% 100 < 97 THEN 'undelivered'
            WHEN k %% 100 < 99 THEN 'failed' ELSE 'unknown' END,
       CASE WHEN k %% 100 >= 97 AND k %% 100 < 99 THEN 'refused'
            WHEN k %% 100 >= 99 THEN 'no_answer' END,
       '0', at, at, 2, 2, 1, 0
  FROM (SELECT k, now() AT TIME ZONE 'UTC' - make_interval(secs => (%(all)s - k) * 12)
                  AS at
          FROM generate_series(%(first)s, %(last)s) AS k) AS rows
"""


def journal(options):
    large = count_of(options, 5_000_000)
    with world(options) as (registry, _provider, account_id):
        figures = {}
        filled = 0
        for size in (SMALL, large):
            add_rows(registry, account_id, filled, size, large)
            filled = size
            figures[size] = measure(registry, account_id)
        for what, seconds in figures[large].items():
            before = figures[SMALL][what]
            # below a few milliseconds a ratio says nothing
            put(
                f"{what}, ms ({SMALL} rows)",
                seconds * 1000,
                max(before * 1000, 5.0),
                most=2,
            )
        explain(registry)


def add_rows(registry, account_id, first, last, everything):
    """Fill the journal up; indexes are made afterwards, as a dump would do."""
    began = time.monotonic()
    with transaction(registry) as env:
        contacts = env["res.partner"].search([("name", "like", "Contact of bench")])
        if not contacts:
            names = [{"name": f"Contact of bench {key}"} for key in range(CONTACTS)]
            contacts = env["res.partner"].create(names)
        account = env["sms.devino.account"].browse(account_id)
        values = {"account_id": account_id, "body": "Dear customer", "state": "done"}
        batches = env["sms.devino.batch"].create(
            [values] * (-(-last // BATCH) - first // BATCH)
        )
        batches.write({"reported_at": "2026-01-01", "total": BATCH})
        indexes = drop_indexes(env.cr)
        env.cr.execute(
            ROWS,
            {
                "account": account_id,
                "company": account.company_id.id,
                "batches": [None] * (first // BATCH) + batches.ids,
                "size": BATCH,
                "contacts": contacts.ids,
                "contact_count": len(contacts),
                "all": everything,
                "first": first,
                "last": last - 1,
            },
        )
        for definition in indexes:
            env.cr.execute(definition)
    with registry.cursor() as cr:
        cr._cnx.autocommit = True
        cr.execute("VACUUM ANALYZE sms_devino_message")
    print(f"{last} rows after {time.monotonic() - began:.0f} s", file=sys.stderr)


def drop_indexes(cr):
    cr.execute(
        """SELECT indexname, indexdef FROM pg_indexes
            WHERE tablename = 'sms_devino_message' AND indexname NOT LIKE '%pkey'"""
    )
    indexes = cr.fetchall()
    for name, _definition in indexes:
        cr.execute(f'DROP INDEX "{name}"')
    return [definition for _name, definition in indexes]


def median(work):
    work()
    seconds = []
    for _time in range(TIMES):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def measure(registry, account_id):
    """Return the seconds of each thing that a person opens; and of the queue."""
    found = {}
    with transaction(registry) as env:
        doings = list_doings(env, account_id)
        for what, work in doings.items():
            # a transaction of its own: nothing is in the cache
            def fresh(work=work):
                env.invalidate_all()
                work()

            found[what] = median(fresh)
            print(f"{what}: {found[what] * 1000:.1f} ms", file=sys.stderr)
    found |= measure_queue(registry, account_id)
    return found


def list_doings(env, account_id):
    """Return name -> what is measured."""
    messages = env["sms.devino.message"]
    account = env["sms.devino.account"].browse(account_id)
    batch = env["sms.devino.batch"].search([], order="id", limit=1)
    contact = env["res.partner"].search([("name", "=", "Contact of bench 7")], limit=1)
    shown = {
        name: {}
        for name in ("number", "name", "body_start", "state", "accepted_at", "cost")
    }
    window = {"limit": 80, "count_limit": 10001}

    def listed(domain):
        return lambda: messages.web_search_read(domain, shown, **window)

    def grouped(by):
        return lambda: messages.web_read_group(
            [("state", "!=", "draft")], [by], ["__count", "cost:sum"], limit=80
        )

    everything = [("state", "!=", "draft")]
    return {
        "list": listed(everything),
        "filter: not sent": listed([*everything, ("state", "=", "failed")]),
        "filter: outcome unknown": listed([*everything, ("state", "=", "unknown")]),
        "filter: last week": listed([*everything, ("accepted_at", ">=", "-7d")]),
        "number": listed([*everything, ("number_search", "=", "+79160007919")]),
        "beginning of a number": listed(
            [*everything, ("number_search", "ilike", "+7916000791")]
        ),
        "part of a number": listed([*everything, ("number_search", "ilike", "00791")]),
        "text": listed([*everything, ("body", "ilike", "order 0cc175b9")]),
        "group by state": grouped("state"),
        "group by month": grouped("accepted_at:month"),
        "mass sending: form": lambda: batch.read(),
        "mass sending: progress": lambda: batch.get_progress(),
        "mass sending: recipients": listed([("batch_id", "=", batch.id)]),
        "account: form": lambda: account.read(),
        "contact: number of messages": lambda: contact.sms_devino_message_count,
        "quote": lambda: account._get_quote(10),
    }


def measure_queue(registry, account_id):
    """Claim, hand over, settle: 6,000 of one text, 300 different ones."""
    found = {}
    for text, count in (("Sale", 6000), ("Dear {}", 300)):
        with transaction(registry) as env:
            values = message_rows(env, account_id, count, text)
            env["sms.devino.message"]._write_rows(values)
        seconds = dispatch_fresh(registry)
        found[f"hand over {count}, {'one text' if count > 300 else 'a text each'}"] = (
            seconds
        )
    return found


def dispatch_fresh(registry):
    """As ``dispatch``, of the fresh rows alone; they are removed then."""
    with transaction(registry) as env:
        env.cr.execute("SELECT min(id) FROM sms_devino_message WHERE state='outgoing'")
        [first] = env.cr.fetchone()
    dispatch(registry)
    with transaction(registry) as env:
        env.cr.execute(
            "SELECT extract(epoch FROM max(accepted_at) - min(claimed_at)) "
            "FROM sms_devino_message WHERE id >= %s",
            [first],
        )
        seconds = float(env.cr.fetchone()[0])
        env.cr.execute("DELETE FROM sms_devino_message WHERE id >= %s", [first])
    return max(seconds, 0.001)


def explain(registry):
    """Print the plans of the searches that look into texts and numbers."""
    with transaction(registry) as env:
        for condition in ("number LIKE '%00791%'", "body ILIKE '%order 0cc175b9%'"):
            env.cr.execute(
                "EXPLAIN ANALYZE SELECT id FROM sms_devino_message "
                f"WHERE state != 'draft' AND {condition} ORDER BY id DESC LIMIT 80"
            )
            print(condition, file=sys.stderr)
            for (line,) in env.cr.fetchall():
                print("   ", line, file=sys.stderr)
