"""Calls whose outcome is unknown: the evidence, and what settles them.

The program never sends such a message again. It settles one only where the balance
proves what happened: nothing else was on its way between two readings of the balance,
and it changed by exactly the price of the call, or not at all.
"""

import logging
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, float_compare

from ..gateway import GatewayError
from .balance import WATCH_SECONDS, ask_balance, ask_within, keep
from .commit import commit_retrying, wake_later
from .quote import DIGITS
from .words import format_moment

_logger = logging.getLogger(__name__)

CRON = "sms_devino.ir_cron_settle"
# The provider may deduct a little later than it accepts.
SETTLE_PAUSE = timedelta(minutes=5)
# No call takes longer: one that began earlier had ended when the balance was read.
LONGEST_CALL = timedelta(minutes=2)
# Older evidence is not gathered any more.
GIVE_UP = timedelta(hours=48)


def note_unknown(journal, ids):
    """Remember the calls of messages that have become unknown.

    :param journal: ``sms.devino.message``, with all rights
    """
    doubts = journal.env["sms.devino.doubt"].sudo()
    messages = journal.sudo().browse(ids).filtered("claimed_at")
    calls = messages.grouped(lambda message: (message.account_id, message.claimed_at))
    for (account, claimed_at), of_call in calls.items():
        of_account = doubts.search(
            [("account_id", "=", account.id), ("is_open", "=", True)]
        )
        known = of_account.filtered(lambda one, at=claimed_at: one.claimed_at == at)
        values = _sum_call(of_call | known._get_unknown() if known else of_call)
        if known:
            known.write(values)
        else:
            doubts.create({**values, **_balance_before(account, claimed_at)})
    if calls:
        wake_later(journal.env, CRON, fields.Datetime.now() + SETTLE_PAUSE)


def find(message):
    """Return the ``sms.devino.doubt`` of a message of unknown outcome, or none."""
    doubts = message.env["sms.devino.doubt"]
    at = message.claimed_at
    if message.state != "unknown" or not at:
        return doubts
    of_account = [("account_id", "=", message.account_id.id)]
    # to the second, as the ORM compares
    found = doubts.search([*of_account, ("claimed_at", "=", at)])
    return found.filtered(lambda one: one.claimed_at == at)


def _sum_call(messages):
    return {
        "account_id": messages.account_id.id,
        "company_id": messages[0].company_id.id,
        "mode": messages[0].mode,
        "claimed_at": messages[0].claimed_at,
        "message_count": len(messages),
        "cost_estimated": sum(messages.mapped("cost_estimated")),
    }


def _balance_before(account, claimed_at):
    """Return the balance that was known when the call began, if it was."""
    if not account.balance_at or account.balance_at >= claimed_at:
        return {}
    return {
        "balance_before": account.balance,
        "balance_before_at": account.balance_at,
    }


# --- settling -------------------------------------------------------------------------


def settle_by_person(messages, *, was_sent):
    """Note what a person says became of messages.

    :param messages: ``sms.devino.message`` that the user chose
    :raise AccessError: for who is no manager
    :raise UserError: when the outcome of none of them is unknown any more
    """
    env = messages.env
    messages.check_access("read")
    if not env.user.has_group("sms_devino.group_manager"):
        raise AccessError(
            env._("Only members of the group SMS / Manager decide what happened.")
        )
    note = env._("decided by %(user)s", user=env.user.name)
    if not _settle(messages.sudo(), was_sent, note, env.user):
        raise UserError(
            env._("The outcome of these messages is not unknown any more. Reload.")
        )


def _settle(messages, was_sent, note, user):
    """Settle the messages with an unknown outcome; return their ids."""
    messages = messages.filtered(lambda message: message.state == "unknown")
    shared = {"settled_by_id": user.id or None, "settled_note": note}
    unknown = SQL("m.state = 'unknown'")
    if was_sent:
        rows = [
            {"id": m.id, "accepted_at": m.claimed_at, "reason": None, **shared}
            for m in messages
        ]
        moved = messages._transition("sent", rows, condition=unknown)
        # there are no ids to ask the provider for
        messages._transition("unconfirmed", [{"id": key} for key in moved])
    else:
        rows = [{"id": key, "reason": "not_sent", **shared} for key in messages.ids]
        moved = messages._transition("failed", rows, condition=unknown)
    _close(messages.env["sms.devino.doubt"].search([("is_open", "=", True)]))
    return moved


def _close(doubts):
    """Close the calls without a message of unknown outcome."""
    done = doubts.filtered(lambda one: not one._get_unknown())
    if done:
        done.write({"is_open": False})


def settle_by_evidence(doubts):
    """Ask for the balance after each call in doubt; settle what that proves. Commits.

    :param doubts: an empty ``sms.devino.doubt``, with all rights
    """
    env, now = doubts.env, fields.Datetime.now()
    _close(doubts.search([("is_open", "=", True)]))
    waiting = doubts.search(
        [
            ("is_open", "=", True),
            ("balance_after_at", "=", False),
            ("claimed_at", ">", now - GIVE_UP),
        ]
    )
    ready = waiting.filtered(lambda one: one.create_date <= now - SETTLE_PAUSE)
    if waiting - ready:
        wake_later(env, CRON, now + SETTLE_PAUSE)
    for account, of_account in ready.grouped("account_id").items():
        try:
            answer = ask_balance(account, WATCH_SECONDS)
            keep(account, answer)
            if not isinstance(answer, GatewayError):
                for one in of_account:
                    _note_evidence(one, float(answer))
                    _settle_if_proven(one)
        except UserError as error:
            env.cr.rollback()
            _logger.info(
                "account %s: no evidence, %s", account.id, type(error).__name__
            )
        commit_retrying(env, lambda: None)


