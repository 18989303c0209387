from odoo import api, fields, models
from odoo.fields import Domain

from ..gateway import MESSAGE_STATUSES, OPERATION_STATUSES
from ..services import (
    batch_course,
    bulk,
    departures,
    doubt,
    message_life,
    message_words,
    number_search,
    numbers,
    odoo_link,
    preparing,
    pricing,
    ranges,
    remote,
    repeat,
    retention,
    same_text,
    windows,
)
from ..services.asking import check_now
from ..services.commit import wake_once
from ..services.jobs import DISPATCH
from ..services.message_states import FAILURE_REASONS, MODES, PURPOSES, STATES
from ..services.words import LEFT_OUT_REASONS, check_scheduled_at
from ..tools import sms_text

# Fields that nobody groups a report by.
TECHNICAL = {
    "attempts",
    "claim",
    "claimed_at",
    "data",
    "dedup_key",
    "largest_bulk",
    "next_at",
    "number_raw",
    "price_kind",
    "raw_answer",
    "res_id",
    "res_model",
    "uuid",
}
# States of a mass sending of which nothing was sent yet.
UNSENT_STATES = ("draft", "to_approve")


class SmsDevinoMessage(models.Model):
    _name = "sms.devino.message"
    _inherit = ["sms.devino.data"]
    _description = "SMS Message"
    _order = "id desc"
    _rec_name = "number"

    # --- to whom --------------------------------------------------------------------
    number = fields.Char(
        readonly=True,
        index="trigram",
        help="In international form. Empty when no number could be read.",
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
    data = fields.Json(readonly=True)
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
        string="Operator (by range)",
        readonly=True,
        help="Who was given the range of the number. The number may have been moved to "
        "another operator.",
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
        PURPOSES, required=True, readonly=True, default="service"
    )

    # --- who, where -----------------------------------------------------------------
    account_id = fields.Many2one(
        "sms.devino.account", required=True, readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    currency_id = fields.Many2one(related="account_id.currency_id")
    mode = fields.Selection(
        MODES,
        required=True,
        readonly=True,
        help="Test: the message stays in the sandbox. The mode of the account when "
        "the message was written.",
    )
    author_id = fields.Many2one("res.users", readonly=True, index="btree_not_null")
    batch_id = fields.Many2one(
        "sms.devino.batch", string="Mass sending", readonly=True, ondelete="restrict"
    )
    is_in_draft = fields.Boolean(
        string="Belongs to a draft",
        compute="_compute_is_in_draft",
        search="_search_is_in_draft",
        help="The mass sending was not sent yet, nor was anybody left out of it.",
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
    state = fields.Selection(STATES, required=True, readonly=True)
    reason = fields.Selection([*LEFT_OUT_REASONS, *FAILURE_REASONS], readonly=True)
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
    is_number_refused = fields.Boolean(
        string="The provider does not accept the number",
        compute="_compute_is_number_refused",
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
    doubt_id = fields.Many2one(
        "sms.devino.doubt",
        string="Call with unknown outcome",
        compute="_compute_doubt_id",
        groups="sms_devino.group_manager",
    )
    evidence = fields.Html(
        compute="_compute_doubt_id",
        sanitize=False,
        groups="sms_devino.group_manager",
    )
    segment_ids = fields.One2many(
        "sms.devino.segment", "message_id", string="Segments at the provider"
    )
    gateway_ids = fields.Char(
        string="SMS ID",
        compute="_compute_gateway_ids",
        search="_search_gateway_ids",
        help="The provider's id of each segment.",
    )
    earlier_id = fields.Many2one(
        "sms.devino.message",
        string="Earlier message",
        compute="_compute_earlier",
        help="The message with this text that the number had got before.",
    )
    earlier_at = fields.Datetime(string="Got the text at", compute="_compute_earlier")
    timeline = fields.Html(compute="_compute_timeline", sanitize=False)

    # --- when (UTC) -----------------------------------------------------------------
    scheduled_at = fields.Datetime(
        string="Scheduled for", readonly=True, help="Kept in Odoo until this time."
    )
    leaves_until = fields.Datetime(
        string="Hours end",
        readonly=True,
        help="After this time the message waits for the recipient's next sending "
        "hours.",
    )
    recipient_time = fields.Char(
        string="Recipient's time",
        compute="_compute_recipient_time",
        help="The time of the message where the recipient is, and how that is known.",
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
    _batch_list_idx = models.Index("(batch_id, id) WHERE batch_id IS NOT NULL")
    _number_raw_idx = models.Index("(number_raw) WHERE number_raw IS NOT NULL")
    _queue_idx = models.Index(
        "(account_id, priority DESC, id) WHERE state = 'outgoing'"
    )
    _open_idx = models.Index(
        "(account_id, mode) INCLUDE (cost_estimated) "
        "WHERE state IN ('scheduled', 'outgoing', 'sending')"
    )
    _scheduled_idx = models.Index("(scheduled_at) WHERE state = 'scheduled'")
    _leaves_idx = models.Index(
        "(leaves_until) WHERE state = 'outgoing' AND leaves_until IS NOT NULL"
    )
    _sending_idx = models.Index("(claim) WHERE state = 'sending'")
    _unknown_idx = models.Index("(account_id, claimed_at) WHERE state = 'unknown'")
    _next_idx = models.Index(
        "(state, next_at) WHERE state IN ('outgoing', 'sent') AND next_at IS NOT NULL"
    )
    _accepted_idx = models.Index("USING brin (accepted_at)")
    _created_idx = models.Index("USING brin (create_date)")
    # what retention has not erased, see ``services.retention``
    _personal_idx = models.Index(
        f"(company_id, create_date) WHERE {retention.IS_PERSONAL}"
    )
    _document_idx = models.Index("(res_model, res_id) WHERE res_model IS NOT NULL")
    _uuid_uniq = models.UniqueIndex("(uuid) WHERE uuid IS NOT NULL")
    _key_idx = models.Index("(dedup_key text_pattern_ops) WHERE dedup_key IS NOT NULL")
    _dedup_key_uniq = models.UniqueIndex(
        "(company_id, dedup_key) WHERE dedup_key IS NOT NULL "
        "AND state NOT IN ('draft', 'left_out')"
    )

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """Offer nothing technical to group by."""
        result = super().fields_get(allfields, attributes)
        for name in TECHNICAL & result.keys():
            if "groupable" in result[name]:
                result[name]["groupable"] = False
        return result

    # --- computes -------------------------------------------------------------------

    def _compute_document_name(self):
        names = message_words.name_documents(self)
        for message in self:
            message.document_name = names.get((message.res_model, message.res_id))

    @api.depends("body")
    def _compute_body_start(self):
        """One line of the text, for lists."""
        for message in self:
            message.body_start = " ".join((message.body or "").split())[:200]

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
        return number_search.make_domain(self.env, operator, value)

    @api.depends("batch_id.state")
    def _compute_is_in_draft(self):
        for message in self:
            message.is_in_draft = message.sudo().batch_id.state in UNSENT_STATES

    @api.model
    def _search_is_in_draft(self, operator, value):
        if operator != "in":
            return NotImplemented
        # whoever may read a message need not be allowed to read mass sendings
        found = Domain("batch_id", "any!", [("state", "in", UNSENT_STATES)])
        return found if True in value else ~found

    @api.depends("segment_ids.gateway_id")
    def _compute_gateway_ids(self):
        for message in self:
            message.gateway_ids = ", ".join(message.segment_ids.mapped("gateway_id"))

    @api.model
    def _search_gateway_ids(self, operator, value):
        return [("segment_ids.gateway_id", operator, value)]

    @api.depends("operation_status", "message_status")
    def _compute_is_number_refused(self):
        for message in self:
            message.is_number_refused = repeat.is_number_refused(message)

    def _compute_waiting_for(self):
        for message in self:
            message.waiting_for = message_words.describe_wait(message)

    def _compute_earlier(self):
        found = same_text.find_earlier(self)
        for message in self:
            earlier = found.get(message, self.browse())
            message.earlier_id = earlier
            message.earlier_at = earlier.accepted_at or earlier.create_date

    def _compute_recipient_time(self):
        for message in self:
            message.recipient_time = message_words.describe_recipient_time(message)

    def _compute_timeline(self):
        render = self.env["ir.qweb"]._render
        for message in self:
            events = {"events": message_words.list_events(message)}
            message.timeline = render("sms_devino.message_timeline", events)

    def _compute_doubt_id(self):
        for message in self:
            message.doubt_id = doubt.find(message)
            message.evidence = message.doubt_id.evidence

    # --- putting messages into the journal ------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Have messages begin when they may leave, and say what they will cost."""
        self.check_access("create")
        departures.place_new(self, vals_list)
        pricing.price_new(self, vals_list)
        ranges.fill_operators(self.env, vals_list)
        return super().create(vals_list)

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
        purpose="service",
        honour_blacklist=False,
    ):
        """Put one message into the journal; it leaves after the commit.

        Nothing is sent when the transaction is rolled back, and a transaction that
        Odoo retries sends once. The way for code of other modules.

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
        :param str purpose: ``service``, ``advertising`` or ``debt``; advertising ends
            with the line of the company, and needs a consent where it demands one
        :param bool honour_blacklist: refuse a number on Odoo's phone blacklist, as
            advertising always does
        :return: the ``sms.devino.message``, also when the key was known
        :raise UserError: when something about the message cannot be sent, or its key
            belongs to a message with another number, text or sender; it says what
        """
        return preparing.enqueue(
            self,
            number,
            body,
            account=account,
            sender=sender,
            scheduled_at=scheduled_at,
            validity=validity,
            partner=partner,
            record=record,
            key=key,
            purpose=purpose,
            honour_blacklist=honour_blacklist,
        )

    @api.model
    def submit(
        self,
        number=None,
        body=None,
        account=None,
        sender=None,
        scheduled_at=None,
        validity=None,
        partner=None,
        record=None,
        key=None,
        purpose="service",
        honour_blacklist=False,
    ):
        """Put one message of another system into the journal, see :meth:`enqueue`.

        :param int account: id
        :param str scheduled_at: UTC, such as ``2030-01-31 09:00:00``
        :param int partner: id
        :param str record: model and id, such as ``sale.order,17``
        :return: dict of ``id`` and ``state``
        :raise AccessError: when the user may not send through the account
        :raise UserError: when something about the message cannot be sent
        """
        return remote.submit(
            self,
            number,
            body,
            account=account,
            sender=sender,
            scheduled_at=scheduled_at,
            validity=validity,
            partner=partner,
            record=record,
            key=key,
            purpose=purpose,
            honour_blacklist=bool(honour_blacklist),
        )

    @api.readonly
    def get_states(self, keys=None):
        """Tell another system what became of messages, those with ``keys`` too.

        :param list keys: as they were given to :meth:`submit`
        :return: list of dicts: id, key, state, reason, money and times (UTC)
        """
        return remote.list_states(self, keys)

    @api.model
    def _write_rows(self, rows):
        """Write many new rows, a few thousand by one statement.

        :param list rows: dicts of column values, all with the same keys; a row with a
            key that the journal has already is left out
        :return: the rows written, in order
        """
        departures.place_new(self, rows, is_bulk=True)
        ranges.fill_operators(self.env, rows)
        return bulk.write_pages(self.browse(), rows)

    def _wake(self):
        """Have the dispatcher look at these messages when they are due."""
        for message in self.sudo():
            wake_once(self.env, DISPATCH, message.scheduled_at)

    # --- the life of a message ------------------------------------------------------

    @api.model
    def _transition(self, target, rows, *, extra=None, condition=None, claim=None):
        """Move messages to a state, see :func:`~..services.message_life.transition`."""
        return message_life.transition(
            self, target, rows, extra=extra, condition=condition, claim=claim
        )

    @api.model
    def _on_transition(self, target, ids):
        """Called with messages that have reached a state; for others to extend."""
        odoo_link.report(self, target, ids)
        if target == "unknown":
            doubt.note_unknown(self, ids)
        numbers.note(self, target, ids)
        batch_course.recount(self.env["sms.devino.batch"].sudo(), ids)

    @api.model
    def _release_due(self):
        """Queue a page of scheduled messages whose time has come; return their ids."""
        return departures.release_due(self.browse())

    @api.model
    def _cron_anonymise(self):
        """Make old messages anonymous where the company wants it. Commits."""
        retention.run(self)

    # --- actions --------------------------------------------------------------------

    def action_check_status(self):
        """Ask the provider what became of these messages, now."""
        self.check_access("read")
        error = check_now(self.sudo().filtered("segment_ids"))
        if len(self) > 1:
            return {"type": "ir.actions.client", "tag": "soft_reload"}
        return message_words.notify_status(self, error)

    def action_cancel(self):
        """Cancel messages that have not been handed over.

        :raise UserError: when none of them could be canceled any more
        """
        self.check_access("read")
        preparing.cancel(self)
        return True

    def action_send_now(self):
        """Send scheduled messages at once."""
        preparing.reschedule(self, fields.Datetime.now())

    @api.private
    def reschedule(self, scheduled_at):
        """Send scheduled messages at another time: a moment in UTC, in the future."""
        check_scheduled_at(self.env, scheduled_at)
        preparing.reschedule(self, scheduled_at)

    def action_settle_sent(self):
        """Note that messages whose outcome is unknown were sent."""
        doubt.settle_by_person(self, was_sent=True)

    def action_settle_not_sent(self):
        """Note that messages whose outcome is unknown were not sent."""
        doubt.settle_by_person(self, was_sent=False)

    def action_send_again(self):
        """Send the same text to the same number again, as a new message.

        :raise UserError: when one of its chain is on its way or has arrived
        """
        self.check_access("read")
        return repeat.send_again(self)._get_records_action()

    def action_open_doubt(self):
        """Open the call whose outcome is unknown, to decide for all its messages."""
        self.check_access("read")
        return self.doubt_id._get_records_action()

    def action_open_document(self):
        """Open the source document, if it is still there and the user may read it."""
        self.ensure_one()
        self.check_access("read")
        return windows.open_document(self)
