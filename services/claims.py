"""Claims on messages: numbers that die with their owner.

A row is claimed, and the claim committed, before the first byte leaves. The claim is a
number under which the owner's connection holds an advisory lock. When the process dies,
the database releases the lock, and the next run knows at once that the outcome of those
rows is unknown.
"""

import logging
import random
from contextlib import contextmanager

from .commit import commit_retrying

_logger = logging.getLogger(__name__)

# Advisory locks have one number space for the whole database: this half is ours.
LOCK_CLASS = 0x534D5344
CLAIM_BITS = 31


@contextmanager
def claiming(env):
    """Hold a claim number for as long as this connection lives, at the longest."""
    cr, claim = env.cr, random.getrandbits(CLAIM_BITS)
    # A claim that a crash of the database could take back would send twice: it is on
    # the disk before the call, also where the database is set up otherwise.
    cr.execute(
        """SELECT pg_advisory_lock(%s, %s), current_setting('synchronous_commit'),
                  CASE WHEN current_setting('synchronous_commit') = 'off'
                       THEN set_config('synchronous_commit', 'on', false) END""",
        (LOCK_CLASS, claim),
    )
    former = cr.fetchone()[1]
    cr.commit()  # pylint: disable=invalid-commit
    try:
        yield claim
    finally:
        if not cr.closed:
            cr.rollback()
            commit_retrying(env, lambda: _give_up(_find_sending(env, claim)))
            # both belong to the connection, which goes back into a pool
            cr.execute(
                """SELECT pg_advisory_unlock(%s, %s),
                          set_config('synchronous_commit', %s, false)""",
                (LOCK_CLASS, claim, former),
            )
            cr.commit()  # pylint: disable=invalid-commit


def live_claims(env):
    """Return the claims whose owners live, in this database."""
    env.cr.execute(
        """SELECT objid::bigint FROM pg_locks
            WHERE locktype = 'advisory' AND objsubid = 2 AND classid = %s AND granted
              AND database = (SELECT oid FROM pg_database
                               WHERE datname = current_database())""",
        [LOCK_CLASS],
    )
    return {row[0] for row in env.cr.fetchall()}


def settle_abandoned(env):
    """Give up messages whose claim has died with its owner: their outcome is unknown.

    Their claim stays on them, so that an owner who only lost its connection can still
    write down what it knows.
    """
    # In this order: a claim that ends in between has changed its rows, and the update
    # of an older version of them fails.
    sending = _find_sending(env)
    if sending:
        live = live_claims(env)
        _give_up(sending.filtered(lambda message: message.claim not in live))


def _find_sending(env, claim=None):
    domain = [("state", "=", "sending")]
    if claim is not None:
        domain.append(("claim", "=", claim))
    messages = env["sms.devino.message"]
    return messages.search_fetch(domain, ["claim"], order="id")


def _give_up(messages):
    rows = [{"id": key, "reason": "interrupted"} for key in messages.ids]
    given_up = messages._transition("unknown", rows)
    if given_up:
        _logger.warning(
            "%s messages were being sent when a server stopped: their outcome is "
            "unknown",
            len(given_up),
        )
