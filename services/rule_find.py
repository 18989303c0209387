"""What a rule is due for: records and moments that were not dealt with yet."""

from datetime import timedelta

from odoo import fields
from odoo.tools import SQL

from .rule_check import read_filter, read_model
from .rule_when import Due, Schedule, zone_of


class Finder:
    """Finds what a rule is due for.

    :param rule: ``sms.devino.rule``, in the environment of the responsible person
    """

    def __init__(self, rule):
        self.rule = rule
        self.env = rule.env
        self.model = read_model(rule)
        self.domain = read_filter(rule)
        self.zone = zone_of(self.env)
        self.schedule = Schedule(rule, self.zone)
        self.now = fields.Datetime.now()

    def find_due(self, *, everything=False):
        """Return what is due now and was not dealt with, a list of :class:`Due`.

        :param bool everything: also what was due before the rule was switched on
        """
        if self.rule.kind == "match":
            query = self.search_unmarked()
            ids = [key for (key,) in self.env.execute_query(query.select())]
            return [Due(key, "", self.now) for key in sorted(ids)]
        start = self.now - timedelta(hours=self.rule.use_hours)
        if self.rule.since and not everything:
            start = max(start, self.rule.since)
        return self._leave_marked(self.find_by_date(start, self.now))

    def find_by_date(self, start, end):
        """Return what a date leads to between two moments (UTC), marked or not."""
        name = self.rule.date_field
        domain = self.domain & self.schedule.domain(start, end)
        records = self.model.search_fetch(domain, [name], order="id")
        dues = [
            due
            for record in records
            for due in self.schedule.find(record.id, record[name], start, end)
        ]
        records.invalidate_recordset()
        return dues

    def _leave_marked(self, dues):
        if not dues:
            return dues
        self.env["sms.devino.mark"].flush_model()
        marked = set(
            self.env.execute_query(
                SQL(
                    """SELECT res_id, occasion FROM sms_devino_mark
                        WHERE rule_id = %s AND res_id = ANY(%s)""",
                    self.rule.id,
                    list({due.record_id for due in dues}),
                )
            )
        )
        return [due for due in dues if (due.record_id, due.occasion) not in marked]

    def search_unmarked(self):
        """Return the query for the records that meet the filter and have no mark."""
        return self._search(SQL("NOT EXISTS"))

    def search_seen(self):
        """Return the query for the records that meet the filter and got nothing,
        because they met it before the rule was switched on."""
        return self._search(
            SQL("EXISTS"), SQL("AND k.message_key IS NULL AND k.reason IS NULL")
        )

    def _search(self, exists, condition=None):
        self.env["sms.devino.mark"].flush_model()
        query = self.model._search(self.domain)
        query.add_where(
            SQL(
                """%s (SELECT FROM sms_devino_mark k
                        WHERE k.rule_id = %s AND k.res_id = %s %s)""",
                exists,
                self.rule.id,
                SQL.identifier(self.model._table, "id"),
                condition or SQL(),
            )
        )
        return query
