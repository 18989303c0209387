import logging

from odoo import api, fields, models

from .sms_api import SmsApiDevino

_logger = logging.getLogger(__name__)

# What a composer, a template or a rule says about its messages: the fields that carry
# it to the journal.
OPTION_FIELDS = {
    "sender": "sms_devino_sender",
    "planned_at": "sms_devino_planned_at",
    "res_model": "sms_devino_res_model",
    "res_id": "sms_devino_res_id",
    "is_mass": "sms_devino_is_mass",
    "override": "sms_devino_override",
}


class SmsSms(models.Model):
    _inherit = "sms.sms"

    sms_devino_company_id = fields.Many2one(
        "res.company", string="Sending company", readonly=True, ondelete="set null"
    )
    sms_devino_sender = fields.Char(string="Sender name", readonly=True)
    sms_devino_planned_at = fields.Datetime(string="Planned for", readonly=True)
    sms_devino_res_model = fields.Char(string="Document model", readonly=True)
    sms_devino_res_id = fields.Many2oneReference(
        string="Document id", model_field="sms_devino_res_model", readonly=True
    )
    sms_devino_is_mass = fields.Boolean(string="One of many", readonly=True)
    sms_devino_override = fields.Boolean(
        string="Exclusion list overridden", readonly=True
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Keep for which company, and how, a message is to be sent."""
        options = self.env.context.get("sms_devino_options") or {}
        defaults = {
            field: options[name]
            for name, field in OPTION_FIELDS.items()
            if options.get(name)
        }
        defaults["sms_devino_company_id"] = self.env.company.id
        return super().create([defaults | vals for vals in vals_list])

    def _get_sms_company(self):
        if not self.env["res.company"]._sms_devino_in_use():
            return super()._get_sms_company()
        return (
            self.mail_message_id.record_company_id
            or self.sms_devino_company_id
            or super()._get_sms_company()
        )

    def _split_by_api(self):
        """Give each company's messages to its own account, the rest to the others."""
        if not self.env["res.company"]._sms_devino_in_use():
            yield from super()._split_by_api()
            return
        others = self.browse()
        for company, of_company in self.grouped(
            lambda sms: sms._get_sms_company()
        ).items():
            if company.sudo().sms_devino_account_id:
                sms_api = SmsApiDevino(self.env)
                sms_api._set_company(company)
                yield sms_api, of_company
            else:
                others += of_company
        if others:
            yield from super(SmsSms, others)._split_by_api()

    def _send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        """Send each message by its own provider, also from Odoo's queue.

        The queue calls this for messages of all companies at once.
        """
        options = {"unlink_failed": unlink_failed, "unlink_sent": unlink_sent}
        if self.env.context.get("sms_api") or not (
            self.env["res.company"]._sms_devino_in_use()
        ):
            return super()._send(raise_exception=raise_exception, **options)
        for sms_api, messages in list(self._split_by_api()):
            messages._send_apart(sms_api, raise_exception=raise_exception, **options)
        return None

    def _send_apart(self, sms_api, *, raise_exception, **options):
        """Send by one provider, so that its trouble stays its own."""
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

    def _send_with_api(self, sms_api, **options):
        """Have the reason of a failure shown in words where the account is ours."""
        if isinstance(sms_api, SmsApiDevino):
            self = self.with_context(sms_devino=True)
        return super()._send_with_api(sms_api, **options)
