"""Writing down what has happened outside the database, whatever gets in the way."""

import random
import time

import psycopg2.errors

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
