from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import clean_context

from ..services import rule_gallery, rule_preview, rule_run, windows
from ..services.documents import takes_messages
from ..services.message_states import PURPOSES
from ..services.records import own_fields
from ..services.rule_check import CHECKED, check_rule
from ..services.words import notify

# What may change while a rule is switched on.
FREE = {"name", "activity_ids", "message_follower_ids", "message_ids"}
# Models that are not documents and may still have rules.
MORE_MODELS = ("mail.activity",)
MAX_HOURS = 14 * 24


class SmsDevinoRule(models.Model):
    """Sends an SMS about each record that meets a condition, when its time comes.

    A rule works with the rights of the person who switched it on. Whatever makes the
    messages cannot be changed while it is on.
    """

    _name = "sms.devino.rule"
    _description = "SMS Rule"
    _inherit = ["mail.thread", "mail.activity.mixin", "sms.devino.guarded"]
    _names_copies = True
    _order = "is_on desc, name, id"
    _check_company_auto = True

    name = fields.Char(required=True)
    ready_rule = fields.Selection(
        selection=lambda self: rule_gallery.list_rules(self.env),
        string="Start from a ready rule",
        store=False,
    )
    is_on = fields.Boolean(
        string="Switched on", readonly=True, copy=False, tracking=True
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    responsible_id = fields.Many2one(
        "res.users",
        readonly=True,
        copy=False,
        help="Who switched the rule on. It reaches only what this person may read.",
    )

    # --- about what -----------------------------------------------------------------
    model = fields.Selection(
        selection=lambda self: self._list_models(),
        string="Records",
        required=True,
        help="What the SMS are about. Records with a phone number or a contact.",
    )
    domain = fields.Char(string="Filter", help="Only records that meet this.")
    kind = fields.Selection(
        [
            ("match", "When a record meets the filter"),
            ("date", "By a date of the record"),
            ("yearly", "Every year on a date of the record"),
        ],
        string="When",
        required=True,
        default="match",
        help="A record that meets the filter is noticed within five minutes. It gets "
        "one SMS of this rule and no second one, even if it meets the filter again "
        "later.",
    )
    date_field = fields.Char(string="Date")
    delay = fields.Integer(string="How long", default=0)
    delay_unit = fields.Selection(
        [
            ("minutes", "Minutes"),
            ("hours", "Hours"),
            ("days", "Days"),
            ("months", "Months"),
        ],
        string="Unit",
        required=True,
        default="days",
    )
    delay_side = fields.Selection(
        [("before", "Before the date"), ("after", "After the date")],
        string="Before or after",
        required=True,
        default="before",
    )
    at_hour = fields.Boolean(
        string="At a fixed hour",
        default=True,
        help="Otherwise at the hour of the date itself, where it has one.",
    )
    hour = fields.Float(
        default=10.0,
        aggregator=None,
        help="In the time zone of the person who switched the rule on.",
    )
    weekdays = fields.Selection(
        [
            ("all", "Every day"),
            ("no_sunday", "Monday to Saturday"),
            ("workdays", "Monday to Friday"),
        ],
        string="On which days",
        required=True,
        default="all",
        help="A message for another day or hour waits for the next one allowed.",
    )
    hour_from = fields.Float(string="From", default=9.0, aggregator=None)
    hour_to = fields.Float(string="Until", default=21.0, aggregator=None)
    use_hours = fields.Integer(
        string="Not sent when later than (hours)",
        required=True,
        default=24,
        aggregator=None,
        help="A message that has to wait longer than this after its time, for the "
        "sending hours, in the queue, or because the server was off, is not sent at "
        "all. 0 in a mass sending: it waits.",
    )

    # --- to whom --------------------------------------------------------------------
    recipient_field = fields.Char(
        string="Recipient",
        help="The field with the contact, user or number. Empty: the record's own "
        "number, else its contact, the one for invoices or deliveries, the company.",
    )
    is_grouped = fields.Boolean(
        string="One SMS for each contact",
        help="Records of one contact that are due together make one SMS. The text may "
        "say {{ count }}, {{ total }} and {{ date }}, the earliest one. A record with "
        "several contacts counts for the first one that has a number.",
    )
    total_field = fields.Char(string="Total of", help="What {{ total }} sums up.")

    # --- what -----------------------------------------------------------------------
    account_id = fields.Many2one(
        "sms.devino.account",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        domain="[('company_id', 'parent_of', company_id)]",
        default=lambda self: self.env["sms.devino.account"]._get_default().id,
    )
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
    purpose = fields.Selection(
        PURPOSES,
        required=True,
        default="service",
        help="Advertising never goes to a number on the blacklist.",
    )
    template_id = fields.Many2one(
        "sms.template",
        domain="[('model', '=', model)]",
        ondelete="restrict",
        help="Odoo's template makes the text. Empty: the text below.",
    )
    body = fields.Text(string="Text", translate=True)
    names = fields.Json(string="Values for the text", compute="_compute_names")
    preview = fields.Text(compute="_compute_preview")
    preview_about = fields.Char(string="Preview of", compute="_compute_preview")
    preview_problem = fields.Char(compute="_compute_preview")
    reach = fields.Char(string="Whom it reaches", compute="_compute_preview")
    match_count = fields.Integer(
        string="Records that meet the filter", compute="_compute_preview"
    )

    # --- what became of it ----------------------------------------------------------
    cap = fields.Integer(
        string="Ask above",
        required=True,
        default=200,
        aggregator=None,
        help="When more SMS than this are due at once, the responsible person is asked "
        "first.",
    )
    is_cap_lifted = fields.Boolean(readonly=True, copy=False)
    held_count = fields.Integer(
        string="Waiting for a decision", readonly=True, copy=False, aggregator=None
    )
    since = fields.Datetime(readonly=True, copy=False)
    last_run = fields.Datetime(string="Last look", readonly=True, copy=False)
    error_text = fields.Char(string="Problem", readonly=True, copy=False)
    seen_count = fields.Integer(
        string="Not sent to", compute="_compute_seen_count", compute_sudo=True
    )
    sent_count = fields.Integer(
        string="SMS", compute="_compute_counts", compute_sudo=True
    )
    missing_count = fields.Integer(
        string="Without an SMS", compute="_compute_counts", compute_sudo=True
    )

    _delay_not_negative = models.Constraint(
        "CHECK (delay >= 0 AND delay < 10000)",
        "How long before or after: enter 0 or more, at most 9999.",
    )
    _hours_valid = models.Constraint(
        """CHECK (hour >= 0 AND hour < 24 AND hour_from >= 0 AND hour_to <= 24
                  AND round(hour_from * 60) < round(hour_to * 60))""",
        "Time of day: the beginning must come before the end, both between 0:00 and "
        "24:00.",
    )
    _use_hours_valid = models.Constraint(
        f"CHECK (use_hours > 0 AND use_hours <= {MAX_HOURS})",
        "Not sent when later than: between one hour and two weeks (336 hours).",
    )
    _cap_positive = models.Constraint("CHECK (cap > 0)", "Ask above: enter at least 1.")

    # --- choices and computes -------------------------------------------------------

    @api.model
    def _list_models(self):
        """Return the models that the user may read and that lead to a number."""
        names = [name for name in self.env.registry if self._is_offered(name)]
        found = self.env["ir.model"].sudo().search([("model", "in", names)])
        return sorted(
            ((one.model, one.name) for one in found), key=lambda pair: pair[1]
        )

    @api.model
    def _is_offered(self, name):
        """Tell whether a rule may be about records of a model: documents that lead to
        a number and that the user may read."""
        model = self.env.get(name)
        if model is None or model._abstract or model._transient or not model._auto:
            return False
        is_document = isinstance(model, self.env.registry["mail.thread"])
        if name not in MORE_MODELS and not (is_document and takes_messages(model)):
            return False
        return model.has_access("read")

    @api.depends("account_id")
    def _compute_sender_id(self):
        for rule in self:
            if rule.sender_id.account_id != rule.account_id:
                account = rule.account_id
                rule.sender_id = account and account._get_default_sender()

    @api.depends("model", "is_grouped")
    def _compute_names(self):
        for rule in self:
            rule.names = rule_preview.list_names(rule)

    @api.depends(*CHECKED)
    def _compute_preview(self):
        for rule in self:
            rule.update(rule_preview.describe(rule))

    def _compute_counts(self):
        marks = self.env["sms.devino.mark"]._read_group(
            [("rule_id", "in", self.ids)],
            ["rule_id"],
            ["message_key:count_distinct", "reason:count"],
        )
        counts = {rule.id: (sent, missing) for rule, sent, missing in marks}
        for rule in self:
            rule.sent_count, rule.missing_count = counts.get(rule._origin.id, (0, 0))

    def _compute_seen_count(self):
        for rule in self:
            rule.seen_count = rule.is_on and rule_run.count_seen(rule)

    @api.onchange("ready_rule")
    def _onchange_ready_rule(self):
        if self.ready_rule:
            key, self.ready_rule = self.ready_rule, False
            self.update(rule_gallery.get_values(self.env, key))

    @api.onchange("model")
    def _onchange_model(self):
        """Forget what belongs to another model."""
        if self.model not in self.env:
            return
        for name in ("date_field", "recipient_field", "total_field"):
            if self[name] and self[name] not in self.env[self.model]._fields:
                self[name] = False
        if self.template_id.model != self.model:
            self.template_id = False

    # --- CRUD -----------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            for vals in vals_list:
                self._check_writable(vals)
            # a default in the context would write what may not be written
            self = self.with_context(clean_context(self.env.context))
        return super().create(vals_list)

    def write(self, vals):
        """Refuse to change what a rule sends while it is on: it has the rights of who
        switched it on, who has seen what it says."""
        if not self.env.su:
            self._check_writable(vals)
            if vals.keys() - FREE:
                self._check_off()
        return super().write(vals)

    def _update_field_translations(self, field_name, translations, *args, **options):
        """Translations come by another way than ``write``."""
        if not self.env.su:
            self._check_off()
        return super()._update_field_translations(
            field_name, translations, *args, **options
        )

    def _check_off(self):
        if any(self.mapped("is_on")):
            raise UserError(
                self.env._("Switch the rule off to change it, then on again.")
            )

    @api.model
    def _check_writable(self, vals):
        if any(field.readonly for field in own_fields(self, vals)):
            raise UserError(
                self.env._("A rule is switched on and off by its buttons only.")
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_on(self):
        if any(self.mapped("is_on")):
            raise UserError(self.env._("Switch the rule off before you delete it."))

    @api.constrains(*CHECKED)
    def _check_input(self):
        """Refuse what cannot be read; what is only missing may come later."""
        for rule in self:
            check_rule(rule.sudo(False), is_complete=False)

    # --- actions --------------------------------------------------------------------

    def _check_may_change(self):
        self.ensure_one()
        if not self.env.user.has_group("sms_devino.group_manager"):
            raise AccessError(
                self.env._("Only members of the group SMS / Manager keep rules.")
            )
        self.check_access("write")

    def action_switch_on(self):
        """Have the rule send from now on, with the rights of the user.

        What meets it already gets nothing: see :meth:`action_send_seen`.
        """
        self._check_may_change()
        check_rule(self, is_complete=True)
        rule_run.switch_on(self)
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def action_switch_off(self):
        """Stop the rule; its messages that have not left are canceled."""
        self._check_may_change()
        rule_run.switch_off(self)
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def action_send_seen(self):
        """Also send to what met the rule before it was switched on."""
        self._check_may_decide()
        return self._tell_soon(rule_run.send_seen(self))

    def action_send_held(self):
        """Send what is more than the rule may send without asking."""
        self._check_may_decide()
        return self._tell_soon(rule_run.lift_cap(self))

    def action_skip_held(self):
        """Send nothing to what is due now."""
        self._check_may_decide()
        rule_run.skip_held(self)
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def action_retry_missing(self):
        """Look again at records that got no message."""
        self._check_may_decide()
        return self._tell_soon(rule_run.retry_missing(self))

    def _check_may_decide(self):
        self._check_may_change()
        if not self.is_on:
            raise UserError(self.env._("Switch the rule on first."))

    def _tell_soon(self, count):
        text = self.env._(
            "The rule looks at %(count)s records within a minute.", count=count
        )
        return notify(self.name, text, kind="success")

    def action_view_matching(self):
        """Show the records that meet the filter now."""
        self.ensure_one()
        self.check_access("read")
        return rule_preview.open_records(self)

    def action_view_missing(self):
        """Show the records that got no message though they should."""
        self.ensure_one()
        self.check_access("read")
        return rule_preview.open_missing(self)

    def action_view_messages(self):
        """Show the messages of the rule."""
        self.ensure_one()
        self.check_access("read")
        return windows.open_action(
            self.env,
            "sms_devino_message_action",
            name=self.name,
            domain=[("dedup_key", "=like", f"{rule_run.key_of(self)}/%")],
            context={},
        )

    # --- the job --------------------------------------------------------------------

    @api.model
    def _cron_run(self):
        """Run the rules that are on. Commits as it goes."""
        rule_run.run_all(self)

    def _as_responsible(self):
        """Return the rule in the environment of the person who switched it on."""
        self.ensure_one()
        user = self.responsible_id
        said = self.with_context(lang=user.lang or self.env.lang).env
        if not user.active and not user._is_superuser():
            raise ValidationError(
                said._(
                    "The person who switched the rule on is archived. Another one "
                    "switches it off and on."
                )
            )
        rule = self.with_user(user).with_context(
            lang=user.lang, tz=user.tz, allowed_company_ids=self.company_id.ids
        )
        if not user.has_group("sms_devino.group_manager"):
            raise AccessError(
                said._(
                    "The person who switched the rule on is no longer a member of "
                    "SMS / Manager. Another one switches it off and on."
                )
            )
        rule.check_access("read")
        return rule
