import logging

import psycopg2
from markupsafe import Markup

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .commit import commit_retrying

_logger = logging.getLogger(__name__)

# States of messages by what a person wants to know, in the order of the progress bar.
GROUPS = {
    "delivered": ("delivered",),
    "sent": ("sent",),
    "unknown": ("unknown", "unconfirmed"),
    "failed": ("failed", "undelivered"),
    "canceled": ("canceled",),
    "sending": ("sending",),
    "waiting": ("scheduled", "outgoing"),
}
TO_HAND_OVER = ("scheduled", "outgoing", "sending")
OPEN = (*TO_HAND_OVER, "sent")
TROUBLE = (*GROUPS["failed"], *GROUPS["unknown"])
# What surely did not arrive, so that sending it again cannot double it.
SURELY_FAILED = GROUPS["failed"]
# The rest of a batch is the program's to write.
WRITABLE = {"name", "planned_at"}
SHOWN_IDS = 10


class SmsDevinoBatch(models.Model):
    _name = "sms.devino.batch"
    _description = "Mass SMS"
    _inherit = ["mail.thread"]
    _order = "id desc"

    name = fields.Char(required=True)
    account_id = fields.Many2one(
        "sms.devino.account",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    currency_id = fields.Many2one(related="account_id.currency_id")
    author_id = fields.Many2one(
        "res.users", string="Sent by", required=True, readonly=True
    )
    sender_name = fields.Char(string="Sender", required=True, readonly=True)
    text = fields.Text(required=True, readonly=True)
    validity = fields.Integer(string="Lifetime (minutes)", readonly=True)
    planned_at = fields.Datetime(
        string="Planned for",
        help="The messages are held in Odoo until then. May be moved while the "
        "sending is planned.",
    )
    audience = fields.Char(string="Recipients from", readonly=True)
    list_ids = fields.Many2many(
        "sms.devino.recipient.list", string="Recipient lists", readonly=True
    )
    contact_domain = fields.Char(string="Contacts by filter", readonly=True)
    state = fields.Selection(
        [
            ("planned", "Planned"),
            ("running", "Being sent"),
            ("paused", "Paused"),
            ("done", "Handed over"),
            ("canceled", "Canceled"),
        ],
        required=True,
        readonly=True,
        default="running",
        tracking=True,
    )
    on_hold = fields.Boolean(
        readonly=True, help="Messages of this batch are not taken out of the queue."
    )
    finished_at = fields.Datetime(
        string="Finished at", readonly=True, help="Nothing was left to hand over."
    )
    reported_at = fields.Datetime(
        string="Final at", readonly=True, help="The fate of every message was known."
    )
    total = fields.Integer(string="Messages in all", readonly=True)
    segment_count = fields.Integer(string="Segments", readonly=True)
    cost_estimated = fields.Float(
        string="Estimated cost", digits=(12, 4), readonly=True
    )
    reason_ids = fields.One2many(
        "sms.devino.batch.reason", "batch_id", string="Left out", readonly=True
    )
    left_out_count = fields.Integer(string="Recipients left out", readonly=True)
    repeat_of_id = fields.Many2one(
        "sms.devino.batch",
        string="Repeats",
        readonly=True,
        index="btree_not_null",
        help="The mass sending whose failed messages this one sends again.",
    )
    final_counts = fields.Json(readonly=True)
    waiting_count = fields.Integer(string="Waiting", compute="_compute_counts")
    sent_count = fields.Integer(string="Sent, no report yet", compute="_compute_counts")
    delivered_count = fields.Integer(string="Delivered", compute="_compute_counts")
    failed_count = fields.Integer(
        string="Failed or not delivered", compute="_compute_counts"
    )
    unknown_count = fields.Integer(
        string="Outcome not known", compute="_compute_counts"
    )
    canceled_count = fields.Integer(
        string="Canceled messages", compute="_compute_counts"
    )
    progress = fields.Float(string="Handed over (%)", compute="_compute_counts")
    cost = fields.Float(
        string="Price",
        digits=(12, 4),
        compute="_compute_counts",
        help="What the provider has charged as far as it has told.",
    )
    failures = fields.Html(compute="_compute_failures", sanitize=False)

    _hold_idx = models.Index("(id) WHERE on_hold")
    _open_idx = models.Index("(state) WHERE reported_at IS NULL")

    # --- computes -------------------------------------------------------------------

    @api.depends("state", "final_counts", "total")
    def _compute_counts(self):
        """Count the messages by state: by one query, or as kept once all was final."""
        counts = {batch.id: batch.final_counts for batch in self if batch.final_counts}
        counts |= self.filtered(lambda batch: not batch.final_counts)._count_messages()
        for batch in self:
            found = counts.get(batch.id, {})
            groups = self._group_counts(found)
            for group in ("waiting", "sent", "delivered", "failed", "unknown"):
                batch[f"{group}_count"] = groups[group]
            batch.canceled_count = groups["canceled"]
            batch.cost = found.get("cost", 0.0)
            left = groups["waiting"] + groups["sending"]
            batch.progress = 100.0 * (batch.total - left) / (batch.total or 1)

    def _count_messages(self):
        """Return batch id -> dict of message state -> count, and ``cost``."""
        if not self.ids:
            return {}
        self.env["sms.devino.message"].flush_model(["batch_id", "state", "cost"])
        self.env.cr.execute(
            SQL(
                """SELECT batch_id, state, count(*), COALESCE(sum(cost), 0)
                     FROM sms_devino_message
                    WHERE batch_id = ANY(%s)
                 GROUP BY batch_id, state""",
                list(self.ids),
            )
        )
        result = {}
        for batch_id, state, count, cost in self.env.cr.fetchall():
            counts = result.setdefault(batch_id, {"cost": 0.0})
            counts[state] = count
            counts["cost"] += cost
        return result

    @api.model
    def _group_counts(self, counts):
        return {
            group: sum(counts.get(state, 0) for state in states)
            for group, states in GROUPS.items()
        }

    def _compute_failures(self):
        for batch in self:
            failures = batch._get_failures()
            batch.failures = failures and self._format_failures(failures)

    def _get_failures(self):
        """Return what went wrong, in words: a list of pairs of text and count."""
        self.ensure_one()
        self.env.cr.execute(
            SQL(
                """SELECT state, reason, operation_status, message_status, count(*)
                     FROM sms_devino_message
                    WHERE batch_id = %s AND state = ANY(%s)
                 GROUP BY state, reason, operation_status, message_status""",
                self.id,
                list(TROUBLE),
            )
        )
        failures = {}
        for *key, count in self.env.cr.fetchall():
            words = self._word_failure(*key)
            failures[words] = failures.get(words, 0) + count
        return sorted(failures.items(), key=lambda pair: -pair[1])

    def _word_failure(self, state, reason, operation_status, message_status):
        message = self.env["sms.devino.message"]

        def label(name, value):
            return dict(message._fields[name]._description_selection(self.env))[value]

        if state == "failed" and reason == "refused" and operation_status:
            return label("operation_status", operation_status)
        if state == "undelivered" and reason is None and message_status:
            return label("message_status", message_status)
        return label("reason", reason) if reason else label("state", state)

    @api.model
    def _format_failures(self, failures):
        items = Markup().join(
            Markup("<li>%s: <b>%s</b></li>") % (text, count) for text, count in failures
        )
        return Markup("<ul class='mb-0'>%s</ul>") % items

    # --- what a person may change ---------------------------------------------------

    def write(self, vals):
        """Move the messages along when a planned sending is moved."""
        if not self.env.su:
            self._check_writable(vals)
        moved = self.browse()
        if "planned_at" in vals:
            planned_at = fields.Datetime.to_datetime(vals["planned_at"])
            moved = self.filtered(lambda batch: batch.planned_at != planned_at)
            moved._check_movable(planned_at)
        result = super().write(vals)
        if moved:
            moved._move_messages(planned_at)
        return result

    def _check_writable(self, vals):
        own = {name for name in vals if not name.startswith(("message_", "website_"))}
        if own - WRITABLE:
            raise UserError(
                self.env._(
                    "Only the name and the planned time of a mass sending can be "
                    "changed."
                )
            )

    def _check_movable(self, planned_at):
        if any(batch.state != "planned" for batch in self):
            raise UserError(
                self.env._(
                    "Planned for: only a sending that is still planned can be moved."
                )
            )
        if self and (not planned_at or planned_at <= fields.Datetime.now()):
            raise UserError(self.env._("Planned for: choose a time in the future."))

    def _move_messages(self, planned_at):
        self.env["sms.devino.message"].flush_model(["state", "planned_at"])
        self.env.cr.execute(
            SQL(
                """UPDATE sms_devino_message SET planned_at = %s
                    WHERE batch_id = ANY(%s) AND state = 'scheduled'""",
                planned_at,
                list(self.ids),
            )
        )
        self.env["sms.devino.message"].invalidate_model(["planned_at"])
        self.env.ref("sms_devino.ir_cron_dispatch").sudo()._trigger(at=planned_at)

    # --- actions --------------------------------------------------------------------

    def action_pause(self):
        """Hold what has not been handed over; calls that are under way finish."""
        self._move_to("paused", ("planned", "running"), on_hold=True)

    def action_resume(self):
        """Go on with a sending that was paused."""
        now = fields.Datetime.now()
        later = self.filtered(lambda b: b.planned_at and b.planned_at > now)
        later._move_to("planned", ("paused",), on_hold=False)
        (self - later)._move_to("running", ("paused",), on_hold=False)
        self.env.ref("sms_devino.ir_cron_dispatch").sudo()._trigger()

    def action_cancel(self):
        """Cancel what has not been handed over."""
        self._move_to("canceled", ("planned", "running", "paused"), on_hold=True)
        self._sweep_after_commit()

    def _move_to(self, state, sources, **values):
        self.check_access("write")
        batches = self.sudo()
        batches.lock_for_update()
        if any(batch.state not in sources for batch in batches):
            raise UserError(
                self.env._(
                    "The mass sending has moved on in the meantime. Reload the page to "
                    "see how it stands."
                )
            )
        batches.write({"state": state, **values})

    def action_view_messages(self):
        """Show the messages of this mass sending in the journal."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_devino.sms_devino_message_action"
        )
        return action | {
            "display_name": self.name,
            "domain": [("batch_id", "=", self.id)],
            "context": dict(self.env.context),
        }

    def action_view_trouble(self):
        """Show the messages that failed or whose outcome is not known."""
        action = self.action_view_messages()
        action["domain"] = [*action["domain"], ("state", "in", TROUBLE)]
        return action

    def action_copy(self):
        """Prepare a new mass sending with the audience, sender and text of this one."""
        self.ensure_one()
        return self.env["sms.devino.batch.send"]._open_new(
            account_id=self.account_id.id,
            sender_id=self._find_sender().id,
            name=self.name,
            text=self.text,
            validity=self.validity,
            list_ids=[fields.Command.set(self.list_ids.ids)],
            with_contacts=bool(self.contact_domain),
            contact_domain=self.contact_domain or "[]",
        )

    def action_export_xlsx(self):
        """Save the messages with their statuses, ids and prices."""
        return self._export("xlsx")

    def action_export_xls(self):
        """The same for programs that read only the old format."""
        return self._export("xls")

    def _export(self, file_format):
        self.ensure_one()
        messages = self.env["sms.devino.message"].search(
            [("batch_id", "=", self.id)], order="id"
        )
        return self.env["sms.devino.export"]._download_messages(messages, file_format)

    def action_send_failed(self):
        """Prepare to send again, text by text, what surely did not arrive."""
        self.ensure_one()
        return self.env["sms.devino.batch.send"]._open_repeat(self)

    def _find_sender(self):
        senders = self.account_id.sender_ids
        return senders.filtered(lambda s: s.name == self.sender_name)[:1]

    # --- live progress --------------------------------------------------------------

    @api.readonly
    def get_progress(self):
        """Return how the sending stands, for whoever watches.

        :return: dict of ``state``, ``is_live`` (whether it may still change),
            ``total``, ``cost`` and ``groups``: a list of dicts ``key``, ``label``,
            ``count``
        """
        self.ensure_one()
        self.check_access("read")
        batch = self.sudo()
        counts = batch.final_counts or batch._count_messages().get(batch.id, {})
        labels = self._group_labels()
        groups = self._group_counts(counts)
        return {
            "state": batch.state,
            "is_live": not batch.reported_at,
            "total": batch.total,
            "cost": batch.account_id._format_amount(counts.get("cost", 0.0)),
            "groups": [
                {"key": key, "label": labels[key], "count": groups[key]}
                for key in GROUPS
            ],
        }

    @api.model
    def _group_labels(self):
        return {
            "delivered": self.env._("Delivered"),
            "sent": self.env._("Sent, no report yet"),
            "unknown": self.env._("Outcome not known"),
            "failed": self.env._("Failed or not delivered"),
            "canceled": self.env._("Canceled"),
            "sending": self.env._("Being handed over"),
            "waiting": self.env._("Waiting"),
        }

    # --- the course of a sending ----------------------------------------------------

    @api.model
    def _follow(self):
        """Let the states of batches follow those of their messages. Commits."""
        self._sweep(
            self.search([("on_hold", "=", True), ("state", "=", "canceled")]).ids
        )
        commit_retrying(self.env, self._start_due)
        for batch in commit_retrying(self.env, self._finish)[0]:
            commit_retrying(self.env, batch._tell_handed_over)
        for batch in commit_retrying(self.env, self._report)[0]:
            commit_retrying(self.env, batch._tell_report)

    @api.model
    def _start_due(self):
        due = self.search(
            [("state", "=", "planned"), ("planned_at", "<=", fields.Datetime.now())]
        )
        for batch in due:
            batch._for_author().write({"state": "running"})

    @api.model
    def _finish(self):
        """Close batches that have nothing left to hand over; return them."""
        batches = self._without_messages_in(
            TO_HAND_OVER, [("finished_at", "=", False), ("state", "!=", "planned")]
        )
        for batch in batches:
            values = {"on_hold": False, "finished_at": fields.Datetime.now()}
            if batch.state != "canceled":
                values["state"] = "done"
            batch._for_author().write(values)
        return batches

    @api.model
    def _report(self):
        """Close the books of batches whose messages all are final; return them."""
        batches = self._without_messages_in(
            OPEN, [("finished_at", "!=", False), ("reported_at", "=", False)]
        )
        counts = batches._count_messages()
        for batch in batches:
            batch.write(
                {
                    "reported_at": fields.Datetime.now(),
                    "final_counts": counts.get(batch.id, {"cost": 0.0}),
                }
            )
        return batches

    @api.model
    def _without_messages_in(self, states, domain):
        """Return the batches of ``domain`` that have no message in these states."""
        batches = self.search([("reported_at", "=", False), *domain])
        if not batches:
            return batches
        self.env["sms.devino.message"].flush_model(["batch_id", "state"])
        self.env.cr.execute(
            SQL(
                """SELECT b.id FROM sms_devino_batch b
                    WHERE b.id = ANY(%s) AND NOT EXISTS (
                          SELECT 1 FROM sms_devino_message m
                           WHERE m.batch_id = b.id AND m.state = ANY(%s))""",
                batches.ids,
                list(states),
            )
        )
        return self.browse(row[0] for row in self.env.cr.fetchall())

    def _sweep_after_commit(self):
        """Mark the messages as canceled once the hold on them is committed."""
        ids = self.ids
        self.env.cr.postcommit.add(lambda: self._sweep(ids))

    @api.model
    def _sweep(self, ids):
        """Mark what is left of canceled batches as canceled, message by message.

        In a transaction of its own, which sees rows as they are when it comes to them:
        the dispatcher may be writing outcomes at the same time. What is being handed
        over and comes back is swept the next time; the hold stays until then.
        """
        if not ids:
            return
        try:
            with self.env.registry.cursor() as cr:
                cr.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
                env = self.env(cr=cr, user=SUPERUSER_ID)
                rows = self.with_env(env)._read_waiting(ids)
                env["sms.devino.message"]._transition(
                    "canceled", rows, event="canceled"
                )
                env.ref("sms_devino.ir_cron_dispatch")._trigger()
        except psycopg2.Error as error:
            _logger.info("canceled batches %s not swept: %s", ids, type(error).__name__)

    @api.model
    def _read_waiting(self, ids):
        """Return the messages of these batches that wait: a list of ``{"id": int}``."""
        self.env.cr.execute(
            SQL(
                """SELECT id FROM sms_devino_message
                    WHERE batch_id = ANY(%s) AND state = ANY(%s)""",
                list(ids),
                list(GROUPS["waiting"]),
            )
        )
        return self.env.cr.dictfetchall()

    @api.model
    def _reopen(self, message_ids):
        """Count anew where the fate of a message became known late."""
        self.env.cr.execute(
            SQL(
                """SELECT DISTINCT b.id
                     FROM sms_devino_message m
                     JOIN sms_devino_batch b ON b.id = m.batch_id
                    WHERE m.id = ANY(%s) AND b.final_counts IS NOT NULL""",
                list(message_ids),
            )
        )
        batches = self.browse(row[0] for row in self.env.cr.fetchall())
        batches.sudo().write({"final_counts": False})

    # --- notices --------------------------------------------------------------------

    def _tell_started(self):
        """Note in the batch what was approved."""
        self.ensure_one()
        amount = self.account_id._format_amount(self.cost_estimated)
        self.message_post(
            body=self.env._(
                "%(count)s messages under the name %(sender)s were approved by "
                "%(author)s. Estimated cost: %(cost)s. Recipients left out: "
                "%(left_out)s.",
                count=self.total,
                sender=self.sender_name,
                author=self.author_id.name,
                cost=amount,
                left_out=self.left_out_count,
            )
        )

    def _tell_handed_over(self):
        """Say how many messages the provider took, with their ids."""
        batch = self._for_author()
        groups = self._group_counts(batch._count_messages().get(batch.id, {}))
        accepted = groups["sent"] + groups["delivered"]
        text = batch.env._(
            "The provider accepted %(accepted)s of %(total)s messages.",
            accepted=accepted,
            total=batch.total,
        )
        parts = [Markup("<p>%s</p>") % text]
        if ids := batch._first_gateway_ids():
            parts.append(
                Markup("<p>%s</p>") % batch.env._("SMS ID: %(ids)s", ids=", ".join(ids))
            )
        batch._tell(text, parts)

    def _tell_report(self):
        """Say how it went, once it is known of every message."""
        batch = self._for_author()
        groups = self._group_counts(batch.final_counts or {})
        text = batch.env._(
            "All reports are in: %(delivered)s of %(total)s messages were delivered, "
            "%(failed)s failed, of %(unknown)s the outcome is not known, %(canceled)s "
            "were canceled. Price: %(cost)s.",
            delivered=groups["delivered"],
            total=batch.total,
            failed=groups["failed"],
            unknown=groups["unknown"],
            canceled=groups["canceled"],
            cost=batch.account_id._format_amount((batch.final_counts or {})["cost"]),
        )
        batch._tell(text, [Markup("<p>%s</p>") % text])

    def _tell(self, text, parts):
        """Post into the batch, failures added, and show a notice to the author."""
        failures = self._get_failures()
        if failures:
            parts.append(self._format_failures(failures))
        self.message_post(body=Markup().join(parts))
        self.author_id._bus_send(
            "simple_notification",
            {
                "type": "warning" if failures else "success",
                "title": self.name,
                "message": text,
                "sticky": bool(failures),
            },
        )

    def _for_author(self):
        """Return the batch in its author's language, also for the tracked state."""
        self.ensure_one()
        return self.with_context(lang=self.author_id.lang or self.env.lang)

    def _first_gateway_ids(self):
        """Return the ids of the first segments, with dots when there are more."""
        self.env.cr.execute(
            SQL(
                """SELECT s.gateway_id
                     FROM sms_devino_message m
                     JOIN sms_devino_segment s ON s.message_id = m.id
                    WHERE m.batch_id = %s
                 ORDER BY s.id LIMIT %s""",
                self.id,
                SHOWN_IDS + 1,
            )
        )
        ids = [row[0] for row in self.env.cr.fetchall()]
        return [*ids[:SHOWN_IDS], "…"] if len(ids) > SHOWN_IDS else ids
