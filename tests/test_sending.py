"""What is claimed together, in which order, and what a refusal leads to."""

import logging
import threading
import time
from datetime import datetime, timedelta

from odoo import fields
from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ..gateway import MAX_BULK_NUMBERS, MessageRefusedError
from ..sandbox import Fault
from ..services.sending import MAX_REFUSALS, Bulk, Refusals, Sending, minutes_left
from ..tools.chunks import chunk_size
from .common import LiveCase
from .test_status import MESSAGE_LOG, StatusCase

_logger = logging.getLogger(__name__)

# Not what asking for statuses writes, which begins meanwhile.
COUNT_VERSIONS = """
    CREATE TABLE sms_devino_test_versions (message_id int);
    CREATE FUNCTION sms_devino_test_count() RETURNS trigger AS $$
        BEGIN INSERT INTO sms_devino_test_versions VALUES (NEW.id); RETURN NEW; END
    $$ LANGUAGE plpgsql;
    CREATE TRIGGER sms_devino_test_count AFTER UPDATE ON sms_devino_message
       FOR EACH ROW WHEN (OLD.state IN ('outgoing', 'sending'))
       EXECUTE FUNCTION sms_devino_test_count()
"""
FORGET_VERSIONS = """
    DROP TRIGGER sms_devino_test_count ON sms_devino_message;
    DROP FUNCTION sms_devino_test_count;
    DROP TABLE sms_devino_test_versions
"""


def bulk(size=1, sender="S", text="T"):
    return Bulk(
        None, tuple(range(size)), ("7",) * size, (0,) * size, sender, text, None
    )


def refused(status):
    return MessageRefusedError(operation_status=status)


@tagged("post_install", "-at_install", "sms_devino")
class TestRefusals(BaseCase):
    def note(self, count, call, status="Error_Message_Rejected"):
        for _n in range(count):
            self.refusals.note(call, refused(status))

    def setUp(self):
        super().setUp()
        self.refusals = Refusals()

    def test_text_refused_for_many_numbers_is_hopeless(self):
        self.note(MAX_REFUSALS - 1, bulk())
        self.assertIsNone(self.refusals.find("S", "T"))
        self.note(1, bulk())
        domain, error = self.refusals.find("S", "T")
        self.assertEqual(domain, [("sender_name", "=", "S"), ("body", "=", "T")])
        self.assertEqual(error.operation_status, "Error_Message_Rejected")
        self.assertIsNone(self.refusals.find("S", "Other"))

    def test_text_that_was_accepted_once_is_never_hopeless(self):
        self.refusals.note(bulk(), None)
        self.note(MAX_REFUSALS, bulk())
        self.assertIsNone(self.refusals.find("S", "T"))

    def test_bad_numbers_and_refused_bulks_prove_nothing(self):
        self.note(20, bulk(), "Error_Invalid_Destination_Address")
        self.note(20, bulk(2))
        self.assertIsNone(self.refusals.find("S", "T"))

    def test_refused_sender_is_hopeless_for_every_text(self):
        for number in range(MAX_REFUSALS):
            self.note(1, bulk(text=f"{number}"), "Error_Invalid_Source_Address")
        domain, _error = self.refusals.find("S", "Any")
        self.assertEqual(domain, [("sender_name", "=", "S")])
        self.assertIsNone(self.refusals.find("Other", "Any"))

    def test_minutes_left_are_whole_and_never_none_of_them(self):
        now = datetime(2026, 11, 23, 12)
        for seconds, minutes in ((1, 1), (60, 1), (61, 2), (3600, 60), (-5, 1)):
            until = now + timedelta(seconds=seconds)
            self.assertEqual(minutes_left(until, now), minutes)
        self.assertIsNone(minutes_left(None, now))


@tagged("post_install", "-at_install", "sms_devino")
class TestTakingBack(StatusCase):
    """The owner of a claim, of which others thought that it was dead."""

    def move(self, message, target, **options):
        with mute_logger(MESSAGE_LOG):
            return self.messages._transition(target, [{"id": message.id}], **options)

    def test_only_the_owner_takes_an_unknown_message_back(self):
        message = self.message("unknown", claim=7)
        self.assertFalse(self.move(message, "outgoing"))
        self.assertFalse(self.move(message, "outgoing", claim=8))
        self.assertTrue(self.move(message, "outgoing", claim=7))

    def test_not_if_somebody_has_sent_it_again(self):
        message = self.message("unknown", claim=7)
        self.message("outgoing", repeat_of_id=message.id)
        self.assertFalse(self.move(message, "outgoing", claim=7))
        # what is true is written down all the same
        self.assertTrue(self.move(message, "sent", claim=7))


