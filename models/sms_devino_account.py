import logging
from datetime import timedelta
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, float_compare

from ..gateway import (
    DEFAULT_URL,
    OPERATION_STATUSES,
    Credentials,
    GatewayError,
    get_client,
)
from ..sandbox.adapter import SandboxAdapter
from ..services.jobs import DISPATCH, trigger

_logger = logging.getLogger(__name__)

# Sums of prices are compared no finer than they are written down.
DIGITS = 4
# Asking a wrong password again may lock the account at the provider, so only lack of
# credits, which passes by itself once the company has paid, is looked after.
SELF_HEALING_STATUSES = ("Error_Not_Enough_Credits",)
# What the sandbox says that an account in test mode has: enough for any sending.
TEST_BALANCE = Decimal(1_000_000)
PROBE_PAUSE = timedelta(minutes=15)
CONNECTION_FIELDS = {"login", "password", "url", "mode"}


class SmsDevinoAccount(models.Model):
    _name = "sms.devino.account"
    _description = "SMS Account"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "is_default desc, sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, help="How your company calls this account.")
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self._default_company_id(),
    )
    is_default = fields.Boolean(
        string="Default of the company",
        copy=False,
        help="The account that messages use when no other is chosen. "
        "One for each company.",
    )
    mode = fields.Selection(
        [("test", "Test"), ("live", "Live")],
        required=True,
        default="test",
        tracking=True,
        help="Test: messages go to a sandbox inside Odoo; nothing leaves, nothing is "
        "paid. Live: messages go to the provider and are paid for.",
    )
    url = fields.Char(
        string="Server address",
        required=True,
        default=DEFAULT_URL,
        help="The address of the provider's REST service. Keep the one filled in "
        "unless the provider tells you another.",
    )
    login = fields.Char(
        copy=False,
        groups="sms_devino.group_admin",
        help="The login of your account at the provider.",
    )
    password = fields.Char(
        copy=False,
        groups="sms_devino.group_admin",
        help="The password of your account at the provider.",
    )
    sender_ids = fields.One2many(
        "sms.devino.sender", "account_id", string="Sender names"
    )
    default_sender_id = fields.Many2one(
        "sms.devino.sender",
        string="Default sender",
        domain="[('account_id', '=', id), ('state', '!=', 'refused')]",
        copy=False,
        ondelete="set null",
        index="btree_not_null",
        help="The sender name that is filled in when someone writes a message.",
    )
    default_validity = fields.Integer(
        string="Validity (minutes)",
        help="How long the provider tries to deliver a message. 0 leaves it to the "
        "provider (a day or two).",
    )
    country_id = fields.Many2one(
        "res.country",
        string="Country of numbers without a plus",
        required=True,
        default=lambda self: self._default_country_id(),
        help="A number written without a plus is read as one of this country.",
    )
    price_per_segment = fields.Float(
        string="Price of one SMS",
        digits=(12, 4),
        default=1.0,
        help="What one segment costs, for the estimate before sending. 1 counts in "
        "credits: one credit is one segment.",
    )
    currency_id = fields.Many2one(
        "res.currency",
        help="The currency of prices and balance. Empty: credits.",
    )
    balance = fields.Float(
        digits=(16, 4),
        readonly=True,
        copy=False,
        help="What the provider answered when it was last asked.",
    )
    balance_at = fields.Datetime(string="Balance asked at", readonly=True, copy=False)
    reserved = fields.Float(
        string="Reserved by the queue",
        digits=(16, 4),
        compute="_compute_reserved",
        help="The estimated cost of messages that are planned or wait in the queue.",
    )
    responsible_id = fields.Many2one(
        "res.users",
        default=lambda self: self.env.user,
        domain="[('share', '=', False)]",
        help="Is told when sending stops.",
    )
    requests_per_second = fields.Integer(
        string="Requests per second",
        default=20,
        help="At most so many calls a second go to the provider. 0: no limit.",
    )
    state = fields.Selection(
        [
            ("draft", "Not checked"),
            ("ready", "Connected"),
            ("stopped", "Stopped"),
        ],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        tracking=True,
        help="Stopped: the provider refused the account. Messages wait in the queue "
        "until the connection is checked with success.",
    )
    operation_status = fields.Selection(
        OPERATION_STATUSES,
        string="Last answer",
        readonly=True,
        copy=False,
        help="What the provider answered to the last check of the connection, or why "
        "it refused the account.",
    )
    last_error = fields.Char(string="Details of the error", readonly=True, copy=False)
    paused_until = fields.Datetime(readonly=True, copy=False)
    probe_at = fields.Datetime(readonly=True, copy=False)
    probe_balance = fields.Float(digits=(16, 4), readonly=True, copy=False)
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
    message_count = fields.Integer(compute="_compute_message_count")

    _one_default_per_company = models.UniqueIndex(
        "(company_id) WHERE is_default AND active",
        "This company already has a default SMS account.",
    )
    _validity_not_negative = models.Constraint(
        "CHECK (default_validity >= 0)", "A lifetime cannot be negative."
    )
    _price_not_negative = models.Constraint(
        "CHECK (price_per_segment >= 0)", "A price cannot be negative."
    )
    _rate_not_negative = models.Constraint(
        "CHECK (requests_per_second >= 0)",
        "The number of requests a second cannot be negative.",
    )

    # --- defaults -------------------------------------------------------------------

    def _default_company_id(self):
        return self.env.company

    def _default_country_id(self):
        return self.env.company.country_id or self.env.ref("base.ru")

    # --- computes -------------------------------------------------------------------

    def _compute_reserved(self):
        """Sum the estimates of what still has to leave, in one query."""
        self.env["sms.devino.message"].flush_model(["state", "cost_estimated"])
        self.env.cr.execute(
            SQL(
                """SELECT account_id, sum(cost_estimated)
                     FROM sms_devino_message
                    WHERE state IN ('scheduled', 'outgoing', 'sending')
                      AND account_id = ANY(%s)
                 GROUP BY account_id""",
                list(self.ids),
            )
        )
        reserved = dict(self.env.cr.fetchall())
        for account in self:
            account.reserved = reserved.get(account.id, 0.0)

    def _compute_message_count(self):
        counts = dict(
            self.env["sms.devino.message"]._read_group(
                [("account_id", "in", self.ids)], ["account_id"], ["__count"]
            )
        )
        for account in self:
            account.message_count = counts.get(account, 0)

    # --- constraints ----------------------------------------------------------------

    @api.constrains("url")
    def _check_url(self):
        for account in self:
            url = (account.url or "").strip()
            scheme, separator, rest = url.partition("://")
            if not separator or scheme not in ("http", "https") or not rest.strip("/"):
                raise ValidationError(
                    self.env._(
                        "Server address: “%(url)s” is not a web address. It begins "
                        "with https://, for example %(example)s.",
                        url=account.url,
                        example=DEFAULT_URL,
                    )
                )

    # --- CRUD -----------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Make the first account of a company its default one."""
        accounts = super().create([vals | {"is_default": False} for vals in vals_list])
        for account, vals in zip(accounts, vals_list, strict=True):
            if vals.get("is_default"):
                account.is_default = True
        for account in accounts.filtered(lambda account: not account.is_default):
            if not account._sibling_default():
                account.is_default = True
        return accounts

    def write(self, vals):
        """Forget the verdict on a connection whose settings change."""
        if vals.get("is_default"):
            others = self._sibling_default()
            others.is_default = False
            # one UPDATE of all might meet the unique index in the wrong order
            others.flush_recordset(["is_default"])
        if CONNECTION_FIELDS & vals.keys():
            vals = {
                "state": "draft",
                "operation_status": False,
                "last_error": False,
                "paused_until": False,
                **vals,
            }
        result = super().write(vals)
        if CONNECTION_FIELDS & vals.keys():
            self._wake_dispatcher()
        if {"balance", "low_balance"} & vals.keys():
            self._watch_balance()
        return result

    def _sibling_default(self):
        """Return the default accounts of the same companies, other than these."""
        return self.sudo().search(
            [
                ("company_id", "in", self.company_id.ids),
                ("is_default", "=", True),
                ("id", "not in", self.ids),
            ]
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        if (
            self.env["sms.devino.message"]
            .sudo()
            .search_count([("account_id", "in", self.ids)], limit=1)
        ):
            raise UserError(
                self.env._(
                    "This account has messages in the journal and cannot be deleted. "
                    "Archive it instead."
                )
            )

    # --- actions --------------------------------------------------------------------

    def action_check_connection(self):
        """Log in anew and ask the balance; the answer is kept on the account.

        :return: a notification action that says the answer in the manual's words
        """
        self.ensure_one()
        # each wrong password may bring the account nearer to being locked
        self.check_access("write")
        error = self._refresh_balance(login=True)
        label = self._operation_status_label(self.operation_status)
        if error:
            message = f"{self.operation_status}: {label}"
        else:
            message = self.env._("Balance: %(balance)s", balance=self._format_balance())
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "danger" if error else "success",
                "title": self.env._("Not connected") if error else label,
                "message": message,
                "sticky": bool(error),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_refresh_balance(self):
        """Ask the balance now, for anyone who may send from this account."""
        self.ensure_one()
        self.check_access("read")
        self._refresh_balance()
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def action_view_messages(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Messages"),
            "res_model": "sms.devino.message",
            "view_mode": "list,form,graph,pivot",
            "domain": [("account_id", "=", self.id)],
        }

    # --- the connection -------------------------------------------------------------

    def _get_client(self):
        """Return the gateway client of this account, shared by the process.

        In test mode the whole client runs, over an adapter that plays the provider
        inside this process: no server and no network are needed.

        :raise UserError: when login or password are missing
        """
        self.ensure_one()
        account = self.sudo()
        if account.mode == "test":
            credentials = Credentials(
                url=account.url,
                login=account.login or "test",
                password=account.password or "test",
            )
            return get_client(
                credentials,
                adapter_factory=lambda: SandboxAdapter(balance=TEST_BALANCE),
            )
        if not account.login or not account.password:
            raise UserError(
                self.env._(
                    "The SMS account “%(account)s” has no login or no password. An "
                    "administrator enters them in SMS > Configuration > Accounts.",
                    account=account.name,
                )
            )
        return get_client(
            Credentials(url=account.url, login=account.login, password=account.password)
        )

    def _refresh_balance(self, *, login=False):
        """Ask the provider for the balance and keep what it answered.

        :param bool login: log in anew first, which proves login and password
        :return: the :class:`GatewayError` that it ended with, or ``None``
        """
        self.ensure_one()
        client = self._get_client()
        try:
            if login:
                client.login()
            balance = client.balance()
        except GatewayError as error:
            self._note_failed_check(error, login=login)
            return error
        self._note_balance(balance)
        return None

    def _note_failed_check(self, error, *, login):
        """Keep why the connection failed; only a checked login changes the state."""
        values = {
            "operation_status": error.operation_status or "Error_Gateway_Offline",
            "last_error": str(error)[:500],
        }
        account = self.sudo()
        if login and account.state == "ready":
            values["state"] = "draft"
        account.write(values)

    def _note_balance(self, balance: Decimal):
        account = self.sudo()
        resumed = account.state == "stopped"
        account.write(
            {
                "balance": float(balance),
                "balance_at": fields.Datetime.now(),
                "state": "ready",
                "operation_status": "OK_Operation_Completed",
                "last_error": False,
                "paused_until": False,
                "probe_at": False,
            }
        )
        if resumed:
            account._close_stop_activities()
            account._wake_dispatcher()

    # --- stopping the queue ---------------------------------------------------------

    def _stop(self, error):
        """Stop the queue of this account and tell the person responsible.

        :param GatewayError error: what the provider refused the account with
        """
        self.ensure_one()
        if self.state == "stopped":
            return
        self_healing = error.operation_status in SELF_HEALING_STATUSES
        self.write(
            {
                "state": "stopped",
                "operation_status": error.operation_status,
                "last_error": str(error)[:500],
                "probe_at": fields.Datetime.now() if self_healing else False,
                "probe_balance": -1,
            }
        )
        self._tell_responsible_of_stop()

    def _tell_responsible_of_stop(self):
        user = self.responsible_id or self.create_uid
        account = self.with_context(lang=user.lang or self.env.lang)
        account.activity_schedule(
            "mail.mail_activity_data_warning",
            user_id=user.id,
            summary=account.env._("SMS sending has stopped"),
            note=account.env._(
                "The provider refused the account “%(account)s”: %(reason)s. Messages "
                "wait in the queue. Mend the cause, then press Check connection.",
                account=account.name,
                reason=account._operation_status_label(account.operation_status),
            ),
        )

    def _close_stop_activities(self):
        self.activity_feedback(
            ["mail.mail_activity_data_warning"],
            feedback=self.env._("The connection works again."),
        )

    def _probe_stopped(self):
        """Ask accounts that stopped for lack of credits whether they were topped up.

        Runs outside any other work of the transaction: it talks HTTP, then commits.
        """
        for account in self.search(
            [("state", "=", "stopped"), ("probe_at", "<=", fields.Datetime.now())]
        ):
            try:
                balance = account._get_client().balance()
            except (GatewayError, UserError) as error:
                _logger.info("account %s: no balance, %s", account.id, error)
                balance = None
            account._judge_probe(balance)
            self.env["ir.cron"]._commit_progress()

    def _judge_probe(self, balance):
        """Resume when there is more money than at the first look after the stop."""
        known = self.probe_balance
        if balance is not None and 0 <= known < float(balance):
            self._note_balance(balance)
            return
        values = {"probe_at": fields.Datetime.now() + PROBE_PAUSE}
        if balance is not None:
            values |= {"balance": float(balance), "balance_at": fields.Datetime.now()}
            if known < 0:
                values["probe_balance"] = float(balance)
        self.write(values)

    def _wake_dispatcher(self):
        trigger(self.env, DISPATCH)

    # --- for whoever writes a message -----------------------------------------------

    @api.model
    def _get_default(self, company=None):
        """Return the account that a message of ``company`` uses, maybe empty."""
        company = company or self.env.company
        return self.sudo().search([("company_id", "=", company.id)], limit=1)

    def _get_default_sender(self):
        """Return the sender name to offer first: the default, else one not refused,
        rather a name of one's own than the provider's stock names."""
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

    def _format_amount(self, amount):
        """Return ``amount`` as a person reads it: money, or credits."""
        self.ensure_one()
        if self.currency_id:
            return self.currency_id.format(amount)
        digits = self.env["ir.qweb.field.float"].value_to_html(amount, {"precision": 2})
        return self.env._("%(amount)s credits", amount=digits)

    def _format_balance(self):
        return self._format_amount(self.balance)

    def _operation_status_label(self, status):
        field = self._fields["operation_status"]
        return dict(field._description_selection(self.env)).get(status, status or "")

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

    def _find_price(self, number):
        """Return the price of one segment to an E.164 number, by the longest prefix."""
        self.ensure_one()
        return self._get_price_finder()(number)

    def _message_values(self, start, validity=None):
        """Return the values that every message of this account has.

        :param datetime start: UTC; when the message may leave
        :param int validity: minutes from then on; the account's default without it
        """
        self.ensure_one()
        minutes = self.default_validity if validity is None else validity
        return {
            "account_id": self.id,
            "company_id": self.company_id.id,
            "mode": self.mode,
            "use_until": start + timedelta(minutes=minutes) if minutes else False,
        }

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
