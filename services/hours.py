"""When messages may leave: the hours of an account, the days off of a company, and the
local time of each recipient."""

from datetime import datetime, time, timedelta

from odoo.fields import Date, Datetime
from odoo.tools import SQL

from ..tools import hours as clock
from ..tools.zones import find_zones
from .message_states import PURPOSES
from .ranges import find_ranges

# How many days are read at once to find days off.
DAYS_AT_ONCE = 62
HOUR_FIELDS = [
    f"hours_{purpose}{days}_{end}"
    for purpose, _label in PURPOSES
    for days in ("", "_off")
    for end in ("from", "to")
]


def read_hours(account, purpose):
    """Return the :class:`~..tools.hours.Hours` of an account for a purpose.

    No law knows hours of advertising, so that a company chooses whether it has any.
    """
    if purpose == "advertising" and not account.hours_advertising_on:
        return clock.Hours()
    working_from, working_to, off_from, off_to = (
        account[name] for name in HOUR_FIELDS if name.startswith(f"hours_{purpose}_")
    )
    return clock.Hours((working_from, working_to), (off_from, off_to))


def forget_hours(accounts):
    """Have the messages in the queue of accounts looked at again before they leave."""
    messages = accounts.env["sms.devino.message"]
    messages.flush_model()
    accounts.env.cr.execute(
        SQL(
            """UPDATE sms_devino_message
                  SET leaves_until = %s
                WHERE account_id = ANY(%s) AND state = 'outgoing'""",
            Datetime.now(),
            list(accounts.ids),
        )
    )
    messages.invalidate_model(["leaves_until"])


class DaysOff:
    """Weekends and holidays, by the working calendar of a company."""

    def __init__(self, company):
        self._company = company.sudo()
        self._days = {}

    def __call__(self, day):
        if day not in self._days:
            self._read(day)
        return self._days[day]

    def _read(self, day):
        first = datetime.combine(day - timedelta(days=2), time())
        last = first + timedelta(days=DAYS_AT_ONCE)
        unusual = self._company.resource_calendar_id._get_unusual_days(
            first, last, self._company
        )
        for ahead in range(DAYS_AT_ONCE):
            one = first.date() + timedelta(days=ahead)
            self._days[one] = unusual.get(Date.to_string(one), one.weekday() >= 5)


class Schedules:
    """Finds when messages may leave. What it needs is read once.

    :param env: with the rights to read accounts and contacts (sudo)
    """

    def __init__(self, env):
        self.env = env
        self._schedules = {}
        self._days_off = {}
        self._zones = {}

    def get(self, account, company, purpose):
        """Return a :class:`~..tools.hours.Schedule`, ``None`` for at any time."""
        key = account.id, company.id, purpose
        if key not in self._schedules:
            hours = read_hours(account, purpose)
            self._schedules[key] = (
                None if hours.is_always else self._make(hours, company)
            )
        return self._schedules[key]

    def _make(self, hours, company):
        if company not in self._days_off:
            self._days_off[company] = DaysOff(company)
        return clock.Schedule(hours, self._days_off[company])

    def find_zones(self, company, recipients):
        """Return the time zones of recipients, by one query.

        :param list recipients: pairs of a number in E.164 and the id of a contact
        :return: a list of what :func:`~..tools.zones.find_zones` returns
        """
        contacts = self._read_contacts({contact for _n, contact in recipients})
        ranges = find_ranges(self.env, [number for number, _c in recipients])
        own = get_company_zone(company)
        result = []
        for number, contact in recipients:
            tz, state = contacts.get(contact, (None, None))
            region, _operator = ranges.get(number, (None, None))
            key = tz, state, region, own, number[:3] == "+79" or number
            if key not in self._zones:
                self._zones[key] = find_zones(
                    number, contact=tz, state=state, region=region, company=own
                )
            result.append(self._zones[key])
        return result

    def _read_contacts(self, ids):
        """Return contact id -> its time zone and the code of its Russian region."""
        self.env["res.partner"].flush_model(["tz", "state_id"])
        query = SQL(
            """SELECT p.id, p.tz, s.code FROM res_partner p
            LEFT JOIN res_country_state s ON s.id = p.state_id AND s.country_id = %s
                WHERE p.id = ANY(%s)""",
            self.env.ref("base.ru").id,
            [key for key in ids if key],
        )
        return {key: (tz, code) for key, tz, code in self.env.execute_query(query)}


def get_company_zone(company):
    """Return the time zone of a company: that of its contact, else of its calendar."""
    company = company.sudo()
    return company.partner_id.tz or company.resource_calendar_id.tz or "UTC"
