import uuid

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..tools import phone, sms_text


class SmsDevinoMessageSend(models.TransientModel):
    _name = "sms.devino.message.send"
    _description = "Send SMS"
    _inherit = ["sms.devino.preparation"]

    token = fields.Char(
        required=True,
        readonly=True,
        default=lambda self: self._default_token(),
        help="Told twice to send, by a double click or a repeated request, the form "
        "sends once.",
    )
    partner_id = fields.Many2one(
        "res.partner", string="Contact", help="Takes the number from a contact."
    )
    number = fields.Char(
        compute="_compute_number",
        store=True,
        readonly=False,
        required=True,
        help="For example 79214563763, +7 921 456-37-63 or 8 921 456-37-63.",
    )
    number_hint = fields.Char(compute="_compute_number_hint")
    number_verdict = fields.Selection(
        [("ok", "Good"), ("bad", "Bad")], compute="_compute_number_hint"
    )
    text = fields.Text(required=True)
    segment_count = fields.Integer(string="Segments", compute="_compute_cost_amount")
    cost_amount = fields.Float(compute="_compute_cost_amount")

    # --- defaults and computes ------------------------------------------------------

    def _default_token(self):
        return uuid.uuid4().hex

    @api.depends("partner_id")
    def _compute_number(self):
        for wizard in self:
            wizard.number = wizard.partner_id.phone or wizard.number

    @api.depends("number", "account_id")
    def _compute_number_hint(self):
        describe = self.env["sms.devino.message"]._describe_reading
        for wizard in self:
            reading = phone.read(wizard.number or "", wizard.account_id.country_id.code)
            empty = reading.verdict == "empty"
            wizard.number_hint = not empty and describe(reading)
            wizard.number_verdict = not empty and ("ok" if reading.sendable else "bad")

    @api.depends("text", "number", "account_id")
    def _compute_cost_amount(self):
        for wizard in self:
            account = wizard.account_id
            segments = sms_text.segments(wizard.text or "")
            reading = phone.read(wizard.number or "", account.country_id.code)
            wizard.segment_count = segments
            wizard.cost_amount = (
                account._estimate_cost(segments, reading.e164) if account else 0.0
            )

    # --- actions --------------------------------------------------------------------

    def action_refresh_balance(self):
        """Ask the provider for the balance; the form stays open as it is."""
        self.ensure_one()
        error = self.account_id._refresh_balance()
        if error:
            return self._notify_no_balance(self._reopen())
        return self._reopen()

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send SMS"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    def action_send(self):
        """Put the message into the journal and show it.

        A message for now is handed over right after the commit, so that the form that
        opens already shows its id and status.

        :raise UserError: when something is wrong; the form keeps what was entered
        """
        self.ensure_one()
        self._check_may_send()
        self._check_sender()
        self._check_planned_at()
        self._check_money()
        later = self.when == "later"
        message = self.env["sms.devino.message"].enqueue(
            self.number,
            self.text,
            account=self.account_id,
            sender=self.sender_id.name,
            planned_at=self.planned_at if later else None,
            validity=self.validity,
            partner=self._partner_of_number(),
            record=self.partner_id,
            key=f"send-form-{self.env.uid}-{self.token}",
            wait=not later,
        )
        return message._open()

    def _check_may_send(self):
        if not self.env.user.has_group("sms_devino.group_user"):
            raise AccessError(
                self.env._("Only members of the group SMS / User may send SMS.")
            )

    def _check_sender(self):
        if self.sender_id.account_id != self.account_id:
            raise UserError(
                self.env._(
                    "Sender: “%(sender)s” is not a sender name of the account "
                    "“%(account)s”. Choose one of its names.",
                    sender=self.sender_id.name,
                    account=self.account_id.name,
                )
            )

    def _check_money(self):
        if self.is_refused:
            raise UserError(
                self.env._(
                    "The balance is not enough: the message costs %(cost)s, "
                    "%(shortage)s more than there is. Top up the account at the "
                    "provider, then refresh the balance here.",
                    cost=self.cost,
                    shortage=self.shortage,
                )
            )

    def _partner_of_number(self):
        """Return the contact, unless the number was changed to somebody else's."""
        country = self.account_id.country_id.code
        theirs = phone.read(self.partner_id.phone or "", country).e164
        typed = phone.read(self.number or "", country).e164
        return self.partner_id if theirs == typed else self.partner_id.browse()
