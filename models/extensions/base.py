from odoo import api, models


class Base(models.AbstractModel):
    _inherit = "base"

    @api.model
    def _get_view_cache_key(self, view_id=None, view_type="form", **options):
        key = super()._get_view_cache_key(view_id, view_type, **options)
        if self.env.user._sms_devino_may_send():
            return key
        return (*key, ("sms_devino", "closed"))

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """Remove the buttons that send SMS for users who may not send."""
        arch, view = super()._get_view(view_id, view_type, **options)
        if not self.env.user._sms_devino_may_send():
            closed = self.env["ir.actions.act_window"]._sms_devino_composer_ids()
            names = {str(action_id) for action_id in closed} | {"action_send_sms"}
            for button in arch.xpath("//button[@name]"):
                if button.get("name") in names:
                    button.getparent().remove(button)
        return arch, view
