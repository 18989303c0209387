"""*Send* of a draft: what must still hold, and the freezing of what was shown."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError

from ..tools.hours import HORIZON
from . import batch_report, consent, permission, preparing, repeat
from .batch_course import feed_page, get_begin
from .commit import wake_once
from .departures import Plan
from .hours import get_company_zone
from .jobs import DISPATCH
from .words import check_scheduled_at

# How long the times of a spread sending stay valid, if it begins at once.
FRESH_TIMES = timedelta(hours=1)
# An entry of the blacklist has the time at which its transaction began: a long stop
# list may appear this much later.
LATE_ENTRIES = timedelta(hours=1)


def find_problem(batch):
    """Return why a draft cannot be sent as it is shown, or ``False``.

    :param batch: ``sms.devino.batch``, one
    """
    env = batch.env
    if batch.calculation in ("queued", "running"):
        return env._("The figures are being calculated.")
    if not batch.is_calculated:
        return env._("The figures are out of date. Calculate first.")
    if not batch.total:
        return env._("Nobody would get a message.")
    if batch.empty_count and not batch.empty_policy and not batch.repeat_of_id:
        return env._(
            "A value is empty for %s recipients. Choose what they get.",
            batch.empty_count,
        )
    is_spread = batch._is_spread() and not batch.scheduled_at
    if is_spread and batch.calculated_at < fields.Datetime.now() - FRESH_TIMES:
        return env._("The times of departure are out of date. Calculate again.")
    return batch.quote_refused and batch.quote_sentence


def _check_times(batch):
    """Refuse times that contradict each other, and hours that never come."""
    env = batch.env
    if batch.spread_hours and batch.spread_rate:
        raise UserError(
            env._("Spread over hours, or send so many an hour: enter one of the two.")
        )
    if batch._is_spread() and batch.time_of == "recipient":
        raise UserError(
            env._("A sending that is spread begins at your time. Choose “My time”.")
        )
    plan = Plan(batch.sudo())
    if not plan.find(plan.start, (get_company_zone(batch.company_id),)):
        raise UserError(
            env._(
                "The sending hours of the account “%(account)s” never come in the next "
                "%(days)s days. Check them, and the working hours of the company.",
                account=batch.account_id.name,
                days=HORIZON.days,
            )
        )


def check_input(batch):
    """Refuse a draft whose account, sender or times cannot be used.

    :param batch: ``sms.devino.batch``, one, with the rights of the sender
    :raise UserError: saying what is wrong and what to do
    """
    preparing.check_account(batch)
    _check_times(batch)


def check_ready(batch):
    """Refuse a draft that is not up to date, complete and allowed any more.

    :param batch: ``sms.devino.batch``, one, with the rights of the sender
    :raise UserError: saying what to do
    """
    env = batch.env
    if batch.state not in ("draft", "to_approve"):
        raise UserError(env._("This mass sending was sent already."))
    if problem := find_problem(batch):
        raise UserError(problem)
    check_input(batch)
    if batch.scheduled_at:
        check_scheduled_at(env, batch.scheduled_at)
    _check_blacklist(batch)
    if batch.repeat_of_id:
        repeat.check_not_repeated(batch, _of_draft(batch))


def send(batch, *, is_trial=False):
    """Approve a draft as it is shown, or ask a second person to.

    Pressed twice, it sends once: a second transaction conflicts, and Odoo repeats it.

    :param batch: ``sms.devino.batch``, one, with the rights of the sender
    :param bool is_trial: whether only a trial portion leaves at first
    :raise UserError: when it cannot be sent as it was shown
    """
    if batch.state != "draft":
        return
    check_ready(batch)
    trial_count = batch.trial_size if is_trial else 0
    if permission.is_needed(batch):
        permission.ask(batch, trial_count)
    else:
        approve(batch, trial_count)


def approve_waiting(batch):
    """Approve what somebody else has prepared.

    :param batch: ``sms.devino.batch``, one, with the rights of the approver
    :raise AccessError: saying who may
    :raise UserError: when it cannot be sent any more as it was shown
    """
    permission.check_may_approve(batch)
    check_ready(batch)
    batch.sudo().write({"approved_by_id": batch.env.uid})
    batch.sudo().activity_feedback([permission.ACTIVITY])
    approve(batch, batch.trial_count)


def approve(batch, trial_count=0):
    """Freeze the draft: its rows are sent as they are now.

    No lock is needed: of two transactions the second one conflicts, Odoo repeats it,
    and it finds a batch that was sent.

    :param batch: ``sms.devino.batch``, one, with the rights of the sender
    :param int trial_count: so many messages leave, and the rest when somebody presses
        *Continue*; 0 for all
    """
    batch = batch.sudo()
    # where a second person approves, it stays the sending of the first one
    user = batch.sent_by_id or batch.env.user
    cost = _check_rows(batch)
    account = batch.account_id.with_company(batch.company_id)
    if batch.repeat_of_id:
        repeat.lock_chains(batch)
    account._lock_money()
    account._check_enough(cost, batch.total, user)
    begin, now = get_begin(batch), fields.Datetime.now()
    is_trial = trial_count < batch.total and not batch.scheduled_at
    batch.write(
        {
            "state": "scheduled" if begin and begin > now else "running",
            "sent_by_id": user.id,
            "sent_at": now,
            "cost_estimated": cost,
            "waiting_count": batch.total,
            "trial_count": trial_count if is_trial else 0,
        }
    )
    if batch.state == "running":
        feed_page(batch)
    wake_once(batch.env, DISPATCH, begin if batch.state == "scheduled" else None)
    batch_report.tell_approved(batch)


def _of_draft(batch):
    return [("batch_id", "=", batch.id), ("state", "=", "draft")]


def _check_blacklist(batch):
    """Refuse when recipients came onto the blacklist after the calculation."""
    if not consent.refusal_ends(batch.company_id, batch.purpose):
        return
    since = batch.calculated_at - LATE_ENTRIES
    blacklist = batch.env["phone.blacklist"].sudo()
    numbers = blacklist.search([("write_date", ">=", since)]).mapped("number")
    blocked = numbers and batch.env["sms.devino.message"].search_count(
        [*_of_draft(batch), ("number", "in", numbers)]
    )
    if blocked:
        raise UserError(
            batch.env._(
                "%(count)s of the recipients have been put on the blacklist in the "
                "meantime. Calculate again.",
                count=blocked,
            )
        )


def _check_rows(batch):
    """Compare the rows with what was shown.

    :return: the sum of their estimated cost
    """
    groups = batch.env["sms.devino.message"]._read_group(
        _of_draft(batch),
        ["account_id", "mode", "sender_name"],
        ["__count", "cost_estimated:sum"],
    )
    account = batch.account_id
    shown = (account, account.mode, batch.sender_id.name, batch.total)
    if [group[:4] for group in groups] != [shown]:
        raise UserError(
            batch.env._(
                "The account or its sender has changed in the meantime. Calculate "
                "again."
            )
        )
    return groups[0][4]
