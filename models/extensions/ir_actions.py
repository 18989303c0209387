from ast import literal_eval

from odoo import api, models

# Lists that hide what was sent in test mode, once a company has a live account.
MODELS_WITH_MODE = ("sms.devino.message", "sms.devino.batch")


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

    def _get_action_dict(self):
        """Hide test messages by default where there are others.

        Whoever has only accounts in test mode sees his or her first message.
        """
        action = super()._get_action_dict()
        if self.res_model in MODELS_WITH_MODE and self._sms_devino_is_live():
            context = literal_eval(action.get("context") or "{}")
            action["context"] = repr({**context, "search_default_live": 1})
        return action

    @api.model
    def _sms_devino_is_live(self):
        """Tell whether the chosen companies have a live account."""
        live = [
            ("mode", "=", "live"),
            ("company_id", "parent_of", self.env.companies.ids),
        ]
        return bool(self.env["sms.devino.account"].sudo().search_count(live, limit=1))
