from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.sms.tools.sms_api import SmsApi

from ..models.extensions.sms_api import SmsApiDevino
from ..sandbox import Fault
from ..services import odoo_link
from .app_common import FAILING_NUMBER, NUMBER, AppCase


@tagged("post_install", "-at_install", "sms_devino")
class TestChatter(AppCase):
    """The contact's chatter: from the journal's row to the icon."""

    def test_message_of_the_chatter_is_shown_sent_and_delivered(self):
        self.partner._message_sms("Hello")
        self.assertIcon(self.partner, "process")
        self.assertFalse(self.provider.ledger)
        self.dispatch()
        self.assertIcon(self.partner, "pending")
        self.report()
        self.assertIcon(self.partner, "sent")
        message = self.assertOneSent(self.partner, text="Hello")
        self.assertEqual(message.partner_id, self.partner)
        self.assertEqual(message.author_id, self.env.user)

    def test_undelivered_message_shows_the_reason_in_the_authors_language(self):
        self.env["res.lang"]._activate_lang("ru_RU")
        self.env.user.lang = "ru_RU"
        self.partner.phone = FAILING_NUMBER
        self.partner._message_sms("Hello")
        self.send_all()
        self.assertOneSent(self.partner, number=FAILING_NUMBER)
        notification = self.assertIcon(self.partner, "bounce", "sms_rejected")
        labels = dict(
            self.journal()
            .with_context(lang="ru_RU")
            ._fields["message_status"]
            ._description_selection(self.env(context={"lang": "ru_RU"}))
        )
        self.assertEqual(notification.failure_reason, labels["Error_Rejected"])
        self.assertEqual(notification.sms_devino_reason, labels["Error_Rejected"])

    def test_number_refused_by_the_provider_is_shown_as_wrong(self):
        self.partner.phone = "+79214563799"
        self.partner._message_sms("Hello")
        self.dispatch()
        notification = self.assertIcon(self.partner, "exception", "sms_number_format")
        self.assertEqual(
            notification.sms_devino_reason, "Error: invalid recipient number"
        )
        self.assertTrue(self.partner.message_has_sms_error)

    def test_landline_gets_its_error_at_once(self):
        self.partner.phone = "+74951234567"
        self.partner._message_sms("Hello")
        notification = self.assertIcon(self.partner, "exception", "sms_number_format")
        self.assertIn("landline", notification.sms_devino_reason)
        self.assertFalse(self.journal())

    def test_account_without_a_sender_name_is_told_at_once(self):
        self.account.sender_ids.unlink()
        self.partner._message_sms("Hello")
        notification = self.assertIcon(self.partner, "exception", "unknown")
        self.assertIn("sender", notification.sms_devino_reason)

    def test_lost_answer_is_an_error_and_not_sent_again_by_odoo(self):
        self.provider.faults.add(Fault("drop_after", path="Sms/Send"))
        self.partner._message_sms("Hello")
        self.dispatch()
        self.assertIcon(self.partner, "exception", "unknown")
        sms = self.env["sms.sms"].search([("uuid", "=", self.journal().uuid)])
        self.assertEqual(sms.state, "process")
        sms.state = "error"
        sms.to_delete = False
        sms.resend_failed()
        self.assertEqual(len(self.journal()), 1)
        self.assertEqual(len(self.provider.ledger), 1)

    def test_failed_message_is_sent_again_by_odoo(self):
        self.partner.phone = FAILING_NUMBER
        self.partner._message_sms("Hello")
        self.send_all()
        sms = self.env["sms.sms"].search([("uuid", "=", self.journal().uuid)])
        self.assertEqual((sms.state, sms.to_delete), ("error", False))
        sms.number = NUMBER
        sms.resend_failed()
        self.assertIcon(self.partner, "process")
        self.send_all()
        self.assertIcon(self.partner, "sent")
        first, second = self.journal()
        self.assertEqual(second.repeat_of_id, first)
        self.assertEqual(len(self.provider.ledger), 2)

    def test_repeat_from_the_journal_reports_to_the_same_icon(self):
        self.partner.phone = FAILING_NUMBER
        self.partner._message_sms("Hello")
        self.send_all()
        first = self.journal()
        self.env.cr.execute(
            "UPDATE sms_devino_message SET number = %s WHERE id = %s",
            [NUMBER, first.id],
        )
        self.env.invalidate_all()
        first.action_send_again()
        self.assertIcon(self.partner, "process")
        self.send_all()
        self.assertIcon(self.partner, "sent")

    def test_late_report_of_the_first_leaves_the_second_alone(self):
        self.provider.faults.add(Fault("drop_after", path="Sms/Send"))
        self.partner._message_sms("Hello")
        self.dispatch()
        first = self.journal()
        self.assertEqual(first.state, "unknown")
        self.provider.faults.clear()
        first.action_send_again()
        second = self.journal() - first
        self.assertEqual((bool(first.uuid), bool(second.uuid)), (False, True))
        self.send_all()
        self.assertIcon(self.partner, "sent")
        journal = self.env["sms.devino.message"]
        journal._transition("failed", [{"id": first.id}])
        self.assertEqual(first.state, "failed")
        self.assertIcon(self.partner, "sent")

    def test_number_that_is_not_the_contacts_is_not_linked_to_it(self):
        self.partner._message_sms(
            "Hello",
            partner_ids=self.partner.ids,
            sms_pid_to_number={self.partner.id: "+79110001122"},
        )
        message = self.journal()
        self.assertEqual(message.number, "+79110001122")
        self.assertFalse(message.partner_id)
        self.assertEqual(message.res_id, self.partner.id)

    def test_same_batch_handed_over_twice_is_one_message(self):
        sms = self.env["sms.sms"].create({"number": NUMBER, "body": "Hello"})
        sms_api = SmsApiDevino(self.env)
        batch = [
            {"content": "Hello", "numbers": [{"uuid": sms.uuid, "number": NUMBER}]}
        ]
        self.assertEqual(
            sms_api._send_sms_batch(batch),
            [{"uuid": sms.uuid, "state": "processing"}],
        )
        sms_api._send_sms_batch(batch)
        self.assertEqual(len(self.journal()), 1)

    def test_results_that_odoo_logs_hide_numbers(self):
        number = {"uuid": "0", "number": "+74951234567"}
        result = SmsApiDevino(self.env)._send_sms_batch(
            [{"content": "Hello", "numbers": [number]}]
        )
        self.assertIn("+74951234567", result[0]["failure_reason"])
        self.assertNotIn("74951234567", f"{result}")

    def test_transition_without_trackers_costs_one_query(self):
        ids = [
            self.env["sms.devino.message"].enqueue(f"792145637{n:02}", "Hi").id
            for n in range(50)
        ]
        self.env.flush_all()
        with self.assertQueryCount(1):
            odoo_link.report(self.env["sms.devino.message"], "sent", ids)

    def test_trouble_in_odoo_does_not_keep_the_journal_from_being_written(self):
        self.partner._message_sms("Hello")
        self.env.cr.execute(
            "ALTER TABLE mail_notification ADD CONSTRAINT no_pending "
            "CHECK (notification_status != 'pending') NOT VALID"
        )
        with (
            self.assertLogs("odoo.addons.sms_devino", "ERROR"),
            mute_logger("odoo.sql_db"),
        ):
            self.dispatch()
        self.assertEqual(self.journal().state, "sent")