class SendingCase(LiveCase):
    def setUp(self):
        super().setUp()
        self.provider.set_balance(10**6)

    def update(self, assignments, *params):
        with self.transaction() as env:
            env.cr.execute(f"UPDATE sms_devino_message SET {assignments}", params)

    def meanwhile(self, work):
        """Dispatch in a thread, and do ``work`` at the same time."""
        thread = threading.Thread(target=self.dispatch)
        thread.start()
        try:
            work(thread)
        finally:
            thread.join()

    def requests(self):
        return sum(self.server.requests[p] for p in ("Sms/Send", "Sms/SendBulk"))


@tagged("post_install", "-at_install", "sms_devino")
class TestBulks(SendingCase):
    def test_what_differs_goes_in_another_call(self):
        now = fields.Datetime.now()
        self.enqueue_rows(4)
        self.update("body = 'Same'")
        for column, value in (
            ("sender_name", "Other"),
            ("body", "Other"),
            ("use_until", now + timedelta(hours=1)),
        ):
            with self.transaction() as env:
                env.cr.execute(
                    f"UPDATE sms_devino_message SET {column} = %s WHERE id = ("
                    f"SELECT max(id) FROM sms_devino_message "
                    f"WHERE body = 'Same' AND sender_name = 'DevinoTest' "
                    f"AND use_until IS NULL)",
                    [value],
                )
        self.dispatch()
        self.assertEqual(self.server.requests["Sms/Send"], 4)
        self.assertLedgerIsJournal()

    def test_repeated_number_goes_in_another_call(self):
        self.enqueue_rows(3, "Same")
        with self.transaction() as env:
            env.cr.execute(
                "UPDATE sms_devino_message SET number = '+79210000011' "
                "WHERE id != (SELECT max(id) FROM sms_devino_message)"
            )
        self.dispatch()
        self.assertEqual(self.states(), {"sent": 3})
        self.assertEqual(self.server.requests["Sms/SendBulk"], 1)
        self.assertEqual(self.server.requests["Sms/Send"], 1)

    def test_a_bulk_is_never_larger_than_its_rows_allow(self):
        self.enqueue_rows(20, "Same", largest_bulk=6)
        self.dispatch()
        self.assertEqual(self.server.requests["Sms/SendBulk"], 4)
        self.assertLedgerIsJournal()

    def test_bulks_under_way_hold_one_full_bulk_together(self):
        self.enqueue_rows(4000, "Same", largest_bulk=700)
        self.provider.faults.add(
            Fault("latency", path="Sms/SendBulk", seconds=0.3, times=None)
        )
        most = [0]

        def watch(thread):
            while thread.is_alive():
                most[0] = max(most[0], self.states().get("sending", 0))
                time.sleep(0.05)

        self.meanwhile(watch)
        self.assertEqual(self.states(), {"sent": 4000})
        self.assertLessEqual(most[0], MAX_BULK_NUMBERS)
        self.assertGreater(most[0], 700)

    def test_one_percent_of_bad_numbers_costs_few_versions_of_a_row(self):
        with self.transaction() as env:
            env.cr.execute(COUNT_VERSIONS)
        try:
            # new numbers, of which one in a hundred is expected to be bad
            size = chunk_size(0, 0)
            self.enqueue_rows(MAX_BULK_NUMBERS, "Same", largest_bulk=size)
            with self.transaction() as env:
                # two last digits 99 make a number bad
                env.cr.execute(
                    "UPDATE sms_devino_message SET number = '+79210' || "
                    "lpad((id % 1000000)::text, 6, '0')"
                )
                env.cr.execute("TRUNCATE sms_devino_test_versions")
            while "outgoing" in self.states():
                self.dispatch()
            states = self.states()
            with self.transaction() as env:
                env.cr.execute("SELECT count(*) FROM sms_devino_test_versions")
                # the row itself, too
                versions = env.cr.fetchone()[0] / MAX_BULK_NUMBERS + 1
        finally:
            with self.transaction() as env:
                env.cr.execute(FORGET_VERSIONS)
        _logger.info(
            "1 %% bad numbers: %.1f versions of a row, %s calls for %s messages",
            versions,
            self.requests(),
            MAX_BULK_NUMBERS,
        )
        self.assertIn(states.pop("failed", 0), (29, 30), states)
        self.assertLessEqual(states.keys(), {"sent", "delivered", "undelivered"})
        # 4.4 on the average; which numbers come together is chance
        self.assertLessEqual(round(versions), 5)
        self.assertLedgerIsJournal()
        with self.transaction() as env:
            attempts = env["sms.devino.message"].search([]).mapped("attempts")
        self.assertEqual(set(attempts), {1})

    def test_refused_text_is_not_tried_for_every_number(self):
        self.enqueue_rows(400, "Forbidden")
        self.provider.faults.add(Fault("code7", path="Sms/Send", times=None))
        self.provider.faults.add(Fault("code7", path="Sms/SendBulk", times=None))
        self.dispatch()
        self.assertEqual(self.states(), {"failed": 400})
        self.assertLess(self.requests(), 120)

    def test_refused_sender_is_not_tried_for_every_text(self):
        self.provider._senders = {"Other"}
        self.enqueue_rows(300)
        self.dispatch()
        self.assertEqual(self.states(), {"failed": 300})
        # without a limit, some leave before the first refusals are written down
        self.assertLessEqual(self.requests(), 12 * MAX_REFUSALS)


