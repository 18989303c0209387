from odoo import api, fields, models
from odoo.exceptions import UserError

ADDON = "sms_devino"
# Rows of a batch that was sent and that have not reached the queue yet.
TO_COME = [
    ("state", "=", "draft"),
    ("batch_id.state", "in", ["scheduled", "running", "paused"]),
]


class BaseModuleUninstall(models.TransientModel):
    _inherit = "base.module.uninstall"

    sms_devino_open = fields.Text(
        string="SMS without an end", compute="_compute_sms_devino_open"
    )
    sms_devino_confirmed = fields.Boolean(
        string="Uninstall: these SMS are not sent, and their outcome stays unknown"
    )

    @api.depends("module_ids")
    def _compute_sms_devino_open(self):
        """Say what is still to be sent or in doubt; nothing when the addon stays."""
        for wizard in self:
            modules = wizard._get_modules().mapped("name")
            wizard.sms_devino_open = ADDON in modules and self._sms_devino_word_open()

    @api.model
    def _sms_devino_word_open(self):
        """Return a line for each state that is no end, ``False`` when there is none."""
        messages = self.env["sms.devino.message"].sudo()
        states = ["scheduled", "outgoing", "sending", "sent", "unknown"]
        counts = dict(
            messages._read_group([("state", "in", states)], ["state"], ["__count"])
        )
        if to_come := messages.search_count(TO_COME):
            counts["outgoing"] = counts.get("outgoing", 0) + to_come
        words = {
            "scheduled": self.env._("Scheduled"),
            "outgoing": self.env._("In the queue"),
            "sending": self.env._("Sending"),
            "sent": self.env._("Sent, not reported as delivered yet"),
            "unknown": self.env._("Outcome unknown"),
        }
        lines = [
            f"{words[state]}: {counts[state]}" for state in states if state in counts
        ]
        return "\n".join(lines) or False

    def action_uninstall(self):
        """Uninstall, once the person knows which SMS that stops.

        :raise UserError: naming them, as long as the person has not agreed
        """
        unconfirmed = self.filtered(lambda wizard: not wizard.sms_devino_confirmed)
        if self.env.is_admin() and (waiting := unconfirmed[:1].sms_devino_open):
            raise UserError(
                self.env._(
                    "There are SMS that have not come to an end:\n%(waiting)s\n\nWait "
                    "for them, cancel them, or tick that you uninstall all the same.",
                    waiting=waiting,
                )
            )
        return super().action_uninstall()
