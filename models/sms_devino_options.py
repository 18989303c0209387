from datetime import timedelta

from odoo import api, fields, models

from ..services.message_states import PURPOSES


class Options(dict):
    """How messages are to be sent, as a person, a template or a rule decided.

    The context key ``sms_devino_options`` carries it to the ``sms.sms``, which keeps
    it. The context of a request is JSON and cannot hold an object of this class.

    Keys, all optional: ``account_id``; ``sender``, a name; ``scheduled_at``, UTC as
    text; ``validity`` in minutes; ``purpose``, service without it; ``is_mass``;
    ``override``, true to send also to numbers on the blacklist; ``res_model`` and
    ``res_id`` of the document; ``automatic``, true for what a rule or an app sends,
    whatever rights the user has.
    """


def given_options(env):
    """Return the :class:`Options` that the caller has set, maybe empty."""
    given = env.context.get("sms_devino_options")
    return given if isinstance(given, Options) else Options()


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
        help="How long the message waits in the journal, where it can be canceled. "
        "0: it is sent at once.",
    )
    sms_devino_delay_unit = fields.Selection(
        [("minutes", "Minutes"), ("hours", "Hours"), ("days", "Days")],
        string="Unit of the delay",
        default="hours",
    )

    sms_devino_purpose = fields.Selection(
        PURPOSES,
        string="Purpose of the SMS",
        help="Decides in which hours the messages may leave and how many one number "
        "may get. Debt: reminders of an overdue payment. Empty: service.",
    )

    _sms_devino_delay_not_negative = models.Constraint(
        "CHECK (sms_devino_delay >= 0)", "A delay cannot be negative."
    )

    def _sms_devino_scheduled_at(self):
        """Return when a message made now is sent, in UTC, or ``None`` for at once."""
        if not self or not self.sms_devino_delay:
            return None
        unit = self.sms_devino_delay_unit or "hours"
        delay = timedelta(**{unit: self.sms_devino_delay})
        return fields.Datetime.now() + delay

    def _sms_devino_options(self, **more):
        """Return what this record says about its messages, and ``more``."""
        record = self.sudo()
        return self._sms_devino_make_options(
            sender=record.sms_devino_sender_id.name,
            purpose=record.sms_devino_purpose,
            scheduled_at=record._sms_devino_scheduled_at(),
            **more,
        )

    @api.model
    def _sms_devino_make_options(self, *, scheduled_at=None, **values):
        """Return the values as :class:`Options`; the account decides about empty ones.

        :param datetime scheduled_at: UTC, or ``None`` for at once
        """
        values["scheduled_at"] = fields.Datetime.to_string(scheduled_at or None)
        said = {
            name: value
            for name, value in values.items()
            if value or (name == "validity" and value == 0)
        }
        return Options(said)
