"""Rules look again just before a message leaves: does its condition still hold?"""

import logging
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .commit import CONFLICTS
from .private_log import log_failure
from .rule_find import Finder

_logger = logging.getLogger(__name__)

REASON = "condition"
# Messages that wait in the queue longer, for example behind a stopped account, are
# checked again.
PATIENCE = timedelta(minutes=5)
PAGE = 5000
YEAR = timedelta(days=366)


def mark_key(key):
    """Return the key of a record's mark, given the key of a message.

    A record's messages to several contacts share it.
    """
    parts = key.split("/")
    return key if parts[2] == "group" else "/".join(parts[:4])


def find_gone(messages):
    """Return those messages of rules whose condition does not hold any more.

    :param messages: ``sms.devino.message``, with all rights
    """
    by_rule = {}
    for message in messages:
        parts = (message.dedup_key or "").split("/")
        if parts[0] == "rule" and len(parts) > 2 and parts[1].isdigit():
            by_rule.setdefault(int(parts[1]), []).append(message.id)
    gone = messages.browse()
    for rule_id, ids in by_rule.items():
        rule = messages.env["sms.devino.rule"].browse(rule_id).exists()
        gone += _find_gone_of(rule, messages.browse(ids))
    return gone


def cancel(messages):
    """Cancel messages whose condition does not hold any more."""
    messages._transition(
        "canceled",
        [{"id": key, "reason": REASON} for key in messages.ids],
        condition=SQL("m.state IN ('scheduled', 'outgoing')"),
    )


def cancel_waiting(env, last):
    """Look again at a page of messages of rules that have waited in the queue for a
    while.

    :param int last: only messages after this id
    :return: the last id looked at, ``False`` at the end
    """
    waiting = env["sms.devino.message"].search(
        [
            ("state", "=", "outgoing"),
            ("dedup_key", "=like", "rule/%"),
            ("create_date", "<", fields.Datetime.now() - PATIENCE),
            ("id", ">", last),
        ],
        limit=PAGE,
        order="id",
    )
    cancel(find_gone(waiting))
    return waiting[-1:].id


def _find_gone_of(rule, messages):
    """Return the messages of one rule that must not leave."""
    if not rule or not rule.is_on:
        return messages
    marks = _read_marks(rule, messages)
    try:
        with rule.env.cr.savepoint():
            holding = _find_holding(rule._as_responsible(), marks)
    except UserError:
        # who switched it on may not see the records any more
        return messages
    except CONFLICTS:
        raise
    except Exception:
        if rule.env.cr.closed:
            raise
        # nobody can tell: the message was right when it was written
        log_failure(_logger, "rule %s could not be looked at again", rule.id)
        return messages.browse()
    gone = messages.browse()
    for message in messages:
        of_message = marks.get(mark_key(message.dedup_key), ())
        still = [mark for mark in of_message if mark[1:] in holding]
        if len(still) < len(of_message) or not of_message:
            gone += message
            # one of several is settled: the others get a new message with a new total
            rule.env["sms.devino.mark"].browse(mark[0] for mark in still).unlink()
    return gone


def _read_marks(rule, messages):
    """Return key -> list of (id, record id, occasion)."""
    keys = [mark_key(message.dedup_key) for message in messages]
    marks = rule.env["sms.devino.mark"].search_fetch(
        [("rule_id", "=", rule.id), ("message_key", "in", keys)],
        ["message_key", "res_id", "occasion"],
    )
    found = {}
    for mark in marks:
        entry = (mark.id, mark.res_id, mark.occasion or "")
        found.setdefault(mark.message_key, []).append(entry)
    return found


def _find_holding(rule, marks):
    """Return those (record id, occasion) that the rule would still be due for.

    :param rule: ``sms.devino.rule``, in the environment of the responsible person
    """
    ids = {mark[1] for several in marks.values() for mark in several}
    finder = Finder(rule)
    finder.domain &= Domain("id", "in", list(ids))
    if rule.kind == "match":
        return {(record.id, "") for record in finder.model.search(finder.domain)}
    # also leaves out dates that are beyond all calendars
    dues = finder.find_by_date(finder.now - YEAR, finder.now + YEAR)
    return {(due.record_id, due.occasion) for due in dues}
