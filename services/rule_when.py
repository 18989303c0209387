"""When a rule sends: the moments that the dates of records lead to."""

from calendar import isleap
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from dateutil.relativedelta import relativedelta

from odoo.fields import Domain

from ..tools.hours import to_utc, to_wall
from .hours import get_company_zone

# A search by dates is made a little too wide: months differ, and so do time zones.
SLACK = {"minutes": 2, "hours": 2, "days": 2, "months": 5}
DAYS = "days", "months"
# The weekdays that a rule sends on, Monday is 0.
WEEKDAYS = {"all": range(7), "no_sunday": range(6), "workdays": range(5)}


@dataclass(frozen=True, slots=True)
class Due:
    """A record whose time has come.

    :ivar occasion: what it is due for, once each: a date, or empty
    :ivar moment: UTC
    """

    record_id: int
    occasion: str
    moment: datetime


def zone_of(env):
    """Return the name of the time zone that the hours of a rule are meant in."""
    return env.user.tz or get_company_zone(env.company)


class Schedule:
    """The moments of one rule.

    :param str zone: its name
    """

    def __init__(self, rule, zone):
        self.kind = rule.kind
        self.field = rule.date_field
        self._zone = zone
        self._unit = rule.delay_unit or "days"
        sign = -1 if rule.delay_side == "before" else 1
        self._delay = relativedelta(**{self._unit: sign * rule.delay})
        self._hour = _to_time(rule.hour)
        self._at_hour = rule.at_hour

    def domain(self, start, end):
        """Return a domain of the records that may be due in a time; some are not.

        :param datetime start: UTC
        :param datetime end: UTC
        """
        if self.kind == "match":
            return Domain.TRUE
        slack = timedelta(days=SLACK[self._unit])
        first, last = start - self._delay - slack, end - self._delay + slack
        if self.kind == "date":
            return Domain(self.field, ">=", first) & Domain(self.field, "<=", last)
        return self._yearly_domain(first.date(), last.date())

    def _yearly_domain(self, first, last):
        by_month = {}
        for offset in range((last - first).days + 1):
            day = first + timedelta(days=offset)
            by_month.setdefault(day.month, set()).add(day.day)
            if (day.month, day.day) == (2, 28):
                # the date of a year that has one more day
                by_month[2].add(29)
        return Domain.OR(
            Domain(f"{self.field}.month_number", "=", month)
            & Domain(f"{self.field}.day_of_month", "in", sorted(days))
            for month, days in by_month.items()
        )

    def find(self, record_id, value, start, end):
        """Return what a record is due for in a time: a list of :class:`Due`.

        :param value: of the record's field, a date or datetime
        :param datetime start: UTC, not included
        :param datetime end: UTC
        """
        if self.kind == "match":
            return [Due(record_id, "", end)]
        return [
            Due(record_id, occasion, moment)
            for occasion, moment in self._moments(value, start, end)
            if start < moment <= end
        ]

    def _moments(self, value, start, end):
        if not value:
            return
        if self.kind == "date":
            yield value.isoformat(), self._moment(value)
            return
        day = (
            value
            if not isinstance(value, datetime)
            else to_wall(value, self._zone).date()
        )
        for year in range(start.year - 1, end.year + 2):
            is_missing = (day.month, day.day) == (2, 29) and not isleap(year)
            this = date(year, 2, 28) if is_missing else day.replace(year=year)
            yield this.isoformat(), self._moment(this)

    def _moment(self, value):
        """Return when a date leads to a message, UTC."""
        if not isinstance(value, datetime):
            local = datetime.combine(value, self._hour)
        elif self._unit in DAYS and self._at_hour:
            day = to_wall(value, self._zone).date()
            local = datetime.combine(day, self._hour)
        else:
            return value + self._delay
        if self._unit in DAYS:
            return to_utc(local + self._delay, self._zone)
        return to_utc(local, self._zone) + self._delay


class Window:
    """The weekdays and hours in which a rule sends."""

    def __init__(self, rule, zone):
        self._zone = zone
        self._days = WEEKDAYS[rule.weekdays or "all"]
        self._opens = _to_time(rule.hour_from)
        # until the end of the day is no limit
        self._closes = _to_time(rule.hour_to) if rule.hour_to < 24 else None

    def next_open(self, moment):
        """Return the first moment from ``moment`` on that lies within, both in UTC."""
        local = to_wall(moment, self._zone)
        for _day in range(8):
            if local.weekday() in self._days:
                if local.time() < self._opens:
                    local = datetime.combine(local.date(), self._opens)
                if self._closes is None or local.time() < self._closes:
                    return to_utc(local, self._zone)
            local = datetime.combine(local.date() + timedelta(days=1), self._opens)
        raise ValueError("a window that never opens")


def _to_time(hours):
    minutes = min(round(hours * 60), 24 * 60 - 1)
    return time(minutes // 60, minutes % 60)
