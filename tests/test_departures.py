"""Messages leave in the sending hours of their recipients, whatever happens."""

import time
from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..services import departures
from .base_case import SmsCase
from .mass_case import MassCase

# A Tuesday. In Kaliningrad it is two hours later, in Moscow three, in Vladivostok ten.
DAY = datetime(2026, 3, 10)
REGIONS = {"KGD": "+79211111101", "MOW": "+79211111202", "PRI": "+79211111303"}
# What an account begins with, and the hours of advertising switched on.
DEFAULTS = {
    "hours_advertising_on": True,
    **{"hours_advertising_from": 9, "hours_advertising_to": 21},
    **{"hours_advertising_off_from": 9, "hours_advertising_off_to": 21},
    **{"hours_debt_from": 8, "hours_debt_to": 22},
    **{"hours_debt_off_from": 9, "hours_debt_off_to": 20},
}

SOON = timedelta(hours=12, minutes=30)


def at(hour, minute=0, days=0):
    """The clock of everything but the database shows this time, and goes on."""
    moment = DAY + timedelta(days=days, hours=hour, minutes=minute)
    return freeze_time(moment, tick=True)


class TimedCase(MassCase):
    """An account with the hours that it begins with, contacts in three time zones."""

    clock = staticmethod(lambda: time.time())

    def setUp(self):
        super().setUp()
        self.addCleanup(self._remove_contacts)
        with self.transaction() as env:
            env.company.partner_id.tz = "Europe/Moscow"
            states = env["res.country.state"]
            self.contact_ids = [
                env["res.partner"]
                .create(
                    {
                        "name": code,
                        "phone": number,
                        "country_id": env.ref("base.ru").id,
                        "state_id": states.search(
                            [("country_id.code", "=", "RU"), ("code", "=", code)]
                        ).id,
                        "tz": False,
                    }
                )
                .id
                for code, number in REGIONS.items()
            ]
            env["res.users"].browse(self.users.values()).tz = "Europe/Moscow"

    def _create_account(self, env, **values):
        return super()._create_account(env, **{**DEFAULTS, **values})

    def _remove_contacts(self):
        with self.transaction() as env:
            env["res.partner"].browse(self.contact_ids).unlink()

    def draft_to_contacts(self, **values):
        return self.prepare(
            list_ids=False, partner_ids=[Command.set(self.contact_ids)], **values
        )

    def ledger(self):
        """Return the regions whose contact's message has left, in order."""
        codes = {number.removeprefix("+"): code for code, number in REGIONS.items()}
        return [codes.get(entry.number, "?") for entry in self.provider.ledger]

    def times(self, batch_id):
        """Return when the messages of a sending leave: number -> hour and minute."""
        with self.transaction() as env:
            rows = env["sms.devino.message"].search([("batch_id", "=", batch_id)])
            return {row.number: row.scheduled_at.replace(second=0) for row in rows}

    def dispatch_at(self, *moment, **days):
        with at(*moment, **days):
            self.dispatch()


