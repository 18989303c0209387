"""The gateway on connections that misbehave, byte by byte."""

import contextlib
import datetime
import gzip
import os
import socket
import ssl
import tempfile
import threading
import time
from ipaddress import ip_address
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from freezegun import freeze_time

from odoo.tests import BaseCase, tagged

from ..gateway import (
    AccountRefusedError,
    Credentials,
    DevinoClient,
    MessageRefusedError,
    NotSentError,
    OutcomeUnknownError,
    classify,
)
from ..gateway.transport import MAX_BODY_BYTES, Transport, _AnswerReader, retry_after
from .gateway_wire import SESSION, WireServer, http


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _certificate(folder):
    """A self-signed certificate for 127.0.0.1; the paths of it and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    paths = os.path.join(folder, "certificate.pem"), os.path.join(folder, "key.pem")
    pem = serialization.Encoding.PEM
    contents = (
        certificate.public_bytes(pem),
        key.private_bytes(
            pem,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    for path, content in zip(paths, contents, strict=True):
        with open(path, "wb") as file:
            file.write(content)
    return paths


class WireCase(BaseCase):
    def client(self, url, **options):
        options = {"connect_timeout": 2.0, "read_timeout": 3.0, **options}
        client = DevinoClient(Credentials(url, "demo", "secret"), **options)
        self.addCleanup(client.close)
        return client

    def serve(self, reply, context=None):
        return self.enterContext(WireServer(reply, context))

    def environment(self, **variables):
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.lower().endswith("_proxy")
        }
        self.enterContext(patch.dict(os.environ, {**clean, **variables}, clear=True))

    if not hasattr(BaseCase, "enterContext"):  # Python 3.10

        def enterContext(self, manager):
            value = manager.__enter__()
            self.addCleanup(manager.__exit__, None, None, None)
            return value

    def assertSend(self, kind, answer, **options):
        """Sending gets ``kind`` of error for ``answer`` (bytes, or a reply of
        WireServer), and the request went out once."""

        def reply(connection, _request):
            connection.sendall(answer)
            return True

        server = self.serve(answer if callable(answer) else reply)
        client = self.client(server.url, **options)
        with self.assertRaises(kind) as caught:
            client.send("DTSMS", "79160000000", "text")
        sends = [one for one in server.requests if "/Sms/Send" in one.line]
        self.assertEqual(len(sends), 1)
        return caught.exception


@tagged("post_install", "-at_install", "sms_devino")
class TestWire(WireCase):
    def test_the_request(self):
        server = self.serve(
            lambda connection, _: connection.sendall(http(200, b'["1"]'))
        )
        client = self.client(f" {server.url}/? ")
        client.send(
            "DTSMS",
            "+79160000000",
            "Привет & 100%+",
            send_date=datetime.datetime(2026, 3, 1, 9, 5, 0, 999),
            validity=90,
        )
        login, send = server.requests
        self.assertEqual(login.line, "POST /rest/User/SessionId HTTP/1.1")
        self.assertEqual(login.pairs, [("Login", "demo"), ("Password", "secret")])
        self.assertEqual(send.line, "POST /rest/Sms/Send HTTP/1.1")
        self.assertEqual(
            send.headers["content-type"], "application/x-www-form-urlencoded"
        )
        self.assertEqual(
            send.pairs,
            [
                ("SessionId", SESSION),
                ("DestinationAddress", "79160000000"),
                ("SourceAddress", "DTSMS"),
                ("Data", "Привет & 100%+"),
                ("SendDate", "2026-03-01T09:05:00"),
                ("Validity", "90"),
            ],
        )
        self.assertEqual({one.connection for one in server.requests}, {1})

    def test_no_cookie_comes_back(self):
        answer = http(200, b"1", Set_Cookie="ASP.NET_SessionId=abc; path=/")
        server = self.serve(lambda connection, _: connection.sendall(answer))
        client = self.client(server.url)
        client.balance()
        client.balance()
        self.assertEqual(
            [one for one in server.requests if "cookie" in one.headers], []
        )

    def test_a_connection_idle_for_long_is_not_used_again(self):
        server = self.serve(lambda connection, _: connection.sendall(http(200, b"1")))
        client = self.client(server.url)
        with freeze_time("2026-01-01") as frozen:
            client.balance()
            frozen.tick(3)
            client.balance()
            frozen.tick(5)
            client.balance()
        connections = [one.connection for one in server.requests]
        self.assertEqual(connections, [1, 1, 1, 2])

    def test_a_connection_closed_while_idle_is_not_used_again(self):
        closed = []

        def reply(connection, request):
            connection.sendall(http(200, b'["1"]'))
            closed.append(request.connection)
            return True

        server = self.serve(reply)
        client = self.client(server.url)
        for count in (1, 2, 3):
            client.send("DTSMS", "79160000000", "text")
            while len(closed) < count:
                time.sleep(0.001)
            time.sleep(0.02)
        self.assertEqual([one.connection for one in server.requests], [1, 1, 2, 3])

    def test_redirects_are_not_followed(self):
        target = self.serve(
            lambda connection, _: connection.sendall(http(200, b'["1"]'))
        )
        location = f"{target.url}/Sms/Send"
        for status, kind in (
            (301, AccountRefusedError), (302, OutcomeUnknownError),
            (303, OutcomeUnknownError), (307, NotSentError), (308, AccountRefusedError),
        ):  # fmt: skip
            with self.subTest(status=status):
                error = self.assertSend(kind, http(status, Location=location))
                self.assertEqual(error.http_status, status)
        self.assertSend(OutcomeUnknownError, http(302, Location="http://[bad"))
        self.assertEqual(target.requests, [])

    def test_connection_lost(self):
        def drop(connection, _request):
            return True

        for answer, raw in (
            (drop, ""),
            (b"HTTP/1.1 200 OK\r\nConte", ""),
            (b"rubbish\r\n\r\n", ""),
            (http(200, b'["1', Content_Length=50), '["1'),
            (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n["1"', ""),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[]", ""),
        ):
            with self.subTest(answer=answer):
                error = self.assertSend(OutcomeUnknownError, answer)
                self.assertEqual(error.raw, raw)

    def test_unreadable_answers(self):
        for answer in (
            http(200, b""),
            http(204),
            http(200, b'["\xff"]'),
            http(200, b'["1"]', Content_Encoding="gzip"),
            http(200, b"["),
            http(200, b'"1"'),
        ):
            with self.subTest(answer=answer):
                self.assertSend(OutcomeUnknownError, answer)

    def test_what_is_read_all_the_same(self):
        for answer in (
            http(200, b'\xef\xbb\xbf["1"]'),
            http(200, gzip.compress(b'["1"]'), Content_Encoding="gzip"),
            b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n["1"]',
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b'5\r\n["1"]\r\n0\r\n\r\n',
        ):
            with self.subTest(answer=answer):
                server = self.serve(lambda c, _, a=answer: c.sendall(a) or True)
                client = self.client(server.url)
                self.assertEqual(client.send("DTSMS", "79160000000", "x"), ["1"])

    def test_a_body_without_end(self):
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
        error = self.assertSend(
            OutcomeUnknownError, head + b"[" + b" " * (MAX_BODY_BYTES + 1)
        )
        self.assertEqual(error.description, "AnswerTooLong")
        self.assertEqual(len(error.raw), 2000)

    def test_an_answer_that_drips_is_given_up(self):
        def drip(start):
            def reply(connection, _request):
                connection.sendall(start)
                for _count in range(40):
                    time.sleep(0.05)
                    connection.sendall(b"x")

            return reply

        for start in (b"HTTP/1.1 200 OK\r\nX: ", http(200, b"[", Content_Length=99)):
            with self.subTest(start=start):
                started = time.monotonic()
                self.assertSend(OutcomeUnknownError, drip(start), read_timeout=0.3)
                self.assertLess(time.monotonic() - started, 1.5)

    def test_what_came_too_late_is_not_read(self):
        near, far = socket.socketpair()
        with near, far, freeze_time("2026-01-01") as frozen:
            near.settimeout(5)
            with contextlib.closing(_AnswerReader(near)) as reader:
                far.sendall(b"in time")
                self.assertEqual(reader.read(7), b"in time")
                far.sendall(b"late")
                frozen.tick(6)
                with self.assertRaises(TimeoutError):
                    reader.read(4)

    def test_no_answer_in_time(self):
        error = self.assertSend(
            OutcomeUnknownError, lambda *_: time.sleep(0.5), read_timeout=0.2
        )
        self.assertEqual(error.description, "ReadTimeout")

    def test_statuses_without_a_code(self):
        for status, headers, kind in (
            (400, {}, MessageRefusedError), (404, {}, AccountRefusedError),
            (500, {}, OutcomeUnknownError), (503, {}, OutcomeUnknownError),
            (503, {"Retry_After": "soon"}, OutcomeUnknownError),
            (503, {"Retry_After": "12"}, NotSentError),
        ):  # fmt: skip
            with self.subTest(status=status, headers=headers):
                error = self.assertSend(kind, http(status, b"<p>\xff", **headers))
                self.assertEqual(error.raw, "<p>\ufffd")
        self.assertEqual(error.retry_after, 12.0)

    def test_more_threads_than_connections_wait(self):
        server = self.serve(lambda connection, _: connection.sendall(http(200, b"1")))
        client = self.client(server.url, pool_size=1)
        for _count in range(3):
            client.balance()
        client.close()
        client.balance()
        self.assertEqual({one.connection for one in server.requests}, {1, 2})

    def test_retry_after(self):
        date = "Thu, 01 Jan 1970 00:02:00 GMT"
        for value, expected in (
            (None, None), ("", None), ("x", None), ("-1", None), ("0", 0.0),
            (" 7 ", 7.0), ("999999999", 86400.0), (date, 20.0),
        ):  # fmt: skip
            self.assertEqual(retry_after(value, 100.0), expected)
        self.assertEqual(retry_after(date, 1000.0), 0.0)


class TransportCase(WireCase):
    """Below the client, as a session would first need a login."""

    def send(self, url, **options):
        """What a sending to ``url`` comes to: an error, or ``None`` for a success."""
        options = {"connect_timeout": 2.0, "read_timeout": 3.0, **options}
        transport = Transport(url, adapter=None, pool_size=1, **options)
        self.addCleanup(transport.close)
        came = transport.post("Sms/Send", [("Data", "text")])
        return classify(
            kind="send",
            exception=came.exception,
            is_sent=came.is_sent,
            http_status=came.http_status,
            body=came.body,
        )

    def assertNotSent(self, url, **options):
        with self.subTest(url=url):
            error = self.send(url, **options)
            self.assertIs(type(error), NotSentError, repr(error))
            self.assertEqual(error.operation_status, "Error_Gateway_Offline")


@tagged("post_install", "-at_install", "sms_devino")
class TestConnecting(TransportCase):
    """Whatever fails before a connection stands: surely not sent."""

    def test_nobody_listens(self):
        self.environment()
        port = _free_port()
        self.assertNotSent(f"http://127.0.0.1:{port}/rest")
        self.assertNotSent(f"https://127.0.0.1:{port}/rest")

    def test_no_such_host(self):
        # Of a proxy: the test framework lets only local addresses pass.
        proxy = "http://nowhere.invalid:3128"
        self.assertNotSent("http://127.0.0.1:1/rest", proxy=proxy)
        self.assertNotSent("https://127.0.0.1:1/rest", proxy=proxy)

    def test_proxy_down(self):
        proxy = f"http://127.0.0.1:{_free_port()}"
        self.assertNotSent("http://127.0.0.1:1/rest", proxy=proxy)
        self.assertNotSent("https://127.0.0.1:1/rest", proxy=proxy)

    def test_proxy_refuses_the_tunnel(self):
        proxy = self.serve(lambda connection, _: connection.sendall(http(407)) or True)
        address = f"http://127.0.0.1:{proxy.port}"
        self.assertNotSent("https://127.0.0.1:1/rest", proxy=address)
        self.assertTrue(proxy.requests[0].line.startswith("CONNECT "))

    def test_proxy_silent(self):
        proxy = self.serve(lambda *_: time.sleep(0.4) or True)
        address = f"http://127.0.0.1:{proxy.port}"
        self.assertNotSent(
            "https://127.0.0.1:1/rest", connect_timeout=0.2, proxy=address
        )

    def test_connection_through_a_proxy_lost_after_the_request(self):
        proxy = self.serve(lambda *_: True)
        address = f"http://127.0.0.1:{proxy.port}"
        error = self.send("http://127.0.0.1:1/rest", proxy=address)
        self.assertIs(type(error), OutcomeUnknownError)

    def test_the_environment_names_no_proxy_and_no_password(self):
        answer = http(200, b'["1"]')
        server = self.serve(lambda connection, _: connection.sendall(answer))
        proxy = self.serve(lambda *_: True)
        address = f"http://127.0.0.1:{proxy.port}"
        with tempfile.NamedTemporaryFile("w") as netrc:
            netrc.write("machine 127.0.0.1 login somebody password secret")
            netrc.flush()
            self.environment(http_proxy=address, all_proxy=address, NETRC=netrc.name)
            self.assertIsNone(self.send(server.url))
        self.assertEqual(proxy.requests, [])
        self.assertNotIn("authorization", server.requests[0].headers)

    def test_public_name_that_leads_into_a_private_network(self):
        """The address is judged once connected, and nothing is sent before."""
        answer = http(200, b'["1"]')
        server = self.serve(lambda connection, _: connection.sendall(answer))
        for scheme in ("http", "https"):
            url = server.url.replace("http:", f"{scheme}:")
            self.assertNotSent(url, is_public=True)
        self.assertEqual(server.requests, [])
        self.assertIsNone(self.send(server.url))

    def test_wrong_addresses(self):
        for url in ("", "integrationapi.net/rest", "ftp://127.0.0.1/", "http://"):
            with (
                self.subTest(url=url),
                self.assertRaises(AccountRefusedError) as caught,
            ):
                self.client(url).balance()
            self.assertEqual(caught.exception.operation_status, "Error_Gateway_Offline")


@tagged("post_install", "-at_install", "sms_devino")
class TestTls(TransportCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.certificate, key = _certificate(folder.name)
        cls.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        cls.context.load_cert_chain(cls.certificate, key)

    def test_sending(self):
        self.environment(REQUESTS_CA_BUNDLE=self.certificate)
        answer = http(200, b'["1"]')
        server = self.serve(lambda c, _: c.sendall(answer), self.context)
        self.assertIsNone(self.send(server.url))

    def test_handshakes_that_fail(self):
        self.environment()
        stranger = self.serve(lambda *_: True, self.context)
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as plain:
            answer = threading.Thread(
                target=lambda: plain.accept()[0].sendall(http(400)), daemon=True
            )
            answer.start()
            self.assertNotSent(f"https://127.0.0.1:{plain.getsockname()[1]}/rest")
        self.assertNotSent(stranger.url)
        self.assertEqual(stranger.requests, [])

    def test_handshake_never_answered(self):
        self.environment()
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
            url = f"https://127.0.0.1:{listener.getsockname()[1]}/rest"
            self.assertNotSent(url, connect_timeout=0.2)

    def test_connection_cut_after_the_request(self):
        """`requests` calls this an SSLError, as it does a failed handshake."""
        self.environment(REQUESTS_CA_BUNDLE=self.certificate)
        server = self.serve(lambda *_: True, self.context)
        error = self.send(server.url)
        self.assertIs(type(error), OutcomeUnknownError)
        self.assertEqual(len(server.requests), 1)
