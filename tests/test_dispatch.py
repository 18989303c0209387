from odoo import fields
from odoo.tests import tagged

from ..sandbox import Fault
from ..services.sending import PAUSES
from .common import LiveCase


@tagged("post_install", "-at_install", "sms_devino")
class TestDispatch(LiveCase):
    def test_message_is_sent_with_its_ids_and_told_delivered(self):
        message_id = self.enqueue(text="Привет")
        self.assertEqual(self.read(message_id, "state"), "outgoing")
        self.dispatch()
        state, operation, segments = self.read(
            message_id, "state", "operation_status", "segment_count"
        )
        self.assertEqual((state, operation), ("sent", "OK_Operation_Completed"))
        self.assertEqual(segments, 1)
        self.assertLedgerIsJournal()
        self.provider.advance(60)
        self.check_statuses()
        state, status, cost = self.read(message_id, "state", "message_status", "cost")
        self.assertEqual((state, status), ("delivered", "Delivered_To_Recipient"))
        self.assertEqual(cost, 1.5)

    def test_long_text_has_an_id_for_each_segment(self):
        message_id = self.enqueue(text="Ы" * 200)
        self.dispatch()
        with self.message(message_id) as message:
            self.assertEqual(message.segment_count, 3)
            self.assertEqual(message.segment_ids.mapped("sequence"), [1, 2, 3])
        self.assertLedgerIsJournal()

    def test_rolled_back_transaction_sends_nothing(self):
        with self.assertRaises(ZeroDivisionError), self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            env["sms.devino.message"].enqueue("79214563763", "Hello", account=account)
            raise ZeroDivisionError
        self.dispatch()
        self.assertFalse(self.provider.ledger)
        self.assertFalse(self.states())

    def test_equal_texts_go_as_one_bulk(self):
        for last in range(10):
            self.enqueue(f"7921456370{last}", "Sale")
        self.dispatch()
        self.assertEqual(self.states(), {"sent": 10})
        self.assertEqual(self.server.requests["Sms/SendBulk"], 1)
        self.assertEqual(self.server.requests["Sms/Send"], 0)
        self.assertLedgerIsJournal()

    def test_bad_number_in_a_bulk_fails_alone(self):
        for last in range(10):
            self.enqueue(f"7921456379{last}", "Sale")
        self.dispatch()
        self.assertEqual(self.states(), {"sent": 9, "failed": 1})
        with self.transaction() as env:
            failed = env["sms.devino.message"].search([("state", "=", "failed")])
            self.assertEqual(failed.number, "+79214563799")
            self.assertEqual(
                failed.operation_status, "Error_Invalid_Destination_Address"
            )
        self.assertLedgerIsJournal()

    def test_lost_answer_is_unknown_and_never_sent_again(self):
        self.provider.faults.add(Fault("drop_after", path="Sms/Send"))
        message_id = self.enqueue()
        self.dispatch()
        self.dispatch()
        state, reason = self.read(message_id, "state", "reason")
        self.assertEqual((state, reason), ("unknown", "no_answer"))
        self.assertLedgerIsJournal(lost_answers=1)

    def test_unreachable_gateway_puts_the_message_back_for_later(self):
        self.server.stop()
        message_id = self.enqueue()
        self.dispatch()
        state, next_at, attempts = self.read(message_id, "state", "next_at", "attempts")
        self.assertEqual((state, attempts), ("outgoing", 1))
        self.assertGreater(next_at, fields.Datetime.now())

    def test_advertising_refused_during_its_call_does_not_go_back_into_the_queue(self):
        message_id = self.enqueue(purpose="advertising")
        service_id = self.enqueue(text="Your order")
        self.server.stop()
        with self.transaction() as env:
            # as a refusal whose transaction has seen the message in a call
            env.cr.execute(
                "INSERT INTO phone_blacklist (number, active) "
                "VALUES ('+79214563763', true)"
            )
        self.addCleanup(self._clear_blacklist)
        self.dispatch()
        state = self.read(message_id, "state", "reason")
        self.assertEqual(state, ("canceled", "blacklisted"))
        self.assertEqual(self.read(service_id, "state"), "outgoing")

    def _clear_blacklist(self):
        with self.transaction() as env:
            found = env["phone.blacklist"].search([("number", "=", "+79214563763")])
            found.unlink()

    def test_attempts_are_limited(self):
        self.server.stop()
        message_id = self.enqueue()
        for _attempt in range(20):
            with self.transaction() as env:
                env.cr.execute("UPDATE sms_devino_message SET next_at = NULL")
                env.cr.execute("UPDATE sms_devino_account SET paused_until = NULL")
            self.dispatch()
        state, reason, attempts = self.read(message_id, "state", "reason", "attempts")
        self.assertEqual(
            (state, reason, attempts), ("failed", "attempts", len(PAUSES) + 1)
        )

    def test_lack_of_credits_stops_the_queue_and_tells_the_responsible(self):
        self.provider.set_balance("0.5")
        message_ids = [self.enqueue(f"7921456370{n}", f"{n}") for n in range(3)]
        self.dispatch()
        self.assertEqual(self.states(), {"outgoing": 3})
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            self.assertEqual(account.state, "stopped")
            self.assertEqual(account.operation_status, "Error_Not_Enough_Credits")
            self.assertEqual(len(account.activity_ids), 1)
        self.assertEqual([self.read(i, "attempts") for i in message_ids], [0, 0, 0])
        self.provider.set_balance("100")
        with self.transaction() as env:
            env["sms.devino.account"].browse(self.account_id).action_check_connection()
        self.dispatch()
        self.assertEqual(self.states(), {"sent": 3})
        self.assertLedgerIsJournal()

    def test_topped_up_account_resumes_by_itself(self):
        self.provider.set_balance("0.5")
        self.enqueue()
        self.dispatch()
        with self.transaction() as env:
            env["sms.devino.account"]._cron_watch_balance()
        self.assertEqual(self.states(), {"outgoing": 1})
        self.provider.set_balance("100")
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            self.assertEqual(account.probe_balance, 0.5)
            env["sms.devino.account"]._cron_watch_balance()
        self.dispatch()
        self.assertEqual(self.states(), {"sent": 1})

    def test_refused_sender_is_marked(self):
        self.provider._senders = {"Other"}
        message_id = self.enqueue()
        self.dispatch()
        self.assertEqual(
            self.read(message_id, "state", "operation_status"),
            ("failed", "Error_Invalid_Source_Address"),
        )
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            self.assertEqual(account.sender_ids.state, "refused")
            self.assertFalse(account._get_default_sender())

    def test_planned_message_waits_for_its_time_and_can_be_canceled(self):
        tomorrow = fields.Datetime.add(fields.Datetime.now(), days=1)
        kept = self.enqueue("79214563701", "Kept", scheduled_at=tomorrow)
        dropped = self.enqueue("79214563702", "Dropped", scheduled_at=tomorrow)
        self.dispatch()
        self.assertEqual(self.states(), {"scheduled": 2})
        with self.message(dropped) as message:
            message.action_cancel()
        with self.transaction() as env:
            env.cr.execute(
                "UPDATE sms_devino_message SET scheduled_at = now() AT TIME ZONE 'UTC' "
                "- interval '1 second'"
            )
        self.dispatch()
        self.assertEqual(self.read(kept, "state"), "sent")
        self.assertEqual(self.read(dropped, "state"), "canceled")
        self.assertEqual([entry.text for entry in self.provider.ledger], ["Kept"])

    def test_same_key_is_one_message(self):
        first = self.enqueue(key="order-1")
        second = self.enqueue(key="order-1")
        self.assertEqual(first, second)
        self.dispatch()
        self.assertEqual(len(self.provider.ledger), 1)

    def test_message_whose_lifetime_is_over_is_not_sent(self):
        message_id = self.enqueue(validity=5)
        with self.transaction() as env:
            env.cr.execute(
                "UPDATE sms_devino_message SET use_until = use_until "
                "- interval '10 minutes'"
            )
        self.dispatch()
        self.assertEqual(
            self.read(message_id, "state", "reason"), ("failed", "expired")
        )
        self.assertFalse(self.provider.ledger)
