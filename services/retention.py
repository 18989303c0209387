"""Making old messages anonymous: personal data goes, counts and money stay.

The text of a mass sending itself stays with it: advertising must be kept for a year
after its last use.
"""

from dateutil.relativedelta import relativedelta

from odoo import fields
from odoo.tools import SQL

from .bulk import update_rows
from .commit import commit_retrying, seconds_left, wake_once

JOB = "sms_devino.ir_cron_anonymise"
PAGE = 5_000
# Months; a calendar has no moment before its first year.
LONGEST = 1_200
# What is on its way, or may get there, is never touched.
TOUCHED = (
    "left_out",
    "delivered",
    "undelivered",
    "failed",
    "unknown",
    "unconfirmed",
    "canceled",
)
# What tells who got which text.
PERSONAL = ("number", "number_raw", "name", "data", "partner_id", "body")
# As in the index of these messages: without it each run would walk the whole journal.
IS_PERSONAL = " OR ".join(f"{name} IS NOT NULL" for name in PERSONAL)
# What leads to it, or may repeat it. Not what keeps a message from going twice: the key
# and Odoo's uuid.
RELATED = ("res_model", "res_id", "raw_answer", "error_text", "settled_note")


def find_limit(company, months=None):
    """Return the moment before which messages are made anonymous, ``None`` for never.

    :param int months: instead of the company's setting
    """
    months = company.sms_devino_keep_months if months is None else months
    if months <= 0:
        return None
    return fields.Datetime.now() - relativedelta(months=min(months, LONGEST))


def count(company, limit):
    """Return how many messages would be made anonymous."""
    company.env["sms.devino.message"].flush_model()
    query = SQL(
        "SELECT count(*) FROM sms_devino_message m WHERE %s", _old(company, limit)
    )
    return company.env.execute_query(query)[0][0]


def run(messages):
    """Make old messages anonymous in every company that wants it. Commits as it goes.

    :param messages: an empty ``sms.devino.message``, with all rights
    """
    env = messages.env
    companies = env["res.company"].with_context(active_test=False)
    for company in companies.search([("sms_devino_keep_months", ">", 0)], order="id"):
        old, is_more = _old(company, find_limit(company)), True
        while is_more:
            if not seconds_left(env):
                wake_once(env, JOB)
                return
            is_more, _seconds = commit_retrying(
                env, lambda old=old: _anonymise_page(messages, old)
            )


def _old(company, limit):
    """Return the condition for messages that are old, at rest and still personal."""
    return SQL(
        """m.company_id = %s AND m.state = ANY(%s) AND m.create_date < %s
           AND (m.accepted_at IS NULL OR m.accepted_at < %s)
           AND (m.scheduled_at IS NULL OR m.scheduled_at < %s)
           AND (%s)""",
        company.id,
        list(TOUCHED),
        limit,
        limit,
        limit,
        SQL(IS_PERSONAL),
    )


def _anonymise_page(messages, old):
    """Make the oldest page anonymous; return whether there may be more."""
    messages.flush_model()
    query = SQL(
        # the order has the planner take the index, whatever it believes of the others
        """SELECT m.id FROM sms_devino_message m
            WHERE %s ORDER BY m.create_date LIMIT %s""",
        old,
        PAGE,
    )
    ids = [key for (key,) in messages.env.execute_query(query)]
    if not ids:
        return False
    nothing = dict.fromkeys((*PERSONAL, *RELATED))
    update_rows(
        messages,
        list(nothing),
        [{"id": key, **nothing} for key in ids],
        # nobody has taken it up again in the meantime
        condition=SQL("m.state = ANY(%s)", list(TOUCHED)),
    )
    return len(ids) == PAGE
