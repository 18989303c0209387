from odoo import api, fields, models
from odoo.tools import SQL

# Why a recipient gets no message. The verdicts of the reader of numbers come first.
LEFT_OUT_REASONS = [
    ("empty", "No number"),
    ("landline", "A landline, which takes no SMS"),
    ("special", "A service number, which takes no SMS"),
    ("impossible", "The number does not exist"),
    ("foreign_without_plus", "Looks foreign, but has no plus"),
    ("letters", "Letters in the number"),
    ("too_short", "The number is too short"),
    ("too_long", "The number is too long"),
    ("lost_digits", "The number has lost digits in a spreadsheet"),
    ("duplicate", "The same number once more"),
    ("blacklisted", "On the exclusion list"),
    ("no_text", "Nothing is left of the text"),
    ("long_text", "The text is longer than 2000 characters"),
    ("repeated", "Was sent again already"),
]
# Columns written for each line, in the order of :func:`_to_row`.
COLUMNS = (
    "number",
    "name",
    "partner_id",
    "body",
    "encoding",
    "segment_count",
    "cost",
    "reason",
    "empty_values",
    "repeat_of_id",
)
# Lines written by one statement.
PAGE = 10000


class SmsDevinoBatchLine(models.Model):
    """A recipient of a mass sending as it was shown before: what goes, and what not.

    The lines that go become messages and are removed; those left out stay with the
    batch. They are written by SQL only, a hundred thousand at a time.
    """

    _name = "sms.devino.batch.line"
    _description = "Recipient of a Mass SMS"
    _order = "id"
    _rec_name = "number"

    # a sms.devino.batch.send: what is kept may not refer to what is transient
    wizard_id = fields.Integer(
        string="Preparation", readonly=True, index="btree_not_null", aggregator=None
    )
    batch_id = fields.Many2one(
        "sms.devino.batch", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    number = fields.Char(readonly=True)
    name = fields.Char(readonly=True)
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    body = fields.Text(string="Text", readonly=True)
    encoding = fields.Selection(
        [("gsm7", "GSM 03.38"), ("ucs2", "Unicode (UCS-2)")], readonly=True
    )
    segment_count = fields.Integer(string="Segments", readonly=True)
    cost = fields.Float(digits=(12, 4), readonly=True)
    reason = fields.Selection(
        LEFT_OUT_REASONS, string="Left out because", readonly=True
    )
    empty_values = fields.Char(
        string="Empty values",
        readonly=True,
        help="Values that the text asks for and that this recipient has not.",
    )
    repeat_of_id = fields.Many2one(
        "sms.devino.message",
        string="Repeats",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )

    @api.autovacuum
    def _gc_preparations(self):
        """Remove what was calculated and never sent."""
        for model in ("sms.devino.batch.line", "sms.devino.batch.reason"):
            self.env.cr.execute(
                SQL(
                    """DELETE FROM %s WHERE batch_id IS NULL AND wizard_id NOT IN (
                           SELECT id FROM sms_devino_batch_send)""",
                    SQL.identifier(self.env[model]._table),
                )
            )

    @api.model
    def _stage(self, wizard, lines):
        """Keep what a sending will be, as it is shown now.

        :param wizard: ``sms.devino.batch.send``, one; what it had before goes
        :param list lines: of :class:`~.batch_forecast.Line`
        """
        self.env.cr.execute(
            SQL("DELETE FROM sms_devino_batch_line WHERE wizard_id = %s", wizard.id)
        )
        for start in range(0, len(lines), PAGE):
            self._insert(wizard, lines[start : start + PAGE])
        self.invalidate_model()

    @api.model
    def _insert(self, wizard, lines):
        columns = zip(*(_to_row(line) for line in lines), strict=True)
        self.env.cr.execute(
            SQL(
                """INSERT INTO sms_devino_batch_line
                          (create_uid, create_date, write_uid, write_date, wizard_id,
                           company_id, %(names)s)
                   SELECT %(uid)s, %(now)s, %(uid)s, %(now)s, %(wizard)s, %(company)s,
                          %(names)s
                     FROM unnest(%(arrays)s) AS v(%(names)s)""",
                names=SQL(", ").join(map(SQL.identifier, COLUMNS)),
                uid=self.env.uid,
                now=self.env.cr.now(),
                wizard=wizard.id,
                company=wizard.account_id.company_id.id,
                arrays=SQL(", ").join(
                    SQL(
                        "%s::%s[]", list(column), SQL(self._fields[name].column_type[0])
                    )
                    for name, column in zip(COLUMNS, columns, strict=True)
                ),
            )
        )

    @api.model
    def _count_blacklisted(self, wizard):
        """Return how many of those that go are on the exclusion list by now."""
        self.env["phone.blacklist"].flush_model(["number", "active"])
        self.env.cr.execute(
            SQL(
                """SELECT count(*)
                     FROM sms_devino_batch_line l JOIN phone_blacklist b USING (number)
                    WHERE l.wizard_id = %s AND l.reason IS NULL AND b.active""",
                wizard.id,
            )
        )
        return self.env.cr.fetchone()[0]

    @api.model
    def _to_messages(self, wizard, batch):
        """Make messages of the lines that go and give those left out to the batch.

        :return: how many messages there are now
        """
        planned = batch.state == "planned"
        self.env.cr.execute(
            SQL(
                """INSERT INTO sms_devino_message
                          (create_uid, create_date, write_uid, write_date, author_id,
                           uuid, account_id, company_id, sender_name, number,
                           partner_id, body, encoding, segment_count, priority,
                           planned_at, validity, state, attempts, delivered_segments,
                           cost_estimated, batch_id, repeat_of_id)
                   SELECT %(uid)s, %(now)s, %(uid)s, %(now)s, %(uid)s,
                          replace(gen_random_uuid()::text, '-', ''), %(account)s,
                          company_id, %(sender)s, number, partner_id,
                          body, encoding, segment_count, '0', %(planned_at)s,
                          %(validity)s, %(state)s, 0, 0, cost,
                          %(batch)s, repeat_of_id
                     FROM sms_devino_batch_line
                    WHERE wizard_id = %(wizard)s AND reason IS NULL
                 ORDER BY id""",
                uid=self.env.uid,
                now=self.env.cr.now(),
                account=batch.account_id.id,
                sender=batch.sender_name,
                planned_at=batch.planned_at or None,
                validity=batch.validity,
                state="scheduled" if planned else "outgoing",
                batch=batch.id,
                wizard=wizard.id,
            )
        )
        count = self.env.cr.rowcount
        self._hand_left_out_to(wizard, batch)
        return count

    @api.model
    def _hand_left_out_to(self, wizard, batch):
        self.env.cr.execute(
            SQL(
                """DELETE FROM sms_devino_batch_line
                    WHERE wizard_id = %s AND reason IS NULL""",
                wizard.id,
            )
        )
        for table in ("sms_devino_batch_line", "sms_devino_batch_reason"):
            self.env.cr.execute(
                SQL(
                    """UPDATE %s SET batch_id = %s, wizard_id = NULL
                        WHERE wizard_id = %s""",
                    SQL.identifier(table),
                    batch.id,
                    wizard.id,
                )
            )
        self.env.invalidate_all()


def _to_row(line):
    """Return the line as a tuple in the order of :data:`COLUMNS`."""
    one = line.candidate
    return (
        one.number or None,
        one.name or None,
        one.partner_id,
        line.body,
        line.encoding,
        line.segments,
        line.cost,
        line.reason,
        line.empty_values,
        one.repeat_of_id,
    )
