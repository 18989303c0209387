from odoo import models


class ResPartner(models.Model):
    _inherit = "res.partner"

    def action_sms_devino_send(self):
        """Open the form that sends one SMS to this contact."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_devino.sms_devino_message_send_action"
        )
        action["context"] = {
            "default_partner_id": self.id,
            "default_number": self.phone or "",
        }
        return action
