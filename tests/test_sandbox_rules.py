"""The rules of the emulated provider, by a clock of our own."""

import json
import threading
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import get_args

from odoo.tests import BaseCase, tagged

from .. import sandbox
from ..sandbox import Fault, Provider, Switches, fates, faults
from ..sandbox.checks import is_sender, read_number
from ..sandbox.segments import count_segments
from ..sandbox.store import Store
from ..sandbox.wire import parse_date

START = 1_700_000_000.0  # 2023-11-14T22:13:20Z
MOBILE = "79211234567"


class Clock:
    """Seconds that pass when told to."""

    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


class SandboxCase(BaseCase):
    """A provider, its clock, and a session."""

    def make(self, **options):
        self.clock = Clock()
        self.provider = Provider(clock=self.clock, **options)
        self.session = self.ask("User/SessionId", login="demo", password="demo")
        return self.provider

    def setUp(self):
        super().setUp()
        self.make()

    def call(self, path, method="POST", **params):
        pairs = []
        for name, value in params.items():
            values = value if isinstance(value, list) else [value]
            pairs += [(name, item) for item in values]
        return self.provider.handle(method, f"/rest/{path}", pairs)

    def ask(self, path, **params):
        answer = self.call(path, **params)
        self.assertEqual(answer.status, 200, answer.body)
        return json.loads(answer.body)

    def send(self, number=MOBILE, text="Hello", **params):
        return self.ask("Sms/Send", **self.message(number, text, **params))

    def message(self, number=MOBILE, text="Hello", **params):
        return {
            "SessionID": self.session,
            "SourceAddress": "Shop",
            "DestinationAddress": number,
            "Data": text,
            **params,
        }

    def bulk(self, numbers, text="Hello", **params):
        message = self.message(numbers, text, **params)
        message["DestinationAddresses"] = message.pop("DestinationAddress")
        return message

    def state(self, gateway_id):
        return self.ask("Sms/State", SessionID=self.session, MessageId=gateway_id)

    def assertRefused(self, answer, status, code, desc=None):
        self.assertEqual(answer.status, status, answer.body)
        self.assertTrue(answer.body.startswith(f'{{"Code":{code},"Desc":"'))
        if desc:
            self.assertEqual(json.loads(answer.body)["Desc"], desc)


@tagged("post_install", "-at_install", "sms_devino")
class TestSegments(BaseCase):
    def test_segments(self):
        for text, expected in (
            ("", 0),
            ("a" * 160, 1),
            ("a" * 161, 2),
            ("a" * 306, 2),
            ("a" * 307, 3),
            ("€" * 80, 1),
            ("€" * 81, 2),
            ("€" * 153, 3),  # 76 pairs a part: the odd septet stays empty
            ("a" * 152 + "€" + "a" * 152, 3),
            ("я" * 70, 1),
            ("я" * 71, 2),
            ("я" * 134, 2),
            ("я" * 135, 3),
            ("😀" * 35, 1),
            ("😀" * 36, 2),
            ("😀" * 67, 3),  # 33 pairs a part
            ("`", 1),
            ("a" * 70 + "`", 2),
            ("\r\n" * 80, 1),
        ):
            with self.subTest(text=text[:3], length=len(text)):
                self.assertEqual(count_segments(text), expected)


