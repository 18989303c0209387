"""Limits of what people send, and the approval of a second person."""

from psycopg2.errors import CheckViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..services.permission import ACTIVITY
from .base_case import SmsCase
from .mass_case import MassCase


@tagged("post_install", "-at_install", "sms_devino")
class TestLimits(SmsCase):
    def limit(self, **values):
        return self.env["sms.devino.limit"].create(
            {"company_id": self.company.id, **values}
        )

    def send(self, kind="user", number="8 921 456-37-63", text="Hello"):
        composer = (
            self.env_of(kind)["sms.composer"]
            .with_context(
                default_composition_mode="numbers", default_sms_devino_direct=True
            )
            .create(
                {
                    "sms_devino_account_id": self.account.id,
                    "sms_devino_sender_id": self.sender.id,
                    "sms_devino_number": number,
                    "body": text,
                }
            )
        )
        composer.action_send_sms()

    def test_a_person_sends_no_more_than_the_limit_of_a_day(self):
        self.limit(message_count=2)
        self.send(text="One")
        self.send(text="Two")
        with self.assertRaisesRegex(UserError, "at most 2; 0 is left.*Limits"):
            self.send(text="Three")
        self.send("colleague", text="Three")

    def test_the_limit_of_a_company_counts_everybody(self):
        self.limit(scope="company", message_count=2)
        self.send(text="One")
        self.send("colleague", text="Two")
        with self.assertRaisesRegex(UserError, "The whole company"):
            self.send("manager", text="Three")

    def test_money_is_limited_too(self):
        self.account.price_per_segment = 2.5
        self.limit(period="month", cost=5)
        self.send(text="One")
        self.send(text="Two")
        with self.assertRaisesRegex(UserError, "in a month: at most 5.*0.* is left"):
            self.send(text="Three")

    def test_several_numbers_at_once_count_one_by_one(self):
        self.limit(message_count=2)
        with self.assertRaisesRegex(UserError, "at most 2; 2 is left"):
            self.send(number="89214563763, 89214563764, 89214563765")

    def test_canceled_and_refused_messages_count_for_nobody(self):
        self.limit(message_count=1)
        self.send(text="One")
        message = self.env["sms.devino.message"].search([("body", "=", "One")])
        message.action_cancel()
        self.send(text="Two")

    def test_automatic_messages_have_no_limit(self):
        self.limit(scope="company", message_count=1)
        self.send()
        self.assertTrue(self.enqueue(text="Your order is ready"))

    def test_a_limit_of_nothing_is_refused(self):
        for values in ({}, {"message_count": -1}, {"cost": -1}):
            with self.assertRaises(CheckViolation), mute_logger("odoo.sql_db"):
                with self.env.cr.savepoint():
                    self.limit(**values)

    def test_approval_needs_two_managers(self):
        manager = self.people["manager"]
        with self.assertRaisesRegex(ValidationError, "at least two members"):
            self.company.write(
                {
                    "sms_devino_approval_count": 5,
                    "sms_devino_approver_ids": manager.ids,
                }
            )
        with self.assertRaisesRegex(ValidationError, "at least two members"):
            people = manager + self.people["user"]
            self.company.write(
                {"sms_devino_approval_count": 5, "sms_devino_approver_ids": people.ids}
            )


