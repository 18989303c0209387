from odoo import fields, models

from ..tools.recipients import clean


class SmsDevinoRecipientAddColumn(models.TransientModel):
    """A column of the file that recipients are taken from."""

    _name = "sms.devino.recipient.add.column"
    _description = "Add Recipients: Column"
    _inherit = ["sms.devino.guarded"]
    _order = "index"

    add_id = fields.Many2one(
        "sms.devino.recipient.add", required=True, index=True, ondelete="cascade"
    )
    index = fields.Integer(required=True)
    letter = fields.Char(string="Column")
    title = fields.Char(string="Title in the file")
    role = fields.Selection(
        [
            ("phone", "Phone"),
            ("phone_2", "Phone, if the first is empty"),
            ("name", "Recipient name"),
            ("extra", "Further data"),
            ("consent_date", "Date of the consent to advertising"),
            ("consent_source", "Source of the consent"),
            ("skip", "Do not import"),
        ],
        string="Import as",
        required=True,
        default="skip",
    )
    name = fields.Char(string="Kept as")
    sample_1 = fields.Char(string="1st row")
    sample_2 = fields.Char(string="2nd row")
    sample_3 = fields.Char(string="3rd row")

    def _get_kept_name(self):
        """Return the name to keep the column under; semicolons separate such names."""
        return clean((self.name or "").replace(";", ","))
