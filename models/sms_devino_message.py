import logging
import uuid
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..gateway import MAX_TEXT_LENGTH, MESSAGE_STATUSES, OPERATION_STATUSES
from ..tools import phone, sms_text
from .commit import CONFLICTS, wake_later

_logger = logging.getLogger(__name__)

# The one place that knows which state may follow which: target -> allowed sources.
TRANSITIONS = {
    "outgoing": ("scheduled", "sending"),
    "sending": ("outgoing",),
    # a late answer may still prove that an unknown one was accepted
    "sent": ("sending", "unknown"),
    # … or that it was refused
    "failed": ("scheduled", "outgoing", "sending", "unknown"),
    "unknown": ("sending",),
    "delivered": ("sent",),
    "undelivered": ("sent",),
    "unconfirmed": ("sent",),
    "canceled": ("scheduled", "outgoing"),
}
QUEUED_STATES = ("scheduled", "outgoing")
# Rows that one statement inserts: more makes it no faster, only larger.
INSERT_ROWS = 5000
# States in which the provider surely delivered nothing: sending again cannot double.
SAFE_TO_REPEAT = ("failed", "canceled", "undelivered")
RISKY_TO_REPEAT = ("unknown", "unconfirmed")


def quoting_error(sentence):
    """Return a ``UserError`` whose sentence quotes a number.

    Odoo writes every such error into its log; numbers are personal data.
    """
    error = UserError(sentence)
    error.loglevel = logging.DEBUG
    return error


