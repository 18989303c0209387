"""Each of Odoo's apps that send SMS, over the sandbox.

``./dev test`` installs these apps; elsewhere the class of a missing one is skipped.
"""

import re
import unittest
from datetime import timedelta
from unittest.mock import patch

from lxml import etree

import odoo.modules.module
from odoo import fields
from odoo.fields import Command
from odoo.tests import Form, HttpCase, tagged

from ..hooks import uninstall_hook
from .app_common import FAILING_NUMBER, NUMBER, AppCase, Fates


class ModuleCase(AppCase):
    module = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if cls.module not in cls.env.registry._init_modules:
            raise unittest.SkipTest(f"{cls.module} is not installed")


@tagged("post_install", "-at_install", "sms_devino")
class TestAutomationRule(ModuleCase):
    module = "base_automation"

    def setUp(self):
        super().setUp()
        model_id = self.env["ir.model"]._get_id("res.partner")
        action = self.env["ir.actions.server"].create(
            {
                "name": "Tell the contact",
                "model_id": model_id,
                "state": "sms",
                "sms_template_id": self.create_template("res.partner").id,
                "sms_method": "comment",
            }
        )
        rule = self.env["base.automation"].create(
            {
                "name": "On change of the street",
                "trigger": "on_create_or_write",
                "model_id": model_id,
                "filter_domain": "[('street', '=', 'New')]",
                "filter_pre_domain": "[('street', '!=', 'New')]",
                "action_server_ids": [Command.link(action.id)],
            }
        )
        self.assertTrue(rule.active)

    def test_rule_sends_delivered(self):
        self.partner.street = "New"
        self.send_all()
        self.assertOneSent(self.partner, text="Hello Anna")
        self.assertIcon(self.partner, "sent")

    def test_rule_sends_for_a_stranger_and_shows_failure(self):
        self.company.sms_devino_members_only = True
        stranger = self.new_user(
            "sms_rule_stranger", "base.group_user,base.group_partner_manager"
        )
        self.partner.phone = FAILING_NUMBER
        self.partner.with_user(stranger).street = "New"
        self.send_all()
        self.assertOneSent(self.partner, number=FAILING_NUMBER)
        self.assertIcon(self.partner, "bounce", "sms_rejected")

    def test_rollback(self):
        def work():
            self.partner.street = "New"
            self.env.flush_all()

        self.assertNothingAfterRollback(work)


@tagged("post_install", "-at_install", "sms_devino")
class TestCalendar(ModuleCase):
    module = "calendar_sms"

    def setUp(self):
        super().setUp()
        alarm = self.env["calendar.alarm"].create(
            {
                "name": "An hour before",
                "duration": 1,
                "interval": "hours",
                "alarm_type": "sms",
            }
        )
        now = fields.Datetime.now()
        self.event = self.env["calendar.event"].create(
            {
                "name": "Meeting",
                "start": now + timedelta(minutes=50),
                "stop": now + timedelta(minutes=110),
                "alarm_ids": [Command.set(alarm.ids)],
                "partner_ids": [Command.set(self.partner.ids)],
                "user_id": False,
            }
        )
        self.cron = self.env.ref("calendar.ir_cron_scheduler_alarm")
        self.cron.lastcall = now - timedelta(hours=1)

    def remind(self):
        last = self.cron.lastcall
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            manager = self.env(cr=cr)["calendar.alarm_manager"]
            manager.with_context(lastcall=last)._send_reminder()

    def test_reminder_is_delivered(self):
        self.remind()
        self.send_all()
        self.assertOneSent(self.event)
        self.assertIcon(self.event, "sent")

    def test_reminder_that_fails_is_shown(self):
        self.partner.phone = FAILING_NUMBER
        self.remind()
        self.send_all()
        self.assertOneSent(self.event, number=FAILING_NUMBER)
        self.assertIcon(self.event, "bounce", "sms_rejected")

    def test_rollback(self):
        alarms = self.event.alarm_ids
        self.assertNothingAfterRollback(lambda: self.event._do_sms_reminder(alarms))


