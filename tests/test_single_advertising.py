"""Advertising in single messages: the line of the company, and the consent it demands,
at each door."""

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..services import ad_line
from .app_common import NUMBER, AppCase
from .base_case import SmsCase
from .rule_case import RuleCase

LINE = "Ours. To refuse: 8 800 000-00-00"
OTHER = "+79031234567"


@tagged("post_install", "-at_install", "sms_devino")
class TestLineOfOneMessage(AppCase):
    def setUp(self):
        super().setUp()
        self.company.sms_devino_ad_line = LINE

    def bodies(self):
        return self.journal().mapped("body")

    def test_the_form_shows_it_and_counts_it(self):
        composer = self.compose(self.partner, body="x" * 150)
        self.assertFalse(composer.sms_devino_added_line)
        self.assertEqual(composer.sms_devino_segment_count, 1)
        composer.sms_devino_purpose = "advertising"
        self.assertEqual(composer.sms_devino_added_line, LINE)
        self.assertEqual(composer.sms_devino_segment_count, 2)
        self.assertEqual(composer.sms_devino_cost, 2)
        composer.action_send_sms()
        message = self.journal()
        self.assertEqual(message.body, f"{'x' * 150}\n{LINE}")
        self.assertEqual((message.segment_count, message.cost_estimated), (2, 2))

    def test_a_template_of_advertising_brings_it_into_every_door(self):
        template = self.create_template(
            "res.partner", "Sale", sms_devino_purpose="advertising"
        )
        partners = self.partner + self.partner.copy({"phone": OTHER})
        self.compose(partners, body="Sale", template_id=template.id).action_send_sms()
        self.partner._message_sms_with_template(template=template)
        self.run_odoo_queue()
        self.assertEqual(self.bodies(), [f"Sale\n{LINE}"] * 3)

    def test_service_and_debt_go_without_it(self):
        for purpose in ("service", "debt"):
            composer = self.compose(self.partner, sms_devino_purpose=purpose)
            composer.action_send_sms()
        self.assertEqual(self.bodies(), ["Hello"] * 2)

    def test_sent_again_it_is_there_once_also_after_a_change(self):
        self.compose(self.partner, sms_devino_purpose="advertising").action_send_sms()
        message = self.journal()
        message.state = "failed"
        self.env.flush_all()
        self.company.sms_devino_ad_line = "Another line"
        message.action_send_again()
        copy = self.journal() - message
        self.assertEqual((copy.body, copy.purpose), (message.body, "advertising"))

    def test_the_form_of_a_repeated_message_has_the_text_without_it(self):
        self.company.sms_devino_ad_line = "Ours. {{ unsubscribe }}"
        self.compose(self.partner, sms_devino_purpose="advertising").action_send_sms()
        message = self.journal()
        message.state = "failed"
        self.env.flush_all()
        composer = self.env["sms.composer"].create(
            {
                "composition_mode": "numbers",
                "sms_devino_direct": True,
                "sms_devino_repeat_id": message.id,
                "sms_devino_number": OTHER,
            }
        )
        self.assertEqual(composer.body, "Hello")
        composer.action_send_sms()
        link = ad_line.make_link(self.company, OTHER)
        self.assertEqual(self.bodies()[1], f"Hello\nOurs. {link}")
        self.assertEqual(self.journal()[1].purpose, "advertising")


