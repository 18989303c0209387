import logging
import re
from collections import Counter

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...services import same_text
from ...services.commit import CONFLICTS
from ...services.odoo_link import private_sql
from ...services.records import read_ids, read_input
from ...services.words import (
    check_body,
    check_scheduled_at,
    describe_reading,
    private_error,
)
from ...tools import phone, sms_text
from ..sms_devino_options import given_options

_logger = logging.getLogger(__name__)

# So many texts are rendered for the cost shown before sending; of more recipients the
# rest is taken to be like these.
PREVIEW_RECORDS = 500
PREVIEW_NAMES = 5
# Why Odoo leaves somebody out -> what the journal calls it.
LEFT_OUT = {
    "sms_blacklist": "blacklisted",
    "sms_duplicate": "duplicate",
    "sms_number_missing": "empty",
    "sms_number_format": None,  # read from the number
}
split_numbers = re.compile(r"[,;\n]").split
# {{ object.name ||| customer }}, as the composer has it
find_placeholder = re.compile(r"\{\{\s*object\.(\w+)\s*(?:\|\|\|([^{}]*))?\}\}")


class SmsComposer(models.TransientModel):
    """Odoo's form for an SMS, with an account: sender, time, cost, blacklist.

    Without an account, and opened from outside this addon, it is Odoo's own.
    """

    _name = "sms.composer"
    _inherit = ["sms.composer", "sms.devino.quote"]

    sms_devino_direct = fields.Boolean(
        string="Opened from the SMS app",
        readonly=True,
        help="Such a form uses the company's account also where Odoo's own SMS do not, "
        "never changes a contact's number, and opens what it has sent.",
    )
    sms_devino_account_id = fields.Many2one(
        "sms.devino.account",
        string="SMS account",
        compute="_compute_sms_devino_account_id",
        compute_sudo=False,
        precompute=True,
        store=True,
        readonly=False,
        domain="[('company_id', 'in', allowed_company_ids)]",
        help="The account at the provider that pays.",
    )
    sms_devino_may_choose = fields.Boolean(
        compute="_compute_sms_devino_may_choose", compute_sudo=False
    )
    sms_devino_mode = fields.Selection(
        [("test", "Test"), ("live", "Live")],
        compute="_compute_sms_devino_may_choose",
        compute_sudo=False,
    )
    sms_devino_partner_id = fields.Many2one(
        "res.partner", string="Contact", help="Takes the number from a contact."
    )
    sms_devino_number = fields.Char(
        string="Number",
        compute="_compute_sms_devino_number",
        compute_sudo=False,
        precompute=True,
        store=True,
        readonly=False,
        help="For example 79214563763, +7 921 456-37-63 or 8 921 456-37-63. Separate "
        "several numbers by commas.",
    )
    sms_devino_number_hint = fields.Char(
        compute="_compute_sms_devino_number_hint", compute_sudo=False
    )
    sms_devino_number_state = fields.Selection(
        [("good", "Good"), ("bad", "Bad")],
        compute="_compute_sms_devino_number_hint",
        compute_sudo=False,
    )
    sms_devino_sender_id = fields.Many2one(
        "sms.devino.sender",
        string="Sender",
        compute="_compute_sms_devino_sender_id",
        compute_sudo=False,
        precompute=True,
        store=True,
        readonly=False,
        domain="[('account_id', '=', sms_devino_account_id), "
        "('state', '!=', 'refused')]",
        help="The name that the recipient sees.",
    )
    sms_devino_when = fields.Selection(
        [("now", "Send now"), ("later", "Send at")],
        string="When",
        compute="_compute_sms_devino_when",
        compute_sudo=False,
        precompute=True,
        store=True,
        readonly=False,
    )
    sms_devino_scheduled_at = fields.Datetime(
        string="Date and time",
        compute="_compute_sms_devino_when",
        compute_sudo=False,
        precompute=True,
        store=True,
        readonly=False,
        help="In your time zone. Odoo keeps the message until then.",
    )
    sms_devino_validity = fields.Integer(
        string="Validity (minutes)",
        compute="_compute_sms_devino_validity",
        compute_sudo=False,
        precompute=True,
        store=True,
        readonly=False,
        help="After so many minutes nobody tries to deliver any more. 0: the "
        "provider's default.",
    )
    sms_devino_is_excluded = fields.Boolean(
        string="On the blacklist",
        compute="_compute_sms_devino_is_excluded",
        compute_sudo=False,
    )
    sms_devino_override = fields.Boolean(string="Send all the same", copy=False)
    sms_devino_recipient_count = fields.Integer(
        string="Recipients", compute="_compute_sms_devino_preview", compute_sudo=False
    )
    sms_devino_total = fields.Integer(
        string="Recipients in all",
        compute="_compute_sms_devino_preview",
        compute_sudo=False,
    )
    sms_devino_segment_count = fields.Integer(
        string="SMS in all", compute="_compute_sms_devino_preview", compute_sudo=False
    )
    sms_devino_cost = fields.Float(
        string="Cost", compute="_compute_sms_devino_preview", compute_sudo=False
    )
    sms_devino_is_estimate = fields.Boolean(
        string="Estimated from a part",
        compute="_compute_sms_devino_preview",
        compute_sudo=False,
    )
    sms_devino_left_out = fields.Text(
        string="Left out", compute="_compute_sms_devino_preview", compute_sudo=False
    )
    sms_devino_problem = fields.Char(
        string="What is wrong with the text",
        compute="_compute_sms_devino_preview",
        compute_sudo=False,
    )
    sms_devino_same_text = fields.Char(
        string="Sent before", compute="_compute_sms_devino_preview", compute_sudo=False
    )
    sms_devino_is_many = fields.Boolean(
        string="Becomes a mass sending",
        compute="_compute_sms_devino_is_many",
        compute_sudo=False,
    )
    sms_devino_is_sent = fields.Boolean(readonly=True, copy=False)
    sms_devino_message_ids = fields.Many2many(
        "sms.devino.message", string="Sent messages", readonly=True, copy=False
    )

    # --- defaults and computes ------------------------------------------------------

    def _sms_devino_records(self):
        """Return the documents that the user may read, maybe none."""
        ids = read_ids(self.res_ids) if self.res_ids else [self.res_id]
        records = read_input(self.env, self.res_model, [key for key in ids if key])
        return self.env["res.partner"] if records is None else records

    def _sms_devino_account(self):
        """Return the account to those who may use it, with the rights to read it."""
        account = self.sms_devino_account_id.sudo()
        may_use = self.env.su or given_options(self.env).get("automatic")
        if may_use or (account and self.env.user._sms_devino_may_use(account)):
            return account
        return account.browse()

    def _sms_devino_company(self):
        """Return the company whose account pays: the document's, if it has one."""
        records = self._sms_devino_records()
        if len(records) == 1 and "company_id" in records._fields:
            return records.company_id.sudo() or self.env.company
        return self.env.company.sudo()

    @api.depends("res_model", "res_id", "res_ids", "sms_devino_direct")
    def _compute_sms_devino_account_id(self):
        accounts = self.env["sms.devino.account"]
        in_use = self.env["res.company"]._sms_devino_in_use()
        is_known = self.env.su or self.env.user._is_internal()
        for composer in self:
            account = accounts
            if composer.sms_devino_direct and is_known:
                account = accounts._get_default()
            elif in_use and is_known:
                account = composer._sms_devino_company().sms_devino_account_id
            composer.sms_devino_account_id = account

    @api.depends("sms_devino_account_id")
    def _compute_sms_devino_may_choose(self):
        accounts = self.env["sms.devino.account"]
        visible = accounts.has_access("read") and accounts.search([], limit=2)
        for composer in self:
            account = composer._sms_devino_account()
            composer.sms_devino_may_choose = len(visible or ()) > bool(account)
            composer.sms_devino_mode = account.mode

    @api.depends("sms_devino_partner_id")
    def _compute_sms_devino_number(self):
        for composer in self:
            phone_number = composer.sms_devino_partner_id.phone
            composer.sms_devino_number = phone_number or composer.sms_devino_number

    @api.depends(
        "numbers",
        "recipient_single_number_itf",
        "sms_devino_account_id",
        "sms_devino_number",
    )
    def _compute_sms_devino_number_hint(self):
        for composer in self:
            readings = composer._sms_devino_readings()
            bad = next((r for r in readings if not r.sendable), None)
            if not readings or (bad and bad.code == "empty"):
                hint, state = False, False
            elif composer.comment_single_recipient and readings[0].code == "ok":
                # the form shows the number as it is sent to already
                hint, state = False, "good"
            elif bad or len(readings) == 1:
                hint = describe_reading(self.env, bad or readings[0])
                state = "bad" if bad else "good"
            else:
                hint = self.env._("Will be sent to %s numbers.", len(readings))
                state = "good"
            composer.sms_devino_number_hint = hint
            composer.sms_devino_number_state = state

    @api.depends("sms_devino_account_id", "sms_devino_number_state")
    def _compute_recipient_single_valid(self):
        """Judge a number with the country of the account, where there is one."""
        result = super()._compute_recipient_single_valid()
        for composer in self:
            if composer.sms_devino_account_id and composer.comment_single_recipient:
                is_good = composer.sms_devino_number_state == "good"
                composer.recipient_single_valid = is_good
        return result

    @api.depends("sms_devino_account_id", "template_id")
    def _compute_sms_devino_sender_id(self):
        for composer in self:
            account = composer._sms_devino_account()
            wanted = composer.template_id.sudo().sms_devino_sender_id
            composer.sms_devino_sender_id = bool(account) and (
                account._get_sender_named(wanted.name).sudo(False)
            )

    @api.depends("template_id")
    def _compute_sms_devino_when(self):
        for composer in self:
            scheduled_at = composer.template_id._sms_devino_scheduled_at()
            composer.sms_devino_when = "later" if scheduled_at else "now"
            composer.sms_devino_scheduled_at = scheduled_at

    @api.depends("sms_devino_account_id")
    def _compute_sms_devino_validity(self):
        for composer in self:
            account = composer._sms_devino_account()
            composer.sms_devino_validity = account.default_validity

    @api.depends(
        "composition_mode",
        "numbers",
        "recipient_single_number_itf",
        "res_id",
        "res_ids",
        "sms_devino_account_id",
        "sms_devino_number",
    )
    def _compute_sms_devino_is_excluded(self):
        for composer in self:
            composer.sms_devino_is_excluded = bool(
                composer.sms_devino_account_id and composer._sms_devino_blacklisted()
            )

    @api.depends("composition_mode", "res_model", "res_ids", "sms_devino_account_id")
    def _compute_sms_devino_is_many(self):
        for composer in self:
            company = composer.sms_devino_account_id.sudo().company_id
            composer.sms_devino_is_many = (
                composer.composition_mode == "mass"
                and composer.res_model == "res.partner"
                and bool(company)
                and composer.res_ids_count > company.sms_devino_user_limit
            )

    # --- whom it is sent to, and what -----------------------------------------------

    def _sms_devino_readings(self):
        """Return how the number, or each of the numbers, that is entered is read.

        :return: a list of ``tools.phone.Reading``, each number once; empty where the
            documents tell whom it is sent to
        """
        self.ensure_one()
        if not self.sms_devino_account_id or self.composition_mode == "mass":
            return []
        if self.comment_single_recipient:
            written = self.recipient_single_number_itf or self.recipient_single_number
        elif self.res_ids and not self.numbers:
            return []
        else:
            written = self.sms_devino_number if self.sms_devino_direct else self.numbers
        country = self.sms_devino_account_id.sudo().country_id.code
        parts = [part for part in split_numbers(written or "") if part.strip()]
        readings = [phone.read(part.strip(), country) for part in parts or [""]]
        return list({found.e164 or found.raw: found for found in readings}.values())

    def _sms_devino_blacklisted(self):
        """Return those of the numbers entered that are on the blacklist, a set."""
        return self.env["phone.blacklist"]._sms_devino_blacklisted(
            reading.e164 for reading in self._sms_devino_readings()
        )

    def _sms_devino_honours_list(self):
        return self.use_exclusion_list and not self.sms_devino_override

    def _sms_devino_outcomes(self, records):
        """Return what each recipient would get.

        :param records: documents to look at, where there are several
        :return: list of tuples ``(number, text, reason, name)``; the reason is a value
            of the journal's field, or a label; with one there is no SMS
        """
        if self.composition_mode == "mass":
            return [
                self._sms_devino_mass_outcome(record, values)
                for record, values in zip(
                    records,
                    self._prepare_mass_sms_values(records).values(),
                    strict=True,
                )
            ]
        readings = self._sms_devino_readings()
        if not readings:
            return self._sms_devino_comment_outcomes(records)
        text = self.body or ""
        if self.comment_single_recipient and len(records) == 1:
            text = self._prepare_body_values(records)[records.id]
        return [
            (reading.e164, text, None, "") for reading in readings if reading.sendable
        ]

    def _sms_devino_mass_outcome(self, record, values):
        number, failure = values["number"], values["failure_type"]
        reason = LEFT_OUT.get(failure, failure)
        if not reason:
            reason = self._sms_devino_reason(number)
        return number, values["body"] or "", reason, record.display_name

    def _sms_devino_comment_outcomes(self, records):
        infos, bodies = (
            self._prepare_recipient_values(records),
            self._prepare_body_values(records),
        )
        numbers = {
            record.id: infos[record.id]["sanitized"] or infos[record.id]["number"]
            for record in records
        }
        blocked = self.env["phone.blacklist"]._sms_devino_blacklisted(numbers.values())
        blocked = blocked if self._sms_devino_honours_list() else set()
        return [
            (
                number := numbers[record.id],
                bodies[record.id],
                "blacklisted" if number in blocked else self._sms_devino_reason(number),
                record.display_name,
            )
            for record in records
        ]

    def _sms_devino_reason(self, number):
        """Return why a number takes no SMS, or ``None``."""
        country = self.sms_devino_account_id.sudo().country_id.code
        reading = phone.read(number or "", country)
        return None if reading.sendable else reading.code

    # --- what will happen -----------------------------------------------------------

    @api.depends(
        "body",
        "composition_mode",
        "number_field_name",
        "numbers",
        "recipient_single_number_itf",
        "res_id",
        "res_ids",
        "res_model",
        "sms_devino_account_id",
        "sms_devino_number",
        "sms_devino_override",
        "template_id",
        "use_exclusion_list",
    )
    def _compute_sms_devino_preview(self):
        for composer in self:
            values = dict.fromkeys(composer._sms_devino_preview_fields(), False)
            if composer._sms_devino_account():
                values |= composer._sms_devino_try_preview()
            composer.update(values)

    def _sms_devino_preview_fields(self):
        return [
            name
            for name, field in self._fields.items()
            if field.compute == "_compute_sms_devino_preview"
        ]

    def _sms_devino_try_preview(self):
        """Return the values of the preview, or what is wrong while one still types."""
        try:
            with private_sql(), self.env.cr.savepoint():
                return self._sms_devino_preview()
        except UserError as error:
            return {"sms_devino_problem": str(error)}
        except CONFLICTS:
            raise
        except psycopg2.Error as error:
            _logger.info("no preview of an SMS: %s", type(error).__name__)
            return {"sms_devino_problem": self._sms_devino_sorry()}

    def _sms_devino_sorry(self):
        return self.env._(
            "The text cannot be filled in for these recipients. Check its placeholders "
            "and special characters."
        )

    def _sms_devino_preview(self):
        records = self._sms_devino_records()
        looked_at = records[:PREVIEW_RECORDS]
        outcomes = self._sms_devino_outcomes(looked_at)
        scale = len(records) / len(looked_at) if looked_at else 1
        find_price = self.sms_devino_account_id.sudo()._get_price_finder()
        sent = [
            (number, sms_text.segments(sms_text.normalise(text)))
            for number, text, reason, _name in outcomes
            if not reason
        ]
        return {
            "sms_devino_recipient_count": round(len(sent) * scale),
            "sms_devino_total": round(len(outcomes) * scale),
            "sms_devino_segment_count": round(sum(n for _to, n in sent) * scale),
            "sms_devino_cost": sum(n * find_price(to) for to, n in sent) * scale,
            "sms_devino_is_estimate": scale > 1,
            "sms_devino_same_text": same_text.warn_single(
                self.sms_devino_account_id,
                (
                    (number, sms_text.normalise(text))
                    for number, text, reason, _name in outcomes
                    if not reason
                ),
            ),
            "sms_devino_left_out": self._sms_devino_word_left_out(outcomes),
        }

    def _sms_devino_word_left_out(self, outcomes):
        """Return a line for each reason: how many get nothing, some of them by name."""
        journal, sms = self.env["sms.devino.message"], self.env["sms.sms"]
        labels = dict(sms._fields["failure_type"]._description_selection(self.env))
        labels |= dict(journal._fields["reason"]._description_selection(self.env))
        lines = []
        counts = Counter(reason for _to, _text, reason, _name in outcomes if reason)
        for reason, count in counts.most_common():
            names = [name for *_rest, why, name in outcomes if why == reason]
            line = {
                "reason": labels.get(reason, reason),
                "people": "; ".join(names[:PREVIEW_NAMES]),
                "hidden": count - PREVIEW_NAMES,
            }
            if count > PREVIEW_NAMES:
                lines.append(
                    self.env._("%(reason)s: %(people)s and %(hidden)s more", **line)
                )
            else:
                lines.append(self.env._("%(reason)s: %(people)s", **line))
        return "\n".join(lines)

    @api.depends("sms_devino_account_id", "sms_devino_cost")
    def _compute_quote(self):
        return super()._compute_quote()

    def _get_quote_basis(self):
        return self.sms_devino_account_id, self.sms_devino_cost

    def action_sms_devino_refresh_balance(self):
        """Ask the provider for the balance; the form stays open as it is."""
        self.check_access("write")
        self.ensure_one()
        account = self.sms_devino_account_id.sudo()
        self.env.user._sms_devino_check_may_use(account)
        account._refresh_balance()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send SMS"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
            "context": dict(self.env.context),
        }

    # --- sending --------------------------------------------------------------------

    def action_send_sms(self):
        """Send what a person has written, once; rules and apps send without questions.

        :raise AccessError: when the person may not send, or not to so many
        :raise UserError: when something is wrong; the form keeps what was entered
        """
        self.check_access("write")
        if given_options(self.env).get("automatic"):
            return super().action_send_sms()
        if not self.sms_devino_account_id:
            self._sms_devino_check_account()
            return super().action_send_sms()
        self.ensure_one()
        if self.sms_devino_is_sent:
            return self._sms_devino_open_sent()
        self._sms_devino_check_rights()
        if self.sms_devino_is_many:
            return self._sms_devino_open_draft()
        # Whoever presses at the same time waits here for the account's row, and then
        # finds it sent: Odoo repeats a request that comes second.
        self._sms_devino_check()
        self.sms_devino_is_sent = True
        self = self.with_context(sms_devino_options=self._sms_devino_own_options())
        try:
            with private_sql(), self.env.cr.savepoint():
                super().action_send_sms()
        except CONFLICTS:
            raise
        except psycopg2.Error as error:
            _logger.info("an SMS was not sent: %s", type(error).__name__)
            raise UserError(self._sms_devino_sorry()) from None
        return self._sms_devino_open_sent() if self.sms_devino_direct else False

    def _sms_devino_check_account(self):
        """Refuse to send by Odoo's own way what was written in one of our forms."""
        if self.sms_devino_direct:
            self.env["sms.devino.message"]._pick_account()
            raise UserError(self.env._("SMS account: choose the one that pays."))

    def _sms_devino_check_rights(self):
        account = self.sms_devino_account_id.sudo()
        self.env.user._sms_devino_check_may_use(account)
        count = len(self._sms_devino_readings()) or self.res_ids_count
        self.env.user._sms_devino_check_may_reach(count, account.company_id)

    def _sms_devino_check(self):
        """Check the message; the balance last, since its row is locked for that."""
        account = self.sms_devino_account_id.sudo()
        if self.sms_devino_when == "later":
            check_scheduled_at(self.env, self.sms_devino_scheduled_at)
        check_body(self.env, self.body)
        if self.sms_devino_sender_id.sudo().account_id != account:
            raise UserError(
                self.env._(
                    "Sender: choose one of the sender names of the account “%s”.",
                    account.name,
                )
            )
        for reading in self._sms_devino_readings():
            if not reading.sendable:
                raise private_error(describe_reading(self.env, reading))
        if self._sms_devino_honours_list():
            self._sms_devino_check_blacklist()
        if self.sms_devino_problem:
            raise UserError(self.sms_devino_problem)
        account._lock_money()
        account._check_enough(self.sms_devino_cost)

    def _sms_devino_check_blacklist(self):
        if blocked := self._sms_devino_blacklisted():
            raise private_error(
                self.env._(
                    "%(numbers)s is on the blacklist: its owner does not want to "
                    "get messages. If this one must be sent all the same, tick Send "
                    "all the same.",
                    numbers=", ".join(sorted(blocked)),
                )
            )

    def _sms_devino_open_draft(self):
        """Go on in the draft of a mass sending, which shows everybody and the cost."""
        batch = self.env["sms.devino.batch"].create(
            {
                "account_id": self.sms_devino_account_id.id,
                "company_id": self.sms_devino_account_id.sudo().company_id.id,
                "sender_id": self.sms_devino_sender_id.id,
                "body": self._sms_devino_draft_body(),
                "partner_ids": [fields.Command.set(self._sms_devino_records().ids)],
            }
        )
        return batch._get_records_action(context={})

    def _sms_devino_draft_body(self):
        """Return the text with its placeholders as a mass sending has them."""

        def convert(match):
            name, default = match.groups()
            inside = f"{name} | {default.strip()}" if default else name
            return f"{{{{ {inside} }}}}"

        return find_placeholder.sub(convert, self.body or "")

    def _sms_devino_open_sent(self):
        """Show what this form has sent, to those who may see the journal."""
        if not self.env["sms.devino.message"].has_access("read"):
            return False
        messages = self.sms_devino_message_ids.sorted("id")
        return messages._get_records_action(context={}) if messages else False

    def _sms_devino_chosen_account(self):
        """Return the account if it was chosen here, else none: each message then goes
        through the account of its own document's company."""
        account = self.sms_devino_account_id
        is_usual = account == self._sms_devino_company().sms_devino_account_id
        return account.browse() if is_usual else account

    def _sms_devino_own_options(self, *, automatic=False):
        """Return what this form says about its messages."""
        is_later = self.sms_devino_when == "later"
        document = self.res_id and read_input(self.env, self.res_model, [self.res_id])
        partner = self._sms_devino_contact()
        sender = self.sms_devino_sender_id or self.template_id.sms_devino_sender_id
        return self.env["sms.devino.options"]._sms_devino_make_options(
            account_id=self._sms_devino_chosen_account().id,
            sender=sender.sudo().name,
            scheduled_at=self.sms_devino_scheduled_at if is_later else None,
            validity=None if automatic else self.sms_devino_validity,
            is_mass=self.composition_mode == "mass",
            override=not self._sms_devino_honours_list(),
            automatic=automatic,
            res_model=(document or partner)._name if document or partner else False,
            res_id=(document or partner).id,
        )

    def _action_send_sms(self):
        """Hand on how to send; what nobody pressed a button for is automatic."""
        if not self.sms_devino_account_id:
            return super()._action_send_sms()
        given = given_options(self.env)
        options = self._sms_devino_own_options(automatic=not given)
        options |= given
        self = self.with_context(sms_devino_options=options)
        if self.composition_mode != "mass" and not self._sms_devino_honours_list():
            self._sms_devino_log_override()
        sent = super()._action_send_sms()
        if self.sms_devino_is_sent:
            self._sms_devino_keep(sent)
        return sent

    def _sms_devino_keep(self, sent):
        """Remember the messages of the journal that this form has made.

        :param sent: ``sms.sms``, or the ``mail.message`` that they belong to
        """
        if sent._name == "mail.message":
            domain = [("mail_message_id", "in", sent.ids)]
            sent = self.env["sms.sms"].sudo().search(domain)
        messages = self.env["sms.devino.message"].sudo()
        messages = messages.search([("uuid", "in", sent.sudo().mapped("uuid"))])
        self.sudo().sms_devino_message_ids = messages

    def _sms_devino_contact(self):
        """Return the contact that was chosen, or that the form was opened from."""
        if self.sms_devino_partner_id:
            return self.sms_devino_partner_id._filtered_access("read")
        is_contact = self.res_model == "res.partner" and self.comment_single_recipient
        return self._sms_devino_records() if is_contact else self.env["res.partner"]

    def _action_send_sms_numbers(self):
        """Send to the numbers as the account's country reads them."""
        if not self.sms_devino_account_id:
            return super()._action_send_sms_numbers()
        partner = self._sms_devino_contact()
        all_sms = self.env["sms.sms"].sudo()
        all_sms = all_sms.create(
            [
                {
                    "body": self.body,
                    "number": reading.e164,
                    "partner_id": partner.id,
                }
                for reading in self._sms_devino_readings()
            ]
        )
        all_sms.send()
        return all_sms

    def _action_send_sms_comment_single(self, records=None):
        """From our own doors, never write a number that was changed to the contact.

        Nor is the right to write in the contact's chatter needed to send.
        """
        if not (self.sms_devino_account_id and self.sms_devino_direct):
            return super()._action_send_sms_comment_single(records)
        records = records if records is not None else self._get_records()
        if not records.has_access(records._mail_post_access):
            return self._action_send_sms_numbers()
        country = self.sms_devino_account_id.sudo().country_id.code
        [reading] = self._sms_devino_readings()
        theirs = phone.read(self.recipient_single_number or "", country)
        if reading.e164 != theirs.e164:
            self.number_field_name = False
            self.numbers = reading.e164
        return self._action_send_sms_comment(records)

    def _action_send_sms_comment(self, records=None):
        """Leave out documents whose number is on the blacklist, and say so there.

        What one person sends to one number has been checked before.
        """
        records = records if records is not None else self._get_records()
        if (
            self.sms_devino_account_id
            and self._sms_devino_honours_list()
            and not self.numbers
        ):
            excluded = self._sms_devino_excluded_records(records)
            note = self.env._("No SMS was sent: the number is on the blacklist.")
            if excluded:
                excluded._message_log_batch(dict.fromkeys(excluded.ids, note))
            records -= excluded
            if not records:
                return self.env["mail.message"]
        return super()._action_send_sms_comment(records)

    def _action_send_sms_mass(self, records=None):
        records = records if records is not None else self._get_records()
        if self.sms_devino_account_id and not self._sms_devino_honours_list():
            self._sms_devino_log_override(records)
        return super()._action_send_sms_mass(records)

    def _prepare_mass_sms_values(self, records):
        """Keep company and document of each message: without a note on the document
        nothing else would tell."""
        result = super()._prepare_mass_sms_values(records)
        if not self.env["res.company"]._sms_devino_in_use():
            return result
        has_company = "company_id" in records._fields
        for record in records:
            company = (has_company and record.company_id) or self.env.company
            result[record.id] |= {
                "sms_devino_company_id": company.id,
                "sms_devino_options": {
                    "res_model": record._name,
                    "res_id": record.id,
                },
            }
        return result

    # --- notes on the documents -----------------------------------------------------

    def _sms_devino_log_override(self, records=None):
        """Leave a note on the documents whose number is on the blacklist."""
        records = records if records is not None else self._get_records()
        if not records or not isinstance(records, self.pool["mail.thread"]):
            return
        excluded = self._sms_devino_excluded_records(records)
        if self.comment_single_recipient and self.sms_devino_is_excluded:
            excluded = records
        note = self.env._(
            "The number is on the blacklist. An SMS was sent all the same, by "
            "%(user)s.",
            user=self.env.user.name,
        )
        if excluded:
            excluded._message_log_batch(dict.fromkeys(excluded.ids, note))

    def _sms_devino_excluded_records(self, records):
        """Return those of ``records`` whose number is on the blacklist."""
        infos = self._prepare_recipient_values(records)
        excluded = self.env["phone.blacklist"]._sms_devino_blacklisted(
            [info["sanitized"] for info in infos.values()]
        )
        return records.filtered(lambda r: infos[r.id]["sanitized"] in excluded)
