"""The emulated provider inside the process."""

import time
from decimal import Decimal

import requests

from odoo.tests import BaseCase, tagged

from ..sandbox import Fault, Provider, SandboxAdapter, Switches

START = 1_700_000_000.0
MOBILE = "79211234567"
# Odoo's tests let no other host through; nobody listens here.
BASE = "http://127.0.0.1:1/rest"


@tagged("post_install", "-at_install", "sms_devino")
class TestAdapter(BaseCase):
    def setUp(self):
        super().setUp()
        self.now = START
        self.slept = []
        self.adapter = self.mount()
        self.session = self.login()

    def mount(self, **options):
        adapter = SandboxAdapter(
            clock=lambda: self.now, sleep=self.slept.append, **options
        )
        self.client = requests.Session()
        self.client.mount("http://", adapter)
        self.addCleanup(self.client.close)
        return adapter

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

    def test_state_told_by_another_instance(self):
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
        self.mount()
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
        self.mount()
        self.now += 3603
        self.assertEqual(self.state(late)["State"], -2)
        self.assertEqual(self.state(brief)["State"], 46)
        self.now += 7
        self.assertEqual(self.state(late)["State"], 0)

    def test_ids(self):
        ids = {one for _ in range(100) for one in self.send(text="я" * 71)}
        self.assertEqual(len(ids), 200)
        for one in ids:
            self.assertRegex(one, r"\ATEST[A-Z2-7]{48}\Z")
        self.now += 60
        one = ids.pop()
        self.assertEqual(self.state(one)["State"], 0)
        for wrong in (one[:-1], one[:10] + "AAAA" + one[14:], "579700854169272358"):
            with self.subTest(wrong=wrong):
                self.assertEqual(self.state(wrong)["State"], 255)

    def test_session_of_another_instance(self):
        self.mount()
        self.assertRegex(self.session, r"\A[0-9A-F]{36}\Z")
        balance = self.post("User/Balance", SessionID=self.session)
        self.assertEqual(balance.text, "1000")
        self.now += 7200
        balance = self.post("User/Balance", SessionID=self.session)
        self.assertEqual(balance.status_code, 401)
        for wrong in ("0" * 36, "nonsense", self.session[:-2] + "00"):
            balance = self.post("User/Balance", SessionID=wrong)
            self.assertEqual(balance.json()["Code"], 3)

    def test_dropped_session(self):
        self.adapter.provider.faults.add(Fault("session_expired"))
        self.assertEqual(self.post("Sms/Send", **self.message()).status_code, 401)
        self.assertEqual(self.post("Sms/Send", **self.message()).json()["Code"], 3)

    def test_wrong_login(self):
        for login, password in (("wrong", "x"), ("x", "quite Wrong"), ("", "x")):
            answer = self.post("User/SessionId", login=login, password=password)
            with self.subTest(login=login, password=password):
                self.assertEqual(answer.status_code, 401 if login else 400)

    def test_balance_is_constant(self):
        self.send()
        balance = self.post("User/Balance", SessionID=self.session)
        self.assertEqual(balance.text, "1000")
        self.mount(balance=Decimal("1.4"))
        self.assertEqual(self.post("Sms/Send", **self.message()).json()["Code"], 5)

    def test_ways_of_calling(self):
        query = {"Login": "a", "Password": "b"}
        answer = self.client.get(f"{BASE}/v2/User/Balance/", params=query)
        self.assertEqual(answer.text, "1000")
        message = {**self.message(text="Да"), **query}
        answer = self.client.post(f"{BASE}/v2/Sms/Send", json=message)
        self.assertEqual(len(answer.json()), 1)
        self.assertEqual(self.adapter.provider.ledger[0].text, "Да")
        body = iter([b"SessionID=", self.session.encode()])
        answer = self.client.post(f"{BASE}/User/Balance", data=body)
        self.assertEqual(answer.text, "1000")
        self.assertEqual(self.client.get("http://127.0.0.1:1/else").status_code, 404)

    def test_another_provider(self):
        self.mount(provider=Provider(switches=Switches(login_failure=403)))
        answer = self.post("User/SessionId", login="demo", password="x")
        self.assertEqual(answer.status_code, 403)

    def test_statistics_know_nothing(self):
        self.send()
        dates = {"startDateTime": "2023-11-01", "endDateTime": "2023-12-01"}
        answer = self.post("Sms/Statistics", SessionID=self.session, **dates)
        self.assertEqual(answer.json()["Total"], 0)

    def test_broken_connections(self):
        faults = self.adapter.provider.faults
        for fault, error, accepted in (
            (Fault("refuse"), requests.ConnectionError, 0),
            (Fault("connect_timeout"), requests.ConnectTimeout, 0),
            (Fault("drop_before"), requests.ConnectionError, 0),
            (Fault("drop_after"), requests.ConnectionError, 1),
            (Fault("latency", seconds=60), requests.ReadTimeout, 1),
            (Fault("slow_body", seconds=600), requests.ConnectionError, 1),
            (
                Fault("half_json", declared="full"),
                requests.exceptions.ChunkedEncodingError,
                1,
            ),
        ):
            self.adapter.provider.reset()
            faults.add(fault)
            with self.subTest(kind=fault.kind):
                with self.assertRaises(error) as caught:
                    self.send()
                self.assertIs(type(caught.exception), error)
                self.assertEqual(len(self.adapter.provider.ledger), accepted)
                self.assertEqual(len(self.send()), 1)

    def test_slow_answers(self):
        faults = self.adapter.provider.faults
        faults.add(Fault("latency", seconds=5))
        faults.add(Fault("slow_body", seconds=20))
        started = time.monotonic()
        self.assertEqual(len(self.send()), 1)
        self.assertAlmostEqual(sum(self.slept), 25, delta=2.1)
        self.assertLess(time.monotonic() - started, 2)
