"""What is learned of numbers, and what follows for the next mass sending."""

import logging
import time
from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import BaseCase, tagged

from ..gateway import MAX_BULK_NUMBERS
from ..sandbox import Fault
from ..services import numbers
from ..tools.chunks import chunk_size, part_size
from .base_case import SmsCase
from .mass_case import MassCase

_logger = logging.getLogger(__name__)

GOOD = "+79214563700"
# the sandbox refuses a number that ends with 99, and reports by the digits before last
REFUSED = "+79214563799"
NO_ADDRESS = "+79214563792"
REJECTED = "+79214563791"


@tagged("post_install", "-at_install", "sms_devino")
class TestChunks(BaseCase):
    """How many new numbers go in one call."""

    def test_the_share_of_bad_numbers_gives_the_size(self):
        for bad, learned, size in (
            # nothing known: one in a hundred
            (0, 0, 69),
            (49, 4900, 69),
            (4, 4900, 690),
            (149, 4900, 23),
            (499, 4900, 7),
            (1249, 4900, 3),
            # more than a quarter is bad: each goes alone
            (1250, 4900, 1),
            (4900, 4900, 1),
        ):
            with self.subTest(bad=bad, learned=learned):
                self.assertEqual(chunk_size(bad, learned), size)

    def test_nothing_but_good_numbers_soon_go_in_full_bulks(self):
        self.assertGreater(chunk_size(0, 5000), MAX_BULK_NUMBERS)

    def test_parts_of_a_refused_bulk_come_down_to_one(self):
        self.assertEqual(part_size(MAX_BULK_NUMBERS), 750)
        for size in range(2, MAX_BULK_NUMBERS + 1):
            self.assertLess(part_size(size), size)


class NumbersCase(SmsCase):
    def message(self, number=GOOD, state="sending", account=None, **values):
        account = account or self.account
        return self.env["sms.devino.message"].create(
            {
                **account._message_values(fields.Datetime.now(), 0),
                "number": number,
                "body": "Text",
                "sender_name": "Ours",
                "state": state,
                **values,
            }
        )

    def learn(self, number, target, **values):
        """Have a message to a number reach a state."""
        state = {"sent": "sending", "failed": "sending"}.get(target, "sent")
        message = self.message(number, state)
        self.env["sms.devino.message"]._transition(
            target, [{"id": message.id, **values}]
        )

    def known(self, number=GOOD):
        return self.env["sms.devino.number"].search([("number", "=", number)])