@tagged("post_install", "-at_install", "sms_devino")
class TestChecks(BaseCase):
    def test_numbers(self):
        for raw, expected in (
            ("79031234567", "79031234567"),
            ("+79031234567", "79031234567"),
            ("89031234567", "79031234567"),
            ("+375291234567", "375291234567"),
            ("74951234567", "74951234567"),
            ("9031234567", None),
            ("+89031234567", None),
            ("7903123456", None),
            ("790312345678", None),
            ("88001234567", None),
            ("79031234567,", None),
            ("٧٩٠٣١٢٣٤٥٦٧", None),
            ("", None),
        ):
            with self.subTest(raw=raw):
                self.assertEqual(read_number(raw), expected)

    def test_senders(self):
        for name, expected in (
            ("DTSMS", True),
            ("A" * 11, True),
            ("A" * 12, False),
            ("1" * 15, True),
            ("1" * 16, False),
            ("Магазин", False),
            ("Shop\n", False),
            ("", False),
        ):
            with self.subTest(name=name):
                self.assertEqual(is_sender(name), expected)

    def test_dates(self):
        for text, expected in (
            ("2012-01-18T10:20:30", "2012-01-18T10:20:30"),
            ("2012-01-18 10:20:30", "2012-01-18T10:20:30"),
            ("2012-01-18", "2012-01-18T00:00:00"),
            ("2012-01-18T10:20:30Z", "2012-01-18T10:20:30"),
            ("2012-01-18T10:20:30+03:00", "2012-01-18T07:20:30"),
            ("2012-01-18T10:20:30-0330", "2012-01-18T13:50:30"),
            ("2012-01-18 10:20", "2012-01-18T10:20:00"),
            ("2012-01-18T10:20:30.1234567Z", "2012-01-18T10:20:30.123456"),
        ):
            with self.subTest(text=text):
                self.assertEqual(parse_date(text).isoformat(), expected)

    def test_wrong_dates(self):
        """What Python 3.11 takes and 3.10 does not is refused by both."""
        for text in (
            *("20120118", "2012-W03-3", "2012-01-18T10", "2012-01-18T102030"),
            *("2012-13-18", "2012-01-18T25:00:00", "2012-01-18T10:20:30+99:00"),
            *("0001-01-01T00:00:00+10:00", "٢٠١٢-01-18", "2012-01-18\n", "tomorrow"),
        ):
            with self.subTest(text=text), self.assertRaises(ValueError):
                parse_date(text)

    def test_switches(self):
        parsed = Switches.parse(["login_failure=403", "duplicates=once"])
        self.assertEqual(parsed, Switches(login_failure=403, duplicates="once"))
        for wrong in ("login_failure=404", "nonsense=1", "duplicates"):
            with self.subTest(wrong=wrong), self.assertRaises(ValueError):
                Switches.parse([wrong])
        with self.assertRaises(ValueError):
            Switches(id_style="roman")


@tagged("post_install", "-at_install", "sms_devino")
class TestReadme(BaseCase):
    def test_readme_names_every_fate_fault_and_switch(self):
        readme = Path(sandbox.__file__).with_name("README.md").read_text("utf-8")
        for ending in fates.FATES:
            self.assertIn(f"| …{ending} |", readme)
        for name in (*faults.KINDS, *(field.name for field in fields(Switches))):
            self.assertIn(f"`{name}`", readme)
        for field in fields(Switches):
            for value in get_args(field.type):
                self.assertIn(f"`{value}`", readme)


@tagged("post_install", "-at_install", "sms_devino")
class TestSession(SandboxCase):
    def test_session_id(self):
        answer = self.call("User/SessionId", login="demo", password="demo")
        self.assertRegex(answer.body, r'\A"[0-9A-F]{36}"\Z')
        self.assertNotEqual(json.loads(answer.body), self.session)

    def test_paths_and_names_in_any_case(self):
        for path in (
            "user/balance",
            "USER/BALANCE/",
            "User/Balance?",
            "User/Balance/?",
        ):
            for name in ("SessionID", "sessionId", "SESSIONID"):
                for method in ("GET", "POST"):
                    with self.subTest(path=path, name=name, method=method):
                        answer = self.call(path, method, **{name: self.session})
                        self.assertEqual((answer.status, answer.body), (200, "1000"))

    def test_wrong_login(self):
        for status in (401, 403):
            self.make(switches=Switches(login_failure=status))
            for pair in ({"login": "demo", "password": "x"}, {"login": "x"}):
                pair = {"password": "demo", **pair}
                answer = self.call("User/SessionId", **pair)
                with self.subTest(status=status, pair=pair):
                    self.assertRefused(
                        answer, status, 4, "Invalid user login or password"
                    )
                    self.assertNotIn("WWW-Authenticate", answer.all_headers())

    def test_missing_unknown_and_expired(self):
        balance = "User/Balance"
        self.assertRefused(self.call(balance), 400, 1)
        self.assertRefused(self.call(balance, SessionID=""), 400, 1)
        self.assertRefused(self.call(balance, SessionID="0" * 36), 400, 3)
        self.clock.now += 7199
        self.ask(balance, SessionID=self.session)
        self.clock.now += 1
        expired = self.call(balance, SessionID=self.session)
        self.assertRefused(expired, 401, 4, "SessionID expired")

    def test_expired_and_sliding_switches(self):
        self.make(switches=Switches(expired_session="400/3"))
        self.clock.now += 7200
        self.assertRefused(self.call("User/Balance", SessionID=self.session), 400, 3)
        self.make(switches=Switches(session_life="sliding"))
        for _ in range(3):
            self.clock.now += 7000
            self.ask("User/Balance", SessionID=self.session)
        self.clock.now += 7200
        self.assertRefused(self.call("User/Balance", SessionID=self.session), 401, 4)

    def test_v2(self):
        pair = {"Login": "demo", "Password": "demo"}
        self.assertEqual(self.ask("v2/User/Balance", **pair), 1000)
        wrong = self.call("v2/User/Balance", Login="demo", Password="no")
        self.assertRefused(wrong, 401, 4)
        self.assertRefused(self.call("v2/User/Balance", Login="demo"), 400, 1)
        message = {**self.message(), **pair, "SessionID": ""}
        self.assertEqual(len(self.ask("v2/Sms/Send", **message)), 1)

    def test_no_such_call(self):
        for path, method, status in (
            ("Sms/Nothing", "POST", 404),
            ("v2/User/SessionId", "POST", 404),
            ("Sms/Send", "GET", 405),
            ("User/Balance", "DELETE", 405),
        ):
            with self.subTest(path=path):
                self.assertEqual(self.call(path, method).status, status)
        self.assertEqual(self.provider.handle("GET", "/else", []).status, 404)


