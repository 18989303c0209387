"""Prices learned from what was charged: proposed, taken over, and the estimate is
right."""

import logging
import os
import random
from datetime import date, timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ..sandbox.checks import price_of
from ..services import batch_course, learned_prices
from ..tools.price_learning import Sample, learn
from ..tools.prices import Prices, Tariff
from .base_case import SmsCase
from .mass_case import MassCase

_logger = logging.getLogger(__name__)

DAY = date(2026, 3, 1)
# Beginnings for which the emulator takes four different prices.
CODES = ("7905", "7910", "7911", "7915", "7921", "7922", "7931", "7962")
COUNT = int(os.environ.get("SMS_DEVINO_LEARNED_COUNT", 320))


@tagged("post_install", "-at_install", "sms_devino")
class TestLearning(BaseCase):
    """The pure part: samples in, tariffs out."""

    def setUp(self):
        super().setUp()
        self.chance = random.Random(5)

    def samples(self, find, operator="", kind="service", sender="Shop"):
        """Return samples of each code; ``find`` tells the price by its digits."""
        return [
            self.sample(f"{code}{block:03}", operator, kind, sender, find)
            for code in CODES
            for block in range(0, 1000, 40)
        ]

    def sample(self, digits, operator, kind, sender, find, count=10):
        price = find(digits)
        return Sample(digits, operator, kind, sender, price, count, count, DAY)

    def assertLearned(self, samples, most, default=1.0, known=()):
        """At most so many tariffs are learned, and they tell the price of each."""
        found = learn(samples, default, list(known))
        tariffs = [one.tariff for one in found]
        prices = Prices(default, [*known, *tariffs])
        for one in samples:
            price = prices.find(one.digits, one.operator, one.kind, one.sender)
            self.assertAlmostEqual(price, one.price, msg=str(one))
        self.assertLessEqual(len(found), most)
        self.assertFalse(learn(samples, default, [*known, *tariffs]))
        return tariffs

    def test_one_price_is_one_tariff_of_the_country(self):
        samples = self.samples(lambda digits: 2.5)
        self.assertEqual(self.assertLearned(samples, 1), [Tariff(2.5, "7")])

    def test_right_prices_leave_nothing_to_learn(self):
        samples = self.samples(lambda digits: 2.5)
        self.assertFalse(learn(samples, 2.5, []))
        self.assertFalse(learn(samples, 1.0, [Tariff(2.5, "7")]))
        self.assertFalse(learn([], 1.0, []))

    def test_beginnings_grow_where_prices_differ(self):
        self.assertLearned(self.samples(lambda digits: float(price_of(digits))), 7)

    def test_operators_explain_with_fewer_tariffs_than_beginnings(self):
        samples = []
        for index, name in enumerate(("MTS", "MegaFon", "Beeline")):
            price = 3.0 + index
            part = self.samples(lambda digits, price=price: price, operator=name)
            samples += part[index::3]
        tariffs = self.assertLearned(samples, 3)
        self.assertEqual(
            {one.operator for one in tariffs if one.operator},
            {
                "MTS",
                "MegaFon",
                "Beeline",
            },
        )

    def test_kind_and_sender_are_told_where_they_matter(self):
        cheap, dear = (lambda digits: 2.0), (lambda digits: 5.0)
        samples = self.samples(cheap) + self.samples(dear, kind="advertising")
        for one in self.assertLearned(samples, 2):
            self.assertTrue(one.kind)
            self.assertFalse(one.sender)
        samples = self.samples(cheap) + self.samples(dear, sender="Other")
        for one in self.assertLearned(samples, 2):
            self.assertTrue(one.sender)
            self.assertFalse(one.kind)

    def test_wrong_tariffs_are_outvoted(self):
        samples = self.samples(lambda digits: 2.0)
        known = [Tariff(9.0, "7921"), Tariff(2.0, "7"), Tariff(3.0, kind="service")]
        self.assertEqual(
            self.assertLearned(samples, 1, known=known), [Tariff(2.0, "7921")]
        )

    def test_numbers_moved_to_another_operator_are_no_tariffs(self):
        samples = self.samples(lambda digits: 2.0)
        for one in self.chance.sample(samples, 20):
            moved = one.digits, "", one.kind, one.sender
            samples.append(self.sample(*moved, lambda digits: 3.0, count=1))
        found = learn(samples, 1.0, [])
        self.assertEqual([one.tariff for one in found], [Tariff(2.0, "7")])
        self.assertEqual(found[0].count, 2000)


