from datetime import timedelta

from odoo import fields, models

# A value that no caller from outside can put into a context: JSON has no such object.
AUTOMATIC = object()


class SmsDevinoOptions(models.AbstractModel):
    """What a rule or a template may say about the messages that it sends."""

    _name = "sms.devino.options"
    _description = "SMS Sending Options"

    sms_devino_sender_id = fields.Many2one(
        "sms.devino.sender",
        string="SMS sender name",
        domain="[('state', '!=', 'refused'), "
        "('company_id', 'in', allowed_company_ids)]",
        ondelete="set null",
        help="The name that the recipient sees, when the company sends through its own "
        "account. An account that does not have this name uses its default one.",
    )
    sms_devino_delay = fields.Integer(
        string="Send after",
        help="The message waits in the journal that long before it leaves, and can be "
        "canceled there. 0: at once.",
    )
    sms_devino_delay_unit = fields.Selection(
        [("minutes", "Minutes"), ("hours", "Hours"), ("days", "Days")],
        string="Unit of the delay",
        default="hours",
    )

    _sms_devino_delay_not_negative = models.Constraint(
        "CHECK (sms_devino_delay >= 0)", "A delay cannot be negative."
    )

    def _sms_devino_scheduled_at(self):
        """Return when a message of now leaves, in UTC, or ``None`` for at once."""
        if not self or not self.sms_devino_delay:
            return None
        unit = self.sms_devino_delay_unit or "hours"
        delay = timedelta(**{unit: self.sms_devino_delay})
        return fields.Datetime.now() + delay
