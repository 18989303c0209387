from odoo import fields, models


class SmsDevinoQuote(models.AbstractModel):
    """The figures about money that every sending form shows.

    A form inherits from this, implements :meth:`_get_quote_basis`, and names in its
    own ``@api.depends`` on :meth:`_compute_quote` what the basis is made of::

        @api.depends("account_id", "cost")
        def _compute_quote(self):
            return super()._compute_quote()

        def _get_quote_basis(self):
            return self.account_id, self.cost

    All fields are empty for whoever may not see the money of the account.
    """

    _name = "sms.devino.quote"
    _description = "SMS Cost and Balance"

    quote_cost = fields.Char(string="Cost of the sending", compute="_compute_quote")
    quote_balance = fields.Char(string="Balance now", compute="_compute_quote")
    quote_balance_at = fields.Datetime(string="Balance as of", compute="_compute_quote")
    quote_reserved = fields.Char(
        string="Reserved",
        compute="_compute_quote",
        help="The estimated cost of messages that are still to be sent, and of those "
        "sent after the balance was asked.",
    )
    quote_after = fields.Char(string="Balance after", compute="_compute_quote")
    quote_shortage = fields.Char(string="Not enough by", compute="_compute_quote")
    quote_refused = fields.Boolean(
        string="Refused for lack of money", compute="_compute_quote"
    )
    quote_sentence = fields.Char(string="About the balance", compute="_compute_quote")

    def _compute_quote(self):
        for record in self:
            account, cost = record._get_quote_basis()
            record.update(account._get_quote_values(cost))

    def _get_quote_basis(self):
        """Return what the quote is about; for the inheriting model to implement.

        :return: (``sms.devino.account``, maybe empty, cost as float)
        """
        return self.env["sms.devino.account"], 0.0