@tagged("post_install", "-at_install", "sms_devino")
class TestSending(SandboxCase):
    def test_one_id_a_segment(self):
        numbers = ["79211234501", "+79161234502", "89031234503"]
        ids = self.ask("Sms/SendBulk", **self.bulk(numbers, "я" * 71))
        self.assertEqual(len(ids), 6)
        self.assertEqual([int(one) - int(ids[0]) for one in ids], list(range(6)))
        self.assertEqual({len(one) for one in ids}, {18})
        ledger = self.provider.ledger
        self.assertEqual([entry.ids for entry in ledger], [ids[:2], ids[2:4], ids[4:]])
        self.assertEqual(
            [entry.number for entry in ledger],
            ["79211234501", "79161234502", "79031234503"],
        )
        self.assertEqual({entry.call for entry in ledger}, {"Sms/SendBulk"})

    def test_debit(self):
        # 1.5, 1.8, 2, 5 and 5 a segment, two segments
        numbers = ["79211234501", "79161234502", "79031234503", "375291234504"]
        self.ask("Sms/SendBulk", **self.bulk([*numbers, "74951234505"], "a" * 161))
        balance = self.call("User/Balance", SessionID=self.session)
        self.assertEqual(balance.body, "969.4")

    def test_checks_in_the_documented_order(self):
        self.provider.set_balance("1.4")
        wrong = {
            "SourceAddress": "Магазин",
            "DestinationAddresses": [MOBILE, "12"],
            "Data": "a" * 2001,
            "SessionID": "",
        }
        right = self.message()
        expected = (
            ("SessionID", 400, 1, None),
            ("", 403, 5, "Not enough credits"),
            ("balance", 400, 6, "Invalid destination address"),
            ("DestinationAddresses", 400, 6, "Invalid source address"),
            ("SourceAddress", 400, 2, None),
        )
        for mended, status, code, desc in expected:
            if mended == "balance":
                self.provider.set_balance("1000")
            elif mended == "DestinationAddresses":
                wrong[mended] = [MOBILE]
            elif mended == "SourceAddress":
                wrong[mended] = right[mended]
            answer = self.call("Sms/SendBulk", **wrong)
            with self.subTest(mended=mended):
                self.assertRefused(answer, status, code, desc)
            wrong["SessionID"] = self.session
        wrong["Data"] = "a" * 2000
        self.assertEqual(len(self.ask("Sms/SendBulk", **wrong)), 14)

    def test_missing_before_session(self):
        for name in ("SourceAddress", "DestinationAddress", "Data"):
            message = self.message(SessionID="0" * 36, **{name: ""})
            desc = f"{name} can not be null or empty\r\nParameter name: "
            answer = self.call("Sms/Send", **message)
            with self.subTest(name=name):
                self.assertRefused(answer, 400, 1, desc + name[0].lower() + name[1:])

    def test_all_or_nothing(self):
        for wrong in ("12", "79211234599"):
            answer = self.call("Sms/SendBulk", **self.bulk([MOBILE, wrong]))
            self.assertRefused(answer, 400, 6, "Invalid destination address")
        self.assertEqual(self.provider.ledger, [])
        self.assertEqual(self.provider.balance(), Decimal(1000))

    def test_2999(self):
        self.provider.set_balance("100000")
        numbers = [f"7921{n:05}00" for n in range(3000)]
        self.assertEqual(
            len(self.ask("Sms/SendBulk", **self.bulk(numbers[:2999]))), 2999
        )
        self.assertRefused(self.call("Sms/SendBulk", **self.bulk(numbers)), 400, 2)
        self.make(switches=Switches(above_limit="accept"), balance=Decimal(100000))
        self.assertEqual(len(self.ask("Sms/SendBulk", **self.bulk(numbers))), 3000)

    def test_duplicates(self):
        twice = [MOBILE, "+" + MOBILE]
        self.assertEqual(len(self.ask("Sms/SendBulk", **self.bulk(twice))), 2)
        self.make(switches=Switches(duplicates="once"))
        twice = self.bulk(twice)
        self.assertEqual(len(self.ask("Sms/SendBulk", **twice)), 1)
        self.assertEqual(self.provider.balance(), Decimal("998.5"))

    def test_approved_senders(self):
        self.make(senders={"Shop"})
        self.send()
        self.assertRefused(
            self.call("Sms/Send", **self.message(SourceAddress="shop")), 400, 6
        )

    def test_id_styles(self):
        for style, pattern in (
            ("digits", r"\A\d{18}\Z"),
            ("hex", r"\AWD[0-9A-F]{7}\Z"),
            ("route", r"\ASAR-GW01\+79211234567-[0-9a-f]{8}-2-[12]\Z"),
        ):
            self.make(switches=Switches(id_style=style))
            ids = self.send(text="я" * 71)
            self.assertEqual(len(set(ids)), 2)
            self.clock.now += 3
            for one in ids:
                with self.subTest(style=style):
                    self.assertRegex(one, pattern)
                    self.assertEqual(self.state(one)["State"], -2)

    def test_wrong_date_and_validity(self):
        for name, value, status, code in (
            ("SendDate", "tomorrow", 500, 9),
            ("SendDate", "0001-01-01T00:00:00+10:00", 500, 9),
            ("Validity", "9" * 5000, 400, 2),
            ("Validity", "long", 400, 2),
            ("Validity", "-1", 400, 2),
        ):
            with self.subTest(name=name, value=value):
                answer = self.call("Sms/Send", **self.message(**{name: value}))
                self.assertRefused(answer, status, code)
        self.send(SendDate="", Validity="")
        entry = self.provider.ledger[0]
        self.assertEqual((entry.send_date, entry.validity), (None, None))

    def test_past_date(self):
        gateway_id = self.send(SendDate="2023-11-14T22:13:19")[0]
        self.clock.now += 10
        self.assertEqual(self.state(gateway_id)["State"], 0)
        self.make(switches=Switches(past_send_date="refuse"))
        past = self.message(SendDate="2023-11-14T22:13:19")
        self.assertRefused(self.call("Sms/Send", **past), 400, 2)

    def test_by_time_zone(self):
        path = "Sms/SendByTimeZone"
        self.assertRefused(self.call(path, **self.message()), 500, 9)
        # Ten seconds from now by the clock of Moscow, three hours before UTC.
        date = "2023-11-15T01:13:30"
        one = self.ask(path, **self.message(SendDate=date))[0]
        both = self.bulk([MOBILE, "79141234567"], SendDate=date)
        many = self.ask("Sms/SendByTimeZoneToAddresses", **both)
        as_1c = self.ask(path, **both)
        self.clock.now += 9
        self.assertEqual(self.state(one)["State"], -2)
        self.clock.now += 11
        states = [self.state(key)["State"] for key in [one, *many, *as_1c]]
        self.assertEqual(states, [0] * 5)
        self.make(switches=Switches(time_zone_list="refuse"))
        self.assertRefused(self.call(path, **{**both, "SessionID": "1"}), 400, 1)

    def test_eight_threads(self):
        self.provider.set_balance("100000")

        def work(number):
            for n in range(50):
                numbers = [f"7921{number}{n:03}0{i}0" for i in range(3)]
                results.append(self.ask("Sms/SendBulk", **self.bulk(numbers, "я" * 71)))

        results = []
        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ledger = self.provider.ledger
        self.assertEqual(len(ledger), 8 * 50 * 3)
        told = sorted(gateway_id for ids in results for gateway_id in ids)
        kept = [gateway_id for entry in ledger for gateway_id in entry.ids]
        self.assertEqual(kept, told)
        self.assertEqual(len(set(kept)), 8 * 50 * 6)
        cost = sum(entry.cost for entry in ledger)
        self.assertEqual(self.provider.balance(), 100000 - cost)

    def test_failure_of_its_own(self):
        class Broken(Store):
            def debit(self, login, amount):
                raise RuntimeError

        accounts, balances = {"demo": "demo"}, {"demo": Decimal(1000)}
        self.make(store=Broken(accounts, balances, "digits", START))
        with self.assertLogs("odoo.addons.sms_devino.sandbox.rules", "ERROR"):
            self.assertRefused(self.call("Sms/Send", **self.message()), 500, 9)

    def test_first_of_several_faults(self):
        for kind in ("latency", "code8", "code7", "latency"):
            self.provider.faults.add(Fault(kind, seconds=2))
        first = self.call("Sms/Send", **self.message())
        self.assertRefused(first, 500, 8)
        self.assertEqual(first.delay, 4)
        self.assertRefused(self.call("Sms/Send", **self.message()), 403, 7)

    def test_reset(self):
        gateway_id = self.send()[0]
        self.provider.faults.add(Fault("code8", times=None))
        self.provider.advance(100)
        self.provider.reset()
        self.assertEqual(self.provider.ledger, [])
        self.assertEqual(self.provider.now(), START)
        self.assertEqual(self.provider.balance(), Decimal(1000))
        self.session = self.ask("User/SessionId", login="demo", password="demo")
        self.assertEqual(self.state(gateway_id)["State"], 255)
        self.assertGreater(self.send()[0], gateway_id)