@tagged("post_install", "-at_install", "sms_devino")
class TestDepartures(TimedCase):
    def test_mass_sending_leaves_in_the_hours_of_each_zone(self):
        with at(4):
            batch_id = self.draft_to_contacts()
            shown = str(self.read_batch(batch_id, "departures"))
            for bar in ("07:00", "09:00", "10:00"):
                self.assertIn(bar, shown)
            self.assertIn("by the address of the contact", shown)
            self.assertIn("last about", self.read_batch(batch_id, "departure"))
            self.approve(batch_id)
            self.dispatch()
        self.assertEqual(self.ledger(), ["PRI"])
        self.dispatch_at(5, 59)
        self.assertEqual(self.ledger(), ["PRI"])
        self.dispatch_at(6, 1)
        self.assertEqual(self.ledger(), ["PRI", "MOW"])
        self.dispatch_at(7, 1)
        self.assertEqual(self.ledger(), ["PRI", "MOW", "KGD"])
        self.assertEqual(self.read_batch(batch_id, "state"), "done")
        self.assertLedgerIsJournal()

    def test_what_leaves_late_because_the_server_was_off_waits_for_the_next_hours(self):
        with at(4):
            batch_id = self.approve(self.draft_to_contacts())
        # in Vladivostok it is 5 in the morning, in Moscow 22, in Kaliningrad 21
        self.dispatch_at(19)
        self.assertEqual(self.ledger(), [])
        self.assertEqual(
            sorted(self.times(batch_id).values()),
            [DAY + timedelta(hours=hour) for hour in (23, 30, 31)],
        )
        self.dispatch_at(23, 5)
        self.assertEqual(self.ledger(), ["PRI"])

    def test_what_waited_in_the_queue_too_long_waits_for_the_next_hours(self):
        with at(17, 30):
            message_id = self.enqueue(REGIONS["MOW"], purpose="advertising")
            self.assertEqual(self.read(message_id, "state"), "scheduled")
            self.set_account(paused_until=fields.Datetime.now() + timedelta(minutes=10))
            self.place_in(message_id, "MOW")
            self.dispatch()
            self.assertEqual(self.read(message_id, "state"), "outgoing")
        self.dispatch_at(18, 1)
        self.assertEqual(self.ledger(), [])
        self.assertEqual(
            self.read(message_id, "state", "scheduled_at"),
            ("scheduled", DAY + timedelta(hours=30)),
        )
        self.dispatch_at(6, 1, days=1)
        self.assertEqual(self.ledger(), ["MOW"])

    def place_in(self, message_id, code):
        """Have a message belong to the contact of a region, due now."""
        with self.transaction() as env:
            env["sms.devino.message"].browse(message_id).write(
                {
                    "partner_id": self.contact_ids[list(REGIONS).index(code)],
                    "scheduled_at": fields.Datetime.now(),
                }
            )

    def set_account(self, **values):
        with self.transaction() as env:
            env["sms.devino.account"].browse(self.account_id).write(values)

    def test_change_of_the_hours_counts_for_what_is_in_the_queue(self):
        with at(12):
            batch_id = self.approve(self.draft_to_contacts(purpose="service"))
            self.assertEqual(self.states(), {"outgoing": 3})
            self.set_account(hours_service_from=13, hours_service_to=14)
            self.dispatch()
        # it is 14 in Kaliningrad, 15 in Moscow, 22 in Vladivostok
        self.assertEqual(self.ledger(), [])
        self.assertEqual(self.rows(batch_id, "reason", state="scheduled"), [False] * 3)

    def test_failure_lets_nothing_out_and_holds_nobody_else_up(self):
        with at(12):
            message_id = self.enqueue(REGIONS["MOW"], purpose="advertising")
            self.place_in(message_id, "MOW")
            service_id = self.enqueue(REGIONS["PRI"], "Your order")
            with self.transaction() as env:
                env.cr.execute(
                    "UPDATE sms_devino_account SET hours_advertising_from = 'NaN'"
                )
            with mute_logger("odoo.addons.sms_devino.services.departures"):
                self.dispatch()
        self.assertEqual(self.read(service_id, "state"), "sent")
        self.assertEqual(self.read(message_id, "state"), "scheduled")
        self.set_account(hours_advertising_from=9)
        self.dispatch_at(12, 6)
        self.assertEqual(self.read(message_id, "state"), "sent")

    def test_mass_sending_whose_hours_cannot_be_found_is_paused(self):
        with at(12):
            batch_id = self.approve(self.draft_to_contacts(scheduled_at=DAY + SOON))
            with self.transaction() as env:
                env.cr.execute(
                    "UPDATE sms_devino_account SET hours_advertising_from = 'NaN'"
                )
        service_id = self.enqueue(REGIONS["PRI"], "Your order")
        with at(12, 50), mute_logger("odoo.addons.sms_devino.services.batch_course"):
            self.dispatch()
        self.assertEqual(self.read(service_id, "state"), "sent")
        self.assertEqual(self.read_batch(batch_id, "state"), "paused")
        self.assertIn("Resume tries", self.read_batch(batch_id, "error_text"))
        self.set_account(hours_advertising_from=9)
        with at(13):
            self.press(batch_id, "action_resume")
            self.dispatch()
        first, *others = self.ledger()
        # two calls side by side, in no order
        self.assertEqual((first, sorted(others)), ("PRI", ["KGD", "MOW"]))
        self.assertFalse(self.read_batch(batch_id, "error_text"))

    def test_too_late_is_left_out_or_canceled(self):
        with at(4):
            batch_id = self.draft_to_contacts(late_hours=2)
            left_out = self.rows(batch_id, "number", "reason", state="left_out")
            self.assertEqual(left_out, [(REGIONS["KGD"], "too_late")])
            self.approve(batch_id)
            self.dispatch()
        self.assertEqual(self.ledger(), ["PRI"])
        # the server was off: the hours of Moscow come again a day later
        self.dispatch_at(19)
        canceled = self.rows(batch_id, "number", "reason", state="canceled")
        self.assertEqual(canceled, [(REGIONS["MOW"], "too_late")])
        self.assertEqual(self.ledger(), ["PRI"])

    def test_recipients_time(self):
        with at(0):
            batch_id = self.draft_to_contacts(
                # 12 o'clock of the person in Moscow, tomorrow
                scheduled_at=DAY + timedelta(days=1, hours=9),
                time_of="recipient",
            )
            self.approve(batch_id)
            self.assertEqual(self.read_batch(batch_id, "state"), "scheduled")
        with at(10):
            self.dispatch()
            self.dispatch()
            self.assertEqual(self.read_batch(batch_id, "state"), "running")
        noons = {"KGD": 34, "MOW": 33, "PRI": 26}
        self.assertEqual(
            self.times(batch_id),
            {REGIONS[c]: DAY + timedelta(hours=hour) for c, hour in noons.items()},
        )
        self.dispatch_at(2, 1, days=1)
        self.assertEqual(self.ledger(), ["PRI"])

    def check_spread(self, **values):
        """Ten messages leave half an hour apart."""
        with at(8):
            batch_id = self.prepare(purpose="service", **values)
            planned = sorted(self.times(batch_id).values())
            steps = {b - a for a, b in zip(planned, planned[1:], strict=False)}
            self.assertEqual(steps, {timedelta(minutes=30)})
            self.approve(batch_id)
            self.dispatch()
        self.assertEqual(len(self.provider.ledger), 1)
        self.dispatch_at(9, 1)
        self.assertEqual(len(self.provider.ledger), 3)
        self.assertLedgerIsJournal()

    def test_spread_at_a_pace(self):
        self.check_spread(spread_rate=2)

    def test_spread_over_hours(self):
        self.check_spread(spread_hours=5)

    def test_spread_that_was_calculated_long_ago_is_not_sent(self):
        with at(8):
            batch_id = self.prepare(purpose="service", spread_rate=2)
        with at(9, 30), self.assertRaisesRegex(UserError, "Calculate again"):
            self.approve(batch_id)

    def test_times_that_contradict_each_other_are_refused(self):
        for values, words in (
            ({"spread_rate": 2, "spread_hours": 3}, "one of the two"),
            ({"spread_rate": 2, "time_of": "recipient"}, "My time"),
        ):
            batch_id = self.prepare(purpose="service", **values)
            self.assertIn(words, self.read_batch(batch_id, "error_text"))

    def test_working_calendar_without_working_days_is_named(self):
        self.set_account(hours_debt_off_from=9, hours_debt_off_to=9)
        with self.transaction() as env:
            calendar = env.company.resource_calendar_id
            leave = env["resource.calendar.leaves"].create(
                {
                    "name": "Closed",
                    "calendar_id": calendar.id,
                    "date_from": DAY - timedelta(days=2),
                    "date_to": DAY + timedelta(days=50),
                }
            )
        self.addCleanup(self._remove_leave, leave.id)
        with at(8):
            batch_id = self.prepare(purpose="debt")
        self.assertIn("never come", self.read_batch(batch_id, "error_text"))

    def _remove_leave(self, key):
        with self.transaction() as env:
            env["resource.calendar.leaves"].browse(key).unlink()

    def test_holiday_has_the_hours_of_days_off(self):
        with self.transaction() as env:
            leave = env["resource.calendar.leaves"].create(
                {
                    "name": "Holiday",
                    "calendar_id": env.company.resource_calendar_id.id,
                    "date_from": DAY - timedelta(hours=3),
                    "date_to": DAY + timedelta(hours=21),
                }
            )
        self.addCleanup(self._remove_leave, leave.id)
        with at(3):
            batch_id = self.draft_to_contacts(purpose="debt")
        hours = {"KGD": 7, "MOW": 6, "PRI": 3}
        self.assertEqual(
            self.times(batch_id),
            {REGIONS[c]: DAY + timedelta(hours=hour) for c, hour in hours.items()},
        )


