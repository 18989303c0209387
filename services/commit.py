"""Writing down what has happened outside the database, whatever gets in the way."""

import random
import time

import psycopg2

from odoo import fields
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY as CONFLICTS

from .jobs import find_job, trigger

LOST_CONNECTION = (psycopg2.OperationalError, psycopg2.InterfaceError)
CONFLICT_RETRIES = 10


def commit_retrying(env, work, processed=0):
    """Run ``work`` and commit; again when another transaction got in the way.

    What became of a message must get into the database: a conflict with somebody's
    click is no reason to lose it. ``work`` must do nothing but write to the database.

    :param int processed: how many items to report to a scheduled action
    :return: what ``work`` returned, and the seconds left to the scheduled action
    """
    for attempt in range(CONFLICT_RETRIES):
        try:
            result = work()
            env.flush_all()
            if processed:
                return result, env["ir.cron"]._commit_progress(processed)
            # the caller's work is to be kept whatever comes next
            env.cr.commit()  # pylint: disable=invalid-commit
            return result, seconds_left(env)
        except CONFLICTS:
            if attempt == CONFLICT_RETRIES - 1:
                raise
            env.cr.rollback()
            time.sleep(random.uniform(0, 0.02 * 2**attempt))
        except Exception:
            # the next piece of work must not find a transaction that failed
            if not env.cr.closed:
                env.cr.rollback()
            raise
    raise AssertionError("unreachable")


def seconds_left(env):
    """Return how long the scheduled action that ``env`` runs in may go on; without one
    there is no limit."""
    end = env.context.get("cron_end_time", float("inf"))
    return max(end - time.monotonic(), 0)


def wake_later(env, xmlid, at):
    """Have a scheduled action run at ``at``, unless it runs before anyway.

    For actions that, at their end, plan when they are due next.

    :param str xmlid: of the ``ir.cron``
    :param datetime at: UTC, in the future
    """
    cron = find_job(env, xmlid)
    planned = [
        ("cron_id", "=", cron.id),
        ("call_at", ">", env.cr.now()),
        ("call_at", "<=", at),
    ]
    if cron and not env["ir.cron.trigger"].sudo().search_count(planned, limit=1):
        cron._trigger(at=at)


def wake_once(env, xmlid, at=None):
    """Trigger a scheduled action when this transaction commits, once for each time.

    :param str xmlid: of the ``ir.cron``
    :param datetime at: UTC; now without it
    """
    wanted = env.cr.precommit.data.setdefault("sms_devino_wake", {})
    if not wanted:
        # as superuser: a sender may not read scheduled actions
        env.cr.precommit.add(lambda: _trigger_wanted(env(su=True)))
    # To the second, as Odoo compares: a part of a second ahead would not run now.
    wanted.setdefault(xmlid, set()).add(at or fields.Datetime.now())


def _trigger_wanted(env):
    wanted = env.cr.precommit.data.pop("sms_devino_wake", {})
    for xmlid, times in wanted.items():
        trigger(env, xmlid, sorted(times))
