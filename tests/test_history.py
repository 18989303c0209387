from odoo.tests import Form, tagged

from .base_case import SmsCase

NUMBER, OTHER = "+79214563763", "+79214563764"


@tagged("post_install", "-at_install", "sms_devino")
class TestHistory(SmsCase):
    """One search shows all that is known of a number or a name."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create(
            {"name": "Anna Karenina", "phone": "8 921 456-37-63"}
        )
        cls.list = cls.env["sms.devino.recipient.list"].create(
            {"name": "List", "company_id": cls.company.id}
        )
        cls.list._add_rows(
            [
                {"number_raw": NUMBER, "name": "Anna K."},
                {"number_raw": "8 812 123-45-67", "name": "Oblonsky"},
                {"number_raw": "92145", "name": "Vronsky"},
            ],
            keep_wrong=True,
        )
        cls.env["phone.blacklist"]._add([NUMBER])

    def setUp(self):
        super().setUp()
        self.own = self.enqueue()
        self.of_manager = self.enqueue(kind="manager", text="Sale")
        self.left_out = self.enqueue(kind="manager", text="x").sudo()
        self.left_out.write({"state": "left_out", "reason": "no_text"})
        self.incoming = self.env["sms.devino.incoming"].create(
            {
                "account_id": self.account.id,
                "company_id": self.company.id,
                "gateway_id": "1",
                "number": NUMBER,
                "body": "When?",
            }
        )
        self.env.flush_all()

    def look(self, query=None, kind="manager", partner=None):
        return self.env_of(kind)["sms.devino.history"].create(
            {"query": query, "partner_id": partner and partner.id}
        )

    def test_a_number_in_any_form_shows_everything(self):
        for query in (NUMBER, "8 (921) 456-37-63", "4563763", " 79214563763 "):
            with self.subTest(query):
                found = self.look(query)
                self.assertEqual(found.message_ids, self.own + self.of_manager)
                self.assertEqual(found.left_out_ids, self.left_out)
                self.assertEqual(found.incoming_ids, self.incoming)
                self.assertEqual(found.recipient_ids.name, "Anna K.")
                self.assertEqual(found.blacklist_ids.number, NUMBER)
        self.assertTrue(self.look(NUMBER).is_blacklisted)
        self.assertEqual(self.look(NUMBER).number, NUMBER)

    def test_a_name_stands_for_its_numbers(self):
        found = self.look("karenina")
        self.assertEqual(found.message_ids, self.own + self.of_manager)
        self.assertEqual(found.number, NUMBER)
        self.assertTrue(self.look("anna k").is_blacklisted)

    def test_a_contact_stands_for_its_number(self):
        self.assertTrue(self.look(partner=self.partner).message_ids)

    def test_lines_that_no_message_can_go_to_are_found(self):
        self.assertEqual(self.look("8 812 123-45-67").recipient_ids.reading, "landline")
        readings = self.look("92145").recipient_ids.mapped("reading")
        self.assertEqual(set(readings), {"special", "ok"})
        self.assertEqual(self.look("vronsky").recipient_ids.number_raw, "92145")

    def test_a_user_sees_the_own_messages_only(self):
        found = self.look(NUMBER, kind="user")
        self.assertEqual(found.message_ids, self.own)
        for name in ("left_out_ids", "incoming_ids", "recipient_ids", "blacklist_ids"):
            self.assertFalse(found[name], name)
        self.assertTrue(found.is_blacklisted)
        self.assertFalse(self.look(NUMBER, kind="colleague").message_ids)

    def test_another_company_is_not_shown(self):
        self.people["manager"].write(
            {
                "company_ids": [(6, 0, self.other_company.ids)],
                "company_id": self.other_company.id,
            }
        )
        self.list.company_id = self.company
        found = self.look(NUMBER)
        self.assertFalse(found.message_ids + found.left_out_ids)
        self.assertFalse(found.recipient_ids)

    def test_what_is_too_short_or_unknown_is_said(self):
        self.assertFalse(self.look().status)
        for query in ("12", "а", "%", "+", "\\"):
            found = self.look(query)
            self.assertIn("at least four digits", found.status, query)
            self.assertFalse(found.message_ids)
        for query in ("Nobody", "79990000000", "'; DROP TABLE x", "a%b_"):
            self.assertIn("Nothing is known", self.look(query).status, query)

    def test_it_is_printed_with_the_same_rights(self):
        for kind, sees in (("manager", True), ("user", False)):
            history = self.look(NUMBER, kind=kind)
            report = history.env["ir.actions.report"]
            html, _type = report._render_qweb_html(
                "sms_devino.history_report", history.ids
            )
            self.assertIn(b"Hello", html)
            self.assertEqual(b"When?" in html, sees)
            self.assertEqual(b"Sale" in html, sees)

    def test_the_form_follows_what_is_typed(self):
        for kind, count in (("manager", 2), ("user", 1)):
            with Form(self.env_of(kind)["sms.devino.history"]) as form:
                form.query = NUMBER
                self.assertEqual(len(form.message_ids), count)
                self.assertTrue(form.is_blacklisted)
