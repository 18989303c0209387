"""The gateway against the sandbox, over HTTP."""

import logging
import threading
from datetime import datetime, timedelta
from decimal import Decimal

from odoo.tests import BaseCase, tagged

from ..gateway import (
    MAX_BULK_NUMBERS,
    AccountRefusedError,
    Credentials,
    DevinoClient,
    MessageRefusedError,
    NotSentError,
    OutcomeUnknownError,
    Statistics,
)
from ..sandbox import Fault, Provider, SandboxServer, Switches

NUMBER = "79160000001"
LONG_TEXT = "Привет, " * 12  # 96 characters, two segments
NOW = datetime(2026, 3, 2, 12)


def _clock():
    return (NOW - datetime(1970, 1, 1)).total_seconds()


class SandboxCase(BaseCase):
    def start(self, *, login="demo", password="demo", clock=None, **options):
        self.provider = Provider(clock=_clock, **options)
        self.server = SandboxServer(self.provider)
        self.server.start()
        self.addCleanup(self.server.stop)
        credentials = Credentials(self.server.url, login, password)
        options = {"clock": clock} if clock else {}
        self.client = DevinoClient(credentials, read_timeout=5.0, **options)
        self.addCleanup(self.client.close)

    def fault(self, kind, path=None, **options):
        self.provider.faults.add(Fault(kind, path, **options))

    @property
    def logins(self):
        return self.server.requests["User/SessionId"]

    def send(self):
        return self.client.send("DTSMS", NUMBER, "text")


@tagged("post_install", "-at_install", "sms_devino")
class TestClient(SandboxCase):
    def setUp(self):
        super().setUp()
        self.start()

    def test_balance(self):
        self.provider.set_balance("20015.3")
        self.assertEqual(self.client.balance(), Decimal("20015.3"))
        self.provider.set_balance("12")
        self.assertEqual(self.client.balance(), Decimal(12))

    def test_send_one(self):
        ids = self.client.send(
            "DTSMS",
            f"+{NUMBER}",
            LONG_TEXT,
            send_date=NOW + timedelta(hours=1),
            validity=90,
        )
        (entry,) = self.provider.ledger
        self.assertEqual(ids, entry.ids)
        self.assertEqual(len(ids), 2)
        self.assertEqual(
            (entry.number, entry.text, entry.sender, entry.send_date, entry.validity),
            (NUMBER, LONG_TEXT, "DTSMS", NOW + timedelta(hours=1), 90),
        )

    def test_send_by_time_zone(self):
        ids = self.client.send("DTSMS", NUMBER, "x", send_date=NOW, by_time_zone=True)
        (entry,) = self.provider.ledger
        self.assertEqual((entry.ids, entry.call), (ids, "Sms/SendByTimeZone"))

    def test_bulk_groups_the_ids_by_number(self):
        numbers = ["+79160000001", "79160000002", "+79160000003"]
        for options in ({}, {"send_date": NOW, "by_time_zone": True}):
            self.provider.reset()
            ids = self.client.send_bulk("DTSMS", numbers, LONG_TEXT, **options)
            self.assertEqual(list(ids), numbers)
            self.assertEqual(
                {number.lstrip("+"): parts for number, parts in ids.items()},
                {entry.number: entry.ids for entry in self.provider.ledger},
            )
            self.assertEqual({len(parts) for parts in ids.values()}, {2})

    def test_the_largest_bulk(self):
        self.provider.set_balance("100000")
        numbers = [str(79160000000 + index * 100) for index in range(MAX_BULK_NUMBERS)]
        ids = self.client.send_bulk("DTSMS", numbers, "text")
        self.assertEqual(
            ids, {entry.number: entry.ids for entry in self.provider.ledger}
        )
        self.assertEqual(len(ids), MAX_BULK_NUMBERS)

    def test_bulks_that_are_not_sent_at_all(self):
        for numbers in (
            [], ["1", "1"], ["+1", "1"],
            [str(index) for index in range(MAX_BULK_NUMBERS + 1)],
        ):  # fmt: skip
            with self.assertRaises(ValueError):
                self.client.send_bulk("DTSMS", numbers, "text")
        self.assertFalse(self.server.requests)

    def test_a_moment_with_a_time_zone_is_not_sent(self):
        with self.assertRaises(ValueError):
            self.client.send("DTSMS", NUMBER, "x", send_date=NOW.astimezone())
        self.assertFalse(self.server.requests)

    def test_state(self):
        (message_id,) = self.send()
        self.assertEqual(self.client.state(message_id).state, 255)
        self.provider.advance(60)
        state = self.client.state(message_id)
        self.assertEqual(state.state, 0)
        self.assertGreater(state.submitted, NOW)
        self.assertGreater(state.reported, state.submitted)
        self.assertIsInstance(state.price, Decimal)
        self.assertEqual(state.description, "Доставлено")

    def test_state_of_an_id_with_a_plus(self):
        self.start(switches=Switches(id_style="route"))
        (message_id,) = self.send()
        self.assertIn("+", message_id)
        self.provider.advance(60)
        self.assertEqual(self.client.state(message_id).state, 0)

    def test_state_without_an_id(self):
        with self.assertRaises(MessageRefusedError) as caught:
            self.client.state("")
        self.assertEqual(caught.exception.operation_status, "Error_Invalid_MessageID")

    def test_incoming(self):
        period = NOW - timedelta(days=1), NOW + timedelta(days=1)
        self.assertEqual(self.client.incoming(*period), [])
        self.provider.add_incoming("79260000000", NUMBER, "Да")
        (message,) = self.client.incoming(*period)
        self.assertEqual(
            (message.source, message.destination, message.text, message.created),
            ("79260000000", NUMBER, "Да", NOW),
        )

    def test_statistics(self):
        self.send()
        self.assertIsInstance(
            self.client.statistics(NOW - timedelta(days=1), NOW), Statistics
        )
        with self.assertRaises(MessageRefusedError) as caught:
            self.client.statistics(NOW - timedelta(days=100), NOW)
        self.assertIn("90 дней", caught.exception.description)

    def test_text_that_cannot_be_written_as_utf_8(self):
        with self.assertRaises(MessageRefusedError):
            self.client.send("DTSMS", NUMBER, "half a pair \ud83d")
        self.assertEqual(self.provider.ledger, [])


