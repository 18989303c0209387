from odoo import api, fields, models

from ..services.audience import contact_names
from ..services.source import extra_titles


class SmsDevinoAudience(models.AbstractModel):
    """Who gets messages: recipient lists, contacts, a spreadsheet.

    ``services.audience.Audience`` reads it.
    """

    _name = "sms.devino.audience"
    _description = "SMS Audience"

    model = fields.Selection(
        [("res.partner", "Contact")], required=True, default="res.partner"
    )
    domain = fields.Char(
        string="Contacts by a filter", help="Empty: no contacts by a filter."
    )
    list_ids = fields.Many2many(
        "sms.devino.recipient.list",
        string="Recipient lists",
        check_company=True,
        help="A number that stands in several of them gets one message.",
    )
    partner_ids = fields.Many2many(
        "res.partner", string="Chosen contacts", check_company=True
    )
    partner_count = fields.Integer(
        string="Number of chosen contacts", compute="_compute_partner_count"
    )
    source_file = fields.Binary(string="Spreadsheet", attachment=True)
    source_name = fields.Char(string="Name of the spreadsheet")
    source_columns = fields.Json(string="Columns of the spreadsheet")
    names = fields.Json(
        string="Values for the text",
        compute="_compute_names",
        help="What the text may take from each recipient.",
    )

    @api.depends("partner_ids")
    def _compute_partner_count(self):
        for record in self:
            record.partner_count = len(record.partner_ids)

    @api.depends("list_ids.columns", "source_columns")
    def _compute_names(self):
        """List the columns of lists and spreadsheet first, then fields of contacts."""
        of_contacts = [
            {"name": entry["name"], "label": entry["label"]}
            for entry in contact_names(self.env)
        ]
        for record in self:
            titles = [
                *(title for one in record.list_ids for title in one.columns or ()),
                *extra_titles(record.source_columns),
            ]
            record.names = [
                *({"name": title, "label": title} for title in dict.fromkeys(titles)),
                *of_contacts,
            ]

    def action_view_contacts(self):
        """Show the contacts that were chosen one by one."""
        self.ensure_one()
        return self.partner_ids._get_records_action(name=self.env._("Chosen contacts"))

    def action_clear_contacts(self):
        """Take the contacts that were chosen one by one out again."""
        self.check_access("write")
        self.write({"partner_ids": [fields.Command.clear()]})

    def action_clear_filter(self):
        """Take the contacts by a filter out again."""
        self.check_access("write")
        self.write({"domain": False})

    def action_clear_file(self):
        """Take the spreadsheet out again."""
        self.check_access("write")
        self.write(
            {"source_file": False, "source_name": False, "source_columns": False}
        )
