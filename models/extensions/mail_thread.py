from odoo import fields, models
from odoo.exceptions import AccessError

from ..sms_devino_options import AUTOMATIC


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    def message_post(self, *args, message_type="notification", **kwargs):
        """Refuse an SMS of somebody who may not send, unless a rule sends it."""
        if message_type == "sms" and not (
            self.env.su or self.env.context.get("sms_devino_automatic") is AUTOMATIC
        ):
            self._sms_devino_check_may_send()
        return super().message_post(*args, message_type=message_type, **kwargs)

    def _sms_devino_check_may_send(self):
        if not self.env.user._sms_devino_may_send():
            raise AccessError(
                self.env._("Only members of the group SMS / User may send SMS.")
            )

    def _message_sms(self, *args, **kwargs):
        """Whoever calls this, which cannot be called from outside, has decided."""
        self = self.with_context(sms_devino_automatic=AUTOMATIC)
        return super()._message_sms(*args, **kwargs)

    def _message_sms_with_template(
        self, template=False, template_xmlid=False, *args, **kwargs
    ):
        """Send under the sender name, and after the delay, that the template names."""
        if not template and template_xmlid:
            template = self.env.ref(template_xmlid, raise_if_not_found=False)
        if template and "sms_devino_options" not in self.env.context:
            options = template.sudo()
            self = self.with_context(
                sms_devino_options={
                    "sender": options.sms_devino_sender_id.name,
                    "scheduled_at": fields.Datetime.to_string(
                        options._sms_devino_scheduled_at()
                    ),
                }
            )
        return super()._message_sms_with_template(
            template, template_xmlid, *args, **kwargs
        )
