import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..sms_devino_options import given_options
from .sms_api import SmsApiDevino

_logger = logging.getLogger(__name__)


class SmsSms(models.Model):
    _inherit = "sms.sms"

    sms_devino_company_id = fields.Many2one(
        "res.company", string="Sending company", readonly=True, ondelete="set null"
    )
    sms_devino_account_id = fields.Many2one(
        "sms.devino.account",
        string="SMS account",
        readonly=True,
        ondelete="set null",
        help="Chosen for this message. Without it the account of the company is used.",
    )
    sms_devino_options = fields.Json(
        string="Sending options",
        readonly=True,
        help="What a composer, a template or a rule says about this message: sender "
        "name, time, validity, document.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Keep the sending company and the options of each message."""
        for vals in vals_list:
            self._sms_devino_check_writable(vals)
        options = dict(given_options(self.env))
        defaults = {
            "sms_devino_company_id": self.env.company.id,
            "sms_devino_account_id": options.get("account_id"),
        }
        return super().create(
            [
                {
                    **defaults,
                    **vals,
                    "sms_devino_options": options
                    | (vals.get("sms_devino_options") or {}),
                }
                for vals in vals_list
            ]
        )

    def write(self, vals):
        self._sms_devino_check_writable(vals)
        return super().write(vals)

    def _sms_devino_check_writable(self, vals):
        """Leave it to the program to say who pays, and that no person sends."""
        if not self.env.su and any(name.startswith("sms_devino_") for name in vals):
            raise AccessError(self.env._("How an SMS is sent cannot be written."))

    def _get_sms_company(self):
        if not self.env["res.company"]._sms_devino_in_use():
            return super()._get_sms_company()
        return (
            self.mail_message_id.record_company_id
            or self.sms_devino_account_id.sudo().company_id
            or self.sms_devino_company_id
            or super()._get_sms_company()
        )

    def _sms_devino_own_account(self):
        """Return the account that this message goes through, maybe empty."""
        self.ensure_one()
        chosen = self.sms_devino_account_id.sudo()
        return chosen or self._get_sms_company().sudo().sms_devino_account_id

    def _split_by_api(self):
        """Split by account; messages without one go to Odoo's other providers."""
        ours = self.filtered(lambda sms: sms._sms_devino_own_account())
        for company, messages in ours.grouped(
            lambda sms: sms._get_sms_company()
        ).items():
            sms_api = SmsApiDevino(self.env)
            sms_api._set_company(company)
            yield sms_api, messages
        if others := self - ours:
            yield from super(SmsSms, others)._split_by_api()

    def _send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        """Send each message through its own provider, also from Odoo's queue.

        The queue calls this for messages of all companies at once.
        """
        options = {"unlink_failed": unlink_failed, "unlink_sent": unlink_sent}
        ours = self.filtered(lambda sms: sms._sms_devino_own_account())
        if self.env.context.get("sms_api") or not ours:
            return super()._send(raise_exception=raise_exception, **options)
        for sms_api, messages in list(self._split_by_api()):
            messages._send_apart(sms_api, raise_exception=raise_exception, **options)
        return None

    def _send_apart(self, sms_api, *, raise_exception, **options):
        """Send through one provider; its failure does not stop the others."""
        try:
            with self.env.cr.savepoint():
                self.with_context(sms_api=sms_api)._send(
                    raise_exception=raise_exception, **options
                )
        except Exception as error:
            if raise_exception:
                raise
            _logger.warning(
                "%s messages could not be given to %s: %s",
                len(self),
                type(sms_api).__name__,
                type(error).__name__,
            )
            self.action_set_error("sms_server")

    def _send_with_api(
        self, sms_api, unlink_failed=False, unlink_sent=True, raise_exception=False
    ):
        """Show the reason of a failure in words when the account is ours."""
        if isinstance(sms_api, SmsApiDevino):
            self = self.with_context(sms_devino=True)
        return super()._send_with_api(
            sms_api,
            unlink_failed=unlink_failed,
            unlink_sent=unlink_sent,
            raise_exception=raise_exception,
        )
