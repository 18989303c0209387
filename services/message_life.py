"""The one place where messages change their state."""

import logging

from odoo.tools import SQL

from . import automation
from .bulk import update_rows
from .commit import CONFLICTS
from .message_states import QUEUED_STATES, TRANSITIONS
from .private_log import log_failure

_logger = logging.getLogger(__name__)

# A message given up as unknown, which somebody may have sent again since.
NOT_REPEATED = SQL(
    """(m.state != 'unknown' OR NOT EXISTS (
            SELECT 1 FROM sms_devino_message r
             WHERE r.repeat_of_id = COALESCE(m.repeat_of_id, m.id) AND r.id > m.id))"""
)


def transition(journal, target, rows, *, extra=None, condition=None, claim=None):
    """Move messages to a state: the only code that changes ``state``.

    A message that is already there is left alone, one that may not go there is logged.
    Neither is an error, since answers may come late or twice.

    :param journal: ``sms.devino.message``, with the rights to write it
    :param str target: a key of :data:`TRANSITIONS`
    :param list rows: dicts with ``id`` and further column values, all with the same
        keys
    :param SQL extra: further assignments, the same for all
    :param SQL condition: what else must hold of the message, in terms of ``m``
    :param int claim: only messages claimed under this number. Their owner may also
        move those that were given up as unknown meanwhile
    :return: list of ids that were moved
    """
    if not rows:
        return []
    sources = list(TRANSITIONS[target])
    conditions = [condition or SQL("TRUE")]
    if claim is not None:
        sources.append("unknown")
        conditions.append(SQL("m.claim = %s", claim))
        if target == "outgoing":
            conditions.append(NOT_REPEATED)
    columns = [column for column in rows[0] if column != "id"]
    watched = _watch(journal, target, [row["id"] for row in rows])
    records = update_rows(
        journal.browse(),
        columns,
        rows,
        extra=SQL(", ").join(filter(None, [SQL("state = %s", target), extra])),
        condition=SQL(
            "m.state = ANY(%s) AND %s", sources, SQL(" AND ").join(conditions)
        ),
    )
    records.modified(["state", *columns])
    records._validate_fields(["state", *columns])
    automation.recompute(records)
    if watched:
        automation.run_after_commit(watched, records)
    # A claim is no news to anybody, has to be quick, and losing its race is normal.
    if target != "sending":
        _tell(journal, target, {row["id"] for row in rows}, records.ids)
    return records.ids


def _watch(journal, target, ids):
    """Prepare the automation rules that watch the journal, if there are any.

    A claim runs none. A row of a mass sending is "created" when it enters the queue.
    """
    if target == "sending":
        return None
    created = target in QUEUED_STATES and journal.browse(ids[:1]).state == "draft"
    return automation.watch(journal.browse(ids), "state", created=created)


def _tell(journal, target, wanted, moved):
    """Log what was refused and run hooks; a failing hook undoes no transition."""
    if len(moved) != len(wanted):
        _log_refused(journal, target, wanted - set(moved))
    if not moved:
        return
    try:
        with journal.env.cr.savepoint():
            journal._on_transition(target, moved)
    except CONFLICTS:
        raise
    except Exception:
        if journal.env.cr.closed:
            raise
        log_failure(_logger, "%s messages %s: a hook failed", len(moved), target)


def _log_refused(journal, target, ids):
    for message in journal.browse(sorted(ids)).exists():
        if message.state != target:
            _logger.warning(
                "message %s: %s -> %s is not allowed", message.id, message.state, target
            )
