"""A second person's approval of large mass sendings.

A draft above the company's thresholds goes to ``to_approve`` first, frozen as it is.
Another person, one of the company's approvers, sends it or returns it.
"""

from odoo.exceptions import AccessError, UserError
from odoo.tools import float_compare

ACTIVITY = "sms_devino.mail_activity_approve"


def is_needed(batch):
    """Whether a mass sending is so large that a second person must approve it.

    :param batch: ``sms.devino.batch``, one
    """
    return is_large(batch.company_id.sudo(), batch.total, batch.cost_estimated)


def is_large(company, count, cost):
    """Whether so many recipients, or so high a cost, need approval.

    :param company: ``res.company`` with the rights to read it (sudo)
    """
    most, dearest = company.sms_devino_approval_count, company.sms_devino_approval_cost
    is_dear = bool(dearest) and float_compare(cost, dearest, 4) > 0
    return is_dear or (bool(most) and count > most)


def may_approve(batch, user):
    """Whether a person may approve a mass sending that somebody else has prepared."""
    # every change has to be calculated again
    asked = batch.prepared_by_id | batch.calculated_by_id | batch.sent_by_id
    approvers = batch.company_id.sudo().sms_devino_approver_ids
    return user in approvers and user not in asked


def ask(batch, trial_count):
    """Freeze a draft and ask the approvers.

    :param batch: ``sms.devino.batch``, one, that may be sent by the user
    :param int trial_count: as for :func:`~.approval.approve`
    :raise UserError: when nobody else may approve it
    """
    env, asked_by = batch.env, batch.env.user
    approvers = batch.company_id.sudo().sms_devino_approver_ids.filtered(
        lambda user: user != asked_by and may_approve(batch, user)
    )
    if not approvers:
        raise UserError(
            env._(
                "This mass sending needs the approval of a second person, and nobody "
                "else may approve it. An administrator chooses approvers in the "
                "general settings, under SMS."
            )
        )
    batch.sudo().write(
        {
            "state": "to_approve",
            "sent_by_id": asked_by.id,
            "trial_count": trial_count,
            "returned_reason": False,
        }
    )
    for approver in approvers:
        batch.sudo().activity_schedule(ACTIVITY, user_id=approver.id)


def check_may_approve(batch):
    """Refuse anybody who is no approver, or approves an own sending.

    :raise UserError: when it does not wait for approval any more
    :raise AccessError: saying who may
    """
    env = batch.env
    if batch.state != "to_approve":
        raise UserError(env._("This mass sending does not wait for approval."))
    if not may_approve(batch, env.user):
        raise AccessError(
            env._(
                "Another person approves this mass sending, one of: %s.",
                ", ".join(
                    batch.company_id.sudo().sms_devino_approver_ids.mapped("name")
                ),
            )
        )


def return_to_author(batch):
    """Return a mass sending to its author, with the reason that was entered.

    :raise AccessError: saying who may
    :raise UserError: without a reason
    """
    check_may_approve(batch)
    if not (batch.returned_reason or "").strip():
        raise UserError(batch.env._("Returned because: enter the reason."))
    _give_back(batch, batch.returned_reason)


def withdraw(batch):
    """Take one's own mass sending back.

    :raise UserError: when it is another one's, or does not wait for approval
    """
    if batch.state != "to_approve" or batch.sent_by_id != batch.env.user:
        raise UserError(
            batch.env._("Only the author takes back what waits for approval.")
        )
    _give_back(batch, False)


def _give_back(batch, reason):
    """Make a draft again of what waits for approval.

    :param str reason: of an approver who returns it; empty where the author takes it
        back
    """
    author = batch.sent_by_id
    batch.sudo().write(
        {"state": "draft", "sent_by_id": False, "returned_reason": reason or False}
    )
    batch.sudo().activity_unlink([ACTIVITY])
    if reason:
        text = batch.env._("Returned: %s", reason)
        batch.sudo().activity_schedule(
            "mail.mail_activity_data_todo", user_id=author.id, summary=text
        )
        batch.sudo().message_post(body=text, author_id=batch.env.user.partner_id.id)