def _note_evidence(one, balance):
    now = fields.Datetime.now()
    start = (one.balance_before_at or one.claimed_at) - LONGEST_CALL
    one.write(
        {
            "balance_after": balance,
            "balance_after_at": now,
            "other_calls": _had_other_calls(one, start, now),
            **_compare_statistics(one, start, now),
        }
    )


def _had_other_calls(one, start, end):
    messages = one.env["sms.devino.message"]
    of_account = [("account_id", "=", one.account_id.id)]
    others = [*of_account, ("id", "!=", one.id), ("claimed_at", ">=", start)]
    return bool(
        messages.search_count([*of_account, ("accepted_at", ">=", start)], limit=1)
        or messages.search_count([*of_account, ("state", "=", "sending")], limit=1)
        or one.search_count([*others, ("claimed_at", "<=", end)], limit=1)
    )


def _compare_statistics(one, start, end):
    """Return how many SMS the provider and the journal count in a window of time.

    A hint for a person, no proof: the provider's sources contradict each other about
    the time zone of the window.
    """
    client = one.account_id._get_client()
    answer = ask_within(
        WATCH_SECONDS, lambda: client.statistics(start, end + timedelta(minutes=1))
    )
    if isinstance(answer, GatewayError):
        _logger.info("account %s: no statistics, %s", one.account_id.id, answer)
        return {}
    domain = [
        ("account_id", "=", one.account_id.id),
        ("accepted_at", ">=", start),
        ("accepted_at", "<=", end),
    ]
    messages = one.env["sms.devino.message"]
    [(own,)] = messages._read_group(domain, aggregates=["segment_count:sum"])
    return {"provider_count": answer.total, "own_count": own or 0}


def _settle_if_proven(one):
    was_sent = find_proof(one)
    if was_sent is None:
        return
    env = one.env
    amount = one.account_id._format_amount
    note = env._(
        "by the balance: %(before)s before, %(after)s after, no other call between; "
        "the price of the call is %(price)s",
        before=amount(one.balance_before),
        after=amount(one.balance_after),
        price=amount(one.cost_estimated),
    )
    _settle(one._get_unknown(), was_sent, note, env["res.users"])


def find_proof(one):
    """Return whether the call was accepted, ``None`` where the balance proves nothing.

    :param one: ``sms.devino.doubt``
    """
    is_known = one.balance_before_at and one.balance_after_at
    is_live = one.mode == one.account_id.mode == "live"
    if not is_known or not is_live or one.other_calls or one.cost_estimated <= 0:
        return None
    spent = one.balance_before - one.balance_after
    if float_compare(spent, one.cost_estimated, precision_digits=DIGITS) == 0:
        return True
    return False if float_compare(spent, 0, precision_digits=DIGITS) == 0 else None


# --- in words -------------------------------------------------------------------------


def describe_evidence(one):
    """Return what speaks for either side, as a list of sentences.

    :param one: ``sms.devino.doubt``
    """
    env, account = one.env, one.account_id.sudo()
    lines = [
        env._(
            "Call at %(time)s, messages in it: %(count)s",
            time=format_moment(env, one.claimed_at),
            count=one.message_count,
        )
    ]
    for text, at, balance in (
        (env._("Balance before"), one.balance_before_at, one.balance_before),
        (env._("Balance after"), one.balance_after_at, one.balance_after),
    ):
        amount = env._("not known")
        if at:
            amount = f"{account._format_amount(balance)} ({format_moment(env, at)})"
        lines.append(f"{text}: {amount}")
    price = account._format_amount(one.cost_estimated)
    lines.append(env._("Price of the call: %s", price))
    if one.balance_after_at:
        lines += [_describe_others(one), _describe_statistics(one)]
    if duplicates := _count_duplicates(one):
        lines.append(
            env._("The same text went to the same number later: %s times", duplicates)
        )
    return [line for line in lines if line]


def _describe_others(one):
    if one.other_calls:
        return one.env._(
            "Other messages were sent between the two balances, so they prove nothing."
        )
    return one.env._("No other message was sent between the two balances.")


def _describe_statistics(one):
    if not one.provider_count and not one.own_count:
        return ""
    return one.env._(
        "SMS of that time by the provider's statistics: %(provider)s; accepted by the "
        "journal: %(own)s",
        provider=one.provider_count,
        own=one.own_count,
    )


def _count_duplicates(one):
    """Count later messages with a number and text of the call."""
    messages = one.sudo()._get_unknown()
    pairs = {(message.number, message.body) for message in messages}
    later = messages.search_fetch(
        [
            ("number", "in", messages.mapped("number")),
            ("account_id", "=", one.account_id.id),
            ("create_date", ">", one.claimed_at),
            ("state", "not in", ("draft", "left_out", "canceled")),
        ],
        ["number", "body"],
    )
    return sum((message.number, message.body) in pairs for message in later)
