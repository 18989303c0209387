import base64
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..services import refusal
from .base_case import SmsCase

NUMBER, OTHER = "+79214563763", "+79214563764"


@tagged("post_install", "-at_install", "sms_devino")
class TestRefusal(SmsCase):
    """A person, or a stop list, puts numbers on the blacklist."""

    def unsubscribe(self, text=None, kind="manager", **values):
        wizard = self.env_of(kind)["sms.devino.unsubscribe"].create(
            {"text": text, "reason": "Asked by phone", **values}
        )
        action = wizard.action_apply()
        return action["params"]["message"]

    def find(self, number=NUMBER, kind="manager"):
        return self.env_of(kind)["phone.blacklist"].search([("number", "=", number)])

    def scheduled(self, number=NUMBER, purpose="advertising"):
        later = fields.Datetime.now() + timedelta(days=1)
        message = self.enqueue(number, scheduled_at=later).sudo()
        message.purpose = purpose
        self.env.flush_all()
        return message

    def test_a_user_enters_a_number_with_a_reason(self):
        waiting, service = self.scheduled(), self.scheduled(purpose="service")
        text = self.unsubscribe("8 (921) 456-37-63", kind="user")
        self.assertIn("Put on the blacklist: 1", text)
        record = self.find()
        self.assertEqual(record.sms_devino_source, "person")
        self.assertEqual(record.sms_devino_reason, "Asked by phone")
        self.assertEqual(record.sms_devino_user_id, self.people["user"])
        self.assertEqual(record.sms_devino_company_id, self.company)
        self.assertTrue(record.sms_devino_since)
        self.assertEqual((waiting.state, waiting.reason), ("canceled", "blacklisted"))
        self.assertEqual(service.state, "scheduled")

    def test_everything_ends_where_the_company_wants_it(self):
        self.company.sms_devino_stop_all = True
        waiting = self.scheduled(purpose="debt")
        self.unsubscribe(NUMBER)
        self.assertEqual(waiting.state, "canceled")

    def test_odoos_own_door_cancels_what_waits_too(self):
        later = fields.Datetime.now() + timedelta(hours=1)
        waiting = self.enqueue(purpose="advertising", scheduled_at=later)
        self.env["phone.blacklist"].with_company(self.company)._add([waiting.number])
        self.assertEqual((waiting.state, waiting.reason), ("canceled", "blacklisted"))

    def test_odoos_own_list_cancels_what_waits_too(self):
        later = fields.Datetime.now() + timedelta(hours=1)
        blacklist = self.env["phone.blacklist"].with_company(self.company)
        for put_on in (
            lambda: blacklist.create({"number": NUMBER}),
            lambda: blacklist.search([("active", "=", False)]).action_unarchive(),
        ):
            waiting = self.enqueue(purpose="advertising", scheduled_at=later)
            put_on()
            found = (waiting.state, waiting.reason)
            self.assertEqual(found, ("canceled", "blacklisted"))
            self.find().sudo().action_archive()

    def test_messages_of_another_company_wait_on(self):
        waiting = self.scheduled()
        waiting.company_id = self.other_company
        self.unsubscribe(NUMBER)
        self.assertEqual(waiting.state, "scheduled")

    def test_what_is_no_number_is_named_and_nothing_is_lost(self):
        text = self.unsubscribe(f"{NUMBER}\nallo\n{OTHER}")
        self.assertIn("Put on the blacklist: 2", text)
        self.assertIn("Without a number that can be read: 1 (by row: 2: allo)", text)
        self.assertIn("On it already: 2", self.unsubscribe(f"{NUMBER}, {OTHER}"))

    def test_without_a_number_it_says_what_to_do(self):
        for text in (None, "  \n", "allo", "12"):
            with self.assertRaisesRegex(UserError, "Numbers: enter"):
                self.unsubscribe(text)

    def test_only_managers_enter_several_or_take_back(self):
        with self.assertRaises(AccessError):
            self.unsubscribe(f"{NUMBER}\n{OTHER}", kind="user")
        self.unsubscribe(NUMBER)
        with mute_logger("odoo.addons.base.models.ir_rule"):
            for kind in ("user", "internal"):
                record = self.find().with_env(self.env_of(kind))
                with self.assertRaises(AccessError):
                    record.action_sms_devino_take_back()
        record = self.find()
        record.action_sms_devino_take_back()
        self.assertFalse(self.find())
        self.assertFalse(record.sms_devino_reason)
        self.env.cr.precommit.run()
        tracked = record.sudo().message_ids.tracking_value_ids
        self.assertIn("Asked by phone", tracked.mapped("old_value_char"))

    def test_a_number_that_was_taken_back_may_refuse_again(self):
        self.unsubscribe(NUMBER)
        self.find().action_sms_devino_take_back()
        self.unsubscribe(NUMBER, kind="user")
        self.assertEqual(self.find().sms_devino_user_id, self.people["user"])

    def test_outsiders_get_nothing(self):
        for kind in ("internal", "portal", "public"):
            with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models"):
                self.unsubscribe(NUMBER, kind=kind)
            with self.assertRaises(AccessError):
                refusal.check_may_refuse(self.env_of(kind), [NUMBER])

    def test_a_manager_does_not_see_refusals_to_another_company(self):
        self.unsubscribe(NUMBER)
        self.find().sudo().sms_devino_company_id = self.other_company
        self.assertFalse(self.find())
        self.find(kind="admin")
        self.env["phone.blacklist"].sudo().create({"number": OTHER})
        self.assertEqual(self.find(OTHER).number, OTHER)

    def test_a_stop_list_comes_from_a_file(self):
        rows = "Имя;Телефон\nАнна;8 921 456-37-63\nБорис;нет\nВера;+79214563764\n"
        content = base64.b64encode(rows.encode("cp1251"))
        text = self.unsubscribe(file=content, filename="stop.csv", is_list=True)
        self.assertIn("Put on the blacklist: 2", text)
        self.assertIn("3: нет", text)
        self.assertEqual(self.find(OTHER).sms_devino_source, "list")

    def test_a_file_that_is_no_table_says_so(self):
        with self.assertRaisesRegex(UserError, "not a table"):
            self.unsubscribe(
                file=base64.b64encode(b"%PDF-1.4 x"), filename="a.xlsx", is_list=True
            )

    def test_many_numbers_are_written_by_few_statements(self):
        numbers = [f"+7921{index:07}" for index in range(3000)]
        before = self.env.cr.sql_log_count
        refusal.refuse(self.env, self.company, numbers, source="list", reason="x")
        self.assertLess(self.env.cr.sql_log_count - before, 40)
        blocked = self.env["phone.blacklist"]._sms_devino_blacklisted(numbers)
        self.assertEqual(len(blocked), 3000)

    def test_the_dialog_takes_the_number_of_the_contact(self):
        partner = self.env["res.partner"].create({"name": "Anna", "phone": NUMBER})
        env = self.env_of("user")
        model = env["sms.devino.unsubscribe"].with_context(
            active_model="res.partner", active_ids=partner.ids
        )
        self.assertEqual(model.default_get(["text"])["text"], partner.phone)
