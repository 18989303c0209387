from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

from ..services.words import BLACKLISTED, READINGS, describe_reading, private_error
from ..tools import phone
from ..tools.phone import SENDABLE
from ..tools.recipients import clean, clean_data
from ..tools.shapes import DATA, TITLES, fits

# What only this model computes.
COMPUTED = {"number", "reading", "others"}


class SmsDevinoRecipient(models.Model):
    """A line of a recipient list.

    A message may go to the lines whose ``reading`` is ``ok`` or ``corrected``; a
    number is in a list once. The blacklist (``phone.blacklist``) is looked at live:
    ``is_blacklisted``, and ``shown_reading`` for people.
    """

    _name = "sms.devino.recipient"
    _description = "SMS Recipient"
    _inherit = ["sms.devino.guarded", "sms.devino.data"]
    _json_shapes = {"data": DATA, "list_columns": TITLES}
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
        compute="_compute_number",
        store=True,
        precompute=True,
        copy=False,
        help="The number that a message goes to.",
    )
    reading = fields.Selection(
        READINGS,
        string="Reading of the number",
        compute="_compute_number",
        store=True,
        precompute=True,
        copy=False,
    )
    others = fields.Char(
        string="Further numbers",
        compute="_compute_number",
        store=True,
        precompute=True,
        copy=False,
        help="What else was written in the same place. Only the first number is taken.",
    )
    shown_reading = fields.Selection(
        [*READINGS, BLACKLISTED],
        string="Number check",
        compute="_compute_shown_reading",
    )
    is_blacklisted = fields.Boolean(
        string="On the blacklist",
        compute="_compute_shown_reading",
        search="_search_is_blacklisted",
    )
    reading_text = fields.Char(string="Explanation", compute="_compute_shown_reading")
    partner_id = fields.Many2one(
        "res.partner", string="Contact", index="btree_not_null", ondelete="set null"
    )

    _number_uniq = models.UniqueIndex(
        "(list_id, number) WHERE reading IN ('ok', 'corrected')",
        "This number is already in the list.",
    )

    # --- computes -------------------------------------------------------------------

    @api.depends("number_raw", "list_id.country_id")
    def _compute_number(self):
        """Read the number as one of the list's country."""
        for record in self:
            reading = record._read_number()
            record.number = reading.e164
            record.reading = reading.code
            record.others = ", ".join(reading.others)

    def _read_number(self):
        self.ensure_one()
        return phone.read(clean(self.number_raw), self.list_id.country_id.code)

    @api.depends("number", "reading", "number_raw", "others")
    def _compute_shown_reading(self):
        """Say what is to be expected of each line, the blacklist included."""
        numbers = [number for number in self.mapped("number") if number]
        blacklist = self.env["phone.blacklist"].sudo()
        blocked = set(blacklist.search([("number", "in", numbers)]).mapped("number"))
        for record in self:
            record.is_blacklisted = record.number in blocked
            if record.is_blacklisted and record.reading in SENDABLE:
                record.shown_reading = "blacklisted"
                record.reading_text = self.env._(
                    "%(number)s is on the blacklist: it gets no advertising.",
                    number=record.number,
                )
            else:
                record.shown_reading = record.reading
                record.reading_text = describe_reading(self.env, record._read_number())

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

    @api.depends("list_columns")
    def _compute_data_text(self):
        return super()._compute_data_text()

    def _get_data_titles(self):
        return self.list_columns or []

    @api.onchange("partner_id")
    def _onchange_partner_id(self):
        if self.partner_id:
            self.number_raw = self.number_raw or self.partner_id.phone
            self.name = self.name or self.partner_id.name

    # --- CRUD -----------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse a number that the list has already."""
        # a default in the context would write what may not be written
        context = self.env.context
        context = {k: v for k, v in context.items() if k[8:] not in COMPUTED}
        self = self.with_env(self.env(context=context))
        vals_list = [self._accepted(vals) for vals in vals_list]
        lists = self.env["sms.devino.recipient.list"]
        default_list_id = self.env.context.get("default_list_id")
        self._refuse_repeated(
            (lists.browse(vals.get("list_id", default_list_id)), vals["number_raw"])
            for vals in vals_list
            if vals.get("number_raw")
        )
        return super().create(vals_list)

    def write(self, vals):
        """Refuse a number that the list has already."""
        vals = self._accepted(vals)
        if {"number_raw", "list_id"} & vals.keys():
            self._refuse_repeated(
                (
                    record.list_id.browse(vals.get("list_id", record.list_id.id)),
                    vals.get("number_raw", record.number_raw),
                )
                for record in self
            )
        return super().write(vals)

    def _refuse_repeated(self, pairs):
        """Refuse what the unique index would, before it writes a number into the log.

        :param pairs: list and number as entered, of each line being written
        :raise UserError: naming the number
        """
        seen = set()
        for record_list, raw in pairs:
            reading = phone.read(raw, record_list.country_id.code)
            key = (record_list.id, reading.e164)
            if not reading.sendable:
                continue
            repeated = key in seen or self.search_count(
                [
                    ("list_id", "=", record_list.id),
                    ("number", "=", reading.e164),
                    ("reading", "in", list(SENDABLE)),
                    ("id", "not in", self.ids),
                ],
                limit=1,
            )
            if repeated:
                raise private_error(
                    self.env._(
                        "%(number)s is in the list already.", number=reading.e164
                    )
                )
            seen.add(key)

    @api.model
    def _accepted(self, vals):
        """Return the values with texts as a spreadsheet would give them back.

        :raise AccessError: when they hold what only this model computes
        """
        if not self.env.su and COMPUTED & vals.keys():
            raise AccessError(self.env._("The reading of a number cannot be written."))
        cleaned = {
            key: clean(vals[key]) for key in ("name", "number_raw") if key in vals
        }
        if vals.get("data") and fits(vals["data"], DATA):
            cleaned["data"] = clean_data(vals["data"])
        return {**vals, **cleaned}
