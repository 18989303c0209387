import base64

from odoo import api, fields, models
from odoo.exceptions import AccessError, MissingError, UserError

from ..services.batch_report import GROUPS, find_cause, match_rows
from ..services.sheet_words import as_user_error
from ..services.source import column_letter, own_titles, read_table
from ..tools.sheet import Column, SheetError, write_xls, write_xlsx

WRITERS = {"xlsx": write_xlsx, "xls": write_xls}
# Records read into memory at once.
PAGE = 5_000
# The columns of saved messages.
MESSAGE_FIELDS = (
    "number",
    "name",
    "data_text",
    "partner_id",
    "sender_name",
    "body",
    "mode",
    "state",
    "message_status",
    "operation_status",
    "reason",
    "gateway_ids",
    "segment_count",
    "cost_estimated",
    "cost",
    "create_date",
    "scheduled_at",
    "claimed_at",
    "accepted_at",
    "submitted_at",
    "delivered_at",
    "author_id",
    "account_id",
    "uuid",
)


class SmsDevinoExport(models.TransientModel):
    """A spreadsheet on its way to the browser of the person who asked for it."""

    # A file for a moment, and no dialog: models may make it.
    # pylint: disable=no-wizard-in-models
    _name = "sms.devino.export"
    _description = "SMS Export"
    _inherit = ["sms.devino.guarded"]

    name = fields.Char(readonly=True)
    content = fields.Binary(readonly=True, attachment=True)
    batch_id = fields.Many2one(
        "sms.devino.batch", string="Mass sending", readonly=True, ondelete="cascade"
    )
    which = fields.Selection(
        [
            ("all", "All"),
            ("delivered", "Delivered"),
            ("sent", "Sent, no report yet"),
            ("failed", "Failed or not delivered"),
            ("unknown", "Outcome not known"),
            ("waiting", "Waiting"),
            ("canceled", "Canceled"),
            ("left_out", "Left out"),
        ],
        string="Rows",
        required=True,
        default="all",
    )

    @api.model
    def _download(self, name, columns, rows, file_format, **options):
        """Write a spreadsheet and return the action that downloads it.

        :param str name: title of the sheet and, with its ending, name of the file
        :param list columns: ``tools.sheet.Column``
        :param rows: iterable of sequences in the order of the columns
        :param str file_format: ``xlsx`` or ``xls``
        :param options: as the writer takes them
        :raise UserError: when the format cannot hold so much
        """
        if file_format not in WRITERS:
            raise UserError(self.env._("Choose .xlsx or .xls."))
        try:
            content = WRITERS[file_format](columns, rows, sheet=name, **options)
        except SheetError as error:
            raise as_user_error(self.env, error) from error
        export = self.create(
            {
                "name": f"{name}.{file_format}",
                "content": base64.b64encode(content),
            }
        )
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{export.id}/content"
            "?download=true&filename_field=name",
            "target": "download",
        }

    def _check_may_export(self):
        """Hold to Odoo's own right to export.

        :raise AccessError: for a user who does not have it
        """
        if not self.env.su and not self.env.user.has_group("base.group_allow_export"):
            raise AccessError(self.env._("You do not have the right to export data."))

    # --- a recipient list -----------------------------------------------------------

    @api.model
    def _download_list(self, record_list, file_format):
        """Download a recipient list, such that it can be imported unchanged."""
        record_list.check_access("read")
        if not record_list.exists():
            raise MissingError(self.env._("There is no such record."))
        self._check_may_export()
        titles = own_titles(self.env)
        extra = record_list.columns or []
        columns = [
            Column(titles["phone"]),
            Column(titles["name"], width=30),
            *map(Column, extra),
        ]
        rows = (
            [line["number_raw"], line["name"], *map(line["data"].get, extra)]
            for line in record_list._read_lines()
        )
        return self._download(record_list.name, columns, rows, file_format)

    # --- an import ------------------------------------------------------------------

    @api.model
    def _download_sample(self):
        """Download a spreadsheet that can be imported as it is, to be filled in."""
        titles = own_titles(self.env)
        columns = [
            Column(titles["phone"]),
            Column(titles["name"], width=30),
            Column(self.env._("City")),
        ]
        rows = [["+7 921 456-37-63", self.env._("Anna"), self.env._("Moscow")]]
        return self._download(self.env._("Recipients"), columns, rows, "xlsx")

    @api.model
    def _download_problems(self, filling, rows, extra):
        """Download the rows that are not imported, to be corrected and imported.

        :param filling: ``services.filling.Filling``
        :param rows: as it takes them
        :param list extra: names of further columns
        """
        titles = own_titles(self.env)
        columns = [
            Column(titles["phone"]),
            Column(titles["name"], width=30),
            *map(Column, extra),
            Column(titles["row"], "integer"),
            Column(titles["reason"], width=60),
        ]
        problems = (
            [
                line.row["number_raw"],
                line.row["name"],
                *map((line.row.get("data") or {}).get, extra),
                line.row.get("row"),
                filling.describe(line),
            ]
            for page in filling.pages(rows)
            for line in page
            if line.action in ("wrong", "duplicate")
        )
        name = self.env._("Rows to correct")
        return self._download(name, columns, problems, "xlsx")

    # --- a mass sending -------------------------------------------------------------

    @api.model
    def _ask(self, batch):
        """Return the action that asks which rows of a mass sending to save."""
        self._check_may_export()
        title = self.env._("Save the Results")
        form = self.create({"batch_id": batch.id})
        return form._get_records_action(name=title, target="new", context={})

    def action_save(self):
        """Download the results of the mass sending as .xlsx.

        Recipients from a file come back as that file, with their results beside.
        """
        self.ensure_one()
        self.check_access("read")
        batch = self.batch_id
        if not batch:
            raise MissingError(self.env._("There is no such record."))
        batch._check_may_send()
        self._check_may_export()
        columns = batch.source_columns
        if batch.source_file and not (columns or {}).get("pasted"):
            return self._download_results(batch)
        messages = self.env["sms.devino.message"].search(
            [("batch_id", "=", batch.id), ("state", "in", self._states())], order="id"
        )
        return self._download_messages(messages, batch.name)

    def _states(self):
        """Return the states of messages that were chosen."""
        if self.which == "all":
            return [state for group in GROUPS.values() for state in group] + [
                "left_out"
            ]
        return list(GROUPS.get(self.which, ("left_out",)))

    def _download_results(self, batch):
        """Download the file that the recipients came from, with what became of each.

        All rows come back in their order, those that a filter hides as hidden ones.
        """
        content = base64.b64decode(batch.with_context(bin_size=False).source_file)
        titles, rows = read_table(
            self.env, content, batch.source_name, batch.source_columns
        )
        found = match_rows(batch, [raw for _cells, raw in rows])
        width = max([len(titles), *(len(cells) for cells, _raw in rows)])
        titles += [column_letter(index) for index in range(len(titles), width)]
        columns = [
            *map(Column, titles),
            *self._result_columns(),
        ]
        hidden = [at for at, (_cells, raw) in enumerate(rows, start=1) if raw is None]
        return self._download(
            batch.name,
            columns,
            self._rows_of_results([cells for cells, _raw in rows], found, width),
            "xlsx",
            hidden=hidden if self.which == "all" else (),
        )

    def _result_columns(self):
        return [
            Column(self.env._("Number as sent")),
            Column(self.env._("Status"), width=24),
            Column(self.env._("Sent at"), "datetime", 20),
            Column(self.env._("Segments"), "integer"),
            Column(self.env._("Price"), "number"),
            Column(self.env._("Reason"), width=40),
        ]

    def _rows_of_results(self, rows, ids, width):
        messages = self.env["sms.devino.message"]
        names = ("state", "reason", "operation_status", "message_status")
        labels = {
            name: dict(messages._fields[name]._description_selection(self.env))
            for name in names
        }
        wanted = self._states()
        for start in range(0, len(rows), PAGE):
            page = messages.browse(filter(None, ids[start : start + PAGE]))
            for cells, message_id in zip(
                rows[start : start + PAGE], ids[start : start + PAGE], strict=True
            ):
                message = messages.browse(message_id).with_prefetch(page.ids)
                padded = [*cells, *[None] * (width - len(cells))]
                if not message and self.which == "all":
                    yield padded + [None] * len(self._result_columns())
                if message.state not in wanted:
                    continue
                field, value = find_cause(*(message[name] for name in names))
                yield [
                    *padded,
                    message.number,
                    labels["state"][message.state],
                    self._local(message.accepted_at),
                    message.segment_count or None,
                    message.cost or None,
                    labels[field][value] if field != "state" else None,
                ]
            page.invalidate_recordset()

    # --- messages of the journal ----------------------------------------------------

    @api.model
    def _download_messages(self, messages, name):
        """Download messages with statuses in words, ids and prices.

        :param messages: ``sms.devino.message`` that the user may read
        :param str name: title of the sheet
        """
        kinds = {"datetime": "datetime", "integer": "integer", "float": "number"}
        widths = {"body": 60, "gateway_ids": 30, "reason": 40, "partner_id": 30}
        columns = []
        for key in MESSAGE_FIELDS:
            field = messages._fields[key]
            title = field._description_string(self.env) or key
            kind = kinds.get(field.type, "text")
            columns.append(Column(title, kind, widths.get(key, 20)))
        return self._download(name, columns, self._rows_of_messages(messages), "xlsx")

    def _rows_of_messages(self, messages):
        """Yield the values of each message, as Odoo's own export words them."""
        for start in range(0, len(messages), PAGE):
            # A recordset of its own keeps the cache as small as the page.
            page = messages.browse(messages.ids[start : start + PAGE])
            # in sudo: names of contacts that the user may not read
            for row in page.sudo().export_data(MESSAGE_FIELDS)["datas"]:
                values = dict(zip(MESSAGE_FIELDS, row, strict=True))
                # A price of nothing is one that the provider has not told.
                values["cost"] = values["cost"] or None
                yield [None if value == "" else value for value in values.values()]
            page.invalidate_recordset()

    def _local(self, moment):
        """Return a moment by the clock of the user, as a spreadsheet holds it."""
        if not moment:
            return None
        local = fields.Datetime.context_timestamp(self, moment)
        return local.replace(tzinfo=None, microsecond=0)
