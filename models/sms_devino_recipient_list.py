import json

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..tools import phone
from ..tools.phone import SENDABLE
from ..tools.recipients import clean, unique_titles

COUNTS = ("new", "updated", "unchanged", "duplicate", "wrong")
# Rows given to PostgreSQL by one statement: some 10 MB of parameters.
PAGE = 20_000


class SmsDevinoRecipientList(models.Model):
    """A list of people to send to; see :meth:`_add_rows` for how it is filled."""

    _name = "sms.devino.recipient.list"
    _description = "SMS Recipient List"
    _inherit = ["mail.thread"]
    _order = "name, id"

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        index=True,
        default=lambda self: self._default_company_id(),
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
    column_names = fields.Char(
        string="Columns",
        compute="_compute_column_names",
        inverse="_inverse_column_names",
        help="What is known of each recipient besides name and number, separated by "
        "semicolons. A text may use it: {{ city }}.",
    )
    recipient_ids = fields.One2many(
        "sms.devino.recipient", "list_id", string="Recipients", copy=True
    )
    recipient_count = fields.Integer(string="Lines", compute="_compute_counts")
    sendable_count = fields.Integer(string="Can be sent to", compute="_compute_counts")
    corrected_count = fields.Integer(string="Corrected", compute="_compute_counts")
    wrong_count = fields.Integer(string="Cannot be sent to", compute="_compute_counts")
    duplicate_count = fields.Integer(string="Duplicates", compute="_compute_counts")
    blacklisted_count = fields.Integer(
        string="On the blacklist", compute="_compute_counts"
    )

    def _default_company_id(self):
        return self.env.company

    def _default_country_id(self):
        account = self.env["sms.devino.account"]._get_default()
        return account.country_id or account._default_country_id()

    # --- computes -------------------------------------------------------------------

    @api.depends("columns")
    def _compute_column_names(self):
        for record in self:
            record.column_names = "; ".join(record.columns or [])

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
        self.env["sms.devino.recipient"].flush_model(["data", "list_id"])
        for column in columns:
            self.env.cr.execute(
                SQL(
                    """SELECT count(*) FROM sms_devino_recipient
                        WHERE list_id = %s AND jsonb_exists(data, %s)""",
                    self.id,
                    column,
                )
            )
            count = self.env.cr.fetchone()[0]
            if count:
                raise ValidationError(
                    self.env._(
                        "Columns: “%(column)s” is filled in %(count)s lines and cannot "
                        "be left out.",
                        column=column,
                        count=count,
                    )
                )

    @api.depends("recipient_ids")
    def _compute_counts(self):
        """Count the lines by reading, in one query for all lists."""
        counts = self._count_by_reading()
        for record in self:
            found = counts.get(record._origin.id, {})
            record.recipient_count = sum(found.values())
            record.corrected_count = found.get("corrected", 0)
            record.sendable_count = sum(map(found.get, SENDABLE, (0, 0)))
            record.duplicate_count = found.get("duplicate", 0)
            record.blacklisted_count = found.get("blacklisted", 0)
            record.wrong_count = (
                record.recipient_count
                - record.sendable_count
                - record.duplicate_count
                - record.blacklisted_count
            )

    def _count_by_reading(self):
        """Return how many lines there are of each reading.

        :return: list id -> dict of reading -> count; ``blacklisted`` goes before the
            reading on the number itself
        """
        self.env["sms.devino.recipient"].flush_model(["list_id", "number", "reading"])
        self.env["phone.blacklist"].flush_model(["number", "active"])
        self.env.cr.execute(
            SQL(
                """SELECT r.list_id,
                          CASE WHEN b.id IS NOT NULL AND r.reading = ANY(%s)
                               THEN 'blacklisted' ELSE r.reading END AS shown,
                          count(*)
                     FROM sms_devino_recipient r
                LEFT JOIN phone_blacklist b ON b.number = r.number AND b.active
                    WHERE r.list_id = ANY(%s)
                 GROUP BY r.list_id, shown""",
                list(SENDABLE),
                list(self._origin.ids),
            )
        )
        counts = {}
        for list_id, reading, count in self.env.cr.fetchall():
            counts.setdefault(list_id, {})[reading] = count
        return counts

    # --- CRUD -----------------------------------------------------------------------

    def write(self, vals):
        """Read the numbers again when those without a plus change their country."""
        changed = self.browse()
        if "country_id" in vals:
            changed = self.filtered(lambda r: r.country_id.id != vals["country_id"])
        result = super().write(vals)
        for record in changed:
            record.recipient_ids._read_again()
        return result

    def copy_data(self, default=None):
        """Name the copy as one."""
        vals_list = super().copy_data(default=default)
        if "name" in (default or {}):
            return vals_list
        return [
            {**vals, "name": self.env._("%s (copy)", record.name)}
            for record, vals in zip(self, vals_list, strict=True)
        ]

    # --- filling --------------------------------------------------------------------

    def _add_rows(self, rows, *, update_existing=True, keep_wrong=False):
        """Write many lines by a few statements; a number is there only once.

        The first line with a number is taken.  A number that the list has already
        gets the new name, contact and data where they are given; what it had besides
        stays.

        :param list rows: dicts of ``number_raw`` (as a person wrote it) and, where
            known, ``name``, ``partner_id`` and ``data`` (dict: column -> text)
        :param bool update_existing: without it such lines count as duplicates
        :param bool keep_wrong: also keep lines that cannot be sent to, to be
            corrected in the list
        :return: dict of ``new``, ``updated``, ``unchanged``, ``duplicate`` and
            ``wrong``: how many of the rows were which
        """
        self.ensure_one()
        self.check_access("write")
        self._lock()
        counts = dict.fromkeys(COUNTS, 0)
        for source in self._sources_of(rows):
            found = self._merge(
                source, update_existing=update_existing, keep_wrong=keep_wrong
            )
            counts = {key: counts[key] + found[key] for key in COUNTS}
        self._add_columns(
            dict.fromkeys(key for row in rows for key in row.get("data") or ())
        )
        return counts

    def _preview_rows(self, rows, *, update_existing=True):
        """Return the counts that :meth:`_add_rows` would, and write nothing."""
        counts = dict.fromkeys(COUNTS, 0)
        self.env["sms.devino.recipient"].flush_model()
        for source in self._sources_of(rows):
            classified = self._classified(source, update_existing=update_existing)
            self.env.cr.execute(
                SQL("SELECT action, count(*) FROM (%s) c GROUP BY action", classified)
            )
            for action, count in self.env.cr.fetchall():
                counts[action] += count
        return counts

    def _sources_of(self, rows):
        """Yield the rows in pages, as queries that :meth:`_merge` takes."""
        raws = (clean(row.get("number_raw")) for row in rows)
        readings = phone.read_many(raws, self.country_id.code)
        first = {}
        for position, reading in enumerate(readings):
            if reading.sendable:
                first.setdefault(reading.e164, position)
        for start in range(0, len(rows), PAGE):
            stop = min(start + PAGE, len(rows))
            yield self._source_of(
                [
                    self._staged(position, rows[position], readings[position], first)
                    for position in range(start, stop)
                ]
            )

    @api.model
    def _staged(self, position, row, reading, first):
        """Return a row as a tuple in the order of :meth:`_source_of`."""
        repeated = reading.sendable and first[reading.e164] != position
        data = {
            key: text
            for key, value in (row.get("data") or {}).items()
            if (text := clean(value))
        }
        return (
            position,
            clean(row.get("name")) or None,
            reading.raw or None,
            row.get("partner_id") or None,
            json.dumps(data, ensure_ascii=False) if data else None,
            reading.e164,
            "duplicate" if repeated else reading.code,
            ", ".join(reading.others) or None,
        )

    @api.model
    def _source_of(self, page):
        """Return the rows as a query, with the columns that :meth:`_merge` takes."""
        columns = [list(column) for column in zip(*page, strict=True)]
        types = ("int4", "varchar", "varchar", "int4", "jsonb", *("varchar",) * 3)
        arrays = SQL(", ").join(
            SQL("%s::%s[]", column, SQL(kind))
            for column, kind in zip(columns, types, strict=True)
        )
        return SQL(
            """SELECT * FROM unnest(%s) AS s(position, name, number_raw, partner_id,
                                             data, number, reading, others)""",
            arrays,
        )

    def _lock(self):
        """Let no one else add to this list until the end of the transaction."""
        self.env["sms.devino.recipient"].flush_model()
        self.env.cr.execute(
            SQL(
                """SELECT id FROM sms_devino_recipient_list
                    WHERE id = %s FOR NO KEY UPDATE""",
                self.id,
            )
        )

    def _classified(self, source, *, update_existing):
        """Return a query that says what becomes of each row of a source.

        :param SQL source: query of ``position, name, number_raw, partner_id, data,
            number, reading, others``; of rows with the same number all but the first
            have the reading ``duplicate``
        :return: SQL query of the same columns, ``action`` and ``recipient_id``
        """
        return SQL(
            """SELECT s.*, r.id AS recipient_id,
                      CASE
                          WHEN s.reading = 'duplicate' THEN 'duplicate'
                          WHEN NOT s.reading = ANY(%(sendable)s) THEN 'wrong'
                          WHEN r.id IS NULL THEN 'new'
                          WHEN NOT %(update)s THEN 'duplicate'
                          WHEN COALESCE(s.name, r.name) IS DISTINCT FROM r.name
                            OR COALESCE(s.partner_id, r.partner_id)
                               IS DISTINCT FROM r.partner_id
                            OR NOT COALESCE(r.data, '{}') @> COALESCE(s.data, '{}')
                          THEN 'updated'
                          ELSE 'unchanged'
                      END AS action
                 FROM (%(source)s) s
            LEFT JOIN sms_devino_recipient r
                   ON r.list_id = %(list)s AND r.number = s.number
                  AND r.reading IN ('ok', 'corrected')""",
            source=source,
            sendable=list(SENDABLE),
            update=update_existing,
            list=self._origin.id or None,
        )

    def _merge(self, source, *, update_existing, keep_wrong):
        """Write the rows of a source into the list; the list is locked before.

        A number that somebody else has added since this transaction began makes
        PostgreSQL refuse it (40001), and Odoo run it again.

        :param SQL source: as :meth:`_classified` takes it
        :return: dict of :data:`COUNTS`
        """
        self.env.cr.execute(
            SQL(
                """WITH c AS MATERIALIZED (%(classified)s),
                   changed AS (
                       UPDATE sms_devino_recipient r
                          SET name = COALESCE(c.name, r.name),
                              partner_id = COALESCE(c.partner_id, r.partner_id),
                              data = COALESCE(r.data, '{}') || COALESCE(c.data, '{}'),
                              write_uid = %(uid)s, write_date = %(now)s
                         FROM c
                        WHERE c.recipient_id = r.id AND c.action = 'updated'),
                   added AS (
                       INSERT INTO sms_devino_recipient
                              (create_uid, create_date, write_uid, write_date, list_id,
                               name, number_raw, partner_id, data, number, reading,
                               others)
                       SELECT %(uid)s, %(now)s, %(uid)s, %(now)s, %(list)s,
                              c.name, c.number_raw, c.partner_id, c.data, c.number,
                              c.reading, c.others
                         FROM c
                        WHERE c.action = 'new'
                           OR %(keep)s AND c.action = 'wrong'
                              AND c.number_raw IS NOT NULL
                              AND NOT EXISTS (
                                  SELECT FROM sms_devino_recipient k
                                   WHERE k.list_id = %(list)s
                                     AND k.number_raw = c.number_raw
                                     AND k.reading = c.reading)
                     ORDER BY c.position
                  ON CONFLICT (list_id, number) WHERE reading IN ('ok', 'corrected')
                   DO NOTHING)
                   SELECT action, count(*) FROM c GROUP BY action""",
                classified=self._classified(source, update_existing=update_existing),
                uid=self.env.uid,
                now=self.env.cr.now(),
                list=self.id,
                keep=keep_wrong,
            )
        )
        counts = dict.fromkeys(COUNTS, 0) | dict(self.env.cr.fetchall())
        self.env["sms.devino.recipient"].invalidate_model()
        self.invalidate_recordset()
        return counts

    def _add_columns(self, titles):
        """Put the names of extra columns that are new behind the known ones."""
        known = self.columns or []
        fresh = [title for title in titles if title not in known]
        if fresh:
            self.columns = [*known, *fresh]

    def _link_contacts(self):
        """Link lines without a contact to the one contact that has their number."""
        contacts = self.env["res.partner"]._search(
            [("phone_sanitized", "!=", False)], order="id"
        )
        self.env.flush_query(contacts.select())
        self.env.cr.execute(
            SQL(
                """UPDATE sms_devino_recipient r
                      SET partner_id = p.id
                     FROM (SELECT phone_sanitized AS number, min(id) AS id
                             FROM res_partner
                            WHERE id IN %(contacts)s
                         GROUP BY phone_sanitized HAVING count(*) = 1) p
                    WHERE r.list_id = %(list)s AND r.partner_id IS NULL
                      AND r.number = p.number AND r.reading = ANY(%(sendable)s)""",
                contacts=contacts.subselect(),
                list=self.id,
                sendable=list(SENDABLE),
            )
        )
        self.env["sms.devino.recipient"].invalidate_model(["partner_id"])

    # --- actions --------------------------------------------------------------------

    def action_view_recipients(self):
        """Open the lines of this list, to read and to edit."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_devino.sms_devino_recipient_action"
        )
        action["name"] = self.name
        action["domain"] = [("list_id", "=", self.id)]
        action["context"] = {"default_list_id": self.id}
        return action

    def action_view_by_reading(self):
        """Open the lines of this list with the reading that the context names."""
        action = self.action_view_recipients()
        reading = self.env.context.get("sms_devino_reading")
        action["context"] |= {f"search_default_{reading}": 1} if reading else {}
        return action

    def action_paste(self):
        return self._open_wizard("paste", self.env._("Paste Numbers"))

    def action_add_contacts(self):
        return self._open_wizard("contacts", self.env._("Add Contacts"))

    def action_import(self):
        return self._open_wizard("import", self.env._("Import from a File"))

    def _open_wizard(self, name, title):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": f"{self._name}.{name}",
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_list_id": self.id,
                "sms_devino_from_list": True,
                "dialog_size": "extra-large" if name == "import" else "large",
            },
        }

    def action_export_xlsx(self):
        self.ensure_one()
        return self.env["sms.devino.export"]._download_list(self, "xlsx")

    def action_export_xls(self):
        self.ensure_one()
        return self.env["sms.devino.export"]._download_list(self, "xls")

    def _notify_added(self, counts):
        """Return the action that tells what was added and shows the list.

        :param dict counts: as :meth:`_add_rows` returns it
        """
        self.ensure_one()
        message = self.env._(
            "New: %(new)s, updated: %(updated)s, already there or repeated: "
            "%(known)s, wrong: %(wrong)s.",
            new=counts["new"],
            updated=counts["updated"],
            known=counts["unchanged"] + counts["duplicate"],
            wrong=counts["wrong"],
        )
        from_list = self.env.context.get("sms_devino_from_list")
        close = {"type": "ir.actions.act_window_close"}
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if counts["wrong"] else "success",
                "title": self.name,
                "message": message,
                "next": close if from_list else self._open(),
            },
        }

    def _open(self):
        """Return the action that shows this list."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "current",
        }
