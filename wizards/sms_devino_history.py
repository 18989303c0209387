from odoo import api, fields, models

from ..services.history import SHOWN, History

# Sudo, since writing a relation that is empty asks for rights on its model too.
FOUND = {"compute": "_compute_found", "compute_sudo": True}


class SmsDevinoHistory(models.TransientModel):
    """Shows all that is known of a number or a person."""

    _name = "sms.devino.history"
    _description = "History of a Number"
    _inherit = ["sms.devino.guarded"]
    _rec_name = "query"

    query = fields.Char(
        string="Number or name",
        help="A number however it is written, a part of one, or a name.",
    )
    partner_id = fields.Many2one("res.partner", string="Contact")
    number = fields.Char(help="When there is only one.", **FOUND)
    status = fields.Text(**FOUND)
    is_blacklisted = fields.Boolean(string="On the blacklist", **FOUND)
    message_ids = fields.Many2many("sms.devino.message", string="Messages", **FOUND)
    left_out_ids = fields.Many2many("sms.devino.message", string="Left out", **FOUND)
    incoming_ids = fields.Many2many(
        "sms.devino.incoming", string="Incoming SMS", **FOUND
    )
    recipient_ids = fields.Many2many(
        "sms.devino.recipient", string="Lines of lists", **FOUND
    )
    blacklist_ids = fields.Many2many("phone.blacklist", **FOUND)
    consent_ids = fields.Many2many("sms.devino.consent", **FOUND)

    @api.depends("query", "partner_id")
    def _compute_found(self):
        """Look with the rights of the user: what they may not see is not shown."""
        for history in self:
            partner = history.partner_id._origin.sudo(False)._filtered_access("read")
            found = History(partner.env, history.query, partner)
            history.update(
                {
                    "number": len(found.numbers) == 1 and min(found.numbers),
                    "is_blacklisted": found.is_blacklisted(),
                    **found.find_all(),
                }
            )
            history.status = history._describe(found)

    def _describe(self, found):
        """Return what there is to say about the search itself, or ``False``."""
        if found.is_empty:
            return bool(found.text) and self.env._(
                "Enter a number, at least four digits of one, or a name."
            )
        kinds = (
            self.message_ids,
            self.left_out_ids,
            self.incoming_ids,
            self.recipient_ids,
            self.blacklist_ids,
            self.consent_ids,
        )
        if not any(kinds) and not self.is_blacklisted:
            return self.env._("Nothing is known of this number or name.")
        if any(len(records) == SHOWN for records in kinds):
            return self.env._("Of each kind, the %s newest are shown.", SHOWN)
        return False