@tagged("post_install", "-at_install", "sms_devino")
class TestComposer(AppCase):
    def test_single_message_takes_sender_and_time(self):
        other = self.account.sender_ids.create(
            {"account_id": self.account.id, "name": "Shop"}
        )
        scheduled_at = fields.Datetime.now() + timedelta(hours=2)
        composer = self.compose(
            self.partner,
            sms_devino_sender_id=other.id,
            sms_devino_when="later",
            sms_devino_scheduled_at=scheduled_at,
        )
        composer.action_send_sms()
        message = self.journal()
        self.assertEqual(message.state, "scheduled")
        self.assertEqual(
            (message.sender_name, message.scheduled_at), ("Shop", scheduled_at)
        )
        self.assertIcon(self.partner, "process")
        message.action_cancel()
        self.assertIcon(self.partner, "canceled")
        self.dispatch()
        self.assertFalse(self.provider.ledger)

    def test_time_that_has_passed_is_refused(self):
        composer = self.compose(
            self.partner,
            sms_devino_when="later",
            sms_devino_scheduled_at=fields.Datetime.now() - timedelta(hours=1),
        )
        with self.assertRaisesRegex(UserError, "has passed"):
            composer.action_send_sms()

    def test_numbers_mode_leaves_a_row_with_the_document(self):
        composer = self.env["sms.composer"].create(
            {
                "composition_mode": "numbers",
                "numbers": NUMBER,
                "body": "Hello",
                "res_model": "res.partner",
                "res_id": self.partner.id,
            }
        )
        composer.action_send_sms()
        self.dispatch()
        self.assertOneSent(self.partner)

    def test_mass_mode_without_a_note_leaves_rows_with_the_documents(self):
        partners = self.partner + self.partner.copy({"phone": "+79214563764"})
        composer = self.compose(
            partners, "Hi {{ object.name }}", mode="mass", mass_keep_log=False
        )
        composer.action_send_sms_mass_now()
        self.dispatch()
        rows = self.journal()
        self.assertEqual(rows.mapped("res_id"), partners.ids)
        self.assertEqual(rows.mapped("priority"), ["0", "0"])
        self.assertEqual(len(self.provider.ledger), 2)

    def test_put_in_queue_leaves_by_odoos_scheduled_action(self):
        self.compose(self.partner, mode="mass").action_send_sms()
        self.assertFalse(self.journal())
        self.run_odoo_queue()
        self.dispatch()
        self.assertOneSent(self.partner)

    def test_landline_is_refused_before_sending(self):
        self.partner.phone = "+74951234567"
        with self.assertRaisesRegex(UserError, "landline"):
            self.compose(self.partner).action_send_sms()

    def test_not_enough_money_is_refused(self):
        self.account._refresh_balance()
        self.account.balance = 0.5
        with self.assertRaisesRegex(UserError, "not enough"):
            self.compose(self.partner).action_send_sms()

    def test_preview_tells_cost_and_who_is_left_out(self):
        self.account._refresh_balance()
        partners = self.partner.create(
            [
                {"name": "No number"},
                {"name": "Landline", "phone": "+74951234567"},
                {"name": "Excluded", "phone": "+79214563765"},
                {"name": "Long", "phone": "+79214563766"},
            ]
        )
        self.env["phone.blacklist"]._add(["+79214563765"])
        everybody = self.partner + partners
        composer = self.compose(
            everybody, "{{ 'x' * 200 if object.name == 'Long' else 'Hi' }}"
        )
        self.assertEqual(composer.sms_devino_recipient_count, 2)
        self.assertEqual(composer.sms_devino_total, 5)
        self.assertEqual(composer.sms_devino_segment_count, 3)
        self.assertEqual(
            set(composer.sms_devino_left_out.splitlines()),
            {
                "No number: No number",
                "Landline: Landline",
                "On the blacklist: Excluded",
            },
        )
        self.assertRegex(composer.quote_cost, r"^3[.,]00 ")
        self.assertFalse(self.journal())

    def test_many_contacts_become_a_draft(self):
        self.company.sms_devino_user_limit = 2
        partners = self.partner.create(
            [{"name": f"P{n}", "phone": f"+792145637{n:02}"} for n in range(3)]
        )
        body = "Hi {{ object.name ||| you }}, {{object.city}}"
        action = self.compose(partners, body).action_send_sms()
        batch = self.env["sms.devino.batch"].browse(action["res_id"])
        self.assertEqual((batch.state, batch.partner_ids), ("draft", partners))
        self.assertEqual(batch.body, "Hi {{ name | you }}, {{ city }}")
        self.assertEqual(batch.account_id, self.account)
        self.assertFalse(self.journal(state="outgoing"))

    def test_each_is_priced_with_the_own_text(self):
        """One of several has no number: the texts of the others stay theirs."""
        partners = self.partner.create(
            [
                {"name": "No number"},
                {"name": "Long", "phone": "+79214563766"},
                {"name": "Short", "phone": "+79214563767"},
            ]
        )
        self.env["sms.devino.tariff"].create(
            {"account_id": self.account.id, "prefix": "79214563766", "price": 10}
        )
        body = "{{ 'x' * 200 if object.name == 'Long' else 'Hi' }}"
        composer = self.compose(partners, body, mode="comment")
        composer.res_ids, composer.res_id = repr(partners.ids), False
        self.assertEqual(composer.sms_devino_recipient_count, 2)
        self.assertEqual(composer.sms_devino_segment_count, 3)
        self.assertEqual(composer.sms_devino_cost, 21)

    def test_number_that_is_being_typed_is_no_error(self):
        composer = self.env["sms.composer"].new(
            {"composition_mode": "numbers", "numbers": "+792", "body": "Hi"}
        )
        self.assertEqual(composer.sms_devino_number_state, "bad")
        self.assertIn("too short", composer.sms_devino_number_hint)
        self.assertFalse(composer.sms_devino_recipient_count)

    def test_switched_off_composer_is_as_it_was(self):
        self.company.sms_devino_account_id = False
        composer = self.compose(self.partner)
        self.assertFalse(composer.sms_devino_account_id)
        self.assertFalse(composer.sms_devino_recipient_count)
        self.assertFalse(composer.quote_cost)


