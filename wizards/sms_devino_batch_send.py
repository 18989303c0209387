from ast import literal_eval
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command, Domain

from ..models.batch_audience import (
    Audience,
    Candidate,
    contact_names,
    find_blacklisted,
)
from ..models.batch_forecast import forecast, make_lines
from ..models.sms_devino_batch import SURELY_FAILED
from ..tools import placeholders

# A balance older than this is asked anew before it is shown beside a cost.
FRESH_BALANCE = timedelta(minutes=5)
# Without a limit of the account's own: what some eight connections carry, roughly.
CALLS_PER_SECOND = 50
SHOWN_CHARS = 12
SHOWN_CYRILLIC = 3
# What a template of Odoo's may hold besides plain text.
OBJECT_PREFIX = "object."


class SmsDevinoBatchSend(models.TransientModel):
    """Prepares a mass sending: what is shown on its second page is what goes."""

    _name = "sms.devino.batch.send"
    _description = "Mass SMS: Preparation"
    _inherit = ["sms.devino.preparation"]

    step = fields.Selection(
        [("compose", "Compose"), ("preview", "Check")], required=True, default="compose"
    )
    name = fields.Char(help="How you will find this sending again.")
    list_ids = fields.Many2many(
        "sms.devino.recipient.list",
        string="Recipient lists",
        help="A number that stands in several of them gets one message.",
    )
    with_contacts = fields.Boolean(
        string="Contacts by a filter", help="Also send to contacts that fit a filter."
    )
    contact_domain = fields.Char(string="Filter", default="[]")
    partner_ids = fields.Many2many("res.partner", string="Chosen contacts")
    partner_count = fields.Integer(
        string="Number of chosen contacts", compute="_compute_partner_count"
    )
    repeat_batch_id = fields.Many2one(
        "sms.devino.batch",
        string="Sends again",
        readonly=True,
        help="The messages of this mass sending that surely failed are sent again.",
    )
    template_id = fields.Many2one(
        "sms.template",
        string="Take the text from a template",
        store=False,
        domain="[('model', '=', 'res.partner')]",
    )
    text = fields.Text()
    names = fields.Json(compute="_compute_names")
    batch_id = fields.Many2one("sms.devino.batch", readonly=True)
    # What will happen, as calculated.
    total = fields.Integer(string="Messages", readonly=True)
    reason_ids = fields.One2many(
        "sms.devino.batch.reason", "wizard_id", string="Left out", readonly=True
    )
    left_out_count = fields.Integer(string="Recipients left out", readonly=True)
    empty_count = fields.Integer(string="Recipients with empty values", readonly=True)
    figures = fields.Json(readonly=True)
    segment_count = fields.Integer(string="Segments", readonly=True)
    sheet = fields.Html(compute="_compute_sheet", sanitize=False)
    samples = fields.Html(string="Texts", compute="_compute_sheet", sanitize=False)
    departure = fields.Char(compute="_compute_departure")
    question = fields.Text(compute="_compute_question")

    # --- defaults and computes ------------------------------------------------------

    @api.depends("step")
    def _compute_display_name(self):
        for wizard in self:
            wizard.display_name = wizard.name or self.env._("Mass SMS")

    @api.depends("partner_ids")
    def _compute_partner_count(self):
        for wizard in self:
            wizard.partner_count = len(wizard.partner_ids)

    @api.depends("list_ids")
    def _compute_names(self):
        """List what the text may take from each recipient, extra columns first."""
        of_contacts = [
            {"name": entry["name"], "label": entry["label"]}
            for entry in contact_names(self.env)
        ]
        for wizard in self:
            columns = dict.fromkeys(
                column for one in wizard.list_ids for column in one.columns or []
            )
            wizard.names = [
                *({"name": column, "label": column} for column in columns),
                *of_contacts,
            ]

    @api.depends("figures", "when", "planned_at", "account_id.requests_per_second")
    def _compute_departure(self):
        """Say when the first and the last message will leave, about."""
        for wizard in self:
            calls = (wizard.figures or {}).get("calls", 0)
            rate = wizard.account_id.requests_per_second or CALLS_PER_SECOND
            start = fields.Datetime.now()
            if wizard.when == "later" and wizard.planned_at:
                start = max(start, wizard.planned_at)
            end = start + timedelta(seconds=calls / rate)
            first, last = (
                f"{fields.Datetime.context_timestamp(wizard, at):%d.%m.%Y %H:%M}"
                for at in (start, end)
            )
            wizard.departure = first
            if first != last:
                wizard.departure = self.env._(
                    "first %(first)s, last about %(last)s", first=first, last=last
                )

    @api.depends("figures", "account_id")
    def _compute_sheet(self):
        for wizard in self:
            values = {
                "figures": wizard.figures,
                "amount": wizard.account_id._format_amount,
                "wizard": wizard,
            }
            qweb = self.env["ir.qweb"]
            shown = bool(wizard.figures)
            wizard.sheet = shown and qweb._render("sms_devino.batch_send_sheet", values)
            wizard.samples = shown and qweb._render(
                "sms_devino.batch_send_samples", values
            )

    @api.depends("total", "cost", "balance_after", "when", "planned_at")
    def _compute_question(self):
        for wizard in self:
            lines = [
                self.env._("%s messages are to be sent.", wizard.total),
                self.env._("Cost: %s.", wizard.cost),
            ]
            if wizard.when == "later":
                lines.append(self.env._("Departure: %s.", wizard.departure))
            if wizard.balance_after:
                after = wizard.balance_after
                lines.append(self.env._("After that your balance will be %s.", after))
            lines.append(self.env._("Start sending the messages?"))
            wizard.question = "\n".join(lines)

    @api.onchange("template_id")
    def _onchange_template_id(self):
        if self.template_id:
            template, self.template_id = self.template_id, False
            self.text = self._read_template(template)

    @api.model
    def _read_template(self, template):
        """Return the body of a template with gaps of ours in place of Odoo's.

        :raise UserError: when it holds anything but plain fields of the contact
        """
        text = template.body or ""
        known = {entry["field"]: entry["name"] for entry in contact_names(self.env)}
        foreign = []

        def convert(part):
            if isinstance(part, str):
                return part
            field_name = part.name.removeprefix(OBJECT_PREFIX)
            if part.default or not part.name.startswith(OBJECT_PREFIX):
                foreign.append(part.name)
            elif field_name not in known:
                foreign.append(part.name)
            return f"{{{{ {known.get(field_name, field_name)} }}}}"

        converted = "".join(map(convert, placeholders.parse(text).parts))
        if foreign:
            raise UserError(
                self.env._(
                    "Template “%(template)s”: “%(expression)s” is a calculation, which "
                    "a mass SMS does not make. Only fields of the contact can be "
                    "taken, such as %(example)s.",
                    template=template.name,
                    expression=foreign[0],
                    example="{{ object.name }}",
                )
            )
        return converted

    # --- opening --------------------------------------------------------------------

    @api.model
    def _open_new(self, **values):
        """Return the action that shows a fresh preparation with these values."""
        return self.create(values)._open()

    @api.model
    def _open_repeat(self, batch):
        """Return the action that shows what sending the failed ones again would be."""
        batch.check_access("read")
        wizard = self.create(
            {
                "account_id": batch.account_id.id,
                "sender_id": batch._find_sender().id
                or batch.account_id._get_default_sender().id,
                "name": self.env._("%s: failed ones again", batch.name),
                "text": batch.text,
                "validity": batch.validity,
                "repeat_batch_id": batch.id,
            }
        )
        wizard.action_preview()
        return wizard._open()

    def _open(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Mass SMS"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "current",
        }

    # --- first page: what, to whom --------------------------------------------------

    def action_preview(self):
        """Work out what will happen, keep it, and show it.

        :raise UserError: when something about the sending is wrong; it says what
        """
        self.ensure_one()
        self._check_may_send()
        self._check_input()
        template = placeholders.parse((self.text or "").strip())
        candidates = self._read_candidates(template)
        account = self.account_id.sudo()
        lines = make_lines(candidates, template, account._get_price_finder())
        result = forecast(lines)
        if not candidates:
            raise UserError(
                self.env._("Recipients: choose at least one list or some contacts.")
            )
        self.reason_ids.sudo().unlink()
        self.env["sms.devino.batch.line"]._stage(self, lines)
        self.env["sms.devino.batch.reason"]._count_lines(self)
        self.write(self._summarise(result))
        self._refresh_stale_balance()

    def _read_candidates(self, template):
        if self.repeat_batch_id:
            return self._read_failed()
        self._check_names(template)
        audience = Audience(
            self.env,
            lists=self.list_ids,
            domain=self._get_domain(),
            partners=self.partner_ids,
            country=self.account_id.country_id.code,
        )
        return audience.read(template.keys)

    def _read_failed(self):
        """Return those whose message surely failed, with the text they were to get."""
        self.repeat_batch_id.check_access("read")
        messages = self.env["sms.devino.message"].search_fetch(
            [
                ("batch_id", "=", self.repeat_batch_id.id),
                ("state", "in", SURELY_FAILED),
            ],
            ["number", "partner_id", "body"],
            order="id",
        )
        repeated = messages.search_fetch(
            [("repeat_of_id", "in", messages.ids)], ["repeat_of_id"]
        ).repeat_of_id
        blocked = find_blacklisted(self.env, messages.mapped("number"))
        candidates = []
        for message in messages:
            reason = None
            if message in repeated:
                reason = "repeated"
            elif message.number in blocked:
                reason = "blacklisted"
            candidates.append(
                Candidate(
                    number=message.number,
                    name=message.partner_id.name or "",
                    partner_id=message.partner_id.id or None,
                    reason=reason,
                    body=message.body,
                    repeat_of_id=message.id,
                )
            )
        return candidates

    def _get_domain(self):
        if not self.with_contacts:
            return None
        try:
            return Domain(literal_eval(self.contact_domain or "[]"))
        except (ValueError, SyntaxError) as error:
            raise UserError(
                self.env._("Filter: it cannot be read. Choose the conditions anew.")
            ) from error

    def _check_names(self, template):
        """Refuse a text with gaps that nobody can fill."""
        known = [entry[key] for entry in self.names for key in ("label", "name")]
        for problem in template.problems(known):
            raise UserError(self._describe_problem(problem))

    def _describe_problem(self, problem):
        if problem.code == "unbalanced":
            return self.env._(
                "Text: a “{{” without its “}}”, or the other way round. A placeholder "
                "looks like this: {{ name }}."
            )
        if problem.code == "nameless":
            return self.env._(
                "Text: a placeholder without a name. Choose one from the menu."
            )
        if problem.suggestion:
            return self.env._(
                "Text: there is no value named “%(name)s”. Did you mean "
                "“%(suggestion)s”?",
                name=problem.name,
                suggestion=problem.suggestion,
            )
        return self.env._(
            "Text: there is no value named “%(name)s”. Choose one from the menu.",
            name=problem.name,
        )

    def _check_may_send(self):
        if not self.env.user.has_group("sms_devino.group_manager"):
            raise AccessError(
                self.env._("Only members of the group SMS / Manager send to many.")
            )

    def _check_input(self):
        if self.batch_id:
            raise UserError(self.env._("This mass SMS has been sent already."))
        if not self.sender_id:
            raise UserError(self.env._("Sender: choose the name that recipients see."))
        if not (self.text or "").strip():
            raise UserError(self.env._("Text: enter the text of the message."))
        self._check_planned_at()

    def _summarise(self, result):
        """Return the values of the fields that show a forecast."""
        return {
            "step": "preview",
            "total": result.total,
            "left_out_count": result.left_out.total(),
            "empty_count": result.empty,
            "segment_count": result.segments.total(),
            "cost_amount": result.cost,
            "figures": {
                "messages": dict(result.messages),
                "segments": dict(result.segments),
                "calls": result.calls,
                "chars": self._word_chars(result.unicode_chars),
                "unicode_segments": result.unicode_segments,
                "unicode_cost": result.unicode_cost,
                "saved_segments": result.saved_segments,
                "saved_cost": result.saved_cost,
                "samples": [self._show_line(line) for line in result.samples],
                "longest": result.longest and self._show_line(result.longest),
            },
        }

    @api.model
    def _word_chars(self, counter):
        """Return the characters outside GSM in words, those of most messages first.

        A Cyrillic text is one reason and not thirty; a lone Cyrillic letter among
        Latin ones is named, for it cannot be told by its looks.
        """
        chars = [char for char, _count in counter.most_common()]
        cyrillic = [char for char in chars if "\u0400" <= char <= "\u04ff"]
        if len(cyrillic) > SHOWN_CYRILLIC:
            chars = [char for char in chars if char not in cyrillic]
            words = [self.env._("Cyrillic letters")]
        else:
            words = []
        for char in chars[:SHOWN_CHARS]:
            shown = (
                char if char.isprintable() and char.strip() else f"U+{ord(char):04X}"
            )
            if char in cyrillic:
                shown = self.env._("%s (Cyrillic)", shown)
            words.append(shown)
        return words

    @api.model
    def _show_line(self, line):
        return {
            "number": line.candidate.number,
            "name": line.candidate.name,
            "body": line.body,
            "segments": line.segments,
            "encoding": line.encoding,
            "cost": line.cost,
        }

    # --- second page: what will happen ----------------------------------------------

    def action_back(self):
        """Go back to the first page; what was calculated is forgotten."""
        self.ensure_one()
        if not self.batch_id:
            self.write({"step": "compose", "figures": False, "total": 0})

    def action_refresh_balance(self):
        """Ask the provider for the balance."""
        self.ensure_one()
        error = self.account_id._refresh_balance()
        return error and self._notify_no_balance()

    def _refresh_stale_balance(self):
        """Ask the balance anew when it is old; when it cannot be had, go on."""
        account = self.account_id
        limit = fields.Datetime.now() - FRESH_BALANCE
        if not account.balance_at or account.balance_at < limit:
            account._refresh_balance()

    def action_view_lines(self):
        """Show who gets a message, and which."""
        return self._view_lines(self.env._("Recipients"), [("reason", "=", False)])

    def action_view_empty(self):
        """Show the recipients for whom a value in the text is empty."""
        return self._view_lines(
            self.env._("Recipients with empty values"),
            [("reason", "=", False), ("empty_values", "!=", False)],
        )

    def _view_lines(self, title, domain):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": "sms.devino.batch.line",
            "view_mode": "list",
            "domain": [("wizard_id", "=", self.id), *domain],
        }

    def action_view_partners(self):
        """Show the contacts that were chosen one by one."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Chosen contacts"),
            "res_model": "res.partner",
            "view_mode": "list,form",
            "domain": [("id", "in", self.partner_ids.ids)],
        }

    def action_ask(self):
        """Ask the last question: number, cost and balance after."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Mass SMS"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [
                (self.env.ref("sms_devino.sms_devino_batch_send_view_ask").id, "form")
            ],
            "target": "new",
        }

    def action_send(self):
        """Put what was shown into the journal, as one batch, and show that.

        A second press, and a request that comes twice, open the same batch.

        :raise UserError: when it cannot be sent any more as it was shown
        """
        self.ensure_one()
        self._check_may_send()
        self.lock_for_update()
        if not self.batch_id:
            self._check_approved()
            self.account_id.sudo()._lock_money()
            self.account_id.sudo()._check_enough(self.cost_amount)
            self.batch_id = self._create_batch()
            self._wake()
        return self._open_batch()

    def _check_approved(self):
        """Refuse what the page that was approved says no more."""
        if self.step != "preview" or not self.total:
            raise UserError(self.env._("Nobody would get a message. Calculate again."))
        self._check_planned_at()
        blocked = self.env["sms.devino.batch.line"]._count_blacklisted(self)
        if blocked:
            raise UserError(
                self.env._(
                    "%(count)s of the recipients have been put on the exclusion list "
                    "in the meantime. Go back and calculate again.",
                    count=blocked,
                )
            )

    def _create_batch(self):
        planned_at = self.planned_at if self.when == "later" else False
        batch = (
            self.env["sms.devino.batch"]
            .sudo()
            .create(
                {
                    "name": self.name or self._make_name(),
                    "account_id": self.account_id.id,
                    "company_id": self.account_id.company_id.id,
                    "author_id": self.env.uid,
                    "sender_name": self.sender_id.name,
                    "text": (self.text or "").strip(),
                    "validity": self.validity,
                    "planned_at": planned_at,
                    "state": "planned" if planned_at else "running",
                    "audience": self._describe_audience(),
                    "list_ids": [Command.set(self.list_ids.ids)],
                    "contact_domain": self.with_contacts and self.contact_domain,
                    "total": self.total,
                    "segment_count": self.segment_count,
                    "cost_estimated": self.cost_amount,
                    "left_out_count": self.left_out_count,
                    "repeat_of_id": self.repeat_batch_id.id,
                }
            )
        )
        count = self.env["sms.devino.batch.line"]._to_messages(self, batch)
        if count != self.total:
            raise UserError(
                self.env._("The recipients have changed. Go back and calculate again.")
            )
        batch._tell_started()
        return batch.sudo(False)

    def _make_name(self):
        now = fields.Datetime.context_timestamp(self, fields.Datetime.now())
        template = placeholders.parse(self.text)
        text = " ".join(template.render(dict.fromkeys(template.keys, "…")).split())
        short = text if len(text) <= 40 else f"{text[:39]}…"
        return f"{now:%d.%m.%Y %H:%M} {short}"

    def _describe_audience(self):
        """Return in words where the recipients came from."""
        parts = self.list_ids.mapped("name")
        if self.with_contacts:
            parts.append(self.env._("contacts by a filter"))
        if self.partner_ids:
            parts.append(self.env._("%s chosen contacts", len(self.partner_ids)))
        if self.repeat_batch_id:
            parts.append(self.env._("failed ones of “%s”", self.repeat_batch_id.name))
        return ", ".join(parts)

    def _wake(self):
        at = self.batch_id.planned_at or None
        self.env.ref("sms_devino.ir_cron_dispatch").sudo()._trigger(at=at)

    def _open_batch(self):
        batch = self.batch_id
        if batch.planned_at:
            text = self.env._("%s messages are planned.", batch.total)
        else:
            text = self.env._(
                "%s messages are on their way to the provider.", batch.total
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "title": batch.name,
                "message": text,
                "next": {
                    "type": "ir.actions.act_window",
                    "res_model": batch._name,
                    "res_id": batch.id,
                    "views": [(False, "form")],
                    "target": "current",
                },
            },
        }
