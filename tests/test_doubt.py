"""Unknown outcomes: what settles them by itself, and what a person decides."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..sandbox import Fault
from ..services.claims import settle_abandoned
from ..services.doubt import find_proof
from .base_case import SmsCase
from .common import LiveCase
from .test_status import MESSAGE_LOG

QUIET = ("odoo.service.model", "odoo.addons.base.models.ir_rule", "odoo.models")


class DoubtCase(SmsCase):
    def unknown(self, number="79214563763", claimed_at=None, **options):
        """A message of which nobody knows whether it was sent."""
        message = self.enqueue(number, **options).sudo()
        at = claimed_at or fields.Datetime.now() - timedelta(minutes=10)
        message.write({"state": "sending", "claimed_at": at})
        self.env.flush_all()
        self.env["sms.devino.message"]._transition("unknown", [{"id": message.id}])
        return message

    def call(self, kind, records, method, *args):
        """Call a method through the door that remote calls take."""
        env = self.env_of(kind)
        return call_kw(env[records._name], method, [records.ids, *args], {})


@tagged("post_install", "-at_install", "sms_devino")
class TestDecidedByPerson(DoubtCase):
    def test_one_call_is_one_doubt(self):
        at = fields.Datetime.now() - timedelta(minutes=10, microseconds=7)
        later = at + timedelta(microseconds=300)
        self.account._note_balance(100)
        first = self.unknown(claimed_at=at)
        other = self.unknown("79214563764", claimed_at=at)
        alone = self.unknown("79214563765", claimed_at=later)
        doubt = first.with_env(self.env_of("manager")).doubt_id
        self.assertEqual(other.doubt_id, doubt)
        self.assertNotEqual(alone.doubt_id, doubt)
        self.assertEqual((doubt.message_count, doubt.cost_estimated), (2, 2.0))
        self.assertEqual(doubt._get_messages().ids, [other.id, first.id])
        self.assertIn("Price of the call", doubt.evidence)

    def test_calls_of_two_accounts_given_up_together(self):
        """After a kill one transition moves the messages of several calls."""
        other = self.other_account
        own = self.enqueue("79214563763") + self.enqueue("79214563764")
        theirs = self.env["sms.devino.message"].enqueue(
            "79214563765", "x", account=other
        )
        messages = (own + theirs).sudo()
        at = fields.Datetime.now() - timedelta(minutes=10)
        for index, message in enumerate(messages):
            call_at = at + timedelta(microseconds=index)
            message.write({"state": "sending", "claim": 1, "claimed_at": call_at})
        self.env.flush_all()
        with self.assertLogs("odoo.addons.sms_devino.services.claims", "WARNING"):
            settle_abandoned(self.env(su=True))
        self.assertEqual(set(messages.mapped("state")), {"unknown"})
        doubts = self.env["sms.devino.doubt"].sudo().search([], order="claimed_at")
        self.assertRecordValues(
            doubts,
            [
                {"account_id": message.account_id.id, "message_count": 1}
                for message in messages
            ],
        )

    def test_it_was_sent(self):
        message = self.unknown()
        self.call("manager", message, "action_settle_sent")
        self.assertRecordValues(
            message,
            [
                {
                    "state": "unconfirmed",
                    "accepted_at": message.claimed_at,
                    "settled_by_id": self.people["manager"].id,
                    "reason": False,
                }
            ],
        )
        self.assertIn(self.people["manager"].name, message.settled_note)
        self.assertFalse(self.env["sms.devino.doubt"].search([]).is_open)

    def test_it_was_not_sent(self):
        message = self.unknown()
        self.call("manager", message, "action_settle_not_sent")
        self.assertEqual((message.state, message.reason), ("failed", "not_sent"))
        self.call("user", message, "action_send_again")
        self.assertEqual(message.repeated_by_ids.state, "outgoing")

    def test_whole_call_at_once(self):
        at = fields.Datetime.now() - timedelta(minutes=10)
        messages = self.unknown(claimed_at=at) + self.unknown(
            "79214563764", claimed_at=at
        )
        doubt = messages[0].with_env(self.env_of("manager")).doubt_id
        self.call("manager", doubt, "action_settle_not_sent")
        self.assertEqual(set(messages.mapped("state")), {"failed"})
        self.assertFalse(doubt.is_open)
        with self.assertRaisesRegex(UserError, "not unknown any more"):
            messages.with_env(self.env_of("manager")).action_settle_sent()

    def test_only_a_manager_of_the_company_decides(self):
        message = self.unknown()
        doubt = message.doubt_id
        for kind in ("user", "colleague", "internal", "portal", "public"):
            for record in (message, doubt):
                for method in ("action_settle_sent", "action_settle_not_sent"):
                    with (
                        self.subTest(kind=kind, model=record._name, method=method),
                        mute_logger(*QUIET),
                        self.assertRaises(AccessError),
                    ):
                        self.call(kind, record, method)
        theirs = self.env["sms.devino.message"].enqueue(
            "79214563763", "x", account=self.other_account
        )
        theirs.write({"state": "unknown"})
        with mute_logger(*QUIET), self.assertRaises(AccessError):
            self.call("manager", theirs, "action_settle_sent")
        self.assertEqual((message.state, theirs.state), ("unknown", "unknown"))


@tagged("post_install", "-at_install", "sms_devino")
class TestProof(DoubtCase):
    def doubt(self, before=100.0, after=99.0, **values):
        now = fields.Datetime.now()
        self.account.mode = "live"
        return self.env["sms.devino.doubt"].create(
            {
                "account_id": self.account.id,
                "company_id": self.company.id,
                "mode": "live",
                "claimed_at": now - timedelta(minutes=10),
                "cost_estimated": 1.0,
                "balance_before": before,
                "balance_before_at": now - timedelta(minutes=20),
                "balance_after": after,
                "balance_after_at": now,
                **values,
            }
        )

    def test_balance_proves_only_what_it_can(self):
        for expected, values in (
            (True, {}),
            (False, {"after": 100.0}),
            (None, {"after": 98.0}),
            (None, {"after": 110.0}),
            (None, {"other_calls": True}),
            (None, {"other_calls": True, "after": 100.0}),
            (None, {"balance_before_at": False}),
            (None, {"cost_estimated": 0.0, "after": 100.0}),
            (None, {"mode": "test"}),
        ):
            with self.subTest(expected=expected, **values):
                doubt = self.doubt(**values)
                self.assertIs(find_proof(doubt), expected)
                doubt.unlink()


@tagged("post_install", "-at_install", "sms_devino")
class TestSettledByEvidence(LiveCase):
    def setUp(self):
        super().setUp()
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            account.price_per_segment = 1.5  # what the sandbox takes
            account._refresh_balance()

    def lose_answer(self, kind):
        """Send a message whose answer is lost; return its id, its call being old."""
        self.provider.faults.add(Fault(kind, path="Sms/Send"))
        message_id = self.enqueue()
        with self.transaction() as env:
            # the balance was asked some time ago
            env.cr.execute(
                "UPDATE sms_devino_account SET balance_at = balance_at - interval '1 h'"
            )
        self.dispatch()
        self.assertEqual(self.read(message_id, "state"), "unknown")
        return message_id

    def settle(self):
        with self.transaction() as env:
            env.cr.execute(
                "UPDATE sms_devino_doubt SET create_date = create_date "
                "- interval '10 minutes'"
            )
        with self.transaction() as env:
            env["sms.devino.doubt"]._cron_settle()

    def test_accepted_although_the_answer_was_lost(self):
        message_id = self.lose_answer("drop_after")
        self.settle()
        state, note, person = self.read(
            message_id, "state", "settled_note", "settled_by_id"
        )
        self.assertEqual(state, "unconfirmed")
        self.assertIn("by the balance", note)
        self.assertFalse(person)
        with self.message(message_id) as message:
            doubt = message.env["sms.devino.doubt"].search([])
            self.assertFalse(doubt.is_open)
            self.assertEqual(doubt.provider_count, 1)
        self.assertLedgerIsJournal(lost_answers=1)

    def test_not_accepted(self):
        message_id = self.lose_answer("drop_before")
        self.settle()
        self.assertEqual(
            self.read(message_id, "state", "reason"), ("failed", "not_sent")
        )
        self.assertFalse(self.provider.ledger)

    def test_other_messages_meanwhile_prove_nothing(self):
        message_id = self.lose_answer("drop_after")
        self.enqueue("79214563764", "Another")
        self.dispatch()
        self.settle()
        self.assertEqual(self.read(message_id, "state"), "unknown")
        with self.message(message_id) as message:
            doubt = message.env["sms.devino.doubt"].search([])
            self.assertTrue(doubt.is_open and doubt.other_calls)
            self.assertTrue(doubt.balance_after_at)
            self.assertIn("prove nothing", doubt.evidence)

    def test_too_early_nothing_is_asked(self):
        self.lose_answer("drop_after")
        before = self.server.requests["User/Balance"]
        with self.transaction() as env:
            env["sms.devino.doubt"]._cron_settle()
        self.assertEqual(self.server.requests["User/Balance"], before)

    def test_late_answer_closes_the_doubt(self):
        message_id = self.lose_answer("drop_after")
        with self.transaction() as env, mute_logger(MESSAGE_LOG):
            env["sms.devino.message"]._transition("failed", [{"id": message_id}])
        self.settle()
        with self.transaction() as env:
            self.assertFalse(env["sms.devino.doubt"].search([]).is_open)
