from odoo import api, fields, models


class SmsDevinoRecipientListImportSheet(models.TransientModel):
    _name = "sms.devino.recipient.list.import.sheet"
    _description = "Import Recipients: Sheet"

    import_id = fields.Many2one(
        "sms.devino.recipient.list.import",
        required=True,
        index=True,
        ondelete="cascade",
    )
    name = fields.Char(required=True)
    is_hidden = fields.Boolean(string="Hidden in Excel")

    @api.depends("name", "is_hidden")
    def _compute_display_name(self):
        for sheet in self:
            sheet.display_name = (
                self.env._("%(name)s (hidden)", name=sheet.name)
                if sheet.is_hidden
                else sheet.name
            )


class SmsDevinoRecipientListImportColumn(models.TransientModel):
    _name = "sms.devino.recipient.list.import.column"
    _description = "Import Recipients: Column"
    _order = "index"

    import_id = fields.Many2one(
        "sms.devino.recipient.list.import",
        required=True,
        index=True,
        ondelete="cascade",
    )
    index = fields.Integer(required=True)
    letter = fields.Char(string="Column")
    title = fields.Char(string="Title in the file")
    role = fields.Selection(
        [
            ("phone", "Phone"),
            ("name", "Recipient name"),
            ("extra", "Further data"),
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
