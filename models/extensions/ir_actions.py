from ast import literal_eval

from odoo import api, models

from ...services.documents import takes_messages

# Lists that hide what was sent in test mode, once a company has a live account.
MODELS_WITH_MODE = ("sms.devino.message", "sms.devino.batch")


class IrActionsActions(models.Model):
    _inherit = "ir.actions.actions"

    @api.model
    def get_bindings(self, model_name):
        """Offer the SMS composer to those who may send, for every suitable model."""
        bindings = super().get_bindings(model_name)
        composers = self.env["ir.actions.act_window"]._sms_devino_composer_ids()
        if not self.env.user._sms_devino_may_send():
            return {
                kind: [action for action in actions if action["id"] not in composers]
                for kind, actions in bindings.items()
            }
        actions = bindings.get("action", [])
        is_offered = any(action["id"] in composers for action in actions)
        if is_offered or not self._sms_devino_takes_sms(model_name):
            return bindings
        ours = self.env.ref("sms_devino.sms_composer_action_records").sudo()
        entry = {"id": ours.id, "name": ours.name, "binding_view_types": "list,form"}
        return {**bindings, "action": [*actions, entry]}

    def _sms_devino_takes_sms(self, model_name):
        """Tell whether a model has a chatter, and a phone or a contact to send to,
        and the user an account to send through."""
        model = self.env.get(model_name)
        if model is None or not isinstance(model, self.pool["mail.thread"]):
            return False
        if not takes_messages(model):
            return False
        account = self.env["sms.devino.account"]._get_default()
        return bool(account) and self.env.user._sms_devino_may_use(account)


class IrActionsActWindow(models.Model):
    _inherit = "ir.actions.act_window"

    @api.model
    def _sms_devino_composer_ids(self):
        """Return the ids of the actions that open the SMS composer, a set."""
        return set(self.sudo().search([("res_model", "=", "sms.composer")]).ids)

    def _get_action_dict(self):
        """Hide test messages by default where there are others.

        With accounts in test mode only, a person sees the first message.
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