@tagged("post_install", "-at_install", "sms_devino")
class TestReasons(SandboxCase):
    def test_reason_of_a_refusal(self):
        for path, params, reason in (
            ("Sms/Nothing", {}, "no call has this path"),
            ("Sms/Send", {"Data": ""}, "Data is missing or empty"),
            ("Sms/Send", {"SessionID": "x"}, "log in with User/SessionId first"),
            ("Sms/Send", {"DestinationAddress": "12"}, "'12' is not a number"),
            ("Sms/Send", {"DestinationAddress": "79211234599"}, "digits are 99"),
            ("Sms/Send", {"SourceAddress": "Магазин"}, "'Магазин' is not 1 to 11"),
            ("Sms/Send", {"SourceAddress": "Other"}, "none of the approved"),
            ("Sms/Send", {"Data": "a" * 2001}, "a text of 2001 characters"),
            ("Sms/Send", {"Validity": "long"}, "'long' is no number of minutes"),
            ("Sms/Send", {"SendDate": "soon"}, "SendDate is missing, or is no date"),
            ("Sms/Send", {"Data": "я" * 2000}, "it costs 45.0, the balance is 40"),
        ):
            self.make(senders={"Shop"}, balance=Decimal(40))
            answer = self.call(path, **self.message(**params))
            with self.subTest(path=path, params=params):
                self.assertGreaterEqual(answer.status, 400)
                self.assertIn(reason, answer.reason)
        self.assertIn("takes POST", self.call("Sms/Send", "GET").reason)
        wrong = self.call("User/SessionId", login="demo", password="x")
        self.assertEqual(wrong.reason, "no account 'demo' with this password")

    def test_no_reason_when_all_is_well(self):
        self.assertEqual(self.call("Sms/Send", **self.message()).reason, "")

    def test_reason_of_a_fault(self):
        self.provider.faults.add(Fault("code8"))
        self.provider.faults.add(Fault("no_ids"))
        self.assertIn("code8", self.call("Sms/Send", **self.message()).reason)
        self.assertIn("carried out", self.call("Sms/Send", **self.message()).reason)


