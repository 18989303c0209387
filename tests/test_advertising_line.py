from odoo.exceptions import ValidationError
from odoo.tests import tagged

from ..services.ad_line import add as add_line
from .base_case import SmsCase
from .mass_case import TEXT, MassCase

LINE = "Ours. To refuse: 8 800 000-00-00"


@tagged("post_install", "-at_install", "sms_devino")
class TestLineOfTheCompany(SmsCase):
    def hint(self, line=False):
        self.company.sms_devino_ad_line = line
        settings = self.env["res.config.settings"].create(
            {"company_id": self.company.id}
        )
        return settings.sms_devino_ad_line_hint

    def test_it_is_one_line_without_braces(self):
        wrong = "{{ name }}", "a}", "two\nlines", "{{ unsubscribe | x }}", "{{ }}"
        for line in wrong:
            with self.assertRaisesRegex(ValidationError, "one line without braces"):
                self.company.sms_devino_ad_line = line
        self.company.sms_devino_ad_line = LINE

    def test_an_answer_is_offered_only_with_a_number_for_replies(self):
        self.assertNotIn("STOP", self.hint())
        for line in ("Ours. Reply STOP", "Ours. Ответьте СТОП"):
            self.assertIn("nobody can answer", self.hint(line))
        self.assertNotIn("nobody", self.hint("Ours. Отказ: 8 800"))
        self.account.inbound_number = "79030000000"
        self.assertIn("reply STOP to 79030000000", self.hint("Reply STOP"))

    def test_it_is_added_once_and_never_to_nothing(self):
        self.assertEqual(add_line("Sale \n", "Ours"), "Sale\nOurs")
        self.assertEqual(add_line("Sale\nOurs", "Ours"), "Sale\nOurs")
        self.assertEqual(add_line("Sale", False), "Sale")
        self.assertEqual(add_line(" ", "Ours"), "")
        self.assertEqual(add_line(False, "Ours"), "")


@tagged("post_install", "-at_install", "sms_devino")
class TestLineOfAdvertising(MassCase):
    """The line is in the texts, their count and cost, and stays as it was approved."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self.set_line, False)
        self.set_line(LINE)

    def set_line(self, line):
        with self.transaction() as env:
            env.company.sms_devino_ad_line = line

    def test_advertising_ends_with_it_and_the_rest_does_not(self):
        for purpose, added in (
            ("advertising", True),
            ("service", False),
            ("debt", False),
        ):
            batch_id = self.prepare(purpose=purpose)
            text = f"{TEXT}\n{LINE}" if added else TEXT
            self.assertEqual(set(self.rows(batch_id, "body")), {text}, purpose)

    def test_it_counts_and_costs(self):
        batch_id = self.prepare(body="x" * 150)
        self.assertEqual(self.read_batch(batch_id, "segment_count"), 20)
        self.assertEqual(self.read_batch(batch_id, "cost_estimated"), 20)

    def test_translations_end_with_it_too(self):
        partner_list = self.list_id
        with self.transaction() as env:
            env["res.lang"]._activate_lang("ru_RU")
            lines = env["sms.devino.recipient.list"].browse(partner_list).recipient_ids
            partner = env["res.partner"].create({"name": "Anna", "lang": "ru_RU"})
            lines[0].partner_id = partner
            partner_id = partner.id
        batch_id = self.prepare(translations={"ru_RU": "Скидки"})
        self.assertIn(f"Скидки\n{LINE}", self.rows(batch_id, "body"))
        with self.transaction() as env:
            env["res.partner"].browse(partner_id).unlink()

    def test_a_change_outdates_drafts_and_leaves_what_was_sent(self):
        draft, sent = self.prepare(), self.send_mass(body="Other text")
        self.set_line("Another line")
        self.assertIn("out of date", self.read_batch(draft, "send_problem"))
        self.assertEqual(self.read_batch(draft, "added_line"), "Another line")
        self.assertEqual(self.read_batch(sent, "added_line"), LINE)

    def test_the_sample_has_it(self):
        action = self.press(self.draft(), "action_sample")
        self.assertEqual(action["context"]["default_body"], f"{TEXT}\n{LINE}")
