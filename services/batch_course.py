"""The course of a mass sending after *Send*: its rows enter the queue in pages, its
state and counters follow those of its messages."""

import logging
from collections import Counter
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from . import batch_report, departures, numbers
from .batch_report import GROUPS
from .commit import CONFLICTS, commit_retrying, seconds_left, wake_once
from .jobs import DISPATCH
from .private_log import log_failure
from .words import check_scheduled_at

_logger = logging.getLogger(__name__)

# Between the clocks at both ends of the world, which is more than a day.
FARTHEST_EAST = timedelta(hours=26)
# Messages moved by one statement.
PAGE = 5000
TO_HAND_OVER = ("draft", "scheduled", "outgoing", "sending")
CANCELABLE = ("draft", "scheduled", "outgoing")
# States of a batch in which its messages may change, or be about to.
ON_THE_WAY = ("running", "paused", "done", "canceled")


# --- what a person decides ------------------------------------------------------------


def check_state(batches, *states):
    """Refuse what a page shows that is no longer true.

    :raise UserError: when one of the batches is in another state
    """
    if any(batch.state not in states for batch in batches):
        raise UserError(
            batches.env._(
                "The mass sending has moved on in the meantime. Reload the page to "
                "see its state."
            )
        )


def move_to(batches, state, sources):
    """Bring batches into a state; the job does the rest.

    :param batches: ``sms.devino.batch`` that the user may send
    :param sources: the states that they may be in
    :raise UserError: when one of them is in another state
    """
    check_state(batches, *sources)
    batches.sudo().write({"state": state, "error_text": False})
    for batch in batches:
        wake_once(
            batch.env, DISPATCH, get_begin(batch) if state == "scheduled" else None
        )


def resume(batches):
    """Go on with batches that were paused."""
    now = fields.Datetime.now()
    later = batches.filtered(lambda batch: get_begin(batch) and get_begin(batch) > now)
    move_to(later, "scheduled", ["paused"])
    move_to(batches - later, "running", ["paused"])


def send_rest(batches):
    """Send the rest after the trial portion."""
    check_state(batches, "running", "paused")
    batches.sudo().write({"trial_count": 0})
    wake_once(batches.env, DISPATCH)


def reschedule(batches):
    """Have batches begin at the time that was written to them.

    :raise UserError: when it is not in the future
    """
    for batch in batches:
        check_scheduled_at(batch.env, batch.scheduled_at)
        wake_once(batch.env, DISPATCH, get_begin(batch))


# --- into the queue -------------------------------------------------------------------


def feed(batches):
    """Move the next page of running batches into the queue.

    An account whose queue holds less than a page gets the next one.

    :param batches: an empty ``sms.devino.batch``, with all rights
    :return: how many messages were moved
    """
    running = batches.search(
        [("state", "=", "running"), ("trial_count", "=", 0)], order="sent_at, id"
    )
    moved = 0
    for account, of_account in running.grouped("account_id").items():
        if _count_queue(account) >= PAGE:
            continue
        for batch in of_account:
            if page := _feed_carefully(batch):
                moved += page
                break
    return moved


def _feed_carefully(batch):
    """Feed a page; a sending for which that fails is paused, and holds up nobody."""
    try:
        with batch.env.cr.savepoint():
            return feed_page(batch)
    except CONFLICTS:
        raise
    except Exception as error:
        if batch.env.cr.closed:
            raise
        log_failure(_logger, "batch %s: its rows do not get into the queue", batch.id)
        words = batch.env._(
            "Paused: its messages could not be queued (%(error)s). Resume tries again.",
            error=type(error).__name__,
        )
        _for_sender(batch).write({"state": "paused", "error_text": words})
        return 0


def _count_queue(account):
    """Return how many messages of an account are ready to leave, up to a page."""
    domain = Domain(
        [
            ("account_id", "=", account.id),
            ("state", "=", "outgoing"),
            "|",
            ("batch_id", "=", False),
            ("batch_id.state", "=", "running"),
        ]
    )
    return account.env["sms.devino.message"].search_count(domain, limit=PAGE)


