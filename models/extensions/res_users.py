from odoo import models


class ResUsers(models.Model):
    _inherit = "res.users"

    def _sms_devino_may_send(self, company=None):
        """Tell whether this person may send SMS by hand.

        Where the company does not send through its own account, Odoo's rules hold.
        """
        self.ensure_one()
        if not self.env["res.company"]._sms_devino_in_use():
            return True
        company = (company or self.env.company).sudo()
        return (
            not company.sms_devino_account_id
            or not company.sms_devino_members_only
            or self.has_group("sms_devino.group_user")
        )
