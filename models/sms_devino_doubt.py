from odoo import api, fields, models

from ..services import doubt
from ..services.message_states import MODES
from ..services.words import format_moment


class SmsDevinoDoubt(models.Model):
    """A call whose outcome is unknown: the provider may have accepted its messages.

    It keeps what speaks for either side. The messages of the call are those of the
    account that were claimed at its time, to the microsecond.
    """

    _name = "sms.devino.doubt"
    _description = "SMS Call with Unknown Outcome"
    _order = "claimed_at desc, id desc"

    account_id = fields.Many2one(
        "sms.devino.account",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    mode = fields.Selection(MODES, required=True, readonly=True)
    claimed_at = fields.Datetime(
        string="Time of the call", required=True, readonly=True
    )
    message_count = fields.Integer(string="Messages in the call", readonly=True)
    cost_estimated = fields.Float(
        string="Price of the call", digits=(12, 4), readonly=True
    )
    is_open = fields.Boolean(string="To decide", readonly=True, default=True)
    balance_before = fields.Float(digits=(16, 4), readonly=True)
    balance_before_at = fields.Datetime(readonly=True)
    balance_after = fields.Float(digits=(16, 4), readonly=True)
    balance_after_at = fields.Datetime(readonly=True)
    other_calls = fields.Boolean(
        string="Other calls meanwhile",
        readonly=True,
        help="Other messages were accepted, or being sent, between the two balances: "
        "what the balance says proves nothing.",
    )
    provider_count = fields.Integer(
        string="SMS by the provider's statistics", readonly=True
    )
    own_count = fields.Integer(string="SMS accepted by the journal", readonly=True)
    evidence = fields.Html(compute="_compute_evidence", sanitize=False)

    _call_uniq = models.UniqueIndex("(account_id, claimed_at)")
    _open_idx = models.Index("(account_id) WHERE is_open")

    @api.depends("claimed_at")
    def _compute_display_name(self):
        for record in self:
            at = format_moment(self.env, record.claimed_at)
            record.display_name = self.env._("Call of %s", at)

    def _compute_evidence(self):
        render = self.env["ir.qweb"]._render
        for record in self:
            lines = doubt.describe_evidence(record._origin) if record._origin else []
            record.evidence = bool(lines) and render(
                "sms_devino.doubt_evidence", {"lines": lines}
            )

    def _get_messages(self, domain=()):
        """Return the messages of the call, as the user may read them."""
        self.ensure_one()
        of_call = [
            ("account_id", "=", self.account_id.id),
            # to the second, as the ORM compares
            ("claimed_at", "=", self.claimed_at),
        ]
        found = self.env["sms.devino.message"].search([*of_call, *domain])
        return found.filtered(lambda message: message.claimed_at == self.claimed_at)

    def _get_unknown(self):
        return self._get_messages([("state", "=", "unknown")])

    # --- what a person decides ------------------------------------------------------

    def action_settle_sent(self):
        """Note that the provider accepted the call."""
        return self._get_unknown_of_all().action_settle_sent()

    def action_settle_not_sent(self):
        """Note that the provider did not accept the call."""
        return self._get_unknown_of_all().action_settle_not_sent()

    def action_send_again(self):
        """Send the messages of the call again, whatever became of them."""
        return self._get_unknown_of_all().action_send_again()

    def _get_unknown_of_all(self):
        self.check_access("read")
        messages = self.env["sms.devino.message"]
        return messages.concat(*(record._get_unknown() for record in self))

    def action_view_messages(self):
        """Show the messages of the call."""
        self.ensure_one()
        self.check_access("read")
        action = self._get_messages()._get_records_action()
        return action | {"name": self.env._("Messages of the call")}

    # --- evidence -------------------------------------------------------------------

    @api.model
    def _cron_settle(self):
        """Gather what speaks for either side, and settle what is proven. Commits."""
        doubt.settle_by_evidence(self.browse())
