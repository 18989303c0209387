from odoo import api, fields, models
from odoo.tools import SQL

from .sms_devino_batch import GROUPS


class SmsDevinoMessage(models.Model):
    """A message may be part of a mass sending, which may be held."""

    _inherit = "sms.devino.message"

    # indexed together with the state
    batch_id = fields.Many2one(
        "sms.devino.batch", string="Mass SMS", readonly=True, ondelete="restrict"
    )
    is_on_hold = fields.Boolean(
        compute="_compute_is_on_hold",
        search="_search_is_on_hold",
        help="The mass sending that the message belongs to is paused.",
    )

    _batch_idx = models.Index("(batch_id, state) WHERE batch_id IS NOT NULL")
    # small however long the journal: what was accepted lately stands together
    _accepted_idx = models.Index("USING brin (accepted_at)")

    @api.depends("state", "batch_id.on_hold")
    def _compute_is_on_hold(self):
        for message in self:
            waits = message.state in GROUPS["waiting"]
            message.is_on_hold = waits and message.sudo().batch_id.on_hold

    def _search_is_on_hold(self, operator, value):
        if operator != "in":
            return NotImplemented
        waiting = ("state", "in", GROUPS["waiting"])
        return ["&", waiting, ("batch_id.on_hold", "in", value)]

    @api.model
    def _transition(self, target, rows, **options):
        """Claim nothing of a batch that is held: it may have been paused since the
        dispatcher read its queue."""
        if target == "sending" and rows:
            rows = self._without_held(rows)
        return super()._transition(target, rows, **options)

    @api.model
    def _without_held(self, rows):
        self.env.cr.execute(
            SQL(
                """SELECT m.id
                     FROM sms_devino_batch b
                     JOIN sms_devino_message m ON m.batch_id = b.id
                    WHERE b.on_hold AND m.id = ANY(%s)""",
                [row["id"] for row in rows],
            )
        )
        held = {row[0] for row in self.env.cr.fetchall()}
        return [row for row in rows if row["id"] not in held] if held else rows

    @api.model
    def _on_transition(self, target, ids):
        result = super()._on_transition(target, ids)
        if ids and target != "sending":
            self.env["sms.devino.batch"]._reopen(ids)
        return result


class SmsDevinoDispatcher(models.AbstractModel):
    _inherit = "sms.devino.dispatcher"

    @api.model
    def _cron_dispatch(self):
        """Let batches follow what becomes of their messages."""
        self.env["sms.devino.batch"]._follow()
        result = super()._cron_dispatch()
        self.env["sms.devino.batch"]._follow()
        return result

    @api.model
    def _queue_condition(self):
        """Leave out what belongs to a batch that is held."""
        return SQL(
            """%s AND (m.batch_id IS NULL OR m.batch_id NOT IN (
                   SELECT b.id FROM sms_devino_batch b WHERE b.on_hold))""",
            super()._queue_condition(),
        )


class SmsDevinoStatusChecker(models.AbstractModel):
    _inherit = "sms.devino.status.checker"

    @api.model
    def _cron_check_statuses(self):
        """Close the books of batches whose last report has come."""
        result = super()._cron_check_statuses()
        self.env["sms.devino.batch"]._follow()
        return result
