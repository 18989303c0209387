from datetime import date, datetime
from types import SimpleNamespace

from odoo.tests import BaseCase, tagged

from ..services.rule_when import Schedule, Window

MOSCOW, BERLIN = "Europe/Moscow", "Europe/Berlin"


def schedule(zone=MOSCOW, **values):
    rule = {
        "kind": "date",
        "date_field": "date",
        "delay": 0,
        "delay_unit": "days",
        "delay_side": "before",
        "at_hour": True,
        "hour": 10.0,
        **values,
    }
    return Schedule(SimpleNamespace(**rule), zone)


def moments(value, *, start="2025-01-01", end="2029-01-01", **values):
    start, end = map(datetime.fromisoformat, (start, end))
    return [due.moment for due in schedule(**values).find(1, value, start, end)]


@tagged("post_install", "-at_install")
class TestSchedule(BaseCase):
    def test_a_date_counts_from_its_hour_in_the_time_zone(self):
        for values, expected in (
            ({}, datetime(2026, 3, 10, 7)),
            ({"hour": 9.5}, datetime(2026, 3, 10, 6, 30)),
            ({"delay": 3}, datetime(2026, 3, 7, 7)),
            ({"delay": 3, "delay_side": "after"}, datetime(2026, 3, 13, 7)),
            ({"delay": 2, "delay_unit": "hours"}, datetime(2026, 3, 10, 5)),
            ({"delay": 1, "delay_unit": "months"}, datetime(2026, 2, 10, 7)),
        ):
            with self.subTest(values):
                self.assertEqual(moments(date(2026, 3, 10), **values), [expected])

    def test_a_time_counts_to_the_minute_or_from_a_fixed_hour(self):
        value = datetime(2026, 3, 10, 22, 15)  # the 11th in Moscow
        for values, expected in (
            ({"delay": 30, "delay_unit": "minutes"}, datetime(2026, 3, 10, 21, 45)),
            ({"delay": 1, "at_hour": True}, datetime(2026, 3, 10, 7)),
            ({"delay": 1, "at_hour": False}, datetime(2026, 3, 9, 22, 15)),
        ):
            with self.subTest(values):
                self.assertEqual(moments(value, **values), [expected])

    def test_the_hour_stays_when_the_clocks_change(self):
        found = moments(date(2026, 3, 30), zone=BERLIN, delay=2)
        self.assertEqual(found, [datetime(2026, 3, 28, 9)])
        found = moments(date(2026, 3, 30), zone=BERLIN)
        self.assertEqual(found, [datetime(2026, 3, 30, 8)])

    def test_a_day_of_the_year_comes_each_year_also_the_29th_of_february(self):
        found = moments(date(1996, 2, 29), kind="yearly", start="2026-01-01")
        self.assertEqual(
            [m.date() for m in found],
            [
                date(2026, 2, 28),
                date(2027, 2, 28),
                date(2028, 2, 29),
            ],
        )

    def test_the_end_of_a_year_is_no_border(self):
        found = moments(
            date(1990, 1, 1),
            kind="yearly",
            delay=1,
            start="2026-12-30",
            end="2027-01-02",
        )
        self.assertEqual(found, [datetime(2026, 12, 31, 7)])

    def test_only_what_lies_in_the_time_asked_for_is_due(self):
        value = datetime(2026, 3, 10, 12)
        for start, end, expected in (
            ("2026-03-10 11:59", "2026-03-10 12:00", 1),
            ("2026-03-10 12:00", "2026-03-10 13:00", 0),
        ):
            with self.subTest(start):
                found = moments(value, start=start, end=end, delay_unit="minutes")
                self.assertEqual(len(found), expected)


@tagged("post_install", "-at_install")
class TestWindow(BaseCase):
    def open_at(self, moment, **values):
        rule = {"weekdays": "all", "hour_from": 9.0, "hour_to": 21.0, **values}
        window = Window(SimpleNamespace(**rule), MOSCOW)
        return window.next_open(moment)

    def test_a_message_waits_for_the_next_hours_that_are_allowed(self):
        for moment, values, expected in (
            # 2026-11-27 is a Friday
            ((27, 10), {}, (27, 10)),
            ((27, 3), {}, (27, 6)),
            ((27, 18), {}, (28, 6)),
            ((27, 18), {"weekdays": "workdays"}, (30, 6)),
            ((28, 10), {"weekdays": "no_sunday"}, (28, 10)),
            ((29, 10), {"weekdays": "no_sunday"}, (30, 6)),
            ((29, 10), {"hour_from": 0.0, "hour_to": 24.0}, (29, 10)),
        ):
            with self.subTest(moment=moment, **values):
                self.assertEqual(
                    self.open_at(datetime(2026, 11, *moment), **values),
                    datetime(2026, 11, *expected),
                )