@tagged("post_install", "-at_install", "sms_devino")
class TestCrm(ModuleCase):
    module = "crm_sms"

    def setUp(self):
        super().setUp()
        self.lead = self.env["crm.lead"].create(
            {"name": "Deal", "phone": NUMBER, "country_id": self.env.ref("base.ru").id}
        )

    def test_button_of_a_lead(self):
        self.compose(self.lead).action_send_sms()
        self.send_all()
        self.assertOneSent(self.lead)
        self.assertIcon(self.lead, "sent")

    def test_failure_is_shown(self):
        self.lead.phone = FAILING_NUMBER
        self.compose(self.lead).action_send_sms()
        self.send_all()
        self.assertOneSent(self.lead, number=FAILING_NUMBER)
        self.assertIcon(self.lead, "bounce", "sms_rejected")

    def test_rollback(self):
        self.assertNothingAfterRollback(
            lambda: self.compose(self.lead).action_send_sms()
        )

    def test_several_leads_of_two_companies(self):
        second = self.create_company("Second")
        second.sms_devino_account_id = self.create_account(second, sender="Second")
        other = self.lead.copy({"phone": "+79214563764", "company_id": second.id})
        leads = self.lead + other
        leads._message_sms_schedule_mass(body="Hello", mass_keep_log=False)
        self.run_odoo_queue()
        self.assertEqual(
            {(row.res_id, row.company_id) for row in self.journal()},
            {(self.lead.id, self.company), (other.id, second)},
        )

    def test_button_is_gone_for_strangers(self):
        self.company.sms_devino_members_only = True
        stranger = self.new_user(
            "sms_crm_stranger", "base.group_user,sales_team.group_sale_salesman"
        )
        action_id = self.env.ref("crm_sms.crm_lead_act_window_sms_composer_single").id

        def has_button(user):
            lead = self.env["crm.lead"].with_user(user)
            views = lead.get_views([(False, "form"), (False, "list")])["views"]
            return (
                f'name="{action_id}"' in views["form"]["arch"] + views["list"]["arch"]
            )

        list_action = self.env.ref("crm_sms.crm_lead_act_window_sms_composer_multi")
        member = self.new_user(
            "sms_crm_member",
            "base.group_user,sales_team.group_sale_salesman,sms_devino.group_user",
        )
        self.assertFalse(has_button(stranger))
        self.assertTrue(has_button(member) or list_action)
        arch = self.env["crm.lead"].with_user(stranger).get_view(view_type="list")
        self.assertNotIn(f'name="{list_action.id}"', arch["arch"])


@tagged("post_install", "-at_install", "sms_devino")
class TestStock(ModuleCase):
    module = "stock_sms"

    def setUp(self):
        super().setUp()
        self.company.write(
            {
                "stock_text_confirmation": True,
                "stock_confirmation_type": "sms",
                "has_received_warning_stock_sms": True,
                "stock_sms_confirmation_template_id": self.create_template(
                    "stock.picking", "Shipped: {{ object.name }}"
                ).id,
            }
        )
        warehouse = self.env["stock.warehouse"].search(
            [("company_id", "=", self.company.id)], limit=1
        )
        product = self.env["product.product"].create(
            {"name": "Box", "type": "consu", "is_storable": False}
        )
        customers = self.env.ref("stock.stock_location_customers")
        self.picking = self.env["stock.picking"].create(
            {
                "partner_id": self.partner.id,
                "picking_type_id": warehouse.out_type_id.id,
                "location_id": warehouse.lot_stock_id.id,
                "location_dest_id": customers.id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": 1,
                            "product_uom": product.uom_id.id,
                            "location_id": warehouse.lot_stock_id.id,
                            "location_dest_id": customers.id,
                        }
                    )
                ],
            }
        )
        self.picking.action_confirm()
        self.picking.move_ids.write({"quantity": 1, "picked": True})

    def validate(self):
        # the app sends nothing while it believes that it is being tested
        with patch.object(odoo.modules.module, "current_test", None):
            self.picking.button_validate()
        self.assertEqual(self.picking.state, "done")

    def test_confirmation_of_a_delivery(self):
        self.validate()
        self.send_all()
        self.assertOneSent(self.picking, text=f"Shipped: {self.picking.name}")
        self.assertIcon(self.picking, "sent")

    def test_failure_is_shown(self):
        self.partner.phone = FAILING_NUMBER
        self.validate()
        self.send_all()
        self.assertOneSent(self.picking, number=FAILING_NUMBER)
        self.assertIcon(self.picking, "bounce", "sms_rejected")

    def test_rollback(self):
        self.assertNothingAfterRollback(self.validate)

    def test_no_request_leaves_while_the_delivery_is_validated(self):
        self.validate()
        self.assertFalse(self.server.requests)


