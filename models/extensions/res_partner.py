from odoo import api, fields, models
from odoo.fields import Domain

from ...services import numbers, windows


class ResPartner(models.Model):
    _inherit = "res.partner"

    sms_devino_greeting_date = fields.Date(
        string="Greeting by SMS on",
        help="For example a birthday: only day and month count. The SMS is sent when "
        "an SMS rule for this date is switched on.",
    )
    sms_devino_message_count = fields.Integer(
        string="SMS messages",
        compute="_compute_sms_devino_message_count",
        groups="sms_devino.group_user",
    )

    sms_devino_number_note = fields.Char(
        string="About the number",
        compute="_compute_sms_devino_number_note",
        groups="sms_devino.group_user",
    )

    sms_devino_consent_count = fields.Integer(
        string="Consents to SMS",
        compute="_compute_sms_devino_consent_count",
        groups="sms_devino.group_manager",
    )

    @api.depends("phone")
    def _compute_sms_devino_number_note(self):
        for partner in self:
            partner.sms_devino_number_note = numbers.describe_contact(partner)

    def _compute_sms_devino_consent_count(self):
        """Count the consents of each contact, or for its number."""
        consents = self.env["sms.devino.consent"]
        for partner in self:
            domain = partner._sms_devino_consent_domain()
            partner.sms_devino_consent_count = consents.search_count(domain)

    def _sms_devino_consent_domain(self):
        number = self.phone_sanitized or ""
        return Domain("partner_id", "in", self.ids) | Domain("number", "=", number)

    def action_sms_devino_consents(self):
        """Show the consents of this contact."""
        self.ensure_one()
        self.check_access("read")
        self.env["sms.devino.consent"].check_access("read")
        return windows.open_action(
            self.env,
            "sms_devino_consent_action",
            domain=list(self._sms_devino_consent_domain()),
            context={"default_partner_id": self.id},
        )

    def _compute_sms_devino_message_count(self):
        """Count the messages to each contact that the user may see."""
        counts = dict(
            self.env["sms.devino.message"]._read_group(
                [("partner_id", "in", self.ids)], ["partner_id"], ["__count"]
            )
        )
        for partner in self:
            partner.sms_devino_message_count = counts.get(partner, 0)

    def action_sms_devino_send(self):
        """Open the form that sends one SMS to this contact."""
        self.ensure_one()
        self.check_access("read")
        defaults = {"res_model": self._name, "res_id": self.id}
        return windows.open_composer(self.env, "comment", defaults)

    def action_sms_devino_messages(self):
        """Show the messages to this contact."""
        self.ensure_one()
        self.check_access("read")
        self.env["sms.devino.message"].check_access("read")
        domain = [("partner_id", "=", self.id)]
        return windows.open_action(self.env, "sms_devino_message_action", domain=domain)
