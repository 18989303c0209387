"""What messages cost, by all that is known of them before they are sent."""

from datetime import UTC
from functools import cache
from zoneinfo import ZoneInfo

from odoo import fields

from ..tools.prices import Prices, Tariff
from .hours import get_company_zone
from .operator_templates import Register
from .ranges import fill_operators

# Kinds of traffic: operators in Russia bill them differently.
KINDS = [("service", "Service traffic"), ("advertising", "Advertising traffic")]
# What a price depends on, apart from the time.
PRICED_BY = ("number", "body", "purpose", "sender_name", "segment_count")


def read_tariffs(account, day=None):
    """Return the :class:`~..tools.prices.Tariff` of an account that price messages.

    :param account: ``sms.devino.account`` with the rights to read it (sudo)
    :param day: ``date``; only those that hold then
    """
    tariffs = [
        _as_plain(tariff)
        for tariff in account.tariff_ids
        if tariff.active and not tariff.is_proposed
    ]
    return [t for t in tariffs if t.fits(t.kind, t.sender, day)] if day else tariffs


def _as_plain(tariff):
    return Tariff(
        tariff.price,
        tariff.prefix or "",
        tariff.operator or "",
        tariff.kind or "",
        tariff.sender_id.name or "",
        tariff.date_from or None,
        tariff.date_to or None,
    )


def price_new(journal, vals_list):
    """Say what new messages will cost, unless that is given. Their values are changed.

    :param list vals_list: as ``create`` of ``sms.devino.message`` gets them
    """
    by_account = {}
    for vals in vals_list:
        if vals.get("account_id") and "cost_estimated" not in vals:
            by_account.setdefault(vals["account_id"], []).append(vals)
    for account_id, of_account in by_account.items():
        Pricing(journal.env["sms.devino.account"].browse(account_id)).fill(of_account)


class Pricing:
    """Prices the messages of an account. Tariffs are read once.

    :param account: ``sms.devino.account``, one
    """

    def __init__(self, account):
        account = account.sudo()
        self._env = account.env
        self._register = cache(lambda: Register(account))
        self._prices = Prices(account.price_per_segment, read_tariffs(account))
        self._zone = ZoneInfo(get_company_zone(account.company_id))
        self._get_day = cache(self._find_day)

    def fill(self, rows, at=None):
        """Write operator, kind of traffic and estimated cost into new messages.

        :param list rows: dicts of columns of the journal, see :data:`PRICED_BY`; a row
            without segments costs nothing
        :param datetime at: UTC; when a row without a time of its own leaves, now
            without it
        """
        fill_operators(self._env, rows)
        at = at or fields.Datetime.now()
        for row in rows:
            number, body, purpose, sender, segments = map(row.get, PRICED_BY)
            operator = row["operator"]
            day = self._get_day(row.get("scheduled_at") or at)
            kind = self._find_kind(purpose, body, sender, operator, day)
            price = self._prices.find(number, operator, kind, sender, day)
            row["price_kind"] = kind
            row["cost_estimated"] = (segments or 0) * price

    def _find_kind(self, purpose, body, *concern):
        """Return as which kind of traffic a text is billed: the one place that says so.

        :param str purpose: of the message
        :param str body: the text as the recipient gets it, empty when not known
        :param concern: sender name, operator and day
        """
        if purpose == "advertising":
            return "advertising"
        differs = body and self._register().differs(body, *concern)
        return "advertising" if differs else "service"

    def sum_cost(self, rows):
        """Return what messages cost in all, see :meth:`fill`."""
        self.fill(rows)
        return sum(row["cost_estimated"] for row in rows)

    def _find_day(self, at):
        at = fields.Datetime.to_datetime(at)
        try:
            return at.replace(tzinfo=UTC).astimezone(self._zone).date()
        except OverflowError:
            # the last hours of the calendar
            return at.date()
