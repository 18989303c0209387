"""When messages leave: single ones, those of a mass sending, and once more all of them
at departure.

A message whose purpose has hours or a limit begins as ``scheduled``, even when due now:
:func:`release_due` is the one gate that such messages pass on their way into the queue.
What passes it may leave until ``leaves_until``; what has not left by then goes back.
"""

import logging
from collections import Counter
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..tools.hours import Slots, to_utc, to_wall
from . import caps, numbers, rule_departure
from .bulk import update_rows
from .commit import CONFLICTS
from .forecast import leave_out_row
from .hours import Schedules, get_company_zone
from .message_states import QUEUED_STATES
from .private_log import log_failure

_logger = logging.getLogger(__name__)

# Messages that one statement moves.
PAGE = 5000
# When what went wrong at the gate is tried again.
POSTPONED = timedelta(minutes=5)
# Where the place of a recipient is not known, its time is not known either.
VAGUE = ("several", "country", "company")
NO_HOURS, TOO_LATE = "no_hours", "too_late"
OF_PLAN = (NO_HOURS, TOO_LATE, caps.REASON)


def is_free(schedules, account, company, purpose):
    """Say whether nothing limits when messages of a purpose leave, nor how many."""
    has_hours = schedules.get(account, company, purpose)
    return not has_hours and not caps.read_caps(company, purpose)


# --- single messages ------------------------------------------------------------------


def place_new(journal, vals_list, *, is_bulk=False):
    """Have new messages begin when they may leave. Their values are changed.

    :param list vals_list: as ``create`` of ``sms.devino.message`` gets them
    :param bool is_bulk: they are rows that one statement writes
    :raise UserError: when that time never comes; of many rows such a one is canceled
    """
    env = journal.env(su=True)
    schedules, limited = Schedules(env), {}
    for vals in vals_list:
        if vals.get("state") not in QUEUED_STATES or not vals.get("company_id"):
            continue
        key = (
            env["sms.devino.account"].browse(vals["account_id"]),
            env["res.company"].browse(vals["company_id"]),
            vals.get("purpose") or "service",
        )
        if not is_free(schedules, *key):
            limited.setdefault(key, []).append(vals)
    for key, of_key in limited.items():
        _place_alike(schedules, key, of_key, is_bulk)
    if limited and is_bulk:
        # rows that one statement writes have all the same keys
        for vals in vals_list:
            for name in ("scheduled_at", "use_until", "reason"):
                vals.setdefault(name, None)


def _place_alike(schedules, key, vals_list, is_bulk):
    account, company, _purpose = key
    schedule, now = schedules.get(*key), fields.Datetime.now()
    recipients = [(vals["number"], vals.get("partner_id")) for vals in vals_list]
    all_zones = schedule and schedules.find_zones(company, recipients)
    for index, vals in enumerate(vals_list):
        wanted = fields.Datetime.to_datetime(vals.get("scheduled_at")) or now
        found = schedule.find(wanted, all_zones[index][0]) if schedule else (wanted,)
        if not found and is_bulk:
            vals |= {"state": "canceled", "reason": NO_HOURS}
            continue
        if not found:
            raise UserError(
                account.env._(
                    "The sending hours of the account “%(account)s” never come for "
                    "this number: no hour suits all of its time zones. Change the "
                    "hours, or enter the region in the address of the contact.",
                    account=account.name,
                )
            )
        until = fields.Datetime.to_datetime(vals.get("use_until"))
        vals |= {
            "state": "scheduled",
            "scheduled_at": found[0],
            # a single message is valid for as long as it was, from then on
            "use_until": until and until + (found[0] - wanted) * (not is_bulk),
        }


# --- the gate -------------------------------------------------------------------------


def release_due(journal):
    """Queue a page of scheduled messages whose time has come.

    :param journal: an empty ``sms.devino.message``, with all rights
    :return: ids of the messages that were queued
    """
    now = fields.Datetime.now()
    _take_back(journal, now)
    due = journal.search_fetch(
        [("state", "=", "scheduled"), ("scheduled_at", "<=", now)],
        [
            *("account_id", "company_id", "purpose", "mode"),
            *("number", "partner_id", "use_until", "dedup_key"),
        ],
        order="scheduled_at, id",
        limit=PAGE,
    )
    gone = rule_departure.find_gone(due)
    rule_departure.cancel(gone)
    due -= gone
    schedules = Schedules(journal.env)
    groups = due.grouped(lambda m: (m.account_id, m.company_id, m.purpose))
    free = journal.concat(*(g for key, g in groups.items() if is_free(schedules, *key)))
    limited = due - free
    moved = journal._transition(
        "outgoing", [{"id": key, "leaves_until": None} for key in free.ids]
    )
    return moved + (_release_carefully(schedules, limited, now) if limited else [])


