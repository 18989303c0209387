from odoo import api, fields, models
from odoo.tools import SQL

from ..gateway import MESSAGE_STATUSES, state_info

# "Not in the database yet, or older than 48 hours" (documented): no news at all.
UNKNOWN_CODE = 255


class SmsDevinoSegment(models.Model):
    """One SMS of a message, as the provider knows it: it gives each an id, a state and
    a price of its own (documented by the provider)."""

    _name = "sms.devino.segment"
    _description = "SMS Segment"
    _order = "message_id, sequence"
    _rec_name = "gateway_id"
    # Who wrote a segment is not needed, and looking users up costs time.
    _log_access = False

    message_id = fields.Many2one(
        "sms.devino.message",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    sequence = fields.Integer(string="No.", readonly=True)
    gateway_id = fields.Char(string="SMS ID", required=True, readonly=True, index=True)
    code = fields.Integer(
        string="State code", readonly=True, help="The number the provider reports."
    )
    message_status = fields.Selection(
        MESSAGE_STATUSES,
        string="Status",
        compute="_compute_message_status",
    )
    is_final = fields.Boolean(
        readonly=True, help="The provider's last word on this segment."
    )
    status_text = fields.Char(string="Provider's words", readonly=True)
    price = fields.Float(digits=(12, 4), readonly=True)
    submitted_at = fields.Datetime(readonly=True)
    reported_at = fields.Datetime(readonly=True)
    checked_at = fields.Datetime(readonly=True)

    @api.depends("code")
    def _compute_message_status(self):
        for segment in self:
            known = segment.code != UNKNOWN_CODE
            segment.message_status = known and state_info(segment.code).message_status

    @api.model
    def _insert(self, gateway_ids):
        """Write the segments of accepted messages by one statement.

        :param dict gateway_ids: message id -> list of the provider's ids, in order
        """
        rows = [
            (message_id, sequence, gateway_id)
            for message_id, ids in gateway_ids.items()
            for sequence, gateway_id in enumerate(ids, start=1)
        ]
        if not rows:
            return
        message_ids, sequences, ids = (
            list(column) for column in zip(*rows, strict=True)
        )
        self.env.cr.execute(
            SQL(
                """INSERT INTO sms_devino_segment
                          (message_id, sequence, gateway_id, code, is_final)
                   SELECT v.*, %(unknown)s, FALSE
                     FROM unnest(%(messages)s::int4[], %(sequences)s::int4[],
                                 %(ids)s::varchar[]) AS v""",
                messages=message_ids,
                sequences=sequences,
                ids=ids,
                unknown=UNKNOWN_CODE,
            )
        )
        self.env["sms.devino.message"].browse(gateway_ids).invalidate_recordset(
            ["segment_ids", "gateway_ids"]
        )

    @api.model
    def _note(self, answers):
        """Write down the states that the provider told, by one statement.

        A final state is never overwritten, and "unknown" replaces nothing.

        :param dict answers: segment id -> ``MessageState``
        """
        if not answers:
            return
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """UPDATE sms_devino_segment s
                      SET code = CASE WHEN v.code = %(unknown)s
                                      THEN s.code ELSE v.code END,
                          is_final = v.is_final,
                          status_text = COALESCE(v.status_text, s.status_text),
                          price = COALESCE(v.price, s.price),
                          submitted_at = COALESCE(v.submitted_at, s.submitted_at),
                          reported_at = COALESCE(v.reported_at, s.reported_at),
                          checked_at = %(now)s
                     FROM (SELECT * FROM unnest(
                              %(ids)s::int4[], %(codes)s::int4[], %(finals)s::bool[],
                              %(texts)s::varchar[], %(prices)s::numeric[],
                              %(submitted)s::timestamp[], %(reported)s::timestamp[]
                          )) AS v(id, code, is_final, status_text, price,
                                  submitted_at, reported_at)
                    WHERE s.id = v.id AND NOT s.is_final""",
                unknown=UNKNOWN_CODE,
                now=fields.Datetime.now(),
                **self._columns_of(answers),
            )
        )
        self.browse(answers).invalidate_recordset()

    @api.model
    def _columns_of(self, answers):
        """Return the answers as one list per column."""
        states = list(answers.values())
        return {
            "ids": list(answers),
            "codes": [answer.state for answer in states],
            "finals": [state_info(answer.state).final for answer in states],
            # the words for "unknown" only repeat it
            "texts": [
                (answer.description or None) if answer.state != UNKNOWN_CODE else None
                for answer in states
            ],
            "prices": [answer.price for answer in states],
            "submitted": [answer.submitted for answer in states],
            "reported": [answer.reported for answer in states],
        }
