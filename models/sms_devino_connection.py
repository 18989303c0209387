from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import NO_ACCESS

from ..gateway import DEFAULT_URL, OPERATION_STATUSES
from ..services import balance
from ..services.account_words import (
    describe_notice,
    describe_problem,
    describe_url_problem,
    notify_connection,
)
from ..services.jobs import DISPATCH, trigger
from ..services.message_states import MODES
from ..services.words import label_of
from ..tools.web_address import find_problem

CONNECTION_FIELDS = {"login", "password", "url", "mode"}
NOT_CHECKED = {
    "state": "draft",
    "operation_status": False,
    "last_error": False,
    "paused_until": False,
}
CONNECTED = NOT_CHECKED | {
    "state": "ready",
    "operation_status": "OK_Operation_Completed",
}


class SmsDevinoConnection(models.AbstractModel):
    """How an account reaches the provider, and whether the provider takes it."""

    _name = "sms.devino.connection"
    _description = "SMS Connection"
    _inherit = ["mail.thread", "mail.activity.mixin"]

    mode = fields.Selection(
        MODES,
        required=True,
        default="test",
        tracking=True,
        help="Test: a sandbox inside Odoo plays the provider. Nothing leaves Odoo and "
        "nothing is paid. Live: messages go to the provider and are paid for.",
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
        help="Login and password may then be sent to this machine and to machines in "
        "the company's own network, for example to an emulator of the provider.",
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
        "until a check of the connection succeeds.",
    )
    operation_status = fields.Selection(
        OPERATION_STATUSES,
        string="Last answer",
        readonly=True,
        copy=False,
        help="The provider's answer to the last check of the connection, or the reason "
        "why it refused the account.",
    )
    last_error = fields.Char(string="Details of the error", readonly=True, copy=False)
    paused_until = fields.Datetime(readonly=True, copy=False)
    sending_problem = fields.Text(
        compute="_compute_sending_problem",
        compute_sudo=True,
        help="Why nothing is sent at the moment, and who can change that.",
    )
    responsible_id = fields.Many2one(
        "res.users",
        default=lambda self: self.env.user,
        domain="[('share', '=', False)]",
        help="Gets an activity when sending stops, when the balance is low, and when a "
        "sender name has to be paid for.",
    )

    # --- computes and constraints ---------------------------------------------------

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

    def _compute_sending_problem(self):
        for account in self:
            saved = account._origin
            account.sending_problem = bool(saved) and describe_problem(saved)

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

    # --- CRUD -----------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Remember in which database the account was made."""
        accounts = super().create(vals_list)
        accounts.sudo().database_uuid = self._get_database_uuid()
        accounts.invalidate_recordset(["password"])
        return accounts

    def write(self, vals):
        """Have a connection that changes checked anew."""
        is_changed = bool(CONNECTION_FIELDS & vals.keys())
        if is_changed:
            vals = {**NOT_CHECKED, **vals}
        result = super().write(vals)
        if is_changed:
            self.invalidate_recordset(["password"])
            self.sudo().database_uuid = self._get_database_uuid()
            balance.want_balance(self.sudo())
        return result

    # --- checking -------------------------------------------------------------------

    def action_check_connection(self):
        """Log in anew and ask for the balance; the answer is kept on the account.

        :return: a notification action that says the answer in the manual's words
        """
        # each wrong password may bring the account nearer to being locked
        self.check_access("write")
        self.ensure_one()
        return self._check_connection()

    def _check_connection(self):
        return notify_connection(self, self._refresh_balance(login=True))

    def action_confirm_database(self):
        """Let an account send from this copy of the database it was set up in."""
        self.check_access("write")
        for account in self.filtered("is_copied"):
            account.sudo().database_uuid = self._get_database_uuid()
            account._note_success()
            account.message_post(
                body=self.env._("This database may send through the account.")
            )
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    @api.model
    def _get_database_uuid(self):
        return self.env["ir.config_parameter"].sudo().get_param("database.uuid")

    def _has_credentials(self):
        """Tell whether the account can log in; in test mode it always can."""
        return self.mode == "test" or bool(self.login and self.stored_password)

    def _get_client(self, *, is_check=False):
        """Return the gateway client, see :func:`~..services.balance.connect`."""
        self.ensure_one()
        return balance.connect(self.sudo(), is_check=is_check)

    # --- stopping and going on ------------------------------------------------------

    def _note_success(self):
        """Note that the account works: close what asked for help, wake the queue."""
        self.sudo().write(CONNECTED)
        self._close_notice("stopped")
        trigger(self.env, DISPATCH)

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
        if balance.is_self_healing(self):
            trigger(self.env, balance.WATCH)
        if tell:
            self._notify("stopped")

    @api.model
    def _stop_copied(self):
        """Stop the live accounts of a copied database, and ask a person once."""
        live = self.search([("mode", "=", "live"), ("state", "!=", "stopped")])
        for account in live.filtered("is_copied"):
            account.write({"state": "stopped", "operation_status": False})
            account._notify("stopped")

    # --- activities -----------------------------------------------------------------

    def _notify(self, kind):
        """Give the person responsible one activity of a kind; Odoo also mails it.

        :param str kind: ``stopped``, ``low_balance`` or ``renewal``
        """
        self.ensure_one()
        user = self._get_responsible()
        xmlid = f"sms_devino.mail_activity_{kind}"
        account = self.with_context(lang=user.lang or self.env.lang).sudo()
        summary, note = describe_notice(account.with_user(user).sudo(), kind)
        # no link: names and what the provider says are texts of others
        lines = Markup("<br/>").join(note.splitlines())
        values = {"summary": summary, "note": Markup("<p>%s</p>") % lines}
        if known := account.activity_search([xmlid]):
            known.write(values)
        else:
            account.activity_schedule(xmlid, user_id=user.id, **values)

    def _close_notice(self, kind):
        """Mark the activities of a kind as done.

        :param str kind: ``stopped``, ``low_balance`` or ``renewal``
        """
        feedback = self.env._("The cause is gone.")
        xmlid = f"sms_devino.mail_activity_{kind}"
        self.sudo().activity_feedback([xmlid], feedback=feedback)

    def _get_responsible(self):
        """Return whom to tell: somebody who can open the account."""
        for user in self.responsible_id + self.create_uid:
            if user.active and self.with_user(user).has_access("read"):
                return user
        return self.env.user

    def _get_operation_label(self):
        """Return the provider's last answer in the manual's words."""
        return label_of(self, "operation_status") or ""
