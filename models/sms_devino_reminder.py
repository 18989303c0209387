import logging
from calendar import isleap

from odoo import api, fields, models
from odoo.exceptions import UserError

_logger = logging.getLogger(__name__)


class SmsDevinoReminder(models.AbstractModel):
    """Ready-made messages that a scheduled action sends; both are off at first."""

    _name = "sms.devino.reminder"
    _description = "SMS Sent by Scheduled Actions"

    # --- greetings ------------------------------------------------------------------

    @api.model
    def _cron_greet_contacts(self):
        """Send the greeting to contacts whose day is today, once a year each.

        A greeting is advertising by law: numbers on the blacklist are left out.
        """
        today = fields.Date.context_today(self)
        template = self.env.ref(
            "sms_devino.sms_template_greeting", raise_if_not_found=False
        )
        if not template:
            _logger.warning("no greetings: their SMS template was deleted")
            return
        partners = self._find_celebrating(today)
        texts = template._render_field("body", partners.ids, compute_lang=True)
        excluded = self.env["phone.blacklist"]._sms_devino_blacklisted(
            partners.mapped("phone_sanitized")
        )
        for partner in partners:
            if partner.phone_sanitized not in excluded:
                self._send_once(
                    f"greeting/{partner.id}/{today.year}",
                    partner,
                    texts[partner.id],
                    template=template,
                )

    @api.model
    def _find_celebrating(self, today):
        """Return the contacts to greet on a day; 29 February counts on the 28th too,
        in a year that has none."""
        days = [(today.month, today.day)]
        if days == [(2, 28)] and not isleap(today.year):
            days.append((2, 29))
        partners = self.env["res.partner"].search(
            [("sms_devino_greeting_date", "!=", False), ("phone", "!=", False)]
        )
        return partners.filtered(
            lambda partner: (
                (
                    partner.sms_devino_greeting_date.month,
                    partner.sms_devino_greeting_date.day,
                )
                in days
            )
        )

    # --- activities -----------------------------------------------------------------

    @api.model
    def _cron_remind_of_activities(self):
        """Tell each colleague by SMS how many activities are due today or late."""
        today = fields.Date.context_today(self)
        due = self.env["mail.activity"]._read_group(
            [("date_deadline", "<=", today), ("user_id.share", "=", False)],
            ["user_id"],
            ["__count"],
        )
        for user, count in due:
            partner = user.partner_id
            if partner.phone:
                self._send_once(
                    f"activities/{user.id}/{today}",
                    partner,
                    self._word_activities(user, count),
                )

    @api.model
    def _word_activities(self, user, count):
        env = self.with_context(lang=user.lang).env
        return env._("Activities due today in Odoo: %(count)s", count=count)

    # --- sending --------------------------------------------------------------------

    @api.model
    def _send_once(self, key, partner, text, *, template=None):
        """Put one message into the journal, unless it was there before.

        What cannot be sent to one must not keep the others from getting theirs.
        """
        company = partner.company_id or self.env.company
        account = company.sudo().sms_devino_account_id or None
        said = template._sms_devino_options() if template else {}
        try:
            self.env["sms.devino.message"].with_company(company).enqueue(
                partner.phone_sanitized or partner.phone,
                text,
                account=account,
                partner=partner,
                record=partner,
                key=key,
                sender=said.get("sender"),
                scheduled_at=fields.Datetime.to_datetime(said.get("scheduled_at")),
            )
        except UserError as error:
            _logger.info("no SMS %s: %s", key, type(error).__name__)
