from odoo import api, fields, models
from odoo.exceptions import UserError

from ...services import ad_line
from ...services import composer as composing
from ...services import composer_sending as sending
from ...services.account_words import describe_obstacle
from ...services.message_states import MODES, PURPOSES
from ...services.records import (
    check_ids,
    check_numbers,
    read_ids,
    read_input,
    storable,
)
from ...services.words import notify
from ..sms_devino_options import given_options

# A computed field that the user may change, computed with the user's rights.
EDITABLE = {
    "compute_sudo": False,
    "precompute": True,
    "store": True,
    "readonly": False,
}


class SmsComposer(models.TransientModel):
    """Odoo's form for an SMS, with an account: sender, time, cost, blacklist.

    Without an account, and opened from outside this addon, it is Odoo's own.
    """

    _name = "sms.composer"
    _inherit = ["sms.composer", "sms.devino.quote"]

    sms_devino_direct = fields.Boolean(
        string="Opened from the SMS app",
        readonly=True,
        help="Such a form uses the company's account even if Odoo's own SMS do not, "
        "never changes a contact's number, and shows what it has sent.",
    )
    sms_devino_account_id = fields.Many2one(
        "sms.devino.account",
        string="SMS account",
        compute="_compute_sms_devino_account_id",
        domain="[('company_id', 'parent_of', allowed_company_ids)]",
        help="The account at the provider that pays.",
        **EDITABLE,
    )
    sms_devino_may_choose = fields.Boolean(compute="_compute_sms_devino_account_facts")
    sms_devino_mode = fields.Selection(
        MODES,
        compute="_compute_sms_devino_account_facts",
    )
    sms_devino_notice = fields.Char(
        string="Why it cannot be sent", compute="_compute_sms_devino_account_facts"
    )
    sms_devino_repeat_id = fields.Many2one(
        "sms.devino.message", string="Sends again", readonly=True
    )
    sms_devino_partner_id = fields.Many2one(
        "res.partner", string="Contact", help="Takes the number from a contact."
    )
    sms_devino_number = fields.Char(
        string="Number",
        compute="_compute_sms_devino_number",
        help="For example 79214563763, +7 921 456-37-63 or 8 921 456-37-63. Separate "
        "several numbers by commas.",
        **EDITABLE,
    )
    sms_devino_number_hint = fields.Char(compute="_compute_sms_devino_number_hint")
    sms_devino_number_state = fields.Selection(
        [("good", "Good"), ("bad", "Bad")], compute="_compute_sms_devino_number_hint"
    )
    sms_devino_sender_id = fields.Many2one(
        "sms.devino.sender",
        string="Sender",
        compute="_compute_sms_devino_sender_id",
        domain="[('account_id', '=', sms_devino_account_id), "
        "('state', '!=', 'refused')]",
        help="The name that the recipient sees.",
        **EDITABLE,
    )
    sms_devino_when = fields.Selection(
        [("now", "Send now"), ("later", "Send at")],
        string="When",
        compute="_compute_sms_devino_when",
        **EDITABLE,
    )
    sms_devino_scheduled_at = fields.Datetime(
        string="Date and time",
        compute="_compute_sms_devino_when",
        help="In your time zone. Odoo keeps the message until then.",
        **EDITABLE,
    )
    sms_devino_purpose = fields.Selection(
        PURPOSES,
        string="Purpose of the SMS",
        compute="_compute_sms_devino_purpose",
        help="Decides in which hours the message may leave and how many one number may "
        "get. Debt: reminders of an overdue payment.",
        **EDITABLE,
    )
    sms_devino_validity = fields.Integer(
        string="Validity (minutes)",
        compute="_compute_sms_devino_validity",
        help="The provider stops trying to deliver after this many minutes. 0: the "
        "provider's default.",
        **EDITABLE,
    )
    sms_devino_is_excluded = fields.Boolean(
        string="On the blacklist", compute="_compute_sms_devino_number_hint"
    )
    sms_devino_recipient_count = fields.Integer(
        string="Recipients", compute="_compute_sms_devino_preview"
    )
    sms_devino_total = fields.Integer(
        string="Recipients in all", compute="_compute_sms_devino_preview"
    )
    sms_devino_segment_count = fields.Integer(
        string="SMS in all", compute="_compute_sms_devino_preview"
    )
    sms_devino_cost = fields.Float(string="Cost", compute="_compute_sms_devino_preview")
    sms_devino_is_estimate = fields.Boolean(
        string="Estimated from a part", compute="_compute_sms_devino_preview"
    )
    sms_devino_left_out = fields.Text(
        string="Left out", compute="_compute_sms_devino_preview"
    )
    sms_devino_problem = fields.Char(
        string="What is wrong with the text", compute="_compute_sms_devino_preview"
    )
    sms_devino_same_text = fields.Html(
        string="Sent before", compute="_compute_sms_devino_preview", sanitize=False
    )
    sms_devino_added_line = fields.Char(
        string="Added to the text", compute="_compute_sms_devino_preview"
    )
    sms_devino_is_many = fields.Boolean(
        string="Becomes a mass sending", compute="_compute_sms_devino_is_many"
    )
    sms_devino_is_sent = fields.Boolean(readonly=True)
    sms_devino_message_ids = fields.Many2many(
        "sms.devino.message", string="Sent messages", readonly=True
    )

    # --- defaults and computes ------------------------------------------------------

    @api.model
    def default_get(self, fields):
        """A message that is sent again is not the document of the new one.

        :raise ValidationError: for ids in the context that are none
        """
        result = super().default_get(fields)
        if result.get("res_model") == "sms.devino.message":
            result |= {"res_model": False, "res_id": False, "res_ids": False}
        check_ids(self, result, "res_ids")
        return result

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse ids that are none: Odoo evaluates the text again and again."""
        for vals in vals_list:
            check_ids(self, vals, "res_ids")
        return super().create([storable(vals) for vals in vals_list])

    def write(self, vals):
        """Refuse ids that are none."""
        check_ids(self, vals, "res_ids")
        return super().write(storable(vals))

    def onchange(self, values, field_names, fields_spec):
        """Refuse ids that are none, and what is no number."""
        check_ids(self, values, "res_ids")
        check_numbers(self, values)
        return super().onchange(values, field_names, fields_spec)

    def _get_records(self):
        """Return no documents of a model that a request invents."""
        return super()._get_records() if self.res_model in self.env else None

    def _sms_devino_is_offered(self):
        """Tell whether a mass sending may be about the documents."""
        return self.env["sms.devino.rule"]._is_offered(self.res_model)

    def _sms_devino_records(self):
        """Return the documents that the user may read, maybe none."""
        ids = read_ids(self.res_ids) if self.res_ids else [self.res_id]
        records = read_input(self.env, self.res_model, [key for key in ids if key])
        return self.env["res.partner"] if records is None else records

    def _sms_devino_account(self):
        """Return the account to those who may use it, with the rights to read it."""
        account = self.sms_devino_account_id.sudo()
        may_use = self.env.su or given_options(self.env).get("automatic")
        if may_use or (account and self.env.user._sms_devino_may_use(account)):
            return account
        return account.browse()

    def _sms_devino_company(self):
        """Return the company whose account pays: the document's, if it has one."""
        records = self._sms_devino_records()
        if len(records) == 1 and "company_id" in records._fields:
            return records.company_id.sudo() or self.env.company
        return self.env.company.sudo()

    def _sms_devino_repeated(self):
        """Return the message that is sent again, if the user may read it."""
        return self.sms_devino_repeat_id._filtered_access("read")

    @api.depends("res_model", "res_id", "res_ids", "sms_devino_direct")
    def _compute_sms_devino_account_id(self):
        accounts = self.env["sms.devino.account"]
        in_use = self.env["res.company"]._sms_devino_in_use()
        is_known = self.env.su or self.env.user._is_internal()
        for composer in self:
            account = accounts
            if composer.sms_devino_direct and is_known:
                repeated = composer._sms_devino_repeated()
                account = repeated.account_id or accounts._get_default()
            elif in_use and is_known:
                account = composer._sms_devino_company().sms_devino_account_id
            composer.sms_devino_account_id = account

    @api.depends("sms_devino_account_id")
    def _compute_sms_devino_account_facts(self):
        accounts = self.env["sms.devino.account"]
        visible = accounts.has_access("read") and accounts.search([], limit=2)
        for composer in self:
            account = composer._sms_devino_account()
            composer.sms_devino_may_choose = len(visible or ()) > bool(account)
            composer.sms_devino_mode = account.mode
            composer.sms_devino_notice = bool(account) and describe_obstacle(account)

    @api.depends("sms_devino_partner_id", "sms_devino_repeat_id")
    def _compute_sms_devino_number(self):
        for composer in self:
            composer.sms_devino_number = (
                composer.sms_devino_partner_id.phone
                or composer.sms_devino_number
                or composer._sms_devino_repeated().number
            )

    @api.depends("sms_devino_partner_id", "sms_devino_repeat_id")
    def _compute_body(self):
        """Fill a template in for the contact that was chosen.

        Odoo computes this field by sudo; here the user's rights decide what is read.
        """
        result = super()._compute_body()
        for composer in self.filtered("sms_devino_direct").sudo(False):
            partner = composer.sms_devino_partner_id._filtered_access("read")
            if composer.composition_mode == "numbers" and composer.template_id:
                composer.body = composer.template_id._render_field(
                    "body", partner.ids, compute_lang=True
                ).get(partner.id, composer.body)
            repeated = composer._sms_devino_repeated()
            composer.body = composer.body or ad_line.strip(repeated)
        return result

    @api.depends(
        "composition_mode",
        "numbers",
        "recipient_single_number_itf",
        "res_id",
        "res_ids",
        "sms_devino_account_id",
        "sms_devino_number",
    )
    def _compute_sms_devino_number_hint(self):
        """Say which numbers are meant; a number that is being typed is no error."""
        for composer in self:
            composer.update(composing.describe_entered(composer))

    @api.depends("sms_devino_account_id", "sms_devino_number_state")
    def _compute_recipient_single_valid(self):
        """Read a number by the country of the account, where there is one."""
        result = super()._compute_recipient_single_valid()
        for composer in self:
            if composer.sms_devino_account_id and composer.comment_single_recipient:
                is_good = composer.sms_devino_number_state == "good"
                composer.recipient_single_valid = is_good
        return result

    @api.depends("sms_devino_account_id", "template_id")
    def _compute_sms_devino_sender_id(self):
        for composer in self:
            account = composer._sms_devino_account()
            name = (
                composer.template_id.sudo().sms_devino_sender_id.name
                or composer._sms_devino_repeated().sender_name
            )
            composer.sms_devino_sender_id = bool(account) and (
                account._get_sender_named(name).sudo(False)
            )

    @api.depends("template_id")
    def _compute_sms_devino_when(self):
        for composer in self:
            scheduled_at = composer.template_id._sms_devino_scheduled_at()
            composer.sms_devino_when = "later" if scheduled_at else "now"
            composer.sms_devino_scheduled_at = scheduled_at

    @api.depends("template_id", "sms_devino_repeat_id")
    def _compute_sms_devino_purpose(self):
        for composer in self:
            composer.sms_devino_purpose = (
                composer.template_id.sms_devino_purpose
                or composer._sms_devino_repeated().purpose
                or "service"
            )

    @api.depends("sms_devino_account_id")
    def _compute_sms_devino_validity(self):
        for composer in self:
            account = composer._sms_devino_account()
            composer.sms_devino_validity = account.default_validity

    @api.depends("composition_mode", "res_model", "res_ids", "sms_devino_account_id")
    def _compute_sms_devino_is_many(self):
        for composer in self:
            company = composer.sms_devino_account_id.sudo().company_id
            composer.sms_devino_is_many = (
                composer.composition_mode == "mass"
                and composer._sms_devino_is_offered()
                and bool(company)
                and composer.res_ids_count > company.sms_devino_user_limit
            )

    def _get_blacklist_record_ids(self, records, recipients_info):
        """Look up these numbers only: Odoo reads the whole list each time."""
        if not self.use_exclusion_list:
            return []
        return composing.find_excluded(self, records).ids

    def _get_optout_record_ids(self, records, recipients_info):
        """Leave out of advertising who has not consented, where that is demanded."""
        result = super()._get_optout_record_ids(records, recipients_info)
        purpose = given_options(self.env).get("purpose") or self.sms_devino_purpose
        return result + composing.find_without_consent(self, recipients_info, purpose)

    # --- what will happen -----------------------------------------------------------

    @api.depends(
        "body",
        "composition_mode",
        "number_field_name",
        "numbers",
        "recipient_single_number_itf",
        "res_id",
        "res_ids",
        "res_model",
        "sms_devino_account_id",
        "sms_devino_number",
        "sms_devino_purpose",
        "sms_devino_scheduled_at",
        "sms_devino_sender_id",
        "sms_devino_when",
        "template_id",
        "use_exclusion_list",
    )
    def _compute_sms_devino_preview(self):
        """Show recipients and cost, or what is wrong while one still types."""
        preview = self.pool.field_computed[self._fields["sms_devino_cost"]]
        for composer in self:
            values = {field.name: False for field in preview}
            if composer._sms_devino_account():
                try:
                    values |= composing.make_preview(composer)
                except UserError as error:
                    values["sms_devino_problem"] = str(error)
            composer.update(values)

    @api.depends("sms_devino_account_id", "sms_devino_cost")
    def _compute_quote(self):
        return super()._compute_quote()

    def _get_quote_basis(self):
        return self.sms_devino_account_id, self.sms_devino_cost

    def action_sms_devino_refresh_balance(self):
        """Ask the provider for the balance; the form stays open as it is."""
        self.check_access("write")
        account = self.sms_devino_account_id.sudo()
        self.env.user._sms_devino_check_may_use(account)
        self.ensure_one()
        account._refresh_balance()
        return self._get_records_action(
            name=self.env._("Send SMS"), target="new", context=dict(self.env.context)
        )

    def action_sms_devino_save_template(self):
        """Keep the text as a template of this kind of document."""
        self.check_access("write")
        self.ensure_one()
        template = sending.make_template(self)
        return notify(self.env._("Template saved"), template.name, kind="success")

    # --- sending --------------------------------------------------------------------

    def action_send_sms(self):
        """Send what a person has written, once; rules and apps send without questions.

        :raise AccessError: when the person may not send, or not to so many
        :raise UserError: when something is wrong; the form keeps what was entered
        """
        self.check_access("write")
        if given_options(self.env).get("automatic"):
            return super().action_send_sms()
        if not self.sms_devino_account_id:
            sending.check_account(self)
            return super().action_send_sms()
        self.ensure_one()
        if self.sms_devino_is_sent:
            return sending.open_sent(self)
        sending.check_rights(self)
        if self.sms_devino_is_many:
            return sending.make_draft(self)._get_records_action(context={})
        # A second press at the same time waits here for the account's row. Odoo then
        # repeats that request, which finds the form sent.
        sending.check_message(self)
        self.sms_devino_is_sent = True
        self = self.with_context(sms_devino_options=sending.make_options(self))
        with composing.private_rendering(self.env):
            super().action_send_sms()
        return sending.open_sent(self) if self.sms_devino_direct else False

    def _action_send_sms(self):
        """Hand on how to send. Without a person's options the message is automatic."""
        if not self.sms_devino_account_id:
            return super()._action_send_sms()
        given = given_options(self.env)
        options = sending.make_options(self, automatic=not given)
        options |= given
        self = self.with_context(sms_devino_options=options)
        if not self.use_exclusion_list:
            sending.log_override(self)
        sent = super()._action_send_sms()
        if self.sms_devino_is_sent:
            self.sudo().sms_devino_message_ids += sending.find_sent(sent)
        return sent

    def _sms_devino_contact(self):
        """Return the contact that was chosen, or that the form was opened from."""
        if self.sms_devino_partner_id:
            return self.sms_devino_partner_id._filtered_access("read")
        is_contact = self.res_model == "res.partner" and self.comment_single_recipient
        return self._sms_devino_records() if is_contact else self.env["res.partner"]

    def _action_send_sms_numbers(self):
        """Send to the numbers as the account's country reads them."""
        if not self.sms_devino_account_id:
            return super()._action_send_sms_numbers()
        return sending.send_to_numbers(self)

    def _action_send_sms_comment_single(self, records=None):
        """Send to every number that was entered.

        A number that was changed is written to the document only where Odoo's own
        doors do so. Our own doors also need no right to write in its chatter.
        """
        readings = composing.read_numbers(self)
        if len(readings) < 2 and not (readings and self.sms_devino_direct):
            return super()._action_send_sms_comment_single(records)
        records = records if records is not None else self._get_records()
        if not records.has_access(records._mail_post_access):
            return self._action_send_sms_numbers()
        sending.spread_numbers(self, readings)
        return self._action_send_sms_comment(records)

    def _action_send_sms_comment(self, records=None):
        """Leave out documents whose number is on the blacklist, and say so there.

        What one person sends to one number has been checked before.
        """
        records = records if records is not None else self._get_records()
        if (
            self.sms_devino_account_id
            and self.use_exclusion_list
            and not self.numbers
            and (excluded := composing.find_excluded(self, records))
        ):
            note = self.env._("No SMS was sent: the number is on the blacklist.")
            excluded._message_log_batch(dict.fromkeys(excluded.ids, note))
            records -= excluded
            if not records:
                return self.env["mail.message"]
        return super()._action_send_sms_comment(records)

    def _prepare_mass_sms_values(self, records):
        """Keep company and document of each message: without a note on the document
        nothing else would tell."""
        result = super()._prepare_mass_sms_values(records)
        if not self.env["res.company"]._sms_devino_in_use():
            return result
        has_company = "company_id" in records._fields
        for record in records:
            company = (has_company and record.company_id) or self.env.company
            result[record.id] |= {
                "sms_devino_company_id": company.id,
                "sms_devino_options": {
                    "res_model": record._name,
                    "res_id": record.id,
                },
            }
        return result
