from odoo import fields, models

from ..sms_devino_options import AUTOMATIC


class IrActionsServer(models.Model):
    _name = "ir.actions.server"
    _inherit = ["ir.actions.server", "sms.devino.options"]

    sms_devino_blacklist = fields.Boolean(
        string="Leave out numbers on the blacklist",
        default=True,
        help="Turn this off only for messages that the law lets you send to everybody. "
        "That the list was passed over is kept in the journal and on the document.",
    )

    def _run_action_sms_multi(self, eval_context=None):
        """Send as the rule says; it needs no right of whoever sets it off."""
        template = self.sms_template_id
        context = {"sms_devino_automatic": AUTOMATIC}
        if not self.sms_devino_blacklist:
            context["default_use_exclusion_list"] = False
        sender = self.sms_devino_sender_id or template.sms_devino_sender_id
        if sender:
            context["default_sms_devino_sender_id"] = sender.id
        scheduled_at = (
            self._sms_devino_scheduled_at() or template._sms_devino_scheduled_at()
        )
        if scheduled_at:
            context["default_sms_devino_when"] = "later"
            context["default_sms_devino_scheduled_at"] = scheduled_at
        self = self.with_context(**context)
        return super()._run_action_sms_multi(eval_context)
