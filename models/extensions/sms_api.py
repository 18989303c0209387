from odoo.addons.sms.tools.sms_api import SmsApiBase

from ...services import odoo_link


class SmsApiDevino(SmsApiBase):
    """Odoo's way to a provider. It leads into the journal: no HTTP here. What is
    written leaves after the commit, by the dispatcher."""

    def _send_sms_batch(self, messages, delivery_reports_url=False):
        """Write what Odoo sends into the journal.

        :param list messages: dicts ``{"content": str, "numbers": [{"uuid": str,
            "number": str}, ...]}``
        :param delivery_reports_url: not used; the journal reports by uuid
        :return: list of dicts ``{"uuid": str, "state": str, "failure_reason": str}``,
            one for each number; the last key only where there is one
        """
        journal = self.env["sms.devino.message"].sudo()
        return odoo_link.take_over(journal, self.company.sudo(), messages)