@tagged("post_install", "-at_install", "sms_devino")
class TestExclusionList(AppCase):
    def setUp(self):
        super().setUp()
        self.env["phone.blacklist"]._add([NUMBER])

    def assertOverrideLogged(self):
        self.assertEqual(self.journal().override_by_id, self.env.user)
        notes = self.partner.message_ids.mapped("body")
        self.assertTrue(any("sent an SMS anyway" in note for note in notes))

    def test_person_is_stopped_unless_he_says_so(self):
        composer = self.compose(self.partner)
        self.assertTrue(composer.sms_devino_is_excluded)
        with self.assertRaisesRegex(UserError, "blacklist"):
            composer.action_send_sms()
        composer.use_exclusion_list = False
        composer.action_send_sms()
        self.dispatch()
        self.assertOneSent(self.partner)
        self.assertOverrideLogged()

    def test_numbers_mode_is_stopped(self):
        composer = self.env["sms.composer"].create(
            {"composition_mode": "numbers", "numbers": NUMBER, "body": "Hello"}
        )
        with self.assertRaisesRegex(UserError, "blacklist"):
            composer.action_send_sms()

    def test_mass_mode_leaves_out_or_overrides_and_logs(self):
        self.compose(self.partner, mode="mass").action_send_sms_mass_now()
        self.assertFalse(self.journal())
        composer = self.compose(self.partner, mode="mass", use_exclusion_list=False)
        composer.action_send_sms_mass_now()
        self.assertEqual(len(self.journal()), 1)
        self.assertOverrideLogged()

    def test_comment_to_several_leaves_out_and_says_so(self):
        other = self.partner.copy({"phone": "+79214563764"})
        partners = self.partner + other
        composer = self.compose(partners, mode="comment")
        composer.res_ids = repr(partners.ids)
        composer.action_send_sms()
        self.assertEqual(self.journal().partner_id, other)
        notes = self.partner.message_ids.mapped("body")
        self.assertTrue(any("No SMS was sent" in note for note in notes))

    def test_server_action_leaves_out_or_overrides_and_logs(self):
        action = self.env["ir.actions.server"].create(
            {
                "name": "Send",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "state": "sms",
                "sms_template_id": self.create_template("res.partner").id,
                "sms_method": "comment",
            }
        )
        run = action.with_context(
            active_model="res.partner", active_ids=self.partner.ids
        )
        run.run()
        self.assertFalse(self.journal())
        action.sms_devino_blacklist = False
        run.run()
        self.assertEqual(len(self.journal()), 1)
        self.assertOverrideLogged()

    def test_service_message_of_an_app_is_sent(self):
        self.partner._message_sms("Your parcel is here")
        self.assertEqual(len(self.journal()), 1)


