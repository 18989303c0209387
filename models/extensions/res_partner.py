from odoo import fields, models


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
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_devino.sms_composer_action_send"
        )
        context = {
            "default_composition_mode": "comment",
            "default_res_model": self._name,
            "default_res_id": self.id,
            "default_sms_devino_direct": True,
        }
        return action | {"context": context}

    def action_sms_devino_messages(self):
        """Show the messages to this contact."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_devino.sms_devino_message_action"
        )
        return action | {"domain": [("partner_id", "=", self.id)]}
