"""What the provider counts by day, kept beside what the journal counts."""

import logging
from datetime import datetime, time, timedelta

from odoo import fields
from odoo.exceptions import UserError

from ..gateway import GatewayError
from .balance import WATCH_SECONDS, ask_within
from .commit import seconds_left
from .jobs import for_each

_logger = logging.getLogger(__name__)

# How far the first look goes back, and how far any may (the provider refuses more).
FIRST_DAYS, LONGEST_DAYS = 30, 89
# Reports come for 48 hours: the counts of the last days may still change.
CHANGING_DAYS = 3
ONE_DAY = timedelta(days=1)


def fetch(statistics):
    """Ask for the days that are over, of every account in use. Commits as it goes.

    :param statistics: an empty ``sms.devino.statistics``, with all rights
    """
    accounts = statistics.env["sms.devino.account"].search(
        [("mode", "=", "live"), ("state", "=", "ready")]
    )
    for_each(
        accounts,
        lambda account: _fetch_days(statistics, account),
        "account %s: no statistics, %s",
    )


def _fetch_days(statistics, account):
    """Ask for one day after the other, until there is no answer or no time left."""
    try:
        client = account._get_client()
    except UserError:
        # stopped, or without a password: its form says so already
        return
    for day in _find_days(statistics, account):
        start, end = get_window(day)
        answer = ask_within(
            WATCH_SECONDS,
            lambda start=start, end=end: client.statistics(
                start, end - timedelta(seconds=1)
            ),
        )
        if isinstance(answer, GatewayError):
            _logger.info("account %s: no statistics, %s", account.id, answer)
            return
        _keep(statistics, account, day, answer)
        statistics.env["ir.cron"]._commit_progress(1)
        if not seconds_left(statistics.env):
            return


def _find_days(statistics, account):
    """Return the days to ask for: those not known yet, and those that may change."""
    today = fields.Date.today()
    of_account = [("account_id", "=", account.id)]
    last = statistics.search(of_account, order="day desc", limit=1).day
    messages = account.env["sms.devino.message"]
    first = messages.search(
        [*of_account, ("mode", "=", "live"), ("accepted_at", "!=", False)],
        order="id",
        limit=1,
    )
    if not first:
        return []
    start = today - timedelta(days=CHANGING_DAYS)
    start = min(start, last + ONE_DAY) if last else today - timedelta(days=FIRST_DAYS)
    start = max(start, today - timedelta(days=LONGEST_DAYS), first.accepted_at.date())
    return [start + ONE_DAY * number for number in range((today - start).days)]


def get_window(day):
    """Return when a day begins and when it is over, in UTC."""
    start = datetime.combine(day, time())
    return start, start + ONE_DAY


def get_domain(account, day):
    """Return the domain of the messages that the journal counts for a day."""
    start, end = get_window(day)
    return [
        ("account_id", "=", account.id),
        ("mode", "=", "live"),
        ("accepted_at", ">=", start),
        ("accepted_at", "<", end),
    ]


def _count_own(account, day):
    groups = account.env["sms.devino.message"]._read_group(
        get_domain(account, day), ["state"], ["segment_count:sum", "cost:sum"]
    )
    by_state = {state: count or 0 for state, count, _cost in groups}
    return {
        "own_total": sum(by_state.values()),
        "own_delivered": by_state.get("delivered", 0),
        "own_failed": by_state.get("undelivered", 0),
        "cost": sum(cost or 0.0 for _state, _count, cost in groups),
    }


def _keep(statistics, account, day, answer):
    """Write what the provider answered for a day.

    :param answer: a ``gateway.Statistics``
    """
    values = {
        "provider_total": answer.total_with_errors,
        "provider_delivered": answer.delivered,
        "provider_failed": answer.errors + answer.expired + answer.rejected,
        "asked_at": fields.Datetime.now(),
        **_count_own(account, day),
    }
    key = {"account_id": account.id, "day": day}
    known = statistics.search([(name, "=", value) for name, value in key.items()])
    if known:
        known.write(values)
    else:
        statistics.create({**key, **values})
