import hashlib
import logging
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..gateway import GatewayError
from ..services import windows
from ..services.balance import WATCH_SECONDS, ask_within
from ..services.commit import CONFLICTS
from ..services.jobs import for_each
from ..services.records import read_input
from ..services.refusal import refuse
from ..tools import phone
from ..tools.stop_words import says_one_of

_logger = logging.getLogger(__name__)

# The provider may learn of a message later than it was written.
OVERLAP = timedelta(hours=1)
# The most by which the clocks of Odoo and the provider may differ.
SKEW = timedelta(minutes=5)
# How far the first look goes back.
FIRST_LOOK = timedelta(days=1)
# The provider refuses a longer period (documented): a year, less a day of slack.
LONGEST = timedelta(days=364)
# An answer goes to the person whose message is at most this many days old.
ANSWER_DAYS = 7
ACTIVITY = "sms_devino.mail_activity_incoming"


class SmsDevinoIncoming(models.Model):
    """An SMS that somebody sent to the account's own number."""

    _name = "sms.devino.incoming"
    _description = "Incoming SMS"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "received_at desc, id desc"
    _rec_name = "number"
    _mail_post_access = "read"

    number = fields.Char(
        required=True,
        readonly=True,
        index=True,
        help="The sender's number in international form, or as the provider gave it.",
    )
    body = fields.Text(string="Text", readonly=True)
    received_at = fields.Datetime(readonly=True, index=True)
    to_number = fields.Char(
        string="To", readonly=True, help="Your own number that the SMS was sent to."
    )
    kind = fields.Selection(
        [("text", "Message"), ("stop", "Refusal"), ("start", "Subscription")],
        required=True,
        readonly=True,
        default="text",
        help="Refusal: the text is one of the company's stop words, and the number is "
        "on the blacklist since. Subscription: one of the start words took it off.",
    )
    is_read = fields.Boolean(string="Read", readonly=True)
    partner_id = fields.Many2one(
        "res.partner", string="Contact", readonly=True, index="btree_not_null"
    )
    message_id = fields.Many2one(
        "sms.devino.message",
        string="Last SMS to this number",
        readonly=True,
        index="btree_not_null",
    )
    user_id = fields.Many2one(
        "res.users", string="For", readonly=True, index="btree_not_null"
    )
    account_id = fields.Many2one(
        "sms.devino.account", required=True, readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    gateway_id = fields.Char(string="SMS ID", required=True, readonly=True)

    _gateway_id_uniq = models.UniqueIndex("(account_id, gateway_id)")

    # --- receiving ------------------------------------------------------------------

    @api.model
    def _cron_poll(self):
        """Ask the provider for new messages of every account that can be answered."""
        accounts = self.env["sms.devino.account"].search(
            [("inbound_number", "!=", False)]
        )
        for_each(accounts, self._poll, "account %s: no incoming SMS, %s")

    @api.model
    def _poll(self, account):
        """Fetch the messages since the last check.

        :return: the new ``sms.devino.incoming``
        """
        until = fields.Datetime.now()
        since = max((account.incoming_until or until - FIRST_LOOK), until - LONGEST)
        try:
            client = account._get_client()
        except UserError:
            # stopped, or without a password: its form says so already
            return self.browse()
        answer = ask_within(
            WATCH_SECONDS, lambda: client.incoming(since - OVERLAP, until)
        )
        if isinstance(answer, GatewayError):
            _logger.info("account %s: no incoming SMS, %s", account.id, answer)
            return self.browse()
        received = self._receive(account, answer)
        account.incoming_until = until
        return received

    @api.model
    def _receive(self, account, answer):
        """Store messages that are not known yet, the oldest first, and act on them.

        :param list answer: of ``gateway.answers.IncomingMessage``
        """
        now = fields.Datetime.now()
        by_id = {
            self._get_gateway_id(one): one
            for one in sorted(answer, key=lambda one: one.created or now)
        }
        known = self.search(
            [("account_id", "=", account.id), ("gateway_id", "in", list(by_id))]
        )
        known_ids = set(known.mapped("gateway_id"))
        received = self.with_context(mail_create_nolog=True).create(
            [
                self._prepare_incoming(account, gateway_id, one)
                for gateway_id, one in by_id.items()
                if gateway_id not in known_ids
            ]
        )
        for incoming in received:
            incoming._act()
        return received

    @api.model
    def _get_gateway_id(self, one):
        """Return the provider's id, or one made of the message where it has none."""
        if one.message_id:
            return one.message_id
        content = repr((one.source, one.destination, one.text, one.created))
        return hashlib.sha256(content.encode()).hexdigest()

    @api.model
    def _prepare_incoming(self, account, gateway_id, one):
        # the provider gives numbers with the country's code and without a plus
        reading = phone.read(f"+{one.source.lstrip('+')}", account.country_id.code)
        number = reading.e164 or one.source or "?"
        received_at = min(one.created or fields.Datetime.now(), fields.Datetime.now())
        message = self.env["sms.devino.message"].search(
            [
                ("number", "=", number),
                ("account_id", "=", account.id),
                ("accepted_at", "<=", received_at + SKEW),
            ],
            order="accepted_at desc",
            limit=1,
        )
        company = message.company_id or account.company_id
        partner = self.env["res.partner"].search(
            [
                ("phone_sanitized", "=", number),
                ("company_id", "in", (False, company.id)),
            ],
            limit=1,
        )
        kind = "text"
        if not number.startswith("+"):
            # nobody can be put on the blacklist, or taken off it
            pass
        elif says_one_of(one.text, company.sms_devino_stop_words):
            kind = "stop"
        elif says_one_of(one.text, company.sms_devino_start_words):
            kind = "start"
        return {
            "account_id": account.id,
            "company_id": company.id,
            "gateway_id": gateway_id,
            "number": number,
            "to_number": one.destination,
            "body": one.text,
            "received_at": received_at,
            "kind": kind,
            "is_read": kind != "text",
            "message_id": message.id,
            "partner_id": (message.partner_id or partner).id,
            "user_id": self._find_person(account, message, received_at).id,
        }

    @api.model
    def _find_person(self, account, message, received_at):
        """Return who wrote to this number in the last days, else whom the account
        names."""
        author = message.author_id
        is_recent = message and message.accepted_at >= received_at - timedelta(
            days=ANSWER_DAYS
        )
        if is_recent and author.active and author._is_internal():
            if not author._is_superuser():
                return author
        return account.incoming_user_id

    # --- what a message does --------------------------------------------------------

    def _act(self):
        """Show the message where people look, and do what it asks for.

        A failure never loses the message.
        """
        self.ensure_one()
        for step in (
            *(self._refuse, self._answer, self._subscribe),
            *(self._log, self._ask_person),
        ):
            try:
                with self.env.cr.savepoint():
                    step()
            except CONFLICTS:
                # the next look takes the message anew: a refusal must not get lost
                raise
            except Exception as error:
                if self.env.cr.closed:
                    raise
                kind = type(error).__name__
                name = step.__name__
                _logger.warning("incoming SMS %s: %s in %s", self.id, kind, name)
                if step in (self._refuse, self._subscribe):
                    # what was asked for is left to a person
                    self.write({"kind": "text", "is_read": False})

    def _refuse(self):
        """Put the number on the blacklist and take back what waits for it."""
        company = self.company_id
        if self.kind != "stop" or self._is_taken_back():
            return
        refuse(
            self.env,
            company,
            [self.number],
            source="sms",
            reason=self.env._(
                "SMS to %(number)s: “%(text)s”",
                number=self.to_number or "?",
                text=self.body or "",
            ),
        )

    def _answer(self):
        """Confirm a refusal. A step of its own: its failure must not undo that."""
        text = self.company_id.sms_devino_stop_answer
        if text and self.kind == "stop" and not self._is_taken_back():
            self.env["sms.devino.message"].with_company(self.company_id).enqueue(
                self.number, text, account=self.account_id, key=f"stop-{self.id}"
            )

    def _is_taken_back(self):
        """Tell whether a later word of the same number is known already: the provider
        may hand over an earlier one after it."""
        return bool(
            self.search_count(
                [
                    ("account_id", "=", self.account_id.id),
                    ("number", "=", self.number),
                    ("kind", "in", ("stop", "start")),
                    ("received_at", ">", self.received_at),
                ],
                limit=1,
            )
        )

    def _subscribe(self):
        if self.kind == "start" and not self._is_taken_back():
            note = self.env._("Wants SMS again, by SMS.")
            self.env["phone.blacklist"]._remove(
                [self.number], message=Markup("<p>%s</p>") % note
            )

    def _log(self):
        """Show the text in the chatter of the contact and of the document."""
        records = {
            record for record in (self.partner_id, self._get_document()) if record
        }
        for record in records:
            title = self.env._("SMS from %(number)s", number=self.number)
            record._message_log(
                body=Markup("<p><b>%s</b><br/>%s</p>") % (title, self.body or ""),
                author_id=self.partner_id.id or self.env.user.partner_id.id,
                message_type="comment",
            )

    def _get_document(self):
        """Return what the last SMS to this number was about, if it has a chatter."""
        message = self.message_id
        if not message.res_id or message.res_model == "res.partner":
            return None
        document = read_input(self.env, message.res_model, [message.res_id])
        return document if hasattr(document, "_message_log") else None

    def _ask_person(self):
        """Give the person an activity, one for all unread messages of a number."""
        if self.kind != "text" or not self.user_id:
            return
        others = self.search(
            [
                ("number", "=", self.number),
                ("user_id", "=", self.user_id.id),
                ("is_read", "=", False),
                ("id", "!=", self.id),
            ]
        )
        if not others.activity_ids:
            self.activity_schedule(
                ACTIVITY, user_id=self.user_id.id, summary=(self.body or "")[:60]
            )

    # --- actions --------------------------------------------------------------------

    def action_mark_read(self):
        """Mark these messages as read, and close their activities."""
        self.check_access("read")
        self.sudo().is_read = True
        self.sudo().activity_unlink([ACTIVITY])

    def action_mark_unread(self):
        """Mark these messages as unread."""
        self.check_access("read")
        self.sudo().is_read = False

    def action_reply(self):
        """Open the form that sends one SMS, with the number and the document of the
        last one."""
        self.ensure_one()
        self.action_mark_read()
        defaults = {
            "sms_devino_account_id": self.account_id.id,
            "sms_devino_number": self.number,
        }
        if partner := self.partner_id._filtered_access("read"):
            defaults |= {"res_model": "res.partner", "res_id": partner.id}
        return windows.open_composer(self.env, "comment", defaults)

    def action_open_messages(self):
        """Show the messages to this number."""
        self.ensure_one()
        self.check_access("read")
        return windows.open_action(
            self.env,
            "sms_devino_message_action",
            domain=[("number", "=", self.number)],
            context={},
        )