def _take_back(journal, now):
    """Take what did not leave in its hours out of the queue; the gate looks at it."""
    domain = [("state", "=", "outgoing"), ("leaves_until", "<=", now)]
    late = journal.search(domain, order="id", limit=PAGE)
    journal._transition(
        "scheduled",
        [{"id": key, "scheduled_at": now, "leaves_until": None} for key in late.ids],
        condition=SQL("m.state = 'outgoing'"),
    )


def _release_carefully(schedules, messages, now):
    """Release messages; when that fails they wait, and hold up nobody else."""
    try:
        with messages.env.cr.savepoint():
            moved = []
            for (account, company, purpose, mode), group in messages.grouped(
                lambda m: (m.account_id, m.company_id, m.purpose, m.mode)
            ).items():
                key = account, company, purpose
                moved += _release_alike(schedules, key, mode, group, now)
            return moved
    except CONFLICTS:
        raise
    except Exception:
        if messages.env.cr.closed:
            raise
        log_failure(_logger, "%s messages wait: finding their hours", len(messages))
        _postpone(messages, dict.fromkeys(messages.ids, now + POSTPONED))
        return []


def _postpone(messages, moments):
    """Have scheduled messages wait for another time; ``moments`` has it by id."""
    update_rows(
        messages.browse(),
        ["scheduled_at"],
        [{"id": key, "scheduled_at": at} for key, at in moments.items()],
        condition=SQL("m.state = 'scheduled'"),
    )


def _release_alike(schedules, key, mode, messages, now):
    _account, company, purpose = key
    schedule = schedules.get(*key)
    found = _find_all(schedule, schedules, company, messages, now)
    canceled, leaving, waiting = [], [], {}
    for message in messages:
        opens, closes = found[message.id] or (None, None)
        reason = None if opens else NO_HOURS
        if opens and message.use_until and opens > message.use_until:
            reason = TOO_LATE
        if reason:
            canceled.append({"id": message.id, "reason": reason, "error_text": None})
        elif opens > now:
            waiting[message.id] = opens
        else:
            leaving.append({"id": message.id, "leaves_until": closes})
    if waiting:
        _postpone(messages, waiting)
    leaving, held = caps.hold_back(company, purpose, mode, messages, leaving, now)
    messages._transition("canceled", canceled + held)
    return messages._transition("outgoing", leaving)


def _find_all(schedule, schedules, company, messages, now):
    """Return id of a message -> when it may leave and until when, or ``None``."""
    if not schedule:
        return dict.fromkeys(messages.ids, (now, None))
    recipients = [(message.number, message.partner_id.id) for message in messages]
    all_zones = schedules.find_zones(company, recipients)
    return {
        message.id: schedule.find(now, zones)
        for message, (zones, _source) in zip(messages, all_zones, strict=True)
    }


# --- a mass sending -------------------------------------------------------------------


