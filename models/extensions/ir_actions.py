from odoo import api, models


class IrActionsActions(models.Model):
    _inherit = "ir.actions.actions"

    @api.model
    def get_bindings(self, model_name):
        """Leave out what opens the SMS composer for those who may not send."""
        bindings = super().get_bindings(model_name)
        if self.env.user._sms_devino_may_send():
            return bindings
        closed = self.env["ir.actions.act_window"]._sms_devino_composer_ids()
        return {
            kind: [action for action in actions if action["id"] not in closed]
            for kind, actions in bindings.items()
        }


class IrActionsActWindow(models.Model):
    _inherit = "ir.actions.act_window"

    @api.model
    def _sms_devino_composer_ids(self):
        """Return the ids of the actions that open the SMS composer, a set."""
        return set(self.sudo().search([("res_model", "=", "sms.composer")]).ids)