@tagged("post_install", "-at_install", "sms_devino")
class TestConsentToOneMessage(AppCase):
    def setUp(self):
        super().setUp()
        self.company.sms_devino_consent_required = True
        self.stranger = self.partner.copy({"name": "Boris", "phone": OTHER})
        self.env["sms.devino.consent"].create({"number": NUMBER, "source": "Shop"})
        self.sentence = "No consent to advertising"

    def test_the_form_says_so_and_refuses(self):
        composer = self.compose(self.stranger, sms_devino_purpose="advertising")
        self.assertEqual(composer.sms_devino_left_out, f"{self.sentence}: {OTHER}")
        self.assertEqual(composer.sms_devino_recipient_count, 0)
        with self.assertRaisesRegex(UserError, self.sentence):
            composer.action_send_sms()
        composer.sms_devino_purpose = "service"
        self.assertFalse(composer.sms_devino_left_out)
        composer.action_send_sms()
        self.compose(self.partner, sms_devino_purpose="advertising").action_send_sms()
        self.assertEqual(self.journal().mapped("number"), [OTHER, NUMBER])

    def test_of_several_they_are_left_out(self):
        partners = self.partner + self.stranger
        composer = self.compose(partners, sms_devino_purpose="advertising")
        self.assertEqual(composer.sms_devino_left_out, f"{self.sentence}: Boris")
        self.assertEqual(composer.sms_devino_cost, 1)
        composer.action_send_sms()
        self.run_odoo_queue()
        self.assertEqual(self.journal().mapped("number"), [NUMBER])

    def test_what_an_app_sends_fails_with_the_reason(self):
        template = self.create_template("res.partner", sms_devino_purpose="advertising")
        for partner in (self.partner, self.stranger):
            partner._message_sms_with_template(template=template)
        self.assertEqual(self.journal().mapped("number"), [NUMBER])
        notification = self.sms_notification(self.stranger)
        self.assertEqual(notification.notification_status, "exception")
        self.assertIn(self.sentence, notification.failure_reason)

    def test_a_consent_withdrawn_since_stops_sending_again(self):
        self.compose(self.partner, sms_devino_purpose="advertising").action_send_sms()
        message = self.journal()
        message.state = "failed"
        self.env.flush_all()
        self.env["sms.devino.consent"].search([]).write(
            {"withdrawn_at": "2026-01-01 00:00:00"}
        )
        with self.assertRaisesRegex(UserError, self.sentence):
            message.action_send_again()


@tagged("post_install", "-at_install", "sms_devino")
class TestAdvertisingOfCode(SmsCase):
    def submit(self, number=NUMBER, body="Sale", **options):
        messages = self.env_of("user")["sms.devino.message"]
        options = {"account": self.account.id, "purpose": "advertising", **options}
        found = messages.submit(number, body, **options)
        return self.env["sms.devino.message"].browse(found["id"])

    def test_both_entrances_add_the_line(self):
        self.company.sms_devino_ad_line = LINE
        for message in (
            self.enqueue(text="Sale", purpose="advertising"),
            self.submit(),
        ):
            self.assertEqual(message.sudo().body, f"Sale\n{LINE}")
        self.assertEqual(self.submit(purpose="service").body, "Sale")

    def test_a_second_call_with_the_key_finds_the_message_with_its_line(self):
        self.company.sms_devino_ad_line = LINE
        first = self.submit(key="a")
        self.company.sms_devino_ad_line = "Another line"
        self.assertEqual(self.submit(key="a"), first)
        with self.assertRaisesRegex(UserError, "another message under the key"):
            self.submit(key="a", body="Something else")

    def test_both_entrances_demand_the_consent(self):
        self.company.sms_devino_consent_required = True
        self.env["sms.devino.consent"].create({"number": OTHER, "source": "Shop"})
        for send in (self.submit, lambda: self.enqueue(purpose="advertising")):
            with self.assertRaisesRegex(UserError, "No consent to advertising"):
                send()
        self.assertTrue(self.submit(OTHER))
        self.assertTrue(self.submit(purpose="service"))

    def test_the_line_is_paid_for(self):
        self.company.sms_devino_ad_line = LINE
        self.account.write({"balance": 1, "balance_at": "2100-01-01 00:00:00"})
        with self.assertRaisesRegex(UserError, "2"):
            self.submit(body="x" * 150)


@tagged("post_install", "-at_install", "sms_devino")
class TestAdvertisingOfRules(RuleCase):
    def test_the_text_of_a_rule_ends_with_the_line(self):
        self.company.sms_devino_ad_line = "Ours. {{ unsubscribe }}"
        self.account.hours_advertising_on = False
        rule = self.on(purpose="advertising")
        self.contact(NUMBER)
        link = ad_line.make_link(self.company, NUMBER)
        self.assertEqual(rule.preview, f"Hello Anna\nOurs. {link}")
        self.run_rules()
        self.assertEqual(self.sent(rule).body, f"Hello Anna\nOurs. {link}")
