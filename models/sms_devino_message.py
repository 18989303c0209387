import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..gateway import MESSAGE_STATUSES, OPERATION_STATUSES
from ..services import automation, odoo_link
from ..services.asking import check_now
from ..services.bulk import insert_rows, update_rows
from ..services.commit import CONFLICTS, wake_once
from ..services.words import (
    LEFT_OUT_REASONS,
    check_body,
    describe_reading,
    format_moment,
    notify,
    private_error,
)
from ..tools import phone, sms_text

_logger = logging.getLogger(__name__)

# The one place that knows which state may follow which: target -> allowed sources.
TRANSITIONS = {
    "scheduled": ("draft",),
    "outgoing": ("draft", "scheduled", "sending"),
    "sending": ("outgoing",),
    # a late answer may still prove that an unknown one was accepted, or refused
    "sent": ("sending", "unknown"),
    "failed": ("scheduled", "outgoing", "sending", "unknown"),
    "unknown": ("sending",),
    "delivered": ("sent",),
    "undelivered": ("sent",),
    "unconfirmed": ("sent",),
    "canceled": ("draft", "scheduled", "outgoing"),
}
# Rows of a mass sending that are no messages: they count nowhere but in their batch.
NO_MESSAGE_STATES = ("draft", "left_out")
QUEUED_STATES = ("scheduled", "outgoing")
# States in which the provider surely delivered nothing: sending again cannot double.
SAFE_TO_REPEAT = ("failed", "canceled", "undelivered")
RISKY_TO_REPEAT = ("unknown", "unconfirmed")
# A message given up as unknown, which somebody may have sent again since.
NOT_REPEATED = SQL(
    """(m.state != 'unknown' OR NOT EXISTS (
            SELECT 1 FROM sms_devino_message r
             WHERE r.repeat_of_id = COALESCE(m.repeat_of_id, m.id) AND r.id > m.id))"""
)
# How long a message that is due may wait before its form says why.
PATIENCE = timedelta(seconds=10)
# Rows that one statement writes: more makes it no faster, only larger.
PAGE = 5000