def feed_page(batch):
    """Move a page of a running batch into the queue; return how many messages."""
    domain = [("batch_id", "=", batch.id), ("state", "=", "draft")]
    limit = batch.trial_count or PAGE
    plan = departures.Plan(batch)
    if not plan.is_simple:
        names = ["number", "partner_id", "scheduled_at"]
        messages = batch.env["sms.devino.message"]
        return plan.feed(messages.search_fetch(domain, names, order="id", limit=limit))
    rows = _read_page(domain, batch, limit)
    now = fields.Datetime.now()
    until = departures.earliest(
        now + timedelta(minutes=batch.validity) if batch.validity else None,
        plan.late is not None and plan.start + plan.late,
    )
    extra = SQL(
        "author_id = %s, scheduled_at = %s, use_until = %s, largest_bulk = %s",
        batch.sent_by_id.id,
        batch.scheduled_at or None,
        until,
        numbers.bulk_sizes(batch),
    )
    messages = batch.env["sms.devino.message"]
    return len(messages._transition("outgoing", rows, extra=extra))


def _read_page(domain, batches, limit):
    messages = batches.env["sms.devino.message"]
    return [{"id": key} for key in messages.search(domain, order="id", limit=limit).ids]


# --- after the messages ---------------------------------------------------------------


def follow(batches):
    """Let states and counters of batches follow those of their messages. Commits.

    :param batches: an empty ``sms.devino.batch``, with all rights
    """
    env = batches.env
    commit_retrying(env, lambda: _start_due(batches))
    _cancel_rest(batches)
    finished, reported = commit_retrying(env, lambda: _count_open(batches))[0]
    for batch in finished:
        commit_retrying(
            env, lambda batch=batch: batch_report.tell_handed_over(_for_sender(batch))
        )
    for batch in reported:
        commit_retrying(
            env, lambda batch=batch: batch_report.tell_reported(_for_sender(batch))
        )


def get_begin(batch):
    """Return when the messages of a batch enter the queue, ``None`` for at once.

    In the recipients' own time the first of them may be due long before it is that
    time here.
    """
    if batch.scheduled_at and batch.time_of == "recipient":
        return batch.scheduled_at - FARTHEST_EAST
    return batch.scheduled_at or None


def _start_due(batches):
    now = fields.Datetime.now()
    soon = [("state", "=", "scheduled"), ("scheduled_at", "<=", now + FARTHEST_EAST)]
    for batch in batches.search(soon).filtered(lambda b: get_begin(b) <= now):
        _for_sender(batch).write({"state": "running"})


def _cancel_rest(batches):
    """Mark what is left of canceled batches as canceled, page by page.

    A message whose call is under way and comes back is canceled the next time.
    """
    canceled = batches.search([("state", "=", "canceled"), ("finished_at", "=", False)])
    domain = [("batch_id", "in", canceled.ids), ("state", "in", CANCELABLE)]
    messages = batches.env["sms.devino.message"]
    while (
        canceled
        and commit_retrying(
            batches.env,
            lambda: messages._transition("canceled", _read_page(domain, batches, PAGE)),
        )[0]
    ):
        if not seconds_left(batches.env):
            wake_once(batches.env, DISPATCH)
            break


def _count_open(batches):
    """Count the messages of batches that are not final yet, by one query.

    :return: the batches that have been handed over, and those whose messages are all
        final, since the last time
    """
    followed = batches.search(
        [("reported_at", "=", False), ("state", "in", ON_THE_WAY)]
    )
    finished, reported = batches.browse(), batches.browse()
    now = fields.Datetime.now()
    for batch, counts in count_states(followed).items():
        values = get_counters(counts)
        if not batch.finished_at and not any(map(counts.get, TO_HAND_OVER)):
            finished += batch
            values["finished_at"] = now
            if batch.state != "canceled":
                values["state"] = "done"
        if not any(map(counts.get, (*TO_HAND_OVER, "sent"))):
            reported += batch
            values["reported_at"] = now
        values |= _reopen(batch, counts)
        changed = {
            name: value for name, value in values.items() if batch[name] != value
        }
        if changed:
            _for_sender(batch).write(changed)
    return finished, reported


