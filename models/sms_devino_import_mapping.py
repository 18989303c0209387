from odoo import api, fields, models

from ..tools.shapes import MAPPING


class SmsDevinoImportMapping(models.Model):
    """Which column of a spreadsheet is what, kept for the next file with the same
    titles."""

    _name = "sms.devino.import.mapping"
    _description = "SMS Import Mapping"
    _inherit = ["sms.devino.guarded"]
    _order = "write_date desc, id desc"
    _json_shapes = {"columns": MAPPING}

    name = fields.Char(required=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    signature = fields.Char(
        required=True,
        readonly=True,
        index=True,
        help="A fingerprint of the titles of the file that the mapping was made for.",
    )
    columns = fields.Json(
        required=True,
        readonly=True,
        help="For each column of the file, in order, its role and the name it is kept "
        "under.",
    )
    columns_text = fields.Char(string="Contents", compute="_compute_columns_text")

    _name_uniq = models.Constraint(
        "unique(company_id, name)", "There is a mapping of this name already."
    )

    @api.depends("columns")
    def _compute_columns_text(self):
        for record in self:
            record.columns_text = ", ".join(
                column["name"]
                for column in record.columns or []
                if column["role"] != "skip"
            )

    @api.model
    def _find(self, signature):
        """Return the mapping last saved for files with the same titles."""
        return self.search(
            [("signature", "=", signature), ("company_id", "=", self.env.company.id)],
            limit=1,
        )

    @api.model
    def _save(self, name, signature, columns):
        """Keep a mapping under a name; one of the same name is replaced.

        :param list columns: dicts of ``role`` and ``name``, one for each column
        """
        values = {"signature": signature, "columns": columns}
        known = self.search(
            [("name", "=", name), ("company_id", "=", self.env.company.id)]
        )
        if known:
            known.write(values)
            return known
        return self.create({"name": name, **values})