@tagged("post_install", "-at_install", "sms_devino")
class TestStates(SandboxCase):
    UNKNOWN = (
        '{"State":255,"CreationDateUtc":null,"SubmittedDateUtc":null,'
        '"ReportedDateUtc":null,"TimeStampUtc":"\\/Date(-62135596800000)\\/",'
        '"StateDescription":"Неизвестный","Price":null}'
    )

    def body(self, gateway_id):
        return self.call("Sms/State", SessionID=self.session, messageID=gateway_id).body

    def test_life_to_the_letter(self):
        gateway_id = self.send()[0]
        stamp = [f'"\\/Date({1_700_000_000_000 + ms})\\/"' for ms in (0, 4000, 10000)]
        queued = (
            f'{{"State":-2,"CreationDateUtc":{stamp[0]},"SubmittedDateUtc":null,'
            f'"ReportedDateUtc":null,"TimeStampUtc":{stamp[0]},'
            '"StateDescription":"В очереди","Price":null}'
        )
        sent = (
            f'{{"State":-1,"CreationDateUtc":{stamp[0]},"SubmittedDateUtc":{stamp[1]},'
            f'"ReportedDateUtc":null,"TimeStampUtc":{stamp[1]},'
            '"StateDescription":"Отправлено","Price":1.5}'
        )
        delivered = (
            f'{{"State":0,"CreationDateUtc":{stamp[0]},"SubmittedDateUtc":{stamp[1]},'
            f'"ReportedDateUtc":{stamp[2]},"TimeStampUtc":{stamp[2]},'
            '"StateDescription":"Доставлено","Price":1.5}'
        )
        for age, expected in (
            (0, self.UNKNOWN),
            (1.9, self.UNKNOWN),
            (2, queued),
            (4, sent),
            (9.9, sent),
            (10, delivered),
            (48 * 3600, delivered),
            (48 * 3600 + 1, self.UNKNOWN),
        ):
            self.clock.now = START + age
            self.session = self.ask("User/SessionId", login="demo", password="demo")
            with self.subTest(age=age):
                self.assertEqual(self.body(gateway_id), expected)

    def test_fates(self):
        for ending, states in (
            ("00", [0]),
            ("80", [1234]),
            ("82", [10]),
            ("90", [46]),
            ("91", [42]),
            ("92", [11]),
            ("93", [41]),
            ("94", [47]),
            ("95", [48]),
            ("96", [69]),
            ("97", [0, 46, 0]),
            ("98", [-1]),
            ("81", [-1]),
        ):
            self.make()
            text = "a" * (153 * len(states) if len(states) > 1 else 10)
            ids = self.send("792112345" + ending, text)
            self.clock.now += 30
            with self.subTest(ending=ending):
                self.assertEqual([self.state(one)["State"] for one in ids], states)

    def test_slow_and_silent(self):
        slow, silent = self.send("79211234581")[0], self.send("79211234598")[0]
        self.clock.now += 3600
        self.assertEqual(self.state(slow)["State"], 0)
        self.clock.now += 47 * 3600
        self.session = self.ask("User/SessionId", login="demo", password="demo")
        self.assertEqual(self.state(silent)["State"], -1)
        self.clock.now += 1
        self.assertEqual(self.state(silent)["State"], 255)

    def test_validity(self):
        ids = [self.send("79211234581", Validity=v)[0] for v in ("1", "59", "60", "0")]
        self.clock.now += 60
        self.assertEqual([self.state(one)["State"] for one in ids], [46, -1, -1, -1])
        self.clock.now += 3600 - 60
        self.assertEqual([self.state(one)["State"] for one in ids], [46, 46, 0, 0])

    def test_validity_of_what_is_never_reported(self):
        ids = [self.send("79211234598", Validity=v)[0] for v in ("1", "0")]
        self.clock.now += 59
        self.assertEqual([self.state(one)["State"] for one in ids], [-1, -1])
        self.clock.now += 1
        self.assertEqual([self.state(one)["State"] for one in ids], [46, -1])

    def test_without_fates(self):
        self.make(has_fates=False)
        ids = self.ask("Sms/SendBulk", **self.bulk(["79211234599", "79211234591"]))
        self.clock.now += 10
        self.assertEqual([self.state(one)["State"] for one in ids], [0, 0])
        self.provider.has_fates = True
        self.assertRefused(self.call("Sms/Send", **self.message("79211234599")), 400, 6)

    def test_delayed(self):
        gateway_id = self.send(SendDate="2023-11-18T22:13:20")[0]  # four days
        self.assertEqual(self.state(gateway_id)["State"], 255)
        for age, expected in ((2, -2), (345600, -2), (345604, -1), (345610, 0)):
            self.clock.now = START + age
            self.session = self.ask("User/SessionId", login="demo", password="demo")
            with self.subTest(age=age):
                self.assertEqual(self.state(gateway_id)["State"], expected)

    def test_speed(self):
        self.make(speed=100)
        gateway_id = self.send()[0]
        self.clock.now += 0.11
        self.assertEqual(self.state(gateway_id)["State"], 0)

    def test_unknown_id(self):
        self.assertEqual(self.body("579700854169272358"), self.UNKNOWN)
        desc = "MessageID can not be null or empty\r\nParameter name: messageId"
        answer = self.call("Sms/State", SessionID=self.session)
        self.assertRefused(answer, 400, 1, desc)
        self.make(switches=Switches(unknown_message="code"))
        answer = self.call("Sms/State", SessionID=self.session, MessageId="7")
        self.assertRefused(answer, 400, 2)

    def test_foreign_id(self):
        self.make(accounts={"demo": "demo", "other": "x"})
        gateway_id = self.send()[0]
        self.clock.now += 10
        self.session = self.ask("User/SessionId", login="other", password="x")
        self.assertEqual(self.state(gateway_id)["State"], 255)