@tagged("post_install", "-at_install", "sms_devino")
class TestRights(AppCase):
    def setUp(self):
        super().setUp()
        self.company.sms_devino_members_only = True
        groups = "base.group_user,base.group_partner_manager"
        self.stranger = self.new_user("sms_stranger", groups)
        self.member = self.new_user("sms_member", f"{groups},sms_devino.group_user")

    def test_call_of_a_stranger_is_refused(self):
        composer = self.compose(self.partner, user=self.stranger)
        with self.assertRaises(AccessError):
            composer.action_send_sms()
        composer = self.compose(self.partner, mode="mass", user=self.stranger)
        with self.assertRaises(AccessError):
            composer.action_send_sms_mass_now()
        with self.assertRaises(AccessError):
            self.partner.with_user(self.stranger).message_post(
                body="Hello", message_type="sms", sms_numbers=[NUMBER]
            )
        with self.assertRaises(AccessError):
            self.partner.with_user(self.stranger).with_context(
                sms_devino_options={"automatic": True}
            ).message_post(body="Hello", message_type="sms", sms_numbers=[NUMBER])
        with self.assertRaises(AccessError):
            self.partner.with_user(self.stranger).sudo().message_post(
                body="Hello", message_type="sms", sms_numbers=[NUMBER]
            )
        self.assertFalse(self.journal())

    def test_member_sends_without_other_rights(self):
        self.compose(self.partner, user=self.member).action_send_sms()
        self.assertEqual(self.journal().author_id, self.member)

    def test_everybody_sends_when_the_company_lets_them(self):
        self.company.sms_devino_members_only = False
        composer = self.compose(self.partner, user=self.stranger)
        self.assertEqual(composer.sms_devino_sender_id.name, "DevinoTest")
        composer.action_send_sms()
        self.assertEqual(self.journal().author_id, self.stranger)

    def test_rule_sends_whoever_sets_it_off(self):
        self.partner.with_user(self.stranger)._message_sms("By a rule")
        self.assertEqual(len(self.journal()), 1)
        for method in ("sms", "comment"):
            action = self.env["ir.actions.server"].create(
                {
                    "name": "Send",
                    "model_id": self.env["ir.model"]._get_id("res.partner"),
                    "state": "sms",
                    "sms_template_id": self.create_template("res.partner").id,
                    "sms_method": method,
                }
            )
            action.with_user(self.stranger).with_context(
                active_model="res.partner", active_ids=self.partner.ids
            ).run()
        self.run_odoo_queue()
        self.assertEqual(len(self.journal()), 3)

    def test_buttons_and_menus_are_gone_for_strangers(self):
        def bound(user):
            bindings = self.env["ir.actions.actions"].with_user(user)
            actions = bindings.get_bindings("res.partner").get("action", [])
            return {action["id"] for action in actions}

        composer_ids = self.env["ir.actions.act_window"]._sms_devino_composer_ids()
        self.assertTrue(bound(self.member) & composer_ids)
        self.assertFalse(bound(self.stranger) & composer_ids)
        self.company.sms_devino_members_only = False
        self.assertTrue(bound(self.stranger) & composer_ids)


