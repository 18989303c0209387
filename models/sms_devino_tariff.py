from odoo import api, fields, models
from odoo.exceptions import ValidationError


class SmsDevinoTariff(models.Model):
    _name = "sms.devino.tariff"
    _description = "SMS Tariff"
    _inherit = ["sms.devino.guarded"]
    _order = "account_id, prefix"

    name = fields.Char(
        string="Destination", help="Whose numbers these are, for example an operator's."
    )
    active = fields.Boolean(default=True)
    prefix = fields.Char(
        string="Number begins with",
        required=True,
        help="The first digits of the number, with the country code and without the "
        "plus, such as 7 or 7921. If several fit a number, the longest counts.",
    )
    price = fields.Float(
        string="Price of one SMS",
        digits=(12, 4),
        required=True,
        help="What one segment to such a number costs.",
    )
    account_id = fields.Many2one(
        "sms.devino.account",
        required=True,
        index=True,
        ondelete="cascade",
        default=lambda self: self._default_account_id(),
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    currency_id = fields.Many2one(related="account_id.currency_id")

    _prefix_uniq = models.Constraint(
        "unique(account_id, prefix)",
        "This account already has a tariff for these digits.",
    )
    _price_not_negative = models.Constraint(
        "CHECK (price >= 0 AND price < 1e9)",
        "A price cannot be negative, nor a billion.",
    )

    def _default_account_id(self):
        return self.env["sms.devino.account"]._get_default().sudo(False)

    @api.depends("name", "prefix")
    def _compute_display_name(self):
        for tariff in self:
            prefix = f"+{tariff.prefix or ''}"
            tariff.display_name = " ".join(filter(None, [prefix, tariff.name]))

    @api.model_create_multi
    def create(self, vals_list):
        """Take the prefix as people and spreadsheets write it."""
        return super().create([self._clean_prefix(vals) for vals in vals_list])

    def write(self, vals):
        """Take the prefix as people and spreadsheets write it."""
        return super().write(self._clean_prefix(vals))

    @api.model
    def _clean_prefix(self, vals):
        if not vals.get("prefix"):
            return vals
        digits = vals["prefix"].translate(str.maketrans("", "", "+ ()-\u00a0"))
        return {**vals, "prefix": digits}

    @api.constrains("prefix")
    def _check_prefix(self):
        for tariff in self:
            prefix = tariff.prefix
            if not (prefix.isascii() and prefix.isdigit() and len(prefix) <= 15):
                raise ValidationError(
                    self.env._(
                        "Number begins with: “%(prefix)s” is not the beginning of a "
                        "number. Write its first digits, such as 7921.",
                        prefix=prefix,
                    )
                )
