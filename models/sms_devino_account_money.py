from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, float_compare

# Sums of prices are compared no finer than they are written down.
DIGITS = 4


class SmsDevinoAccount(models.Model):
    """What messages cost, whether there is enough, and who is told if there is not."""

    _inherit = "sms.devino.account"

    tariff_ids = fields.One2many(
        "sms.devino.tariff",
        "account_id",
        string="Tariffs",
        help="Prices by the first digits of the number. Without one that fits, the "
        "price of one SMS above counts.",
    )
    insufficient_policy = fields.Selection(
        [("refuse", "Refuse to send"), ("warn", "Only warn")],
        string="When the balance is not enough",
        required=True,
        default="refuse",
        tracking=True,
        help="What a mass sending does when it would cost more than there is.",
    )
    low_balance = fields.Float(
        string="Warn below",
        digits=(16, 4),
        help="The responsible person is told by an activity and an e-mail when the "
        "balance falls below this. 0: never.",
    )
    is_low_balance_told = fields.Boolean(copy=False, readonly=True)

    # --- prices ---------------------------------------------------------------------

    def _get_price_finder(self):
        """Return a function that tells the price of one segment to a number.

        :return: callable taking an E.164 number or None, made for very many numbers
        """
        self.ensure_one()
        default = self.price_per_segment
        prices = {tariff.prefix: tariff.price for tariff in self.tariff_ids}
        if not prices:
            return lambda number: default
        lengths = sorted({len(prefix) for prefix in prices}, reverse=True)

        def find(number):
            digits = (number or "").removeprefix("+")
            for length in lengths:
                price = prices.get(digits[:length])
                if price is not None:
                    return price
            return default

        return find

    def _estimate_cost(self, segments, number=None):
        """Return what segments to an E.164 number cost, in the account's currency."""
        return segments * self._get_price_finder()(number)

    # --- is it enough? --------------------------------------------------------------

    def _get_spent_since_balance(self):
        """Return the estimated cost of what was accepted after the balance was asked.

        The balance that is known does not tell of it yet.
        """
        self.ensure_one()
        if not self.balance_at:
            return 0.0
        self.env["sms.devino.message"].flush_model(
            ["accepted_at", "account_id", "cost_estimated"]
        )
        self.env.cr.execute(
            SQL(
                """SELECT COALESCE(sum(cost_estimated), 0) FROM sms_devino_message
                    WHERE account_id = %s AND accepted_at > %s""",
                self.id,
                self.balance_at,
            )
        )
        return self.env.cr.fetchone()[0]

    def _get_bound(self):
        """Return what is spent already, though the balance does not tell of it yet."""
        self.ensure_one()
        return self.reserved + self._get_spent_since_balance()

    def _lock_money(self):
        """Let two sendings at once see each other's reservation, one after the other.

        Whoever comes second waits for the first one's commit. That the row was written
        makes it a conflict then, after which Odoo repeats the whole request, which now
        sees what the first one has put into the journal.
        """
        self.ensure_one()
        self.env.cr.execute(
            SQL(
                """UPDATE sms_devino_account SET write_date = write_date
                    WHERE id = %s""",
                self.id,
            )
        )

    def _check_enough(self, cost):
        """Refuse to spend what is not there, unless an administrator said to warn only.

        :raise UserError: telling how much is missing
        """
        self.ensure_one()
        missing = cost + self._get_bound() - self.balance
        if (
            self.insufficient_policy == "warn"
            or not self.balance_at
            or float_compare(missing, 0, precision_digits=DIGITS) <= 0
        ):
            return
        raise UserError(
            self.env._(
                "The balance is not enough: the sending costs %(cost)s, %(shortage)s "
                "more than there is. Top up the account at the provider, then "
                "calculate again.",
                cost=self._format_amount(cost),
                shortage=self._format_amount(missing),
            )
        )

    # --- low balance ----------------------------------------------------------------

    def write(self, vals):
        """Look at a new balance, or at a new threshold."""
        result = super().write(vals)
        if {"balance", "low_balance"} & vals.keys():
            self._watch_balance()
        return result

    def _watch_balance(self):
        """Tell of a balance that has fallen below the threshold, once for each fall."""
        for account in self.filtered("balance_at"):
            low = account.balance < account.low_balance
            if low == account.is_low_balance_told:
                continue
            account.is_low_balance_told = low
            if low:
                account._tell_responsible_of_low_balance()
            else:
                account._close_low_balance_activities()

    def _tell_responsible_of_low_balance(self):
        user = self.responsible_id or self.create_uid
        account = self.with_context(lang=user.lang or self.env.lang)
        summary = account.env._("SMS balance is low")
        note = account.env._(
            "The balance of the SMS account “%(account)s” is %(balance)s, below "
            "%(threshold)s. Top it up at the provider.",
            account=account.name,
            balance=account._format_balance(),
            threshold=account._format_amount(account.low_balance),
        )
        # the e-mail below says more than the one about the activity would
        account.with_context(mail_activity_quick_update=True).activity_schedule(
            "sms_devino.mail_activity_low_balance",
            user_id=user.id,
            summary=summary,
            note=note,
        )
        account.env["mail.mail"].sudo().create(
            {
                "subject": f"{summary}: {account.name}",
                "body_html": note,
                "recipient_ids": [fields.Command.link(user.partner_id.id)],
                "model": account._name,
                "res_id": account.id,
            }
        )

    def _close_low_balance_activities(self):
        self.activity_feedback(
            ["sms_devino.mail_activity_low_balance"],
            feedback=self.env._("The balance has risen: %s", self._format_balance()),
        )

    @api.model
    def _cron_watch_balance(self):
        """Ask the balance of the accounts whose balance somebody wants watched."""
        for account in self.search([("low_balance", ">", 0), ("state", "=", "ready")]):
            account._refresh_balance()
            self.env["ir.cron"]._commit_progress(1)
