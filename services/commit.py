"""Writing down what has happened outside the database, whatever gets in the way."""

import random
import time

import psycopg2.errors

from .jobs import find_job, trigger

CONFLICTS = (
    psycopg2.errors.SerializationFailure,
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.LockNotAvailable,
)
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
            return result, env["ir.cron"]._commit_progress(processed)
        except CONFLICTS:
            if attempt == CONFLICT_RETRIES - 1:
                raise
            env.cr.rollback()
            time.sleep(random.uniform(0, 0.02 * 2**attempt))
    raise AssertionError("unreachable")


def seconds_left(env):
    """Return how long the scheduled action that ``env`` runs in may go on; without one
    there is no limit."""
    end = env.context.get("cron_end_time", float("inf"))
    return max(end - time.monotonic(), 0)


def call_deadline(env, grace):
    """Return the moment of ``time.monotonic`` after which no call may start.

    A scheduled action that is not through after ``limit_time_real_cron`` (120 seconds
    by default) is killed, and one call may take more than a minute. Odoo has actions
    stop by themselves after 10 seconds; a piece of work begun by then gets ``grace``
    seconds. Whatever runs outside an action gets them from now.
    """
    return time.monotonic() + min(seconds_left(env), grace) + grace


def wake_later(env, xmlid, at):
    """Have a scheduled action run at ``at``, unless it runs before anyway.

    For actions that, at their end, plan when they are due next.

    :param str xmlid: of the ``ir.cron``
    :param datetime at: UTC, in the future
    """
    cron = find_job(env, xmlid)
    env.cr.execute(
        """SELECT 1 FROM ir_cron_trigger
            WHERE cron_id = %s AND call_at > %s AND call_at <= %s LIMIT 1""",
        [cron.id, env.cr.now(), at],
    )
    if cron and not env.cr.fetchone():
        cron._trigger(at=at)


def wake_once(env, xmlid, at=None):
    """Trigger a scheduled action when this transaction commits, once for each time.

    :param str xmlid: of the ``ir.cron``
    :param datetime at: UTC; now without it
    """
    wanted = env.cr.precommit.data.setdefault("sms_devino_wake", {})
    if not wanted:
        # of the superuser, since whoever sends may not read scheduled actions
        env.cr.precommit.add(lambda: _trigger_wanted(env(su=True)))
    wanted.setdefault(xmlid, set()).add(at or env.cr.now())


def _trigger_wanted(env):
    wanted = env.cr.precommit.data.pop("sms_devino_wake", {})
    for xmlid, times in wanted.items():
        trigger(env, xmlid, sorted(times))