@tagged("post_install", "-at_install", "sms_devino")
class TestReports(SandboxCase):
    def test_incoming(self):
        dates = {"minDateUTC": "2023-11-14", "maxDateUTC": "2023-11-15 00:00:00"}
        ask = {"SessionID": self.session, **dates}
        self.assertEqual(self.call("Sms/In", "GET", **ask).body, "[]")
        self.provider.add_incoming("79260000000", "79160000000", "Да")
        self.assertEqual(
            self.call("Sms/In", **ask).body,
            '[{"Data":"Да","SourceAddress":"79260000000",'
            '"DestinationAddress":"79160000000","ID":539187174,'
            '"CreatedDateUtc":"\\/Date(1700000000000)\\/"}]',
        )
        for login, seen in (("demo", 2), ("other", 0)):
            self.make(accounts={"demo": "demo", "other": "other"})
            self.provider.add_incoming("79260000000", "79160000000", "one", login)
            self.provider.add_incoming("79260000000", "79160000000", "two", login)
            ask["SessionID"] = self.session
            with self.subTest(receiver=login):
                self.assertEqual(len(self.ask("Sms/In", **ask)), seen)
        for change, status, code in (
            ({"maxDateUTC": ""}, 500, 9),
            ({"minDateUTC": "2022-11-01"}, 400, 2),
            ({"minDateUTC": "2023-11-16"}, 400, 2),
        ):
            with self.subTest(change=change):
                answer = self.call("Sms/In", **{**ask, **change})
                self.assertRefused(answer, status, code)

    def test_statistics(self):
        for ending in ("00", "01", "02", "42", "81", "90", "91", "92"):
            self.send("792112345" + ending)
        self.clock.now += 30
        self.send()
        ask = {
            "SessionID": self.session,
            "startDateTime": "2023-11-14 22:00:00",
            "endDateTime": "2024-02-12 22:00:00",
        }
        self.assertEqual(
            self.call("Sms/Statistics", "GET", **ask).body,
            '{"Sent":1,"Delivered":4,"Errors":1,"InProcess":1,"Expired":1,'
            '"Rejected":1,"Total":8,"TotalWithErrors":9,"DeliveryRatio":50}',
        )
        ask["endDateTime"] = "2024-02-12 22:00:01"
        answer = self.call("Sms/Statistics", **ask)
        self.assertRefused(answer, 400, 2)
        self.assertEqual(
            answer.body,
            '{"Code":2,"Desc":"Нельзя указывать диапазон дат более 90 дней."}',
        )
        del ask["startDateTime"]
        self.assertRefused(self.call("Sms/Statistics", **ask), 500, 9)
