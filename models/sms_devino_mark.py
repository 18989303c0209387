from odoo import fields, models

from ..services.words import LEFT_OUT_REASONS


class SmsDevinoMark(models.Model):
    """That a rule, or a server action, has dealt with a record: once for each occasion.

    Written by the program only, many by one statement.
    """

    _name = "sms.devino.mark"
    _description = "SMS Rule: Record Done"
    _order = "id desc"
    _rec_name = "occasion"

    rule_id = fields.Many2one("sms.devino.rule", readonly=True, ondelete="cascade")
    action_id = fields.Many2one(
        "ir.actions.server", string="Server action", readonly=True, ondelete="cascade"
    )
    res_id = fields.Integer(
        string="Record id", required=True, readonly=True, aggregator=None
    )
    occasion = fields.Char(
        required=True,
        readonly=True,
        default="",
        help="The date that the message was due for; empty where there is none.",
    )
    message_key = fields.Char(
        string="Message", readonly=True, help="Empty: the record got no message."
    )
    reason = fields.Selection(
        LEFT_OUT_REASONS,
        readonly=True,
        help="Why there is no message although there should be one.",
    )

    _rule_uniq = models.UniqueIndex(
        "(rule_id, res_id, occasion) WHERE rule_id IS NOT NULL"
    )
    _action_uniq = models.UniqueIndex("(action_id, res_id) WHERE action_id IS NOT NULL")
    _message_key_idx = models.Index("(message_key) WHERE message_key IS NOT NULL")
    _reason_idx = models.Index("(rule_id) WHERE reason IS NOT NULL")
