from odoo import fields, models
from odoo.exceptions import UserError


class SmsDevinoConsentWording(models.Model):
    """What people agree to. A wording with consents stays: a new version is a new
    record."""

    _name = "sms.devino.consent.wording"
    _description = "Wording of Consents"
    _inherit = ["sms.devino.guarded"]
    _names_copies = True
    _order = "id desc"

    name = fields.Char(
        string="Name and version",
        required=True,
        help="For example: Website, version 2.",
    )
    text = fields.Text(string="What people agree to", required=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )

    def write(self, vals):
        """Refuse to change what people have agreed to.

        :raise UserError: saying what to do
        """
        if {"name", "text", "company_id"} & vals.keys():
            used = [("wording_id", "in", self.ids)]
            if self.env["sms.devino.consent"].sudo().search_count(used, limit=1):
                raise UserError(
                    self.env._(
                        "There are consents with this wording, so it stays as it is. "
                        "Duplicate it, and change the new version."
                    )
                )
        return super().write(vals)
