from odoo import models


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self):
        """Tell the web client whether SMS go through an account, and who may send."""
        info = super().session_info()
        user = self.env.user
        if user._is_internal():
            account = self.env.company.sudo().sms_devino_account_id
            info["sms_devino"] = {
                "active": bool(account),
                "may_send": user._sms_devino_may_send(),
            }
        return info