@tagged("post_install", "-at_install", "sms_devino")
class TestProposals(SmsCase):
    def charge(self, price, number="+79214563763", count=5, days_ago=0, **values):
        """Have messages that the provider has charged."""
        at = fields.Datetime.now() - timedelta(days=days_ago)
        for _index in range(count):
            message = self.enqueue(number).sudo()
            message.write(
                {
                    "state": "delivered",
                    "mode": "live",
                    "accepted_at": at,
                    "cost": price,
                    **values,
                }
            )

    def refresh(self):
        learned_prices.refresh(self.account)
        tariffs = self.env["sms.devino.tariff"]
        return tariffs.search([("account_id", "=", self.account.id)])

    def estimate(self, number="79214563763"):
        return self.enqueue(number, "An estimate").cost_estimated

    def test_proposal_prices_nothing_until_it_is_taken_over(self):
        self.charge(2.5)
        tariff = self.refresh()
        self.assertTrue(tariff.is_proposed)
        self.assertEqual((tariff.prefix, tariff.price), ("7", 2.5))
        self.assertEqual(tariff.sample_count, 5)
        self.assertEqual(tariff.sample_date, fields.Date.today())
        self.assertEqual(self.estimate(), 1.0)
        tariff.with_env(self.env_of("admin")).action_take_over()
        self.assertFalse(tariff.is_proposed)
        self.assertEqual(self.estimate(), 2.5)
        self.assertEqual(self.refresh(), tariff)

    def test_taken_over_it_replaces_the_price_for_the_same_messages(self):
        tariffs = self.env["sms.devino.tariff"]
        old = tariffs.create(
            {"account_id": self.account.id, "prefix": "7", "price": 2, "name": "RU"}
        )
        self.charge(2.5)
        proposal = self.refresh() - old
        proposal.action_take_over()
        self.assertFalse(proposal.exists())
        self.assertEqual((old.name, old.price, old.sample_count), ("RU", 2.5, 5))

    def take_over_beside(self, **values):
        """Take over a proposal beside a tariff for the same; return both."""
        old = self.env["sms.devino.tariff"].create(
            {"account_id": self.account.id, "prefix": "7", "price": 2, **values}
        )
        self.charge(2.5)
        proposal = self.refresh() - old
        self.assertEqual(proposal.prefix, "7")
        proposal.action_take_over()
        self.assertEqual(self.estimate(), 2.5)
        return old, proposal

    def test_taken_over_it_follows_a_tariff_that_has_ended(self):
        today = fields.Date.today()
        old, new = self.take_over_beside(date_to=today - timedelta(days=1))
        self.assertEqual((old.price, new.date_from), (2, today))

    def test_taken_over_it_takes_the_place_of_an_archived_tariff(self):
        old, new = self.take_over_beside(active=False)
        self.assertFalse(old.exists())
        self.assertFalse(new.date_from)

    def test_overview_of_a_branch_asks_nothing_that_is_decided_above(self):
        self.charge(2.5)
        self.refresh()
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.people["admin"].write(
            {"company_ids": [(6, 0, branch.ids)], "company_id": branch.id}
        )
        lines = self.env_of("admin")["sms.devino.day"].get_overview()["attention"]
        self.assertFalse([one for one in lines if "take over" in one["text"]])

    def test_proposals_are_made_anew_and_a_declined_one_stays_away(self):
        self.charge(2.5)
        first = self.refresh()
        again = self.refresh()
        self.assertFalse(first.exists())
        self.assertEqual(len(again), 1)
        again.action_archive()
        self.assertFalse(self.refresh())
        self.charge(3.5, count=50)
        self.assertEqual(self.refresh().price, 3.5)

    def test_new_price_outweighs_an_old_one(self):
        self.charge(2.5, count=9, days_ago=60)
        self.charge(3.5, count=4)
        self.assertEqual(self.refresh().price, 3.5)

    def test_what_is_old_or_of_test_mode_or_not_delivered_teaches_nothing(self):
        self.charge(2.5, days_ago=91)
        self.charge(2.5, mode="test")
        self.charge(2.5, state="undelivered")
        self.assertFalse(self.refresh())

    def test_operators_are_learned_as_the_ranges_name_them_now(self):
        self.env["sms.devino.range"].create(
            {
                "code": "921",
                "first": "0000000",
                "last": "9999999",
                "operator": "MegaFon",
            }
        )
        self.charge(2.5)
        self.charge(4.0, "+79104563763", operator="Gone")
        found = {one.operator: one.price for one in self.refresh()}
        self.assertNotIn("Gone", found)
        self.refresh().action_take_over()
        self.assertEqual(self.estimate(), 2.5)
        self.assertEqual(self.estimate("79104563763"), 4.0)

    def test_administrator_learns_at_the_press_of_a_button(self):
        for kind in ("user", "manager"):
            with self.assertRaises(AccessError):
                self.account.with_env(self.env_of(kind)).action_learn_prices()
        account = self.account.with_env(self.env_of("admin"))
        self.assertEqual(account.action_learn_prices()["tag"], "display_notification")
        self.charge(2.5)
        action = account.action_learn_prices()
        self.assertEqual(action["res_model"], "sms.devino.tariff")
        lines = self.env_of("admin")["sms.devino.day"].get_overview()["attention"]
        self.assertIn("to take over: 1", lines[-1]["text"])
        lines = self.env_of("manager")["sms.devino.day"].get_overview()["attention"]
        self.assertFalse(lines)