@tagged("post_install", "-at_install", "sms_devino")
class TestApproval(MassCase):
    """Mass sendings to more than five recipients need a second person."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self.set_approval, 0, [])
        self.set_approval(5, [self.users["manager"], self.users["admin"]])
        self.batch_id = self.prepare()

    def set_approval(self, count, people):
        with self.transaction() as env:
            env["sms.devino.account"].browse(self.account_id).company_id.write(
                {
                    "sms_devino_approval_count": count,
                    "sms_devino_approver_ids": [Command.set(people)],
                }
            )

    def activities(self):
        with self.transaction() as env:
            batch = env["sms.devino.batch"].browse(self.batch_id)
            of_type = batch.activity_ids.filtered(
                lambda one: one.activity_type_id == env.ref(ACTIVITY)
            )
            return of_type.user_id.ids

    def test_a_large_sending_leaves_when_another_person_approves_it(self):
        self.approve(self.batch_id)
        self.dispatch()
        self.assertFalse(self.provider.ledger)
        self.assertEqual(self.read_batch(self.batch_id, "state"), "to_approve")
        self.assertEqual(self.activities(), [self.users["admin"]])
        self.press(self.batch_id, "action_approve", "admin")
        self.dispatch()
        self.assertAllAgree(self.batch_id, sent=10)
        names = ("sent_by_id", "approved_by_id")
        people = [one.id for one in self.read_batch(self.batch_id, *names)]
        self.assertEqual(people, [self.users["manager"], self.users["admin"]])
        self.assertFalse(self.activities())

    def test_nobody_approves_an_own_sending(self):
        self.approve(self.batch_id)
        for _time in range(2):
            with self.assertRaises(AccessError):
                self.press(self.batch_id, "action_approve")
            # pressed again, Send sends nothing either
            self.approve(self.batch_id)
        self.dispatch()
        self.assertFalse(self.provider.ledger)

    def test_who_calculated_it_last_does_not_approve_it(self):
        self.set_approval(5, [*self.users.values(), self.make_third()])
        self.write(self.batch_id, "admin", body="Another text")
        self.calculate(self.batch_id, "admin")
        self.approve(self.batch_id)
        with self.assertRaises(AccessError):
            self.press(self.batch_id, "action_approve", "admin")

    def make_third(self):
        """Commit one more manager; return the id."""
        with self.transaction(no_reset_password=True) as env:
            name = f"sms_third_{self.batch_id}"
            third = new_test_user(env, name, groups="sms_devino.group_manager").id
        self.addCleanup(self._archive, third)
        return third

    def _archive(self, user_id):
        with self.transaction() as env:
            env["res.users"].browse(user_id).active = False

    def test_nothing_waits_for_approval_when_nobody_else_may_give_it(self):
        self.write(self.batch_id, "admin", body="Another text")
        self.calculate(self.batch_id, "admin")
        with self.assertRaisesRegex(UserError, "nobody else may approve it"):
            self.approve(self.batch_id)
        self.assertEqual(self.read_batch(self.batch_id, "state"), "draft")

    def test_what_waits_for_approval_is_frozen(self):
        self.approve(self.batch_id)
        for values in ({"body": "x"}, {"list_ids": []}, {"state": "running"}):
            with self.assertRaises(UserError):
                self.write(self.batch_id, **values)
        with self.assertRaises(UserError):
            self.calculate(self.batch_id)

    def test_nobody_makes_a_trial_portion_of_it_whole(self):
        with self.transaction(self.users["manager"]) as env:
            batch = env["sms.devino.batch"].browse(self.batch_id)
            batch.trial_size = 3
            batch.with_context(sms_devino_trial=True).action_send()
        with self.assertRaisesRegex(UserError, "moved on"):
            self.press(self.batch_id, "action_continue")
        self.press(self.batch_id, "action_approve", "admin")
        self.dispatch()
        self.assertEqual(len(self.provider.ledger), 3)

    def test_a_returned_sending_is_a_draft_again_with_the_reason(self):
        self.approve(self.batch_id)
        with self.assertRaisesRegex(UserError, "enter the reason"):
            self.press(self.batch_id, "action_return", "admin")
        self.write(self.batch_id, "admin", returned_reason="Name the shop")
        self.press(self.batch_id, "action_return", "admin")
        names = ("state", "returned_reason", "is_calculated")
        values = self.read_batch(self.batch_id, *names)
        self.assertEqual(values, ("draft", "Name the shop", True))
        self.assertFalse(self.activities())
        self.approve(self.batch_id)
        self.assertFalse(self.read_batch(self.batch_id, "returned_reason"))

    def test_the_author_takes_it_back(self):
        self.approve(self.batch_id)
        with self.assertRaises(UserError):
            self.press(self.batch_id, "action_withdraw", "admin")
        self.press(self.batch_id, "action_withdraw")
        self.assertEqual(self.read_batch(self.batch_id, "state"), "draft")

    def test_a_small_one_leaves_at_once(self):
        self.set_approval(10, [self.users["manager"], self.users["admin"]])
        self.approve(self.batch_id)
        self.dispatch()
        self.assertAllAgree(self.batch_id, sent=10)

    def test_a_dear_one_needs_approval_too(self):
        with self.transaction() as env:
            company = env["sms.devino.account"].browse(self.account_id).company_id
            company.write(
                {"sms_devino_approval_count": 0, "sms_devino_approval_cost": 9.99}
            )
        self.approve(self.batch_id)
        self.assertEqual(self.read_batch(self.batch_id, "state"), "to_approve")
        with self.transaction() as env:
            company = env["sms.devino.account"].browse(self.account_id).company_id
            company.sms_devino_approval_cost = 0

    def test_a_limit_holds_for_a_mass_sending(self):
        self.set_approval(0, [])
        with self.transaction() as env:
            company = env["sms.devino.account"].browse(self.account_id).company_id
            limit = env["sms.devino.limit"].create(
                {"company_id": company.id, "message_count": 9}
            )
        try:
            with self.assertRaisesRegex(UserError, "at most 9; 9 is left"):
                self.approve(self.batch_id)
        finally:
            with self.transaction() as env:
                env["sms.devino.limit"].browse(limit.id).unlink()