@tagged("post_install", "-at_install", "sms_devino")
class TestAutomation(AppCase):
    def server_action(self, method="sms", **values):
        return self.env["ir.actions.server"].create(
            {
                "name": "Send",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "state": "sms",
                "sms_template_id": self.create_template("res.partner").id,
                "sms_method": method,
                **values,
            }
        )

    def run_on_partner(self, action):
        action.with_context(
            active_model="res.partner", active_ids=self.partner.ids
        ).run()

    def test_server_action_without_note(self):
        self.run_on_partner(self.server_action())
        self.run_odoo_queue()
        self.send_all()
        self.assertOneSent(self.partner, text="Hello Anna")

    def test_server_action_with_note(self):
        self.run_on_partner(self.server_action("comment"))
        self.send_all()
        self.assertOneSent(self.partner, text="Hello Anna")
        self.assertIcon(self.partner, "sent")

    def test_server_action_note_only_sends_nothing(self):
        self.run_on_partner(self.server_action("note"))
        self.assertTrue(self.partner.message_ids)

    def test_server_action_chooses_sender_and_delay(self):
        shop = self.account.sender_ids.create(
            {"account_id": self.account.id, "name": "Shop"}
        )
        action = self.server_action(
            "comment",
            sms_devino_sender_id=shop.id,
            sms_devino_delay=2,
            sms_devino_delay_unit="hours",
        )
        self.run_on_partner(action)
        message = self.journal()
        self.assertEqual((message.sender_name, message.state), ("Shop", "scheduled"))
        wait = message.scheduled_at - fields.Datetime.now()
        self.assertAlmostEqual(wait.total_seconds(), 7200, delta=60)

    def test_template_chooses_sender_and_delay_also_for_apps(self):
        shop = self.account.sender_ids.create(
            {"account_id": self.account.id, "name": "Shop"}
        )
        template = self.create_template(
            "res.partner",
            sms_devino_sender_id=shop.id,
            sms_devino_delay=30,
            sms_devino_delay_unit="minutes",
        )
        self.partner._message_sms_with_template(template=template)
        self.run_on_partner(self.server_action(sms_template_id=template.id))
        self.run_odoo_queue()
        self.assertEqual(self.journal().mapped("sender_name"), ["Shop", "Shop"])
        self.assertEqual(set(self.journal().mapped("state")), {"scheduled"})

    def test_sender_of_another_account_gives_way_to_the_default(self):
        other = self.create_account(self.create_company("Other"), sender="Other")
        template = self.create_template(
            "res.partner", sms_devino_sender_id=other.sender_ids.id
        )
        self.partner._message_sms_with_template(template=template)
        self.assertEqual(self.journal().sender_name, "DevinoTest")


