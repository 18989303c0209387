import base64

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..services.sheet_words import as_user_error
from ..services.source import own_titles
from ..tools.sheet import Column, SheetError, write_xls, write_xlsx

WRITERS = {"xlsx": write_xlsx, "xls": write_xls}
# Records read into memory at once.
PAGE = 5_000


class SmsDevinoExport(models.TransientModel):
    """A spreadsheet on its way to the browser of whoever asked for it."""

    # A file for a moment, and no dialog: models may make it.
    # pylint: disable=no-wizard-in-models
    _name = "sms.devino.export"
    _description = "SMS Export"

    name = fields.Char(required=True, readonly=True)
    content = fields.Binary(required=True, readonly=True, attachment=True)

    @api.model
    def _download(self, name, columns, rows, file_format):
        """Write a spreadsheet and return the action that downloads it.

        :param str name: title of the sheet and, with its ending, name of the file
        :param list columns: ``tools.sheet.Column``
        :param rows: iterable of sequences in the order of the columns
        :param str file_format: ``xlsx`` or ``xls``
        :raise UserError: when the format cannot hold so much
        """
        if file_format not in WRITERS:
            raise UserError(self.env._("Choose .xlsx or .xls."))
        try:
            content = WRITERS[file_format](columns, rows, sheet=name)
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
        self._check_may_export()
        titles = own_titles(self.env)
        extra = record_list.columns or []
        columns = [
            Column("phone", titles["phone"]),
            Column("name", titles["name"], width=30),
            *(Column(f"extra_{index}", title) for index, title in enumerate(extra)),
        ]
        rows = (
            [line["number_raw"], line["name"], *map(line["data"].get, extra)]
            for line in record_list._read_lines()
        )
        return self._download(record_list.name, columns, rows, file_format)

    # --- messages of the journal ----------------------------------------------------

    @api.model
    def _download_messages(self, messages, file_format, name=None):
        """Download messages with statuses in words, ids and prices.

        :param messages: ``sms.devino.message``; access is checked
        :param str name: title of the sheet; "SMS journal" without it
        """
        messages.check_access("read")
        self._check_may_export()
        columns = self._message_columns()
        rows = self._rows_of_messages(messages, [column.key for column in columns])
        return self._download(
            name or self.env._("SMS journal"), columns, rows, file_format
        )

    @api.model
    def _message_columns(self):
        """Return the columns of an exported journal, titled as on the screen."""
        kinds = {"datetime": "datetime", "integer": "integer", "float": "number"}
        widths = {"body": 60, "gateway_ids": 30, "reason": 40, "partner_id": 30}
        fields_of = self.env["sms.devino.message"]._fields
        return [
            Column(
                key,
                fields_of[key]._description_string(self.env) or key,
                kinds.get(fields_of[key].type, "text"),
                widths.get(key, 20),
            )
            for key in (
                "number",
                "name",
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
        ]

    def _rows_of_messages(self, messages, keys):
        """Yield the values of each message as a person reads them."""
        fields_of = messages._fields
        labels = {
            key: dict(fields_of[key]._description_selection(self.env))
            for key in keys
            if fields_of[key].type == "selection"
        }
        for start in range(0, len(messages), PAGE):
            # A recordset of its own keeps the cache as small as the page.
            page = messages.browse(messages.ids[start : start + PAGE])
            for message in page:
                yield [self._shown(message, key, labels) for key in keys]
            page.invalidate_recordset()

    @api.model
    def _shown(self, message, key, labels):
        value = message[key]
        kind = message._fields[key].type
        if kind == "selection":
            return labels[key].get(value)
        if kind == "many2one":
            return value.sudo().display_name if value else None
        if kind == "datetime" and value:
            local = fields.Datetime.context_timestamp(message, value)
            return local.replace(tzinfo=None, microsecond=0)
        # A price of nothing is one that the provider has not told.
        return None if key == "cost" and not value else value
