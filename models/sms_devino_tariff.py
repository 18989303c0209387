from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..services import learned_prices
from ..services.pricing import KINDS


class SmsDevinoTariff(models.Model):
    """What a segment costs. What is empty holds for all; of several tariffs that fit,
    ``tools.prices.Prices`` says which one counts."""

    _name = "sms.devino.tariff"
    _description = "SMS Tariff"
    _inherit = ["sms.devino.guarded"]
    _order = "account_id, is_proposed desc, prefix, operator, kind, date_from, id"

    name = fields.Char(
        string="Destination", help="Whose numbers these are, for example an operator's."
    )
    active = fields.Boolean(default=True)
    prefix = fields.Char(
        string="Number begins with",
        help="The first digits of the number, with the country code and without the "
        "plus, such as 7 or 7921. If several fit a number, the longest counts.",
    )
    operator = fields.Char(
        help="The mobile operator, written as in Number Ranges. Such a tariff counts "
        "before all without an operator."
    )
    kind = fields.Selection(
        KINDS,
        string="Kind of traffic",
        help="Advertising traffic: messages with the purpose Advertising, and texts "
        "that match no operator template of their sender name. Service traffic: all "
        "others. Empty: any.",
    )
    sender_id = fields.Many2one(
        "sms.devino.sender",
        string="Sender name",
        domain="[('account_id', '=', account_id)]",
        ondelete="cascade",
        index="btree_not_null",
        help="Only messages from this name. Empty: from any.",
    )
    date_from = fields.Date(string="First day", help="Empty: there is no first day.")
    date_to = fields.Date(
        string="Last day", help="Empty: the price holds until it is changed."
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
    is_proposed = fields.Boolean(
        string="Proposed",
        readonly=True,
        required=True,
        default=False,
        copy=False,
        help="Learned from what the provider has charged. It prices nothing until it "
        "is taken over.",
    )
    sample_count = fields.Integer(
        string="Learned from",
        readonly=True,
        copy=False,
        aggregator=None,
        help="How many messages were charged this price when it was learned.",
    )
    sample_date = fields.Date(
        string="Last charged",
        readonly=True,
        copy=False,
        help="When the provider last charged this price.",
    )

    _key_uniq = models.UniqueIndex(
        """(account_id, COALESCE(is_proposed, FALSE), COALESCE(prefix, ''),
            COALESCE(operator, ''), COALESCE(kind, ''), COALESCE(sender_id, 0),
            COALESCE(date_from, '0001-01-01'::date))""",
        "This account already has a tariff, maybe an archived one, for the same "
        "numbers, operator, kind, sender name and first day.",
    )
    _holds_for_something = models.Constraint(
        """CHECK (prefix IS NOT NULL OR operator IS NOT NULL OR kind IS NOT NULL
                  OR sender_id IS NOT NULL)""",
        "Say for which messages the price holds: by the beginning of the number, the "
        "operator, the kind of traffic or the sender name.",
    )
    _days_in_order = models.Constraint(
        "CHECK (date_from <= date_to)", "The last day is before the first one."
    )
    _price_not_negative = models.Constraint(
        "CHECK (price >= 0 AND price < 1e9)",
        "A price cannot be negative, nor a billion.",
    )

    def _default_account_id(self):
        return self.env["sms.devino.account"]._get_default().sudo(False)

    @api.depends("name", "prefix", "operator")
    def _compute_display_name(self):
        for tariff in self:
            prefix = tariff.prefix and f"+{tariff.prefix}"
            parts = filter(None, [prefix, tariff.operator, tariff.name])
            tariff.display_name = " ".join(parts) or self.env._("Any number")

    @api.model_create_multi
    def create(self, vals_list):
        """Take texts as people and spreadsheets write them."""
        return super().create([self._clean(vals) for vals in vals_list])

    def write(self, vals):
        """Take texts as people and spreadsheets write them."""
        return super().write(self._clean(vals))

    @api.model
    def _clean(self, vals):
        vals = dict(vals)
        if isinstance(vals.get("prefix"), str):
            unwritten = str.maketrans("", "", "+ ()-\u00a0")
            # a plus alone is a mistake, not "any number"
            digits = vals["prefix"].translate(unwritten)
            vals["prefix"] = digits or vals["prefix"].strip() or False
        if isinstance(vals.get("operator"), str):
            vals["operator"] = " ".join(vals["operator"].split()) or False
        return vals

    @api.constrains("prefix")
    def _check_prefix(self):
        for tariff in self.filtered("prefix"):
            prefix = tariff.prefix
            if not (prefix.isascii() and prefix.isdigit() and len(prefix) <= 15):
                raise ValidationError(
                    self.env._(
                        "Number begins with: “%(prefix)s” is not the beginning of a "
                        "number. Write its first digits, such as 7921.",
                        prefix=prefix,
                    )
                )

    @api.constrains("operator")
    def _check_operator(self):
        """A name that no range has would never price a message."""
        named = self.filtered("operator")
        known = named and self.env["sms.devino.range"]._get_operators()
        for tariff in named:
            if tariff.operator not in known:
                raise ValidationError(
                    self.env._(
                        "Operator: no number range belongs to “%(operator)s”. Load the "
                        "ranges in SMS > Configuration > Number Ranges, and write the "
                        "name as it is there.",
                        operator=tariff.operator,
                    )
                )

    @api.constrains("sender_id", "account_id")
    def _check_sender(self):
        for tariff in self:
            sender = tariff.sender_id
            if sender and sender.account_id != tariff.account_id:
                raise ValidationError(
                    self.env._(
                        "Sender name: “%(sender)s” belongs to another account.",
                        sender=sender.name,
                    )
                )

    def action_take_over(self):
        """Let proposed tariffs price messages from now on.

        :raise AccessError: without the right to write tariffs
        """
        self.check_access("write")
        learned_prices.take_over(self)
        return {"type": "ir.actions.client", "tag": "soft_reload"}
