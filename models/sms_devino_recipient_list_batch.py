from odoo import models
from odoo.fields import Command


class SmsDevinoRecipientList(models.Model):
    _inherit = "sms.devino.recipient.list"

    def action_sms_devino_mass_send(self):
        """Prepare a mass SMS to these lists."""
        return self.env["sms.devino.batch.send"]._open_new(
            list_ids=[Command.set(self.ids)]
        )