@tagged("post_install", "-at_install", "sms_devino")
class TestOrder(SendingCase):
    def test_a_persons_message_leaves_in_the_middle_of_a_mass_sending(self):
        self.enqueue_rows(60, priority="0")
        self.provider.faults.add(Fault("latency", seconds=0.1, times=None))
        before = []

        def send(thread):
            while not self.provider.ledger:
                time.sleep(0.01)
            self.enqueue("79214563763", "Now")
            before.append(len(self.provider.ledger))

        self.meanwhile(send)
        texts = [entry.text for entry in self.provider.ledger]
        # those under way, and perhaps the next ones
        self.assertLess(texts.index("Now"), before[0] + 2 * Sending.workers)
        self.assertEqual(len(texts), 61)

    def test_two_accounts_are_served_at_the_same_time(self):
        with self.transaction() as env:
            other = self._create_account(env, name="Other", login="other")
            other_id = other.id
        first, self.account_id = self.account_id, other_id
        self.enqueue_rows(3)
        self.account_id = first
        self.enqueue_rows(100, priority="0")
        # the other account's login is refused: it stops, the first goes on
        self.dispatch()
        self.assertEqual(self.states(), {"sent": 100, "outgoing": 3})
        with self.transaction() as env:
            self.assertEqual(
                env["sms.devino.account"].browse([first, other_id]).mapped("state")[-1],
                "stopped",
            )

    def test_limit_of_calls_a_second_is_kept(self):
        with self.transaction() as env:
            env["sms.devino.account"].browse(self.account_id).requests_per_second = 20
        self.enqueue_rows(20)
        started = time.monotonic()
        self.dispatch()
        self.assertGreater(time.monotonic() - started, 0.8)
        self.assertEqual(self.states(), {"sent": 20})


@tagged("post_install", "-at_install", "sms_devino")
class TestWhatStays(SendingCase):
    def test_archived_account_sends_nothing(self):
        self.enqueue()
        with self.transaction() as env:
            env["sms.devino.account"].browse(self.account_id).active = False
        self.dispatch()
        self.assertEqual(self.states(), {"outgoing": 1})

    def test_message_of_the_test_mode_never_leaves_live(self):
        self.enqueue_rows(3, mode="test")
        self.dispatch()
        self.assertEqual(self.states(), {"outgoing": 3})
        self.assertFalse(self.requests())

    def test_rows_of_a_paused_batch_stay(self):
        with self.transaction() as env:
            batch = env["sms.devino.batch"].create(
                {"name": "Paused", "account_id": self.account_id, "state": "paused"}
            )
        self.enqueue_rows(3, batch_id=batch.id)
        self.enqueue()
        self.dispatch()
        self.assertEqual(self.states(), {"outgoing": 3, "sent": 1})

    def test_expired_messages_fail_without_a_call(self):
        past = fields.Datetime.now() - timedelta(minutes=1)
        self.enqueue_rows(200, use_until=past)
        self.enqueue()
        self.dispatch()
        self.assertEqual(self.states(), {"failed": 200, "sent": 1})
        self.assertEqual(self.requests(), 1)
