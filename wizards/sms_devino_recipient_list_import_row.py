import json

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools import phone
from ..tools.phone import SENDABLE
from ..tools.recipients import clean


class SmsDevinoRecipientListImportRow(models.TransientModel):
    _name = "sms.devino.recipient.list.import.row"
    _description = "Import Recipients: Row"
    _order = "row_number"

    import_id = fields.Many2one(
        "sms.devino.recipient.list.import",
        required=True,
        ondelete="cascade",
    )
    row_number = fields.Integer(string="Row", required=True, aggregator=None)
    name = fields.Char(string="Recipient name")
    number_raw = fields.Char(string="Value")
    data = fields.Json(string="Further data")
    number = fields.Char()
    reading = fields.Char(string="Reading on the number")
    others = fields.Char(string="Further numbers")
    cell_error = fields.Char(
        help="Column and text of a cell with an error, or a formula without a result."
    )
    first_row = fields.Integer(help="The row that has the same number.")
    action = fields.Char()
    kind = fields.Selection(
        [("error", "Error"), ("note", "Note"), ("twice", "Duplicate")]
    )
    column_title = fields.Char(string="Column", compute="_compute_reason")
    reason = fields.Text(string="What is wrong", compute="_compute_reason")
    data_text = fields.Char(string="Data as text", compute="_compute_data_text")

    _import_idx = models.Index("(import_id, row_number)")
    _problem_idx = models.Index("(import_id, kind, row_number) WHERE kind IS NOT NULL")

    @api.depends("data")
    def _compute_data_text(self):
        for row in self:
            data = row.data or {}
            titles = row.import_id._extra_columns()
            row.data_text = " · ".join(
                f"{title}: {data[title]}" for title in titles if title in data
            )

    @api.depends("reading", "action", "others", "cell_error")
    def _compute_reason(self):
        for row in self:
            columns = row.import_id.column_ids
            phones = columns.filtered(lambda column: column.role == "phone")
            row.column_title = phones.title or phones.letter
            row.reason = row._describe()

    def _describe(self):
        """Return what is to be said about this row."""
        self.ensure_one()
        if self.first_row:
            return self.env._(
                "%(number)s stands in row %(row)s already.",
                number=self.number,
                row=self.first_row,
            )
        if self.action == "duplicate":
            return self.env._("%(number)s is in the list already.", number=self.number)
        recipients = self.env["sms.devino.recipient"]
        if self.cell_error and self.action == "wrong":
            return self.cell_error
        if self.others or self.action == "wrong":
            return recipients._sentence(
                self.reading,
                self.number_raw or "",
                self.number or "",
                self.others or "",
            )
        return self.cell_error

    # --- by SQL ---------------------------------------------------------------------

    @api.model
    def _stage(self, wizard, rows):
        """Keep rows of the file, read by the mapping; empty ones are left out.

        :param list rows: ``tools.sheet.Row``
        """
        columns = [
            (
                column.index,
                column.role,
                clean((column.name or "").replace(";", ",")),
                column.title or column.letter,
            )
            for column in wizard.column_ids.sorted("index")
            if column.role != "skip"
        ]
        staged = [self._values(row, columns) for row in rows if row.values]
        if not staged:
            return
        readings = phone.read_many(
            (values["number_raw"] for values in staged), wizard._country_code()
        )
        pairs = zip(staged, readings, strict=True)
        columns = zip(*(self._staged(*pair) for pair in pairs), strict=True)
        types = ("int4", "varchar", "varchar", "jsonb", *("varchar",) * 4)
        arrays = SQL(", ").join(
            SQL("%s::%s[]", list(column), SQL(kind))
            for column, kind in zip(columns, types, strict=True)
        )
        self.env.cr.execute(
            SQL(
                """INSERT INTO sms_devino_recipient_list_import_row
                          (create_uid, create_date, write_uid, write_date, import_id,
                           row_number, name, number_raw, data, number, reading, others,
                           cell_error)
                   SELECT %(uid)s, %(now)s, %(uid)s, %(now)s, %(wizard)s, s.*
                     FROM unnest(%(arrays)s) s""",
                uid=self.env.uid,
                now=self.env.cr.now(),
                wizard=wizard.id,
                arrays=arrays,
            )
        )

    @api.model
    def _staged(self, values, reading):
        """Return the columns of a row, in the order in which they are written."""
        return (
            values["row_number"],
            values["name"] or None,
            reading.raw or None,
            values["data"],
            reading.e164,
            reading.code,
            ", ".join(reading.others) or None,
            values["cell_error"],
        )

    @api.model
    def _values(self, row, columns):
        """Return name, number and data of one row of the file."""
        found = {"phone": [], "name": []}
        data = {}
        errors = []
        for index, role, name, title in columns:
            text = clean(row.values[index]) if index < len(row.values) else ""
            if index in row.errors:
                errors.append(self._describe_cell(title, text))
                text = text if role == "phone" else ""
            if not text:
                continue
            if role == "extra":
                data[name] = text
            else:
                found[role].append(text)
        return {
            "row_number": row.number,
            "name": " ".join(found["name"]),
            "number_raw": "".join(found["phone"]),
            "data": json.dumps(data, ensure_ascii=False) if data else None,
            "cell_error": " ".join(errors) or None,
        }

    @api.model
    def _describe_cell(self, title, text):
        if text:
            return self.env._(
                "%(column)s: the cell holds the error %(error)s.",
                column=title,
                error=text,
            )
        return self.env._(
            "%(column)s: the result of the formula was not saved. Open the file in "
            "Excel and save it anew.",
            column=title,
        )

    @api.model
    def _mark_repeated(self, wizard):
        """Mark all but the first row with the same number as duplicates."""
        self.env.cr.execute(
            SQL(
                """UPDATE sms_devino_recipient_list_import_row r
                      SET reading = 'duplicate', first_row = f.first_row
                     FROM (SELECT id, row_number,
                                  min(row_number) OVER (PARTITION BY number) first_row
                             FROM sms_devino_recipient_list_import_row
                            WHERE import_id = %s AND reading = ANY(%s)) f
                    WHERE r.id = f.id AND f.row_number > f.first_row""",
                wizard.id,
                list(SENDABLE),
            )
        )

    @api.model
    def _source(self, wizard):
        """Return the rows as a query that the list's ``_merge`` takes."""
        return SQL(
            """SELECT row_number AS position, name, number_raw,
                      NULL::int4 AS partner_id, data, number, reading, others
                 FROM sms_devino_recipient_list_import_row
                WHERE import_id = %s""",
            wizard.id,
        )

    @api.model
    def _drop(self, wizard):
        """Delete the rows of an import, by one statement."""
        self.env.cr.execute(
            SQL(
                "DELETE FROM sms_devino_recipient_list_import_row WHERE import_id = %s",
                wizard.id,
            )
        )
        self.invalidate_model()
        wizard.invalidate_recordset(["problem_ids", "first_ids"])
