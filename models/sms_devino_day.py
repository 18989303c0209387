from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..services import spending
from ..services.hours import get_company_zone
from ..services.message_states import MODES
from ..services.overview import Overview

# How long a message may change after it was accepted: 48 hours, and some time for a
# person to settle it.
CHANGING_DAYS = 4
# The keys of a row; its other columns are sums.
DIMENSIONS = (
    "day",
    "company_id",
    "account_id",
    "mode",
    "sender_name",
    "author_id",
    "batch_id",
    "purpose",
    "operator",
    "currency_id",
)
SUMS = (
    "message_count",
    "segment_count",
    "delivered_count",
    "undelivered_count",
    "unknown_count",
    "waiting_count",
    "cost",
)


class SmsDevinoDay(models.Model):
    """Messages of a day, summed: what overview and reports read, at any size of the
    journal."""

    _name = "sms.devino.day"
    _description = "SMS by Day"
    _order = "day desc, id"
    _rec_name = "day"
    _log_access = False

    day = fields.Date(
        readonly=True,
        required=True,
        index=True,
        help="The day of acceptance in the time zone of the company; for a message "
        "that was not accepted the day when it was written.",
    )
    company_id = fields.Many2one("res.company", readonly=True)
    account_id = fields.Many2one("sms.devino.account", readonly=True)
    mode = fields.Selection(MODES, readonly=True)
    sender_name = fields.Char(string="Sender", readonly=True)
    author_id = fields.Many2one("res.users", readonly=True)
    batch_id = fields.Many2one("sms.devino.batch", string="Mass sending", readonly=True)
    purpose = fields.Selection(
        selection=lambda self: self.env["sms.devino.message"]
        ._fields["purpose"]
        ._description_selection(self.env),
        readonly=True,
    )
    operator = fields.Char(string="Operator (by range)", readonly=True)
    message_count = fields.Integer(string="Messages", readonly=True)
    segment_count = fields.Integer(string="SMS", readonly=True)
    delivered_count = fields.Integer(string="Delivered", readonly=True)
    undelivered_count = fields.Integer(
        string="Not delivered",
        readonly=True,
        help="Refused, expired, or reported as not delivered.",
    )
    unknown_count = fields.Integer(string="Outcome unknown", readonly=True)
    waiting_count = fields.Integer(
        string="Waiting for a report",
        readonly=True,
        help="Sent; the provider has not told yet what became of them.",
    )
    cost = fields.Monetary(
        readonly=True,
        help="What the provider charged, if it has reported it; otherwise the "
        "estimate.",
    )
    currency_id = fields.Many2one("res.currency", readonly=True)

    # --- keeping it up to date ------------------------------------------------------

    @api.model
    def _cron_refresh(self):
        """Sum the days anew that may have changed; all of them the first time."""
        since = None
        if self.search_count([], limit=1):
            since = fields.Date.today() - timedelta(days=CHANGING_DAYS)
        self._refresh(since)

    @api.model
    def _refresh(self, since=None):
        """Sum the days from ``since`` on; without it the whole journal.

        :param date since: a date, or ``None``
        """
        self.env["sms.devino.message"].flush_model()
        self.env["sms.devino.account"].flush_model(["currency_id"])
        self.env.cr.execute(
            SQL(
                "DELETE FROM sms_devino_day WHERE %(since)s::date IS NULL"
                " OR day >= %(since)s",
                since=since,
            )
        )
        self.env.cr.execute(
            SQL(
                "INSERT INTO sms_devino_day (%s) %s",
                _columns(),
                self._fresh_rows(since),
            )
        )
        # the currency of an account may be chosen later
        self.env.cr.execute(
            """UPDATE sms_devino_day d SET currency_id = a.currency_id
                 FROM sms_devino_account a
                WHERE a.id = d.account_id
                  AND a.currency_id IS DISTINCT FROM d.currency_id"""
        )
        self.invalidate_model()

    @api.model
    def _count_differences(self):
        """Return how many rows are not as the journal has them."""
        self.env["sms.devino.message"].flush_model()
        [(count,)] = self.env.execute_query(
            SQL(
                """SELECT count(*)
                     FROM ((%(fresh)s)
                    EXCEPT ALL SELECT %(columns)s FROM sms_devino_day) AS d""",
                fresh=self._fresh_rows(None),
                columns=_columns(),
            )
        )
        return count

    @api.model
    def _fresh_rows(self, since):
        """Return the query that sums the journal by day."""
        companies = self.env["res.company"].sudo().search_fetch([], ["partner_id"])
        zones = [get_company_zone(company) for company in companies]
        # a day more: the zone may move a message into the first one
        changed = SQL("TRUE")
        if since:
            start = since - timedelta(days=1)
            changed = SQL(
                "(m.accepted_at >= %s"
                " OR (m.accepted_at IS NULL AND m.create_date >= %s))",
                start,
                start,
            )
        return SQL(
            """SELECT * FROM (
               SELECT (COALESCE(m.accepted_at, m.create_date)
                       AT TIME ZONE 'UTC' AT TIME ZONE z.zone)::date AS day,
                      m.company_id, m.account_id, m.mode, m.sender_name, m.author_id,
                      m.batch_id, m.purpose, m.operator, a.currency_id,
                      count(*)::int4 AS message_count,
                      COALESCE(sum(m.segment_count), 0)::int4 AS segment_count,
                      (count(*) FILTER (WHERE m.state = 'delivered'))::int4
                          AS delivered_count,
                      (count(*) FILTER (WHERE m.state
                           IN ('undelivered', 'failed')))::int4
                          AS undelivered_count,
                      (count(*) FILTER (WHERE m.state
                           IN ('unknown', 'unconfirmed')))::int4
                          AS unknown_count,
                      (count(*) FILTER (WHERE m.state = 'sent'))::int4 AS waiting_count,
                      COALESCE(sum(COALESCE(NULLIF(m.cost, 0), m.cost_estimated))
                          FILTER (WHERE m.state != 'failed'), 0)::numeric(16, 4) AS cost
                 FROM sms_devino_message m
                 JOIN sms_devino_account a ON a.id = m.account_id
                 JOIN unnest(%(companies)s::int4[], %(zones)s::varchar[])
                      AS z(company_id, zone) ON z.company_id = m.company_id
                WHERE m.state IN ('sent', 'delivered', 'undelivered', 'failed',
                                  'unknown', 'unconfirmed')
                  AND %(changed)s
             GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10) AS days
                WHERE %(since)s::date IS NULL OR day >= %(since)s""",
            companies=companies.ids,
            zones=zones,
            changed=changed,
            since=since,
        )

    @api.model
    def _cron_mail_spending(self):
        """Mail the spending of last month to the addresses that companies chose."""
        companies = self.env["res.company"].search(
            [("sms_devino_spending_emails", "!=", False)]
        )
        spending.mail_last_month(companies)

    # --- doors ----------------------------------------------------------------------

    def get_overview(self):
        """Return what the overview shows to this person.

        :return: dict, see :meth:`~..services.overview.Overview.get`
        :raise AccessError: without the group SMS / User
        """
        self.check_access("read")
        return Overview(self.env).get()

    def action_rebuild(self):
        """Sum the whole journal anew, and tell how much differed.

        :raise AccessError: without the group SMS / Administrator
        """
        self.env["sms.devino.account"].check_access("write")
        days = self.sudo()
        count = days._count_differences()
        days._refresh()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "The reports were summed anew from the journal; %s rows differed.",
                    count,
                ),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }


def _columns():
    return SQL(", ").join(map(SQL.identifier, DIMENSIONS + SUMS))
