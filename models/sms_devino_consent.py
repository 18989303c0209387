from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..services import consent as consents
from ..services.message_states import PURPOSES
from ..services.words import describe_reading, private_error
from ..tools import phone
from ..tools.recipients import clean

# What only a withdrawal writes.
WITHDRAWAL = {"withdrawn_at", "withdrawn_how", "withdrawn_by_id"}


class SmsDevinoConsent(models.Model):
    """A person's consent to get SMS: evidence, so it is completed but never changed,
    withdrawn but never deleted."""

    _name = "sms.devino.consent"
    _description = "SMS Consent"
    _inherit = ["sms.devino.guarded"]
    _order = "given_on desc, id desc"
    _rec_name = "number"
    _check_company_auto = True

    number = fields.Char(
        required=True,
        help="The number that the consent is for. Empty: the one of the contact.",
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        index="btree_not_null",
        ondelete="set null",
        check_company=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    purpose = fields.Selection(
        PURPOSES, required=True, default="advertising", help="What the consent is to."
    )
    given_on = fields.Date(
        string="Date", required=True, default=fields.Date.context_today
    )
    source = fields.Char(
        required=True,
        help="Where it was given, for example: form on the website, questionnaire in "
        "the shop.",
    )
    wording_id = fields.Many2one(
        "sms.devino.consent.wording",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        help="What the person agreed to, to the letter.",
    )
    wording_text = fields.Text(related="wording_id.text", string="Text of the wording")
    proof = fields.Binary(
        attachment=True, help="For example a scan, or a picture of the form."
    )
    proof_name = fields.Char(string="Name of the proof")
    origin = fields.Char(
        string="Address or device",
        help="Where it came from: an IP address, a device, the shop.",
    )
    identified_by = fields.Char(
        string="Subscriber identified by",
        help="How it is known that the number is this person's, for example: a code "
        "by SMS.",
    )
    state = fields.Selection(
        [("given", "Given"), ("withdrawn", "Withdrawn")], compute="_compute_state"
    )
    withdrawn_at = fields.Datetime(readonly=True, copy=False)
    withdrawn_how = fields.Char(string="Withdrawn how", readonly=True, copy=False)
    withdrawn_by_id = fields.Many2one(
        "res.users", string="Withdrawal entered by", readonly=True, copy=False
    )

    _number_idx = models.Index("(number, company_id, purpose)")

    @api.depends("withdrawn_at")
    def _compute_state(self):
        for record in self:
            record.state = "withdrawn" if record.withdrawn_at else "given"

    @api.onchange("partner_id")
    def _onchange_partner_id(self):
        self.number = self.number or self.partner_id.phone

    @api.constrains("given_on")
    def _check_given_on(self):
        today = fields.Date.context_today(self)
        if any(record.given_on and record.given_on > today for record in self):
            raise ValidationError(
                self.env._("Date: a consent cannot be given in the future.")
            )

    # --- CRUD -----------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Keep numbers in international form.

        :raise UserError: for what is no number
        """
        vals_list = [self._accepted(vals) for vals in vals_list]
        created = super().create(vals_list)
        consents.settle_outdated(created)
        return created

    def _accepted(self, vals):
        if not self.env.su and WITHDRAWAL & vals.keys():
            raise AccessError(self.env._("A consent is withdrawn by Unsubscribe."))
        partner = self.env["res.partner"].browse(vals.get("partner_id"))
        account = self.env["sms.devino.account"]._get_default()
        raw = clean(vals.get("number")) or partner.phone or ""
        reading = phone.read(raw, account.country_id.code or "RU")
        if not reading.sendable:
            raise private_error(describe_reading(self.env, reading))
        return {**vals, "number": reading.e164}

    def write(self, vals):
        """Complete a consent: what was entered before stays.

        :raise UserError: naming the field
        """
        if not self.env.su:
            self._check_only_completes(vals)
        return super().write(vals)

    def _check_only_completes(self, vals):
        for name in vals.keys() & self._fields.keys():
            field = self._fields[name]
            if name in WITHDRAWAL or (field.store and any(r[name] for r in self)):
                raise UserError(
                    self.env._(
                        "%(field)s: a consent is evidence and is not changed. Withdraw "
                        "it and enter a new one.",
                        field=field._description_string(self.env),
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise UserError(
            self.env._("A consent is evidence and is not deleted. Withdraw it.")
        )
