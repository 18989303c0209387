from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..tools.zones import zones_of_region


class SmsDevinoRange(models.Model):
    """A range of Russian mobile numbers, from the regulator's public table: it
    tells the region, and from that the time zone, where nothing better is known.

    The titles of the Russian table are the Russian names of the fields, so that Odoo's
    own import recognises them.
    """

    _name = "sms.devino.range"
    _description = "SMS Number Range"
    _inherit = ["sms.devino.guarded"]
    _rec_name = "low"
    _order = "low"

    code = fields.Char(
        string="ABC/ DEF", required=True, help="The first three digits, such as 921."
    )
    first = fields.Char(
        string="From number", required=True, help="The first number: seven digits."
    )
    last = fields.Char(string="Till number", required=True, help="The last number.")
    operator = fields.Char(
        help="Who was given the range. A number may have been moved to another "
        "operator."
    )
    region = fields.Char(help="In Russian, from the public table.")
    zones = fields.Char(string="Time zones", compute="_compute_zones")
    low = fields.Char(
        string="Whole first number",
        compute="_compute_bounds",
        store=True,
        precompute=True,
    )
    high = fields.Char(
        string="Whole last number",
        compute="_compute_bounds",
        store=True,
        precompute=True,
    )

    _low_uniq = models.UniqueIndex(
        "(low)",
        "There is a range with this first number already. To load a newer table, "
        "delete all ranges first.",
    )

    @api.depends("region")
    def _compute_zones(self):
        for record in self:
            record.zones = ", ".join(zones_of_region(record.region or ""))

    @api.depends("code", "first", "last")
    def _compute_bounds(self):
        for record in self:
            code = (record.code or "").strip()
            record.low = f"+7{code}{(record.first or '').strip():0>7}"
            record.high = f"+7{code}{(record.last or '').strip():0>7}"

    @api.constrains("code", "first", "last")
    def _check_bounds(self):
        for record in self:
            bounds = record.low, record.high
            are_numbers = all(
                len(bound) == 12 and bound[1:].isascii() and bound[1:].isdigit()
                for bound in bounds
            )
            if not are_numbers or record.low > record.high:
                raise ValidationError(
                    self.env._(
                        "“%(code)s %(first)s to %(last)s” is no range of numbers. "
                        "Enter three digits, then the first and the last number of "
                        "seven digits, such as 921, 0000000 and 0999999.",
                        code=record.code,
                        first=record.first,
                        last=record.last,
                    )
                )

    # --- looking numbers up ---------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Have the table read anew."""
        ranges = super().create(vals_list)
        self._forget_table()
        return ranges

    def write(self, vals):
        """Have the table read anew."""
        result = super().write(vals)
        self._forget_table()
        return result

    def unlink(self):
        """Have the table read anew."""
        result = super().unlink()
        self._forget_table()
        return result

    @api.model
    def _forget_table(self):
        """Have the table read anew: now, and after the commit, before which other
        threads of this process still read the old one."""
        self.env.registry.clear_cache()
        self.env.cr.postcommit.add(self.env.registry.clear_cache)

    @api.model
    @tools.ormcache()
    def _get_table(self):
        """Return first numbers, last numbers, operators and regions, a list each: the
        public table has some ten thousand ranges, and each message looks into it.
        Ranges of an operator or a region share one string for it."""
        self.flush_model()
        query = SQL(
            """SELECT low, high, operator, region FROM sms_devino_range
             ORDER BY low COLLATE "C" """
        )
        columns = list(zip(*self.env.execute_query(query), strict=True)) or [()] * 4
        names = {}
        return columns[:2] + [
            tuple(names.setdefault(name, name) for name in column)
            for column in columns[2:]
        ]

    @api.model
    def _get_operators(self):
        return set(self._get_table()[2])
