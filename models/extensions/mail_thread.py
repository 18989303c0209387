from odoo import fields, models

from ...services.message_states import NO_MESSAGE_STATES
from ..sms_devino_options import Options, given_options


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    sms_devino_message_count = fields.Integer(
        string="SMS messages", compute="_compute_sms_devino_message_count"
    )

    def _compute_sms_devino_message_count(self):
        """Count the messages about each record that the user may see."""
        messages, counts = self.env["sms.devino.message"], {}
        if messages.has_access("read"):
            about = [("res_model", "=", self._name), ("res_id", "in", self.ids)]
            about += [("state", "not in", NO_MESSAGE_STATES)]
            counts = dict(messages._read_group(about, ["res_id"], ["__count"]))
        for record in self:
            record.sms_devino_message_count = counts.get(record._origin.id, 0)

    def message_post(self, *args, message_type="notification", **kwargs):
        """Refuse an SMS of somebody who may not send, unless a rule or an app sends it.

        What counts is the user who is logged in, even if Odoo posts in sudo.
        """
        if message_type == "sms" and not given_options(self.env):
            account = self.env.company.sudo().sms_devino_account_id
            if account:
                self.env.user._sms_devino_check_may_use(account)
        return super().message_post(*args, message_type=message_type, **kwargs)

    def _message_sms(self, *args, **kwargs):
        """Send as the caller decided. The method is private: no request reaches it."""
        if not given_options(self.env):
            self = self.with_context(sms_devino_options=Options(automatic=True))
        return super()._message_sms(*args, **kwargs)

    def _message_sms_with_template(
        self, template=False, template_xmlid=False, *args, **kwargs
    ):
        """Send with the sender name and the delay of the template."""
        if not template and template_xmlid:
            template = self.env.ref(template_xmlid, raise_if_not_found=False)
        if template and not given_options(self.env):
            options = template._sms_devino_options(automatic=True)
            self = self.with_context(sms_devino_options=options)
        return super()._message_sms_with_template(
            template, template_xmlid, *args, **kwargs
        )
