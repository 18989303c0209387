from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .base_case import SmsCase


@tagged("post_install", "-at_install")
class TestRemote(SmsCase, HttpCase):
    """Other systems send with an API key, through the door that they really use."""

    def setUp(self):
        super().setUp()
        self.company.sms_devino_account_id = self.account
        self.keys = {}

    def key_of(self, kind):
        if kind not in self.keys:
            keys = self.env_of(kind)["res.users.apikeys"].sudo()
            self.keys[kind] = keys._generate("rpc", "Test", None)
        return self.keys[kind]

    def ask(self, method, kind="user", api_key=None, **arguments):
        """Call a method with an API key; return status and answer."""
        with mute_logger("odoo.http", "odoo.addons.base.models.ir_http"):
            response = self.url_open(
                f"/json/2/sms.devino.message/{method}",
                json=arguments,
                headers={"Authorization": f"bearer {api_key or self.key_of(kind)}"},
            )
        return response.status_code, response.json()

    def submit(self, number="+79214563763", body="Hello", **arguments):
        return self.ask("submit", number=number, body=body, **arguments)

    def test_a_message_goes_into_the_journal_and_its_state_is_told(self):
        partner = self.env["res.partner"].create({"name": "Anna"})
        status, answer = self.submit(
            key="order-1", partner=partner.id, record=f"res.partner,{partner.id}"
        )
        self.assertEqual((status, answer["state"]), (200, "outgoing"), answer)
        message = self.env["sms.devino.message"].browse(answer["id"])
        self.assertRecordValues(
            message,
            [
                {
                    "number": "+79214563763",
                    "author_id": self.people["user"].id,
                    "res_id": partner.id,
                    "dedup_key": "order-1",
                }
            ],
        )
        for question in ({"ids": message.ids}, {"keys": ["order-1"]}):
            status, states = self.ask("get_states", **question)
            self.assertEqual(status, 200, states)
            self.assertEqual(
                [(one["id"], one["key"], one["state"]) for one in states],
                [(message.id, "order-1", "outgoing")],
            )

    def test_the_same_key_sends_once(self):
        _status, first = self.submit(key="order-1")
        status, second = self.submit(key="order-1")
        self.assertEqual((status, first), (200, second))
        status, answer = self.submit(body="Another text", key="order-1")
        self.assertEqual(status, 422, answer)
        self.assertIn("another message", answer["message"])

    def test_without_the_right_nothing_is_sent(self):
        for kind in ("internal",):
            status, answer = self.ask("submit", kind, number="+79214563763", body="x")
            self.assertEqual(status, 403, answer)
        status, _answer = self.ask(
            "submit", api_key="no such key", number="1", body="x"
        )
        self.assertEqual(status, 401)
        status, _answer = self.ask("get_states", "internal", ids=[1])
        self.assertEqual(status, 403)
        self.assertFalse(self.env["sms.devino.message"].search([]))

    def test_another_company_pays_nothing_and_tells_nothing(self):
        status, answer = self.submit(account=self.other_account.id)
        self.assertIn(status, (403, 422), answer)
        message = self.env["sms.devino.message"].enqueue(
            "+79214563763", "Theirs", account=self.other_account, key="theirs"
        )
        status, answer = self.ask("get_states", ids=message.ids)
        self.assertEqual(status, 403, answer)
        status, states = self.ask("get_states", "admin", keys=["theirs"])
        self.assertEqual((status, states), (200, []))

    def test_a_user_asks_for_the_own_messages_only(self):
        self.submit(key="order-1")
        status, states = self.ask("get_states", "colleague", keys=["order-1"])
        self.assertEqual((status, states), (200, []))
        status, states = self.ask("get_states", "manager", keys=["order-1"])
        self.assertEqual((status, len(states)), (200, 1))

    def test_a_balance_that_is_not_enough_refuses(self):
        self.account.sudo().write({"balance": 0.5, "balance_at": "2026-01-01"})
        status, answer = self.submit()
        self.assertEqual(status, 422, answer)
        self.assertIn("not enough", answer["message"])

    def test_the_balance_has_to_be_enough_for_the_price_of_the_day(self):
        self.account.sudo().write({"balance": 2, "balance_at": "2026-01-01"})
        self.env["sms.devino.tariff"].create(
            {
                "account_id": self.account.id,
                "prefix": "7",
                "price": 5,
                "date_from": "2099-01-01",
            }
        )
        status, answer = self.submit(scheduled_at="2099-02-01 09:00:00")
        self.assertEqual(status, 422, answer)
        self.assertIn("not enough", answer["message"])
        self.assertEqual(self.submit()[0], 200)

    def test_wrong_input_is_refused_in_words(self):
        for arguments, words in (
            ({"number": "123"}, "123"),
            ({"number": None}, "number"),
            ({"body": None}, "Text"),
            ({"number": 79214563763}, "number"),
            ({"body": ""}, "Text"),
            ({"body": ["x"]}, "body"),
            ({"account": "1"}, "id"),
            ({"account": 2**40}, "id"),
            ({"partner": -1}, "id"),
            ({"record": "res.partner"}, "Record"),
            ({"record": "no.model,1"}, "Record"),
            ({"record": "res.partner,99999999999"}, "Record"),
            ({"scheduled_at": "tomorrow"}, "UTC"),
            ({"scheduled_at": 5}, "UTC"),
            ({"validity": -1}, "minutes"),
            ({"sender": 5}, "sender"),
            ({"purpose": ["debt"]}, "purpose"),
            ({"purpose": "fun"}, "service, advertising, debt"),
            ({"key": "rule/1/2/"}, "rule"),
        ):
            with self.subTest(arguments):
                status, answer = self.submit(**arguments)
                self.assertEqual(status, 422, answer)
                self.assertIn(words, answer["message"])
        for keys in ("x", [1], [["x"]], ["x"] * 1001):
            with self.subTest(keys=str(keys)[:20]):
                status, answer = self.ask("get_states", keys=keys)
                self.assertEqual(status, 422, answer)
        self.assertFalse(self.env["sms.devino.message"].search([]))