@tagged("post_install", "-at_install", "sms_devino")
class TestEvent(Fates, ModuleCase):
    """Odoo sends in mass mode here: a note on the registration, no notification."""

    module = "event_sms"
    has_icon = False

    def setUp(self):
        super().setUp()
        template = self.create_template("event.registration", "See you there")
        now = fields.Datetime.now()
        self.env["ir.config_parameter"].set_param("event.event_mail_async", False)
        self.event = self.env["event.event"].create(
            {
                "name": "Fair",
                "date_begin": now + timedelta(days=2),
                "date_end": now + timedelta(days=3),
                "event_mail_ids": [
                    Command.clear(),
                    Command.create(
                        {
                            "interval_unit": "now",
                            "interval_type": "after_sub",
                            "notification_type": "sms",
                            "template_ref": f"sms.template,{template.id}",
                        }
                    ),
                ],
            }
        )

    def send(self):
        registration = self.env["event.registration"].create(
            {"event_id": self.event.id, "partner_id": self.partner.id, "state": "open"}
        )
        self.run_odoo_queue()
        return registration


class MailingCase(ModuleCase):
    module = "mass_mailing_sms"

    def setUp(self):
        super().setUp()
        contacts = self.env["mailing.contact"].create(
            [
                {"name": "Good", "mobile": NUMBER},
                {"name": "Failing", "mobile": FAILING_NUMBER},
                {"name": "Excluded", "mobile": "+79214563765"},
            ]
            if "mobile" in self.env["mailing.contact"]._fields
            else []
        )
        self.env["phone.blacklist"]._add(["+79214563765"])
        self.contacts = contacts
        self.mailing = self.env["mailing.mailing"].create(
            {
                "subject": "Sale",
                "mailing_type": "sms",
                "mailing_model_id": self.env["ir.model"]._get_id("mailing.contact"),
                "mailing_domain": repr([("id", "in", contacts.ids)]),
                "body_plaintext": "Sale!",
            }
        )

    def launch(self):
        self.mailing.action_put_in_queue()
        with self.enter_registry_test_mode():
            self.env.ref(
                "mass_mailing.ir_cron_mass_mailing_queue"
            ).method_direct_trigger()
        self.run_odoo_queue()

    def traces(self):
        self.env.invalidate_all()
        return {
            trace.sms_number: (trace.trace_status, trace.failure_type or None)
            for trace in self.mailing.mailing_trace_ids
        }


