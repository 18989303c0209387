from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError

from ...services import ad_line, control_numbers, spending
from ...tools.stop_words import START_WORDS, STOP_WORDS
from .sms_api import SmsApiDevino

# What decides who gets advertising, and its text.
ADVERTISING_RULES = {
    "sms_devino_ad_line",
    "sms_devino_consent_required",
    "sms_devino_stop_all",
}


class ResCompany(models.Model):
    _inherit = "res.company"
    _check_company_auto = True

    sms_devino_account_id = fields.Many2one(
        "sms.devino.account",
        string="Account for the SMS that Odoo sends",
        domain="[('company_id', 'parent_of', id)]",
        check_company=True,
        ondelete="restrict",
        help="All SMS that Odoo sends for this company go through this account. It "
        "belongs to the company or to a parent company. Empty: they go through Odoo's "
        "own service or another provider.",
    )
    sms_devino_members_only = fields.Boolean(
        string="Only members of SMS / User may send",
        default=True,
        help="Nobody else sees the buttons that send SMS. Automatic SMS are sent as "
        "before.",
    )
    sms_devino_user_limit = fields.Integer(
        string="Recipients that a user may reach at once",
        default=10,
        help="Only members of SMS / Manager may reach more. When they select more "
        "contacts than this, the draft of a mass sending opens.",
    )
    sms_devino_show_steps = fields.Boolean(string="Show the first steps", default=True)
    sms_devino_stop_words = fields.Char(
        string="Stop words",
        default=STOP_WORDS,
        help="An incoming SMS that is one of these words, and nothing else, puts its "
        "number on the blacklist. Case, spaces and punctuation do not matter.",
    )
    sms_devino_start_words = fields.Char(
        string="Start words",
        default=START_WORDS,
        help="An incoming SMS that is one of these words takes its number off the "
        "blacklist.",
    )
    sms_devino_stop_all = fields.Boolean(
        string="A refusal also stops service messages and reminders of debt",
        help="Otherwise it ends advertising only: what waits of other messages to the "
        "number is still sent.",
    )
    sms_devino_stop_answer = fields.Char(
        string="Answer to a refusal",
        help="This text confirms a refusal by an SMS. Empty: no answer.",
    )
    sms_devino_approval_count = fields.Integer(
        string="Mass sendings to more recipients need approval",
        help="A second person has to approve them. 0: no approval.",
    )
    sms_devino_approval_cost = fields.Float(
        string="Mass sendings that cost more need approval",
        digits=(12, 2),
        help="In the currency of the account. 0: no approval.",
    )
    sms_devino_approver_ids = fields.Many2many(
        "res.users",
        "sms_devino_approver_rel",
        string="Approved by",
        domain=lambda self: [
            ("all_group_ids", "in", self.env.ref("sms_devino.group_manager").id)
        ],
        help="Members of SMS / Manager, at least two: nobody approves what he or she "
        "has prepared.",
    )
    sms_devino_control_numbers = fields.Char(
        string="Control numbers",
        help="Every mass sending is also sent, and paid for, to these numbers of your "
        "own, with the text of its first recipient. Separate several by commas.",
    )
    sms_devino_spending_emails = fields.Char(
        string="Mail the spending of last month to",
        help="E-mail addresses, separated by commas. They get it on the 1st of each "
        "month.",
    )
    sms_devino_cap_advertising = fields.Boolean(
        string="Limit advertising to one number",
        help="Over all mass sendings, rules and apps. Service messages have no limit.",
    )
    sms_devino_cap_advertising_day = fields.Integer(
        string="Advertising a day", default=1, required=True
    )
    sms_devino_cap_advertising_week = fields.Integer(
        string="Advertising a week", default=2, required=True
    )
    sms_devino_cap_advertising_month = fields.Integer(
        string="Advertising a month", default=4, required=True
    )
    sms_devino_cap_debt = fields.Boolean(
        string="Limit reminders of debt to one number",
        default=True,
        help="Over all mass sendings, rules and apps. It holds for persons: not for "
        "contacts that are companies, nor for a company's number at one of its people. "
        "A number without a contact counts as a person's.",
    )
    sms_devino_cap_debt_day = fields.Integer(
        string="Reminders of debt a day", default=2, required=True
    )
    sms_devino_cap_debt_week = fields.Integer(
        string="Reminders of debt a week", default=4, required=True
    )
    sms_devino_cap_debt_month = fields.Integer(
        string="Reminders of debt a month", default=16, required=True
    )
    sms_devino_ad_line = fields.Char(
        string="Line added to advertising",
        help="It ends every advertising text and counts in its cost: the name of your "
        "company, and how to refuse. {{ unsubscribe }} becomes a link by which the "
        "recipient refuses; each text is then another one, and goes in a call of its "
        "own. Empty: nothing is added.",
    )
    sms_devino_consent_required = fields.Boolean(
        string="Advertising only with consent",
        help="Mass sendings and rules of advertising leave out numbers without a "
        "consent; a single SMS of advertising to one is refused. The Russian law on "
        "advertising (38-FZ, article 18) asks for consent beforehand, and the sender "
        "has to prove it. The fine is 300 thousand to 1 million roubles for companies, "
        "20 to 100 thousand for officials. This is no legal advice.",
    )
    sms_devino_keep_months = fields.Integer(
        string="Months after which messages are made anonymous",
        help="Number, name, data and text of older messages are erased for good; "
        "states, counts and money stay. 0: never.",
    )
    # restored when the account is taken away
    sms_devino_former_provider = fields.Char(
        string="SMS provider before", readonly=True, copy=False
    )

    _sms_devino_caps_positive = models.Constraint(
        "CHECK (sms_devino_cap_advertising_day > 0 "
        "AND sms_devino_cap_advertising_week > 0 "
        "AND sms_devino_cap_advertising_month > 0 AND sms_devino_cap_debt_day > 0 "
        "AND sms_devino_cap_debt_week > 0 AND sms_devino_cap_debt_month > 0)",
        "A limit of zero would hold back every message. Enter at least one, or switch "
        "the limit off.",
    )
    _sms_devino_user_limit_positive = models.Constraint(
        "CHECK (sms_devino_user_limit > 0)",
        "A user must be able to reach at least one recipient.",
    )
    _sms_devino_approval_not_negative = models.Constraint(
        "CHECK (sms_devino_approval_count >= 0 AND sms_devino_approval_cost >= 0)",
        "What needs approval cannot be negative. Enter 0 for no approval.",
    )

    @api.constrains(
        "sms_devino_approval_count",
        "sms_devino_approval_cost",
        "sms_devino_approver_ids",
    )
    def _check_sms_devino_approvers(self):
        """Without a second person a large mass sending could never leave."""
        for company in self.sudo():
            if not company.sms_devino_approval_count and (
                not company.sms_devino_approval_cost
            ):
                continue
            able = company.sms_devino_approver_ids.filtered(
                lambda user, company=company: user.active
                and company in user.company_ids
                and user.has_group("sms_devino.group_manager")
            )
            if len(able) < 2:
                raise ValidationError(
                    self.env._(
                        "Approved by: choose at least two members of SMS / Manager of "
                        "%s.",
                        company.name,
                    )
                )

    @api.constrains("sms_devino_control_numbers")
    def _check_sms_devino_control_numbers(self):
        for company in self:
            control_numbers.check(company.sudo())

    @api.constrains("sms_devino_spending_emails")
    def _check_sms_devino_spending_emails(self):
        for company in self:
            spending.check_addresses(company)

    _sms_devino_keep_months_not_negative = models.Constraint(
        "CHECK (sms_devino_keep_months >= 0)",
        "Months after which messages are made anonymous: enter 0 (never) or more.",
    )

    @api.constrains("sms_devino_ad_line")
    def _check_sms_devino_ad_line(self):
        for company in self:
            ad_line.check(company)

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        companies._sms_devino_set_provider_aside()
        self.env.registry.clear_cache()
        return companies

    def write(self, vals):
        """Clear the cached answer to who sends through an account."""
        result = super().write(vals)
        if {"sms_devino_account_id", "sms_provider"} & vals.keys():
            self._sms_devino_set_provider_aside()
        if ADVERTISING_RULES & vals.keys():
            self._sms_devino_outdate_drafts()
        if {"sms_devino_account_id", "sms_devino_members_only"} & vals.keys():
            self.env.registry.clear_cache()
        return result

    @api.model
    @tools.ormcache()
    def _sms_devino_in_use(self):
        """Tell whether any company sends Odoo's SMS through an account."""
        return bool(
            self.sudo()
            .with_context(active_test=False)
            .search_count([("sms_devino_account_id", "!=", False)], limit=1)
        )

    def _get_sms_api_class(self):
        self.ensure_one()
        if self.sudo().sms_devino_account_id:
            return SmsApiDevino
        return super()._get_sms_api_class()

    def _sms_devino_outdate_drafts(self):
        """Mark the figures of drafts as out of date: who gets what has changed."""
        drafts = self.env["sms.devino.batch"].sudo()
        of_companies = [
            ("company_id", "in", self.ids),
            ("state", "in", ("draft", "to_approve")),
        ]
        for draft in drafts.search(of_companies):
            draft.revision += 1

    def _sms_devino_set_provider_aside(self):
        """Give the account precedence over the provider of another module.

        ``sms_provider`` is a field of Odoo's Twilio module, which may not be installed,
        or be loaded before or after this one. While an account is chosen, it is set to
        Odoo's own service, so that :meth:`_get_sms_api_class` decides in either order.
        """
        if "sms_provider" not in self._fields:
            return
        for company in self.sudo():
            provider, former = company.sms_provider, company.sms_devino_former_provider
            if company.sms_devino_account_id and provider not in (False, "iap"):
                company.write(
                    {"sms_devino_former_provider": provider, "sms_provider": "iap"}
                )
            elif not company.sms_devino_account_id and former:
                company.write(
                    {"sms_devino_former_provider": False, "sms_provider": former}
                )
