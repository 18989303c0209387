"""The form that sends one SMS, as the browser talks to it."""

from dataclasses import replace

from odoo.tests import tagged

from ..sandbox import Fault
from .common import LiveCase, mark_secret
from .test_send_form import FORM, FROM_MENU


@tagged("post_install", "-at_install", "sms_devino")
class TestSendFormOverHttp(LiveCase):
    """What the browser is answered, and what the log of the server keeps."""

    def setUp(self):
        super().setUp()
        self.authenticate(self.logins["user"], self.logins["user"])

    def call(self, method, args):
        """Call the form as the web client does; return the answer, error or not."""
        kwargs = {"context": FROM_MENU}
        answer = self.opener.post(
            f"{self.base_url()}/web/dataset/call_kw/{FORM}/{method}",
            json={
                "params": {
                    "model": FORM,
                    "method": method,
                    "args": args,
                    "kwargs": kwargs,
                }
            },
            timeout=30,
        ).json()
        return answer.get("error") or answer["result"]

    def fill(self, number="79214563763", text="Hello"):
        """Return the id of a form that is filled in."""
        return self.call("create", [[{"sms_devino_number": number, "body": text}]])[0]

    def test_refused_number_stands_in_no_log(self):
        number, text = "812764019385512", "Improbable text qzx73"
        mark_secret(number, text)
        composer_id = self.fill(number, text)
        with self.assertLogs("odoo.http", "DEBUG") as log:
            error = self.call("action_send_sms", [[composer_id]])
        self.assertIn(number, error["data"]["message"])
        self.assertEqual(error["data"]["name"], "odoo.exceptions.UserError")
        loud = [r for r in log.records if r.levelname != "DEBUG"]
        self.assertFalse([r for r in loud if number in r.getMessage()])
        self.assertFalse(self.states())

    def test_message_that_is_sent_stands_in_no_log(self):
        number, text = "79218350917", "Improbable text qzx74"
        mark_secret(number, text)
        composer_id = self.fill(number, text)
        first = self.call("action_send_sms", [[composer_id]])
        again = self.call("action_send_sms", [[composer_id]])
        self.assertEqual(first, again, "told twice it sends once")
        self.dispatch()
        self.assertEqual(self.states(), {"sent": 1})
        self.assertLedgerIsJournal()

    def test_trouble_of_the_provider_is_no_error_of_the_form(self):
        """Whatever the gateway does, the message opens and says what is known."""
        for fault, state, lost in (
            (Fault("drop_before"), "unknown", 0),
            (Fault("drop_after"), "unknown", 1),
            (Fault("half_json"), "unknown", 2),
            (Fault("code8"), "unknown", 2),
            (Fault("code8", handled=True), "unknown", 3),
            (Fault("rate_limit"), "outgoing", 3),
        ):
            with self.subTest(fault.kind, handled=fault.handled):
                self.provider.faults.clear()
                self.provider.faults.add(replace(fault, path="Sms/Send"))
                action = self.call("action_send_sms", [[self.fill(text=fault.kind)]])
                self.assertEqual(action["res_model"], "sms.devino.message")
                self.dispatch()
                self.assertEqual(self.read(action["res_id"], "state"), state)
                self.assertLedgerIsJournal(lost_answers=lost)
