from collections import Counter

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ...services.words import check_body, describe_reading, private_error
from ...tools import phone, sms_text
from ..sms_devino_options import AUTOMATIC

# So many texts are rendered for the cost shown before sending; of more recipients the
# rest is taken to be like these.
PREVIEW_RECORDS = 500
PREVIEW_NAMES = 5
# What the web client gives for a preview: the composer as it stands in the form.
PREVIEW_FIELDS = {
    "body",
    "composition_mode",
    "number_field_name",
    "numbers",
    "recipient_single_number_itf",
    "res_id",
    "res_ids",
    "res_model",
    "template_id",
    "use_exclusion_list",
}


class SmsComposer(models.TransientModel):
    _inherit = "sms.composer"

    sms_devino_account_id = fields.Many2one(
        "sms.devino.account",
        string="SMS account",
        compute="_compute_sms_devino_account_id",
        compute_sudo=True,
    )
    sms_devino_sender_id = fields.Many2one(
        "sms.devino.sender",
        string="Sender",
        compute="_compute_sms_devino_sender_id",
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
        store=True,
        readonly=False,
    )
    sms_devino_scheduled_at = fields.Datetime(
        string="Date and time",
        compute="_compute_sms_devino_when",
        store=True,
        readonly=False,
        help="In your time zone. Odoo holds the message till then.",
    )
    sms_devino_is_excluded = fields.Boolean(
        string="On the blacklist",
        compute="_compute_sms_devino_is_excluded",
        compute_sudo=False,
    )
    sms_devino_override = fields.Boolean(string="Send all the same", copy=False)

    # --- computes -------------------------------------------------------------------

    def _sms_devino_company(self):
        """Return the company whose account pays: the document's, if it has one."""
        records = self._get_records()
        if records and len(records) == 1 and "company_id" in records._fields:
            return records.sudo().company_id or self.env.company
        return self.env.company

    @api.depends("res_model", "res_id", "res_ids")
    def _compute_sms_devino_account_id(self):
        in_use = self.env["res.company"]._sms_devino_in_use()
        for composer in self:
            composer.sms_devino_account_id = in_use and (
                composer._sms_devino_company().sms_devino_account_id
            )

    @api.depends("sms_devino_account_id", "template_id")
    def _compute_sms_devino_sender_id(self):
        for composer in self:
            account = composer.sms_devino_account_id.sudo()
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

    @api.depends(
        "composition_mode",
        "numbers",
        "recipient_single_number_itf",
        "res_id",
        "res_ids",
    )
    def _compute_sms_devino_is_excluded(self):
        for composer in self:
            composer.sms_devino_is_excluded = bool(
                composer.sms_devino_account_id
                and composer.composition_mode != "mass"
                and composer._sms_devino_blacklisted_numbers()
            )

    def _sms_devino_numbers(self):
        """Return the numbers that numbers and comment mode send to, as E.164 where Odoo
        can tell."""
        if self.sanitized_numbers:
            return self.sanitized_numbers.split(",")
        records = self._get_records()
        if records and len(records) > 1:
            infos = self._prepare_recipient_values(records)
            return [info["sanitized"] for info in infos.values() if info["sanitized"]]
        number = self.recipient_single_number_itf or self.recipient_single_number
        formatting = records if records else self.env.user
        return [formatting._phone_format(number=number) or number] if number else []

    def _sms_devino_blacklisted_numbers(self):
        return self.env["phone.blacklist"]._sms_devino_blacklisted(
            self._sms_devino_numbers()
        )

    # --- sending --------------------------------------------------------------------

    def action_send_sms(self):
        """Check what a person sends; a rule's messages are judged one by one later.

        :raise AccessError: when the person may not send
        :raise UserError: when something is wrong; the form keeps what was entered
        """
        automatic = self.env.context.get("sms_devino_automatic") is AUTOMATIC
        if self.sms_devino_account_id and not automatic:
            self._sms_devino_check_may_send()
            self._sms_devino_check_scheduled_at()
            check_body(self.env, self.body)
            if self.composition_mode != "mass":
                self._sms_devino_check_numbers()
            self._sms_devino_check_money()
        return super().action_send_sms()

    def _sms_devino_check_may_send(self):
        company = self.sms_devino_account_id.sudo().company_id
        if not self.env.user._sms_devino_may_send(company):
            raise AccessError(
                self.env._("Only members of the group SMS / User may send SMS.")
            )

    def _sms_devino_check_scheduled_at(self):
        if self.sms_devino_when != "later":
            return
        if not self.sms_devino_scheduled_at:
            raise UserError(
                self.env._("Date and time: choose when the message is to be sent.")
            )
        if self.sms_devino_scheduled_at <= fields.Datetime.now():
            local = fields.Datetime.context_timestamp(
                self, self.sms_devino_scheduled_at
            )
            raise UserError(
                self.env._(
                    "Date and time: %(time)s has passed. Choose a later time, or Send "
                    "now.",
                    time=f"{local:%d.%m.%Y %H:%M}",
                )
            )

    def _sms_devino_check_numbers(self):
        """Refuse numbers that take no SMS, and those excluded unless overridden."""
        country = self.sms_devino_account_id.sudo().country_id.code
        for number in self._sms_devino_numbers():
            reading = phone.read(number, country)
            if not reading.sendable:
                raise private_error(describe_reading(self.env, reading))
        excluded = self._sms_devino_blacklisted_numbers()
        if (
            excluded
            and self._sms_devino_honours_list()
            and self._sms_devino_is_single()
        ):
            raise private_error(
                self.env._(
                    "%(numbers)s is on the blacklist: its owner does not want to "
                    "get messages. If this one must be sent all the same, tick Send "
                    "all the same.",
                    numbers=", ".join(sorted(excluded)),
                )
            )

    def _sms_devino_honours_list(self):
        return self.use_exclusion_list and not self.sms_devino_override

    def _sms_devino_is_single(self):
        return self.composition_mode == "numbers" or self.comment_single_recipient

    def _sms_devino_check_money(self):
        preview = self._sms_devino_preview()
        if preview.get("shortage") and not preview["warn_only"]:
            raise UserError(
                self.env._(
                    "The balance is not enough: the sending costs %(cost)s, "
                    "%(shortage)s more than there is. Top up the account at the "
                    "provider, then refresh the balance.",
                    cost=preview["cost"],
                    shortage=preview["shortage"],
                )
            )

    def _action_send_sms(self):
        """Hand sender, time and source document on to the messages."""
        if not self.sms_devino_account_id:
            return super()._action_send_sms()
        if self.composition_mode != "mass" and not self._sms_devino_honours_list():
            self._sms_devino_log_override()
        self = self.with_context(
            sms_devino_options=self._sms_devino_options(),
        )
        return super()._action_send_sms()

    def _sms_devino_options(self):
        later = self.sms_devino_when == "later"
        return {
            "sender": self.sms_devino_sender_id.sudo().name,
            "scheduled_at": fields.Datetime.to_string(self.sms_devino_scheduled_at)
            if later
            else None,
            "is_mass": self.composition_mode == "mass",
            "override": not self._sms_devino_honours_list(),
            "res_model": self.res_model if self.res_id else None,
            "res_id": self.res_id if self.res_model else None,
        }

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

    def _action_send_sms_comment(self, records=None):
        """Leave out documents whose number is on the blacklist, and say so there.

        What one person sends to one number has been checked before.
        """
        records = records if records is not None else self._get_records()
        if (
            self.sms_devino_account_id
            and self._sms_devino_honours_list()
            and not self.sanitized_numbers
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
        if self.sms_devino_account_id and not self.use_exclusion_list:
            self._sms_devino_log_override(records)
        return super()._action_send_sms_mass(records)

    def _prepare_mass_sms_values(self, records):
        """Keep company and document of each message: without a note on the document
        nothing else would tell."""
        result = super()._prepare_mass_sms_values(records)
        if not self.env["res.company"]._sms_devino_in_use():
            return result
        has_company = "company_id" in records._fields
        for record in records.sudo():
            company = (has_company and record.company_id) or self.env.company
            result[record.id] |= {
                "sms_devino_company_id": company.id,
                "sms_devino_options": {
                    "res_model": record._name,
                    "res_id": record.id,
                },
            }
        return result

    # --- what will happen -----------------------------------------------------------

    @api.model
    def sms_devino_preview(self, values):
        """Tell what sending would do: recipients, cost, balance. Writes nothing.

        :param dict values: the composer as it stands in the form
        :return: dict as :meth:`_sms_devino_preview` gives it, or ``{"error": str}``
        """
        values = {name: values[name] for name in PREVIEW_FIELDS & values.keys()}
        try:
            with self.env.cr.savepoint():
                return self.new(values)._sms_devino_preview()
        except UserError as error:
            # the number or the placeholders are not complete yet
            return {"error": str(error)}

    @api.model
    def sms_devino_refresh_balance(self, values):
        """Ask the provider for the balance, then tell the same as the preview."""
        composer = self.new(
            {name: values[name] for name in PREVIEW_FIELDS & values.keys()}
        )
        if composer.sms_devino_account_id:
            composer._sms_devino_check_may_send()
            composer.sms_devino_account_id.sudo()._refresh_balance()
        return self.sms_devino_preview(values)

    def _sms_devino_preview(self):
        """Return what sending would do.

        :return: dict with ``recipients`` and ``total`` (counts), ``left_out`` (list of
            dicts ``reason``, ``count``, ``names``), ``segments``, ``is_estimate`` (not
            every text was looked at), ``cost``, ``balance``, ``balance_at``,
            ``balance_after``, ``shortage`` (amounts as text or False) and
            ``warn_only``; empty without an account
        """
        account = self.sms_devino_account_id.sudo()
        if not account:
            return {}
        if self.composition_mode == "mass":
            texts, left_out, total, is_estimate = self._sms_devino_mass_texts()
        else:
            texts, left_out, total, is_estimate = self._sms_devino_single_texts()
        scale = total / (len(texts) + sum(left_out["counts"].values()) or 1)
        scale = scale if is_estimate else 1
        counts = [(sms_text.segments(text), number) for number, text in texts]
        price = account._get_price_finder()
        cost = sum(count * price(number) for count, number in counts) * scale
        return {
            "recipients": round(len(texts) * scale),
            "total": total,
            "left_out": [
                {"reason": reason, "count": count, "names": left_out["names"][reason]}
                for reason, count in left_out["counts"].most_common()
            ],
            "segments": round(sum(count for count, _number in counts) * scale),
            "is_estimate": is_estimate,
            **self._sms_devino_money(account, cost),
        }

    def _sms_devino_money(self, account, cost):
        quote = account._get_quote(cost)
        known = quote.balance is not None
        amount = account._format_amount
        return {
            "cost": amount(cost),
            "balance": known and amount(quote.balance),
            "balance_at": known and fields.Datetime.to_string(quote.balance_at),
            "balance_after": known and amount(quote.after),
            "shortage": bool(quote.shortage) and amount(quote.shortage),
            "warn_only": account.insufficient_policy == "warn",
        }

    def _sms_devino_mass_texts(self):
        """Return number and text of each message of mass mode, and who gets none."""
        records = self._get_records()
        total = len(records)
        records = records[:PREVIEW_RECORDS]
        values = self._prepare_mass_sms_values(records)
        labels = dict(
            self.env["sms.sms"]._fields["failure_type"]._description_selection(self.env)
        )
        labels["sms_number_missing"] = self.env._("No number")
        country = self.sms_devino_account_id.sudo().country_id.code
        texts, left_out = [], {"counts": Counter(), "names": {}}
        for record in records:
            sms = values[record.id]
            reason = labels.get(sms["failure_type"])
            if not reason:
                reason = self._sms_devino_number_problem(sms["number"], country)
            if reason:
                left_out["counts"][reason] += 1
                names = left_out["names"].setdefault(reason, [])
                if len(names) < PREVIEW_NAMES:
                    names.append(record.display_name)
            else:
                texts.append((sms["number"], sms["body"] or ""))
        return texts, left_out, total, total > len(records)

    @api.model
    def _sms_devino_number_problem(self, number, country):
        """Return in a few words why a number takes no SMS, or ``None``."""
        reading = phone.read(number or "", country)
        if reading.sendable:
            return None
        labels = {
            "landline": self.env._("Landline"),
            "special": self.env._("Service number"),
        }
        return labels.get(reading.code, self.env._("Wrong number"))

    def _sms_devino_single_texts(self):
        numbers = self._sms_devino_numbers()
        text = sms_text.normalise(self.body or "")
        records = self._get_records()
        bodies = {}
        if records and len(records) > 1 and not self.sanitized_numbers:
            bodies = self._prepare_body_values(records)
        texts = list(bodies.values()) or [text] * len(numbers)
        nobody = {"counts": Counter(), "names": {}}
        return list(zip(numbers, texts, strict=False)), nobody, len(numbers), False
