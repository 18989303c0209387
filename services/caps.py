"""How many messages of a purpose one number may get in a day, a week, a month."""

from bisect import bisect_left, bisect_right, insort
from datetime import timedelta

from odoo import fields
from odoo.tools import SQL

from . import forecast
from .quote import SENT_BATCH_STATES
from .words import format_moment

REASON = "capped"
# Purposes that have limits, the others have none.
CAPPED = ("advertising", "debt")
# Limits of these hold for persons, not for companies.
PERSONS_ONLY = ("debt",)
# A month has at most 31 days: counted so, no calendar month gets more.
PERIODS = {"day": timedelta(1), "week": timedelta(7), "month": timedelta(31)}
# Messages that have left or are about to, and may be with the recipient.
LEFT = ("outgoing", "sending", "sent", "delivered", "unknown", "unconfirmed")


def read_caps(company, purpose):
    """Return the limits of a company: period -> number of messages; none is empty."""
    if purpose not in CAPPED or not company.sudo()[f"sms_devino_cap_{purpose}"]:
        return {}
    names = ((period, f"sms_devino_cap_{purpose}_{period}") for period in PERIODS)
    return {period: company.sudo()[name] for period, name in names}


def leave_out(batch, rows, limits):
    """Leave out the rows of a draft whose number would get too many messages.

    :param batch: ``sms.devino.batch``
    :param list rows: dicts of columns of the journal; they are changed
    :param dict limits: as :func:`read_caps` returns them
    """
    going = [row for row in rows if row["state"] == "draft"]
    if not limits or not going:
        return
    going = find_limited(batch.env, batch.purpose, going)
    counted = find_counted(
        batch.env, batch.company_id, batch.purpose, batch.mode, going, is_draft=True
    )
    for row in going:
        at = row["scheduled_at"]
        if over := find_over(counted.get(row["number"], []), at, limits):
            forecast.leave_out_row(row, REASON, describe(batch.env, limits, *over))


def hold_back(company, purpose, mode, messages, leaving, now):
    """Part messages that are about to leave from those that would be too many.

    :param messages: ``sms.devino.message`` to which the dicts ``leaving`` belong
    :return: two lists of dicts: those that leave, and the values of the others
    """
    limits = read_caps(company, purpose)
    if not limits or not leaving:
        return leaving, []
    wanted = [row["id"] for row in leaving]
    rows = messages.browse(wanted).read(["number", "partner_id"], load=None)
    limited = {row["id"]: row for row in find_limited(messages.env, purpose, rows)}
    counted = find_counted(messages.env, company, purpose, mode, limited.values())
    passed, held = [], []
    for row in leaving:
        if row["id"] not in limited:
            passed.append(row)
            continue
        times = counted.setdefault(limited[row["id"]]["number"], [])
        if over := find_over(times, now, limits):
            words = describe(messages.env, limits, *over)
            held.append({"id": row["id"], "reason": REASON, "error_text": words})
        else:
            passed.append(row)
            insort(times, (now, row["id"]))
    return passed, held


def find_limited(env, purpose, rows):
    """Return those rows that limits hold for: those of debt hold for persons only.

    No person is a contact that is a company, nor one who belongs to a company and has
    its number. Who is not known counts as a person.

    :param list rows: dicts with ``number`` and ``partner_id``, an id or nothing
    """
    known = [row for row in rows if row["partner_id"]]
    if purpose not in PERSONS_ONLY or not known:
        return rows
    fields_read = ["is_company", "commercial_partner_id", "phone_sanitized"]
    env["res.partner"].flush_model(fields_read)
    query = SQL(
        """SELECT r.partner_id, r.number
             FROM unnest(%s::int4[], %s::varchar[]) AS r(partner_id, number)
             JOIN res_partner p ON p.id = r.partner_id
        LEFT JOIN res_partner c ON c.id = p.commercial_partner_id
            WHERE p.is_company OR (c.is_company AND c.phone_sanitized = r.number)""",
        [row["partner_id"] for row in known],
        [row["number"] for row in known],
    )
    companies = set(env.execute_query(query))
    return [row for row in rows if (row["partner_id"], row["number"]) not in companies]


def find_over(times, moment, limits):
    """Return which limit a message would exceed, or ``None``.

    :param list times: sorted pairs of moment and id of the messages that count
    :param datetime moment: when it would leave
    :return: the period, and the last message that counted, as a pair
    """
    until = bisect_right(times, (moment, float("inf")))
    for period, length in PERIODS.items():
        since = bisect_left(times, (moment - length, float("inf")))
        if until - since >= limits[period]:
            return period, times[until - 1]
    return None


def find_counted(env, company, purpose, mode, rows, *, is_draft=False):
    """Find the messages that count for some numbers, by one query.

    :param rows: dicts with ``number``
    :param bool is_draft: also those that still wait for their time
    :return: dict of number -> sorted list of (moment, id)
    """
    now = fields.Datetime.now()
    env["sms.devino.message"].flush_model()
    states = SQL("m.state = ANY(%s)", list(LEFT))
    if is_draft:
        states = SQL(
            """(%s OR m.state = 'scheduled' OR (m.state = 'draft' AND EXISTS (
                   SELECT 1 FROM sms_devino_batch b
                    WHERE b.id = m.batch_id AND b.state = ANY(%s))))""",
            states,
            list(SENT_BATCH_STATES),
        )
    query = SQL(
        """SELECT m.number, COALESCE(m.accepted_at, m.scheduled_at, m.create_date), m.id
             FROM sms_devino_message m
            WHERE m.number = ANY(%s) AND m.company_id = %s AND m.purpose = %s
              AND m.mode = %s AND (m.accepted_at >= %s OR m.accepted_at IS NULL)
              AND %s
         ORDER BY 2, 3""",
        list({row["number"] for row in rows}),
        *(company.id, purpose, mode, now - PERIODS["month"]),
        states,
    )
    counted = {}
    for number, at, key in env.execute_query(query):
        counted.setdefault(number, []).append((at, key))
    return counted


def describe(env, limits, period, last):
    """Say which limit is reached, and which message was the last that counted."""
    at, key = last
    values = {"count": limits[period], "id": key, "time": format_moment(env, at)}
    if period == "day":
        return env._(
            "At most %(count)s a day. The last one: SMS %(id)s at %(time)s.", **values
        )
    if period == "week":
        return env._(
            "At most %(count)s a week. The last one: SMS %(id)s at %(time)s.", **values
        )
    return env._(
        "At most %(count)s a month. The last one: SMS %(id)s at %(time)s.", **values
    )
