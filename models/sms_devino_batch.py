import logging

from odoo import api, fields, models

_logger = logging.getLogger(__name__)


class SmsDevinoBatch(models.Model):
    """A mass sending: a draft first, then one text on its way to many.

    Its rows are rows of the journal: ``draft`` until *Send*, ``left_out`` for
    recipients who get nothing.
    """

    _name = "sms.devino.batch"
    _description = "SMS Mass Sending"
    _inherit = ["mail.thread"]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(required=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    account_id = fields.Many2one(
        "sms.devino.account", required=True, index=True, ondelete="restrict"
    )
    currency_id = fields.Many2one(related="account_id.currency_id")
    body = fields.Text(string="Text")
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("to_approve", "To approve"),
            ("scheduled", "Scheduled"),
            ("running", "Sending"),
            ("paused", "Paused"),
            ("done", "Done"),
            ("canceled", "Canceled"),
        ],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
    )
    total = fields.Integer(string="Messages in all", readonly=True, copy=False)

    @api.model
    def _feed(self):
        """Move the next page of running batches into the queue.

        An account whose queue holds less than a page gets the next one.

        :return: how many messages were moved
        """
        return 0

    @api.model
    def _follow(self):
        """Let the states and counters of batches follow those of their messages.
        Commits."""
