from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ...services import refusal, retention, windows
from ...services.message_states import MODES


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    sms_devino_provider = fields.Selection(
        selection="_get_sms_devino_providers",
        string="SMS are sent by",
        compute="_compute_sms_devino_provider",
        store=False,
        readonly=False,
    )
    sms_devino_account_id = fields.Many2one(
        related="company_id.sms_devino_account_id", readonly=False
    )
    sms_devino_members_only = fields.Boolean(
        related="company_id.sms_devino_members_only", readonly=False
    )
    sms_devino_user_limit = fields.Integer(
        related="company_id.sms_devino_user_limit", readonly=False
    )
    sms_devino_show_steps = fields.Boolean(
        related="company_id.sms_devino_show_steps", readonly=False
    )
    sms_devino_stop_words = fields.Char(
        related="company_id.sms_devino_stop_words", readonly=False
    )
    sms_devino_start_words = fields.Char(
        related="company_id.sms_devino_start_words", readonly=False
    )
    sms_devino_stop_all = fields.Boolean(
        related="company_id.sms_devino_stop_all", readonly=False
    )
    sms_devino_stop_answer = fields.Char(
        related="company_id.sms_devino_stop_answer", readonly=False
    )
    sms_devino_approval_count = fields.Integer(
        related="company_id.sms_devino_approval_count", readonly=False
    )
    sms_devino_approval_cost = fields.Float(
        related="company_id.sms_devino_approval_cost", readonly=False
    )
    sms_devino_approver_ids = fields.Many2many(
        related="company_id.sms_devino_approver_ids", readonly=False
    )
    sms_devino_control_numbers = fields.Char(
        related="company_id.sms_devino_control_numbers", readonly=False
    )
    sms_devino_spending_emails = fields.Char(
        related="company_id.sms_devino_spending_emails", readonly=False
    )
    sms_devino_cap_advertising = fields.Boolean(
        related="company_id.sms_devino_cap_advertising", readonly=False
    )
    sms_devino_cap_advertising_day = fields.Integer(
        related="company_id.sms_devino_cap_advertising_day", readonly=False
    )
    sms_devino_cap_advertising_week = fields.Integer(
        related="company_id.sms_devino_cap_advertising_week", readonly=False
    )
    sms_devino_cap_advertising_month = fields.Integer(
        related="company_id.sms_devino_cap_advertising_month", readonly=False
    )
    sms_devino_cap_debt = fields.Boolean(
        related="company_id.sms_devino_cap_debt", readonly=False
    )
    sms_devino_cap_debt_day = fields.Integer(
        related="company_id.sms_devino_cap_debt_day", readonly=False
    )
    sms_devino_cap_debt_week = fields.Integer(
        related="company_id.sms_devino_cap_debt_week", readonly=False
    )
    sms_devino_cap_debt_month = fields.Integer(
        related="company_id.sms_devino_cap_debt_month", readonly=False
    )
    sms_devino_ad_line = fields.Char(
        related="company_id.sms_devino_ad_line", readonly=False
    )
    sms_devino_ad_line_hint = fields.Char(
        string="Example of a line", compute="_compute_sms_devino_ad_line_hint"
    )
    sms_devino_consent_required = fields.Boolean(
        related="company_id.sms_devino_consent_required", readonly=False
    )
    sms_devino_keep_months = fields.Integer(
        related="company_id.sms_devino_keep_months", readonly=False
    )
    sms_devino_balance = fields.Char(
        string="SMS balance", compute="_compute_sms_devino_balance"
    )
    sms_devino_balance_at = fields.Datetime(
        string="SMS balance asked at", compute="_compute_sms_devino_balance"
    )
    sms_devino_mode = fields.Selection(
        MODES,
        string="Mode of the SMS account",
        compute="_compute_sms_devino_balance",
    )

    @api.depends("sms_devino_account_id")
    def _compute_sms_devino_balance(self):
        """Show the account to people who may read it: a request may bring any id."""
        for settings in self:
            account = settings.sms_devino_account_id._filtered_access("read")
            settings.sms_devino_balance_at = account.balance_at
            settings.sms_devino_mode = account.mode
            settings.sms_devino_balance = (
                account._format_amount(account.balance) if account.balance_at else False
            )

    @api.depends("company_id", "sms_devino_ad_line")
    def _compute_sms_devino_ad_line_hint(self):
        for settings in self:
            settings.sms_devino_ad_line_hint = refusal.describe_line(
                settings.company_id, settings.sms_devino_ad_line
            )

    # --- who sends ------------------------------------------------------------------

    @api.model
    def _get_sms_devino_providers(self):
        """Return the providers of Odoo and, where it is installed, of its Twilio module
        beside ours: one choice."""
        others = [("iap", self.env._("Odoo"))]
        if field := self.env["res.company"]._fields.get("sms_provider"):
            others = field._description_selection(self.env)
        return [*others, ("devino", self.env._("Devino Telecom"))]

    @api.depends("company_id", "sms_devino_account_id")
    def _compute_sms_devino_provider(self):
        for settings in self:
            other = "sms_provider" in settings and settings.sms_provider
            account = settings.sms_devino_account_id
            settings.sms_devino_provider = "devino" if account else other or "iap"

    @api.onchange("sms_devino_provider")
    def _onchange_sms_devino_provider(self):
        """Offer the account that comes first; show what belongs to another provider."""
        if self.sms_devino_provider != "devino":
            if "sms_provider" in self:
                # first: without an account the choice is computed from it
                self.sms_provider = self.sms_devino_provider
            self.sms_devino_account_id = False
        elif not self.sms_devino_account_id:
            accounts = self.env["sms.devino.account"]
            self.sms_devino_account_id = accounts._get_default(self.company_id)

    @api.model_create_multi
    def create(self, vals_list):
        """Keep another provider that was chosen instead of the account.

        Not by an inverse: other fields of the form reset the choice before that.
        """
        settings = super().create(vals_list)
        for one, vals in zip(settings, vals_list, strict=True):
            if vals.get("sms_devino_provider", "devino") != "devino":
                one._sms_devino_keep_provider(vals["sms_devino_provider"])
        return settings

    def _sms_devino_keep_provider(self, chosen):
        values = {"sms_devino_account_id": False}
        if "sms_provider" in self.company_id:
            values |= {"sms_devino_former_provider": False, "sms_provider": chosen}
        self.company_id.write(values)

    @api.onchange("sms_devino_keep_months")
    def _onchange_sms_devino_keep_months(self):
        """Say how many messages that would make anonymous, before it is saved."""
        company, months = self.company_id, self.sms_devino_keep_months
        is_other = company not in self.env.companies
        if is_other or months == company.sms_devino_keep_months:
            return None
        limit = retention.find_limit(company.sudo(), months)
        number = retention.count(company.sudo(), limit) if limit else 0
        if not number:
            return None
        text = self.env._("%s messages. What is in the queue is not touched.", number)
        title = self.env._("Messages to make anonymous")
        return {"warning": {"type": "notification", "title": title, "message": text}}

    # --- the account ----------------------------------------------------------------

    def action_sms_devino_check_connection(self):
        """Ask the provider whether the account works, and for its balance."""
        self.check_access("write")
        self.ensure_one()
        if self.company_id not in self.env.companies:
            raise AccessError(self.env._("The settings are those of another company."))
        account = self.company_id.sudo().sms_devino_account_id
        if not account:
            raise UserError(self.env._("Choose and save an SMS account first."))
        return account._check_connection()

    def action_sms_devino_accounts(self):
        """Open the accounts, where login and password are kept."""
        self.env["sms.devino.account"].check_access("write")
        return windows.open_action(self.env, "sms_devino_account_action")

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """Hide the choice of Odoo's Twilio module: ours contains it."""
        arch, view = super()._get_view(view_id, view_type, **options)
        for field in arch.xpath("//setting[@id='sms']/field[@name='sms_provider']"):
            field.set("invisible", "1")
        return arch, view