@tagged("post_install", "-at_install", "sms_devino")
class TestClientSession(SandboxCase):
    def test_one_session_for_many_calls(self):
        self.start()
        for _count in range(3):
            self.client.balance()
            self.send()
        self.assertEqual(self.logins, 1)

    def test_renewed_before_its_end(self):
        now = [0.0]
        self.start(clock=lambda: now[0])
        for minutes, logins in ((0, 1), (114, 1), (116, 2), (200, 2)):
            now[0] = minutes * 60.0
            self.client.balance()
            self.assertEqual(self.logins, logins)
        self.assertEqual(self.server.requests["User/Balance"], 4)

    def test_login_on_demand(self):
        self.start()
        self.assertNotEqual(self.client.login(), self.client.login())
        self.client.balance()
        self.assertEqual(self.logins, 2)

    def test_a_session_that_ended_is_replaced(self):
        for expired in ("401/4", "400/3"):
            self.start(switches=Switches(expired_session=expired))
            self.send()
            self.provider.advance(121 * 60)
            self.send()
            self.assertEqual(self.logins, 2)
            self.assertEqual(len(self.provider.ledger), 2)

    def test_the_call_is_repeated_once_only(self):
        for kind in ("session_expired", "session_invalid"):
            self.start()
            self.fault(kind, times=None)
            with self.assertRaises(AccountRefusedError) as caught:
                self.send()
            self.assertEqual(caught.exception.operation_status, "Error_Invalid_Login")
            self.assertEqual(self.server.requests["Sms/Send"], 2)
            self.assertEqual(self.logins, 2)

    def test_wrong_login(self):
        for status in (401, 403):
            self.start(password="other", switches=Switches(login_failure=status))
            for call in (self.client.login, self.client.balance, self.send):
                with self.assertRaises(AccountRefusedError) as caught:
                    call()
                self.assertEqual(
                    caught.exception.operation_status, "Error_Invalid_Login"
                )
            self.assertEqual(self.logins, 3)

    def test_empty_login(self):
        self.start(login="")
        with self.assertRaises(AccountRefusedError):
            self.send()

    def test_a_login_that_fails_leaves_the_message_unsent(self):
        for kind in (
            "drop_before", "drop_after", "refuse", "status500", "html", "html502",
            "half_json", "code8", "code9", "rate_limit", "unavailable",
        ):  # fmt: skip
            with self.subTest(kind=kind):
                self.start()
                self.fault(kind, "User/SessionId")
                with self.assertRaises(NotSentError):
                    self.send()
                self.assertFalse(self.server.requests["Sms/Send"])
                self.send()

    def test_threads_share_the_session_and_its_renewal(self):
        self.start()
        self.client.balance()
        self.provider.advance(121 * 60)
        self.fault("latency", "User/SessionId", seconds=0.1)
        errors = []

        def work():
            try:
                for _count in range(3):
                    self.send()
            except Exception as err:
                errors.append(err)

        threads = [threading.Thread(target=work) for _index in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        self.assertEqual(self.logins, 2)
        self.assertEqual(len(self.provider.ledger), 36)


@tagged("post_install", "-at_install", "sms_devino")
class TestClientFaults(SandboxCase):
    def test_each_fault_of_a_sending(self):
        """The kind of error, and that it tells the truth: whether it was sent."""
        for kind, options, expected, accepted in (
            ("refuse", {}, OutcomeUnknownError, 0),
            ("drop_before", {}, OutcomeUnknownError, 0),
            ("drop_after", {}, OutcomeUnknownError, 1),
            ("status500", {}, OutcomeUnknownError, 0),
            ("status500_empty", {}, OutcomeUnknownError, 0),
            ("status500", {"handled": True}, OutcomeUnknownError, 1),
            ("code8", {}, OutcomeUnknownError, 0),
            ("code8", {"handled": True}, OutcomeUnknownError, 1),
            ("code9", {}, OutcomeUnknownError, 0),
            ("html", {}, OutcomeUnknownError, 0),
            ("html", {"handled": True}, OutcomeUnknownError, 1),
            ("html502", {}, OutcomeUnknownError, 0),
            ("html502", {"handled": True}, OutcomeUnknownError, 1),
            ("half_json", {}, OutcomeUnknownError, 1),
            ("half_json", {"declared": "full"}, OutcomeUnknownError, 1),
            ("code7", {}, MessageRefusedError, 0),
            ("code5", {}, AccountRefusedError, 0),
            ("no_ids", {}, OutcomeUnknownError, 1),
            ("ids_as_numbers", {}, OutcomeUnknownError, 1),
            ("rate_limit", {}, NotSentError, 0),
            ("rate_limit", {"retry_after": 7}, NotSentError, 0),
            ("unavailable", {}, OutcomeUnknownError, 0),
            ("unavailable", {"retry_after": 7}, NotSentError, 0),
        ):
            with self.subTest(kind=kind, **options):
                self.start()
                self.fault(kind, "Sms/Send", **options)
                with self.assertRaises(expected) as caught:
                    self.send()
                self.assertIs(type(caught.exception), expected)
                self.assertEqual(len(self.provider.ledger), accepted)
                self.assertEqual(self.server.requests["Sms/Send"], 1)
                if "retry_after" in options:
                    self.assertEqual(caught.exception.retry_after, 7.0)

    def test_what_came_of_a_cut_answer_is_kept(self):
        for declared in ("cut", "full"):
            self.start()
            self.fault("half_json", "Sms/Send", declared=declared)
            with self.assertRaises(OutcomeUnknownError) as caught:
                self.send()
            ((message_id,),) = [entry.ids for entry in self.provider.ledger]
            raw = caught.exception.raw
            self.assertTrue(f'["{message_id}"]'.startswith(raw) and len(raw) > 5, raw)

    def test_ids_that_do_not_fit_the_numbers(self):
        for kind in ("more_ids", "fewer_ids", "no_ids", "ids_as_numbers"):
            with self.subTest(kind=kind):
                self.start()
                self.fault(kind, "Sms/SendBulk")
                with self.assertRaises(OutcomeUnknownError) as caught:
                    self.client.send_bulk("DTSMS", [NUMBER, "79160000002"], LONG_TEXT)
                self.assertTrue(caught.exception.raw.startswith("["))
                self.assertEqual(len(self.provider.ledger), 2)

    def test_a_slow_answer(self):
        self.start()
        self.fault("slow_body", "Sms/Send", seconds=0.2)
        self.assertEqual(self.send(), self.provider.ledger[0].ids)

    def test_each_fault_of_a_reading(self):
        for kind in (
            "refuse", "drop_before", "drop_after", "status500", "status500_empty",
            "code8", "code9", "html", "html502", "half_json", "rate_limit",
            "unavailable",
        ):  # fmt: skip
            with self.subTest(kind=kind):
                self.start()
                self.fault(kind, "Sms/State")
                with self.assertRaises(NotSentError):
                    self.client.state("1")
                self.client.state("1")

    def test_refusals_of_the_rules(self):
        self.start(senders=["DTSMS"], balance=Decimal(1))
        for arguments, kind, status in (
            (("Other", NUMBER, "x"), AccountRefusedError, "Error_Not_Enough_Credits"),
            (("DTSMS", NUMBER, ""), MessageRefusedError, "Error_Invalid_Header"),
            (("", NUMBER, "x"), MessageRefusedError, "Error_Invalid_Source_Address"),
        ):
            with self.assertRaises(kind) as caught:
                self.client.send(*arguments)
            self.assertEqual(caught.exception.operation_status, status)
        self.provider.set_balance("100")
        for arguments, status in (
            (("Other", NUMBER, "x"), "Error_Invalid_Source_Address"),
            (("DTSMS", "12", "x"), "Error_Invalid_Destination_Address"),
        ):
            with self.assertRaises(MessageRefusedError) as caught:
                self.client.send(*arguments)
            self.assertEqual(caught.exception.operation_status, status)


@tagged("post_install", "-at_install", "sms_devino")
class TestClientLog(SandboxCase):
    def test_one_line_for_each_call(self):
        self.start()
        self.fault("code7", "Sms/Send")
        with self.assertLogs("odoo.addons.sms_devino.gateway", logging.DEBUG) as logs:
            with self.assertRaises(MessageRefusedError):
                self.send()
        lines = [record.getMessage() for record in logs.records]
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[0], r"^POST User/SessionId: OK, \d+ ms$")
        self.assertRegex(
            lines[1],
            r"^POST Sms/Send: MessageRefusedError Error_Message_Rejected HTTP 403 "
            r"Code 7, \d+ ms$",
        )

    def test_no_secret_is_logged_by_anyone(self):
        login, password, text = "company-login", "pass&w+rd ü", "private text"
        self.start(login=login, password=password, accounts={login: password})
        with self.assertLogs(None, logging.DEBUG) as logs:
            session = self.client.login()
            self.client.send("DTSMS", NUMBER, text)
            for kind in ("drop_after", "html", "code5", "half_json", "status500"):
                self.fault(kind, "Sms/SendBulk")
                try:
                    self.client.send_bulk("DTSMS", [NUMBER], text)
                except (OutcomeUnknownError, AccountRefusedError):
                    logging.getLogger(__name__).exception("failed")
        output = "\n".join(logs.output)
        self.assertIn("Sms/SendBulk", output)
        self.assertIn("urllib3", output)
        self.assertIn("Traceback", output)
        for secret in (login, password, "pass%26w", session, NUMBER, text):
            self.assertNotIn(secret, output)
