from odoo import api, fields, models
from odoo.exceptions import UserError

from ..services import refusal
from ..services.consent import refusal_ends, withdraw
from ..services.records import read_ids, read_input
from ..services.words import notify

# Rows without a number that are named.
NAMED = 10


class SmsDevinoUnsubscribe(models.TransientModel):
    """Puts numbers on the blacklist: a single one, or a stop list."""

    _name = "sms.devino.unsubscribe"
    _description = "Unsubscribe"
    _inherit = ["sms.devino.guarded"]

    text = fields.Text(
        string="Numbers",
        help="One per line, or separated by comma, semicolon or tab.",
    )
    file = fields.Binary(string="Stop list", attachment=True)
    filename = fields.Char()
    reason = fields.Char(
        required=True, help="For example: asked by phone on 3 December."
    )
    consent_id = fields.Many2one("sms.devino.consent", ondelete="cascade")
    is_list = fields.Boolean(string="A list of numbers", readonly=True)

    @api.model
    def default_get(self, fields):
        """Take the number of the contact that the dialog is opened from."""
        values = super().default_get(fields)
        context = self.env.context
        if context.get("active_model") == "res.partner" and not values.get("text"):
            ids = read_ids(context.get("active_ids"))
            partners = read_input(self.env, "res.partner", ids)
            phones = filter(None, partners.mapped("phone"))
            values["text"] = "\n".join(phones)
        return values

    def action_apply(self):
        """Put the numbers on the blacklist and cancel what waits for them.

        :raise UserError: when there is no number
        """
        self.ensure_one()
        self.check_access("write")
        if self.consent_id:
            return self._withdraw()
        numbers, wrong = self._read_numbers()
        refusal.check_may_refuse(self.env, numbers)
        if not numbers:
            raise UserError(
                self.env._("Numbers: enter at least one, or choose a file.")
            )
        added = refusal.refuse(
            self.env,
            self.env.company,
            numbers,
            source="list" if self.is_list else "person",
            reason=self.reason,
        )
        return self._notify(added, len(numbers) - added, wrong)

    def _withdraw(self):
        """Withdraw one consent; where a refusal ends messages of its purpose, refuse
        for its number too."""
        given = self.consent_id
        given.check_access("write")
        withdraw(given, self.reason)
        if refusal_ends(given.company_id, given.purpose):
            refusal.refuse(
                self.env,
                given.company_id,
                [given.number],
                source="person",
                reason=self.reason,
            )
        return {"type": "ir.actions.act_window_close"}

    def _read_numbers(self):
        account = self.env["sms.devino.account"]._get_default()
        country = account.country_id.code or "RU"
        numbers, wrong = refusal.read_pasted(self.env, self.text, country)
        wrong = list(wrong.items())
        if self.file:
            content = self.with_context(bin_size=False).file
            found = refusal.read_file(self.env, content, self.filename, country)
            numbers |= found[0]
            wrong += found[1].items()
        return numbers, wrong

    def _notify(self, added, known, wrong):
        text = self.env._(
            "Put on the blacklist: %(added)s. On it already: %(known)s.",
            added=added,
            known=known,
        )
        if wrong:
            named = ", ".join(f"{row}: {raw}" for row, raw in wrong[:NAMED])
            text += " " + self.env._(
                "Without a number that can be read: %(count)s (by row: %(rows)s).",
                count=len(wrong),
                rows=named + (", …" if len(wrong) > NAMED else ""),
            )
        return notify(
            self.env._("Unsubscribed"),
            text,
            kind="warning" if wrong else "success",
            sticky=bool(wrong),
            following={"type": "ir.actions.act_window_close"},
        )
