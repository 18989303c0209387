"""The emulated provider over HTTP, in the manner of its public clients."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest.mock import patch
from urllib.parse import quote, urlencode, urlsplit

import requests

from odoo.tests import BaseCase, tagged

from ..sandbox import Fault, SandboxServer
from ..sandbox.__main__ import main
from ..sandbox.tls import TlsError, make_certificate, make_context

MOBILE = "79211234567"
FORM = "application/x-www-form-urlencoded"


class ServerCase(BaseCase):
    """A server, a connection of http.client, and a session."""

    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.provider = self.server.provider
        self.address = urlsplit(self.server.url).netloc
        self.client = self.connect()
        self.session = json.loads(self.login().body)

    def serve(self, **options):
        server = SandboxServer(**options).start()
        self.addCleanup(server.stop)
        return server

    def connect(self):
        connection = http.client.HTTPConnection(self.address, timeout=10)
        self.addCleanup(connection.close)
        return connection

    def login(self):
        return self.post("User/SessionId", login="demo", password="demo")

    def request(self, method, path, body=None, content_type=FORM, client=None):
        client = client or self.client
        headers = {"Content-Type": content_type} if body else {}
        client.request(method, f"/rest/{path}", body, headers)
        answer = client.getresponse()
        answer.body = answer.read().decode()
        return answer

    def post(self, path, **params):
        return self.request("POST", path, urlencode(params, doseq=True))

    def message(self, **params):
        return {
            "sessionId": self.session,
            "sourceAddress": "Shop",
            "destinationAddress": MOBILE,
            "data": "Привет",
            **params,
        }

    def control(self, method, path, members=None):
        body = None if members is None else json.dumps(members)
        self.client.request(method, f"/_sandbox/{path}", body)
        answer = self.client.getresponse()
        return answer.status, answer.read().decode()


@tagged("post_install", "-at_install", "sms_devino")
class TestClients(ServerCase):
    def test_1c(self):
        """POST with a form for every call, "?" after the path, cut by substrings."""
        answer = self.post("User/SessionId?", login="demo", password="demo")
        self.assertEqual(len(answer.body.encode()), 38)
        for name, expected in (
            ("Cache-Control", "private"),
            ("Content-Type", "application/json; charset=utf-8"),
            ("Content-Length", "38"),
            ("WWW-Authenticate", None),
        ):
            self.assertEqual(answer.getheader(name), expected)
        wrong = self.post("User/SessionId?", login="demo", password="x")
        self.assertEqual(wrong.status, 401)
        self.assertTrue(wrong.body.startswith('{"Code":4,'))
        self.assertIsNone(wrong.getheader("WWW-Authenticate"))
        balance = self.post("User/Balance?", sessionId=self.session)
        self.assertEqual(balance.body, "1000")
        sent = self.post("Sms/Send?", **self.message())
        gateway_id = sent.body.removeprefix('["').removesuffix('"]')
        self.assertTrue(gateway_id.isdigit())
        self.provider.advance(10)
        state = self.post("Sms/State?", sessionId=self.session, messageId=gateway_id)
        self.assertIn('"StateDescription":"Доставлено","', state.body)
        delayed = self.message(sendDate="2050-01-01T10:00:00")
        delayed["destinationAddresses"] = [delayed.pop("destinationAddress")] * 2
        late = self.post("Sms/SendByTimeZone?", **delayed)
        self.assertEqual(late.body.count('","'), 1)

    def test_php_numbered_lists(self):
        numbers = ["79161234501", "79161234502"]
        body = urlencode(
            {
                "sessionID": self.session,
                "sourceAddress": "Shop",
                "destinationAddresses[0]": numbers[0],
                "destinationAddresses[1]": numbers[1],
                "data": "a+b & c",
            }
        )
        answer = self.request("POST", "Sms/SendBulk", body)
        self.assertEqual(len(json.loads(answer.body)), 2)
        ledger = self.provider.ledger
        self.assertEqual([entry.number for entry in ledger], numbers)
        self.assertEqual(ledger[0].text, "a+b & c")

    def test_form_on_get(self):
        body = urlencode({"SessionID": self.session})
        self.assertEqual(self.request("GET", "user/balance", body).body, "1000")

    def test_all_in_the_query(self):
        """With urllib; an unescaped "+" arrives as a blank."""
        query = f"sessionid={self.session}&sourceaddress=Shop&data={quote('Да')}"
        for plus in ("+", "%2B"):
            target = f"{self.server.url}/sms/send/?{query}&destinationaddress={plus}"
            with urllib.request.urlopen(target + MOBILE, b"") as answer:
                self.assertEqual(len(json.load(answer)), 1)
        entries = {(entry.number, entry.text) for entry in self.provider.ledger}
        self.assertEqual(entries, {(MOBILE, "Да")})
        balance = f"{self.server.url}/User/Balance?SessionID={self.session}"
        with urllib.request.urlopen(balance) as answer:
            self.assertEqual(answer.read(), b"997")

    def test_ruby_split_over_both(self):
        numbers = ["79161234501", "79161234501", "79161234503"]
        query = urlencode([("DestinationAddresses", number) for number in numbers])
        body = urlencode(
            {"SessionID": self.session, "SourceAddress": "Shop", "Data": "x"}
        )
        answer = self.request("POST", f"Sms/SendBulk?{query}", body)
        self.assertEqual(len(json.loads(answer.body)), 3)
        self.assertEqual([entry.number for entry in self.provider.ledger], numbers)

    def test_json_of_v2(self):
        answer = requests.post(
            f"{self.server.url}/v2/Sms/SendBulk",
            json={
                "Login": "demo",
                "Password": "demo",
                "SourceAddress": "Shop",
                "DestinationAddresses": [MOBILE, 79161234567],
                "Data": "Привет",
                "Validity": None,
            },
            timeout=10,
        )
        self.assertEqual(len(answer.json()), 2, answer.text)
        self.assertEqual(self.provider.ledger[1].number, "79161234567")
        pair = '"Login":"demo","Password":"demo","DestinationAddress":"79211234567"'
        half = f'{{{pair},"SourceAddress":"Shop","Data":"\\ud83d"}}'
        self.request("POST", "v2/Sms/Send", half, "application/json")
        self.assertEqual(self.provider.ledger[2].text, "?")
        for wrong in ("{", "[1]"):
            answer = self.request("POST", "v2/Sms/Send", wrong, "application/json")
            self.assertEqual((answer.status, answer.body[:9]), (400, '{"Code":1'))

    def test_requests_with_2999_numbers(self):
        self.provider.set_balance("100000")
        message = self.message(data="я" * 71)
        del message["destinationAddress"]
        message["destinationAddresses"] = [f"7921{n:05}00" for n in range(2999)]
        with requests.Session() as client:
            target = f"{self.server.url}/Sms/SendBulk"
            answer = client.post(target, data=message, timeout=10)
        self.assertEqual(len(answer.json()), 2 * 2999)
        self.assertEqual(len(self.provider.ledger), 2999)

    def test_curl_waits_for_100_continue(self):
        body = urlencode(self.message()).encode()
        head = (
            "POST /rest/Sms/Send HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
            f"Content-Type: {FORM}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(self.address.split(":"), 10) as raw:
            raw.sendall(head.encode())
            self.assertTrue(raw.recv(1000).startswith(b"HTTP/1.1 100 "))
            raw.sendall(body)
            self.assertTrue(raw.recv(1000).startswith(b"HTTP/1.1 200 "))

    def test_chunked_body(self):
        whole = urlencode(self.message()).encode()
        parts = iter([whole[:20], whole[20:]])
        self.client.request(
            "POST",
            "/rest/Sms/Send",
            parts,
            {"Content-Type": FORM, "Transfer-Encoding": "chunked"},
            encode_chunked=True,
        )
        answer = self.client.getresponse()
        self.assertEqual((answer.status, len(json.load(answer))), (200, 1))

    def test_multipart_form(self):
        answer = requests.post(
            f"{self.server.url}/Sms/SendBulk",
            files=[
                ("SessionID", (None, self.session)),
                ("SourceAddress", (None, "Shop")),
                ("DestinationAddresses[0]", (None, MOBILE)),
                ("DestinationAddresses[1]", (None, "79161234567")),
                ("Data", (None, "Привет\r\nи пока")),
            ],
            timeout=10,
        )
        self.assertEqual(len(answer.json()), 2, answer.text)
        self.assertEqual(self.provider.ledger[0].text, "Привет\r\nи пока")

    def test_broken_requests(self):
        post = "POST /rest/Sms/Send HTTP/1.1\r\n"
        for raw, reason in (
            ("nonsense\r\n\r\n", "Bad request syntax"),
            (post + "Content-Length: -5\r\n\r\n", "Content-Length is no length"),
            (
                post + "Transfer-Encoding: chunked\r\n\r\nx\r\n",
                "no size of a chunk",
            ),
        ):
            with socket.create_connection(self.address.split(":"), 10) as client:
                client.sendall(raw.encode())
                said = client.makefile("rb").readline()
            with self.subTest(reason=reason):
                self.assertEqual(said, b"HTTP/1.1 400 Bad Request\r\n")
                self.assertIn(reason, self.server.log.latest(1)[0]["reason"])

    def test_http_1_0_and_pipelining(self):
        one = f"GET /rest/User/Balance?SessionID={self.session} HTTP/1.%s\r\n\r\n"
        with socket.create_connection(self.address.split(":"), 10) as client:
            client.sendall((one % 1 + one % 1 + one % 0).encode())
            said = client.makefile("rb").read()
        self.assertEqual(said.count(b"HTTP/1.1 200 OK"), 3)
        self.assertEqual(said.count(b"Connection: close"), 1)

    def test_no_such_page(self):
        self.assertEqual(self.request("GET", "Sms/Nothing").status, 404)
        self.assertEqual(self.request("GET", "Sms/Send").status, 405)


@tagged("post_install", "-at_install", "sms_devino")
class TestConnections(ServerCase):
    def test_kept_alive(self):
        first = self.client.sock
        for _ in range(5):
            self.post("User/Balance", sessionId=self.session)
        self.assertIs(self.client.sock, first)
        counts = self.server.requests
        self.assertEqual(counts, {"User/SessionId": 1, "User/Balance": 5})

    def test_idle_connection_is_closed(self):
        server = self.serve(idle_timeout=0.05)
        with socket.create_connection(
            urlsplit(server.url).netloc.split(":"), 10
        ) as raw:
            self.assertEqual(raw.recv(1), b"")

    def test_stop_closes_all(self):
        server = self.serve()
        address = urlsplit(server.url).netloc.split(":")
        with socket.create_connection(address, 10) as raw:
            raw.sendall(b"GET /_sandbox/ HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertTrue(raw.recv(100_000))
            server.stop()
            self.assertEqual(raw.recv(1), b"")
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(address, 10)

    def test_ledger_of_eight_threads(self):
        self.provider.set_balance("100000")

        def work(number):
            client = self.connect()
            for n in range(20):
                message = self.message(destinationAddress=f"7921{number}{n:04}00")
                answer = self.request(
                    "POST", "Sms/Send", urlencode(message), client=client
                )
                told.extend(json.loads(answer.body))

        told = []
        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        kept = [
            gateway_id for entry in self.provider.ledger for gateway_id in entry.ids
        ]
        self.assertEqual(len(kept), 160)
        self.assertEqual(kept, sorted(told))


@tagged("post_install", "-at_install", "sms_devino")
class TestFaults(ServerCase):
    def order(self, kind, **params):
        self.provider.reset()
        self.session = json.loads(self.login().body)
        self.provider.faults.add(Fault(kind, **params))

    def send(self):
        return self.post("Sms/Send", **self.message())

    def assertAccepted(self, count):
        self.assertEqual(len(self.provider.ledger), count)

    def assertWellAgain(self):
        accepted = len(self.provider.ledger)
        self.assertEqual(self.send().status, 200)
        self.assertAccepted(accepted + 1)

    def test_answers_instead(self):
        for kind, status, start in (
            ("status500", 500, "<html>"),
            ("status500_empty", 500, ""),
            ("code5", 403, '{"Code":5,'),
            ("code7", 403, '{"Code":7,'),
            ("code8", 500, '{"Code":8,'),
            ("code9", 500, '{"Code":9,'),
            ("html", 200, "<html>"),
            ("html502", 502, "<html>"),
            ("session_expired", 401, '{"Code":4,"Desc":"SessionID expired"}'),
            ("session_invalid", 400, '{"Code":3,'),
            ("rate_limit", 429, "<html>"),
            ("unavailable", 503, "<html>"),
        ):
            for handled in (False, True):
                self.order(kind, handled=handled, path="sms/send")
                answer = self.send()
                with self.subTest(kind=kind, handled=handled):
                    self.assertEqual(answer.status, status)
                    self.assertEqual(answer.body[: len(start) or 1], start)
                    self.assertAccepted(int(handled and kind != "session_expired"))

    def test_expired_session_is_dropped(self):
        self.order("session_expired")
        self.assertEqual(self.login().status, 200)
        self.assertEqual(self.send().status, 401)
        self.assertEqual(self.send().body[:9], '{"Code":3')
        self.session = json.loads(self.login().body)
        self.assertWellAgain()

    def test_retry_after(self):
        for kind in ("rate_limit", "unavailable"):
            self.order(kind, retry_after=7)
            self.assertEqual(self.send().getheader("Retry-After"), "7")
            self.order(kind)
            self.assertIsNone(self.send().getheader("Retry-After"))

    def test_dropped_connections(self):
        for kind, accepted in (("drop_before", 0), ("drop_after", 1)):
            self.order(kind)
            with self.subTest(kind=kind):
                with self.assertRaises(http.client.RemoteDisconnected):
                    self.send()
                self.client.close()
                self.assertAccepted(accepted)
                self.assertWellAgain()

    def test_refused_connection(self):
        for kind in ("refuse", "connect_timeout"):
            self.order(kind)
            with self.subTest(kind=kind):
                with self.assertRaises((ConnectionResetError, BrokenPipeError)):
                    self.send()
                self.client.close()
                self.assertAccepted(0)
                self.assertWellAgain()

    def test_half_json(self):
        self.order("half_json")
        answer = self.send()
        self.assertEqual(answer.getheader("Content-Length"), str(len(answer.body)))
        with self.assertRaises(ValueError):
            json.loads(answer.body)
        self.assertAccepted(1)
        self.order("half_json", declared="full")
        with self.assertRaises(http.client.IncompleteRead):
            self.send()
        self.client.close()
        self.assertAccepted(1)
        self.assertWellAgain()

    def test_pauses_and_slow_body(self):
        for kind in ("hold", "latency", "slow_body"):
            self.order(kind, seconds=0.05)
            with self.subTest(kind=kind):
                self.assertEqual(len(json.loads(self.send().body)), 1)
                self.assertAccepted(1)

    def test_ids(self):
        for kind, ids in (
            ("more_ids", [str, str, str]),
            ("fewer_ids", [str]),
            ("no_ids", []),
            ("ids_as_numbers", [int, int]),
        ):
            self.order(kind)
            self.post("User/Balance", sessionId=self.session)  # does not use it up
            answer = self.post("Sms/Send", **self.message(data="я" * 71))
            with self.subTest(kind=kind):
                self.assertEqual([type(one) for one in json.loads(answer.body)], ids)
                self.assertAccepted(1)
        self.order("no_ids")
        self.assertEqual(self.post("Sms/Send").status, 400)

    def test_when(self):
        self.order("code8", path="Sms/Send", times=2, after=1)
        statuses = [self.send().status for _ in range(5)]
        self.assertEqual(statuses, [200, 500, 500, 200, 200])
        self.assertEqual(self.provider.faults.pending(), [])
        self.order("code8", path="Sms/SendBulk", times=None)
        self.assertEqual(self.send().status, 200)
        self.order("code8", times=None, rate=0.5)
        statuses = [self.send().status for _ in range(40)]
        self.assertIn(statuses.count(500), range(10, 31))
        self.order("code8", times=None, rate=0.5)
        self.assertEqual([self.send().status for _ in range(40)], statuses)

    def test_wrong_orders(self):
        for members in (
            {"kind": "flood"},
            {"kind": "half_json", "declared": "twice"},
            {"kind": "refuse", "handled": True},
            {"kind": "code8", "often": True},
            {"kind": "code8", "times": "x"},
            {"kind": "code8", "times": 0},
            {"kind": "code8", "times": True},
            {"kind": "code8", "path": "Sms/Typo"},
            {"kind": "code8", "path": ["Sms/Send"]},
            {"kind": "code8", "rate": 1.5},
            {"kind": "code8", "rate": float("nan")},
            {"kind": "latency", "seconds": float("inf")},
            {"kind": "latency", "seconds": -1},
            {"kind": "rate_limit", "retry_after": "soon"},
            {"kind": "code8", "handled": 1},
            {"kind": ["code8"]},
            {},
            [],
        ):
            with self.subTest(members=members), self.assertRaises(ValueError):
                Fault.from_dict(members)
        Fault.from_dict({"kind": "code8", "path": "sms/send", "times": None})

    def test_a_wrong_order_changes_nothing(self):
        for members in ({"kind": "code8", "times": "x"}, [{"kind": "code8"}, 1]):
            self.assertEqual(self.control("POST", "faults", members)[0], 400)
        self.assertEqual(self.provider.faults.pending(), [])
        self.assertEqual(self.send().status, 200)


@tagged("post_install", "-at_install", "sms_devino")
class TestControl(ServerCase):
    def test_help(self):
        status, text = self.control("GET", "help")
        self.assertEqual(status, 200)
        self.assertIn("| …99 | refused at once", text)

    def test_page(self):
        self.client.request("GET", "/_sandbox")
        answer = self.client.getresponse()
        page = answer.read().decode()
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.getheader("Content-Type"), "text/html; charset=utf-8")
        self.assertIn("default-src 'none'", answer.getheader("Content-Security-Policy"))
        for outside in ("http://", "https://", "src=", "@import", "innerHTML"):
            self.assertNotIn(outside, page)

    def test_the_way_to_the_page(self):
        with urllib.request.urlopen(f"http://{self.address}/") as answer:
            self.assertEqual(answer.url, f"http://{self.address}/_sandbox/")

    def test_state_of_the_page(self):
        gateway_ids = json.loads(self.post("Sms/Send", **self.message()).body)
        self.provider.advance(10)
        state = json.loads(self.control("GET", "state")[1])
        self.assertEqual(state["messages"][0]["ids"], gateway_ids)
        self.assertEqual(state["messages"][0]["states"], [[0, "Доставлено"]])
        self.assertEqual(state["balances"], {"demo": "998.5"})
        self.assertEqual(state["counts"]["Sms/Send"], 1)
        self.assertEqual(state["requests"][0]["call"], "Sms/Send")
        self.assertEqual(state["total"], 1)

    def test_requests_with_reasons(self):
        refused = self.post("Sms/Send", **self.message(destinationAddress="12"))
        reason = "'12' is not a number with its country code"
        self.assertEqual(refused.getheader("X-Sandbox-Reason"), reason)
        accepted = self.post("Sms/Send", **self.message())
        self.assertIsNone(accepted.getheader("X-Sandbox-Reason"))
        requests_ = json.loads(self.control("GET", "requests")[1])
        self.assertEqual(
            [(one["call"], one["status"], one["reason"]) for one in requests_],
            [
                ("Sms/Send", 200, ""),
                ("Sms/Send", 400, reason),
                ("User/SessionId", 200, ""),
            ],
        )
        params = dict(requests_[0]["params"])
        self.assertEqual(params["data"], "Привет")
        self.assertEqual(params["sessionId"], "***")
        self.assertEqual(dict(requests_[2]["params"])["password"], "***")

    def test_reason_in_letters_a_header_cannot_have(self):
        answer = self.post("Sms/Send", **self.message(sourceAddress="Магазин\r\nX: y"))
        self.assertIn("\\u041c", answer.getheader("X-Sandbox-Reason"))
        self.assertIsNone(answer.getheader("X"))

    def test_fates_and_clearing_faults(self):
        to_refused = self.message(destinationAddress="79211234599")
        self.assertEqual(self.post("Sms/Send", **to_refused).status, 400)
        self.control("POST", "fates", {"on": False})
        self.assertEqual(self.post("Sms/Send", **to_refused).status, 200)
        self.control("POST", "faults", {"kind": "code8", "times": None})
        self.control("POST", "faults/clear", {})
        self.assertEqual(self.post("Sms/Send", **to_refused).status, 200)

    def test_ledger_and_reset(self):
        sent = self.post("Sms/Send", **self.message(sendDate="2050-01-01"))
        entry = json.loads(self.control("GET", "ledger")[1])[0]
        self.assertEqual(entry["ids"], json.loads(sent.body))
        self.assertEqual(entry["send_date"], "2050-01-01T00:00:00")
        self.assertEqual(entry["cost"], "1.5")
        self.control("POST", "reset")
        self.assertEqual(self.control("GET", "ledger"), (200, "[]"))

    def test_faults(self):
        orders = [{"kind": "code8"}, {"kind": "latency", "seconds": 0.01}]
        self.assertEqual(self.control("POST", "faults", orders)[0], 200)
        pending = json.loads(self.control("GET", "faults")[1])
        self.assertEqual([one["kind"] for one in pending], ["code8", "latency"])
        self.assertEqual(self.post("Sms/Send", **self.message()).status, 500)

    def test_clock_and_balance(self):
        self.control("POST", "clock", {"advance": 7200})
        answer = self.post("User/Balance", sessionId=self.session)
        self.assertEqual(answer.status, 401)
        self.session = json.loads(self.login().body)
        self.control("POST", "balance", {"demo": "12.50"})
        answer = self.post("User/Balance", sessionId=self.session)
        self.assertEqual(answer.body, "12.5")

    def test_incoming(self):
        members = {"source": "79260000000", "destination": "79160000000", "text": "Да"}
        self.assertEqual(self.control("POST", "incoming", members)[0], 200)
        today = datetime.fromtimestamp(self.provider.now(), timezone.utc).date()
        dates = {
            "minDateUTC": today - timedelta(days=1),
            "maxDateUTC": today + timedelta(days=2),
        }
        answer = self.post("Sms/In", sessionId=self.session, **dates)
        self.assertEqual([one["Data"] for one in json.loads(answer.body)], ["Да"])

    def test_mistakes(self):
        for path, members in (
            ("faults", {"kind": "flood"}),
            ("faults", [1]),
            ("clock", {}),
            ("balance", {"nobody": "1"}),
            ("balance", {"demo": "much"}),
            ("balance", {"demo": "Infinity"}),
            ("balance", {"demo": "NaN"}),
            ("balance", {"demo": float("nan")}),
            ("balance", [1]),
            ("clock", {"advance": float("inf")}),
            ("clock", {"advance": "nan"}),
            ("clock", {"advance": 1e300}),
            ("fates", {"on": "no"}),
            ("incoming", {"source": "1", "destination": "2"}),
            ("incoming", {"source": "1", "destination": "2", "text": "", "login": "x"}),
        ):
            with self.subTest(path=path, members=members):
                status, said = self.control("POST", path, members)
                self.assertEqual(status, 400)
                self.assertTrue(json.loads(said)["error"])
        self.assertEqual(self.provider.balance(), 1000)
        self.assertEqual(self.control("GET", "nowhere")[0], 404)


@tagged("post_install", "-at_install", "sms_devino")
class TestCommand(BaseCase):
    def run_command(self, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", *arguments],
            cwd=Path(__file__).parent.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def test_serves_until_told_to_stop(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            process = self.run_command(
                *("--port=0", "--login=me", "--password=me", "--balance=7.50"),
                *("--speed=10", "--switch=login_failure=403", "--sender=Shop"),
            )
            url = process.stdout.readline().strip()
            self.assertIn("/_sandbox/", process.stdout.readline())
            pair = {"Login": "me", "Password": "me"}
            answer = requests.post(f"{url}/v2/User/Balance", data=pair, timeout=10)
            self.assertEqual(answer.text, "7.5")
            pair["Password"] = "x"
            answer = requests.post(f"{url}/v2/User/Balance", data=pair, timeout=10)
            self.assertEqual(answer.status_code, 403)
            process.send_signal(how)
            self.assertEqual(process.communicate(timeout=10), ("", ""))
            self.assertEqual(process.returncode, 0)

    def test_mistakes(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            for arguments, code, words in (
                (("--port", port), 1, f"Port {port} cannot be used"),
                (("--switch", "x=y"), 2, "x=y: no such switch or value"),
                (("--speed", "0"), 2, "--speed"),
                (("--balance", "much"), 2, "--balance"),
                (("--balance", "NaN"), 2, "NaN is no amount of money"),
                (("--speed", "inf"), 2, "inf is no number above 0"),
                (("--port", "99999"), 2, "99999 is no port"),
                (("--account", "me"), 2, "--account takes a login"),
                (("--account", "me", "me", "much"), 2, "much is no amount"),
                (("--tls", "one"), 2, "--tls takes a certificate and its key"),
                (("--tls", "no.crt", "no.key"), 1, "no.crt and no.key cannot be used"),
            ):
                process = self.run_command(*arguments)
                said = process.communicate(timeout=10)[1]
                with self.subTest(arguments=arguments):
                    self.assertEqual(process.returncode, code)
                    self.assertIn(words, said)

    def test_https_with_a_certificate_made(self):
        if not shutil.which("openssl"):
            self.skipTest("the openssl command is not here")
        process = self.run_command("--port=0", "--tls")
        url = process.stdout.readline().strip()
        certificate = process.stderr.readline().split(": ")[1].strip()
        pair = {"login": "demo", "password": "demo"}
        answer = requests.post(
            f"{url}/User/SessionId", data=pair, verify=certificate, timeout=10
        )
        self.assertEqual(len(answer.json()), 36)
        process.terminate()
        process.communicate(timeout=10)
        self.assertFalse(Path(certificate).exists())

    def test_several_accounts_and_no_fates(self):
        process = self.run_command(
            *("--port=0", "--no-fates", "--balance=7", "--verbose"),
            *("--account", "one", "1:a"),
            *("--account", "two", "2", "50.5"),
        )
        url = process.stdout.readline().strip()
        for login, password, balance in (("one", "1:a", "7"), ("two", "2", "50.5")):
            pair = {"Login": login, "Password": password}
            answer = requests.post(f"{url}/v2/User/Balance", data=pair, timeout=10)
            self.assertEqual(answer.text, balance)
        message = {"SourceAddress": "Shop", "DestinationAddress": "79211234599"}
        message |= {"Data": "x", **pair}
        answer = requests.post(f"{url}/v2/Sms/Send", data=message, timeout=10)
        self.assertEqual(answer.status_code, 200)
        requests.post(f"{url}/v2/Sms/Send", data=pair, timeout=10)
        process.terminate()
        log = process.communicate(timeout=10)[1].splitlines()
        self.assertEqual(len(log), 4)
        self.assertRegex(log[2], r" POST v2/Sms/Send 200\Z")
        self.assertRegex(log[3], r" POST v2/Sms/Send 400  SourceAddress is missing")


@tagged("post_install", "-at_install", "sms_devino")
class TestHttps(BaseCase):
    def setUp(self):
        super().setUp()
        if not shutil.which("openssl"):
            self.skipTest("the openssl command is not here")

    def certificate(self):
        return make_certificate(self.enterContext(tempfile.TemporaryDirectory()))

    def test_https(self):
        certificate, key = self.certificate()
        server = SandboxServer(tls=make_context(certificate, key))
        self.enterContext(server)
        self.assertRegex(server.url, r"\Ahttps://127\.0\.0\.1:\d+/rest\Z")
        pair = {"login": "demo", "password": "demo"}
        # given with each call: the environment would win over the session's
        options = {"data": pair, "verify": certificate, "timeout": 10}
        with requests.Session() as client:
            for _ in range(2):
                answer = client.post(f"{server.url}/User/SessionId", **options)
                self.assertEqual(len(answer.json()), 36)
            server.provider.faults.add(Fault("drop_after"))
            server.provider.faults.add(Fault("refuse"))
            for _ in range(2):
                with self.assertRaises(requests.ConnectionError):
                    client.post(f"{server.url}/User/SessionId", **options)
        with self.assertRaises(requests.exceptions.SSLError):
            requests.post(f"{server.url}/User/SessionId", pair, timeout=10)
        plain = server.url.replace("https", "http")
        with self.assertRaises(requests.ConnectionError):
            requests.post(f"{plain}/User/SessionId", pair, timeout=10)
        reasons = [request["reason"] for request in server.log.latest()]
        self.assertTrue(any(one.startswith("no TLS: ") for one in reasons), reasons)

    def test_no_certificate_without_openssl(self):
        with patch.dict(os.environ, PATH=""), self.assertRaises(TlsError) as caught:
            make_certificate("anywhere")
        self.assertIn("--tls CERT KEY", str(caught.exception))

    def test_certificate_without_its_key(self):
        certificate, _key = self.certificate()
        with self.assertRaises(TlsError):
            make_context(certificate, certificate)


@tagged("post_install", "-at_install", "sms_devino")
class TestOneFile(BaseCase):
    def test_zipapp_runs_by_itself(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        target = str(Path(folder, "sandbox.pyz"))
        self.assertEqual(main(["--zipapp", target]), 0)
        # isolated: neither the checkout nor any installed package is in reach
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", target, "--port=0"],
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        url = process.stdout.readline().strip()
        page = requests.get(url.replace("/rest", "/_sandbox/"), timeout=10)
        self.assertIn("<title>", page.text)
        pair = {"login": "demo", "password": "demo"}
        answer = requests.post(f"{url}/User/SessionId", data=pair, timeout=10)
        self.assertEqual(len(answer.json()), 36)