@tagged("post_install", "-at_install", "sms_devino")
class TestSingleDepartures(SmsCase):
    def setUp(self):
        super().setUp()
        self.enterContext(at(19))
        self.account.hours_advertising_on = True
        self.partner = self.env["res.partner"].create(
            {"name": "Anna", "phone": "+79214563763", "tz": "Europe/Moscow"}
        )

    def test_outside_its_hours_a_message_waits_for_the_next_ones(self):
        message = self.enqueue(purpose="advertising", partner=self.partner, validity=60)
        opens = DAY + timedelta(hours=30)
        self.assertEqual((message.state, message.scheduled_at), ("scheduled", opens))
        self.assertEqual(message.use_until, opens + timedelta(hours=1))
        self.assertIn("Europe/Moscow", message.recipient_time)
        debt = self.enqueue(purpose="debt", partner=self.partner)
        self.assertEqual(debt.scheduled_at, DAY + timedelta(hours=29))

    def test_advertising_has_hours_only_where_they_are_switched_on(self):
        self.account.hours_advertising_on = False
        message = self.enqueue(purpose="advertising", partner=self.partner)
        self.assertEqual(message.state, "outgoing")
        debt = self.enqueue(purpose="debt", partner=self.partner)
        self.assertEqual(debt.state, "scheduled")

    def test_service_leaves_at_once_and_costs_nothing_more(self):
        self.assertEqual(self.enqueue().state, "outgoing")
        vals = {
            "state": "outgoing",
            "account_id": self.account.id,
            "company_id": self.company.id,
            "number": "+79214563763",
        }
        self.env.flush_all()
        self.assertTrue(self.account.name)
        with self.assertQueryCount(0):
            departures.place_new(self.env["sms.devino.message"], [vals])
        self.assertEqual(vals["state"], "outgoing")

    def test_zone_by_the_range_of_the_number(self):
        self.env["sms.devino.range"].create(
            {
                "code": "921",
                "first": "4000000",
                "last": "4999999",
                "region": "Приморский край",
            }
        )
        message = self.enqueue(purpose="advertising")
        self.assertEqual(message.scheduled_at, DAY + timedelta(hours=23))
        self.assertIn("by the range of the number", message.recipient_time)
        other = self.enqueue("79215000000", purpose="advertising")
        self.assertEqual(other.scheduled_at, DAY + timedelta(hours=31))
        self.assertIn("only the country is known", other.recipient_time)

    def test_hours_that_suit_no_recipient_are_refused(self):
        self.account.write(
            {"hours_advertising_from": 10, "hours_advertising_to": 11}
            | {"hours_advertising_off_from": 10, "hours_advertising_off_to": 11}
        )
        with self.assertRaisesRegex(UserError, "never come"):
            self.enqueue(purpose="advertising")
        self.assertTrue(self.enqueue(purpose="advertising", partner=self.partner))

    def test_hours_that_never_open_or_are_none_are_refused(self):
        for values, words in (
            (
                {"hours_debt_from": 9, "hours_debt_to": 9}
                | {"hours_debt_off_from": 0, "hours_debt_off_to": 0},
                "could never leave",
            ),
            ({"hours_debt_from": 25}, "from 0 to 24"),
            ({"hours_debt_from": -1}, "from 0 to 24"),
        ):
            with self.assertRaisesRegex(ValidationError, words):
                self.account.write(values)

    def test_message_sent_now_outside_its_hours_still_waits(self):
        message = self.enqueue(purpose="advertising", partner=self.partner)
        message.sudo().action_send_now()
        self.env["sms.devino.message"].sudo()._release_due()
        self.assertEqual(message.scheduled_at, DAY + timedelta(hours=30))


@tagged("post_install", "-at_install", "sms_devino")
class TestRanges(SmsCase):
    def load(self, *rows):
        names = ["code", "first", "last", "operator", "region"]
        return self.env_of("admin")["sms.devino.range"].load(names, list(rows))

    def test_table_is_loaded_by_the_import_of_odoo(self):
        result = self.load(
            ["900", "0000000", "0061999", "Operator A", "Краснодарский край"],
            ["900", "62000", "62999", "Operator B", "Ростовская область"],
        )
        self.assertEqual(len(result["ids"]), 2)
        found = self.env["sms.devino.range"].browse(result["ids"])
        self.assertEqual(found[1].low, "+79000062000")
        self.assertEqual(found[0].zones, "Europe/Moscow")

    def test_what_is_no_range_is_refused(self):
        for row in (
            ["9000", "0000000", "0061999", "", ""],
            ["900", "0061999", "0000000", "", ""],
            ["900", "ABC", "0061999", "", ""],
        ):
            result = self.load(row)
            self.assertFalse(result["ids"])
            self.assertIn("no range of numbers", result["messages"][0]["message"])
