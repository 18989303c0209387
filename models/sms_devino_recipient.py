from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..services.words import DUPLICATE, READINGS, describe_reading
from ..tools import phone
from ..tools.phone import SENDABLE
from ..tools.recipients import clean

# Numbers read again by one statement.
PAGE = 20_000


class SmsDevinoRecipient(models.Model):
    """A line of a recipient list.

    ``reading`` is a column, for whoever reads by SQL: a message may go to the rows
    whose reading is ``ok`` or ``corrected``, and of those with the same number in a
    list only one has it.  The blacklist (``phone.blacklist``) is looked at live:
    ``is_blacklisted``, and ``shown_reading`` for people.
    """

    _name = "sms.devino.recipient"
    _description = "SMS Recipient"
    _order = "list_id, id"

    list_id = fields.Many2one(
        "sms.devino.recipient.list",
        string="Recipient list",
        required=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="list_id.company_id")
    list_columns = fields.Json(related="list_id.columns", string="Columns of the list")
    name = fields.Char(string="Recipient name")
    number_raw = fields.Char(
        string="Phone",
        required=True,
        help="The number as it was entered, for example 79214563763 or "
        "8 921 456-37-63.",
    )
    number = fields.Char(
        readonly=True, copy=False, help="The number that a message goes to."
    )
    reading = fields.Selection(
        [*READINGS, DUPLICATE],
        string="Reading of the number",
        readonly=True,
        required=True,
        default="empty",
        copy=False,
    )
    shown_reading = fields.Selection(
        selection="_selection_shown_reading",
        string="Number check",
        compute="_compute_shown_reading",
    )
    is_blacklisted = fields.Boolean(
        string="On the blacklist",
        compute="_compute_shown_reading",
        search="_search_is_blacklisted",
    )
    reading_text = fields.Char(string="Explanation", compute="_compute_shown_reading")
    others = fields.Char(
        string="Further numbers",
        readonly=True,
        copy=False,
        help="What else was written in the same place. Only the first number is taken.",
    )
    partner_id = fields.Many2one(
        "res.partner", string="Contact", index="btree_not_null", ondelete="set null"
    )
    data = fields.Json(string="Further data")
    data_text = fields.Char(
        string="Further data as text",
        compute="_compute_data_text",
        search="_search_data_text",
    )

    _number_uniq = models.UniqueIndex(
        "(list_id, number) WHERE reading IN ('ok', 'corrected')",
        "This number is already in the list.",
    )

    # --- computes -------------------------------------------------------------------

    @api.model
    def _selection_shown_reading(self):
        readings = self._fields["reading"]._description_selection(self.env)
        return [*readings, ("blacklisted", self.env._("On the blacklist"))]

    @api.depends("number", "reading", "number_raw", "others")
    def _compute_shown_reading(self):
        """Say what is to be expected of each line, the blacklist included."""
        numbers = [number for number in self.mapped("number") if number]
        blacklist = self.env["phone.blacklist"].sudo()
        blocked = set(blacklist.search([("number", "in", numbers)]).mapped("number"))
        for record in self:
            sendable = record.reading in SENDABLE
            record.is_blacklisted = record.number in blocked
            listed = sendable and record.is_blacklisted
            record.shown_reading = "blacklisted" if listed else record.reading
            record.reading_text = record._describe(record.shown_reading)

    def _describe(self, reading):
        """Return the sentence that says what a reading means for this line."""
        self.ensure_one()
        return self._sentence(
            reading, self.number_raw or "", self.number or "", self.others or ""
        )

    @api.model
    def _sentence(self, reading, raw, number, others=""):
        """Return what a reading means, for people.

        :param str reading: a key of ``shown_reading``
        :param str raw: the number as entered
        :param str number: the number as read, E.164 or empty
        :param str others: further numbers of the same text
        """
        sentences = {
            "empty": self.env._("There is no number."),
            "ok": self.env._("A message can be sent."),
            "corrected": self.env._(
                "Goes to %(number)s, corrected from “%(raw)s”.", number=number, raw=raw
            ),
            "duplicate": self.env._(
                "%(number)s is in this list already.", number=number
            ),
            "blacklisted": self.env._(
                "%(number)s is on the blacklist: mass SMS leave it out.",
                number=number,
            ),
        }
        if reading not in sentences:
            read = phone.Reading(raw, number or None, reading or "empty")
            return describe_reading(self.env, read)
        text = sentences[reading]
        if others and reading in SENDABLE:
            text = self.env._(
                "The first number was taken, not %(others)s.", others=others
            )
        return text

    @api.model
    def _search_is_blacklisted(self, operator, value):
        if operator != "in":
            return NotImplemented

        def to_sql(model, alias, query):
            return SQL(
                """EXISTS (SELECT FROM phone_blacklist b
                            WHERE b.active AND b.number = %s)""",
                SQL.identifier(alias, "number"),
            )

        self.env["phone.blacklist"].flush_model(["number", "active"])
        return Domain.custom(to_sql=to_sql)

    @api.depends("data", "list_columns")
    def _compute_data_text(self):
        for record in self:
            data = record.data or {}
            known = [title for title in record.list_columns or [] if title in data]
            rest = [title for title in data if title not in known]
            record.data_text = " · ".join(
                f"{title}: {data[title]}" for title in [*known, *rest]
            )

    @api.model
    def _search_data_text(self, operator, value):
        if operator not in ("ilike", "like"):
            return NotImplemented

        def to_sql(model, alias, query):
            escaped = (
                value.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
            )
            return SQL(
                """EXISTS (SELECT FROM jsonb_each_text(%s) AS e(key, value)
                            WHERE e.value ILIKE %s)""",
                SQL.identifier(alias, "data"),
                f"%{escaped}%",
            )

        return Domain.custom(to_sql=to_sql)

    # --- one by one -----------------------------------------------------------------

    @api.onchange("number_raw", "list_id")
    def _onchange_number_raw(self):
        """Show the reading while the line is being edited."""
        self.update(self._read_values(self.number_raw, self.list_id, self._origin))

    @api.onchange("partner_id")
    def _onchange_partner_id(self):
        if self.partner_id:
            self.number_raw = self.number_raw or self.partner_id.phone
            self.name = self.name or self.partner_id.name

    @api.model_create_multi
    def create(self, vals_list):
        """Read the numbers and find those that a list has already."""
        taken = set()
        prepared = []
        for vals in vals_list:
            record_list = self.env["sms.devino.recipient.list"].browse(
                vals.get("list_id") or self.env.context.get("default_list_id")
            )
            read = self._read_values(vals.get("number_raw"), record_list, self, taken)
            if read["reading"] in SENDABLE:
                taken.add((record_list.id, read["number"]))
            prepared.append({**self._cleaned(vals), **read})
        return super().create(prepared)

    def write(self, vals):
        """Read a number that changes; let a duplicate take the place that is free."""
        vals = self._cleaned(vals)
        if not {"number_raw", "list_id"} & vals.keys():
            return super().write(vals)
        freed = self._sendable_pairs()
        for record in self:
            raw = vals.get("number_raw", record.number_raw)
            record_list = record.list_id.browse(vals.get("list_id", record.list_id.id))
            read = self._read_values(raw, record_list, record)
            super(SmsDevinoRecipient, record).write({**vals, **read})
        self._promote_duplicates(freed)
        return True

    def unlink(self):
        """Let a duplicate take the place that becomes free."""
        freed = self._sendable_pairs()
        result = super().unlink()
        self._promote_duplicates(freed)
        return result

    @api.model
    def _cleaned(self, vals):
        """Return the values with texts as a spreadsheet would give them back."""
        cleaned = {
            key: clean(vals[key]) for key in ("name", "number_raw") if key in vals
        }
        if vals.get("data"):
            texts = {clean(key): clean(text) for key, text in vals["data"].items()}
            cleaned["data"] = {key: text for key, text in texts.items() if key and text}
        return {**vals, **cleaned}

    @api.model
    def _read_values(self, raw, record_list, records, taken=()):
        """Return number, reading and further numbers of what was entered.

        :param records: the lines being written: they are no duplicates of themselves
        :param taken: pairs of (list id, number) that are being written as well
        """
        reading = phone.read(clean(raw), record_list.country_id.code or None)
        code = reading.code
        if reading.sendable and (
            (record_list.id, reading.e164) in taken
            or self._is_taken(record_list, reading.e164, records)
        ):
            code = "duplicate"
        return {
            "number": reading.e164 or False,
            "reading": code,
            "others": ", ".join(reading.others) or False,
        }

    @api.model
    def _is_taken(self, record_list, number, records):
        return bool(
            self.sudo().search_count(
                [
                    ("list_id", "in", record_list._origin.ids or record_list.ids),
                    ("number", "=", number),
                    ("reading", "in", list(SENDABLE)),
                    ("id", "not in", records.ids),
                ],
                limit=1,
            )
        )

    def _sendable_pairs(self):
        """Return the (list id, number) that these lines stand for."""
        return {
            (record.list_id.id, record.number)
            for record in self
            if record.reading in SENDABLE
        }

    @api.model
    def _promote_duplicates(self, pairs):
        """Make the first duplicate of each pair sendable, where none is any more."""
        if not pairs:
            return
        lists, numbers = (list(column) for column in zip(*pairs, strict=True))
        self.flush_model(["list_id", "number", "reading"])
        self.env.cr.execute(
            SQL(
                """SELECT min(r.id)
                     FROM unnest(%s::int4[], %s::varchar[]) AS p(list_id, number)
                     JOIN sms_devino_recipient r USING (list_id, number)
                 GROUP BY p.list_id, p.number
                   HAVING NOT bool_or(r.reading = ANY(%s))""",
                lists,
                numbers,
                list(SENDABLE),
            )
        )
        for record in self.sudo().browse([row[0] for row in self.env.cr.fetchall()]):
            record.write({"number_raw": record.number_raw})

    def _read_again(self):
        """Read all numbers anew, by a few statements; the lines are of one list."""
        record_list = self.list_id
        record_list._lock()
        self.env.cr.execute(
            SQL(
                """SELECT id, number_raw FROM sms_devino_recipient
                    WHERE id = ANY(%s) ORDER BY id""",
                list(self.ids),
            )
        )
        rows = self.env.cr.fetchall()
        readings = phone.read_many(
            (raw for _id, raw in rows), record_list.country_id.code
        )
        seen = set()
        values = []
        for (record_id, _raw), reading in zip(rows, readings, strict=True):
            repeated = reading.sendable and reading.e164 in seen
            seen.add(reading.e164)
            code = "duplicate" if repeated else reading.code
            others = ", ".join(reading.others) or None
            values.append((record_id, reading.e164, code, others))
        self.env.cr.execute(
            SQL(
                "UPDATE sms_devino_recipient SET reading = 'empty' WHERE list_id = %s",
                record_list.id,
            )
        )
        for start in range(0, len(values), PAGE):
            columns = zip(*values[start : start + PAGE], strict=True)
            ids, numbers, readings, others = (list(column) for column in columns)
            self.env.cr.execute(
                SQL(
                    """UPDATE sms_devino_recipient r
                          SET number = v.number, reading = v.reading, others = v.others
                         FROM unnest(%s::int4[], %s::varchar[], %s::varchar[],
                                     %s::varchar[])
                           AS v(id, number, reading, others)
                        WHERE r.id = v.id""",
                    ids,
                    numbers,
                    readings,
                    others,
                )
            )
        self.invalidate_model()