def _reopen(batch, counts):
    """Return the values of a batch that was finished too early; wake the dispatcher.

    A server that loses its database for a moment is taken for dead, and its messages
    for unknown; then it may prove that some were not sent, and put them back.
    """
    if not batch.finished_at or not any(map(counts.get, TO_HAND_OVER)):
        return {}
    wake_once(batch.env, DISPATCH)
    values = {"finished_at": False, "reported_at": False}
    return values | ({"state": "running"} if batch.state == "done" else {})


def recount(batches, message_ids):
    """Count again where the outcome of a message became known late.

    :param batches: an empty ``sms.devino.batch``, with all rights
    """
    settled = batches.search([("reported_at", "!=", False), ("unknown_count", ">", 0)])
    if not settled:
        return
    messages = batches.env["sms.devino.message"]
    domain = [("id", "in", message_ids), ("batch_id", "in", settled.ids)]
    late = batches.concat(
        *(batch for (batch,) in messages._read_group(domain, ["batch_id"]))
    )
    for batch, counts in count_states(late).items():
        batch.write(get_counters(counts) | _reopen(batch, counts))


def count_states(batches):
    """Count the messages of batches, by one query.

    :return: batch -> dict of message state -> count, ``cost``, and ``difference``: how
        much more the delivered ones cost than estimated, in percent
    """
    result = {batch: Counter() for batch in batches}
    for batch, state, count, cost, estimate in batches.env[
        "sms.devino.message"
    ]._read_group(
        [("batch_id", "in", batches.ids), ("state", "!=", "left_out")],
        ["batch_id", "state"],
        ["__count", "cost:sum", "cost_estimated:sum"],
    ):
        result[batch][state] = count
        result[batch]["cost"] += cost or 0.0
        if state == "delivered" and cost and estimate:
            result[batch]["difference"] = 100.0 * cost / estimate - 100.0
    return result


def get_counters(counts):
    """Return the values of the batch's counters.

    :param dict counts: as :func:`count_states` returns them
    """
    counters = {
        f"{group}_count": sum(counts.get(state, 0) for state in states)
        for group, states in GROUPS.items()
    }
    return counters | {
        "cost": counts.get("cost", 0.0),
        "cost_difference": counts.get("difference", 0.0),
    }


def _for_sender(batch):
    """Return the batch in the language of its sender, also for the tracked state."""
    user = batch.sent_by_id
    return batch.with_context(lang=user.lang or batch.env.lang, tz=user.tz)


# --- progress -------------------------------------------------------------------------


def get_progress(batch):
    """Return what ``get_progress`` of a batch returns.

    :param batch: ``sms.devino.batch``, one, with all rights
    """
    is_calculating = batch.calculation in ("queued", "running")
    is_moving = batch._is_sent() and not batch.reported_at
    counters, calculated = batch, 0
    if is_moving:
        [counts] = count_states(batch).values()
        counters = get_counters(counts)
    elif batch.calculation == "running":
        rows = batch.env["sms.devino.message"]
        calculated = rows.search_count([("batch_id", "=", batch.id)])
    labels = batch_report.get_group_labels(batch.env)
    groups = [
        {"key": key, "label": labels[key], "count": counters[f"{key}_count"]}
        for key in GROUPS
        if batch._is_sent()
    ]
    return {
        "state": batch.state,
        "calculation": batch.calculation,
        "is_live": is_calculating or is_moving,
        "calculated": calculated,
        "total": batch.total,
        "cost": counters["cost"] and batch.account_id._format_amount(counters["cost"]),
        "end": is_moving and _estimate_end(batch, counters["waiting_count"]),
        "groups": groups,
    }


def _estimate_end(batch, waiting):
    """Say how long it will take, at the speed so far, or ``False``."""
    done = batch.total - waiting
    if batch.state != "running" or batch.trial_count or not waiting or not done:
        return False
    start = max(batch.sent_at, batch.scheduled_at or batch.sent_at)
    seconds = (fields.Datetime.now() - start).total_seconds()
    if (batch.figures or {}).get("departures") or seconds < 0:
        # they wait for their own times
        return False
    minutes = round(seconds * waiting / done / 60)
    if minutes < 1:
        return batch.env._("less than a minute left")
    return batch.env._("about %s min left", minutes)
