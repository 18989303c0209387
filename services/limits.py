"""What people of a company may send in a day or month: messages and money.

Only where a person sends. Automatic SMS, as those of orders, have no limit.
"""

from odoo import fields
from odoo.exceptions import UserError
from odoo.tools import float_compare

from ..tools.hours import to_utc, to_wall
from .hours import get_company_zone
from .words import label_of

# Single messages that were canceled or refused do not count; of a mass sending only
# what was canceled does not.
NOT_SENT = ("draft", "left_out", "canceled", "failed")


def check(account, count, cost, user):
    """Refuse a sending that goes beyond a limit.

    :param account: ``sms.devino.account`` with all rights, in the company that sends
    :param int count: messages
    :param float cost: in the currency of the account
    :param user: ``res.users`` who sends
    :raise UserError: naming the limit and what is left of it
    """
    company = account._get_message_company()
    limits = account.env["sms.devino.limit"].sudo()
    for limit in limits.search([("company_id", "=", company.id)]):
        sent, spent = _sum_sent(limit, account, user)
        if limit.message_count and sent + count > limit.message_count:
            left = max(limit.message_count - sent, 0)
            raise UserError(_refuse(limit, str(limit.message_count), str(left)))
        if limit.cost and float_compare(spent + cost, limit.cost, 4) > 0:
            amounts = (limit.cost, max(limit.cost - spent, 0))
            raise UserError(_refuse(limit, *map(account._format_amount, amounts)))


def _refuse(limit, most, left):
    return limit.env._(
        "The limit is reached. %(scope)s, %(period)s: at most %(most)s; %(left)s is "
        "left. An administrator changes it in SMS > Configuration > Limits.",
        scope=label_of(limit, "scope"),
        period=label_of(limit, "period").lower(),
        most=most,
        left=left,
    )


def _sum_sent(limit, account, user):
    """Return messages and their cost in the currency of the account, since the
    beginning of the period."""
    start = get_start(limit)
    common = [
        ("company_id", "=", limit.company_id.id),
        ("account_id.currency_id", "=", account.currency_id.id),
        ("mode", "=", account.mode),
    ]
    singles = [*common, ("batch_id", "=", False), ("create_date", ">=", start)]
    batches = [*common, ("sent_at", ">=", start)]
    if limit.scope == "user":
        singles.append(("author_id", "=", user.id))
        batches.append(("sent_by_id", "=", user.id))
    [(count, cost)] = account.env["sms.devino.message"]._read_group(
        [*singles, ("state", "not in", NOT_SENT)],
        aggregates=["__count", "cost_estimated:sum"],
    )
    cost = cost or 0.0
    for batch in account.env["sms.devino.batch"].search(batches):
        sent = batch.total - batch.canceled_count
        count += sent
        cost += batch.cost_estimated * sent / batch.total if batch.total else 0.0
    return count, cost


def get_start(limit):
    """Return when the day or month began in the company's time zone, as UTC."""
    zone = get_company_zone(limit.company_id)
    start = to_wall(fields.Datetime.now(), zone).replace(hour=0, minute=0, second=0)
    if limit.period == "month":
        start = start.replace(day=1)
    return to_utc(start, zone)
