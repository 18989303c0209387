from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import float_compare

from ..models.sms_devino_account_money import DIGITS


class SmsDevinoPreparation(models.AbstractModel):
    """What every form that prepares a sending asks and shows: account, sender, time,
    and what the account will have left."""

    _name = "sms.devino.preparation"
    _description = "SMS Preparation"

    account_id = fields.Many2one(
        "sms.devino.account",
        required=True,
        default=lambda self: self._default_account_id(),
        domain="[('company_id', 'in', allowed_company_ids)]",
        help="The account at the provider that pays.",
    )
    account_count = fields.Integer(compute="_compute_account_count")
    mode = fields.Selection(related="account_id.mode")
    sender_id = fields.Many2one(
        "sms.devino.sender",
        compute="_compute_sender_id",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
        domain="[('account_id', '=', account_id), ('state', '!=', 'refused')]",
        help="The name that the recipient sees.",
    )
    when = fields.Selection(
        [("now", "Send now"), ("later", "Send at")], required=True, default="now"
    )
    planned_at = fields.Datetime(
        string="Date and time",
        help="In your time zone. Odoo holds the message till then.",
    )
    validity = fields.Integer(
        string="Lifetime (minutes)",
        compute="_compute_validity",
        store=True,
        precompute=True,
        readonly=False,
        help="After so many minutes nobody tries to deliver any more. 0: as the "
        "provider has it.",
    )
    cost_amount = fields.Float(digits=(12, 4), readonly=True)
    cost = fields.Char(compute="_compute_money")
    balance = fields.Char(compute="_compute_money")
    balance_at = fields.Datetime(related="account_id.balance_at")
    reserved = fields.Char(string="Reserved by the queue", compute="_compute_money")
    balance_after = fields.Char(string="Balance after", compute="_compute_money")
    shortage = fields.Char(compute="_compute_money")
    is_refused = fields.Boolean(compute="_compute_money")

    # --- defaults and computes ------------------------------------------------------

    def _default_account_id(self):
        return self.env["sms.devino.account"]._get_default().sudo(False)

    def _compute_account_count(self):
        self.account_count = self.env["sms.devino.account"].search_count([])

    @api.depends("account_id")
    def _compute_sender_id(self):
        for wizard in self:
            if wizard.sender_id.account_id != wizard.account_id or not wizard.sender_id:
                account = wizard.account_id
                wizard.sender_id = bool(account) and account._get_default_sender()

    @api.depends("account_id")
    def _compute_validity(self):
        for wizard in self:
            wizard.validity = wizard.account_id.default_validity

    @api.depends("cost_amount", "account_id.balance", "account_id.reserved")
    def _compute_money(self):
        for wizard in self:
            account = wizard.account_id
            amount = account._format_amount if account else str
            known = bool(account.balance_at)
            bound = account.sudo()._get_bound() if account else 0.0
            after = account.balance - bound - wizard.cost_amount
            missing = known and float_compare(after, 0, precision_digits=DIGITS) < 0
            wizard.cost = bool(account) and amount(wizard.cost_amount)
            wizard.balance = known and amount(account.balance)
            wizard.reserved = bool(bound) and amount(bound)
            wizard.balance_after = known and amount(after)
            wizard.shortage = missing and amount(-after)
            wizard.is_refused = missing and account.insufficient_policy == "refuse"

    # --- what is checked before sending ---------------------------------------------

    def _check_planned_at(self):
        """Refuse a sending for later without a time, or for a time that has passed."""
        if self.when != "later":
            return
        if not self.planned_at:
            raise UserError(self.env._("Date and time: choose when to send."))
        if self.planned_at <= fields.Datetime.now():
            local = fields.Datetime.context_timestamp(self, self.planned_at)
            raise UserError(
                self.env._(
                    "Date and time: %(time)s has passed. Choose a later time, or Send "
                    "now.",
                    time=f"{local:%d.%m.%Y %H:%M}",
                )
            )

    def _notify_no_balance(self, following=None):
        """Return the notice that the balance could not be asked.

        :param dict following: the action that comes after it
        """
        account = self.account_id
        status = account.sudo().operation_status
        params = {
            "type": "danger",
            "title": self.env._("The balance could not be asked"),
            "message": account._operation_status_label(status),
        }
        if following:
            params["next"] = following
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": params,
        }
