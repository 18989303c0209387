from odoo import api, fields, models
from odoo.exceptions import UserError

from ..services.records import read_ids, read_input


class SmsDevinoMessageMove(models.TransientModel):
    """Asks when scheduled messages are to be sent instead."""

    _name = "sms.devino.message.move"
    _description = "SMS Move to Another Time"
    _inherit = ["sms.devino.guarded"]

    message_ids = fields.Many2many(
        "sms.devino.message",
        string="Messages",
        default=lambda self: self._default_message_ids(),
    )
    scheduled_at = fields.Datetime(
        string="Date and time",
        required=True,
        default=lambda self: self._default_scheduled_at(),
        help="In your time zone.",
    )

    @api.model
    def _default_message_ids(self):
        ids = read_ids(self.env.context.get("active_ids"))
        return read_input(self.env, "sms.devino.message", ids)

    @api.model
    def _default_scheduled_at(self):
        return self._default_message_ids()[:1].scheduled_at

    def action_move(self):
        """Send the messages at the time chosen.

        :raise UserError: when there is none that the user may read
        """
        self.ensure_one()
        if not self.message_ids:
            raise UserError(self.env._("These records cannot be found."))
        self.message_ids.reschedule(self.scheduled_at)
        return {"type": "ir.actions.act_window_close"}
