from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.operator_patterns import Pattern


class SmsDevinoOperatorTemplate(models.Model):
    """A text that is registered at mobile operators as service traffic."""

    _name = "sms.devino.operator.template"
    _description = "Operator Template"
    _inherit = ["sms.devino.guarded"]
    _order = "sender_id, id"
    _rec_name = "pattern"

    sender_id = fields.Many2one(
        "sms.devino.sender",
        string="Sender name",
        required=True,
        index=True,
        ondelete="cascade",
    )
    account_id = fields.Many2one(related="sender_id.account_id", store=True, index=True)
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    pattern = fields.Text(
        required=True,
        help="The text as it was registered. %d is a number, %w is a word; %w+ is one "
        "or more words, %w{1,4} one to four of them. Everything else must be the same "
        "in a message, upper and lower case included.",
    )
    operators = fields.Char(
        help="The operators that have registered it, with commas between them, as the "
        "number ranges name them. Empty: all.",
    )
    state = fields.Selection(
        [
            ("submitted", "Submitted"),
            ("registered", "Registered"),
            ("refused", "Refused"),
        ],
        required=True,
        default="registered",
        help="Only registered templates count.",
    )
    valid_until = fields.Date(
        help="The last day of the registration; after it no text matches. Empty: no "
        "end."
    )
    active = fields.Boolean(default=True)

    @api.constrains("pattern")
    def _check_pattern(self):
        for template in self:
            if not (template.pattern or "").strip():
                raise ValidationError(
                    self.env._("Pattern: enter the text as it was registered.")
                )
            try:
                Pattern(template.pattern)
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "Pattern: “%(gap)s” cannot be read. Write for example %(one)s "
                        "or %(several)s; the first number is at least 1, the second "
                        "not below it and at most 100.",
                        gap=error,
                        one="%w",
                        several="%w{1,4}",
                    )
                ) from None

    @api.constrains("operators")
    def _check_operators(self):
        """Refuse an operator that the number ranges do not name, once there are any."""
        known = {name.casefold() for name in self._list_operators()}
        for template in self:
            for name in (template.operators or "").split(","):
                if known and name.strip() and name.strip().casefold() not in known:
                    raise ValidationError(
                        self.env._(
                            "Operators: no number range belongs to “%(name)s”. The "
                            "names are those of the number ranges, with commas between "
                            "them.",
                            name=name.strip(),
                        )
                    )

    def _list_operators(self):
        return filter(None, self.env["sms.devino.range"].sudo()._get_operators())
