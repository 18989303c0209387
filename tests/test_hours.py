"""The arithmetic of sending hours and time zones, as tables."""

from datetime import datetime, timedelta

from odoo.tests import BaseCase, tagged

from ..tools.hours import Hours, Schedule, Slots
from ..tools.zones import (
    RUSSIA,
    find_zones,
    zones_of_number,
    zones_of_region,
    zones_of_state,
)

MOSCOW = ("Europe/Moscow",)
BERLIN = ("Europe/Berlin",)
ADVERTISING = Hours((9, 21), (9, 21))
DEBT = Hours((8, 22), (9, 20))
NIGHT = Hours((22, 6), (22, 6))
WORKING_ONLY = Hours((0, 24), (0, 0))

# zones, hours, moment (UTC) -> opens, closes. 27 November 2026 is a Friday.
OPENINGS = [
    # open, at the last second of the wait, over on the dot
    (MOSCOW, ADVERTISING, "11-27 10:00", "11-27 10:00", "11-27 18:00"),
    (MOSCOW, ADVERTISING, "11-27 05:59", "11-27 06:00", "11-27 18:00"),
    (MOSCOW, ADVERTISING, "11-27 18:00", "11-28 06:00", "11-28 18:00"),
    # days off have hours of their own
    (MOSCOW, DEBT, "11-27 18:30", "11-27 18:30", "11-27 19:00"),
    (MOSCOW, DEBT, "11-28 05:00", "11-28 06:00", "11-28 17:00"),
    (MOSCOW, DEBT, "11-29 17:00", "11-30 05:00", "11-30 19:00"),
    (MOSCOW, WORKING_ONLY, "11-27 22:00", "11-29 21:00", "11-30 21:00"),
    # past midnight: after it the hours of the day before go on
    (MOSCOW, NIGHT, "11-27 12:00", "11-27 19:00", "11-28 03:00"),
    (MOSCOW, NIGHT, "11-27 23:00", "11-27 23:00", "11-28 03:00"),
    (MOSCOW, NIGHT, "11-28 03:00", "11-28 19:00", "11-29 03:00"),
    # the other side of the date line has another weekday
    (("Pacific/Auckland",), DEBT, "11-27 12:30", "11-27 20:00", "11-28 07:00"),
    # clocks go forward on 29 March and back on 25 October
    (BERLIN, ADVERTISING, "03-28 21:00", "03-29 07:00", "03-29 19:00"),
    (BERLIN, ADVERTISING, "10-24 20:00", "10-25 08:00", "10-25 20:00"),
    # an hour that there is not, and one that comes twice, make the hours shorter
    (BERLIN, Hours((2.5, 4), (2.5, 4)), "03-29 00:00", "03-29 01:30", "03-29 02:00"),
    (BERLIN, Hours((1, 2.5), (1, 2.5)), "10-24 23:30", "10-24 23:30", "10-25 00:30"),
    (BERLIN, Hours((1, 2.5), (1, 2.5)), "10-25 00:45", "10-26 00:00", "10-26 01:30"),
    # only the hours that suit all zones of Russia
    (RUSSIA, ADVERTISING, "11-27 12:00", "11-28 07:00", "11-28 09:00"),
    (RUSSIA, DEBT, "11-27 12:00", "11-28 07:00", "11-28 08:00"),
]


def moment(text):
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M")


def is_weekend(day):
    return day.weekday() >= 5


@tagged("post_install", "-at_install", "sms_devino")
class TestHours(BaseCase):
    def test_openings(self):
        for zones, hours, asked, *expected in OPENINGS:
            with self.subTest(zones=zones, hours=hours, asked=asked):
                schedule = Schedule(hours, is_weekend)
                wanted = tuple(map(moment, expected))
                self.assertEqual(schedule.find(moment(asked), zones), wanted)
                # what is remembered says the same
                self.assertEqual(schedule.find(moment(asked), zones), wanted)

    def test_hours_that_never_come(self):
        asked = moment("11-27 12:00")
        closed = Schedule(Hours((9, 9), (9, 20)), lambda day: False)
        self.assertIsNone(closed.find(asked, MOSCOW))
        narrow = Schedule(Hours((10, 13), (10, 13)), is_weekend)
        self.assertIsNone(narrow.find(asked, RUSSIA))
        self.assertTrue(narrow.find(asked, MOSCOW))
        self.assertTrue(Hours((9, 9), (0, 0)).is_never)
        self.assertFalse(Hours((9, 9), (9, 20)).is_never)
        self.assertTrue(Hours().is_always)

    def test_earlier_and_later_moments_are_not_mixed_up(self):
        schedule = Schedule(ADVERTISING, is_weekend)
        for zones, hours, asked, opens, closes in reversed(OPENINGS):
            if hours == ADVERTISING:
                found = schedule.find(moment(asked), zones)
                self.assertEqual(found, (moment(opens), moment(closes)))


