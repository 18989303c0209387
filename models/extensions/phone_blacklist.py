from odoo import api, models


class PhoneBlacklist(models.Model):
    _inherit = "phone.blacklist"

    @api.model
    def _sms_devino_blacklisted(self, numbers):
        """Return those of ``numbers`` (E.164) that are on the blacklist, a set."""
        numbers = [number for number in numbers if number]
        if not numbers:
            return set()
        found = self.sudo().search([("number", "in", numbers)])
        return set(found.mapped("number"))
