"""The client meets every answer that is not known of the provider for sure."""

from dataclasses import fields
from datetime import datetime, timedelta, timezone
from typing import get_args

from odoo.tests import BaseCase, tagged

from ..gateway import (
    AccountRefusedError,
    Credentials,
    DevinoClient,
    GatewayError,
    MessageRefusedError,
    OutcomeUnknownError,
)
from ..sandbox import Provider, SandboxServer, Switches

NUMBER, SAME_NUMBER, OTHER_NUMBER = "79211234567", "89211234567", "79161234567"
CHOICES = [
    (field.name, value) for field in fields(Switches) for value in get_args(field.type)
]


@tagged("post_install", "-at_install", "sms_devino")
class TestSwitches(BaseCase):
    def connect(self, password="demo", **switches):
        self.server = SandboxServer(Provider(switches=Switches(**switches)))
        self.server.start()
        self.addCleanup(self.server.stop)
        client = DevinoClient(Credentials(self.server.url, "demo", password))
        self.addCleanup(client.close)
        return client

    def now(self):
        return datetime.fromtimestamp(self.server.provider.now(), timezone.utc)

    def test_every_answer_is_lived_with(self):
        """Send one, many and delayed, ask for states, through an expired session."""
        for name, value in CHOICES:
            with self.subTest(switch=name, value=value):
                client = self.connect(**{name: value})
                ids = client.send("Shop", NUMBER, "я" * 71)
                self.assertEqual(len(set(ids)), 2)
                many = client.send_bulk("Shop", [NUMBER, OTHER_NUMBER], "text")
                tomorrow = (self.now() + timedelta(days=1)).replace(tzinfo=None)
                late = client.send_bulk(
                    "Shop",
                    [NUMBER, OTHER_NUMBER],
                    "text",
                    send_date=tomorrow,
                    by_time_zone=True,
                )
                self.assertEqual([len(one) for one in many.values()], [1, 1])
                self.assertEqual([len(one) for one in late.values()], [1, 1])
                self.server.provider.advance(7200)
                states = [client.state(one).state for one in ids]
                self.assertEqual(states, [0, 0])
                self.assertEqual(client.state(late[NUMBER][0]).state, -2)

    def test_failed_login(self):
        for status in (401, 403):
            client = self.connect(password="other", login_failure=status)
            with self.subTest(status=status):
                with self.assertRaises(AccountRefusedError) as caught:
                    client.balance()
                self.assertEqual(
                    caught.exception.operation_status, "Error_Invalid_Login"
                )

    def test_one_number_in_two_spellings(self):
        twice = [NUMBER, SAME_NUMBER]
        told = self.connect(duplicates="each").send_bulk("Shop", twice, "text")
        self.assertEqual([len(ids) for ids in told.values()], [1, 1])
        with self.assertRaises(OutcomeUnknownError):
            self.connect(duplicates="once").send_bulk("Shop", twice, "text")

    def test_send_date_in_the_past(self):
        client = self.connect(past_send_date="send")
        past = (self.now() - timedelta(minutes=1)).replace(tzinfo=None)
        self.assertEqual(len(client.send("Shop", NUMBER, "x", send_date=past)), 1)
        with self.assertRaises(MessageRefusedError):
            self.connect(past_send_date="refuse").send(
                "Shop", NUMBER, "x", send_date=past
            )

    def test_unknown_message(self):
        self.assertEqual(self.connect(unknown_message="255").state("1").state, 255)
        with self.assertRaises(GatewayError):
            self.connect(unknown_message="code").state("1")

    def test_too_many_numbers_never_leave(self):
        numbers = [f"7921{n:07}" for n in range(3000)]
        for value in ("refuse", "accept"):
            with self.subTest(value=value), self.assertRaises(ValueError):
                self.connect(above_limit=value).send_bulk("Shop", numbers, "x")
            self.assertEqual(self.server.requests["Sms/SendBulk"], 0)

    def test_looks_of_an_id(self):
        for style, looks in (
            ("digits", r"\d{18}"),
            ("hex", r"WD[0-9A-F]{7}"),
            ("route", r"SAR-GW01\+79211234567-.{8}-1-1"),
        ):
            client = self.connect(id_style=style)
            (message_id,) = client.send("Shop", NUMBER, "x")
            self.server.provider.advance(10)
            with self.subTest(style=style):
                self.assertRegex(message_id, rf"\A{looks}\Z")
                self.assertEqual(client.state(message_id).state, 0)
