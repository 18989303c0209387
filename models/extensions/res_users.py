from odoo import models
from odoo.exceptions import AccessError


class ResUsers(models.Model):
    _inherit = "res.users"

    def _sms_devino_may_send(self):
        """Tell whether this person may send SMS by hand for the current company.

        Where the company does not send through its own account, Odoo's rules hold.
        """
        self.ensure_one()
        if not self.env["res.company"]._sms_devino_in_use():
            return True
        account = self.env.company.sudo().sms_devino_account_id
        return not account or self._sms_devino_may_use(account)

    def _sms_devino_may_use(self, account):
        """Tell whether this person may send by hand through an account.

        Members may use the accounts of their companies, and of those above them. Other
        employees may use the one that Odoo's SMS go through, where a company lets them.
        """
        self.ensure_one()
        if self._is_superuser():
            return True
        companies = self.sudo().company_ids
        sharing = companies.filtered(lambda c: c.sms_devino_account_id == account)
        if self.has_group("sms_devino.group_user"):
            return bool(sharing) or account.sudo().company_id in companies.parent_ids
        everybody = sharing.filtered(lambda c: not c.sms_devino_members_only)
        return bool(everybody) and self._is_internal()

    def _sms_devino_check_may_use(self, account):
        if not self._sms_devino_may_use(account):
            raise AccessError(
                self.env._("Only members of the group SMS / User may send SMS.")
            )

    def _sms_devino_may_reach(self, count, company):
        """Tell whether this person may send to so many recipients at once."""
        self.ensure_one()
        return (
            count <= company.sudo().sms_devino_user_limit
            or self._is_superuser()
            or self.has_group("sms_devino.group_manager")
        )

    def _sms_devino_check_may_reach(self, count, company):
        if not self._sms_devino_may_reach(count, company):
            raise AccessError(
                self.env._(
                    "Only members of the group SMS / Manager may send to more than "
                    "%(limit)s recipients at once.",
                    limit=company.sudo().sms_devino_user_limit,
                )
            )
