"""What SMS have cost in a month, mailed to whom the company chooses."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from odoo.exceptions import ValidationError
from odoo.tools import format_date
from odoo.tools.mail import email_normalize

from .fees import sum_fees
from .hours import get_company_zone


def check_addresses(company):
    """Refuse what is no list of e-mail addresses.

    :param company: ``res.company``, one
    :raise ValidationError: naming it
    """
    for part in (company.sms_devino_spending_emails or "").split(","):
        part = part.strip()
        if part and email_normalize(part) != part.lower():
            raise ValidationError(
                company.env._(
                    "Spending of last month: “%s” is no e-mail address. Separate "
                    "several by commas.",
                    part,
                )
            )


def mail_last_month(companies):
    """Mail the spending of last month to the addresses of each company.

    :param companies: ``res.company``, with all rights
    """
    mails = companies.env["mail.mail"]
    for company in companies:
        lang = company.partner_id.lang or companies.env.lang
        mails += mails.create(_prepare_mail(company.with_context(lang=lang)))
    mails.send()


def _prepare_mail(company):
    """Return the values of the mail to a company, in the language of its context."""
    env, report = company.env, describe_last_month(company)
    return {
        "subject": env._(
            "SMS: spending of %(month)s, %(company)s",
            month=report["month"],
            company=company.name,
        ),
        "body_html": env["ir.qweb"]._render("sms_devino.spending_mail", report),
        "email_to": company.sms_devino_spending_emails,
        "email_from": company.email_formatted or env.user.email_formatted,
    }


def describe_last_month(company):
    """Return what the mail shows: ``month``, ``title``, ``accounts`` (each with its
    ``rows`` by sender name, the ``fee`` of its names, its ``total`` and what the
    provider counts).

    :param company: ``res.company``, one, with all rights
    """
    # days are those of the company, as in ``sms.devino.day``
    today = datetime.now(ZoneInfo(get_company_zone(company))).date()
    until = today.replace(day=1)
    since = (until - timedelta(days=1)).replace(day=1)
    sums = company.env["sms.devino.day"]._read_group(
        [
            ("company_id", "=", company.id),
            ("mode", "=", "live"),
            ("day", ">=", since),
            ("day", "<", until),
        ],
        ["account_id", "sender_name"],
        [
            "message_count:sum",
            "segment_count:sum",
            "delivered_count:sum",
            "undelivered_count:sum",
            "cost:sum",
        ],
    )
    live = company.env["sms.devino.account"].search(
        [("company_id", "=", company.id), ("mode", "=", "live")]
    )
    fees = sum_fees(live, since, until - timedelta(days=1))
    by_account = {account: [] for account in fees}
    for account, *row in sums:
        by_account.setdefault(account, []).append(row)
    month = format_date(company.env, since, date_format="LLLL y")
    return {
        "month": month,
        "title": company.env._(
            "What SMS cost %(company)s in %(month)s:",
            company=company.name,
            month=month,
        ),
        "accounts": [
            _describe_account(account, rows, fees.get(account, 0.0), since, until)
            for account, rows in by_account.items()
        ],
    }


def _describe_account(account, rows, fee, since, until):
    [(provider_total, days)] = account.env["sms.devino.statistics"]._read_group(
        [("account_id", "=", account.id), ("day", ">=", since), ("day", "<", until)],
        [],
        ["provider_total:sum", "__count"],
    )
    *counts, cost = [sum(row[index] for row in rows) for index in range(1, 6)]
    return {
        "name": account.name,
        "rows": [_show(account, row) for row in rows],
        "fee": fee and account._format_amount(fee),
        "total": _show(account, ["", *counts, cost + fee]),
        "provider_total": provider_total if days else None,
    }


def _show(account, row):
    name, messages, segments, delivered, undelivered, cost = row
    known = delivered + undelivered
    return {
        "name": name,
        "messages": messages,
        "segments": segments,
        "share": f"{100 * delivered / known:.1f} %" if known else "–",
        "cost": account._format_amount(cost),
    }
