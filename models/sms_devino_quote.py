from odoo import api, fields, models

RESERVED_HELP = (
    "The estimated cost of messages that wait to be sent, and of messages sent since "
    "the balance was asked. The balance shown does not yet include them."
)


class SmsDevinoQuote(models.AbstractModel):
    """The figures about money that every sending form shows, and why nothing is sent.

    A form inherits from this, implements :meth:`_get_quote_basis`, and names in its
    own ``@api.depends`` on :meth:`_compute_quote` what the basis is made of::

        @api.depends("account_id", "cost")
        def _compute_quote(self):
            return super()._compute_quote()

        def _get_quote_basis(self):
            return self.account_id, self.cost

    The amounts are empty for users who may not see the account's money. A form with
    ``<widget name="sms_devino_fresh_balance"/>`` has an old balance asked again, and
    shows it when it comes.
    """

    _name = "sms.devino.quote"
    _description = "SMS Cost and Balance"

    quote_cost = fields.Char(string="Cost of the sending", compute="_compute_quote")
    quote_balance = fields.Char(string="Balance now", compute="_compute_quote")
    quote_balance_at = fields.Datetime(string="Balance as of", compute="_compute_quote")
    quote_reserved = fields.Char(
        string="Reserved",
        compute="_compute_quote",
        help=RESERVED_HELP,
    )
    quote_after = fields.Char(string="Balance after", compute="_compute_quote")
    quote_shortage = fields.Char(string="Not enough by", compute="_compute_quote")
    quote_refused = fields.Boolean(
        string="Refused for lack of money", compute="_compute_quote"
    )
    quote_sentence = fields.Char(string="About the balance", compute="_compute_quote")
    # what the browser changes to see a new balance while the form has unsaved changes
    quote_seen_at = fields.Datetime(string="Balance looked at", store=False)
    quote_account_id = fields.Many2one(
        "sms.devino.account", string="Account that pays", compute="_compute_quote"
    )
    sending_problem = fields.Text(
        string="Why nothing is sent",
        compute="_compute_quote",
        help="Empty while messages leave; otherwise what to do, and who can do it.",
    )

    @api.depends("quote_seen_at")
    def _compute_quote(self):
        for record in self:
            account, cost = record._get_quote_basis()
            record.quote_account_id = account._origin
            record.update(account._get_quote_values(cost))

    def _get_quote_basis(self):
        """Return what the quote is about; for the inheriting model to implement.

        :return: (``sms.devino.account``, maybe empty, cost as float)
        """
        return self.env["sms.devino.account"], 0.0
