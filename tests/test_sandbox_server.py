"""The emulated provider over HTTP, in the manner of its public clients."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import requests

from odoo.tests import BaseCase, tagged

from ..sandbox import Fault, SandboxServer

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
            {},
        ):
            with self.subTest(members=members), self.assertRaises(ValueError):
                Fault.from_dict(members)


@tagged("post_install", "-at_install", "sms_devino")
class TestControl(ServerCase):
    def test_help(self):
        status, text = self.control("GET", "")
        self.assertEqual(status, 200)
        self.assertIn("…99  refused at once", text)

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
            ("balance", [1]),
        ):
            with self.subTest(path=path, members=members):
                self.assertEqual(self.control("POST", path, members)[0], 400)
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
            ):
                process = self.run_command(*arguments)
                said = process.communicate(timeout=10)[1]
                with self.subTest(arguments=arguments):
                    self.assertEqual(process.returncode, code)
                    self.assertIn(words, said)
