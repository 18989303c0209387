import logging
from datetime import timedelta
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import NO_ACCESS
from odoo.tools import SQL, float_compare, plaintext2html

from ..gateway import (
    DEFAULT_URL,
    OPERATION_STATUSES,
    AccountRefusedError,
    Credentials,
    GatewayError,
    get_client,
)
from ..services.account_words import describe_notice, describe_url_problem
from ..services.balance import ask_balance, watch_balances
from ..services.jobs import DISPATCH, trigger
from ..services.quote import (
    DIGITS,
    QUOTE_FIELDS,
    format_quote,
    make_quote,
    sum_reserved,
)
from ..services.test_mode import TestModeAdapter
from ..services.words import notify
from ..tools.prices import make_price_finder
from ..tools.web_address import find_problem

_logger = logging.getLogger(__name__)

# Asking with a refused login again may lock the account at the provider. Only lack of
# credits passes by itself, once the company has paid.
SELF_HEALING_STATUSES = ("Error_Not_Enough_Credits",)
# What an account in test mode has: enough for any sending.
TEST_BALANCE = Decimal(1_000_000)
# A person waits no longer for an answer.
BUTTON_SECONDS = 5.0
# How often an account that stopped for lack of credits is looked at.
WATCH_PAUSE = timedelta(minutes=15)
CONNECTION_FIELDS = {"login", "password", "url", "mode"}


