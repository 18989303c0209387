from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL, float_compare

from ..services import balance, fees, jobs, learned_prices, limits, windows
from ..services.account_words import notify_connection
from ..services.first_steps import make_first_steps
from ..services.pricing import Pricing
from ..services.quote import DIGITS, describe_quote, make_quote, sum_reserved
from .sms_devino_quote import RESERVED_HELP


class SmsDevinoAccount(models.Model):
    _name = "sms.devino.account"
    _description = "SMS Account"
    _inherit = ["sms.devino.connection", "sms.devino.hours", "sms.devino.guarded"]
    _order = "sequence, id"
    _check_company_auto = True
    # a branch may use the account of its parent company
    _check_company_domain = models.check_company_domain_parent_of

    name = fields.Char(
        required=True, default="Devino", help="What your company calls this account."
    )
    active = fields.Boolean(default=True)
    sequence = fields.Integer(
        default=10,
        help="The first account of a company is used when no other is chosen.",
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        help="Branches of this company may use the account too. Once the account has "
        "messages, its company is fixed.",
    )
    sender_ids = fields.One2many(
        "sms.devino.sender", "account_id", string="Sender names"
    )
    default_sender_id = fields.Many2one(
        "sms.devino.sender",
        string="Sender name",
        domain="[('account_id', '=', id), ('state', '!=', 'refused')]",
        check_company=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
        help="The sender name that a new message begins with. Recipients see it.",
    )
    sender_name = fields.Char(
        string="First sender name",
        compute="_compute_sender_name",
        inverse="_inverse_sender_name",
        help="What recipients see. The provider must have approved the name.",
    )
    default_validity = fields.Integer(
        string="Validity (minutes)",
        help="How long the provider tries to deliver a message. 0: the provider's "
        "default, a day or two.",
    )
    country_id = fields.Many2one(
        "res.country",
        string="Country of numbers without a plus",
        required=True,
        default=lambda self: self.env.company.country_id or self.env.ref("base.ru"),
        help="A number written without a plus is taken as a number of this country.",
    )
    price_per_segment = fields.Float(
        string="Price of one SMS",
        digits=(12, 4),
        default=1.0,
        help="What one segment costs, for the estimate before sending: in money, with "
        "the currency beside it, or in credits without one.",
    )
    currency_id = fields.Many2one(
        "res.currency",
        help="The currency of prices and balance. Empty: credits.",
    )
    balance = fields.Float(
        digits=(16, 4),
        readonly=True,
        copy=False,
        help="The balance that the provider last reported.",
    )
    balance_at = fields.Datetime(string="Balance asked at", readonly=True, copy=False)
    is_balance_wanted = fields.Boolean(copy=False, readonly=True)
    reserved = fields.Float(
        digits=(16, 4),
        compute="_compute_reserved",
        help=RESERVED_HELP,
    )
    requests_per_second = fields.Integer(
        string="Requests per second",
        default=20,
        help="The most calls to the provider in one second. 0: no limit.",
    )
    probe_balance = fields.Float(digits=(16, 4), readonly=True, copy=False)
    inbound_number = fields.Char(
        string="Number for replies",
        help="Your own number at the provider that can be answered. Without one no "
        "incoming SMS are asked for. A sender name of letters cannot be answered.",
    )
    incoming_user_id = fields.Many2one(
        "res.users",
        string="Person for incoming SMS",
        check_company=True,
        domain="[('share', '=', False)]",
        help="Gets an activity for each incoming SMS that answers nobody's own.",
    )
    incoming_until = fields.Datetime(
        string="Incoming SMS asked for until", readonly=True, copy=False
    )
    tariff_ids = fields.One2many(
        "sms.devino.tariff",
        "account_id",
        string="Tariffs",
        help="Prices by operator, first digits, sender name and kind of traffic. Where "
        "none fits, the price of one SMS of the account counts.",
    )
    insufficient_policy = fields.Selection(
        [("refuse", "Refuse to send"), ("warn", "Only warn")],
        string="When the balance is not enough",
        required=True,
        default="refuse",
        tracking=True,
        help="What happens when a sending costs more than is available.",
    )
    same_text_minutes = fields.Integer(
        string="Warn of the same text within (minutes)",
        default=10,
        help="Sending the same text to the same number again within this time shows a "
        "warning. 0: never.",
    )
    same_text_mass_hours = fields.Integer(
        string="Leave out the same text within (hours)",
        default=24,
        help="A mass sending leaves out recipients who got the same text within this "
        "time. 0: nobody.",
    )
    dead_number_days = fields.Integer(
        string="Leave out numbers that took no SMS (days)",
        default=30,
        help="A mass sending leaves out numbers that the provider refused, or reported "
        "not to exist, within this time. 0: none.",
    )
    low_balance = fields.Float(
        string="Warn below",
        digits=(16, 4),
        help="The responsible person gets an activity when the balance falls below "
        "this amount. 0: never.",
    )
    is_used_by_odoo = fields.Boolean(
        string="All SMS of Odoo go through it",
        compute="_compute_is_used_by_odoo",
        compute_sudo=True,
    )

    _validity_not_negative = models.Constraint(
        "CHECK (default_validity >= 0)", "A validity cannot be negative."
    )
    _price_not_negative = models.Constraint(
        # not "a number" is no price either: it is greater than all others
        "CHECK (price_per_segment >= 0 AND price_per_segment < 1e9)",
        "A price cannot be negative, nor a billion.",
    )
    _rate_not_negative = models.Constraint(
        "CHECK (requests_per_second >= 0)",
        "The number of requests a second cannot be negative.",
    )

    # --- computes -------------------------------------------------------------------

    @api.depends("default_sender_id.name")
    def _compute_sender_name(self):
        for account in self:
            account.sender_name = account.default_sender_id.name

    def _inverse_sender_name(self):
        for account in self.filtered("sender_name"):
            senders = account.sender_ids
            known = senders.filtered(lambda s, name=account.sender_name: s.name == name)
            account.default_sender_id = known or senders.create(
                {"account_id": account.id, "name": account.sender_name}
            )

    def _compute_reserved(self):
        for account in self:
            saved = account._origin
            account.reserved = sum_reserved(saved) if saved else 0.0

    @api.depends_context("company")
    def _compute_is_used_by_odoo(self):
        used = self.env.company.sms_devino_account_id
        for account in self:
            account.is_used_by_odoo = account._origin == used

    # --- constraints ----------------------------------------------------------------

    @api.constrains("default_sender_id")
    def _check_default_sender(self):
        for account in self:
            sender = account.default_sender_id
            if sender and sender.account_id != account:
                raise ValidationError(
                    self.env._(
                        "Default sender: “%(sender)s” belongs to another account.",
                        sender=sender.name,
                    )
                )

    @api.constrains("company_id")
    def _check_companies_using_it(self):
        companies = self.env["res.company"].sudo()
        using = companies.search([("sms_devino_account_id", "in", self.ids)])
        using._check_company(["sms_devino_account_id"])

    # --- CRUD -----------------------------------------------------------------------

    def write(self, vals):
        """Forget the balance of the other mode; tell once when a balance gets low."""
        if "company_id" in vals:
            self._check_company_may_change(vals["company_id"])
        if any(vals.get("mode", account.mode) != account.mode for account in self):
            # the balance of the sandbox is not that of the provider
            vals = {**vals, "balance": 0.0, "balance_at": False}
        were_low = self.filtered(lambda account: account._is_low())
        result = super().write(vals)
        are_low = self.filtered(lambda account: account._is_low())
        for account in are_low - were_low:
            account._notify("low_balance")
        (were_low - are_low)._close_notice("low_balance")
        return result

    def _is_low(self):
        is_watched = self.balance_at and self.low_balance > 0
        return bool(is_watched) and (
            float_compare(self.balance, self.low_balance, DIGITS) < 0
        )

    def _check_company_may_change(self, company_id):
        moved = self.filtered(lambda account: account.company_id.id != company_id)
        for model in ("sms.devino.message", "sms.devino.batch"):
            if moved._is_used_in(model):
                raise UserError(
                    self.env._(
                        "This account has messages: its company cannot be changed any "
                        "more. Create another account for the other company."
                    )
                )

    def _is_used_in(self, model):
        domain = [("account_id", "in", self.ids)]
        return bool(self.env[model].sudo().search_count(domain, limit=1))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        if self._is_used_in("sms.devino.message"):
            raise UserError(
                self.env._(
                    "This account has messages in the journal and cannot be deleted. "
                    "Archive it instead."
                )
            )

    # --- actions --------------------------------------------------------------------

    def action_send_trial(self):
        """Check the account, then open the form with an SMS to oneself.

        :return: the action of the form; the notification of the failure without success
        """
        self._check_may_see_money()
        is_admin = self.has_access("write")
        if error := self._refresh_balance(login=is_admin):
            return notify_connection(self, error)
        defaults = {
            "sms_devino_account_id": self.id,
            "sms_devino_number": self.env.user.partner_id.phone or False,
            "body": self.env._("Trial SMS from Odoo"),
        }
        title = self.env._("Trial SMS")
        return windows.open_composer(self.env, "numbers", defaults, name=title)

    def action_use_for_odoo(self):
        """Have all SMS that Odoo sends for the current company go through the account.

        :raise AccessError: for a user who may not change settings
        """
        self.check_access("read")
        self.ensure_one()
        self.env["res.config.settings"].check_access("write")
        self.env.company.sudo().sms_devino_account_id = self
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def action_refresh_balance(self):
        """Ask for the balance now, for anyone who may send from this account."""
        self._check_may_see_money()
        self._refresh_balance()
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def action_learn_prices(self):
        """Propose tariffs where other prices were charged than those known."""
        self.check_access("write")
        self.ensure_one()
        return learned_prices.learn_now(self.sudo())

    def want_balance(self):
        """Have the scheduled action ask for a balance that is older than some minutes.

        :return: bool, whether a newer balance is on its way
        """
        self._check_may_see_money()
        account = self.sudo()
        if not balance.is_old(account) or account.state != "ready":
            return False
        balance.want_balance(account)
        return True

    def action_view_messages(self):
        """Open the messages of the account."""
        self.check_access("read")
        self.ensure_one()
        domain = [("account_id", "=", self.id)]
        return windows.open_action(
            self.env, "sms_devino_message_action", domain=domain, context={}
        )

    @api.model
    def get_first_steps(self):
        """Return the steps from installing to sending everything through an account.

        :return: list of dicts, see :func:`~..services.first_steps.make_first_steps`
        """
        self.check_access("read")
        return make_first_steps(self.env)

    @api.model
    def hide_first_steps(self):
        """Hide the steps for the whole company; the settings show them again."""
        self.check_access("write")
        self.env.company.sudo().sms_devino_show_steps = False

    # --- the balance ----------------------------------------------------------------

    def _refresh_balance(self, *, login=False):
        """Ask for the balance, see :func:`~..services.balance.refresh_balance`."""
        self.ensure_one()
        return balance.refresh_balance(self.sudo(), login=login)

    def _note_balance(self, amount):
        """Keep a balance, which proves the connection."""
        self._write_balance(amount)
        self._note_success()

    def _write_balance(self, amount):
        self.sudo().write(
            {"balance": float(amount), "balance_at": fields.Datetime.now()}
        )

    @api.model
    def _cron_watch_balance(self):
        """Ask for balances. Commits as it goes."""
        balance.watch_balances(self.env)

    @api.model
    def _cron_prices(self):
        """Ask for the renewal of sender names, and learn from what was charged.
        Commits as it goes."""
        accounts = self.search([("active", "=", True)])
        for work, message in (
            (fees.ask_renewals, "account %s: renewals not asked for, %s"),
            (learned_prices.refresh, "account %s: prices not learned, %s"),
        ):
            jobs.for_each(accounts, work, message)

    # --- for the code that writes messages ------------------------------------------

    @api.model
    def _get_default(self, company=None):
        """Return the account that a message of ``company`` uses, maybe empty.

        A branch without an account of its own uses that of the nearest company above.
        """
        company = company or self.env.company
        accounts = self.sudo().search([("company_id", "parent_of", company.id)])
        return accounts.sorted(lambda a: -len(a.company_id.parent_ids))[:1]

    def _get_message_company(self):
        """Return the company of a message of this account: a branch keeps its own."""
        self.ensure_one()
        company = self.env.company
        above = company.sudo().parent_ids
        return company if self.company_id in above else self.company_id

    def _get_default_sender(self):
        """Return the sender name to offer first: the default, else one not refused,
        preferably a name of one's own, not one of the provider's stock names."""
        self.ensure_one()
        usable = self.sender_ids.filtered(lambda sender: sender.state != "refused")
        if self.default_sender_id in usable:
            return self.default_sender_id
        return usable.sorted("is_stock")[:1]

    def _get_sender_named(self, name):
        """Return the sender of this name, unless refused, else the default one."""
        self.ensure_one()
        named = self.sender_ids.filtered(
            lambda sender: sender.name == name and sender.state != "refused"
        )
        return named or self._get_default_sender()

    def _message_values(self, start, validity=None):
        """Return the values that every message of this account has.

        :param datetime start: UTC; when the message may leave
        :param int validity: minutes from then on; the account's default without it
        """
        self.ensure_one()
        minutes = self.default_validity if validity is None else validity
        return {
            "account_id": self.id,
            "company_id": self._get_message_company().id,
            "mode": self.mode,
            "use_until": start + timedelta(minutes=minutes) if minutes else False,
        }

    # --- prices and the quote -------------------------------------------------------

    def _format_amount(self, amount):
        """Return ``amount`` as a person reads it: money, or credits."""
        self.ensure_one()
        if self.currency_id:
            return self.currency_id.format(amount)
        digits = self.env["ir.qweb.field.float"].value_to_html(amount, {"precision": 2})
        return self.env._("%(amount)s credits", amount=digits)

    def _get_pricing(self):
        """Return the :class:`~..services.pricing.Pricing` of the account's messages."""
        self.ensure_one()
        return Pricing(self)

    def _get_quote(self, cost):
        """Return a :class:`~..services.quote.Quote`: a cost beside the money there is.

        :param float cost: of the sending that is about to be made
        """
        self.ensure_one()
        return make_quote(self._origin.sudo(), cost)

    def _get_quote_values(self, cost):
        """Return the values of ``sms.devino.quote``, see
        :func:`~..services.quote.describe_quote`."""
        return describe_quote(self._origin, cost)

    def _may_see_money(self):
        """Tell whether the user, whatever rights the code has, may read the account."""
        self.ensure_one()
        return self.env.user.has_group("sms_devino.group_user") and (
            self.with_user(self.env.user).has_access("read")
        )

    def _check_may_see_money(self):
        self.check_access("read")
        if not self._may_see_money():
            raise AccessError(
                self.env._("Only members of the group SMS / User see the balance.")
            )

    def _lock_money(self):
        """Let two sendings at once see each other's reservation, one after the other.

        Call it last before the messages are written. A second caller waits for
        the first one's commit. The row was written then, which makes it a conflict,
        and Odoo repeats the whole request. ``lock_for_update`` would raise at once.
        """
        self.ensure_one()
        self.env.cr.execute(
            SQL(
                "UPDATE sms_devino_account SET write_date = write_date WHERE id = %s",
                self.id,
            )
        )

    def _check_enough(self, cost, count=1, user=None):
        """Refuse to spend what is not there, unless an administrator said to warn only,
        or more than a person may.

        :param user: ``res.users`` who sends; the current one without it
        :raise UserError: saying how much is missing
        """
        quote = self._get_quote(cost)
        if quote.is_refused:
            raise UserError(quote.sentence)
        limits.check(self.sudo(), count, cost, user or self.env.user)