@tagged("post_install", "-at_install", "sms_devino")
class TestCompanies(AppCase):
    """One run of Odoo's queue with several companies and providers in it."""

    def queue(self, company, number, body="Hello"):
        partner = self.env["res.partner"].create(
            {"name": company.name, "phone": number, "company_id": company.id}
        )
        partner.with_company(company)._message_sms_schedule_mass(
            body=body, mass_keep_log=False
        )
        return self.env["sms.sms"].search([("partner_id", "=", partner.id)])

    def test_each_company_sends_by_its_own_account(self):
        second = self.create_company("Second")
        second.sms_devino_account_id = self.create_account(second, sender="Second")
        third = self.create_company("Third")
        self.queue(self.company, "+79214563701")
        self.queue(second, "+79214563702")
        on_iap = self.queue(third, "+79214563703")
        bad = self.queue(second, "+79214563704")
        bad.body = ""
        with self.answering_iap() as asked:
            self.run_odoo_queue()
        self.dispatch()
        self.assertEqual(asked, [[on_iap.uuid]])
        self.assertEqual(on_iap.state, "pending")
        self.assertEqual(bad.state, "error")
        self.assertEqual(
            {(row.company_id, row.sender_name, row.state) for row in self.journal()},
            {(self.company, "DevinoTest", "sent"), (second, "Second", "sent")},
        )
        self.assertEqual(
            {(entry.number, entry.sender) for entry in self.provider.ledger},
            {("79214563701", "DevinoTest"), ("79214563702", "Second")},
        )

    def test_trouble_of_one_provider_leaves_the_others_alone(self):
        third = self.create_company("Third")
        self.queue(self.company, "+79214563701")
        on_iap = self.queue(third, "+79214563703")
        with self.answering_iap(broken=True):
            self.run_odoo_queue()
        self.assertEqual(on_iap.state, "error")
        self.assertEqual(len(self.journal()), 1)

    def test_chatter_of_a_document_uses_the_documents_company(self):
        second = self.create_company("Second")
        second.sms_devino_account_id = self.create_account(second, sender="Second")
        self.partner.company_id = second
        self.partner._message_sms("Hello")
        self.assertEqual(self.journal().company_id, second)

    @contextmanager
    def answering_iap(self, broken=False):
        """Stand in for Odoo's own service, at the wire."""
        asked = []

        def contact(_api, _endpoint, params, timeout=15):
            uuids = [n["uuid"] for m in params["messages"] for n in m["numbers"]]
            asked.append(uuids)
            if broken:
                raise ConnectionError("unreachable")
            return [{"uuid": uuid, "state": "success"} for uuid in uuids]

        with patch.object(SmsApi, "_contact_iap", contact):
            yield asked


@tagged("post_install", "-at_install", "sms_devino")
class TestSettings(AppCase):
    def test_switching_on_and_off(self):
        self.assertIs(self.company._get_sms_api_class(), SmsApiDevino)
        self.env["res.config.settings"].create(
            {"sms_devino_account_id": False}
        ).execute()
        self.assertIsNot(self.company._get_sms_api_class(), SmsApiDevino)
        settings = self.env["res.config.settings"].create(
            {"sms_devino_account_id": self.account.id}
        )
        settings.execute()
        self.assertEqual(self.company.sms_devino_account_id, self.account)
        settings.action_sms_devino_check_connection()
        self.assertTrue(settings.sms_devino_balance)

    def test_account_in_use_is_not_deleted(self):
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self.account.unlink()