class Plan:
    """When the messages of a mass sending leave.

    :param batch: ``sms.devino.batch``, one, with all rights
    :param int total: about how many there are, to spread them
    :param datetime begin: UTC, when a sending for now begins; now without it
    """

    def __init__(self, batch, total=0, begin=None):
        self.batch, self.company = batch, batch.company_id
        self.key = batch.account_id, batch.company_id, batch.purpose
        self.schedules = Schedules(batch.env)
        self.schedule = self.schedules.get(*self.key)
        self.caps = caps.read_caps(batch.company_id, batch.purpose)
        self.start = get_start(batch, begin)
        self.late = timedelta(hours=batch.late_hours) if batch.late_hours else None
        self.is_spread = batch._is_spread()
        self.is_local = batch.time_of == "recipient" and bool(batch.scheduled_at)
        self.is_simple = not (
            self.schedule or self.caps or self.is_spread or self.is_local
        )
        self._step = get_step(batch, total) if self.is_spread else timedelta()
        self._slots = Slots(self.start, self._step)
        self._index = 0
        self._hours, self._zones = Counter(), Counter()
        self._user_zone = batch.calculated_by_id.tz or get_company_zone(self.company)

    def find(self, moment, zones):
        """Return when a message may leave and until when, or ``None`` for never."""
        return self.schedule.find(moment, zones) if self.schedule else (moment, None)

    def want(self, zones, source):
        """Return when a message would leave if there were no hours."""
        if not self.is_local or source in VAGUE:
            return self.start
        return to_utc(to_wall(self.start, self._user_zone), zones[0])

    # --- rows of a draft ----------------------------------------------------------

    def place(self, rows):
        """Say when the rows of a draft leave, and leave out those that may not.

        :param list rows: dicts of columns of the journal; they are changed
        """
        for row in rows:
            row |= {"scheduled_at": None, "error_text": None}
        if self.is_simple:
            return
        going = [row for row in rows if row["state"] == "draft"]
        all_zones = self.schedules.find_zones(
            self.company, [(row["number"], row["partner_id"]) for row in going]
        )
        for row, place in zip(going, all_zones, strict=True):
            if reason := self._place_one(row, *place):
                leave_out_row(row, reason)
        caps.leave_out(self.batch, going, self.caps)
        self._count(going, all_zones)

    def _count(self, rows, all_zones):
        for row, place in zip(rows, all_zones, strict=True):
            if row["state"] == "draft":
                self._hours[row["scheduled_at"].replace(minute=0, second=0)] += 1
                self._zones[place] += 1

    def read_back(self, rows):
        """Take notice of rows that another run of the calculation has placed."""
        if self.is_simple:
            return
        rows = [
            row for row in rows if row["state"] == "draft" or row["reason"] in OF_PLAN
        ]
        all_zones = self.schedules.find_zones(
            self.company, [(row["number"], row["partner_id"]) for row in rows]
        )
        for row, place in zip(rows, all_zones, strict=True):
            self._place_one(dict(row), *place)
        self._count(rows, all_zones)

    def _place_one(self, row, zones, source):
        """Set the time of a row; return why there is none, if so."""
        wanted = self.want(zones, source) + self._index * self._step
        self._index += 1
        if self.is_spread:
            found = self._slots.take(zones, lambda moment: self.find(moment, zones))
        else:
            found = self.find(wanted, zones)
        if not found:
            return NO_HOURS
        if self.late is not None and found[0] - wanted > self.late:
            return TOO_LATE
        row["scheduled_at"] = found[0].replace(microsecond=0)
        return None

    def get_figures(self):
        """Return what the page of the draft shows, as a dict for a Json field.

        :return: empty when everything leaves at once, else ``start``; ``hours``, a
            dict of hour -> messages; ``zones``, a list of [zones, source, messages]
        """
        if self.is_simple:
            return {}
        hours = {fields.Datetime.to_string(at): n for at, n in self._hours.items()}
        zones = [[*place, count] for place, count in self._zones.items()]
        start = fields.Datetime.to_string(self.start)
        return {"departures": {"start": start, "hours": hours, "zones": zones}}

    # --- rows on their way into the queue -------------------------------------------

    def feed(self, rows):
        """Give rows of the draft their time, which the gate looks at again.

        :param rows: ``sms.devino.message``
        :return: how many were moved
        """
        if not rows:
            return 0
        all_zones = self.schedules.find_zones(
            self.company, [(row.number, row.partner_id.id) for row in rows]
        )
        shift, scheduled, canceled = self._find_shift(), [], []
        for row, (zones, source) in zip(rows, all_zones, strict=True):
            wanted = self.want(zones, source)
            if self.is_spread and row.scheduled_at:
                wanted = row.scheduled_at + shift
            found = self.find(max(wanted, fields.Datetime.now()), zones)
            until = wanted + self.late if self.late is not None else None
            if not found or (until and found[0] > until):
                reason = TOO_LATE if found else NO_HOURS
                canceled.append({"id": row.id, "reason": reason})
            else:
                until = earliest(until, self._get_end(found[0]))
                scheduled.append(
                    {"id": row.id, "scheduled_at": found[0], "use_until": until}
                )
        extra = SQL(
            "author_id = %s, largest_bulk = %s",
            self.batch.sent_by_id.id,
            numbers.bulk_sizes(self.batch),
        )
        moved = rows._transition("scheduled", scheduled, extra=extra)
        return len(moved + rows._transition("canceled", canceled, extra=extra))

    def _find_shift(self):
        """Return how much later than it was calculated the sending begins."""
        planned = (self.batch.figures or {}).get("departures") or {}
        begin = fields.Datetime.to_datetime(planned.get("start"))
        return self.start - begin if begin else timedelta()

    def _get_end(self, opens):
        minutes = self.batch.validity
        return opens + timedelta(minutes=minutes) if minutes else None


def get_start(batch, begin=None):
    """Return when a mass sending begins, by its own clock."""
    return batch.scheduled_at or batch.sent_at or begin or fields.Datetime.now()


def get_step(batch, total):
    """Return the time from one message of a spread sending to the next."""
    if batch.spread_rate:
        return timedelta(hours=1) / batch.spread_rate
    return timedelta(hours=batch.spread_hours) / max(total, 1)


def earliest(*moments):
    """Return the earliest of some moments, ``None`` without any."""
    return min(filter(None, moments), default=None)
