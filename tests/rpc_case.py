"""Calls as the web client of a person makes them: JSON-RPC over HTTP."""

from odoo.tests import HttpCase
from odoo.tools import mute_logger

from .base_case import SmsCase

QUIET = (
    "odoo.http",
    "odoo.sql_db",
    "odoo.addons.base.models.ir_rule",
    "odoo.addons.base.models.ir_model",
)
REFUSALS = {
    f"odoo.exceptions.{name}"
    for name in ("AccessError", "MissingError", "RedirectWarning", "UserError")
} | {"odoo.exceptions.ValidationError"}


class RpcMixin:
    """For an ``HttpCase`` that says in :meth:`login_of` how its people log in."""

    logged_in = None
    #: loggers that say nothing of a refusal, as each test expects many
    quiet = QUIET

    def login_of(self, kind):
        raise NotImplementedError

    def call(self, kind, model, method, *args, context=None, **kwargs):
        """Call a method as a person.

        :return: dict with ``result``, or with ``data`` and more about the error
        """
        if self.logged_in != kind:
            login = self.login_of(kind)
            self.authenticate(login, login)
            self.logged_in = kind
        kwargs["context"] = context or {}
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        with mute_logger(*self.quiet):
            answer = self.url_open(
                f"/web/dataset/call_kw/{model}/{method}", json={"params": params}
            ).json()
        # nothing is returned by methods that return nothing
        return answer.get("error") or {"result": answer.get("result")}

    def done(self, *args, **kwargs):
        """Call, and return the result."""
        answer = self.call(*args, **kwargs)
        self.assertIn("result", answer, answer)
        return answer["result"]

    def assertDenied(self, answer):
        """Refused for a lack of rights."""
        self.assertEqual(
            answer.get("data", {}).get("name"), "odoo.exceptions.AccessError", answer
        )

    def assertRefused(self, answer, words="."):
        """Refused in words that are meant for people."""
        self.assertIn(answer.get("data", {}).get("name"), REFUSALS, answer)
        self.assertRegex(answer["data"]["message"], words)


class RpcCase(RpcMixin, SmsCase, HttpCase):
    """Two companies that send through their accounts."""

    def setUp(self):
        super().setUp()
        for company, account in (
            (self.company, self.account),
            (self.other_company, self.other_account),
        ):
            company.sms_devino_account_id = account

    def login_of(self, kind):
        return self.people[kind].login
