import base64
from itertools import islice
from pathlib import PurePath

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..services.sheet_words import as_user_error, describe
from ..tools.recipients import clean, unique_titles
from ..tools.sheet import (
    Column,
    Limits,
    Region,
    SheetError,
    find_header,
    guess_columns,
    open_book,
    signature,
)

HEAD_ROWS = 30
SAMPLE_ROWS = 3
# The file is read in slices, each as long as all before: an .xlsx has to be read from
# its beginning every time, and so the whole takes at most three times one reading.
FIRST_SLICE = 20_000
LIMITS = Limits(rows=500_000)
# Problems shown in the dialog; the file to download has all of them.
SHOWN_PROBLEMS = 200


class SmsDevinoRecipientListImport(models.TransientModel):
    """From a spreadsheet to a recipient list.

    The rows are read into :class:`SmsDevinoRecipientListImportRow` first, slice by
    slice, judged there by SQL, shown, and written into the list by one statement.
    """

    _name = "sms.devino.recipient.list.import"
    _description = "Import Recipients"
    _rec_name = "list_name"

    state = fields.Selection(
        [
            ("file", "File"),
            ("mapping", "Columns"),
            ("reading", "Reading"),
            ("preview", "Preview"),
        ],
        required=True,
        default="file",
    )
    list_id = fields.Many2one(
        "sms.devino.recipient.list", string="Recipient list", ondelete="cascade"
    )
    list_name = fields.Char(
        string="New list", help="Is made when no list is chosen above."
    )
    file = fields.Binary(attachment=True)
    filename = fields.Char()
    sheet_ids = fields.One2many(
        "sms.devino.recipient.list.import.sheet", "import_id", string="Sheets"
    )
    sheet_count = fields.Integer(compute="_compute_sheet_count")
    sheet_id = fields.Many2one(
        "sms.devino.recipient.list.import.sheet",
        domain="[('import_id', '=', id)]",
        ondelete="set null",
    )
    header_row = fields.Integer(
        string="Row with the titles",
        help="What stands above it is left out. 0: the sheet has no titles.",
    )
    file_note = fields.Char(compute="_compute_file_note")
    csv_note = fields.Char()
    signature = fields.Char()
    mapping_id = fields.Many2one(
        "sms.devino.import.mapping",
        string="Saved mapping",
        ondelete="set null",
        domain="[('signature', '=', signature)]",
    )
    save_as = fields.Char(
        string="Save the mapping as",
        help="Under this name it is proposed for the next file with the same titles.",
    )
    column_ids = fields.One2many(
        "sms.devino.recipient.list.import.column", "import_id", string="Columns"
    )
    update_existing = fields.Boolean(
        string="Update numbers that are in the list",
        default=True,
        help="They get name and data of the file. Otherwise they stay as they are.",
    )
    keep_wrong = fields.Boolean(
        string="Also keep rows with a wrong number",
        help="They stand in the list with what is wrong, to be corrected there. No "
        "message goes to them.",
    )
    position = fields.Integer(string="Rows read")
    total_count = fields.Integer(string="Rows", compute="_compute_counts")
    new_count = fields.Integer(string="New", compute="_compute_counts")
    updated_count = fields.Integer(string="Updated", compute="_compute_counts")
    unchanged_count = fields.Integer(string="Unchanged", compute="_compute_counts")
    duplicate_count = fields.Integer(string="Duplicates", compute="_compute_counts")
    wrong_count = fields.Integer(string="Wrong", compute="_compute_counts")
    note_count = fields.Integer(string="To check", compute="_compute_counts")
    problem_ids = fields.One2many(
        "sms.devino.recipient.list.import.row",
        string="What to look at",
        compute="_compute_shown_rows",
    )
    first_ids = fields.One2many(
        "sms.devino.recipient.list.import.row",
        string="First lines",
        compute="_compute_shown_rows",
    )

    # --- computes -------------------------------------------------------------------

    @api.depends("sheet_ids")
    def _compute_sheet_count(self):
        for wizard in self:
            wizard.sheet_count = len(wizard.sheet_ids)

    @api.depends("filename", "csv_note")
    def _compute_file_note(self):
        for wizard in self:
            parts = (wizard.filename, wizard.csv_note)
            wizard.file_note = ", ".join(filter(None, parts))

    @api.depends("state", "position")
    def _compute_counts(self):
        rows = self.env["sms.devino.recipient.list.import.row"]
        for wizard in self:
            domain = [("import_id", "=", wizard._origin.id)]
            counts = dict(rows._read_group(domain, ["action"], ["__count"]))
            wizard.total_count = sum(counts.values())
            for action in ("new", "updated", "unchanged", "duplicate", "wrong"):
                wizard[f"{action}_count"] = counts.get(action, 0)
            wizard.note_count = rows.search_count([*domain, ("kind", "=", "note")])

    @api.depends("state", "position")
    def _compute_shown_rows(self):
        rows = self.env["sms.devino.recipient.list.import.row"]
        for wizard in self:
            domain = [("import_id", "=", wizard._origin.id)]
            wizard.problem_ids = rows.search(
                [*domain, ("kind", "!=", False)],
                order="kind, row_number",
                limit=SHOWN_PROBLEMS,
            )
            wizard.first_ids = rows.search(
                [*domain, ("action", "in", ("new", "updated", "unchanged"))],
                order="row_number",
                limit=SAMPLE_ROWS,
            )

    # --- the file -------------------------------------------------------------------

    def action_open_file(self):
        """Open the file and propose which column is what.

        :raise UserError: why the file cannot be imported
        """
        self.ensure_one()
        if not self.file:
            raise UserError(self.env._("File: choose an .xlsx, .xls or .csv file."))
        if not self.list_id and not self.list_name:
            self.list_name = PurePath(self.filename or "").stem
        book = self._book()
        self.sheet_ids.unlink()
        self.sheet_ids = [
            fields.Command.create({"name": name, "is_hidden": name in book.hidden})
            for name in book.sheets
        ]
        self.sheet_id = self.sheet_ids[:1]
        self.csv_note = self._describe_csv(book)
        self._propose(self._head(book))
        self.state = "mapping"
        return self._reopen()

    def _book(self):
        content = self._origin.with_context(bin_size=False).file or b""
        try:
            return open_book(
                base64.b64decode(content),
                self.filename,
                limits=LIMITS,
                region=self._region(),
            )
        except SheetError as error:
            raise as_user_error(self.env, error) from error

    def _country_code(self):
        lists = self.env["sms.devino.recipient.list"]
        return (self.list_id.country_id or lists._default_country_id()).code

    def _region(self):
        """Return how numbers and dates are written in the user's language."""
        lang = self.env["res.lang"]._get_data(code=self.env.lang or "en_US")
        if not lang:
            return Region()
        return Region(
            decimal=lang.decimal_point,
            thousands=lang.thousands_sep or "",
            date_format=lang.date_format,
            time_format=lang.time_format,
        )

    def _describe_csv(self, book):
        """Return how a .csv was read, for the user to check."""
        if book.kind != "csv":
            return False
        separators = {"\t": self.env._("tab"), "": self.env._("none")}
        return self.env._(
            "encoding: %(encoding)s, separator: %(separator)s",
            encoding=book.encoding,
            separator=separators.get(book.separator, book.separator),
        )

    def _head(self, book):
        """Return the first rows of the chosen sheet."""
        try:
            return list(book.rows(self.sheet_id.name, limit=HEAD_ROWS))
        except SheetError as error:
            raise as_user_error(self.env, error) from error

    # --- the columns ----------------------------------------------------------------

    @api.onchange("sheet_id")
    def _onchange_sheet_id(self):
        """Look for the titles of another sheet."""
        if self.state == "mapping" and self.sheet_id:
            self._propose(self._head(self._book()))

    @api.onchange("header_row")
    def _onchange_header_row(self):
        if self.state == "mapping" and self.sheet_id:
            self._propose_columns(self._head(self._book()))

    @api.onchange("mapping_id")
    def _onchange_mapping_id(self):
        roles = self.mapping_id.columns or []
        for column, role in zip(self.column_ids.sorted("index"), roles, strict=False):
            column.role, column.name = role["role"], role["name"]

    def _propose(self, head):
        """Find the row with the titles, and propose what the columns are."""
        values = [row.values for row in head]
        own = values and self._is_own(values[0])
        header = 0 if own else find_header(values)
        self.header_row = 0 if header is None else header + 1
        self._propose_columns(head)

    def _propose_columns(self, head):
        """Propose what each column is: as saved, as we wrote it, or by its looks."""
        header = self._header_values(head)
        below = [row.values for row in head[max(self.header_row, 0) :]]
        self.signature = signature(header) if any(header) else False
        self.mapping_id = self.signature and self.env[
            "sms.devino.import.mapping"
        ]._find(self.signature)
        if self.mapping_id:
            roles = [column["role"] for column in self.mapping_id.columns]
            names = [column["name"] for column in self.mapping_id.columns]
        else:
            roles = self._own_roles(header) or self._guessed_roles(header, below)
            names = []
        self.column_ids = [
            fields.Command.clear(),
            *map(fields.Command.create, self._lines(header, below, roles, names)),
        ]

    def _header_values(self, head):
        if not 0 < self.header_row <= len(head):
            return []
        return [clean(title) for title in head[self.header_row - 1].values]

    @api.model
    def _lines(self, header, below, roles, names):
        """Return the values of one line of the mapping for each column."""
        width = max([len(header), *map(len, below)], default=0)
        titles = [*header, *[""] * (width - len(header))]
        roles = [*roles, *["skip"] * width][:width]
        kept = [
            index for index in range(width) if roles[index] not in ("phone", "name")
        ]
        proposed = dict(
            zip(
                kept,
                unique_titles(
                    " ".join(titles[index].split())
                    or self.env._("Column %(letter)s", letter=column_letter(index))
                    for index in kept
                ),
                strict=True,
            )
        )
        samples = [row for row in below if any(row)][:SAMPLE_ROWS]
        return [
            {
                "index": index,
                "letter": column_letter(index),
                "title": titles[index],
                "role": roles[index],
                "name": "".join(names[index : index + 1]) or proposed.get(index),
                **{
                    f"sample_{number}": row[index]
                    for number, row in enumerate(samples, start=1)
                    if index < len(row)
                },
            }
            for index in range(width)
        ]

    @api.model
    def _guessed_roles(self, header, below):
        """Return the role of each column, by titles and contents."""
        guess = guess_columns(header, below)
        width = max([len(header), *map(len, below)], default=0)
        roles = ["skip"] * width
        for index in guess["extra"]:
            roles[index] = "extra"
        for role in ("phone", "name"):
            if guess[role] is not None:
                roles[guess[role]] = role
        return roles

    def _is_own(self, header):
        return bool(self._own_roles([clean(title) for title in header]))

    def _own_roles(self, header):
        """Return the roles of the columns of a file that we have written, or []."""
        for code, _name in self.env["res.lang"].get_installed():
            titles = self.env["sms.devino.export"].with_context(lang=code)._own_titles()
            if header[:2] == [titles["phone"], titles["name"]]:
                left_out = (titles["row"], titles["reason"])
                rest = [
                    "skip" if t in left_out or not t else "extra" for t in header[2:]
                ]
                return ["phone", "name", *rest]
        return []

    def _extra_columns(self):
        """Return the names of the extra columns, in the order of the file."""
        extra = self.column_ids.filtered(lambda column: column.role == "extra")
        # The list shows its columns separated by semicolons.
        names = (column.name or "" for column in extra.sorted("index"))
        return [clean(name.replace(";", ",")) for name in names]

    # --- reading --------------------------------------------------------------------

    def action_read(self):
        """Check the mapping and begin to read the file; the web client goes on."""
        self.ensure_one()
        self._check_mapping()
        self.env["sms.devino.recipient.list.import.row"]._drop(self)
        self.position = 0
        self.state = "reading"
        return self._reopen()

    def _check_mapping(self):
        roles = self.column_ids.mapped("role")
        if roles.count("phone") != 1:
            raise UserError(
                self.env._("Columns: choose the one column that has the phone numbers.")
            )
        names = self._extra_columns()
        if not all(names):
            raise UserError(self.env._("Columns: name each column that is kept."))
        if len(unique_titles(names)) != len({name.casefold() for name in names}):
            raise UserError(
                self.env._("Columns: two of them are kept under the same name.")
            )

    def read_slice(self):
        """Read some more rows of the file; called until it says that it is done.

        :return: dict of ``read`` (rows read so far), ``done`` and, when the file
            cannot be read any further, ``error``
        """
        self.ensure_one()
        self.check_access("write")
        if self.state != "reading":
            return {"read": self.position, "done": True}
        start = max(self.position, self.header_row)
        limit = max(FIRST_SLICE, self.position)
        try:
            rows = self._book().rows(self.sheet_id.name)
            rows = list(islice(rows, start, start + limit))
        except SheetError as error:
            self.state = "mapping"
            return {
                "read": self.position,
                "done": True,
                "error": describe(self.env, error),
            }
        self.env["sms.devino.recipient.list.import.row"]._stage(self, rows)
        self.position = start + len(rows)
        if len(rows) < limit:
            self._judge()
            self.state = "preview"
        return {"read": self.position, "done": self.state == "preview"}

    def _judge(self):
        """Decide what becomes of each row, by a few statements."""
        rows = self.env["sms.devino.recipient.list.import.row"]
        rows._mark_repeated(self)
        record_list = self.list_id
        rows.flush_model()
        self.env["sms.devino.recipient"].flush_model()
        classified = record_list._classified(
            rows._source(self), update_existing=self.update_existing
        )
        self.env.cr.execute(
            SQL(
                """UPDATE sms_devino_recipient_list_import_row r
                      SET action = c.action,
                          kind = CASE
                              WHEN c.action = 'wrong' THEN 'error'
                              WHEN c.action = 'duplicate' THEN 'twice'
                              WHEN r.others IS NOT NULL OR r.cell_error IS NOT NULL
                              THEN 'note'
                          END
                     FROM (%s) c
                    WHERE r.import_id = %s AND r.row_number = c.position""",
                classified,
                self.id,
            )
        )
        rows.invalidate_model()
        self.invalidate_recordset()

    def action_back(self):
        """Return to the step before."""
        self.ensure_one()
        if self.state == "mapping":
            self.state = "file"
        else:
            self.state = "mapping"
        return self._reopen()

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Import from a File"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "dialog_size": "extra-large",
                "sms_devino_from_list": self.env.context.get("sms_devino_from_list"),
            },
        }

    # --- the result -----------------------------------------------------------------

    def action_import(self):
        """Write the rows into the list, all at once or none.

        :return: action that tells the counts and opens the list
        """
        self.ensure_one()
        if self.state != "preview":
            raise UserError(self.env._("Look at the preview first."))
        record_list = self.list_id
        if not record_list:
            name = self.list_name or PurePath(self.filename or "").stem
            record_list = record_list.create({"name": name or self.env._("New list")})
        record_list.check_access("write")
        rows = self.env["sms.devino.recipient.list.import.row"]
        record_list._lock()
        counts = record_list._merge(
            rows._source(self),
            update_existing=self.update_existing,
            keep_wrong=self.keep_wrong,
        )
        record_list._add_columns(self._extra_columns())
        record_list._link_contacts()
        self._save_mapping()
        rows._drop(self)
        self.file = False
        return record_list._notify_added(counts)

    def _save_mapping(self):
        if not self.save_as or not self.signature:
            return
        columns = [
            {"role": column.role, "name": column.name or column.title or ""}
            for column in self.column_ids.sorted("index")
        ]
        self.env["sms.devino.import.mapping"]._save(
            self.save_as, self.signature, columns
        )

    def action_download_problems(self):
        """Download the rows that are not imported, to correct and import them."""
        self.ensure_one()
        titles = self.env["sms.devino.export"]._own_titles()
        names = self._extra_columns()
        columns = [
            Column("phone", titles["phone"]),
            Column("name", titles["name"], width=30),
            *(Column(f"extra_{index}", name) for index, name in enumerate(names)),
            Column("row", titles["row"], "integer"),
            Column("reason", titles["reason"], width=60),
        ]
        problems = self.env["sms.devino.recipient.list.import.row"].search(
            [("import_id", "=", self.id), ("action", "in", ("wrong", "duplicate"))],
            order="row_number",
        )
        rows = (
            [
                row.number_raw,
                row.name,
                *((row.data or {}).get(name) for name in names),
                row.row_number,
                row.reason,
            ]
            for row in problems
        )
        name = self.env._("Rows to correct")
        return self.env["sms.devino.export"]._download(name, columns, rows, "xlsx")


def column_letter(index: int) -> str:
    """Return what Excel calls the column: 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
