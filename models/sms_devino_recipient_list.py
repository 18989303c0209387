from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ..services import windows
from ..services.filling import COUNTS, PAGE, Filling
from ..services.records import read_pages
from ..services.words import notify
from ..tools import phone
from ..tools.phone import SENDABLE
from ..tools.recipients import clean, unique_titles
from ..tools.shapes import TITLE_ROLES, TITLES

# Recipients shown in the form of the list.
FIRST = 40


class SmsDevinoRecipientList(models.Model):
    """A list of people to send to; see :meth:`_add_rows` for how it is filled."""

    _name = "sms.devino.recipient.list"
    _description = "SMS Recipient List"
    _inherit = ["mail.thread", "sms.devino.guarded"]
    _names_copies = True
    _json_shapes = {"columns": TITLES, "title_roles": TITLE_ROLES}
    _order = "name, id"

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        index=True,
        default=lambda self: self.env.company,
        help="Empty: the list is there for all companies.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Owner",
        default=lambda self: self.env.user,
        domain="[('share', '=', False)]",
        index="btree_not_null",
    )
    is_shared = fields.Boolean(
        string="Shared",
        default=True,
        help="Shared: everyone in the company who keeps lists sees this one. Otherwise "
        "only its owner and SMS administrators do.",
    )
    country_id = fields.Many2one(
        "res.country",
        string="Country of numbers without a plus",
        required=True,
        default=lambda self: self._default_country_id(),
        help="A number written without a plus is read as one of this country.",
    )
    notes = fields.Text()
    columns = fields.Json(
        string="Extra columns",
        default=lambda self: [],
        help="Names of what is known of each recipient besides name and number, in "
        "order.",
    )
    title_roles = fields.Json(
        readonly=True,
        copy=False,
        help="Titles that the columns with name and number had in a file, so that a "
        "text may use them too: title -> phone or name.",
    )
    column_names = fields.Char(
        string="Columns",
        compute="_compute_column_names",
        inverse="_inverse_column_names",
        help="What is known of each recipient besides name and number, separated by "
        "semicolons. A text may use it: {{ city }}.",
    )
    recipient_ids = fields.One2many(
        "sms.devino.recipient", "list_id", string="Recipients"
    )
    first_recipient_ids = fields.Many2many(
        "sms.devino.recipient",
        string="First recipients",
        compute="_compute_first_recipient_ids",
    )
    import_state = fields.Selection(
        [("queued", "Being imported"), ("failed", "Failed")],
        string="Import",
        readonly=True,
        copy=False,
        index="btree_not_null",
    )
    import_done = fields.Integer(string="Rows imported", readonly=True, copy=False)
    import_total = fields.Integer(string="Rows of the file", readonly=True, copy=False)
    import_error = fields.Text(readonly=True, copy=False)
    # what the job needs: written with all rights alone, since it runs with the rights
    # of the user it names
    import_file = fields.Binary(
        attachment=True, readonly=True, copy=False, groups="base.group_system"
    )
    import_job = fields.Json(readonly=True, copy=False, groups="base.group_system")
    recipient_count = fields.Integer(string="Lines", compute="_compute_counts")
    sendable_count = fields.Integer(string="Can be sent to", compute="_compute_counts")
    corrected_count = fields.Integer(string="Corrected", compute="_compute_counts")
    wrong_count = fields.Integer(string="Cannot be sent to", compute="_compute_counts")
    blacklisted_count = fields.Integer(
        string="On the blacklist", compute="_compute_counts"
    )

    def _default_country_id(self):
        account = self.env["sms.devino.account"]._get_default()
        return (
            account.country_id or self.env.company.country_id or self.env.ref("base.ru")
        )

    # --- computes -------------------------------------------------------------------

    @api.depends("columns")
    def _compute_column_names(self):
        for record in self:
            record.column_names = "; ".join(record.columns or [])

    @api.depends("recipient_ids.reading")
    def _compute_first_recipient_ids(self):
        recipients = self.env["sms.devino.recipient"]
        for record in self:
            record.first_recipient_ids = recipients.search(
                [("list_id", "in", record._origin.ids)], order="id", limit=FIRST
            )

    def _inverse_column_names(self):
        for record in self:
            typed = map(clean, (record.column_names or "").split(";"))
            columns = unique_titles(title for title in typed if title)
            gone = [title for title in record.columns or [] if title not in columns]
            record._check_columns_empty(gone)
            record.columns = columns

    def _check_columns_empty(self, columns):
        """Refuse to drop columns that still hold something.

        :raise ValidationError: naming the column and in how many lines it is filled
        """
        recipients = self.env["sms.devino.recipient"]
        recipients.flush_model(["data"])
        for column in columns:
            filled = Domain.custom(
                to_sql=lambda _model, alias, _query, column=column: SQL(
                    "jsonb_exists(%s, %s)", SQL.identifier(alias, "data"), column
                )
            )
            count = recipients.search_count(Domain("list_id", "=", self.id) & filled)
            if count:
                raise ValidationError(
                    self.env._(
                        "Columns: “%(column)s” is filled in %(count)s lines and cannot "
                        "be left out.",
                        column=column,
                        count=count,
                    )
                )

    @api.depends("recipient_ids.reading")
    def _compute_counts(self):
        """Count the lines by reading, in two queries for all lists."""
        recipients = self.env["sms.devino.recipient"]
        of_lists = Domain("list_id", "in", self._origin.ids)
        sendable = of_lists & Domain("reading", "in", list(SENDABLE))
        readings = {}
        for record, reading, count in recipients._read_group(
            of_lists, ["list_id", "reading"], ["__count"]
        ):
            readings.setdefault(record.id, {})[reading] = count
        blacklisted = dict(
            recipients._read_group(
                sendable & Domain("is_blacklisted", "=", True), ["list_id"], ["__count"]
            )
        )
        for record in self:
            found = readings.get(record._origin.id, {})
            good = sum(found.get(reading, 0) for reading in SENDABLE)
            record.recipient_count = sum(found.values())
            record.corrected_count = found.get("corrected", 0)
            record.blacklisted_count = blacklisted.get(record._origin, 0)
            record.sendable_count = good - record.blacklisted_count
            record.wrong_count = record.recipient_count - good

    # --- CRUD -----------------------------------------------------------------------

    def write(self, vals):
        """Refuse a country for which two lines would have the same number."""
        country = self.env["res.country"].browse(vals.get("country_id"))
        if country:
            for record in self.filtered(lambda record: record.country_id != country):
                record._check_country(country)
        return super().write(vals)

    def _check_country(self, country):
        raws = self.recipient_ids.mapped("number_raw")
        readings = [phone.read(clean(raw), country.code) for raw in raws]
        numbers = [reading.e164 for reading in readings if reading.sendable]
        repeated = len(numbers) - len(set(numbers))
        if repeated:
            raise ValidationError(
                self.env._(
                    "Country: as numbers of %(country)s, %(count)s lines would repeat "
                    "the number of another one. Delete them first.",
                    country=country.name,
                    count=repeated,
                )
            )

    def copy(self, default=None):
        """Copy the lines as well, by one statement a list."""
        copies = super().copy(default)
        for record, copied in zip(self, copies, strict=True):
            record._copy_lines(copied)
        return copies

    def _copy_lines(self, target):
        """Write the lines of this list into another one, which is empty."""
        recipients = self.env["sms.devino.recipient"]
        recipients.flush_model()
        columns = SQL(", ").join(
            SQL.identifier(name)
            for name, field_ in recipients._fields.items()
            if field_.store and field_.column_type and name not in ("id", "list_id")
        )
        self.env.cr.execute(
            SQL(
                """INSERT INTO sms_devino_recipient (list_id, %(columns)s)
                   SELECT %(target)s, %(columns)s FROM sms_devino_recipient
                    WHERE list_id = %(list)s ORDER BY id""",
                columns=columns,
                target=target.id,
                list=self.id,
            )
        )
        target.invalidate_recordset()

    # --- filling --------------------------------------------------------------------

    def _add_rows(
        self,
        rows,
        *,
        columns=(),
        update_existing=True,
        keep_wrong=False,
        consent=None,
    ):
        """Write many lines by a few statements; a number is there only once.

        The first line with a number is taken.  A number that the list has already
        gets the new name, contact and data where they are given; what it had besides
        stays.  A line without a contact is linked to the one contact with its number.

        :param rows: iterable of dicts of ``number_raw`` (as a person wrote it) and,
            where known, ``name``, ``partner_id``, ``data`` (dict: column -> text) and
            ``row`` (its number in a file)
        :param columns: names of extra columns to have, also if no row fills them
        :param bool update_existing: without it such lines count as duplicates
        :param bool keep_wrong: also keep lines that cannot be sent to, to be
            corrected in the list
        :param dict consent: ``source``, ``company_id`` and ``wording_id`` of the
            consents that rows have (``consent_on``, ``consent_source``); none are
            kept without it
        :return: dict of ``new``, ``updated``, ``unchanged``, ``duplicate`` and
            ``wrong``: how many of the rows were which
        """
        self.ensure_one()
        self.check_access("write")
        if not self.try_lock_for_update(allow_referencing=True):
            raise UserError(
                self.env._(
                    "Somebody else is adding to this list. Try again in a moment."
                )
            )
        counts = dict.fromkeys(COUNTS, 0)
        titles = dict.fromkeys(columns)
        filling = Filling(self, update_existing=update_existing, consent=consent)
        for page in filling.pages(rows):
            filling.write_page(page, keep_wrong=keep_wrong)
            for line in page:
                counts[line.action] += 1
                titles.update(dict.fromkeys(line.row.get("data") or ()))
        self._add_columns(titles)
        self.invalidate_recordset()
        return counts

    def _add_columns(self, titles):
        """Put the names of extra columns that are new behind the known ones."""
        known = self.columns or []
        fresh = [title for title in titles if title not in known]
        if fresh:
            self.columns = [*known, *fresh]

    def _note_titles(self, columns):
        """Remember what a file calls the columns with name and number.

        :param columns: as ``source.read_rows`` takes them
        """
        self.check_access("write")
        found = {
            clean(column["title"]): column["role"]
            for column in columns["columns"]
            if column["role"] in ("phone", "name") and clean(column["title"])
        }
        if found:
            self.sudo().title_roles = {**(self.title_roles or {}), **found}

    def _read_lines(self):
        """Yield the lines of these lists, in order, as :meth:`_add_rows` takes them."""
        self.check_access("read")
        names = ["number", "number_raw", "name", "partner_id", "data"]
        lines = self.env["sms.devino.recipient"]
        of_lists = [("list_id", "in", self.ids)]
        for page, _last in read_pages(lines, of_lists, names, PAGE):
            for line in page:
                yield {
                    "number_raw": line.number or line.number_raw,
                    "name": line.name,
                    "partner_id": line.partner_id.id,
                    "data": line.data or {},
                }

    # --- actions --------------------------------------------------------------------

    def action_view_recipients(self):
        """Open the lines of this list, to read and to edit."""
        self.ensure_one()
        return windows.open_action(
            self.env,
            "sms_devino_recipient_action",
            name=self.name,
            domain=[("list_id", "=", self.id)],
            context={"default_list_id": self.id},
        )

    def action_view_by_reading(self):
        """Open the lines of this list with the reading that the context names."""
        action = self.action_view_recipients()
        reading = self.env.context.get("sms_devino_reading")
        action["context"] |= {f"search_default_{reading}": 1} if reading else {}
        return action

    def action_add_recipients(self):
        """Ask whom to add to this list."""
        self.ensure_one()
        self.check_access("write")
        context = {"default_list_id": self.id, "default_source": "file"}
        return windows.open_action(
            self.env,
            "sms_devino_recipient_add_action",
            name=self.env._("Add Recipients"),
            context={"dialog_size": "extra-large", **context},
        )

    def action_new_batch(self):
        """Open a new mass sending to this list."""
        self.ensure_one()
        self.check_access("read")
        batch = self.env["sms.devino.batch"].create(
            {"list_ids": [fields.Command.set(self.ids)]}
        )
        return batch.get_formview_action()

    def action_export_xlsx(self):
        self.ensure_one()
        return self.env["sms.devino.export"]._download_list(self, "xlsx")

    def action_export_xls(self):
        self.ensure_one()
        return self.env["sms.devino.export"]._download_list(self, "xls")

    def _describe_counts(self, counts):
        """Return what became of the rows of a source, as a sentence."""
        return self.env._(
            "New: %(new)s, updated: %(updated)s, already there or repeated: "
            "%(known)s, wrong: %(wrong)s.",
            new=counts["new"],
            updated=counts["updated"],
            known=counts["unchanged"] + counts["duplicate"],
            wrong=counts["wrong"],
        )

    def _notify_added(self, counts):
        """Return the action that says what was added, then closes the dialog.

        :param dict counts: as :meth:`_add_rows` returns it
        """
        self.ensure_one()
        return notify(
            self.name,
            self._describe_counts(counts),
            kind="warning" if counts["wrong"] else "success",
            following={"type": "ir.actions.act_window_close"},
        )
