from odoo import fields, models


class IrActionsServer(models.Model):
    _name = "ir.actions.server"
    _inherit = ["ir.actions.server", "sms.devino.options"]

    sms_devino_blacklist = fields.Boolean(
        string="Leave out numbers on the blacklist",
        default=True,
        help="Turn this off only for messages that the law lets you send to everybody. "
        "The journal and the document keep that the list was ignored.",
    )

    def _run_action_sms_multi(self, eval_context=None):
        """Send as the rule says, whatever rights the user who triggers it has."""
        override = not self.sms_devino_blacklist
        options = self.sms_template_id._sms_devino_options()
        options |= self._sms_devino_options(automatic=True, override=override)
        self = self.with_context(sms_devino_options=options)
        if override:
            self = self.with_context(default_use_exclusion_list=False)
        return super()._run_action_sms_multi(eval_context)