class SmsDevinoAccount(models.Model):
    _name = "sms.devino.account"
    _description = "SMS Account"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "sequence, id"
    _check_company_auto = True
    # a branch may use the account of its parent company
    _check_company_domain = models.check_company_domain_parent_of

    name = fields.Char(required=True, help="How your company calls this account.")
    active = fields.Boolean(default=True)
    sequence = fields.Integer(
        default=10,
        help="The first account of a company is used when no other is chosen.",
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self._default_company_id(),
        help="Branches of this company may use the account too. Once the account has "
        "messages, its company is fixed.",
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
        groups="sms_devino.group_admin",
        help="The address of the provider's REST service. Keep the one filled in "
        "unless the provider tells you another.",
    )
    allow_private_address = fields.Boolean(
        string="Allow an address in the own network",
        copy=False,
        groups="base.group_system",
        help="Login and password may then go to this machine and to machines of the "
        "company's own network, for example to an emulator of the provider.",
    )
    login = fields.Char(
        copy=False,
        groups="sms_devino.group_admin",
        help="The login of your account at the provider.",
    )
    password = fields.Char(
        compute="_compute_password",
        inverse="_inverse_password",
        copy=False,
        groups="sms_devino.group_admin",
        help="The password of your account at the provider. It can be replaced, but "
        "never read.",
    )
    stored_password = fields.Char(copy=False, groups=NO_ACCESS)
    password_hint = fields.Char(
        string="Password as shown",
        compute="_compute_password_hint",
        compute_sudo=True,
        groups="sms_devino.group_admin",
    )
    database_uuid = fields.Char(copy=False, groups=NO_ACCESS)
    is_copied = fields.Boolean(
        string="Copied with the database",
        compute="_compute_is_copied",
        compute_sudo=True,
    )
    sender_ids = fields.One2many(
        "sms.devino.sender", "account_id", string="Sender names"
    )
    default_sender_id = fields.Many2one(
        "sms.devino.sender",
        string="Default sender",
        domain="[('account_id', '=', id), ('state', '!=', 'refused')]",
        check_company=True,
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
        digits=(16, 4),
        compute="_compute_reserved",
        help="The estimated cost of messages that are still to be sent, and of those "
        "sent after the balance was asked.",
    )
    responsible_id = fields.Many2one(
        "res.users",
        default=lambda self: self.env.user,
        domain="[('share', '=', False)]",
        help="Gets an activity when sending stops or the balance is low.",
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
    probe_balance = fields.Float(digits=(16, 4), readonly=True, copy=False)
    inbound_number = fields.Char(
        string="Number for replies",
        help="Your own number at the provider that can be answered. Without one no "
        "incoming SMS are asked for. A sender name of letters cannot be answered.",
    )
    incoming_user_id = fields.Many2one(
        "res.users",
        string="Person for incoming SMS",
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
        help="The responsible person gets an activity when the balance falls below "
        "this. 0: never.",
    )
    is_low_balance_told = fields.Boolean(copy=False, readonly=True)
    message_count = fields.Integer(compute="_compute_message_count")

    _validity_not_negative = models.Constraint(
        "CHECK (default_validity >= 0)", "A validity cannot be negative."
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

    def _compute_password(self):
        self.password = False

    def _inverse_password(self):
        for account in self:
            account.sudo().stored_password = account.password

    @api.depends("stored_password")
    def _compute_password_hint(self):
        for account in self:
            account.password_hint = account.stored_password and "••••••••"

    @api.depends("database_uuid", "mode")
    def _compute_is_copied(self):
        here = self._get_database_uuid()
        for account in self:
            known = account.database_uuid
            account.is_copied = account.mode == "live" and bool(known) and known != here

    def _compute_reserved(self):
        for account in self:
            saved = account._origin
            account.reserved = sum_reserved(saved) if saved else 0.0

    def _compute_message_count(self):
        counts = dict(
            self.env["sms.devino.message"]._read_group(
                [("account_id", "in", self.ids)], ["account_id"], ["__count"]
            )
        )
        for account in self:
            account.message_count = counts.get(account, 0)

    # --- constraints ----------------------------------------------------------------

    @api.constrains("url", "mode", "allow_private_address")
    def _check_url(self):
        """Refuse an address to which a password must not go.

        Only the program itself (superuser) needs no permission for private addresses.
        """
        is_program = self.env.user._is_superuser()
        for account in self.sudo():
            is_free = account.allow_private_address or is_program
            problem = find_problem(account.url, allow_private=is_free)
            # in test mode nothing goes there
            if problem in ("private", "plain") and account.mode == "test":
                continue
            if problem:
                raise ValidationError(describe_url_problem(self.env, problem))

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

    @api.model_create_multi
    def create(self, vals_list):
        """Remember in which database the account was made."""
        accounts = super().create(vals_list)
        accounts.sudo().database_uuid = self._get_database_uuid()
        accounts.invalidate_recordset(["password"])
        return accounts

    def write(self, vals):
        """Reset the connection check when the connection changes."""
        if "company_id" in vals:
            self._check_company_may_change(vals["company_id"])
        is_reconnected = bool(CONNECTION_FIELDS & vals.keys())
        if is_reconnected:
            vals = {**self._get_reset_values(), **vals}
        switched = self.filtered(lambda a: vals.get("mode", a.mode) != a.mode)
        if "price_per_segment" in vals:
            self._forget_prices()
        result = super().write(vals)
        if switched:
            # the balance of the sandbox is not that of the provider
            switched.write({"balance": 0.0, "balance_at": False})
            switched._close_activity("low_balance", self.env._("The mode was changed."))
            switched.is_low_balance_told = False
        if is_reconnected:
            self.invalidate_recordset(["password"])
            self.sudo().database_uuid = self._get_database_uuid()
            self._close_activity("stopped", self.env._("The settings were changed."))
            self._wake_dispatcher()
        if {"balance", "low_balance"} & vals.keys():
            self._check_threshold()
        return result

    @api.model
    def _get_reset_values(self):
        return {
            "state": "draft",
            "operation_status": False,
            "last_error": False,
            "paused_until": False,
        }

    def _check_company_may_change(self, company_id):
        moved = self.filtered(lambda account: account.company_id.id != company_id)
        for model in ("sms.devino.message", "sms.devino.batch"):
            domain = [("account_id", "in", moved.ids)]
            if moved and self.env[model].sudo().search_count(domain, limit=1):
                raise UserError(
                    self.env._(
                        "This account has messages: its company cannot be changed any "
                        "more. Create another account for the other company."
                    )
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
        # each wrong password may bring the account nearer to being locked
        self.check_access("write")
        self.ensure_one()
        return self._check_connection()

    def _check_connection(self):
        error = self._refresh_balance(login=True)
        label = self._operation_status_label(self.operation_status)
        if error:
            return notify(
                self.env._("Not connected"), label, kind="danger", sticky=True
            )
        balance = self.env._("Balance: %(balance)s", balance=self._format_balance())
        if self.mode == "test":
            return notify(
                self.env._("Test mode: the provider was not asked"),
                self.env._(
                    "The sandbox inside Odoo answered. Choose Live to connect to the "
                    "provider."
                ),
                kind="warning",
            )
        return notify(label, balance, kind="success")

    def action_refresh_balance(self):
        """Ask the balance now, for anyone who may send from this account."""
        self.check_access("read")
        self.ensure_one()
        if not self._may_see_money():
            raise AccessError(
                self.env._("Only members of the group SMS / User see the balance.")
            )
        self._refresh_balance()
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def action_confirm_database(self):
        """Let an account send from this copy of the database it was set up in."""
        self.check_access("write")
        for account in self.filtered("is_copied"):
            account.sudo().database_uuid = self._get_database_uuid()
            account._resume()
            account.message_post(
                body=self.env._("This database may send through the account.")
            )
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def action_view_messages(self):
        """Open the messages of the account."""
        self.check_access("read")
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Messages"),
            "res_model": "sms.devino.message",
            "view_mode": "list,form,graph,pivot",
            "domain": [("account_id", "=", self.id)],
        }

    # --- the connection -------------------------------------------------------------

    @api.model
    def _get_database_uuid(self):
        return self.env["ir.config_parameter"].sudo().get_param("database.uuid")

    def _get_client(self, *, is_check=False):
        """Return the gateway client of this account, shared by the process.

        In test mode the whole client runs, over an adapter that plays the provider
        inside this process: no server and no network are needed.

        :param bool is_check: a person wants to know whether login and password are
            right, so they are tried although they were refused
        :raise UserError: when there is no login or password, when they were refused
            and are still the same, or when the database is an unconfirmed copy
        """
        self.ensure_one()
        account = self.sudo()
        if not is_check and not account._may_call():
            raise UserError(
                self.env._(
                    "The provider refused the SMS account “%(account)s”: %(reason)s. "
                    "An administrator corrects it and presses Check connection.",
                    account=account.name,
                    reason=account._operation_status_label(account.operation_status),
                )
            )
        login, password = account.login, account.stored_password
        if account.mode == "test":
            return get_client(
                Credentials(account.url, login or "test", password or "test"),
                adapter_factory=lambda: TestModeAdapter(TEST_BALANCE),
            )
        if account.is_copied:
            raise UserError(
                self.env._(
                    "This database is a copy: the SMS account “%(account)s” sends "
                    "nothing until an administrator allows it on the account.",
                    account=account.name,
                )
            )
        if not login or not password:
            raise UserError(
                self.env._(
                    "The SMS account “%(account)s” has no login or no password. An "
                    "administrator enters them in SMS > Configuration > Accounts.",
                    account=account.name,
                )
            )
        return get_client(Credentials(account.url, login, password))

    def _may_call(self):
        """Tell whether calls make sense: not after a refusal that a person must mend.

        The provider may lock an account for repeated logins with a wrong password.
        """
        self.ensure_one()
        return self.state != "stopped" or self.operation_status in SELF_HEALING_STATUSES

    def _refresh_balance(self, *, login=False):
        """Ask the provider for the balance and keep what it answered, within 5 seconds.

        :param bool login: log in anew first, which proves login and password
        :return: the :class:`GatewayError` that it ended with, or ``None``
        :raise UserError: when the account may not be asked now
        """
        self.ensure_one()
        account = self.sudo()
        answer = ask_balance(account, BUTTON_SECONDS, login=login)
        if not isinstance(answer, GatewayError):
            account._note_balance(answer)
            return None
        if isinstance(answer, AccountRefusedError):
            # whoever checks the connection sees the answer
            account._stop(answer, tell=not login)
        else:
            account.write(
                {
                    "operation_status": answer.operation_status
                    or "Error_Gateway_Offline",
                    "last_error": str(answer)[:500],
                }
            )
            if login and account.state == "ready":
                account.state = "draft"
        return answer

    def _note_balance(self, balance):
        """Keep a balance, which proves the connection: the queue goes on."""
        self.sudo().write(
            {"balance": float(balance), "balance_at": fields.Datetime.now()}
        )
        self.sudo()._resume()

    # --- stopping the queue ---------------------------------------------------------

    def _stop(self, error, *, tell=True):
        """Stop the queue of this account.

        :param GatewayError error: what the provider refused the account with
        :param bool tell: whether the person responsible gets an activity
        """
        self.ensure_one()
        was_stopped = self.state == "stopped"
        self.write(
            {
                "state": "stopped",
                "operation_status": error.operation_status,
                "last_error": str(error)[:500],
                "probe_balance": self.probe_balance if was_stopped else -1,
            }
        )
        if was_stopped:
            return
        if error.operation_status in SELF_HEALING_STATUSES:
            self._wake_balance_watch()
        if tell:
            reason = self._operation_status_label(self.operation_status)
            self._notify("stopped", reason=reason)

    @api.model
    def _stop_copied(self):
        """Stop the live accounts of a copied database, and ask a person once."""
        live = self.search([("mode", "=", "live"), ("state", "!=", "stopped")])
        for account in live.filtered("is_copied"):
            account.write({"state": "stopped", "operation_status": False})
            account._notify("copied")

    def _resume(self):
        """Note that the account works: close what asked for help, wake the queue."""
        was_ready = self.state == "ready"
        self.write({**self._get_reset_values(), "state": "ready"})
        self.operation_status = "OK_Operation_Completed"
        if not was_ready:
            self._close_activity("stopped", self.env._("The connection works again."))
            self._wake_dispatcher()

    def _notify(self, kind, **facts):
        """Give the person responsible an activity; Odoo mails it by itself.

        :param str kind: ``stopped``, ``copied`` or ``low_balance``
        """
        self.ensure_one()
        user = self._get_responsible()
        account = self.with_context(lang=user.lang or self.env.lang)
        summary, note = describe_notice(account, kind, **facts)
        activity_type = "low_balance" if kind == "low_balance" else "stopped"
        account.activity_schedule(
            f"sms_devino.mail_activity_{activity_type}",
            user_id=user.id,
            summary=summary,
            note=plaintext2html(note),
        )

    def _close_activity(self, kind, feedback):
        """Mark the activities of a kind as done.

        :param str kind: ``stopped`` or ``low_balance``
        """
        xmlid = f"sms_devino.mail_activity_{kind}"
        self.sudo().activity_feedback([xmlid], feedback=feedback)

    def _get_responsible(self):
        """Return whom to tell: somebody who can open the account."""
        for user in self.responsible_id + self.create_uid:
            if user.active and self.with_user(user).has_access("read"):
                return user
        return self.env.user

    def _wake_dispatcher(self):
        trigger(self.env, DISPATCH)

    def _wake_balance_watch(self, at=None):
        trigger(self.env, "sms_devino.ir_cron_watch_balance", at)

    # --- for whoever writes a message -----------------------------------------------

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

        It is made once a transaction, for very many numbers.

        :return: callable taking an E.164 number or None
        """
        self.ensure_one()
        known = self.env.cr.cache.setdefault("sms_devino_prices", {})
        if self.id not in known:
            account = self.sudo()
            prices = {tariff.prefix: tariff.price for tariff in account.tariff_ids}
            known[self.id] = make_price_finder(account.price_per_segment, prices)
        return known[self.id]

    def _forget_prices(self):
        self.env.cr.cache.pop("sms_devino_prices", None)

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
            "company_id": self._get_message_company().id,
            "mode": self.mode,
            "use_until": start + timedelta(minutes=minutes) if minutes else False,
        }

    # --- the quote ------------------------------------------------------------------

    def _get_quote(self, cost):
        """Return a :class:`~..services.quote.Quote`: a cost beside the money there is.

        :param float cost: of the sending that is about to be made
        """
        self.ensure_one()
        return make_quote(self._origin.sudo(), cost)

    def _get_quote_values(self, cost):
        """Return the values of the fields of ``sms.devino.quote``, for the user.

        :return: dict, with nothing but false values where the user may not see the
            money: he or she is no member, or the account is another company's
        """
        account = self._origin
        if not account or not account._may_see_money():
            return dict.fromkeys(QUOTE_FIELDS, False)
        return format_quote(account.sudo(), account._get_quote(cost))

    def _may_see_money(self):
        """Tell whether the user, whatever rights the code has, may read the account."""
        self.ensure_one()
        return self.env.user.has_group("sms_devino.group_user") and (
            self.with_user(self.env.user).has_access("read")
        )

    def _lock_money(self):
        """Let two sendings at once see each other's reservation, one after the other.

        Call it last before the messages are written. Whoever comes second waits for
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

    def _check_enough(self, cost):
        """Refuse to spend what is not there, unless an administrator said to warn only.

        :raise UserError: saying how much is missing
        """
        quote = self._get_quote(cost)
        if quote.is_refused:
            raise UserError(quote.sentence)

    # --- watching the balance -------------------------------------------------------

    def _check_threshold(self):
        """Tell of a balance that has fallen below the threshold, once for each fall."""
        for account in self.filtered("balance_at"):
            is_low = float_compare(account.balance, account.low_balance, DIGITS) < 0
            if is_low == account.is_low_balance_told:
                continue
            account.is_low_balance_told = is_low
            if is_low:
                account._notify("low_balance")
            else:
                balance = account._format_balance()
                account._close_activity(
                    "low_balance", self.env._("Balance: %(balance)s", balance=balance)
                )

    @api.model
    def _cron_watch_balance(self):
        """Ask the balance where it is watched, or awaited. Commits as it goes."""
        watched = self.search([("low_balance", ">", 0), ("state", "=", "ready")])
        waiting = self.search(
            [
                ("state", "=", "stopped"),
                ("operation_status", "in", SELF_HEALING_STATUSES),
            ]
        )
        watch_balances(watched + waiting)
        if waiting:
            self._wake_balance_watch(fields.Datetime.now() + WATCH_PAUSE)

    def _note_watched_balance(self, answer):
        """Keep what the provider answered. An account that stopped for lack of credits
        goes on when it has more than at the first look after the stop.

        :param answer: as :func:`~..services.balance.ask_balance` returns it
        """
        if isinstance(answer, AccountRefusedError):
            if answer.operation_status not in SELF_HEALING_STATUSES:
                self._stop(answer)
        elif isinstance(answer, GatewayError):
            _logger.info("account %s: no balance, %s", self.id, answer)
        elif self.state != "stopped" or 0 <= self.probe_balance < float(answer):
            self._note_balance(answer)
        else:
            self.write({"balance": float(answer), "balance_at": fields.Datetime.now()})
            if self.probe_balance < 0:
                self.probe_balance = float(answer)
