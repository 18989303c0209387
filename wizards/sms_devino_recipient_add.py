import base64

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain

from ..services import consent, list_import
from ..services.audience import read_filter
from ..services.filling import Filling
from ..services.records import read_ids
from ..services.sheet_words import describe
from ..services.source import (
    ENCODING_NAMES,
    check_columns,
    contact_rows,
    describe_book,
    find_header_row,
    label_sheets,
    open_source,
    pasted_as_source,
    propose_columns,
    read_head,
    read_rows,
    titles_of,
)
from ..services.words import notify
from ..tools.recipients import clean
from ..tools.shapes import PREVIEW, fits
from ..tools.sheet import signature


class SmsDevinoRecipientAdd(models.TransientModel):
    """Asks whom to send to: for a new mass sending, a draft or a recipient list."""

    _name = "sms.devino.recipient.add"
    _description = "Add Recipients"
    _inherit = ["sms.devino.guarded"]

    state = fields.Selection(
        [("source", "Whom"), ("columns", "Columns"), ("preview", "Preview")],
        required=True,
        default="source",
    )
    batch_id = fields.Many2one(
        "sms.devino.batch", string="Mass sending", ondelete="cascade"
    )
    list_id = fields.Many2one(
        "sms.devino.recipient.list", string="Recipient list", ondelete="cascade"
    )
    source = fields.Selection(
        [
            ("paste", "Pasted numbers"),
            ("file", "A spreadsheet"),
            ("lists", "Recipient lists"),
            ("contacts", "Chosen contacts"),
            ("filter", "Contacts by a filter"),
        ],
        string="Recipients from",
        required=True,
        default="paste",
    )
    list_ids = fields.Many2many("sms.devino.recipient.list", string="Recipient lists")
    partner_ids = fields.Many2many(
        "res.partner", string="Contacts", domain=[("phone", "!=", False)]
    )
    domain = fields.Char(string="Filter", default="[]", required=True)
    contact_count = fields.Integer(string="Chosen", compute="_compute_contact_counts")
    phone_count = fields.Integer(
        string="With a number", compute="_compute_contact_counts"
    )
    text = fields.Text(
        string="Numbers",
        help="One per line, or separated by comma, semicolon or tab; with a name "
        "before or after, or without.",
    )
    file = fields.Binary(attachment=True)
    filename = fields.Char()
    file_note = fields.Char(string="Read as")
    file_warning = fields.Text()
    encoding = fields.Selection(
        ENCODING_NAMES,
        help="Change it when letters look wrong below.",
    )
    is_csv = fields.Boolean()
    replaced_file = fields.Char(compute="_compute_replaced_file")
    sheets = fields.Json(help="Pairs of name and label.")
    sheet = fields.Char()
    header_row = fields.Integer(
        string="Row with the titles",
        help="Rows above it are left out. 0: the sheet has no titles.",
    )
    signature = fields.Char()
    mapping_id = fields.Many2one(
        "sms.devino.import.mapping",
        string="Saved mapping",
        ondelete="set null",
        domain="[('signature', '=', signature)]",
    )
    save_as = fields.Char(
        string="Save the mapping as",
        help="It is proposed under this name for the next file with the same titles.",
    )
    column_ids = fields.One2many(
        "sms.devino.recipient.add.column", "add_id", string="Columns"
    )
    with_hidden = fields.Boolean(string="Import hidden rows too")
    update_existing = fields.Boolean(
        string="Update numbers already in the list",
        default=True,
        help="Names and data come from the source. Otherwise they stay as they are.",
    )
    has_consents = fields.Boolean(compute="_compute_has_consents")
    consent_wording_id = fields.Many2one(
        "sms.devino.consent.wording",
        string="Wording of the consents",
        ondelete="set null",
        help="What the people of the file agreed to, to the letter. The consents are "
        "kept with the numbers, for every later sending too.",
    )
    keep_wrong = fields.Boolean(
        string="Also keep wrong numbers",
        default=True,
        help="They are kept in the list, to be corrected there. No message goes to "
        "them.",
    )
    preview = fields.Json()
    preview_html = fields.Html(compute="_compute_preview_html", sanitize=False)
    problem_count = fields.Integer(compute="_compute_preview_html")
    hidden_count = fields.Integer(
        string="Hidden rows left out", compute="_compute_preview_html"
    )

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        if self.env.context.get("active_model") == "res.partner":
            contacts = read_ids(self.env.context.get("active_ids"))
            values |= {"source": "contacts", "partner_ids": [Command.set(contacts)]}
        return values

    @api.constrains("list_id", "list_ids", "batch_id")
    def _check_access_of_target(self):
        """Refuse lists and mass sendings that the user may not see."""
        # constraints run in sudo
        for wizard in self.sudo(False):
            wizard.list_ids.check_access("read")
            wizard.list_id.check_access("write")
            wizard.batch_id.check_access("write")

    # --- computes -------------------------------------------------------------------

    @api.depends("source", "domain", "partner_ids")
    def _compute_contact_counts(self):
        partners = self.env["res.partner"]
        for wizard in self:
            wizard.contact_count = wizard.phone_count = 0
            if wizard.source in ("filter", "contacts"):
                domain = wizard._contact_domain()
                with_phone = domain & Domain("phone", "not in", (False, ""))
                wizard.contact_count = partners.search_count(domain)
                wizard.phone_count = partners.search_count(with_phone)

    @api.depends("column_ids.role")
    def _compute_has_consents(self):
        for wizard in self:
            wizard.has_consents = "consent_date" in wizard.column_ids.mapped("role")

    @api.depends("source", "batch_id")
    def _compute_replaced_file(self):
        for wizard in self:
            replaces = wizard.source in ("paste", "file")
            wizard.replaced_file = (
                replaces
                and not wizard._adds_to_pasted()
                and wizard.batch_id.source_name
            )

    @api.depends("preview")
    def _compute_preview_html(self):
        for wizard in self:
            # the value came back from the client
            preview = wizard.preview
            preview = preview if preview and fits(preview, PREVIEW, PREVIEW) else {}
            counts = preview.get("counts", {})
            wizard.problem_count = counts.get("wrong", 0) + counts.get("duplicate", 0)
            wizard.hidden_count = preview.get("hidden", 0)
            wizard.preview_html = preview and self.env["ir.qweb"]._render(
                "sms_devino.recipient_preview", {**preview, "to_list": wizard.list_id}
            )

    # --- contacts -------------------------------------------------------------------

    def _contact_domain(self):
        """Return the domain of the contacts that are meant.

        :raise UserError: when the filter cannot be read
        """
        self.ensure_one()
        if self.source == "contacts":
            return Domain("id", "in", self.partner_ids._origin.ids)
        return read_filter(self.env, self.domain)

    # --- a file ---------------------------------------------------------------------

    @api.onchange("file")
    def _onchange_file(self):
        """Open a file once it is chosen; show its preview where its columns are clear.

        :raise UserError: why the file cannot be read
        """
        if self.state != "source" or not self.file:
            return
        self.source = "file"
        self._open_file()
        if self.column_ids.filtered(lambda column: column.role == "phone"):
            self._make_preview()
            self.state = "preview"

    def _open_file(self):
        self.encoding = self.sheet = False
        self._read_layout()
        self.state = "columns"

    def _read_layout(self):
        """Tell how the file was read, and propose what its columns are."""
        book = self._open()
        self.is_csv = book.kind == "csv"
        self.file_warning = "\n".join(describe(self.env, note) for note in book.notes)
        self.file_note = describe_book(self.env, book, self.filename)
        self.sheets = label_sheets(self.env, book)
        self.sheet = self.sheet or book.sheets[0]
        head = read_head(self.env, book, self.sheet)
        self.header_row = find_header_row(self.env, head)
        self._propose_columns(head)

    def action_open_file(self):
        """Open the file and propose what its columns are.

        :raise UserError: why the file cannot be read
        """
        self.ensure_one()
        if not self.file:
            raise UserError(self.env._("File: choose an .xlsx, .xls or .csv file."))
        self._open_file()
        return self._reopen()

    def action_download_sample(self):
        """Download a spreadsheet that can be imported as it is, to be filled in."""
        self.check_access("read")
        return self.env["sms.devino.export"]._download_sample()

    def _content(self):
        # in an onchange of a new dialog the file is not stored yet
        stored = self._origin.with_context(bin_size=False).file
        return base64.b64decode(stored or self.file or b"")

    def _open(self):
        return open_source(self.env, self._content(), self.filename, self.encoding)

    @api.onchange("sheet", "encoding")
    def _onchange_sheet(self):
        if self.state == "columns" and self.sheet:
            self._read_layout()

    @api.onchange("header_row")
    def _onchange_header_row(self):
        if self.state == "columns" and self.sheet:
            self._propose_columns(read_head(self.env, self._open(), self.sheet))

    @api.onchange("mapping_id")
    def _onchange_mapping_id(self):
        roles = self.mapping_id.columns or []
        for column, role in zip(self.column_ids.sorted("index"), roles, strict=False):
            column.role, column.name = role["role"], role["name"]

    def _propose_columns(self, head):
        titles = titles_of(head, self.header_row)
        self.signature = signature(titles) if any(titles) else False
        self.mapping_id = self.signature and self.env[
            "sms.devino.import.mapping"
        ]._find(self.signature)
        lines = propose_columns(
            self.env, head, self.header_row, self.mapping_id.columns
        )
        self.column_ids = [Command.clear(), *map(Command.create, lines)]

    def _extra_columns(self):
        """Return the names of the extra columns, in the order of the source."""
        if self.source == "lists":
            return [title for one in self.list_ids for title in one.columns or []]
        if self.source != "file":
            return []
        extra = self.column_ids.filtered(lambda column: column.role == "extra")
        return [column._get_kept_name() for column in extra.sorted("index")]

    def _source(self):
        """Return content, file name and columns, as ``read_rows`` takes them."""
        if self.source == "paste":
            country = self._target().country_id.code
            return pasted_as_source(self.env, self.text, country)
        columns = {
            "sheet": self.sheet,
            "header_row": self.header_row,
            "with_hidden": self.with_hidden,
            "encoding": self.encoding or None,
            "rows": (self.preview or {}).get("total", 0),
            "columns": [
                {
                    "index": column.index,
                    "role": column.role,
                    "title": column.title or "",
                    "name": column._get_kept_name(),
                }
                for column in self.column_ids.sorted("index")
            ],
        }
        return self._content(), self.filename, columns

    # --- the preview ----------------------------------------------------------------

    def action_preview(self):
        """Read the whole file and show the outcome for its rows."""
        self.ensure_one()
        roles = self.column_ids.mapped("role")
        check_columns(self.env, roles, self._extra_columns())
        self._make_preview()
        self.state = "preview"
        return self._reopen()

    @api.onchange("source", "text")
    def _onchange_text(self):
        if self.state == "source":
            self.preview = False
        if self.source == "paste" and self.text:
            self._make_preview()

    @api.onchange("with_hidden", "update_existing")
    def _onchange_options(self):
        if self.preview:
            self._make_preview()

    def _make_preview(self):
        hidden = []
        summary = self._filling().summarise(self._rows(hidden))
        self.preview = {**summary, "hidden": len(hidden)}

    def action_download_problems(self):
        """Download the rows that are not imported, to correct and import them."""
        self.ensure_one()
        if self.source not in ("paste", "file"):
            # records of the database leave only with Odoo's right to export
            self.env["sms.devino.export"]._check_may_export()
        return self.env["sms.devino.export"]._download_problems(
            self._filling(), self._rows(), self._extra_columns()
        )

    # --- the result -----------------------------------------------------------------

    def action_back(self):
        """Return to the step before."""
        self.ensure_one()
        self.state = "columns" if self.state == "preview" else "source"
        self.preview = False
        return self._reopen()

    def _reopen(self):
        return self._get_records_action(
            name=self.env._("Add Recipients"),
            target="new",
            context={"dialog_size": "extra-large"},
        )

    def action_apply(self):
        """Add the recipients to the list or to the draft, all at once or none.

        :return: action that shows the counts, or opens the draft
        """
        self.ensure_one()
        self._check_given()
        self._save_mapping()
        if self.list_id:
            return self._add_to_list()
        values = self._to_batch_values()
        if consents := self._consent():
            consent.import_rows(self._filling(), self._rows(), consents)
        if self.batch_id:
            self.batch_id.write(values)
            return {"type": "ir.actions.act_window_close"}
        return self.env["sms.devino.batch"].create(values).get_formview_action()

    def _add_to_list(self):
        """Add the rows at once, or have a job import them when they are many."""
        options = {
            "columns": self._extra_columns(),
            "update_existing": self.update_existing,
            "keep_wrong": self.keep_wrong,
            "consent": self._consent(),
        }
        if self.source == "file":
            self.list_id._note_titles(self._source()[2])
        total = (self.preview or {}).get("total", 0)
        if self.source not in ("paste", "file") or total <= list_import.LONG:
            counts = self.list_id._add_rows(self._rows(), **options)
            return self.list_id._notify_added(counts)
        list_import.queue(self.list_id, self._source(), total, **options)
        return notify(
            self.list_id.name,
            self.env._("%s rows are being imported. The list shows how far.", total),
            following={"type": "ir.actions.act_window_close"},
        )

    def _consent(self):
        """Return what all consents of the file share, ``None`` where it has none."""
        if self.source != "file" or not self.has_consents:
            return None
        company = (self.list_id or self.batch_id).company_id or self.env.company
        return consent.share(company, self.filename, self.consent_wording_id)

    def _check_given(self):
        """Refuse to add nobody.

        :raise UserError: saying what to choose
        """
        if self.source == "file" and self.state != "preview":
            raise UserError(self.env._("Look at the preview first."))
        if self.source in ("filter", "contacts") and not self.phone_count:
            raise UserError(self.env._("None of these contacts has a number."))
        pasted = clean(self.text).strip(" ,;\t\n")
        if not {"lists": self.list_ids, "paste": pasted}.get(self.source, True):
            raise UserError(self.env._("Recipients: choose or paste at least one."))

    def _target(self):
        """Return the list to add to; for a mass sending one that is not stored."""
        lists = self.env["sms.devino.recipient.list"]
        country = self.batch_id.account_id.country_id
        return self.list_id or lists.new({"country_id": country.id} if country else {})

    def _filling(self):
        return Filling(self._target(), update_existing=self.update_existing)

    def _rows(self, hidden=None):
        """Return the rows of the source, as the list's ``_add_rows`` takes them."""
        if self.source == "lists":
            return self.list_ids._read_lines()
        if self.source in ("filter", "contacts"):
            country = self._target().country_id.code
            return contact_rows(self.env, self._contact_domain(), country)
        return read_rows(self.env, *self._source(), hidden)

    def _to_batch_values(self):
        """Return the values that bring the source into a mass sending."""
        if self.source == "lists":
            return {"list_ids": [Command.link(id_) for id_ in self.list_ids.ids]}
        if self.source == "contacts":
            return {"partner_ids": [Command.link(id_) for id_ in self.partner_ids.ids]}
        if self.source == "filter":
            domain = self._contact_domain()
            domain |= read_filter(self.env, self.batch_id.domain)
            return {"domain": repr(list(domain))}
        content, name, columns = self._source()
        if self._adds_to_pasted():
            earlier = self.batch_id.with_context(bin_size=False).source_file
            content = base64.b64decode(earlier) + content
            columns["rows"] += self.batch_id.source_columns.get("rows", 0)
        return {
            "source_file": base64.b64encode(content),
            "source_name": name,
            "source_columns": columns,
        }

    def _adds_to_pasted(self):
        """Whether numbers are pasted into a draft that has pasted ones already."""
        columns = self.batch_id.source_columns or {}
        return self.source == "paste" and bool(columns.get("pasted"))

    def _save_mapping(self):
        if self.source != "file" or not self.save_as or not self.signature:
            return
        columns = [
            {"role": column.role, "name": column.name or column.title or ""}
            for column in self.column_ids.sorted("index")
        ]
        self.env["sms.devino.import.mapping"]._save(
            self.save_as, self.signature, columns
        )