class SmsDevinoMessage(models.Model):
    _name = "sms.devino.message"
    _description = "SMS Message"
    _order = "id desc"
    _rec_name = "number"

    uuid = fields.Char(
        string="UUID", required=True, readonly=True, index=True, copy=False
    )
    account_id = fields.Many2one(
        "sms.devino.account", required=True, readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    currency_id = fields.Many2one(related="account_id.currency_id")
    sender_name = fields.Char(string="Sender", required=True, readonly=True)
    number = fields.Char(
        required=True, readonly=True, index=True, help="The recipient's number."
    )
    number_search = fields.Char(
        string="Number as written",
        compute="_compute_number_search",
        search="_search_number_search",
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    author_id = fields.Many2one("res.users", readonly=True, index="btree_not_null")
    res_model = fields.Char(string="Document model", readonly=True)
    res_id = fields.Many2oneReference(
        string="Document id", model_field="res_model", readonly=True
    )
    document_name = fields.Char(string="Document", compute="_compute_document_name")
    body = fields.Text(string="Text", required=True, readonly=True)
    body_start = fields.Char(
        string="Beginning of the text", compute="_compute_body_start"
    )
    encoding = fields.Selection(
        [("gsm7", "GSM 03.38"), ("ucs2", "Unicode (UCS-2)")],
        readonly=True,
        help="Unicode is used as soon as one character is not in the GSM alphabet; "
        "a segment then holds 70 characters and not 160.",
    )
    segment_count = fields.Integer(
        string="Segments", readonly=True, help="How many SMS the text takes."
    )
    priority = fields.Selection(
        [("0", "Mass sending"), ("1", "Single message")],
        required=True,
        readonly=True,
        default="1",
        help="Single messages leave before those of a mass sending.",
    )
    planned_at = fields.Datetime(
        string="Planned for", readonly=True, help="Is held in Odoo until then."
    )
    validity = fields.Integer(
        string="Lifetime (minutes)",
        readonly=True,
        help="After so many minutes nobody tries to deliver any more. 0: as the "
        "provider has it.",
    )
    state = fields.Selection(
        [
            ("scheduled", "Planned"),
            ("outgoing", "In the queue"),
            ("sending", "Being handed over"),
            ("sent", "Sent"),
            ("delivered", "Delivered"),
            ("undelivered", "Not delivered"),
            ("failed", "Not accepted"),
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
            (
                "interrupted",
                "Odoo stopped while the message was being handed over. Nobody knows "
                "whether the provider accepted it.",
            ),
            (
                "no_answer",
                "The message left, but no answer came back. Nobody knows whether the "
                "provider accepted it.",
            ),
            ("refused", "The provider refused the message."),
            (
                "attempts",
                "The provider could not be reached, again and again. The message was "
                "not sent.",
            ),
            (
                "expired",
                "The lifetime of the message ended before it could be handed over. It "
                "was not sent.",
            ),
            ("partial", "Only some segments of the message were delivered."),
            (
                "silence",
                "The provider gave no final report within 48 hours, and keeps none "
                "longer.",
            ),
        ],
        string="What happened",
        readonly=True,
    )
    operation_status = fields.Selection(
        OPERATION_STATUSES,
        readonly=True,
        help="What the provider answered when the message was handed over.",
    )
    message_status = fields.Selection(
        MESSAGE_STATUSES,
        readonly=True,
        help="What became of the message, by the provider's report.",
    )
    status_text = fields.Char(
        string="Provider's words",
        readonly=True,
        help="The status as the provider put it.",
    )
    error_text = fields.Char(string="Details of the error", readonly=True)
    raw_answer = fields.Text(
        string="Raw answer", readonly=True, groups="sms_devino.group_admin"
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
    delivered_segments = fields.Integer(readonly=True)
    cost_estimated = fields.Float(
        string="Estimated cost", digits=(12, 4), readonly=True, aggregator="sum"
    )
    cost = fields.Float(
        string="Price",
        digits=(12, 4),
        readonly=True,
        aggregator="sum",
        help="What the provider charged: the sum over the segments, once it told.",
    )
    claim = fields.Integer(string="Claim of the dispatcher", readonly=True)
    attempts = fields.Integer(readonly=True)
    claimed_at = fields.Datetime(string="Handed over at", readonly=True)
    accepted_at = fields.Datetime(string="Accepted at", readonly=True)
    submitted_at = fields.Datetime(string="Submitted at", readonly=True)
    delivered_at = fields.Datetime(string="Delivered at", readonly=True)
    checked_at = fields.Datetime(string="Status asked at", readonly=True)
    next_check_at = fields.Datetime(string="Next status check", readonly=True)
    next_try_at = fields.Datetime(string="Next attempt", readonly=True)
    dedup_key = fields.Char(string="Key", readonly=True, copy=False)
    repeat_of_id = fields.Many2one(
        "sms.devino.message",
        string="Repeats",
        readonly=True,
        index="btree_not_null",
        help="The message that this one sends again.",
    )
    repeated_by_ids = fields.One2many(
        "sms.devino.message", "repeat_of_id", string="Sent again as"
    )
    history = fields.Json(readonly=True, groups="base.group_system")
    timeline = fields.Html(compute="_compute_timeline", sanitize=False)

    _queue_idx = models.Index(
        "(account_id, priority DESC, id) WHERE state = 'outgoing'"
    )
    _next_try_idx = models.Index(
        "(next_try_at) WHERE state = 'outgoing' AND next_try_at IS NOT NULL"
    )
    _scheduled_idx = models.Index("(planned_at) WHERE state = 'scheduled'")
    _sending_idx = models.Index("(claim) WHERE state = 'sending'")
    _next_check_idx = models.Index("(next_check_at) WHERE state = 'sent'")
    _account_idx = models.Index("(account_id, id)")
    _created_idx = models.Index("USING brin (create_date)")
    _document_idx = models.Index("(res_model, res_id) WHERE res_model IS NOT NULL")
    _dedup_key_uniq = models.UniqueIndex(
        "(company_id, dedup_key) WHERE dedup_key IS NOT NULL"
    )

    # --- computes -------------------------------------------------------------------

    def _compute_document_name(self):
        """Name the source document for whoever may read it."""
        for message in self:
            document = message._get_document()
            message.document_name = document.display_name if document else False

    @api.depends("body")
    def _compute_body_start(self):
        """One line of the text, for lists."""
        for message in self:
            message.body_start = " ".join((message.body or "").split())[:60]

    @api.depends("number")
    def _compute_number_search(self):
        for message in self:
            message.number_search = message.number

    def _search_number_search(self, operator, value):
        """Find a number however it is written, by its index when it is complete."""
        country = self.env["sms.devino.account"]._get_default().country_id.code
        reading = phone.read(value if isinstance(value, str) else "", country or "RU")
        if reading.e164 and operator in ("ilike", "="):
            return [("number", "=", reading.e164)]
        digits = "".join(char for char in str(value) if char.isdigit())
        return [("number", operator, digits or value)]

    @api.depends("segment_ids.gateway_id")
    def _compute_gateway_ids(self):
        for message in self:
            message.gateway_ids = ", ".join(message.segment_ids.mapped("gateway_id"))

    def _search_gateway_ids(self, operator, value):
        return [("segment_ids.gateway_id", operator, value)]

    def _compute_timeline(self):
        for message in self:
            message.timeline = self.env["ir.qweb"]._render(
                "sms_devino.message_timeline",
                {"message": message, "events": message._get_timeline()},
            )

    def _get_timeline(self):
        """Return what happened to the message, oldest first.

        :return: a list of dicts ``{"at": datetime, "text": str, "detail": str}``;
            times are UTC
        """
        self.ensure_one()
        env = self.env
        steps = [
            (self.create_date, env._("Created")),
            (self.planned_at, env._("Planned for this time")),
            (self.claimed_at, env._("Handed over to the provider")),
            (self.accepted_at, env._("Accepted by the provider")),
            (self.submitted_at, env._("Submitted to the mobile network")),
            (self.delivered_at, env._("Delivered")),
            (self.checked_at, env._("Status last asked")),
        ]
        events = [
            {"at": at, "text": text, "detail": ""} for at, text in steps if at
        ] + [self._read_history(entry) for entry in self.sudo().history or []]
        # some times are kept to the second: within one, the order of the list counts
        return sorted(events, key=lambda event: event["at"].replace(microsecond=0))

    def _read_history(self, entry):
        """Return a stored entry of the history as an event of the timeline."""
        is_admin = self.env.user.has_group("sms_devino.group_admin")
        texts = {
            "not_sent": self.env._("Could not be handed over"),
            "failed": self.env._("Not accepted"),
            "unknown": self.env._("Outcome unknown"),
            "undelivered": self.env._("Not delivered"),
            "unconfirmed": self.env._("No final report"),
            "canceled": self.env._("Canceled"),
            "repeated": self.env._("Sent again as a new message"),
        }
        return {
            "at": fields.Datetime.to_datetime(entry["at"]),
            "text": texts.get(entry["event"], entry["event"]),
            # the technical words of an error are for whoever looks into errors
            "detail": (is_admin and entry.get("detail")) or "",
        }

    # --- putting messages into the journal ------------------------------------------

    @api.model
    @api.private
    def enqueue(
        self,
        number,
        text,
        *,
        account=None,
        sender=None,
        planned_at=None,
        validity=None,
        partner=None,
        record=None,
        key=None,
        wait=False,
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

        The exclusion list is not looked at: whether the law wants that depends on the
        text, which the caller knows (``phone.blacklist``).

        :param str number: the recipient, as a person writes it
        :param str text: at most 2000 characters
        :param account: ``sms.devino.account``; the company's default without it
        :param str sender: sender name; the account's default without it
        :param datetime planned_at: UTC; in the past or ``None`` means now
        :param int validity: lifetime in minutes; the account's default without it
        :param partner: ``res.partner`` that the number belongs to
        :param record: the document that the message comes from
        :param str key: a second call with the same key, in the same company, returns
            the first message and sends nothing
        :param bool wait: hand the message over right after the commit, in this
            thread, and not by the scheduled action
        :return: the ``sms.devino.message``, also when the key was known
        :raise UserError: when something about the message cannot be sent; it says what
        """
        account = self._pick_account(account)
        if key and (known := self._find_by_key(account.company_id, key)):
            return known
        values = self._prepare_message(
            account,
            number,
            text,
            sender=sender,
            planned_at=planned_at,
            validity=validity,
        )
        values |= {
            "partner_id": partner.id if partner else None,
            "res_model": record._name if record else None,
            "res_id": record.id if record else None,
            "author_id": self.env.uid,
            "dedup_key": key or None,
        }
        message = self.browse(self._insert([values]))
        if not message:
            # another transaction has committed the same key meanwhile
            return self._find_by_key(account.company_id, key)
        message._wake(wait=wait)
        return message

    @api.model
    def _pick_account(self, account=None):
        account = account or self.env["sms.devino.account"]._get_default()
        if not account:
            raise UserError(
                self.env._(
                    "There is no SMS account for the company “%(company)s”. An "
                    "administrator creates one in SMS > Configuration > Accounts.",
                    company=self.env.company.display_name,
                )
            )
        if account.company_id not in self.env.companies and not self.env.su:
            raise AccessError(
                self.env._(
                    "The SMS account “%(account)s” belongs to another company.",
                    account=account.sudo().name,
                )
            )
        return account.sudo()

    @api.model
    def _find_by_key(self, company, key):
        found = self.sudo().search(
            [("company_id", "=", company.id), ("dedup_key", "=", key)], limit=1
        )
        return found.sudo(self.env.su)

    @api.model
    def _prepare_message(
        self, account, number, text, *, sender=None, planned_at=None, validity=None
    ):
        """Check one message and return its values for :meth:`_insert`.

        :raise UserError: naming the field that is wrong and what to do
        """
        sender_name = sender or account._get_default_sender().name
        if not sender_name:
            raise UserError(
                self.env._(
                    "Sender: the account “%(account)s” has no sender name to send "
                    "under. An administrator adds one to the account.",
                    account=account.name,
                )
            )
        problems = sms_text.check_sender(sender_name)
        if problems:
            raise UserError(
                self.env["sms.devino.sender"]._describe_problem(
                    sender_name, problems[0]
                )
            )
        body = self._check_text(text)
        reading = phone.read(number or "", account.country_id.code)
        if not reading.sendable:
            raise quoting_error(self._describe_reading(reading))
        return self._message_values(
            account, reading.e164, body, sender_name, planned_at, validity
        )

    @api.model
    def _message_values(
        self, account, e164, body, sender_name, planned_at, validity, priority="1"
    ):
        """Return the column values of a checked message, the computed ones included."""
        info = sms_text.analyse(body)
        now = fields.Datetime.now()
        planned = planned_at and planned_at > now
        return {
            "uuid": uuid.uuid4().hex,
            "account_id": account.id,
            "company_id": account.company_id.id,
            "sender_name": sender_name,
            "number": e164,
            "body": body,
            "encoding": info.encoding,
            "segment_count": info.segments,
            "priority": priority,
            "planned_at": planned_at or None,
            "validity": account.default_validity if validity is None else validity,
            "state": "scheduled" if planned else "outgoing",
            "attempts": 0,
            "delivered_segments": 0,
            "cost_estimated": account._estimate_cost(info.segments, e164),
        }

    @api.model
    def _check_text(self, text):
        body = sms_text.normalise(text or "")
        if not body.strip():
            raise UserError(self.env._("Text: enter the text of the message."))
        if len(body) > MAX_TEXT_LENGTH:
            raise UserError(
                self.env._(
                    "Text: %(length)s characters; the provider takes at most "
                    "%(maximum)s. Shorten it by %(excess)s.",
                    length=len(body),
                    maximum=MAX_TEXT_LENGTH,
                    excess=len(body) - MAX_TEXT_LENGTH,
                )
            )
        if "\x00" in body:
            raise UserError(
                self.env._("Text: it holds a null character, which cannot be sent.")
            )
        return body

    @api.model
    def _describe_reading(self, reading):
        """Return the sentence for a number as it was read, whatever the verdict."""
        raw, e164 = reading.raw, reading.e164 or ""
        suggestion = getattr(reading, "suggestion", None) or ""
        sentences = {
            "ok": self.env._("Will be sent to %(number)s.", number=e164),
            "corrected": self.env._(
                "Will be sent to %(number)s (corrected).", number=e164
            ),
            "empty": self.env._("Number: enter the recipient's number."),
            "landline": self.env._(
                "Number “%(raw)s” is a landline, which takes no SMS.", raw=raw
            ),
            "special": self.env._(
                "Number “%(raw)s” is a service number, which takes no SMS.", raw=raw
            ),
            "letters": self.env._("Number “%(raw)s” has letters in it.", raw=raw),
            "too_short": self.env._("Number “%(raw)s” is too short.", raw=raw),
            "too_long": self.env._("Number “%(raw)s” is too long.", raw=raw),
            "lost_digits": self.env._(
                "Number “%(raw)s” has lost its last digits in a spreadsheet. Enter it "
                "in full.",
                raw=raw,
            ),
            "foreign_without_plus": self.env._(
                "Number “%(raw)s” looks foreign. Write it with a plus and the country "
                "code, such as %(suggestion)s.",
                raw=raw,
                suggestion=suggestion or f"+{raw}",
            ),
            "impossible": self.env._("Number “%(raw)s” does not exist.", raw=raw),
        }
        return sentences[reading.verdict]

    @api.model
    def _insert(self, rows):
        """Write journal rows, a few thousand by one statement.

        :param list rows: dicts of column values, all with the same keys as
            :meth:`_message_values` gives, and more where a caller has them
        :return: list of ids, in the order of ``rows``; a row whose key is already
            there is left out
        """
        ids = []
        for start in range(0, len(rows), INSERT_ROWS):
            ids += self._insert_page(rows[start : start + INSERT_ROWS])
        return ids

    @api.model
    def _insert_page(self, rows):
        columns = list(rows[0])
        # the ids first: in which order an INSERT returns them is not promised
        self.env.cr.execute(
            "SELECT nextval('sms_devino_message_id_seq') FROM generate_series(1, %s)",
            [len(rows)],
        )
        numbered = [
            {"id": message_id, **row}
            for (message_id,), row in zip(self.env.cr.fetchall(), rows, strict=True)
        ]
        names = ["id", *columns]
        self.env.cr.execute(
            SQL(
                """INSERT INTO sms_devino_message
                          (create_uid, create_date, write_uid, write_date, %(names)s)
                   SELECT %(uid)s, %(now)s, %(uid)s, %(now)s, %(names)s
                     FROM unnest(%(arrays)s) AS rows(%(names)s)
              ON CONFLICT (company_id, dedup_key) WHERE dedup_key IS NOT NULL
               DO NOTHING
                RETURNING id""",
                names=SQL(", ").join(map(SQL.identifier, names)),
                uid=self.env.uid,
                now=self.env.cr.now(),
                arrays=self._to_arrays(names, numbered),
            ),
            # Odoo would write the whole statement, numbers and texts, into the log
            log_exceptions=False,
        )
        inserted = {row[0] for row in self.env.cr.fetchall()}
        return [row["id"] for row in numbered if row["id"] in inserted]

    @api.model
    def _to_arrays(self, columns, rows):
        """Return SQL arrays of the columns' own types, for ``unnest``."""
        types = {"id": "int4"}
        return SQL(", ").join(
            SQL(
                "%s::%s[]",
                [row[column] for row in rows],
                SQL(types.get(column) or self._fields[column].column_type[0]),
            )
            for column in columns
        )

    def _wake(self, *, wait=False):
        """See to it that these messages leave: at once, or at their planned time."""
        now = fields.Datetime.now()
        queued = [message.planned_at for message in self.sudo()]
        cron = self.env.ref("sms_devino.ir_cron_dispatch").sudo()
        times = {at if at and at > now else now for at in queued}
        cron._trigger(at=sorted(times))
        if wait and now in times:
            self._dispatch_after_commit()

    def _dispatch_after_commit(self):
        """Run the dispatcher over these rows once they are committed, in a cursor of
        its own. The scheduled action finds whatever it could not do."""
        registry, ids = self.env.registry, self.ids

        def dispatch():
            try:
                with registry.cursor() as cr:
                    env = api.Environment(cr, api.SUPERUSER_ID, {})
                    env["sms.devino.dispatcher"]._dispatch_now(ids)
            except Exception:
                # the message is in the journal: its writer must not think it failed
                _logger.exception("dispatch after the commit broke off")

        self.env.cr.postcommit.add(dispatch)

    # --- the life of a message ------------------------------------------------------

    @api.model
    def _transition(self, target, rows, *, event=None, extra=None, condition=None):
        """Move messages to a state: the only code that writes ``state`` afterwards.

        A message that is already there is left alone, one that may not go there is
        logged; neither is an error, since answers may come late or twice.

        :param str target: a key of :data:`TRANSITIONS`
        :param list rows: dicts with ``id`` and further column values, all with the
            same keys
        :param str event: put it into the history, with the row's ``error_text``
        :param SQL extra: further assignments, the same for all
        :param SQL condition: what else must hold of the message, in terms of ``m``
        :return: list of ids that were moved
        """
        if not rows:
            return []
        columns = [column for column in rows[0] if column != "id"]
        moved = self._update_rows(
            columns,
            rows,
            extra=SQL(", ").join(filter(None, [SQL("state = %s", target), extra])),
            condition=SQL(
                "m.state = ANY(%s) AND %s",
                list(TRANSITIONS[target]),
                condition or SQL("TRUE"),
            ),
            event=event,
        )
        if len(moved) != len(rows) and target != "sending":
            # that somebody else was faster with a claim is in the order of things
            self._log_refused(target, {row["id"] for row in rows} - set(moved))
        if moved:
            self._tell_transition(target, moved)
        return moved

    @api.model
    def _tell_transition(self, target, ids):
        """Let others follow. What became of a message is true, and is written down,
        also when they fail."""
        try:
            with self.env.cr.savepoint():
                self._on_transition(target, ids)
        except CONFLICTS:
            raise
        except Exception:
            if self.env.cr.closed:
                raise
            _logger.exception("%s messages %s: not everybody knows", len(ids), target)

    @api.model
    def _update_rows(self, columns, rows, *, extra=None, condition=None, event=None):
        """Update many rows with a value each, by one statement.

        :return: list of ids that met ``condition``
        """
        names = ["id", *columns]
        assignments = [
            SQL("%s = v.%s", SQL.identifier(name), SQL.identifier(name))
            for name in columns
        ]
        assignments.append(SQL("write_date = (now() AT TIME ZONE 'UTC')"))
        if extra:
            assignments.append(extra)
        if event:
            detail = SQL("v.error_text") if "error_text" in columns else SQL("NULL")
            assignments.append(self._history_sql(event, detail))
        # what is pending in the cache of this transaction must not undo it later
        self.flush_model()
        self.env.cr.execute(
            SQL(
                # The condition is put so that it belongs to the join: else statistics
                # that are behind let the planner begin with "the few" rows in a state,
                # and compare thousands with thousands.
                """UPDATE sms_devino_message m SET %s
                     FROM unnest(%s) AS v(%s)
                    WHERE m.id = v.id
                      AND CASE WHEN v.id IS NULL THEN FALSE ELSE (%s) END
                RETURNING m.id""",
                SQL(", ").join(assignments),
                self._to_arrays(names, rows),
                SQL(", ").join(map(SQL.identifier, names)),
                condition or SQL("TRUE"),
            ),
            # a conflict is repeated by whoever called, and no error
            log_exceptions=False,
        )
        ids = [row[0] for row in self.env.cr.fetchall()]
        self.browse(ids).invalidate_recordset()
        return ids

    @api.model
    def _history_sql(self, event, detail):
        """Return the assignment that appends one entry to the history."""
        return SQL(
            """history = COALESCE(history, '[]'::jsonb) || jsonb_build_object(
                   'at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
                   'event', %s, 'detail', %s)""",
            event,
            detail,
        )

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
    def _on_transition(self, target, ids):
        """Told of messages that have reached a state; for others to extend."""

    @api.model
    def _release_due(self):
        """Move planned messages whose time has come into the queue."""
        self.flush_model(["state", "planned_at"])
        self.env.cr.execute(
            SQL(
                """SELECT id FROM sms_devino_message
                    WHERE state = 'scheduled' AND planned_at <= %s
                 ORDER BY planned_at, id LIMIT 10000""",
                fields.Datetime.now(),
            )
        )
        return self._transition(
            "outgoing", [{"id": row[0]} for row in self.env.cr.fetchall()]
        )

    @api.model
    def _plan_next_wake(self):
        """Wake the dispatcher when the next planned message or attempt is due."""
        now = fields.Datetime.now()
        self.env.cr.execute(
            SQL(
                """SELECT LEAST(
                       (SELECT min(planned_at) FROM sms_devino_message
                         WHERE state = 'scheduled'),
                       (SELECT min(next_try_at) FROM sms_devino_message
                         WHERE state = 'outgoing' AND next_try_at > %s))""",
                now,
            )
        )
        next_at = self.env.cr.fetchone()[0]
        if next_at:
            soonest = now + timedelta(seconds=1)
            wake_later(self.env, "sms_devino.ir_cron_dispatch", max(next_at, soonest))

    # --- actions --------------------------------------------------------------------

    def action_check_status(self):
        """Ask the provider what became of these messages, now."""
        self.check_access("read")
        asked = self.sudo().filtered(lambda message: message.segment_ids)
        self.env["sms.devino.status.checker"].sudo()._check(asked)
        if len(self) > 1:
            return {"type": "ir.actions.client", "tag": "soft_reload"}
        return self._notify_status()

    def _notify_status(self):
        self.ensure_one()
        labels = dict(self._fields["message_status"]._description_selection(self.env))
        at = self.delivered_at or self.submitted_at or self.accepted_at
        message = labels.get(self.message_status, self.env._("Not known yet"))
        if at:
            local = fields.Datetime.context_timestamp(self, at)
            message = f"{local:%d.%m.%Y %H:%M:%S}: {message}"
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if self.state == "delivered" else "info",
                "title": self.env._("Status of the message"),
                "message": message,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_cancel(self):
        """Cancel messages that have not been handed over.

        :raise UserError: when none of them could be canceled any more
        """
        self.check_access("read")
        moved = self.sudo()._transition(
            "canceled",
            [{"id": message_id} for message_id in self.ids],
            event="canceled",
        )
        if not moved:
            raise UserError(
                self.env._(
                    "Too late: only a message that is planned or waits in the queue "
                    "can be canceled."
                )
            )
        return True

    def action_send_again(self):
        """Send the same text to the same number again, as a new message.

        The journal keeps the first one. Asked for explicitly, this is allowed also
        where nobody knows whether the first one went out: the button says so. Pressed
        twice it sends once.

        :raise UserError: for a message that is on its way or has arrived, itself or
            as the one that repeats it
        """
        self.check_access("read")
        self.sudo()._check_may_repeat()
        copies = self.browse()
        for message in self.sudo():
            copies |= message._repeat()
        copies._wake(wait=len(copies) == 1)
        return copies._get_records_action() if len(copies) > 1 else copies._open()

    def _check_may_repeat(self):
        repeatable = SAFE_TO_REPEAT + RISKY_TO_REPEAT
        for message in self:
            if message.state not in repeatable:
                raise quoting_error(
                    self.env._(
                        "Message to %(number)s is on its way or has arrived; it is not "
                        "sent again.",
                        number=message.number,
                    )
                )
            if any(m.state not in repeatable for m in message.repeated_by_ids):
                raise quoting_error(
                    self.env._(
                        "Message to %(number)s has already been sent again: see the "
                        "new one.",
                        number=message.number,
                    )
                )

    def _repeat(self):
        """Return a new message with the recipient and text of this one."""
        self.ensure_one()
        account = self._pick_account(self.account_id)
        values = self._message_values(
            account, self.number, self.body, self.sender_name, None, self.validity
        )
        values |= {
            "partner_id": self.partner_id.id or None,
            "res_model": self.res_model or None,
            "res_id": self.res_id or None,
            "author_id": self.env.uid,
            "repeat_of_id": self.id,
        }
        self._update_rows(
            [], [{"id": self.id}], extra=self._history_sql("repeated", SQL("NULL"))
        )
        return self.browse(self._insert([values]))

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

    def _open(self):
        """Return the action that shows this message."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "current",
        }