@tagged("post_install", "-at_install", "sms_devino")
class TestLearned(NumbersCase):
    """One row a number, written as messages reach a state."""

    def refuse(self, number=GOOD):
        self.learn(
            number,
            "failed",
            reason="refused",
            operation_status="Error_Invalid_Destination_Address",
        )

    def reject(self, number=GOOD):
        self.learn(number, "undelivered", message_status="Error_Rejected", reason=None)

    def pass_other(self):
        self.message("+79214560000", "delivered", accepted_at=fields.Datetime.now())

    def test_accepted_and_refused_numbers_are_remembered(self):
        self.learn(GOOD, "sent")
        self.refuse(REFUSED)
        self.assertTrue(self.known().accepted_at)
        self.assertFalse(self.known().dead_at)
        dead = self.known(REFUSED)
        self.assertTrue(dead.dead_at)
        self.assertFalse(dead.accepted_at)
        self.assertEqual((dead.mode, dead.company_id), ("test", self.company))
        self.assertIn("took no SMS", dead.note)
        self.assertIn(REFUSED, dead.note)
        self.assertFalse(self.known().note)

    def test_other_refusals_say_nothing_of_the_number(self):
        for status in ("Error_Invalid_Source_Address", "Error_Message_Rejected"):
            self.learn(GOOD, "failed", reason="refused", operation_status=status)
        self.learn(GOOD, "failed", reason="attempts")
        self.assertFalse(self.known())

    def test_number_that_is_reported_dead_lives_once_something_is_delivered(self):
        self.learn(GOOD, "sent")
        self.learn(
            GOOD, "undelivered", message_status="Error_Invalid_Destination_Address"
        )
        self.assertTrue(self.known().dead_at)
        self.learn(GOOD, "delivered")
        self.assertFalse(self.known().dead_at)

    def test_number_that_is_accepted_after_a_refusal_is_good_again(self):
        self.refuse()
        self.learn(GOOD, "sent")
        self.assertFalse(self.known().dead_at)
        self.assertTrue(self.known().accepted_at)

    def test_partly_delivered_message_is_no_dead_number(self):
        self.learn(
            GOOD,
            "undelivered",
            message_status="Error_Invalid_Destination_Address",
            reason="partial",
        )
        self.assertFalse(self.known())

    def test_regular_number_is_written_once_a_day(self):
        self.learn(GOOD, "sent")
        number = self.known()
        early = fields.Datetime.now() - timedelta(hours=20)
        number.accepted_at = early
        number.flush_recordset()
        self.learn(GOOD, "sent")
        self.assertEqual(self.known().accepted_at, early)
        number.accepted_at = early - timedelta(hours=20)
        number.flush_recordset()
        self.learn(GOOD, "sent")
        self.assertGreater(self.known().accepted_at, early)

    def test_page_takes_one_statement_whatever_its_size(self):
        journal = self.env["sms.devino.message"]

        def count(size):
            ids = [self.message(f"+7921{size:03}{n:04}").id for n in range(size)]
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            numbers.note(journal, "sent", ids)
            return self.env.cr.sql_log_count - before

        self.assertEqual((count(5), count(50)), (1, 1))
        ours = [("company_id", "=", self.company.id)]
        self.assertEqual(self.env["sms.devino.number"].search_count(ours), 55)

    def test_live_mode_and_other_companies_learn_apart(self):
        self.refuse()
        self.env["sms.devino.number"].create(
            {"number": GOOD, "company_id": self.company.id, "mode": "live"}
        )
        other = self.message(account=self.other_account)
        self.env["sms.devino.message"]._transition("sent", [{"id": other.id}])
        known = self.known()
        self.assertEqual(len(known), 3)
        self.assertEqual(
            {(one.mode, one.company_id, bool(one.dead_at)) for one in known},
            {
                ("test", self.company, True),
                ("live", self.company, False),
                ("test", self.other_company, False),
            },
        )

    def test_rejected_in_a_row_while_others_pass_means_refused_at_the_operator(self):
        self.pass_other()
        for _n in range(2):
            self.reject()
        self.assertFalse(self.known().note)
        self.reject()
        self.assertEqual(self.known().rejected_count, 3)
        self.assertIn("probably refused mailings", self.known().note)

    def test_rejected_when_nothing_passes_says_nothing_of_the_number(self):
        for _n in range(5):
            self.reject()
        self.assertFalse(self.known())

    def test_rejections_end_with_a_delivery_and_lapse(self):
        self.pass_other()
        for _n in range(3):
            self.reject()
        known = self.known()
        known.rejected_at -= timedelta(days=numbers.REFUSAL_DAYS + 1)
        self.assertFalse(numbers.is_refusing(known))
        self.reject()
        self.assertTrue(numbers.is_refusing(self.known()))
        self.learn(GOOD, "delivered")
        self.assertEqual(self.known().rejected_count, 0)
        self.assertFalse(self.known().note)

    def test_contact_shows_what_is_known_of_its_number(self):
        partner = self.env["res.partner"].create(
            {"name": "Anna", "phone": "8 (921) 456-37-00"}
        )
        self.assertFalse(partner.sms_devino_number_note)
        self.refuse()
        partner.invalidate_recordset()
        self.assertIn("took no SMS", partner.sms_devino_number_note)
        partner.phone = False
        self.assertFalse(partner.sms_devino_number_note)

    def test_contact_of_another_company_learns_nothing(self):
        self.refuse()
        partner = self.env["res.partner"].create({"name": "Anna", "phone": GOOD})
        partner = partner.with_company(self.other_company).with_context(
            allowed_company_ids=self.other_company.ids
        )
        self.assertFalse(partner.sms_devino_number_note)

    def test_number_in_words_of_anybodys_is_no_error(self):
        for phone in ("", "0", "\ud800", "+", "9" * 300, "'; DROP TABLE x; --"):
            partner = self.env["res.partner"].new({"name": "X", "phone": phone})
            self.assertFalse(partner.sms_devino_number_note)