@tagged("post_install", "-at_install", "sms_devino")
class TestMassMailing(MailingCase):
    def test_mailing_goes_out_with_its_traces(self):
        self.launch()
        self.assertEqual(self.mailing.state, "sending")
        self.dispatch()
        self.assertEqual(self.traces()[NUMBER], ("pending", None))
        self.assertEqual(self.mailing.state, "done")
        self.report()
        self.assertEqual(
            self.traces(),
            {
                NUMBER: ("sent", None),
                FAILING_NUMBER: ("bounce", "sms_rejected"),
                "+79214563765": ("cancel", "sms_blacklist"),
            },
        )
        self.assertEqual(len(self.provider.ledger), 2)
        self.assertEqual(self.journal().mapped("priority"), ["0", "0"])
        self.assertEqual(
            set(self.journal().mapped("res_id")), set(self.contacts[:2].ids)
        )
        self.assertFalse(self.mailing.sms_has_insufficient_credit)
        self.assertFalse(self.mailing.sms_has_unregistered_account)

    def test_mailing_is_advertising_unless_its_template_says_otherwise(self):
        self.company.sms_devino_ad_line = "Ours. To refuse: 8 800 000-00-00"
        self.company.sms_devino_consent_required = True
        self.env["sms.devino.consent"].create({"number": NUMBER, "source": "Shop"})
        self.launch()
        message = self.journal()
        self.assertEqual((message.number, message.purpose), (NUMBER, "advertising"))
        self.assertTrue(message.body.endswith(self.company.sms_devino_ad_line))
        self.assertEqual(self.traces()[FAILING_NUMBER], ("cancel", "sms_optout"))

    def test_mailing_that_fails_wholly_is_done(self):
        self.contacts.mobile = "+79214563799"
        self.contacts[1:].unlink()
        self.launch()
        self.dispatch()
        self.assertEqual(
            self.traces(), {"+79214563799": ("error", "sms_number_format")}
        )
        self.assertEqual(self.mailing.state, "done")

    def test_canceled_in_the_journal_is_canceled_in_the_mailing(self):
        self.launch()
        self.journal().action_cancel()
        self.assertEqual(self.traces()[NUMBER], ("cancel", None))
        self.assertEqual(self.mailing.state, "done")

    def test_retry_of_failed_sends_these_only(self):
        self.launch()
        self.send_all()
        self.contacts[1].mobile = "+79214563766"
        self.mailing.action_retry_failed()
        with self.enter_registry_test_mode():
            self.env.ref(
                "mass_mailing.ir_cron_mass_mailing_queue"
            ).method_direct_trigger()
        self.run_odoo_queue()
        self.send_all()
        self.assertCountEqual(
            [entry.number for entry in self.provider.ledger],
            [NUMBER[1:], FAILING_NUMBER[1:], "79214563766"],
        )

    def test_test_wizard_sends_once(self):
        self.mailing.sms_allow_unsubscribe = True
        wizard = self.env["mailing.sms.test"].create(
            {"mailing_id": self.mailing.id, "numbers": NUMBER}
        )
        wizard.action_send_sms()
        self.run_odoo_queue()
        self.send_all()
        self.assertEqual(len(self.provider.ledger), 1)
        self.assertIn("/sms/", self.provider.ledger[0].text)

    def test_rollback(self):
        self.assertNothingAfterRollback(self.launch)


@tagged("post_install", "-at_install", "sms_devino")
class TestMailingPages(MailingCase, HttpCase):
    """What recipients open from a mailing, and the test of two texts."""

    def sent_text(self):
        self.launch()
        self.dispatch()
        return next(e.text for e in self.provider.ledger if e.number == NUMBER[1:])

    def open_page(self, url, **options):
        self.env.flush_all()
        path = re.sub("^https?://[^/]+", "", url)
        return self.url_open(path, **options)

    def test_links_count_clicks(self):
        self.mailing.body_plaintext = "Sale: https://www.example.com/sale"
        link = re.search(r"\S+/r/\S+/s/\d+", self.sent_text())[0]
        answer = self.open_page(link, allow_redirects=False)
        self.assertIn("https://www.example.com/sale", answer.headers["Location"])
        self.env.invalidate_all()
        trace = self.mailing.mailing_trace_ids.filtered("links_click_ids")
        self.assertEqual(trace.sms_number, NUMBER)
        self.assertEqual(self.mailing.clicks_ratio, 50)

    def test_page_of_refusal_excludes_the_number(self):
        self.mailing.sms_allow_unsubscribe = True
        link = re.search(r"\S+/sms/\d+/\w+", self.sent_text())[0]
        answer = self.open_page(f"{link}?sms_number=%2B{NUMBER[1:]}")
        self.assertEqual(answer.status_code, 200)
        blacklist = self.env["phone.blacklist"].search([("number", "=", NUMBER)])
        self.assertTrue(blacklist)
        again = self.mailing.copy()
        self.mailing = again
        self.launch()
        self.assertEqual(self.traces()[NUMBER], ("cancel", "sms_blacklist"))

    def test_of_two_texts_the_better_one_goes_to_the_rest(self):
        contacts = self.env["mailing.contact"].create(
            [
                {"name": f"Name {index}", "mobile": f"+7921450{index:02}00"}
                for index in range(10)
            ]
        )
        campaign = self.env["utm.campaign"].create(
            {"name": "Two texts", "ab_testing_sms_winner_selection": "manual"}
        )
        self.mailing.write(
            {
                "mailing_domain": repr([("id", "in", contacts.ids)]),
                "campaign_id": campaign.id,
                "ab_testing_enabled": True,
                "ab_testing_pc": 20,
            }
        )
        first = self.mailing
        second = first.copy({"body_plaintext": "Other", "ab_testing_pc": 20})
        for self.mailing in (first, second):
            self.launch()
            self.dispatch()
        self.assertEqual(len(self.provider.ledger), 4)
        action = second.action_select_as_winner()
        self.mailing = second.browse(action["res_id"])
        self.launch()
        self.dispatch()
        numbers = [entry.number for entry in self.provider.ledger]
        self.assertEqual(len(set(numbers)), len(numbers))
        self.assertCountEqual(numbers, [c.mobile[1:] for c in contacts])
        texts = [entry.text for entry in self.provider.ledger]
        self.assertEqual((texts.count("Sale!"), texts.count("Other")), (2, 8))


