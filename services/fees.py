"""Fixed fees of sender names, and the days until which names are paid for."""

from datetime import timedelta

from odoo import fields

# The renewal of a name is asked for so many days before.
DAYS_BEFORE = 7
RENEWAL = "renewal"


def sum_fees(accounts, first, last):
    """Return account -> what its sender names cost in a month; none without a fee.

    :param accounts: ``sms.devino.account``
    :param date first: the first day of the month
    :param date last: its last day
    """
    senders = accounts.env["sms.devino.sender"].sudo()
    paid = [
        ("account_id", "in", accounts.ids),
        ("fee", ">", 0),
        ("create_date", "<", last + timedelta(days=1)),
        "|",
        ("paid_until", "=", False),
        ("paid_until", ">=", first),
    ]
    return dict(senders._read_group(paid, ["account_id"], ["fee:sum"]))


def find_due(account):
    """Return the sender names of an account that have to be paid for soon, or were."""
    limit = fields.Date.context_today(account) + timedelta(days=DAYS_BEFORE)
    return account.sender_ids.filtered(
        lambda sender: sender.paid_until and sender.paid_until <= limit
    )


def ask_renewals(accounts):
    """Ask the responsible person once for each day until which a name is paid for, and
    take that back when the day has moved or the name is archived.

    :param accounts: ``sms.devino.account`` with all rights
    """
    for account in accounts:
        due = find_due(account)
        news = due.filtered(
            lambda sender: sender.renewal_asked_for != sender.paid_until
        )
        # what is due no more, and then is again, is asked for again
        names = account.with_context(active_test=False).sender_ids
        (names.filtered("renewal_asked_for") - due).renewal_asked_for = False
        is_asked = account.activity_search([f"sms_devino.mail_activity_{RENEWAL}"])
        if not due:
            account._close_notice(RENEWAL)
        elif news or is_asked:
            account._notify(RENEWAL)
        for sender in news:
            sender.renewal_asked_for = sender.paid_until
