from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, clean_context

from ..services import approval, batch_course, batch_report
from ..services.audience import check_sources
from ..services.batch_course import DISPATCH
from ..services.batch_report import GROUPS, TROUBLE
from ..services.calculation import Calculation
from ..services.commit import commit_retrying, wake_once
from ..services.draft_text import convert_template
from ..services.records import check_shape
from ..services.words import check_scheduled_at, format_moment, notify
from ..tools.shapes import SOURCE_COLUMNS

CALCULATE = "sms_devino.ir_cron_calculate"
SENT_STATES = ("scheduled", "running", "paused", "done", "canceled")
# What the rows of a draft are made of: with a change its figures are out of date.
ROW_INPUTS = {
    "account_id",
    "sender_id",
    "body",
    "purpose",
    "empty_policy",
    "model",
    "domain",
    "list_ids",
    "partner_ids",
    "source_file",
    "source_name",
    "source_columns",
}
# Without a limit of the account's own: what some eight connections carry, roughly.
CALLS_PER_SECOND = 50
DRAFT_DAYS = 30


class SmsDevinoBatch(models.Model):
    """A mass sending: a draft first, then one text on its way to many.

    Its rows are rows of the journal: ``draft`` until they enter the queue, and
    ``left_out`` for recipients who get nothing. *Send* approves them all; they enter
    the queue in pages, as it empties.
    """

    _name = "sms.devino.batch"
    _description = "SMS Mass Sending"
    _inherit = [
        "mail.thread",
        "sms.devino.audience",
        "sms.devino.guarded",
        "sms.devino.quote",
    ]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(
        required=True,
        default=lambda self: self._default_name(),
        help="How you will find this sending again.",
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("to_approve", "To approve"),
            ("scheduled", "Scheduled"),
            ("running", "Sending"),
            ("paused", "Paused"),
            ("done", "Done"),
            ("canceled", "Canceled"),
        ],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    account_id = fields.Many2one(
        "sms.devino.account",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        domain="[('company_id', 'parent_of', company_id)]",
        default=lambda self: self.env["sms.devino.account"]._get_default().id,
    )
    currency_id = fields.Many2one(related="account_id.currency_id")
    mode = fields.Selection(
        [("test", "Test"), ("live", "Live")],
        compute="_compute_mode",
        store=True,
        copy=False,
    )

    # --- what -----------------------------------------------------------------------
    sender_id = fields.Many2one(
        "sms.devino.sender",
        compute="_compute_sender_id",
        store=True,
        readonly=False,
        precompute=True,
        ondelete="restrict",
        check_company=True,
        domain="[('account_id', '=', account_id), ('state', '!=', 'refused')]",
    )
    body = fields.Text(string="Text")
    template_id = fields.Many2one(
        "sms.template",
        string="Take the text from a template",
        store=False,
        domain="[('model', '=', 'res.partner')]",
    )
    purpose = fields.Selection(
        [
            ("service", "Service"),
            ("advertising", "Advertising"),
            ("debt", "Debt"),
        ]
    )
    empty_policy = fields.Selection(
        [("send", "Send without the value"), ("leave_out", "Leave the recipient out")],
        string="When a value is empty",
        required=True,
        default="send",
    )
    overridden_reasons = fields.Json(readonly=True, copy=False)

    repeat_of_id = fields.Many2one(
        "sms.devino.batch",
        string="Sends again",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="The mass sending whose failed messages this one sends again.",
    )

    # --- when -----------------------------------------------------------------------
    scheduled_at = fields.Datetime(
        string="Scheduled for",
        copy=False,
        help="Kept in Odoo until this time. Empty: sent at once.",
    )
    time_of = fields.Selection(
        [("mine", "My time")], string="Time of", required=True, default="mine"
    )
    validity = fields.Integer(
        string="Validity (minutes)",
        compute="_compute_validity",
        store=True,
        readonly=False,
        precompute=True,
        help="How long the provider tries to deliver. 0: the provider's default.",
    )
    departure = fields.Char(compute="_compute_departure")
    finished_at = fields.Datetime(
        readonly=True, copy=False, help="Nothing was left to hand over."
    )
    reported_at = fields.Datetime(
        string="Final at",
        readonly=True,
        copy=False,
        help="The fate of every message was known.",
    )

    # --- who ------------------------------------------------------------------------
    prepared_by_id = fields.Many2one(
        "res.users",
        readonly=True,
        copy=False,
        default=lambda self: self.env.user,
    )
    sent_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    sent_at = fields.Datetime(string="Approved at", readonly=True, copy=False)
    approved_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    approved_at = fields.Datetime(string="Released at", readonly=True, copy=False)
    returned_reason = fields.Char(readonly=True, copy=False)

    # --- the calculation ------------------------------------------------------------
    calculation = fields.Selection(
        [
            ("none", "None"),
            ("queued", "Queued"),
            ("running", "Running"),
            ("failed", "Failed"),
        ],
        required=True,
        readonly=True,
        copy=False,
        default="none",
    )
    revision = fields.Integer(readonly=True, copy=False, default=1)
    calculated_revision = fields.Integer(readonly=True, copy=False)
    calculated_at = fields.Datetime(string="Calculated at", readonly=True, copy=False)
    calculated_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    error_text = fields.Text(string="Error", readonly=True, copy=False)
    is_calculated = fields.Boolean(
        string="Figures are up to date", compute="_compute_is_calculated"
    )

    # --- figures --------------------------------------------------------------------
    total = fields.Integer(string="Messages in all", readonly=True, copy=False)
    left_out_count = fields.Integer(
        string="Recipients left out", readonly=True, copy=False
    )
    empty_count = fields.Integer(
        string="Recipients with empty values", readonly=True, copy=False
    )
    segment_count = fields.Integer(string="Segments", readonly=True, copy=False)
    cost_estimated = fields.Float(
        string="Estimated cost", digits=(12, 4), readonly=True, copy=False
    )
    figures = fields.Json(readonly=True, copy=False)
    sheet = fields.Html(compute="_compute_sheet", sanitize=False)
    samples = fields.Html(compute="_compute_sheet", sanitize=False)
    question = fields.Text(compute="_compute_question")
    waiting_count = fields.Integer(string="Waiting", readonly=True, copy=False)
    sending_count = fields.Integer(
        string="Being handed over", readonly=True, copy=False
    )
    sent_count = fields.Integer(string="Sent, no report yet", readonly=True, copy=False)
    delivered_count = fields.Integer(string="Delivered", readonly=True, copy=False)
    failed_count = fields.Integer(
        string="Failed or not delivered", readonly=True, copy=False
    )
    unknown_count = fields.Integer(
        string="Outcome not known", readonly=True, copy=False
    )
    canceled_count = fields.Integer(
        string="Canceled messages", readonly=True, copy=False
    )
    progress = fields.Float(string="Handed over (%)", compute="_compute_progress")
    cost = fields.Float(
        string="Price",
        digits=(12, 4),
        readonly=True,
        copy=False,
        help="What the provider has charged, as far as it has reported.",
    )
    failures = fields.Html(compute="_compute_failures", sanitize=False)

    _validity_not_negative = models.Constraint(
        "CHECK (validity >= 0)", "A validity cannot be negative."
    )
    _open_idx = models.Index("(state) WHERE reported_at IS NULL")

    # --- defaults and computes ------------------------------------------------------

    def _default_name(self):
        now = format_moment(self.env, fields.Datetime.now())
        return self.env._("Mass sending, %s", now)

    @api.depends("account_id.mode")
    def _compute_mode(self):
        """Follow the account until the sending is approved."""
        for batch in self:
            is_sent = batch.state in SENT_STATES
            batch.mode = batch.mode if is_sent else batch.account_id.mode

    @api.depends("account_id")
    def _compute_sender_id(self):
        for batch in self:
            if batch.sender_id.account_id != batch.account_id:
                account = batch.account_id
                batch.sender_id = account and account._get_default_sender()

    @api.depends("account_id")
    def _compute_validity(self):
        for batch in self:
            batch.validity = batch.account_id.default_validity

    @api.depends("revision", "calculated_revision", "calculation")
    def _compute_is_calculated(self):
        for batch in self:
            batch.is_calculated = (
                batch.calculation == "none"
                and batch.calculated_revision == batch.revision
            )

    @api.depends("account_id", "cost_estimated")
    def _compute_quote(self):
        return super()._compute_quote()

    def _get_quote_basis(self):
        return self.account_id, self.cost_estimated

    @api.depends("figures", "scheduled_at", "account_id.requests_per_second")
    def _compute_departure(self):
        """Say when the first and the last message will leave, about."""
        now = fields.Datetime.now()
        for batch in self:
            calls = (batch.figures or {}).get("calls", 0)
            rate = batch.account_id.requests_per_second or CALLS_PER_SECOND
            start = max(now, batch.scheduled_at or now)
            first = format_moment(self.env, start)
            last = format_moment(self.env, start + timedelta(seconds=calls / rate))
            batch.departure = first
            if first != last:
                batch.departure = self.env._(
                    "first %(first)s, last about %(last)s", first=first, last=last
                )

    @api.depends("figures", "account_id")
    def _compute_sheet(self):
        message = self.env["sms.devino.message"]
        reasons = dict(message._fields["reason"]._description_selection(self.env))
        for batch in self:
            figures = batch.figures or {}
            samples = message.search([("id", "in", figures.get("samples", []))])
            values = {
                "figures": figures,
                "amount": batch.account_id._format_amount,
                "batch": batch,
                "reasons": reasons,
                "samples": samples.sorted("id"),
            }
            render = self.env["ir.qweb"]._render
            batch.sheet = bool(figures) and render("sms_devino.batch_sheet", values)
            batch.samples = bool(samples) and render("sms_devino.batch_samples", values)

    @api.depends("total", "quote_cost", "quote_after", "scheduled_at")
    def _compute_question(self):
        for batch in self:
            lines = [
                self.env._("%s messages are to be sent.", batch.total),
                self.env._("Cost: %s.", batch.quote_cost),
            ]
            if batch.scheduled_at:
                lines.append(self.env._("Departure: %s.", batch.departure))
            if batch.quote_after:
                after = batch.quote_after
                lines.append(self.env._("After that your balance will be %s.", after))
            lines.append(self.env._("Start sending the messages?"))
            batch.question = "\n".join(lines)

    @api.depends("state", "total", "waiting_count", "sending_count")
    def _compute_progress(self):
        for batch in self:
            left = batch.waiting_count + batch.sending_count
            is_sent = batch.total and batch.state in SENT_STATES
            batch.progress = is_sent and 100.0 * (batch.total - left) / batch.total

    @api.depends("failed_count", "unknown_count")
    def _compute_failures(self):
        for batch in self:
            is_failed = batch.failed_count or batch.unknown_count
            batch.failures = bool(is_failed) and batch_report.describe_failures(batch)

    @api.onchange("template_id")
    def _onchange_template_id(self):
        if self.template_id:
            template, self.template_id = self.template_id, False
            self.body = convert_template(self.env, template)

    @api.constrains("source_columns")
    def _check_source_columns(self):
        for batch in self:
            check_shape(
                batch, "source_columns", SOURCE_COLUMNS, ("columns", "header_row")
            )

    # --- CRUD: what a person may write ----------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            for vals in vals_list:
                self.browse()._check_writable(vals)
            # a default in the context would write what may not be written
            self = self.with_context(clean_context(self.env.context))
        return super().create(vals_list)

    def write(self, vals):
        """Mark the figures as out of date when what they are made of changes."""
        if not self.env.su:
            self._check_writable(vals)
        moved = "scheduled_at" in vals and self.filtered(
            lambda batch: batch.state == "scheduled"
        )
        result = super().write(vals)
        if ROW_INPUTS & vals.keys():
            for batch in self:
                super(SmsDevinoBatch, batch).write({"revision": batch.revision + 1})
        for batch in moved or ():
            check_scheduled_at(self.env, batch.scheduled_at)
            wake_once(self.env, DISPATCH, batch.scheduled_at)
        return result

    def _check_writable(self, vals):
        """Refuse what only the program writes, and after *Send* the input too.

        Fields of other modules are free.
        """
        own = {
            name
            for name in vals
            if name in self._fields and "sms_devino" in self._fields[name]._modules
        }
        if any(self._fields[name].readonly for name in own):
            raise UserError(
                self.env._("States and figures of a mass sending cannot be written.")
            )
        for batch in self:
            allowed = {"name"}
            if batch.state == "scheduled":
                allowed.add("scheduled_at")
            if batch.state != "draft" and own - allowed:
                raise UserError(
                    self.env._(
                        "Only the name of a mass sending can be changed after it was "
                        "sent, and the time while it is scheduled."
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sent(self):
        for batch in self:
            if batch.state not in ("draft", "to_approve"):
                raise UserError(
                    self.env._(
                        "“%s” was sent and stays: its messages are in the journal. "
                        "Only a draft can be deleted.",
                        batch.name,
                    )
                )
            if batch.calculation == "running":
                raise UserError(
                    self.env._("“%s” is being calculated. Wait a little.", batch.name)
                )
        # the journal keeps no rows of a draft that is gone
        self._remove_draft_rows()

    def copy_data(self, default=None):
        """Name the copy as one."""
        vals_list = super().copy_data(default=default)
        if "name" in (default or {}):
            return vals_list
        return [
            {**vals, "name": self.env._("%s (copy)", batch.name)}
            for batch, vals in zip(self, vals_list, strict=True)
        ]

    def _remove_draft_rows(self):
        """Delete the rows of drafts: they are no messages yet."""
        self.env["sms.devino.message"].flush_model()
        self.env.cr.execute(
            SQL(
                """DELETE FROM sms_devino_message
                    WHERE batch_id = ANY(%s) AND state IN ('draft', 'left_out')""",
                list(self.ids),
            )
        )
        self.env["sms.devino.message"].invalidate_model()

    @api.autovacuum
    def _gc_draft_rows(self):
        """Remove the rows of drafts that nobody has touched for a while."""
        limit = fields.Datetime.now() - timedelta(days=DRAFT_DAYS)
        stale = self.search(
            [
                ("state", "=", "draft"),
                ("write_date", "<", limit),
                ("calculated_revision", ">", 0),
            ]
        )
        stale._remove_draft_rows()
        stale.write({"calculated_revision": 0})

    # --- calculating ----------------------------------------------------------------

    def _check_may_send(self):
        self._check_is_manager()
        self.check_access("write")

    @api.model
    def _check_is_manager(self):
        if not self.env.user.has_group("sms_devino.group_manager"):
            raise AccessError(
                self.env._("Only members of the group SMS / Manager send to many.")
            )

    def action_calculate(self):
        """Have a job work out who gets which text, and what that costs."""
        self.ensure_one()
        self._check_may_send()
        if self.state != "draft":
            raise UserError(self.env._("This mass sending was sent already."))
        self.sudo().write(
            {
                "calculation": "queued",
                "calculated_by_id": self.env.uid,
                "error_text": False,
                # a calculation that is under way is of no use any more
                "revision": self.revision + 1,
            }
        )
        wake_once(self.env, CALCULATE)

    @api.model
    def _cron_calculate(self):
        """Calculate the drafts that wait for it. Commits as it goes."""
        commit_retrying(self.env, self._fail_interrupted)
        queued = [("calculation", "=", "queued"), ("state", "=", "draft")]
        while batch := self.search(queued, order="write_date, id", limit=1):
            Calculation(batch).run()
            if not self.env["ir.cron"]._commit_progress(1):
                break
        if self.search_count(queued, limit=1):
            wake_once(self.env, CALCULATE)

    @api.model
    def _fail_interrupted(self):
        """Only one job calculates: what it finds running was cut off."""
        for batch in self.search([("calculation", "=", "running")]):
            batch._remove_draft_rows()
            words = self.env._("Odoo stopped during the calculation. Calculate again.")
            batch.write({"calculation": "failed", "error_text": words})

    def _as_calculating_user(self):
        """Return the draft with the rights, language and time zone of who asked for
        its calculation."""
        user = self.calculated_by_id
        draft = self.with_user(user).with_context(
            lang=user.lang, tz=user.tz, allowed_company_ids=self.company_id.ids
        )
        draft._check_is_manager()
        # before the draft itself, which may be hidden because of them
        check_sources(draft)
        draft.check_access("write")
        return draft

    def _check_input(self):
        """Refuse a draft that cannot be sent.

        :raise UserError: saying what is wrong and what to do
        """
        account, sender = self.account_id, self.sender_id
        if account.company_id not in self.company_id.sudo().parent_ids:
            raise UserError(
                self.env._("Account: choose one of %s.", self.company_id.name)
            )
        self.env["sms.devino.message"]._pick_account(account)
        if not sender or sender.account_id != account:
            raise UserError(
                self.env._("Sender: choose the name that the recipients see.")
            )
        if sender.state == "refused":
            raise UserError(
                self.env._("Sender: the provider has refused “%s”.", sender.name)
            )
        self.env["sms.devino.sender"]._check_usable(account, sender.name)

    def _sum_rows(self):
        """Sum the rows up.

        :return: dict of ``total``, ``left_out_count``, ``empty_count``,
            ``segment_count``, ``cost_estimated`` and ``figures``, a dict of
            ``reasons``: reason -> how many were left out for it
        """
        messages = self.env["sms.devino.message"]
        of_batch = [("batch_id", "=", self.id)]
        total, reasons = 0, {}
        sums = {"segment_count": 0, "cost_estimated": 0.0}
        for state, reason, count, segments, cost in messages._read_group(
            [*of_batch, ("state", "in", ("draft", "left_out"))],
            ["state", "reason"],
            ["__count", "segment_count:sum", "cost_estimated:sum"],
        ):
            if state == "left_out":
                reasons[reason] = count
                continue
            total += count
            sums["segment_count"] += segments
            sums["cost_estimated"] += cost
        empty = [*of_batch, ("state", "=", "draft"), ("empty_values", "!=", False)]
        return {
            **sums,
            "total": total,
            "left_out_count": sum(reasons.values()),
            "empty_count": messages.search_count(empty),
            "figures": {"reasons": reasons},
        }

    # --- sending --------------------------------------------------------------------

    def action_ask(self):
        """Ask the last question: number, cost and balance after."""
        self.ensure_one()
        self._check_may_send()
        approval.check_ready(self)
        view = self.env.ref("sms_devino.sms_devino_batch_view_ask")
        return {
            "type": "ir.actions.act_window",
            "name": self.name,
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(view.id, "form")],
            "target": "new",
        }

    def action_send(self):
        """Approve the draft as it is shown; its messages leave now or when due.

        The messages enter the queue in pages, the first one at once. Pressed twice,
        it sends once: a second transaction conflicts, and Odoo repeats it.

        :raise UserError: when it cannot be sent as it was shown
        """
        self.ensure_one()
        self._check_may_send()
        if self.state not in SENT_STATES:
            approval.check_ready(self)
            approval.approve(self)
        if self.state == "scheduled":
            text = self.env._("%s messages are scheduled.", self.total)
        else:
            text = self.env._("%s messages are on their way.", self.total)
        return notify(
            self.name, text, kind="success", following=self.get_formview_action()
        )

    # --- what a person may do with a sending ----------------------------------------

    def action_pause(self):
        """Hold what has not been handed over; calls that are under way finish."""
        self._move_to("paused", ("scheduled", "running"))

    def action_resume(self):
        """Go on with a sending that was paused."""
        now = fields.Datetime.now()
        later = self.filtered(lambda b: b.scheduled_at and b.scheduled_at > now)
        later._move_to("scheduled", ("paused",))
        (self - later)._move_to("running", ("paused",))

    def action_cancel(self):
        """Cancel what has not been handed over; a job marks the messages."""
        self._move_to("canceled", ("scheduled", "running", "paused"))

    def _move_to(self, state, sources):
        self._check_may_send()
        if any(batch.state not in sources for batch in self):
            raise UserError(
                self.env._(
                    "The mass sending has moved on in the meantime. Reload the page to "
                    "see its state."
                )
            )
        self.sudo().write({"state": state})
        for batch in self:
            at = batch.scheduled_at if state == "scheduled" else None
            wake_once(self.env, DISPATCH, at)

    def action_send_failed(self):
        """Make a draft that sends again, text by text, what surely did not arrive."""
        self.ensure_one()
        self._check_may_send()
        draft = (
            self.sudo()
            .copy(
                {
                    "name": self.env._("%s: failed ones again", self.name),
                    "repeat_of_id": self.id,
                    "prepared_by_id": self.env.uid,
                    "list_ids": False,
                    "partner_ids": False,
                    "domain": False,
                    "source_file": False,
                }
            )
            .sudo(False)
        )
        draft.action_calculate()
        return draft.get_formview_action()

    def action_refresh_balance(self):
        """Ask the provider for the balance."""
        self.ensure_one()
        self._check_may_send()
        return self.account_id.action_refresh_balance()

    def action_export(self):
        """Save the messages with their statuses, ids and prices as .xlsx."""
        self.ensure_one()
        self._check_may_send()
        messages = self.env["sms.devino.message"].search(
            [("batch_id", "=", self.id)], order="id"
        )
        return self.env["sms.devino.export"]._download_messages(
            messages, "xlsx", self.name
        )

    # --- looking at the rows --------------------------------------------------------

    def action_view_recipients(self):
        """Show who gets a message, and which."""
        return self._view_rows(self.env._("Messages"), [("state", "!=", "left_out")])

    def action_view_left_out(self):
        """Show who gets nothing, by reason."""
        return self._view_rows(
            self.env._("Left out"), [("state", "=", "left_out")], group_by="reason"
        )

    def action_view_empty(self):
        """Show the recipients for whom a value in the text is empty."""
        return self._view_rows(
            self.env._("Recipients with empty values"),
            [("state", "!=", "left_out"), ("empty_values", "!=", False)],
        )

    def action_view_trouble(self):
        """Show the messages that failed or whose outcome is not known, by reason."""
        return self._view_rows(
            self.env._("Failures"), [("state", "in", TROUBLE)], group_by="reason"
        )

    def _view_rows(self, title, domain, group_by=None):
        self.ensure_one()
        self.check_access("read")
        view = self.env.ref("sms_devino.sms_devino_message_view_list_batch")
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": "sms.devino.message",
            "view_mode": "list,form",
            "views": [(view.id, "list"), (False, "form")],
            "domain": [("batch_id", "=", self.id), *domain],
            "context": {"group_by": group_by} if group_by else {},
        }

    # --- the course of a sending ----------------------------------------------------

    @api.readonly
    def get_progress(self):
        """Return the state of the calculation or of the sending, for whoever watches.

        :return: dict of ``state``, ``calculation``, ``is_live`` (whether that may
            still change), ``calculated`` (recipients so far), ``total``, ``cost`` and
            ``groups``: a list of dicts ``key``, ``label``, ``count``
        """
        self.ensure_one()
        self.check_access("read")
        batch = self.sudo()
        is_sent = batch.state in SENT_STATES
        is_calculating = batch.calculation in ("queued", "running")
        counters, calculated = batch, 0
        if is_sent and not batch.reported_at:
            [counts] = batch_course.count_states(batch).values()
            counters = batch_course.get_counters(counts)
        elif batch.calculation == "running":
            rows = self.env["sms.devino.message"].sudo()
            calculated = rows.search_count([("batch_id", "=", batch.id)])
        labels = batch_report.get_group_labels(self.env)
        return {
            "state": batch.state,
            "calculation": batch.calculation,
            "is_live": is_calculating or (is_sent and not batch.reported_at),
            "calculated": calculated,
            "total": batch.total,
            "cost": batch.account_id._format_amount(counters["cost"]),
            "groups": [
                {"key": key, "label": labels[key], "count": counters[f"{key}_count"]}
                for key in GROUPS
                if is_sent
            ],
        }

    @api.model
    def _feed(self):
        """Move the next page of running batches into the queue.

        :return: how many messages were moved
        """
        return batch_course.feed(self.browse())

    @api.model
    def _follow(self):
        """Let states and counters of batches follow those of their messages.
        Commits."""
        batch_course.follow(self.browse())

    @api.model
    def _recount(self, message_ids):
        """Count again where the fate of a message became known late."""
        batch_course.recount(self.sudo().browse(), message_ids)