@tagged("post_install", "-at_install", "sms_devino")
class TestTwilio(ModuleCase):
    """Odoo's other provider lives beside the account, whichever came first."""

    module = "sms_twilio"

    def test_account_wins_and_twilio_comes_back(self):
        self.company.sms_devino_account_id = False
        self.company.sms_provider = "twilio"
        twilio = self.company._get_sms_api_class()
        self.company.sms_devino_account_id = self.account
        self.assertNotEqual(self.company._get_sms_api_class(), twilio)
        self.partner._message_sms("Hello")
        self.assertEqual(len(self.journal()), 1)
        self.company.sms_devino_account_id = False
        self.assertEqual(self.company.sms_provider, "twilio")
        self.assertEqual(self.company._get_sms_api_class(), twilio)

    def test_settings_saved_with_both_keep_the_account(self):
        settings = self.env["res.config.settings"].create(
            {"sms_devino_account_id": self.account.id, "sms_provider": "twilio"}
        )
        settings.execute()
        self.assertEqual(self.company.sms_devino_account_id, self.account)
        self.assertEqual(self.company.sms_provider, "iap")

    def test_company_on_twilio_keeps_it(self):
        second = self.create_company("On Twilio", sms_provider="twilio")
        sms = self.env["sms.sms"].create(
            [
                {"number": NUMBER, "body": "Ours"},
                {
                    "number": "+79214563764",
                    "body": "Theirs",
                    "sms_devino_company_id": second.id,
                    "record_company_id": second.id,
                },
            ]
        )
        sms[0].record_company_id = self.company
        by_api = {type(api).__name__: messages for api, messages in sms._split_by_api()}
        self.assertEqual(by_api, {"SmsApiDevino": sms[0], "SmsApiTwilio": sms[1]})

    def test_uninstalling_gives_the_provider_back(self):
        self.company.sms_devino_account_id = False
        self.company.sms_provider = "twilio"
        self.company.sms_devino_account_id = self.account
        uninstall_hook(self.env)
        self.assertEqual(self.company.sms_provider, "twilio")

    def test_choice_of_twilio_is_hidden_in_the_settings(self):
        view = self.env["res.config.settings"].get_view(
            self.env.ref("base_setup.res_config_settings_view_form").id
        )
        arch = etree.fromstring(view["arch"])
        [other] = arch.xpath("//setting[@id='sms']/field[@name='sms_provider']")
        self.assertEqual(other.get("invisible"), "1")
        self.assertTrue(arch.xpath("//field[@name='sms_devino_provider']"))

    def test_all_providers_are_one_choice_in_the_settings(self):
        self.company.sms_devino_account_id = False
        settings = self.env["res.config.settings"]
        choices = dict(settings.fields_get()["sms_devino_provider"]["selection"])
        self.assertEqual(set(choices), {"iap", "twilio", "devino"})
        for chosen, api in (
            ("twilio", "SmsApiTwilio"),
            ("devino", "SmsApiDevino"),
            ("iap", "SmsApi"),
        ):
            with self.subTest(chosen):
                form = Form(settings)
                form.sms_devino_provider = chosen
                form.save().execute()
                self.assertEqual(self.company._get_sms_api_class().__name__, api)
                self.assertEqual(Form(settings).sms_devino_provider, chosen)