@tagged("post_install", "-at_install", "sms_devino")
class TestSlots(BaseCase):
    def take(self, count, *, per_hour, start, zones=(MOSCOW,)):
        schedule = Schedule(ADVERTISING, is_weekend)
        slots = Slots(moment(start), timedelta(hours=1) / per_hour)
        return [
            slots.take(one, lambda at, one=one: schedule.find(at, one))[0]
            for _number in range(count)
            for one in zones
        ]

    def test_messages_leave_evenly(self):
        self.assertEqual(
            self.take(3, per_hour=2, start="11-27 10:00"),
            [moment(f"11-27 {at}") for at in ("10:00", "10:30", "11:00")],
        )

    def test_what_does_not_fit_goes_on_the_next_day_at_the_same_pace(self):
        self.assertEqual(
            self.take(3, per_hour=2, start="11-27 17:30"),
            [
                moment("11-27 17:30"),
                moment("11-28 06:00"),
                moment("11-28 06:30"),
            ],
        )

    def test_recipients_of_several_zones_share_the_pace(self):
        zones = MOSCOW, ("Asia/Vladivostok",), RUSSIA
        times = self.take(40, per_hour=10, start="11-27 17:30", zones=zones)
        self.assertEqual(len(times), len(set(times)))
        schedule = Schedule(ADVERTISING, is_weekend)
        for index, at in enumerate(times):
            self.assertEqual(schedule.find(at, zones[index % 3])[0], at)


@tagged("post_install", "-at_install", "sms_devino")
class TestZones(BaseCase):
    def test_regions_as_public_registers_write_them(self):
        for name, zones in (
            ("г. Москва и Московская область", ["Europe/Moscow"]),
            ("г. Санкт-Петербург и Ленинградская область", ["Europe/Moscow"]),
            ("Приморский край", ["Asia/Vladivostok"]),
            ("Костромская обл.", ["Europe/Moscow"]),
            ("Омская область", ["Asia/Omsk"]),
            ("Томская область", ["Asia/Krasnoyarsk"]),
            ("Ямало-Ненецкий автономный округ", ["Asia/Yekaterinburg"]),
            ("Ненецкий автономный округ", ["Europe/Moscow"]),
            ("Сахалинская область", ["Asia/Magadan"]),
            ("Республика Саха /Якутия/", [*map("Asia/{}".format, YAKUTIA)]),
            ("Российская Федерация", []),
            ("", []),
        ):
            with self.subTest(name):
                self.assertEqual(list(zones_of_region(name)), zones)

    def test_numbers(self):
        for number, zones in (
            ("+79214563763", RUSSIA),
            ("+375291234567", ("Europe/Moscow",)),
            ("+12125551234", ("America/New_York",)),
            ("+491711234567", BERLIN),
            ("+888", ()),
        ):
            with self.subTest(number):
                expected = ("Europe/Minsk",) if "375" in number else zones
                self.assertIn(zones_of_number(number), (zones, expected))

    def test_state_by_its_code(self):
        self.assertEqual(zones_of_state("KGD"), ("Europe/Kaliningrad",))
        self.assertEqual(zones_of_state("X"), ())

    def test_what_is_known_of_a_recipient(self):
        moscow, vladivostok = "Europe/Moscow", "Asia/Vladivostok"
        both = tuple(sorted((moscow, vladivostok)))
        for given, zones, source in (
            ({"state": "PRI"}, (vladivostok,), "address"),
            ({"contact": moscow}, (moscow,), "contact"),
            ({"region": "Приморский край"}, (vladivostok,), "number"),
            # the time zone of a new contact is that of whoever creates it
            ({"contact": moscow, "state": "PRI"}, both, "several"),
            ({"contact": "Europe/Simferopol", "state": "MOW"}, (moscow,), "address"),
            ({"contact": "No/Where"}, RUSSIA, "country"),
            ({"region": "Российская Федерация"}, RUSSIA, "country"),
            ({}, RUSSIA, "country"),
        ):
            with self.subTest(given):
                self.assertEqual(find_zones("+79214563763", **given), (zones, source))
        self.assertEqual(
            find_zones("+888", company="Asia/Omsk"), (("Asia/Omsk",), "company")
        )


YAKUTIA = ("Magadan", "Vladivostok", "Yakutsk")