class SmsDevinoMessage(models.Model):
    _name = "sms.devino.message"
    _description = "SMS Message"
    _order = "id desc"
    _rec_name = "number"

    # --- to whom --------------------------------------------------------------------
    number = fields.Char(
        readonly=True,
        index=False,
        help="The recipient's number in international form. Empty when none could be "
        "read.",
    )
    number_raw = fields.Char(
        string="Number as written",
        readonly=True,
        help="The number as it was entered, kept where it differs.",
    )
    number_search = fields.Char(
        string="Number in any form",
        compute="_compute_number_search",
        search="_search_number_search",
    )
    name = fields.Char(string="Recipient", readonly=True)
    data = fields.Json(string="Data of the recipient", readonly=True)
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    res_model = fields.Char(string="Document model", readonly=True)
    res_id = fields.Many2oneReference(
        string="Document id", model_field="res_model", readonly=True
    )
    document_name = fields.Char(string="Document", compute="_compute_document_name")
    operator = fields.Char(
        readonly=True, help="The mobile operator by the range of the number."
    )

    # --- what -----------------------------------------------------------------------
    body = fields.Text(string="Text", readonly=True)
    body_start = fields.Char(
        string="Beginning of the text", compute="_compute_body_start"
    )
    encoding = fields.Selection(
        [("gsm7", "GSM 03.38"), ("ucs2", "Unicode (UCS-2)")],
        compute="_compute_encoding",
        help="Unicode is used as soon as one character is not in the GSM alphabet. "
        "One SMS then holds 70 characters, not 160.",
    )
    sender_name = fields.Char(string="Sender", readonly=True)
    segment_count = fields.Integer(
        string="Segments", readonly=True, help="How many SMS the text takes."
    )
    empty_values = fields.Char(
        readonly=True,
        help="Values that the text asks for and that this recipient does not have.",
    )
    purpose = fields.Selection(
        [
            ("service", "Service"),
            ("advertising", "Advertising"),
            ("debt", "Debt"),
        ],
        readonly=True,
    )

    # --- who, where -----------------------------------------------------------------
    account_id = fields.Many2one(
        "sms.devino.account", required=True, readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    currency_id = fields.Many2one(related="account_id.currency_id")
    mode = fields.Selection(
        [("test", "Test"), ("live", "Live")],
        required=True,
        readonly=True,
        help="Test: the message stays in the sandbox. The mode of the account when "
        "the message was written.",
    )
    author_id = fields.Many2one("res.users", readonly=True, index="btree_not_null")
    batch_id = fields.Many2one(
        "sms.devino.batch", string="Mass sending", readonly=True, ondelete="restrict"
    )
    batch_state = fields.Selection(
        related="batch_id.state", string="State of the mass sending"
    )
    priority = fields.Selection(
        [("0", "Mass sending"), ("1", "Single message")],
        string="Kind",
        required=True,
        readonly=True,
        default="1",
        help="Single messages leave before those of a mass sending.",
    )

    # --- state ----------------------------------------------------------------------
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("left_out", "Left out"),
            ("scheduled", "Scheduled"),
            ("outgoing", "In the queue"),
            ("sending", "Sending"),
            ("sent", "Sent"),
            ("delivered", "Delivered"),
            ("undelivered", "Not delivered"),
            ("failed", "Not sent"),
            ("unknown", "Outcome unknown"),
            ("unconfirmed", "No final report"),
            ("canceled", "Canceled"),
        ],
        required=True,
        readonly=True,
        index=False,
    )
    reason = fields.Selection(
        [
            *LEFT_OUT_REASONS,
            ("refused", "Refused by the provider"),
            ("attempts", "The provider could not be reached. The message was not sent"),
            ("expired", "The validity ended before the message could be sent"),
            ("interrupted", "Odoo stopped while the message was being sent"),
            ("no_answer", "The provider did not answer"),
            ("partial", "Only some segments were delivered"),
            ("silence", "No final report within 48 hours"),
        ],
        readonly=True,
    )
    operation_status = fields.Selection(
        OPERATION_STATUSES,
        readonly=True,
        help="What the provider answered when the message was sent.",
    )
    message_status = fields.Selection(
        MESSAGE_STATUSES,
        readonly=True,
        help="What became of the message, by the provider's report.",
    )
    waiting_for = fields.Char(string="Waits because", compute="_compute_waiting_for")
    error_text = fields.Char(string="Details of the error", readonly=True)
    raw_answer = fields.Text(
        string="Raw answer", readonly=True, groups="sms_devino.group_admin"
    )
    override_by_id = fields.Many2one(
        "res.users",
        string="Sent in spite of a warning by",
        readonly=True,
        help="Who sent the message although the number is on the blacklist.",
    )
    settled_by_id = fields.Many2one("res.users", string="Settled by", readonly=True)
    settled_note = fields.Char(string="Settled because", readonly=True)
    segment_ids = fields.One2many(
        "sms.devino.segment", "message_id", string="Segments at the provider"
    )
    gateway_ids = fields.Char(
        string="SMS ID",
        compute="_compute_gateway_ids",
        search="_search_gateway_ids",
        help="The provider's id of each segment.",
    )
    timeline = fields.Html(compute="_compute_timeline", sanitize=False)

    # --- when (UTC) -----------------------------------------------------------------
    scheduled_at = fields.Datetime(
        string="Scheduled for", readonly=True, help="Kept in Odoo until this time."
    )
    use_until = fields.Datetime(
        string="Valid until",
        readonly=True,
        help="After this time nobody tries to deliver the message any more.",
    )
    next_at = fields.Datetime(
        string="Next step",
        readonly=True,
        help="When the next attempt or the next status check is due.",
    )
    claimed_at = fields.Datetime(string="Attempted at", readonly=True)
    accepted_at = fields.Datetime(string="Sent at", readonly=True)
    submitted_at = fields.Datetime(string="Submitted at", readonly=True)
    delivered_at = fields.Datetime(string="Delivered at", readonly=True)

    # --- money ----------------------------------------------------------------------
    cost_estimated = fields.Float(
        string="Estimated cost", digits=(12, 4), readonly=True, aggregator="sum"
    )
    cost = fields.Float(
        string="Price",
        digits=(12, 4),
        readonly=True,
        aggregator="sum",
        help="What the provider charged: the sum over the segments, once reported.",
    )
    price_kind = fields.Char(
        readonly=True, help="The kind of traffic that the estimate is made for."
    )

    # --- machine --------------------------------------------------------------------
    claim = fields.Integer(readonly=True, aggregator=None)
    attempts = fields.Integer(readonly=True, default=0, aggregator=None)
    largest_bulk = fields.Integer(
        readonly=True,
        aggregator=None,
        help="The message goes in calls of at most this many numbers. 0: no bound.",
    )
    uuid = fields.Char(
        string="UUID",
        readonly=True,
        copy=False,
        help="Set where Odoo's own SMS follows this message.",
    )
    dedup_key = fields.Char(string="Key", readonly=True, copy=False)
    repeat_of_id = fields.Many2one(
        "sms.devino.message",
        string="Repeats",
        readonly=True,
        index="btree_not_null",
        help="The first message to this recipient that this one sends again.",
    )
    repeated_by_ids = fields.One2many(
        "sms.devino.message", "repeat_of_id", string="Sent again as"
    )

    _to_send_complete = models.Constraint(
        """CHECK (state NOT IN ('scheduled', 'outgoing', 'sending')
                  OR (number IS NOT NULL AND body IS NOT NULL
                      AND sender_name IS NOT NULL))""",
        "A message needs a number, a text and a sender.",
    )
    _number_idx = models.Index("(number, accepted_at)")
    _account_idx = models.Index("(account_id, id)")
    _batch_idx = models.Index("(batch_id, state)")
    _number_raw_idx = models.Index("(number_raw) WHERE number_raw IS NOT NULL")
    _queue_idx = models.Index(
        "(account_id, priority DESC, id) WHERE state = 'outgoing'"
    )
    _open_idx = models.Index(
        "(account_id, mode) INCLUDE (cost_estimated) "
        "WHERE state IN ('scheduled', 'outgoing', 'sending')"
    )
    _scheduled_idx = models.Index("(scheduled_at) WHERE state = 'scheduled'")
    _sending_idx = models.Index("(claim) WHERE state = 'sending'")
    _next_idx = models.Index(
        "(state, next_at) WHERE state IN ('outgoing', 'sent') AND next_at IS NOT NULL"
    )
    _accepted_idx = models.Index(
        "USING brin (accepted_at) WHERE accepted_at IS NOT NULL"
    )
    _document_idx = models.Index("(res_model, res_id) WHERE res_model IS NOT NULL")
    _uuid_uniq = models.UniqueIndex("(uuid) WHERE uuid IS NOT NULL")
    _dedup_key_uniq = models.UniqueIndex(
        "(company_id, dedup_key) WHERE dedup_key IS NOT NULL "
        "AND state NOT IN ('draft', 'left_out')"
    )

    # --- computes -------------------------------------------------------------------

    def _compute_document_name(self):
        """Name the source documents that the user may read, by one query a model."""
        for message in self:
            message.document_name = False
        for model, messages in self.grouped("res_model").items():
            if model not in self.env:
                continue
            documents = self.env[model].browse(messages.mapped("res_id")).exists()
            names = {
                document.id: document.display_name
                for document in documents._filtered_access("read")
            }
            for message in messages:
                message.document_name = names.get(message.res_id, False)

    @api.depends("body")
    def _compute_body_start(self):
        """One line of the text, for lists."""
        for message in self:
            message.body_start = " ".join((message.body or "").split())[:60]

    @api.depends("body")
    def _compute_encoding(self):
        for message in self:
            body = message.body
            message.encoding = bool(body) and sms_text.analyse(body).encoding

    @api.depends("number", "number_raw")
    def _compute_number_search(self):
        for message in self:
            message.number_search = message.number or message.number_raw

    @api.model
    def _search_number_search(self, operator, value):
        """Find a number however it is written, by its index when it is complete."""
        if operator == "in":
            return Domain.OR(self._number_domain(text or "") for text in value)
        if operator in ("ilike", "like", "="):
            return self._number_domain(value or "", partial=True)
        return NotImplemented

    @api.model
    def _number_domain(self, text, *, partial=False):
        country = self.env["sms.devino.account"]._get_default().country_id.code
        reading = phone.read(text, country or "RU")
        if reading.e164 or not partial:
            numbers = [reading.e164] if reading.e164 else [text or False]
            return Domain("number", "in", numbers) | Domain("number_raw", "=", text)
        digits = "".join(char for char in text if char.isdigit())
        found = Domain("number_raw", "ilike", text)
        return found | Domain("number", "ilike", digits) if digits else found

    @api.depends("segment_ids.gateway_id")
    def _compute_gateway_ids(self):
        for message in self:
            message.gateway_ids = ", ".join(message.segment_ids.mapped("gateway_id"))

    @api.model
    def _search_gateway_ids(self, operator, value):
        return [("segment_ids.gateway_id", operator, value)]

    def _compute_waiting_for(self):
        """Say why a message that is due does not leave.

        The queue is served within a second, single messages first. When one has waited
        longer, nothing serves it.
        """
        waits_since = fields.Datetime.now() - PATIENCE
        for message in self:
            moments = [message.create_date, message.scheduled_at, message.next_at]
            due_at = max(filter(None, moments), default=waits_since)
            message.waiting_for = (
                message.state in QUEUED_STATES
                and not message.batch_id
                and due_at < waits_since
                and message._describe_wait()
            )

    def _describe_wait(self):
        if self.account_id.sudo().state == "stopped":
            return self.env._(
                "Sending is stopped: the provider refused the account. The message "
                "leaves when the cause is mended."
            )
        return self.env._(
            "The server's scheduled actions are busy or switched off. The message "
            "leaves as soon as they run."
        )

    def _compute_timeline(self):
        for message in self:
            message.timeline = self.env["ir.qweb"]._render(
                "sms_devino.message_timeline", {"events": message._get_timeline()}
            )

    def _get_timeline(self):
        """Return what happened to the message, oldest first.

        :return: a list of dicts ``{"at": datetime in UTC, "text": str}``
        """
        self.ensure_one()
        env = self.env
        steps = [
            (self.create_date, env._("Created")),
            (self.scheduled_at, env._("Scheduled for this time")),
            (self.claimed_at, env._("Attempt to send")),
            (self.accepted_at, env._("Accepted by the provider")),
            (self.submitted_at, env._("Submitted to the mobile network")),
            (self.delivered_at, env._("Delivered")),
        ]
        ended = (*RISKY_TO_REPEAT, *SAFE_TO_REPEAT)
        if self.state in ended:
            steps.append((self.write_date, self._get_label("state")))
        events = [{"at": at, "text": text} for at, text in steps if at]
        # some times are kept to the second: within one, the order of the list counts
        return sorted(events, key=lambda event: event["at"].replace(microsecond=0))

    def _get_label(self, name):
        """Return the value of a selection as a person reads it."""
        labels = dict(self._fields[name]._description_selection(self.env))
        return labels.get(self[name]) or False

    # --- putting messages into the journal ------------------------------------------

    @api.model
    @api.private
    def enqueue(
        self,
        number,
        body,
        *,
        account=None,
        sender=None,
        scheduled_at=None,
        validity=None,
        partner=None,
        record=None,
        key=None,
        honour_blacklist=False,
    ):
        """Put one message into the journal; it leaves after the commit.

        Nothing is sent when the transaction is rolled back, and a transaction that
        Odoo retries sends once. The way for code of other modules::

            env["sms.devino.message"].enqueue(
                order.partner_id.phone,
                f"Order {order.name} is ready",
                record=order,
                partner=order.partner_id,
                key=f"order-ready/{order.id}",
            )

        :param str number: the recipient, as a person writes it
        :param str body: at most 2000 characters
        :param account: ``sms.devino.account``; the company's default without it
        :param str sender: sender name; the account's default without it
        :param datetime scheduled_at: UTC; in the past or ``None`` means now
        :param int validity: minutes; the account's default without it
        :param partner: ``res.partner`` that the number belongs to
        :param record: the document that the message comes from
        :param str key: a second call with the same key, in the same company, returns
            the first message and sends nothing
        :param bool honour_blacklist: refuse a number on Odoo's phone blacklist. Off by
            default, since the law asks for it only with advertising, and the caller
            knows the text
        :return: the ``sms.devino.message``, also when the key was known
        :raise UserError: when something about the message cannot be sent; it says what
        """
        account = self._pick_account(account)
        if key and (known := self._find_by_key(account._get_message_company(), key)):
            return known
        values = self._prepare_message(
            account,
            number,
            body,
            sender=sender,
            scheduled_at=scheduled_at,
            validity=validity,
        )
        if honour_blacklist:
            self._check_not_blacklisted([values["number"]])
        values |= {
            "partner_id": partner.id if partner else False,
            "res_model": record._name if record else False,
            "res_id": record.id if record else False,
            "author_id": self.env.uid,
            "dedup_key": key or False,
        }
        message = self.sudo().create(values)
        message._wake()
        return message.sudo(self.env.su)

    @api.model
    def _check_not_blacklisted(self, numbers):
        blocked = self.env["phone.blacklist"]._sms_devino_blacklisted(numbers)
        if blocked:
            raise private_error(
                self.env._(
                    "%(numbers)s is on the blacklist: its owner does not want to get "
                    "messages.",
                    numbers=", ".join(sorted(blocked)),
                )
            )

    @api.model
    def _pick_account(self, account=None):
        """Return the account that a message uses, with the rights to use it (sudo)."""
        account = account or self.env["sms.devino.account"]._get_default()
        if not account:
            raise UserError(
                self.env._(
                    "There is no SMS account for the company “%(company)s”. An "
                    "administrator creates one in SMS > Configuration > Accounts.",
                    company=self.env.company.display_name,
                )
            )
        account = account.sudo()
        usable = self.env.companies.sudo().parent_ids
        if account.company_id not in usable and not self.env.su:
            raise AccessError(
                self.env._(
                    "The SMS account “%(account)s” belongs to another company.",
                    account=account.name,
                )
            )
        if not account.active:
            raise UserError(
                self.env._("The SMS account “%s” is archived.", account.name)
            )
        return account

    @api.model
    def _find_by_key(self, company, key):
        domain = [
            ("company_id", "=", company.id),
            ("dedup_key", "=", key),
            ("state", "not in", NO_MESSAGE_STATES),
        ]
        return self.sudo().search(domain, limit=1).sudo(self.env.su)

    @api.model
    def _prepare_message(
        self, account, number, body, *, sender=None, scheduled_at=None, validity=None
    ):
        """Check one message and return its values for ``create``.

        :raise UserError: naming the field that is wrong and what to do
        """
        sender_name = self.env["sms.devino.sender"]._check_usable(account, sender)
        body = check_body(self.env, body)
        reading = phone.read(number or "", account.country_id.code)
        if not reading.sendable:
            raise private_error(describe_reading(self.env, reading))
        info = sms_text.analyse(body)
        now = fields.Datetime.now()
        later = scheduled_at and scheduled_at > now
        return {
            **account._message_values(scheduled_at if later else now, validity),
            "sender_name": sender_name,
            "number": reading.e164,
            "number_raw": reading.raw if reading.raw != reading.e164 else False,
            "body": body,
            "segment_count": info.segments,
            "scheduled_at": scheduled_at if later else False,
            "state": "scheduled" if later else "outgoing",
            "cost_estimated": info.segments * account._find_price(reading.e164),
        }

    @api.model
    def _write_rows(self, rows):
        """Write many new rows, a few thousand by one statement.

        :param list rows: dicts of column values, all with the same keys; a row with a
            key that the journal has already is left out
        :return: the rows written, in order
        """
        written = self.browse()
        for start in range(0, len(rows), PAGE):
            page = insert_rows(self.browse(), rows[start : start + PAGE])
            automation.recompute(page)
            written += page
        return written

    def _wake(self):
        """Have the dispatcher look at these messages when they are due."""
        for message in self.sudo():
            wake_once(self.env, "sms_devino.ir_cron_dispatch", message.scheduled_at)

    # --- the life of a message ------------------------------------------------------

    @api.model
    def _transition(self, target, rows, *, extra=None, condition=None, claim=None):
        """Move messages to a state: the only code that changes ``state``.

        A message that is already there is left alone, one that may not go there is
        logged. Neither is an error, since answers may come late or twice.

        :param str target: a key of :data:`TRANSITIONS`
        :param list rows: dicts with ``id`` and further column values, all with the
            same keys
        :param SQL extra: further assignments, the same for all
        :param SQL condition: what else must hold of the message, in terms of ``m``
        :param int claim: only messages claimed under this number. Their owner may also
            move those that were given up as unknown meanwhile
        :return: list of ids that were moved
        """
        if not rows:
            return []
        sources = list(TRANSITIONS[target])
        conditions = [condition or SQL("TRUE")]
        if claim is not None:
            sources.append("unknown")
            conditions.append(SQL("m.claim = %s", claim))
            if target == "outgoing":
                conditions.append(NOT_REPEATED)
        columns = [column for column in rows[0] if column != "id"]
        watched = self._watch(target, [row["id"] for row in rows])
        records = update_rows(
            self.browse(),
            columns,
            rows,
            extra=SQL(", ").join(filter(None, [SQL("state = %s", target), extra])),
            condition=SQL(
                "m.state = ANY(%s) AND %s", sources, SQL(" AND ").join(conditions)
            ),
        )
        records.modified(["state", *columns])
        records._validate_fields(["state", *columns])
        automation.recompute(records)
        if watched:
            automation.run_after_commit(watched, records)
        moved = records.ids
        if len(moved) != len(rows) and target != "sending":
            # losing a claim race is normal
            self._log_refused(target, {row["id"] for row in rows} - set(moved))
        # a claim is no news to anybody, and it has to be quick
        if moved and target != "sending":
            self._run_hooks(target, moved)
        return moved

    @api.model
    def _watch(self, target, ids):
        """Prepare the automation rules that watch the journal, if there are any.

        A claim runs none. A row of a mass sending is "created" when it enters the
        queue.
        """
        if target == "sending":
            return None
        created = target in QUEUED_STATES and self.browse(ids[:1]).state == "draft"
        return automation.watch(self.browse(ids), "state", created=created)

    @api.model
    def _run_hooks(self, target, ids):
        """Run hooks; a failing hook never undoes the transition."""
        try:
            with self.env.cr.savepoint():
                self._on_transition(target, ids)
        except CONFLICTS:
            raise
        except Exception:
            if self.env.cr.closed:
                raise
            _logger.exception("%s messages %s: a hook failed", len(ids), target)

    @api.model
    def _on_transition(self, target, ids):
        """Called with messages that have reached a state; for others to extend."""
        odoo_link.report(self, target, ids)
        self.env["sms.devino.batch"]._recount(ids)

    @api.model
    def _log_refused(self, target, ids):
        for message in self.browse(sorted(ids)).exists():
            if message.state != target:
                _logger.warning(
                    "message %s: %s -> %s is not allowed",
                    message.id,
                    message.state,
                    target,
                )

    @api.model
    def _release_due(self):
        """Move scheduled messages whose time has come into the queue, a page of them.

        :return: list of ids
        """
        due = self.search_fetch(
            [
                ("state", "=", "scheduled"),
                ("scheduled_at", "<=", fields.Datetime.now()),
            ],
            [],
            order="scheduled_at, id",
            limit=PAGE,
        )
        return self._transition("outgoing", [{"id": key} for key in due.ids])

    # --- actions --------------------------------------------------------------------

    def action_check_status(self):
        """Ask the provider what became of these messages, now."""
        self.check_access("read")
        asked = self.sudo().filtered(lambda message: message.segment_ids)
        check_now(asked)
        if len(self) > 1:
            return {"type": "ir.actions.client", "tag": "soft_reload"}
        return self._notify_status()

    def _notify_status(self):
        self.ensure_one()
        text = self._get_label("message_status") or self.env._("Not known yet")
        if at := self.delivered_at or self.submitted_at or self.accepted_at:
            text = f"{format_moment(self.env, at)}: {text}"
        return notify(
            self.env._("Status of the message"),
            text,
            kind="success" if self.state == "delivered" else "info",
        )

    def action_cancel(self):
        """Cancel messages that have not been handed over.

        :raise UserError: when none of them could be canceled any more
        """
        self.check_access("read")
        rows = [{"id": key} for key in self.ids]
        queued = SQL("m.state = ANY(%s)", list(QUEUED_STATES))
        if not self.sudo()._transition("canceled", rows, condition=queued):
            raise UserError(
                self.env._(
                    "Too late: only a message that is scheduled or waits in the queue "
                    "can be canceled."
                )
            )
        return True

    def action_send_again(self):
        """Send the same text to the same number again, as a new message.

        The journal keeps the first one. Asked for explicitly, this is allowed also
        where the outcome of the first one is unknown: the button says so. Pressed
        twice it sends once.

        :raise UserError: for a message that is on its way or has arrived, itself or
            any other one of its chain
        """
        self.check_access("read")
        firsts = self.sudo().mapped(lambda message: message.repeat_of_id or message)
        firsts.lock_for_update()
        copies = self.browse()
        for first in firsts:
            chain = first + first.repeated_by_ids
            chain._check_may_repeat()
        self._check_may_send_again()
        for first in firsts:
            chain = first + first.repeated_by_ids
            copies += (self & chain)[:1]._repeat(chain)
        copies._wake()
        return copies._get_records_action()

    def _check_may_send_again(self):
        """Check what every door to sending checks: rights, blacklist and money.

        :raise AccessError: when the person may not send, or not to so many
        :raise UserError: when a number is on the blacklist or the balance not enough
        """
        user = self.env.user
        self._check_not_blacklisted(self.mapped("number"))
        for account, messages in self.sudo().grouped("account_id").items():
            user._sms_devino_check_may_use(account)
            user._sms_devino_check_may_reach(len(messages), account.company_id)
            find_price = account._get_price_finder()
            cost = sum(m.segment_count * find_price(m.number) for m in messages)
            account._lock_money()
            account._check_enough(cost)

    def _check_may_repeat(self):
        """Refuse to repeat a chain of messages of which one may still arrive."""
        for message in self:
            if message.state not in SAFE_TO_REPEAT + RISKY_TO_REPEAT:
                raise private_error(
                    self.env._(
                        "Message to %(number)s is on its way or has arrived; it is not "
                        "sent again.",
                        number=message.number,
                    )
                )

    def _repeat(self, chain, prepared=None):
        """Return a new message with the recipient and text of this one.

        It takes over the uuid, so that it reports where the first one did.

        :param dict prepared: what :meth:`_prepare_message` returned, to correct number,
            text, sender or time
        """
        self.ensure_one()
        message = self.sudo()
        values = prepared or message._prepare_message(
            self._pick_account(message.account_id),
            message.number,
            message.body,
            sender=message.sender_name,
        )
        kept = ["data", "res_model", "res_id", "purpose"]
        if values["number"] == message.number:
            kept += ["name", "partner_id"]
        for name in kept:
            values[name] = message._fields[name].convert_to_write(
                message[name], message
            )
        uuids = chain.filtered("uuid").mapped("uuid")
        chain.sudo().write({"uuid": False})
        chain.flush_recordset(["uuid"])
        values |= {
            "author_id": self.env.uid,
            "repeat_of_id": chain[0].id,
            "uuid": uuids[0] if uuids else False,
        }
        copy = message.create(values)
        odoo_link.follow_again(copy)
        return copy.sudo(self.env.su)

    def action_open_document(self):
        self.ensure_one()
        document = self._get_document()
        if not document:
            raise UserError(self.env._("The document is gone, or you may not read it."))
        return document.get_formview_action()

    def _get_document(self):
        """Return the source document when the user may read it, else ``None``."""
        self.ensure_one()
        if not self.res_id or self.res_model not in self.env:
            return None
        document = self.env[self.res_model].browse(self.res_id).exists()
        return document if document and document.has_access("read") else None
