from odoo import api, fields, models

from ...services import action_records


class IrActionsServer(models.Model):
    _name = "ir.actions.server"
    _inherit = ["ir.actions.server", "sms.devino.options"]

    sms_devino_blacklist = fields.Boolean(
        string="Leave out numbers on the blacklist",
        default=True,
        help="Turn this off only for messages that the law lets you send to everybody. "
        "The journal and the document keep that the list was ignored.",
    )

    sms_devino_domain = fields.Char(
        string="Records of a scheduled action",
        help="A scheduled action has no records of its own: it sends to those that "
        "meet this filter. Empty: to none.",
    )
    sms_devino_once = fields.Boolean(
        string="Once per document",
        help="A document that got an SMS from this action gets no other one.",
    )

    @api.onchange("sms_devino_domain")
    def _onchange_sms_devino_domain(self):
        """Propose what keeps a scheduled action from sending at each of its runs."""
        if self.sms_devino_domain:
            self.sms_devino_once = True

    @api.constrains("sms_devino_domain", "model_id")
    def _check_sms_devino_domain(self):
        for action in self.filtered("sms_devino_domain"):
            action_records.read_filter(action)

    def _run_action_sms_multi(self, eval_context=None):
        """Send as the rule says, whatever rights the user who triggers it has."""
        # Odoo sends nothing then: no document may be marked
        if not self.sms_template_id or self._is_recompute():
            return False
        eval_context = action_records.choose(self, eval_context)
        override = not self.sms_devino_blacklist
        options = self.sms_template_id._sms_devino_options()
        options |= self._sms_devino_options(automatic=True, override=override)
        self = self.with_context(sms_devino_options=options)
        if override:
            self = self.with_context(default_use_exclusion_list=False)
        return super()._run_action_sms_multi(eval_context)
