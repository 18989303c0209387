from functools import partial

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import clean_context

from ..services import (
    ad_line,
    approval,
    batch_course,
    batch_report,
    calculation,
    draft_input,
    permission,
    repeat,
    windows,
)
from ..services.audience import placeholder_names
from ..services.message_states import MODES, PURPOSES
from ..services.records import check_shape, storable
from ..services.words import format_moment
from ..tools.shapes import SOURCE_COLUMNS, TRANSLATIONS

# What the program writes, and a copy does not take over.
Figure = partial(fields.Integer, readonly=True, copy=False)
Stamp = partial(fields.Datetime, readonly=True, copy=False)
Person = partial(fields.Many2one, "res.users", readonly=True, copy=False)
SENT_STATES = ("scheduled", "running", "paused", "done", "canceled")
# What the words of the page depend on besides.
WORDS = (
    "list_ids.columns",
    "list_ids.title_roles",
    "state",
    "figures",
    "total",
    "empty_count",
    "is_calculated",
    "quote_cost",
    "scheduled_at",
    "time_of",
    "failed_count",
    "unknown_count",
)


class SmsDevinoBatch(models.Model):
    """A mass sending: a draft first, then one text on its way to many.

    Its rows are messages of the journal: ``draft`` until they enter the queue, and
    ``left_out`` for recipients who get nothing. *Send* approves them all; they enter
    the queue in pages, as it empties.
    """

    _name = "sms.devino.batch"
    _description = "SMS Mass Sending"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "sms.devino.guarded",
        "sms.devino.quote",
    ]
    _json_shapes = {"source_columns": SOURCE_COLUMNS, "translations": TRANSLATIONS}
    _names_copies = True
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
            ("scheduled", "Set for later"),
            ("running", "Sending"),
            ("paused", "Paused"),
            ("done", "Done"),
            ("canceled", "Called off"),
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
        MODES,
        compute="_compute_mode",
        store=True,
        copy=False,
    )

    # --- whom -----------------------------------------------------------------------
    list_ids = fields.Many2many(
        "sms.devino.recipient.list",
        string="Recipient lists",
        check_company=True,
        help="A number that is in several of them gets one message.",
    )
    partner_ids = fields.Many2many(
        "res.partner", string="Chosen contacts", check_company=True
    )
    partner_count = fields.Integer(
        string="Number of chosen contacts", compute="_compute_words"
    )
    model = fields.Selection(
        selection=lambda self: self.env["sms.devino.rule"]._list_models(),
        string="About records",
        help="Each of these records gets a message to its own number or contact, and "
        "the text may take its values. Empty: to contacts, lists and a file.",
    )
    domain = fields.Char(
        string="By a filter", help="Empty: no contacts or records by a filter."
    )
    source_file = fields.Binary(string="Spreadsheet", attachment=True)
    source_name = fields.Char(string="Name of the spreadsheet")
    source_columns = fields.Json(string="Columns of the spreadsheet")
    names = fields.Json(
        string="Values for the text",
        compute="_compute_words",
        help="What the text may take from each recipient.",
    )
    is_small = fields.Boolean(
        string="Calculated by itself",
        compute="_compute_words",
        help="A small sending is calculated without pressing Calculate.",
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
    added_line = fields.Char(
        string="Added to the text",
        compute="_compute_added_line",
        store=True,
        copy=False,
        help="The settings of the company have a line for every advertising text.",
    )
    template_id = fields.Many2one(
        "sms.template",
        string="Take the text from a template",
        store=False,
        domain="[('model', '=', model or 'res.partner')]",
    )
    purpose = fields.Selection(
        PURPOSES,
        required=True,
        default="advertising",
        tracking=True,
        help="Decides in which hours the messages may leave and how many one number "
        "may get. A refusal by SMS ends advertising. Debt: reminders of an overdue "
        "payment.",
    )
    allow_same_text = fields.Boolean(
        string="Also to numbers that got this text a short time ago",
        help="Otherwise they are left out. The account says how many hours count.",
    )
    allow_dead_numbers = fields.Boolean(
        string="Also to numbers that took no SMS lately",
        help="Otherwise they are left out. The account says how many days count.",
    )
    translations = fields.Json(
        string="Text in other languages",
        help="Language -> text, from the template. Contacts with that language get it.",
    )
    translations_text = fields.Text(
        string="In other languages", compute="_compute_words"
    )
    empty_policy = fields.Selection(
        [("send", "Send without the value"), ("leave_out", "Leave the recipient out")],
        string="When a value is empty",
    )
    empty_name = fields.Char(string="Empty value", compute="_compute_words")
    empty_default = fields.Char(string="Write instead", copy=False)
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
        [("mine", "My time"), ("recipient", "The recipient's time")],
        string="In",
        required=True,
        default="mine",
        help="The recipient's time: each message leaves when the recipient's clock "
        "shows the chosen time. If the recipient's place is unknown, your time counts.",
    )
    late_hours = fields.Integer(
        string="Not sent when later than (hours)",
        help="A message that has to wait longer than this after its time, for the "
        "sending hours, in the queue, or because the server was off, is not sent at "
        "all. 0 in a mass sending: it waits.",
    )
    spread_hours = fields.Integer(
        string="Spread over (hours)",
        help="The messages leave evenly over so many hours. 0: as soon as they may.",
    )
    spread_rate = fields.Integer(
        string="Messages an hour",
        help="So many messages leave in an hour, so that your phones can be answered. "
        "0: as soon as they may.",
    )
    departs_at = fields.Datetime(
        string="Time", compute="_compute_departs_at", store=True, copy=False
    )
    trial_size = fields.Integer(
        string="Messages of a trial portion", default=20, copy=False
    )
    trial_count = Figure(
        string="Trial portion",
        help="Only so many messages leave before somebody presses Continue.",
    )
    validity = fields.Integer(
        string="Validity (minutes)",
        compute="_compute_validity",
        store=True,
        readonly=False,
        precompute=True,
        help="How long the provider tries to deliver. 0: the provider's default.",
    )
    departure = fields.Char(compute="_compute_words")
    departures = fields.Html(compute="_compute_words", sanitize=False)
    finished_at = Stamp(help="Nothing was left to hand over.")
    reported_at = Stamp(string="Final at", help="All reports had come.")
    complete_at = fields.Datetime(
        string="All reports asked for at",
        compute="_compute_words",
        help="Shown when that takes longer than ten minutes.",
    )

    # --- who ------------------------------------------------------------------------
    prepared_by_id = Person(default=lambda self: self.env.user)
    sent_by_id = Person()
    sent_at = Stamp(string="Approved at")
    approved_by_id = Person()
    returned_reason = fields.Char(string="Returned because", copy=False)
    needs_approval = fields.Boolean(
        string="A second person approves it", compute="_compute_words"
    )
    may_approve = fields.Boolean(compute="_compute_words")

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
    calculation_mark = fields.Json(
        readonly=True, copy=False, help="How far a calculation is that has not ended."
    )
    revision = fields.Integer(readonly=True, copy=False, default=1)
    calculated_revision = fields.Integer(readonly=True, copy=False)
    calculated_at = Stamp(string="Calculated at")
    calculated_by_id = Person()
    error_text = fields.Text(string="Error", readonly=True, copy=False)
    is_calculated = fields.Boolean(
        string="Figures are up to date", compute="_compute_is_calculated"
    )

    # --- figures --------------------------------------------------------------------
    total = Figure(string="Messages in all")
    left_out_count = Figure(string="Recipients left out")
    empty_count = Figure(string="Recipients with empty values")
    segment_count = Figure(string="Segments")
    cost_estimated = fields.Float(
        string="Estimated cost", digits=(12, 4), readonly=True, copy=False
    )
    figures = fields.Json(readonly=True, copy=False)
    sheet = fields.Html(compute="_compute_words", sanitize=False)
    samples = fields.Html(compute="_compute_words", sanitize=False)
    question = fields.Text(compute="_compute_words")
    send_problem = fields.Char(string="Why it cannot be sent", compute="_compute_words")
    waiting_count = Figure(string="Waiting")
    sending_count = Figure(string="Being handed over")
    sent_count = Figure(string="Sent, no report yet")
    delivered_count = Figure(string="Delivered")
    failed_count = Figure(string="Failed or not delivered")
    unknown_count = Figure(string="Outcome not known")
    canceled_count = Figure(string="Canceled messages")
    progress = fields.Float(string="Handed over (%)", compute="_compute_progress")
    delivered_share = fields.Float(
        string="Delivered (%)", digits=(5, 1), compute="_compute_progress"
    )
    trouble_count = fields.Integer(
        string="Not delivered or unknown", compute="_compute_progress"
    )
    cost = fields.Float(
        string="Price",
        digits=(12, 4),
        readonly=True,
        copy=False,
        help="What the provider has charged, as far as it has reported.",
    )
    cost_difference = fields.Float(
        string="Above the estimate (%)",
        digits=(12, 1),
        readonly=True,
        copy=False,
        aggregator=None,
        help="How much more than estimated the delivered messages cost; less than 0 "
        "when they cost less.",
    )
    price_words = fields.Char(string="Price in words", compute="_compute_price_words")
    color = fields.Integer(compute="_compute_progress", aggregator=None)
    failures = fields.Html(compute="_compute_words", sanitize=False)

    _trial_positive = models.Constraint(
        "CHECK (trial_size > 0)", "A trial portion has at least one message."
    )
    _validity_not_negative = models.Constraint(
        "CHECK (validity >= 0)", "A validity cannot be negative."
    )
    _times_not_negative = models.Constraint(
        "CHECK (late_hours BETWEEN 0 AND 8760 AND spread_hours BETWEEN 0 AND 8760 "
        "AND spread_rate >= 0)",
        "Hours: from 0 to 8760, which is a year. Messages an hour cannot be negative.",
    )
    _open_idx = models.Index("(state) WHERE reported_at IS NULL")

    # --- defaults and computes ------------------------------------------------------

    def _default_name(self):
        now = format_moment(self.env, fields.Datetime.now())
        return self.env._("Mass sending, %s", now)

    @api.depends("state", "purpose", "repeat_of_id", "company_id.sms_devino_ad_line")
    def _compute_added_line(self):
        """Follow the company while it is a draft; then the text stays as it is."""
        for batch in self:
            line = batch.added_line
            if batch.state == "draft":
                line = not batch.repeat_of_id and ad_line.show(
                    batch.company_id, batch.purpose
                )
            batch.added_line = line

    @api.depends("account_id.mode")
    def _compute_mode(self):
        """Follow the account until the sending is approved."""
        for batch in self:
            batch.mode = batch.mode if batch._is_sent() else batch.account_id.mode

    @api.depends("scheduled_at", "sent_at")
    def _compute_departs_at(self):
        for batch in self:
            batch.departs_at = batch.scheduled_at or batch.sent_at

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

    @api.depends(*WORDS, *sorted(draft_input.ROW_INPUTS))
    def _compute_words(self):
        """Say in words what the page of a draft, or of a sending, shows."""
        for batch in self:
            batch.names = placeholder_names(batch)
            batch.partner_count = len(batch.partner_ids)
            batch.is_small = calculation.is_small(batch)
            is_draft = batch.state == "draft"
            batch.needs_approval = is_draft and permission.is_needed(batch)
            batch.may_approve = batch.state == "to_approve" and (
                permission.may_approve(batch, self.env.user)
            )
            batch.send_problem = is_draft and approval.find_problem(batch)
            batch.update(batch_report.describe(batch))

    @api.depends(
        "state",
        "total",
        "waiting_count",
        "sending_count",
        "delivered_count",
        "failed_count",
        "unknown_count",
    )
    def _compute_progress(self):
        for batch in self:
            batch.update(batch_report.measure_progress(batch))

    @api.depends("state", "cost", "sent_count", "account_id")
    def _compute_price_words(self):
        for batch in self:
            batch.price_words = batch_report.describe_price(batch)

    @api.onchange("model")
    def _onchange_model(self):
        """A filter names the fields of one model."""
        if self.model != self._origin.model:
            self.domain = False

    @api.onchange("template_id")
    def _onchange_template_id(self):
        if self.template_id:
            draft_input.take_template(self)

    @api.constrains("source_columns")
    def _check_source_columns(self):
        for batch in self:
            check_shape(batch, "source_columns", ("columns", "header_row"))

    # --- CRUD -----------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            for vals in vals_list:
                draft_input.check_writable(self.browse(), vals)
            # a default in the context would write what may not be written
            self = self.with_context(clean_context(self.env.context))
        return super().create([storable(vals) for vals in vals_list])

    def write(self, vals):
        """Mark the figures as out of date when what they are made of changes."""
        vals = storable(vals)
        if not self.env.su:
            draft_input.check_writable(self, vals)
        is_moved = "scheduled_at" in vals
        moved = self.filtered(lambda batch: is_moved and batch.state == "scheduled")
        result = super().write(vals)
        draft_input.mark_outdated(self, vals)
        batch_course.reschedule(moved)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sent(self):
        draft_input.check_deletable(self)
        # the journal keeps no rows of a draft that is gone
        calculation.remove_rows(self)

    @api.autovacuum
    def _gc_draft_rows(self):
        """Remove the rows of drafts that nobody has touched for a while."""
        calculation.remove_old_rows(self)

    def _is_spread(self):
        return bool(self.spread_hours or self.spread_rate)

    def _is_sent(self):
        return self.state in SENT_STATES

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
        calculation.queue(self)

    @api.model
    def _cron_calculate(self):
        """Calculate the drafts that wait for it. Commits as it goes."""
        calculation.run_queue(self)

    def action_use_default(self):
        """Have the text say something where the value is empty."""
        self.ensure_one()
        self._check_may_send()
        draft_input.use_default(self)

    def action_leave_empty_out(self):
        """Leave out the recipients without a value that the text asks for."""
        self.ensure_one()
        self._check_may_send()
        self.empty_policy = "leave_out"
        self.action_calculate()

    def action_send_empty(self):
        """Send without the value. The rows stay as they are."""
        self.ensure_one()
        self._check_may_send()
        batch_course.check_state(self, "draft")
        self.sudo().write({"empty_policy": "send", "revision": self.revision - 1})

    def action_view_contacts(self):
        """Show the contacts that were chosen one by one."""
        self.ensure_one()
        self.check_access("read")
        return self.partner_ids._get_records_action(name=self.env._("Chosen contacts"))

    def action_clear(self):
        """Remove a source of recipients, or the texts in other languages, named by the
        context."""
        self.check_access("write")
        draft_input.clear(self, self.env.context.get("sms_devino_source"))

    # --- sending --------------------------------------------------------------------

    def action_ask(self):
        """Ask the last question: number, sender, cost and balance after."""
        return self._ask("sms_devino.sms_devino_batch_view_ask")

    def action_schedule(self):
        """Ask the last question, and when to send."""
        return self._ask("sms_devino.sms_devino_batch_view_schedule")

    def _ask(self, view_xmlid):
        self.ensure_one()
        self._check_may_send()
        if self.state != "to_approve":
            approval.check_ready(self)
        views = [(self.env.ref(view_xmlid).id, "form")]
        return self._get_records_action(
            name=self.name, views=views, target="new", context={}
        )

    def action_send(self):
        """Approve the draft as it is shown; its messages leave now or when due.

        :raise UserError: when it cannot be sent as it was shown
        """
        self.ensure_one()
        self._check_may_send()
        is_trial = bool(self.env.context.get("sms_devino_trial"))
        approval.send(self, is_trial=is_trial)
        return batch_report.notify_sent(self)

    def action_approve(self):
        """Approve what somebody else has prepared: it is sent as it was shown.

        :raise UserError: when it cannot be sent any more as it was shown
        """
        self.ensure_one()
        self._check_may_send()
        approval.approve_waiting(self)
        return batch_report.notify_sent(self)

    def action_ask_return(self):
        """Ask for the reason to return a mass sending."""
        return self._ask("sms_devino.sms_devino_batch_view_return")

    def action_return(self):
        """Return a mass sending to its author, with the reason that was entered."""
        self.ensure_one()
        self._check_may_send()
        permission.return_to_author(self)

    def action_withdraw(self):
        """Take one's own mass sending back: a draft again, to change it."""
        self.ensure_one()
        self._check_may_send()
        permission.withdraw(self)

    def action_sample(self):
        """Open the form for one message with the first text, to the user's number."""
        self.ensure_one()
        self._check_may_send()
        return windows.open_sample(self)

    # --- what a person may do with a sending ----------------------------------------

    def action_continue(self):
        """Send the rest after the trial portion."""
        self._check_may_send()
        batch_course.send_rest(self)

    def action_pause(self):
        """Hold what has not been handed over; calls that are under way finish."""
        self._check_may_send()
        batch_course.move_to(self, "paused", ["scheduled", "running"])

    def action_resume(self):
        """Go on with a sending that was paused."""
        self._check_may_send()
        batch_course.resume(self)

    def action_cancel(self):
        """Cancel what has not been handed over; a job marks the messages."""
        self._check_may_send()
        batch_course.move_to(self, "canceled", ["scheduled", "running", "paused"])

    def action_send_failed(self):
        """Make a draft that sends again, text by text, what surely did not arrive."""
        self.ensure_one()
        self._check_may_send()
        draft = repeat.make_draft(self)
        draft.action_calculate()
        return draft.get_formview_action()

    def action_refresh_balance(self):
        """Ask the provider for the balance."""
        self.ensure_one()
        self._check_may_send()
        return self.account_id.action_refresh_balance()

    def action_export(self):
        """Ask which rows to save as .xlsx, with statuses, ids and prices."""
        self.ensure_one()
        self._check_may_send()
        return self.env["sms.devino.export"]._ask(self)

    # --- looking at the rows --------------------------------------------------------

    def action_view_rows(self):
        """Show the messages, or those of them that the context names."""
        self.ensure_one()
        self.check_access("read")
        shown = str(self.env.context.get("sms_devino_rows"))
        return windows.open_rows(self, shown)

    # --- the course of a sending ----------------------------------------------------

    @api.readonly
    def get_progress(self):
        """Return the state of the calculation or of the sending, for the open form.

        :return: dict of ``state``, ``calculation``, ``is_live`` (whether that may
            still change), ``calculated`` (recipients so far), ``total``, ``cost``,
            ``end`` (when it ends, in words) and ``groups``: a list of dicts ``key``,
            ``label``, ``count``
        """
        self.ensure_one()
        self.check_access("read")
        return batch_course.get_progress(self.sudo())
