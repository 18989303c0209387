from odoo import fields, models

from odoo.addons.mail.tools.discuss import Store


class MailNotification(models.Model):
    _inherit = "mail.notification"

    sms_devino_reason = fields.Char(
        string="Why the SMS failed", readonly=True, groups="base.group_user"
    )

    def _to_store_defaults(self, target):
        """Give the web client the reason of a failure, where there is one."""
        reason = Store.Attr(
            "sms_devino_reason",
            predicate=lambda notification: notification.sudo().sms_devino_reason,
            sudo=True,
        )
        return [*super()._to_store_defaults(target), reason]
