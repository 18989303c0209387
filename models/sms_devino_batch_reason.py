from odoo import fields, models
from odoo.tools import SQL

from .sms_devino_batch_line import LEFT_OUT_REASONS


class SmsDevinoBatchReason(models.Model):
    _name = "sms.devino.batch.reason"
    _description = "Reason for Leaving Recipients out of a Mass SMS"
    _order = "count desc, id"
    _rec_name = "reason"

    # a sms.devino.batch.send: what is kept may not refer to what is transient
    wizard_id = fields.Integer(
        string="Preparation", readonly=True, index="btree_not_null", aggregator=None
    )
    batch_id = fields.Many2one(
        "sms.devino.batch", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    reason = fields.Selection(LEFT_OUT_REASONS, readonly=True, required=True)
    count = fields.Integer(string="Recipients", readonly=True)

    def action_open(self):
        """Show who was left out for this reason."""
        self.ensure_one()
        owner = ("wizard_id", "=", self.wizard_id)
        if self.batch_id:
            owner = ("batch_id", "=", self.batch_id.id)
        labels = dict(self._fields["reason"]._description_selection(self.env))
        return {
            "type": "ir.actions.act_window",
            "name": labels[self.reason],
            "res_model": "sms.devino.batch.line",
            "view_mode": "list",
            "domain": [owner, ("reason", "=", self.reason)],
        }

    def _count_lines(self, wizard):
        """Count what was left out of the sending that ``wizard`` prepares."""
        self.env.cr.execute(
            SQL(
                """INSERT INTO sms_devino_batch_reason (wizard_id, reason, count,
                          create_uid, create_date, write_uid, write_date)
                   SELECT wizard_id, reason, count(*),
                          %(uid)s, %(now)s, %(uid)s, %(now)s
                     FROM sms_devino_batch_line
                    WHERE wizard_id = %(wizard)s AND reason IS NOT NULL
                 GROUP BY wizard_id, reason""",
                uid=self.env.uid,
                now=self.env.cr.now(),
                wizard=wizard.id,
            )
        )
        wizard.invalidate_recordset(["reason_ids"])
