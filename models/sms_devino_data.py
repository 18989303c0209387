from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.sql import escape_psql


class SmsDevinoData(models.AbstractModel):
    """What a list or a file knows of a recipient beside number and name."""

    _name = "sms.devino.data"
    _description = "Further Data of a Recipient"

    data = fields.Json(string="Further data")
    data_text = fields.Char(
        string="Further data as text",
        compute="_compute_data_text",
        search="_search_data_text",
    )

    @api.depends("data")
    def _compute_data_text(self):
        for record in self:
            data = record.data or {}
            known = [title for title in record._get_data_titles() if title in data]
            rest = [title for title in data if title not in known]
            record.data_text = " · ".join(
                f"{title}: {data[title]}" for title in [*known, *rest]
            )

    def _get_data_titles(self):
        """Return the titles that come first, in this order."""
        return []

    @api.model
    def _search_data_text(self, operator, value):
        if operator not in ("ilike", "like"):
            return NotImplemented

        def to_sql(model, alias, query):
            return SQL(
                """EXISTS (SELECT FROM jsonb_each_text(%s) AS e(key, value)
                            WHERE e.value ILIKE %s)""",
                SQL.identifier(alias, "data"),
                f"%{escape_psql(value)}%",
            )

        return Domain.custom(to_sql=to_sql)
