from odoo.addons.sms.tools.sms_api import SmsApiBase


class SmsApiDevino(SmsApiBase):
    """Odoo's way to a provider, leading into the journal: nothing is sent here, no HTTP
    is talked. What is written leaves after the commit, by the dispatcher."""

    def _send_sms_batch(self, messages, delivery_reports_url=False):
        """Write what Odoo sends into the journal.

        :param list messages: dicts ``{"content": str, "numbers": [{"uuid": str,
            "number": str}, ...]}``
        :param delivery_reports_url: not used; the journal reports by uuid
        :return: list of dicts ``{"uuid": str, "state": str, "failure_reason": str}``,
            one for each number; the last key only where there is one
        """
        journal = self.env["sms.devino.message"].sudo()
        return journal._take_over(self.company.sudo(), messages)
