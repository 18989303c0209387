"""Test mode: the provider played inside the process."""

from decimal import Decimal

import requests

from odoo.tests import BaseCase, tagged

from ..gateway import AccountRefusedError, Credentials, DevinoClient
from ..services.test_mode import TestModeAdapter

START = 1_700_000_000.0  # 2023-11-14T22:13:20Z
MOBILE = "79211234567"
# Odoo's tests let no other host through; nobody listens here.
BASE = "http://127.0.0.1:1/rest"


@tagged("post_install", "-at_install", "sms_devino")
class TestTestMode(BaseCase):
    def setUp(self):
        super().setUp()
        self.now = START
        self.restart()
        self.session = self.login()

    def restart(self, balance=Decimal(1000)):
        """Go on in another process, as it were."""
        self.client = requests.Session()
        self.client.mount("http://", TestModeAdapter(balance, lambda: self.now))
        self.addCleanup(self.client.close)

    def post(self, path, **params):
        return self.client.post(f"{BASE}/{path}", data=params, timeout=30)

    def login(self, login="anyone", password="anything"):
        return self.post("User/SessionId", login=login, password=password).json()

    def message(self, number=MOBILE, text="Hello", **params):
        return {
            "SessionID": self.session,
            "SourceAddress": "Shop",
            "DestinationAddress": number,
            "Data": text,
            **params,
        }

    def send(self, *args, **params):
        return self.post("Sms/Send", **self.message(*args, **params)).json()

    def state(self, gateway_id):
        answer = self.post("Sms/State", SessionID=self.session, messageId=gateway_id)
        return answer.json()

    def test_states_told_by_another_process(self):
        cases = {
            "79211234567": [0],
            "79161234591": [42],
            "79031234597": [0, 46],
            "79031234598": [-1],
        }
        sent = {
            number: self.send(number, "a" * 153 * len(states) if states[1:] else "a")
            for number, states in cases.items()
        }
        self.restart()
        self.now += 60
        for number, states in cases.items():
            told = [self.state(gateway_id) for gateway_id in sent[number]]
            with self.subTest(number=number):
                self.assertEqual([one["State"] for one in told], states)
        one = self.state(sent["79161234591"][0])
        self.assertEqual(one["Price"], 1.8)
        self.assertEqual(one["CreationDateUtc"], "/Date(1700000000000)/")
        self.assertEqual(one["ReportedDateUtc"], "/Date(1700000010000)/")

    def test_date_and_validity_in_the_id(self):
        late = self.send(SendDate="2023-11-14T23:13:20")[0]  # in an hour
        brief = self.send("79211234581", Validity="1")[0]
        self.restart()
        self.now += 3603
        self.assertEqual(self.state(late)["State"], -2)
        self.assertEqual(self.state(brief)["State"], 46)
        self.now += 7
        self.assertEqual(self.state(late)["State"], 0)

    def test_ids_are_readable(self):
        self.now += 0.1239
        first, second = self.send(text="я" * 71, Validity="60")
        start = "TEST-20231114T221320123-67-"
        self.assertRegex(first, rf"\A{start}1of2-1\.5-v60-[0-9a-f]{{8}}\Z")
        self.assertRegex(second, rf"\A{start}2of2-1\.5-v60-[0-9a-f]{{8}}\Z")
        late = self.send("79031234500", SendDate="2023-11-14T22:13:25")[0]
        self.assertRegex(late, r"\ATEST-20231114T221320123-00-1of1-2-d5-[0-9a-f]{8}\Z")

    def test_ids_are_different_and_known_again(self):
        ids = {one for _ in range(100) for one in self.send(text="я" * 71)}
        self.assertEqual(len(ids), 200)
        self.now += 60
        one = ids.pop()
        self.assertEqual(self.state(one)["State"], 0)
        damaged = one.replace("20231114", "20231399")
        for wrong in (one[:-1], one.lower(), damaged, "579700854169272358"):
            with self.subTest(wrong=wrong):
                self.assertEqual(self.state(wrong)["State"], 255)

    def test_session_of_another_process(self):
        self.restart()
        self.assertRegex(self.session, r"\ATEST1700000000[0-9A-F]{22}\Z")
        balance = self.post("User/Balance", SessionID=self.session)
        self.assertEqual(balance.text, "1000")
        self.now += 7200
        balance = self.post("User/Balance", SessionID=self.session)
        self.assertEqual(balance.status_code, 401)
        for wrong in ("0" * 36, "nonsense", self.session[:-1]):
            balance = self.post("User/Balance", SessionID=wrong)
            self.assertEqual(balance.json()["Code"], 3)

    def test_wrong_login(self):
        for login, password in (("wrong", "x"), ("x", "quite Wrong"), ("", "x")):
            answer = self.post("User/SessionId", login=login, password=password)
            with self.subTest(login=login, password=password):
                self.assertEqual(answer.status_code, 401 if login else 400)

    def test_balance_is_constant(self):
        self.send()
        balance = self.post("User/Balance", SessionID=self.session)
        self.assertEqual(balance.text, "1000")
        self.restart(balance=Decimal("1.4"))
        self.assertEqual(self.post("Sms/Send", **self.message()).json()["Code"], 5)

    def test_ways_of_calling(self):
        query = {"Login": "a", "Password": "b"}
        answer = self.client.get(f"{BASE}/v2/User/Balance/", params=query)
        self.assertEqual(answer.text, "1000")
        message = {**self.message(text="я" * 71), **query}
        answer = self.client.post(f"{BASE}/v2/Sms/Send", json=message)
        self.assertEqual(len(answer.json()), 2)
        self.assertEqual(self.client.get("http://127.0.0.1:1/else").status_code, 404)

    def test_statistics_know_nothing(self):
        self.send()
        dates = {"startDateTime": "2023-11-01", "endDateTime": "2023-12-01"}
        answer = self.post("Sms/Statistics", SessionID=self.session, **dates)
        self.assertEqual(answer.json()["Total"], 0)

    def test_the_client_of_the_gateway(self):
        adapter = TestModeAdapter(Decimal(1000), lambda: self.now)
        client = DevinoClient(Credentials(BASE, "any", "one"), adapter=adapter)
        self.assertEqual(client.balance(), Decimal(1000))
        (message_id,) = client.send("DTSMS", MOBILE, "text")
        self.assertEqual(client.state(message_id).state, 255)
        self.now += 10
        self.assertEqual(client.state(message_id).state, 0)
        client = DevinoClient(Credentials(BASE, "wrong", "one"), adapter=adapter)
        with self.assertRaises(AccountRefusedError):
            client.balance()