@tagged("post_install", "-at_install", "sms_devino")
class TestLearnedFromTheProvider(MassCase):
    """Mass sendings through an uneven tariff, over real HTTP."""

    def setUp(self):
        super().setUp()
        self.provider.set_balance(1_000_000)

    def work(self, run, states):
        """Do what the scheduled action does until no message is in these states."""
        for _run in range(100):
            if not self.states().keys() & states:
                return
            run()
        self.fail(f"still there: {self.states()}")

    def send_to(self, first):
        """Send to numbers of all codes; return estimate, cost and difference in %."""
        numbers = [
            f"{CODES[index % len(CODES)]}{(first + index) % 100_000:05}00"
            for index in range(COUNT)
        ]
        list_id = self.make_list(numbers, name=f"Test: {first}")
        batch_id = self.send_mass(list_ids=[(6, 0, [list_id])])
        self.work(self.dispatch, {"draft", "outgoing", "sending"})
        self.provider.advance(3600)
        self.work(self.check_statuses, {"sent"})
        with self.transaction() as env:
            batch = env["sms.devino.batch"].browse(batch_id)
            batch_course.follow(batch)
            return batch.cost_estimated, batch.cost, batch.cost_difference

    def test_estimate_of_the_next_mass_sending_is_within_one_percent(self):
        estimate, cost, difference = self.send_to(0)
        self.assertEqual(estimate, COUNT)
        self.assertGreater(cost, 1.5 * COUNT)
        self.assertAlmostEqual(difference, 100 * cost / estimate - 100, 1)
        with self.transaction(self.users["admin"]) as env:
            account = env["sms.devino.account"].browse(self.account_id)
            account.action_learn_prices()
            account.tariff_ids.action_take_over()
            learned = len(account.tariff_ids)
        estimate, cost, difference = self.send_to(50_000)
        _logger.info(
            "%s messages, %s tariffs learned: the next ones were estimated at %.2f and "
            "cost %.2f (%+.2f %%)",
            *(COUNT, learned, estimate, cost, difference),
        )
        self.assertLess(abs(estimate - cost), 0.01 * cost)
        self.assertLess(abs(difference), 1)

    def test_account_whose_prices_cannot_be_learned_holds_up_no_other(self):
        with self.transaction() as env:
            first = env["sms.devino.account"].browse(self.account_id)
            first.sender_ids.paid_until = fields.Date.today()
            first.activity_ids.unlink()
            first.sender_ids.renewal_asked_for = False
            other = self._create_account(env, name="Other", sequence=20)
            # more than a tariff may be
            for account, price in ((first, 2e9), (other, 2.5)):
                self.charge(account, price)
        loggers = ("odoo.sql_db", "odoo.addons.sms_devino.services.jobs")
        with mute_logger(*loggers), self.transaction() as env:
            env["sms.devino.account"]._cron_prices()
        with self.transaction() as env:
            first, other = env["sms.devino.account"].browse([first.id, other.id])
            self.assertTrue(first.activity_ids)
            self.assertFalse(first.tariff_ids)
            self.assertEqual(other.tariff_ids.price, 2.5)

    def charge(self, account, price):
        for _index in range(5):
            message = account.env["sms.devino.message"].enqueue(
                "79214563763", "Hello", account=account
            )
            message.write(
                {
                    "state": "delivered",
                    "accepted_at": fields.Datetime.now(),
                    "cost": price,
                }
            )
