from odoo import api, fields, models

from ..services.words import label_of


class SmsDevinoLimit(models.Model):
    """How much people may send in a period."""

    _name = "sms.devino.limit"
    _description = "SMS Limit"
    _inherit = ["sms.devino.guarded"]
    _order = "company_id, scope desc, period"

    company_id = fields.Many2one(
        "res.company",
        required=True,
        ondelete="cascade",
        default=lambda self: self.env.company,
    )
    scope = fields.Selection(
        [("user", "Each user"), ("company", "The whole company")],
        string="Who",
        required=True,
        default="user",
    )
    period = fields.Selection(
        [("day", "In a day"), ("month", "In a month")],
        required=True,
        default="day",
        help="By the calendar, in the time zone of the company.",
    )
    message_count = fields.Integer(
        string="Messages", default=0, aggregator=None, help="0: no limit."
    )
    cost = fields.Float(
        string="Money",
        digits=(12, 2),
        default=0,
        aggregator=None,
        help="Estimated cost, in the currency of the account. 0: no limit.",
    )

    _scope_uniq = models.Constraint(
        "unique(company_id, scope, period)",
        "There is a limit of this kind already. Change that one.",
    )
    _some_limit = models.Constraint(
        "CHECK (message_count >= 0 AND cost >= 0 AND message_count + cost > 0)",
        "Enter how many messages, or how much money, may be spent.",
    )

    @api.depends("scope", "period")
    def _compute_display_name(self):
        for limit in self:
            limit.display_name = ", ".join(
                filter(None, (label_of(limit, name) for name in ("scope", "period")))
            )