@tagged("post_install", "-at_install", "sms_devino")
class TestNumbersInDraft(MassCase):
    """A mass sending after others."""

    speed = 1000.0

    def setUp(self):
        super().setUp()
        self.provider.set_balance(10**6)

    def bulks(self):
        requests = self.server.requests
        return requests["Sms/SendBulk"] + requests["Sms/Send"]

    def send(self, **values):
        batch_id = self.send_mass(**values)
        while "outgoing" in self.states():
            self.dispatch()
        return batch_id

    def draft_to(self, *phones):
        list_id = self.make_list(phones, "Test: numbers")
        return {"list_ids": [Command.set([list_id])]}

    def test_regular_list_is_one_call_and_new_numbers_are_tried_in_chunks(self):
        known = self.numbers(300, 79210000000)
        self.send(**self.draft_to(*known))
        # 69, 69, 69, 69, 24
        self.assertEqual(self.bulks(), 5)
        self.send(body="Again", **self.draft_to(*known))
        self.assertEqual(self.bulks(), 6)
        new = self.numbers(30, 79220000000)
        new[7] = "79220000799"
        self.send(body="Third", **self.draft_to(*known, *new))
        # the known ones together; of the new ones 30, then 8, 8, 8, 6, then 2, …
        self.assertLess(self.bulks() - 6, 14)
        self.assertLedgerIsJournal()

    def test_dead_number_is_left_out_until_somebody_overrides_or_it_lapses(self):
        draft = self.draft_to(REFUSED, GOOD)
        self.send(**draft)
        batch_id = self.prepare(body="Again", **draft)
        self.assertEqual(
            self.rows(batch_id, "number", "reason", "body", state="left_out"),
            [(REFUSED, "dead_number", "Again")],
        )
        reasons = self.read_batch(batch_id, "figures")["reasons"]
        self.assertEqual(reasons, {"dead_number": 1})
        self.write(batch_id, allow_dead_numbers=True)
        self.assertFalse(self.read_batch(batch_id, "is_calculated"))
        self.calculate(batch_id)
        self.assertEqual(self.rows(batch_id, "number"), [REFUSED, GOOD])
        self.approve(batch_id)
        # it never spoils a call for others
        self.assertEqual(
            self.rows(batch_id, "number", "largest_bulk", state="outgoing"),
            [(REFUSED, 1), (GOOD, 0)],
        )
        for days, left_out in ((29, 1), (31, 0)):
            with self.transaction() as env:
                dead = env["sms.devino.number"].search([("number", "=", REFUSED)])
                dead.dead_at = fields.Datetime.now() - timedelta(days=days)
            batch_id = self.prepare(body="Third", **draft)
            self.assertEqual(self.read_batch(batch_id, "left_out_count"), left_out)

    def test_dead_numbers_are_not_left_out_where_the_account_says_so(self):
        draft = self.draft_to(REFUSED, GOOD)
        self.send(**draft)
        for days in (0, -1):
            with self.transaction() as env:
                account = env["sms.devino.account"].browse(self.account_id)
                account.dead_number_days = days
            batch_id = self.prepare(body="Again", **draft)
            self.assertEqual(self.read_batch(batch_id, "left_out_count"), 0)

    def test_failed_ones_again_leave_out_a_number_that_is_refused_for_good(self):
        batch_id = self.send(**self.draft_to(REFUSED, GOOD))
        again = self.press(batch_id, "action_send_failed")["res_id"]
        self.run_calculations()
        self.assertFalse(self.rows(again, "number"))
        left_out = self.rows(again, "number", "reason", state="left_out")
        self.assertEqual(left_out, [(REFUSED, "refused_before")])

    def test_report_of_a_number_that_does_not_exist_counts_too(self):
        draft = self.draft_to(NO_ADDRESS, GOOD)
        self.send(**draft)
        time.sleep(0.1)
        self.check_statuses()
        batch_id = self.prepare(body="Again", **draft)
        self.assertEqual(
            self.rows(batch_id, "number", "reason", state="left_out"),
            [(NO_ADDRESS, "dead_number")],
        )

    def test_draft_tells_how_many_have_probably_refused_mailings(self):
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            env["sms.devino.number"].create(
                {
                    "number": GOOD,
                    "company_id": account.company_id.id,
                    "mode": "live",
                    "accepted_at": fields.Datetime.now(),
                    "rejected_count": 4,
                    "rejected_at": fields.Datetime.now(),
                }
            )
        batch_id = self.prepare(**self.draft_to(REJECTED, GOOD))
        self.assertEqual(self.read_batch(batch_id, "figures")["refusing"], 1)
        self.assertIn("refused mailings", self.read_batch(batch_id, "sheet"))
        self.assertEqual(len(self.rows(batch_id, "number")), 2)

    def test_one_of_two_hundred_fails_and_is_found_with_few_calls(self):
        phones = self.numbers(200, 79230000000)
        phones[150] = "79230015099"
        self.provider.faults.add(
            Fault("latency", path="Sms/SendBulk", seconds=0.01, times=None)
        )
        self.send(**self.draft_to(*phones))
        states = self.states()
        self.assertEqual(states.pop("failed"), 1)
        _logger.info("1 bad of 200 new numbers: %s calls", self.bulks())
        self.assertLess(self.bulks(), 20)
        self.assertLedgerIsJournal()
