"""When a message may leave: hours of the day, in the recipient's own time.

Moments are naive and in UTC, as in Odoo.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = (0, 24)
# So far ahead hours are looked for: no row of days off is longer.
HORIZON = timedelta(days=40)


@dataclass(frozen=True)
class Hours:
    """From when till when messages may leave, as hours from 0 to 24.

    An end before the beginning is on the next day; an end that equals the beginning
    means that nothing leaves that day.

    :ivar tuple working: on working days
    :ivar tuple off: on weekends and holidays
    """

    working: tuple[float, float] = DAY
    off: tuple[float, float] = DAY

    @property
    def is_always(self):
        """Whether a message may leave at any time."""
        return self.working == self.off == DAY

    @property
    def is_never(self):
        """Whether no message may ever leave."""
        return all(start == end for start, end in (self.working, self.off))


class Schedule:
    """Hours together with the days off of a company.

    :param Hours hours: of one purpose
    :param is_off: callable, date -> whether it is a weekend or a holiday
    """

    def __init__(self, hours, is_off):
        self._hours = hours
        self._is_off = is_off
        self._days = {}
        # zones -> (moment that was asked for, opens, closes): most ask for the same
        self._found = {}

    def find(self, moment, zones):
        """Return when a message may leave that would leave at ``moment``.

        :param datetime moment: UTC
        :param tuple zones: names; it must be the right hour in all of them
        :return: the moment itself or the next one that will do, and when that time is
            over; ``None`` when there is none in the next 40 days
        """
        asked, opens, closes = self._found.get(zones, (moment, moment, moment))
        if not asked <= moment < closes:
            found = self._search(moment, zones)
            if not found:
                return None
            opens, closes = found
            self._found[zones] = moment, opens, closes
        return max(moment, opens), closes

    def _search(self, moment, zones):
        opens, limit = moment, moment + HORIZON
        while opens < limit:
            found = [self._find_in(zone, opens) for zone in zones]
            if None in found:
                return None
            latest = max(start for start, _end in found)
            if latest == opens:
                return opens, min(end for _start, end in found)
            opens = latest
        return None

    def _find_in(self, zone, moment):
        """Return the first opening of a zone that is not over at ``moment``."""
        today = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()
        # from the day before, whose hours may go on past midnight
        for ahead in range(-1, HORIZON.days + 1):
            start, end = self._read_day(zone, today + timedelta(days=ahead))
            if start < end and moment < end:
                return max(start, moment), end
        return None

    def _read_day(self, zone, day):
        """Return the beginning and the end of the hours of a day in UTC."""
        key = zone, day
        if key not in self._days:
            start, end = self._hours.off if self._is_off(day) else self._hours.working
            last = day + timedelta(days=1) if end < start else day
            self._days[key] = (
                _to_utc(zone, day, start, latest=True),
                _to_utc(zone, last, end, latest=False),
            )
        return self._days[key]


def to_utc(wall, zone):
    """Return the moment at which the clock of a zone shows a time.

    :param datetime wall: naive
    """
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)


def to_wall(moment, zone):
    """Return what the clock of a zone shows at a moment."""
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _to_utc(zone, day, hour, *, latest):
    """Return an hour of a day in UTC; where clocks are changed it may come twice, or
    never: the reading that makes the hours shorter is taken."""
    wall = datetime.combine(day, time()) + timedelta(seconds=round(hour * 3600))
    both = [to_utc(wall.replace(fold=fold), zone) for fold in (0, 1)]
    return max(both) if latest else min(both)


class Slots:
    """Spreads messages evenly: no two in the same slot of time.

    :param datetime start: UTC
    :param timedelta step: from one slot to the next
    """

    def __init__(self, start, step):
        self._start, self._step = start, step
        self._taken = set()
        # for those who must wait for the same hours the search goes on where it ended
        self._next = {}

    def take(self, zones, find):
        """Take the first free slot at which a message may leave.

        :param tuple zones: messages with the same ones may leave at the same times
        :param find: callable, moment -> (moment it may leave, end of that time) or None
        :return: what ``find`` returned for the slot
        """
        slot = self._next.get(zones, 0)
        while True:
            while slot in self._taken:
                slot += 1
            at = self._start + slot * self._step
            found = find(at)
            if not found:
                return None
            if found[0] == at:
                break
            # the first slot that is not before
            slot = -((self._start - found[0]) // self._step)
        self._taken.add(slot)
        self._next[zones] = slot + 1
        return found
