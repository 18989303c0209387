"""What the tests stand on: a sandbox over real HTTP, and real transactions."""

import os
import time
from contextlib import contextmanager
from unittest.mock import patch

from odoo import SUPERUSER_ID, api, fields
from odoo.modules.registry import DummyRLock, Registry
from odoo.tests import HttpCase, get_db_name, new_test_user

from ..sandbox import Provider, SandboxServer

LOGIN, PASSWORD = "demo", "demo"
# Messages of these tests leave at any hour of the day.
ANY_HOUR = {
    f"hours_{purpose}{days}_{end}": hour
    for purpose in ("advertising", "debt")
    for days in ("", "_off")
    for end, hour in (("from", 0), ("to", 24))
}
JOURNAL_MODELS = (
    "sms_devino_segment",
    "sms_devino_message",
    "sms_devino_batch",
    # what was learned of numbers would have them left out in the next test
    "sms_devino_number",
)


def mark_secret(*values):
    """Have ``./dev test`` look for these values in the log of the run."""
    path = os.environ.get("SMS_DEVINO_LEAK_MARKERS")
    if path:
        with open(path, "a", encoding="utf-8") as markers:
            markers.writelines(f"{value}\n" for value in values)


class LiveCase(HttpCase):
    """Tests of what only shows across transactions: everything here is committed, the
    web client included, and removed after the test."""

    registry_test_mode = False
    #: The mobile network is so many times quicker.
    speed = 1.0
    #: The clock of the provider, seconds since 1970.
    clock = staticmethod(time.time)

    @classmethod
    def setUpClass(cls):
        # The users are committed before the test's own transaction begins, which is
        # the one that logs in and would not see them otherwise.
        cls.registry = Registry(get_db_name())
        cls.enterClassContext(_undone_at_end(cls))
        super().setUpClass()
        # held by the thread that runs the tests, it would keep the web client out
        cls.enterClassContext(patch.object(Registry, "_lock", DummyRLock()))

    def setUp(self):
        super().setUp()
        self.provider = Provider(speed=self.speed, clock=self.clock)
        self.server = SandboxServer(self.provider)
        self.server.start()
        self.addCleanup(self.server.stop)
        self.addCleanup(self._clean_up)
        with self.transaction() as env:
            account = self._create_account(env)
            self.account_id = account.id

    def _create_account(self, env, **values):
        account = env["sms.devino.account"].create(
            {
                "name": "Sandbox",
                "mode": "live",
                "url": self.server.url,
                "login": LOGIN,
                "password": PASSWORD,
                "country_id": env.ref("base.ru").id,
                "requests_per_second": 0,
                "company_id": env.company.id,
                **ANY_HOUR,
                **values,
            }
        )
        env["sms.devino.sender"].create(
            {"account_id": account.id, "name": "DevinoTest"}
        )
        return account

    @contextmanager
    def transaction(self, user_id=SUPERUSER_ID, **context):
        """An environment of a transaction that is committed at the end."""
        with self.registry.cursor() as cr:
            yield api.Environment(cr, user_id, context)

    def _clean_up(self):
        with self.transaction() as env:
            remove_journal(env)

    # --- the work -------------------------------------------------------------------

    def enqueue(self, number="79214563763", text="Hello", **options):
        """Commit one message into the journal; return its id."""
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            options.setdefault("account", account)
            return env["sms.devino.message"].enqueue(number, text, **options).id

    def enqueue_rows(self, count, text="Text {}", **values):
        """Commit messages to different numbers by one statement; return their ids.

        :param str text: may hold ``{}`` for the message's number
        """
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            rows = [
                {
                    **account._message_values(fields.Datetime.now(), 0),
                    "use_until": None,
                    "sender_name": "DevinoTest",
                    "number": f"+7921{number:05}11",
                    "body": text.format(number),
                    "segment_count": 1,
                    "state": "outgoing",
                    **values,
                }
                for number in range(count)
            ]
            return env["sms.devino.message"]._write_rows(rows).ids

    def dispatch(self):
        """Do what the scheduled action does."""
        with self.transaction() as env:
            env["sms.devino.dispatcher"]._cron_dispatch()

    def check_statuses(self):
        """Do what the scheduled action does, all messages being due."""
        with self.transaction() as env:
            env.cr.execute(
                "UPDATE sms_devino_message "
                "SET next_at = now() AT TIME ZONE 'UTC' WHERE state = 'sent'"
            )
        self.dispatch()

    @contextmanager
    def message(self, message_id):
        """The message as it is now in the database."""
        with self.transaction() as env:
            yield env["sms.devino.message"].browse(message_id)

    # not a model: no method of the ORM is overridden
    # pylint: disable-next=method-required-super
    def read(self, message_id, *names):
        with self.message(message_id) as message:
            values = [message[name] for name in names]
        return values[0] if len(names) == 1 else tuple(values)

    def states(self):
        """Return how many messages are in which state."""
        with self.transaction() as env:
            return dict(
                env["sms.devino.message"]._read_group([], ["state"], ["__count"])
            )

    def assertLedgerIsJournal(self, *, lost_answers=0):
        """What the provider accepted is what the journal says was sent, once each.

        :param int lost_answers: how many entries of the ledger may be unknown here
        """
        with self.transaction() as env:
            messages = env["sms.devino.message"].search([("segment_ids", "!=", False)])
            journal = [
                (
                    message.number.removeprefix("+"),
                    message.body,
                    message.sender_name,
                    tuple(message.segment_ids.mapped("gateway_id")),
                )
                for message in messages
            ]
        ledger = [
            (entry.number, entry.text, entry.sender, tuple(entry.ids))
            for entry in self.provider.ledger
        ]
        missing = set(ledger) - set(journal)
        self.assertEqual(len(missing), lost_answers, "entries not in the journal")
        self.assertFalse(set(journal) - set(ledger), "messages nobody accepted")
        texts = [entry[:2] for entry in ledger]
        self.assertEqual(len(texts), len(set(texts)), "a message went twice")


def remove_journal(env):
    """Delete what tests have committed."""
    env.cr.execute(f"TRUNCATE {', '.join(JOURNAL_MODELS)} CASCADE")
    accounts = env["sms.devino.account"].with_context(active_test=False).search([])
    accounts.activity_ids.unlink()
    accounts.default_sender_id = False
    accounts.sender_ids.unlink()
    accounts.unlink()
    env.cr.execute(
        """DELETE FROM ir_cron_trigger WHERE cron_id IN (
               SELECT res_id FROM ir_model_data
                WHERE module = 'sms_devino' AND model = 'ir.cron')"""
    )


@contextmanager
def _undone_at_end(cls):
    """Committed users for the class, archived afterwards."""
    groups = {"user": "group_user", "manager": "group_manager", "admin": "group_admin"}
    with cls.registry.cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {"no_reset_password": True})
        cls.users = {
            name: new_test_user(
                env,
                f"sms_{name}_{cls.__name__}".lower(),
                groups=f"base.group_user,base.group_partner_manager,sms_devino.{group}",
                lang="en_US",
            ).id
            for name, group in groups.items()
        }
        cls.logins = {
            name: env["res.users"].browse(user_id).login
            for name, user_id in cls.users.items()
        }
    yield
    with cls.registry.cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        for user in env["res.users"].browse(cls.users.values()):
            user.write({"active": False, "login": f"{user.login}_{user.id}_gone"})
