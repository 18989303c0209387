from odoo import api, fields, models
from odoo.exceptions import MissingError
from odoo.fields import Domain

from ..services import reconciliation, windows


class SmsDevinoStatistics(models.Model):
    """A day of an account: what the provider counts, and what the journal does."""

    _name = "sms.devino.statistics"
    _description = "SMS Reconciliation"
    _order = "day desc, id"
    _rec_name = "day"

    day = fields.Date(
        required=True,
        readonly=True,
        help="By UTC. The provider may count what was sent around midnight for the "
        "neighbouring day.",
    )
    account_id = fields.Many2one(
        "sms.devino.account",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    currency_id = fields.Many2one(related="account_id.currency_id", store=True)
    provider_total = fields.Integer(
        string="SMS, provider", readonly=True, help="What the provider has accepted."
    )
    own_total = fields.Integer(
        string="SMS, journal",
        readonly=True,
        help="What the provider has accepted, by the journal.",
    )
    difference = fields.Integer(
        compute="_compute_difference",
        store=True,
        help="What the provider counts more than the journal, or fewer (minus).",
    )
    provider_delivered = fields.Integer(string="Delivered, provider", readonly=True)
    own_delivered = fields.Integer(string="Delivered, journal", readonly=True)
    provider_failed = fields.Integer(string="Failed, provider", readonly=True)
    own_failed = fields.Integer(string="Failed, journal", readonly=True)
    cost = fields.Monetary(
        string="Price, journal",
        readonly=True,
        help="By the reports on the messages. The provider's statistics name no price.",
    )
    asked_at = fields.Datetime(readonly=True)

    _day_uniq = models.UniqueIndex("(account_id, day)")

    @api.depends("provider_total", "own_total")
    def _compute_difference(self):
        for one in self:
            one.difference = one.provider_total - one.own_total

    @api.model
    def _cron_fetch(self):
        """Ask for the days that are over. Commits as it goes."""
        reconciliation.fetch(self.browse())

    def action_view_messages(self):
        """Open the messages of the day, those whose outcome is unknown included."""
        self.ensure_one()
        self.check_access("read")
        if not self.exists():
            raise MissingError(self.env._("There is no such record."))
        start, end = reconciliation.get_window(self.day)
        unknown = Domain(
            [
                ("account_id", "=", self.account_id.id),
                ("mode", "=", "live"),
                ("state", "=", "unknown"),
                ("claimed_at", ">=", start),
                ("claimed_at", "<", end),
            ]
        )
        counted = Domain(reconciliation.get_domain(self.account_id, self.day))
        return windows.open_action(
            self.env,
            "sms_devino_message_action",
            name=self.display_name,
            domain=list(counted | unknown),
            context={"search_default_group_state": 1},
        )
