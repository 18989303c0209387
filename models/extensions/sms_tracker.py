from odoo import models


class SmsTracker(models.Model):
    _inherit = "sms.tracker"

    def _update_sms_notifications(
        self, notification_status, failure_type=False, failure_reason=False
    ):
        """Keep the reason in words, for the chatter."""
        if self.env.context.get("sms_devino"):
            notifications = self.mail_notification_id.filtered(
                lambda notification: (notification.sms_devino_reason or False)
                != (failure_reason or False)
            )
            if notifications:
                notifications.sms_devino_reason = failure_reason
        return super()._update_sms_notifications(
            notification_status,
            failure_type=failure_type,
            failure_reason=failure_reason,
        )

    def _sms_devino_cancel(self):
        """Show as canceled what was canceled in the journal.

        Odoo takes what a provider has for irrevocable and leaves its state alone, but
        what waits in the journal has not left.
        """
        notifications = self.mail_notification_id.filtered(
            lambda notification: (
                notification.notification_status in ("ready", "process")
            )
        )
        if notifications:
            notifications.write(
                {"notification_status": "canceled", "failure_type": False}
            )
            notifications.mail_message_id._notify_message_notification_update()
        if "mailing_trace_id" in self._fields:
            traces = self.mailing_trace_id.filtered(
                lambda trace: trace.trace_status in ("outgoing", "process")
            )
            traces.write({"trace_status": "cancel", "failure_type": False})
            self._update_sms_mailings("cancel", traces)
