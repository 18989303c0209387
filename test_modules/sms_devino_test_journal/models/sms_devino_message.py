from odoo import api, fields, models
from odoo.exceptions import ValidationError


class SmsDevinoMessage(models.Model):
    _inherit = "sms.devino.message"

    test_note = fields.Char(string="Note")
    test_grade = fields.Char(string="Grade", required=True, default="plain")
    test_is_over = fields.Boolean(
        string="Is over", compute="_compute_test_is_over", store=True
    )
    test_length = fields.Integer(
        string="Length", compute="_compute_test_length", store=True
    )
    test_account_name = fields.Char(
        string="Name of the account", related="account_id.name", store=True
    )

    @api.depends("state")
    def _compute_test_is_over(self):
        for message in self:
            message.test_is_over = message.state in ("delivered", "canceled", "failed")

    @api.depends("body")
    def _compute_test_length(self):
        for message in self:
            message.test_length = len(message.body or "")

    @api.constrains("state", "body")
    def _check_test_words(self):
        for message in self:
            if message.state == "outgoing" and "forbidden" in (message.body or ""):
                raise ValidationError(self.env._("This text is forbidden."))
