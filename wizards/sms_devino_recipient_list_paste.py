from odoo import api, fields, models
from odoo.exceptions import UserError

from ..services.sheet_words import as_user_error
from ..tools import phone
from ..tools.recipients import parse_pasted
from ..tools.sheet import SheetError

# Lines named in the dialog; all of them can be seen in the list.
SHOWN = 10


class SmsDevinoRecipientListPaste(models.TransientModel):
    _name = "sms.devino.recipient.list.paste"
    _description = "Paste Recipients"

    list_id = fields.Many2one(
        "sms.devino.recipient.list",
        string="Recipient list",
        required=True,
        ondelete="cascade",
    )
    text = fields.Text(
        string="Numbers",
        help="One per line, or separated by comma, semicolon or tab; with a name "
        "before or after, or without.",
    )
    total_count = fields.Integer(string="Read", compute="_compute_counts")
    new_count = fields.Integer(string="New", compute="_compute_counts")
    updated_count = fields.Integer(string="Updated", compute="_compute_counts")
    duplicate_count = fields.Integer(string="Already there", compute="_compute_counts")
    wrong_count = fields.Integer(string="Wrong", compute="_compute_counts")
    wrong_text = fields.Text(string="What is wrong", compute="_compute_counts")
    keep_wrong = fields.Boolean(
        string="Keep wrong ones",
        default=True,
        help="They stand in the list with what is wrong, to be corrected there. No "
        "message goes to them.",
    )

    @api.depends("text", "list_id")
    def _compute_counts(self):
        for wizard in self:
            rows = wizard._rows()
            counts = wizard.list_id._preview_rows(rows)
            wizard.total_count = len(rows)
            wizard.new_count = counts["new"]
            wizard.updated_count = counts["updated"]
            wizard.duplicate_count = counts["duplicate"] + counts["unchanged"]
            wizard.wrong_count = counts["wrong"]
            wizard.wrong_text = wizard._describe_wrong(rows)

    def _rows(self):
        """Return what was pasted as rows for the list: one for each number."""
        country = self.list_id.country_id.code
        rows = []
        try:
            found = parse_pasted(self.text or "")
        except SheetError as error:
            raise as_user_error(self.env, error) from error
        for pasted in found:
            reading = phone.read(pasted.number, country)
            numbers = [pasted.number]
            if reading.others:
                numbers = [reading.e164, *reading.others]
            rows += [{"number_raw": number, "name": pasted.name} for number in numbers]
        return rows

    def _describe_wrong(self, rows):
        """Return a sentence for each of the first wrong numbers."""
        describe = self.env["sms.devino.message"]._describe_reading
        country = self.list_id.country_id.code
        sentences = []
        for row in rows:
            reading = phone.read(row["number_raw"], country)
            if not reading.sendable:
                sentences.append(describe(reading))
            if len(sentences) == SHOWN:
                break
        return "\n".join(sentences)

    def action_add(self):
        """Write what was pasted into the list.

        :raise UserError: when there is no number in it
        """
        self.ensure_one()
        rows = self._rows()
        if not rows:
            raise UserError(self.env._("Numbers: paste or type at least one."))
        counts = self.list_id._add_rows(rows, keep_wrong=self.keep_wrong)
        self.list_id._link_contacts()
        return self.list_id._notify_added(counts)
