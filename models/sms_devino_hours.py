from functools import partial

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..services.hours import HOUR_FIELDS, forget_hours, read_hours
from ..services.message_states import PURPOSES

Hour = partial(fields.Float, required=True, aggregator=None)
HELP = (
    "Hours from 0 to 24 in the recipient's local time. An end before the beginning is "
    "on the next day. Equal: nothing leaves on such days. From 0 to 24: at any time."
)


class SmsDevinoHours(models.AbstractModel):
    """When messages of an account may leave, by purpose, on working days and on days
    off. See ``services.hours``."""

    _name = "sms.devino.hours"
    _description = "SMS Sending Hours"

    hours_advertising_on = fields.Boolean(
        string="Advertising leaves only in its hours",
        help="If set, advertising waits for the hours of each recipient: mass "
        "sendings, rules and single SMS. If only the country of a number is known, the "
        "hours must suit all its time zones.",
    )
    hours_advertising_from = Hour(
        string="Advertising on working days, from", default=9, help=HELP
    )
    hours_advertising_to = Hour(
        string="Advertising on working days, till", default=21, help=HELP
    )
    hours_advertising_off_from = Hour(
        string="Advertising on days off, from", default=9, help=HELP
    )
    hours_advertising_off_to = Hour(
        string="Advertising on days off, till", default=21, help=HELP
    )
    hours_debt_from = Hour(string="Debt on working days, from", default=8, help=HELP)
    hours_debt_to = Hour(string="Debt on working days, till", default=22, help=HELP)
    hours_debt_off_from = Hour(string="Debt on days off, from", default=9, help=HELP)
    hours_debt_off_to = Hour(string="Debt on days off, till", default=20, help=HELP)
    hours_service_from = Hour(
        string="Service on working days, from", default=0, help=HELP
    )
    hours_service_to = Hour(
        string="Service on working days, till", default=24, help=HELP
    )
    hours_service_off_from = Hour(
        string="Service on days off, from", default=0, help=HELP
    )
    hours_service_off_to = Hour(
        string="Service on days off, till", default=24, help=HELP
    )

    @api.constrains(*HOUR_FIELDS)
    def _check_hours(self):
        field = self.env["sms.devino.message"]._fields["purpose"]
        purposes = dict(field._description_selection(self.env))
        for record in self:
            for name in HOUR_FIELDS:
                if not 0 <= record[name] <= 24:
                    raise ValidationError(
                        self.env._(
                            "%(field)s: enter an hour from 0 to 24.",
                            field=self._fields[name]._description_string(self.env),
                        )
                    )
            for purpose, _label in PURPOSES:
                if read_hours(record, purpose).is_never:
                    raise ValidationError(
                        self.env._(
                            "Sending hours: messages of the purpose “%(purpose)s” "
                            "could never leave. Enter an end that differs from the "
                            "beginning, for working days or for days off.",
                            purpose=purposes[purpose],
                        )
                    )

    def write(self, vals):
        """Have what waits in the queue looked at again when the hours change."""
        result = super().write(vals)
        if vals.keys() & {*HOUR_FIELDS, "hours_advertising_on"}:
            forget_hours(self)
        return result
