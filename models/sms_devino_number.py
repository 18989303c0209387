from odoo import fields, models

from ..services import numbers
from ..services.message_states import MODES


class SmsDevinoNumber(models.Model):
    """What a company has learned of a number by sending to it."""

    _name = "sms.devino.number"
    _description = "SMS Number"
    _order = "id desc"
    _rec_name = "number"
    # Written by the page; nobody asks by whom.
    _log_access = False

    number = fields.Char(required=True, readonly=True)
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    mode = fields.Selection(MODES, required=True, readonly=True)
    accepted_at = fields.Datetime(
        string="Accepted at",
        readonly=True,
        help="When the provider last took an SMS to it, to the day.",
    )
    dead_at = fields.Datetime(
        string="Took no SMS at",
        readonly=True,
        help="When the provider last refused the number, or reported that it does not "
        "exist. Empty again once it takes an SMS.",
    )
    rejected_count = fields.Integer(
        string="Rejected in a row",
        readonly=True,
        default=0,
        aggregator=None,
        help="So many SMS were rejected, by report, since one was delivered.",
    )
    rejected_at = fields.Datetime(string="Rejected at", readonly=True)
    note = fields.Char(string="What is known", compute="_compute_note")

    _number_uniq = models.UniqueIndex("(company_id, mode, number)")
    _rejected_idx = models.Index("(company_id, mode) WHERE rejected_count > 0")

    def _compute_note(self):
        for record in self:
            record.note = numbers.describe(record)
