from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    sms_devino_account_id = fields.Many2one(
        related="company_id.sms_devino_account_id", readonly=False
    )
    sms_devino_members_only = fields.Boolean(
        related="company_id.sms_devino_members_only", readonly=False
    )
    sms_devino_user_limit = fields.Integer(
        related="company_id.sms_devino_user_limit", readonly=False
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
    sms_devino_balance = fields.Char(
        string="SMS balance", compute="_compute_sms_devino_balance", compute_sudo=True
    )
    sms_devino_balance_at = fields.Datetime(
        string="SMS balance asked at", related="sms_devino_account_id.balance_at"
    )
    sms_devino_mode = fields.Selection(
        string="Mode of the SMS account", related="sms_devino_account_id.mode"
    )

    @api.depends("sms_devino_account_id")
    def _compute_sms_devino_balance(self):
        for settings in self:
            account = settings.sms_devino_account_id
            settings.sms_devino_balance = (
                account._format_balance() if account.balance_at else False
            )

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
        return self.env["ir.actions.act_window"]._for_xml_id(
            "sms_devino.sms_devino_account_action"
        )

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """Hide the choice of another provider's module while an account is chosen."""
        arch, view = super()._get_view(view_id, view_type, **options)
        for field in arch.xpath("//setting[@id='sms']/field[@name='sms_provider']"):
            field.set("invisible", "sms_devino_account_id")
        return arch, view
