"""A journal of 5,000,000 rows, beside one of 50,000: what people open, the queue."""

import statistics
import sys
import time
from datetime import timedelta

from bench import put
from bench_mass import count_of, dispatch, world
from world import forget_batches, message_rows, timed, transaction

SMALL = 50_000
BATCH = 10_000
CONTACTS = 2000
TIMES = 5
LONG = 1.0  # seconds
LEAST = 5.0  # milliseconds
# Numbers of the past: those that are handed over now begin with +792. One message each
# 12 seconds until now, so that both journals have the same last days.
ROWS = """
INSERT INTO sms_devino_message
       (create_uid, create_date, write_uid, write_date, account_id, company_id, mode,
        batch_id, partner_id, author_id, number, name, body, sender_name,
        segment_count, state, reason, priority, purpose, accepted_at, delivered_at,
        cost_estimated, cost, attempts, largest_bulk)
SELECT 1, at, 1, at, %(account)s, %(company)s, 'live',
       (%(batches)s)[1 + k / %(size)s],
       CASE WHEN k %% 10 = 0 THEN (%(contacts)s)[1 + k / 10 %% %(contact_count)s] END,
       2, '+7916' || lpad((k * 7919::int8 %% 10000000)::text, 7, '0'), 'Customer ' || k,
       'Dear customer ' || k || ', your order ' || md5(k::text) || ' is ready',
       'DevinoTest', 1,
       CASE WHEN part < 93 THEN 'delivered' WHEN part < 97 THEN 'undelivered'
            WHEN part < 99 THEN 'failed' ELSE 'unknown' END,
       CASE WHEN part >= 99 THEN 'no_answer' WHEN part >= 97 THEN 'refused' END,
       '0', 'service', CASE WHEN part < 97 THEN at END, CASE WHEN part < 93 THEN at END,
       2, 2, 1, 0
  FROM (SELECT k, k %% 100 AS part,
               now() AT TIME ZONE 'UTC' - make_interval(secs => (%(count)s - k) * 12)
                  AS at
          FROM generate_series(0, %(count)s - 1) AS k) AS rows
"""
SEGMENTS = """
INSERT INTO sms_devino_segment (message_id, sequence, gateway_id, code, is_final, price)
SELECT id, 1, (500000000000 + id)::text, 0, TRUE, 2
  FROM sms_devino_message WHERE accepted_at IS NOT NULL
"""
TABLES = ("sms_devino_message", "sms_devino_segment")


def journal(options):
    large = count_of(options, 5_000_000)
    with world(options) as (registry, _provider, account_id):
        small = measure(registry, account_id, SMALL)
        figures = measure(registry, account_id, large)
        for what, seconds in figures.items():
            # below a few milliseconds a ratio says nothing
            rival = max(small[what] * 1000, LEAST)
            put(f"{what}, ms ({SMALL} rows)", seconds * 1000, rival, most=2)
        explain(registry)


def fill_journal(registry, account_id, count):
    """Fill the journal; the indexes are made afterwards, as a restored dump does it."""
    began = time.monotonic()
    forget_batches(registry)
    with transaction(registry) as env:
        names = [{"name": f"Contact of bench {key}"} for key in range(CONTACTS)]
        contacts = env["res.partner"].search([("name", "like", names[0]["name"][:-1])])
        contacts = contacts or env["res.partner"].create(names)
        account = env["sms.devino.account"].browse(account_id)
        values = {"account_id": account_id, "body": "Dear customer", "state": "done"}
        batches = env["sms.devino.batch"].create([values] * -(-count // BATCH))
        batches.write({"reported_at": "2026-01-01", "total": BATCH})
        env.flush_all()
        # without a look at each foreign key
        env.cr.execute("SET LOCAL session_replication_role = replica")
        env.cr.execute("SET LOCAL maintenance_work_mem = '512MB'")
        indexes = drop_indexes(env.cr)
        parameters = {
            "account": account_id,
            "company": account.company_id.id,
            "batches": batches.ids,
            "size": BATCH,
            "contacts": contacts.ids,
            "contact_count": len(contacts),
            "count": count,
        }
        env.cr.execute(ROWS, parameters)
        env.cr.execute(SEGMENTS)
        for definition in indexes:
            env.cr.execute(definition)
    with registry.cursor() as cr:
        cr._cnx.autocommit = True
        cr.execute(f"VACUUM ANALYZE {', '.join(TABLES)}")
    with transaction(registry) as env:
        seconds = timed(env["sms.devino.day"]._refresh)
    print(
        f"{count} rows after {time.monotonic() - began:.0f} s, "
        f"all days summed in {seconds:.1f} s",
        file=sys.stderr,
    )


def drop_indexes(cr):
    cr.execute(
        """SELECT indexname, indexdef FROM pg_indexes
            WHERE tablename = ANY(%s) AND indexname NOT LIKE '%%pkey'""",
        [list(TABLES)],
    )
    indexes = cr.fetchall()
    for name, _definition in indexes:
        cr.execute(f'DROP INDEX "{name}"')
    return [definition for _name, definition in indexes]


def median(work):
    """The median of some times; what takes a second is done once."""
    seconds = []
    while len(seconds) < TIMES and sum(seconds) < LONG:
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def measure(registry, account_id, count):
    """Return the seconds of what people open, and of the queue, in such a journal."""
    fill_journal(registry, account_id, count)
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
    from odoo import fields

    from odoo.addons.sms_devino.models.sms_devino_day import CHANGING_DAYS

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
    days = env["sms.devino.day"]
    last_days = fields.Date.today() - timedelta(days=CHANGING_DAYS)
    manager = env.ref("base.user_admin")
    manager.group_ids += env.ref("sms_devino.group_admin")
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
        "overview": days.with_user(manager).get_overview,
        "reports: sum the last days": lambda: days._refresh(last_days),
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
    seconds = dispatch(registry)
    with transaction(registry) as env:
        env.cr.execute("DELETE FROM sms_devino_message WHERE id >= %s", [first])
    return seconds


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
