"""What a person sees of answers, consents, hours and limits, in a real browser."""

import time
from datetime import datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from . import test_departures
from .test_batch_tours import OVERVIEW, TourCase
from .test_departures import TimedCase

OWN = "79030000000"


@tagged("post_install", "-at_install", "sms_devino")
class TestAnswerTours(TourCase):
    # What came in this very second belongs to the next look.
    clock = staticmethod(lambda: time.time() - 2)

    def setUp(self):
        super().setUp()
        self.addCleanup(self._forget)
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            account.inbound_number = OWN
            account.company_id.sms_devino_account_id = account
            self.partner_id = (
                env["res.partner"].create({"name": "Anna", "phone": "+79214500000"}).id
            )

    def _forget(self):
        with self.transaction() as env:
            env["sms.devino.incoming"].search([]).unlink()
            env.company.write(
                {
                    "sms_devino_account_id": False,
                    "sms_devino_consent_required": False,
                    "sms_devino_ad_line": False,
                }
            )
            env["res.partner"].browse(self.partner_id).unlink()
            env.cr.execute("DELETE FROM sms_devino_consent")

    def receive(self, *texts):
        for text in texts:
            self.provider.add_incoming("79214500000", OWN, text)
        with self.transaction() as env:
            env["sms.devino.incoming"]._cron_poll()

    def contact_url(self):
        return f"/odoo/res.partner/{self.partner_id}"

    def test_a_reply_is_read_and_stop_blocks_the_next_sending(self):
        self.enqueue("79214500000", "Your order is ready")
        self.dispatch()
        self.receive("When do you close?", "СТОП")
        self.tour("sms_devino_answer_read", self.contact_url())
        batch_id = self.draft()
        with self.calculations():
            self.tour("sms_devino_answer_left_out", self.batch_url(batch_id))
        self.assertEqual(self.read_batch(batch_id, "total"), 9)
        self.assertEqual(len(self.provider.ledger), 1)

    def test_consents_are_demanded_and_imported(self):
        with self.transaction() as env:
            env.company.sms_devino_consent_required = True
        content = (
            b"Phone;Name;Consent date\n79214600000;Anna;2025-11-03\n"
            b"79214600100;Boris;2025-11-04\n79214600200;Vera;\n"
        )
        self.keep_file(content)
        with self.calculations():
            self.tour("sms_devino_consents_imported", OVERVIEW)
        with self.transaction() as env:
            found = env["sms.devino.consent"].search([], order="number")
            self.assertEqual(found.mapped("number"), ["+79214600000", "+79214600100"])

    def test_advertising_in_one_message_shows_the_line_of_the_company(self):
        with self.transaction() as env:
            env.company.sms_devino_ad_line = "Ours. To refuse: {{ unsubscribe }}"
        self.tour("sms_devino_single_advertising", self.contact_url())
        self.dispatch()
        self.assertRegex(
            self.provider.ledger[0].text, r"\nOurs\. To refuse: http\S+/u/"
        )

    def test_a_third_reminder_of_a_debt_on_one_day_is_held_back(self):
        for text in ("Please pay", "Please pay today"):
            self.enqueue("79214500000", text, purpose="debt")
            self.dispatch()
        with self.scheduled_actions():
            self.tour("sms_devino_third_reminder", self.contact_url())
        self.assertEqual(len(self.provider.ledger), 2)
        self.assertEqual(self.states(), {"delivered": 2, "canceled": 1})


@tagged("post_install", "-at_install", "sms_devino")
class TestZoneTour(TimedCase, TourCase):
    """Clocks of the server and of the sandbox are moved; that of the browser is not, so
    the day is the next Tuesday, when its session still holds."""

    def setUp(self):
        super().setUp()
        now = datetime.now()
        day = datetime(now.year, now.month, now.day) + timedelta(days=1)
        day += timedelta(days=(1 - day.weekday()) % 7)
        self.startPatcher(patch.object(test_departures, "DAY", day))

    def test_a_mass_sending_over_three_zones(self):
        batch_id = self.draft(
            list_ids=False, partner_ids=[Command.set(self.contact_ids)]
        )
        with freeze_time(test_departures.DAY + timedelta(hours=4), tick=True):
            with self.calculations():
                self.tour("sms_devino_three_zones", self.batch_url(batch_id))
            self.dispatch()
        self.assertEqual(self.ledger(), ["PRI"])
        self.dispatch_at(6, 1)
        self.assertEqual(self.ledger(), ["PRI", "MOW"])
        self.dispatch_at(7, 1)
        self.assertEqual(self.ledger(), ["PRI", "MOW", "KGD"])
        self.assertLedgerIsJournal()
