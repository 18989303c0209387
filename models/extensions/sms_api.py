import logging

import psycopg2

from odoo.addons.sms.tools.sms_api import SmsApiBase

from ...services import odoo_link
from ...services.private_log import private_sql

_logger = logging.getLogger(__name__)


class SmsApiDevino(SmsApiBase):
    """Odoo's interface to a provider. It only writes to the journal; the dispatcher
    sends after the commit."""

    def _send_sms_batch(self, messages, delivery_reports_url=False):
        """Write what Odoo sends into the journal.

        :param list messages: dicts ``{"content": str, "numbers": [{"uuid": str,
            "number": str}, ...]}``
        :param delivery_reports_url: not used; the journal reports by uuid
        :return: list of dicts ``{"uuid": str, "state": str, "failure_reason": str}``,
            one for each number; the last key only where there is one
        """
        journal = self.env["sms.devino.message"].sudo()
        try:
            with private_sql(), self.env.cr.savepoint():
                return odoo_link.take_over(journal, self.company.sudo(), messages)
        except psycopg2.Error as error:
            # Odoo continues in the same transaction and would log texts and numbers
            _logger.warning("messages not taken over: %s", type(error).__name__)
            uuids = [n["uuid"] for message in messages for n in message["numbers"]]
            reason = self.env._("The message could not be written to the journal.")
            return [
                {"uuid": uuid, "state": "server_error", "failure_reason": reason}
                for uuid in uuids
            ]
