import base64
import time

from odoo.fields import Command
from odoo.tests import tagged

from .mass_case import MassCase

OWN = "79030000000"
HISTORY = "/odoo/action-sms_devino.sms_devino_history_action"
ROLES = ("phone", "name", "consent_date")


@tagged("post_install", "-at_install", "sms_devino")
class TestConsentCourse(MassCase):
    """From an imported consent to a refusal by SMS, over the sandbox."""

    # What came in this very second belongs to the next look.
    clock = staticmethod(lambda: time.time() - 2)

    def setUp(self):
        super().setUp()
        self.addCleanup(self._undo)
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            account.inbound_number = OWN
            env.company.sms_devino_consent_required = True
        self.list_id = self.make_list([], "Test: with consents")

    def _undo(self):
        with self.transaction() as env:
            env["sms.devino.incoming"].search([]).unlink()
            env.company.sms_devino_consent_required = False
            env.cr.execute("DELETE FROM sms_devino_consent")

    def import_file(self, content):
        with self.transaction(self.users["manager"]) as env:
            wizard = env["sms.devino.recipient.add"].create(
                {
                    "list_id": self.list_id,
                    "source": "file",
                    "file": base64.b64encode(content.encode()),
                    "filename": "clients.csv",
                }
            )
            wizard.action_open_file()
            columns = wizard.column_ids.sorted("index")
            for column, role in zip(columns, ROLES, strict=True):
                column.role = role
            wizard.action_preview()
            wizard.action_apply()

    def figures(self, batch_id):
        total, figures = self.read_batch(batch_id, "total", "figures")
        return total, figures["reasons"]

    def test_consent_is_demanded_and_stop_blocks_the_next_advertising(self):
        first, second, third = self.numbers(3)
        self.import_file(
            f"Phone;Name;Consent\n{first};A;2025-11-03\n{second};B;2025-11-03\n"
            f"{third};C;\n"
        )
        batch_id = self.prepare(purpose="advertising")
        self.assertEqual(self.figures(batch_id), (2, {"no_consent": 1}))
        self.approve(batch_id)
        self.dispatch()
        numbers = [entry.number for entry in self.provider.ledger]
        self.assertEqual(sorted(numbers), [first, second])

        self.provider.add_incoming(first, OWN, "СТОП")
        with self.transaction() as env:
            env["sms.devino.incoming"]._cron_poll()
        batch_id = self.prepare(purpose="advertising", body="The next sale")
        self.assertEqual(
            self.figures(batch_id), (1, {"blacklisted": 1, "no_consent": 1})
        )
        with self.transaction(self.users["manager"]) as env:
            history = env["sms.devino.history"].create({"query": first})
            self.assertEqual(len(history.message_ids), 1)
            self.assertEqual(history.left_out_ids.reason, "blacklisted")
            self.assertEqual(history.blacklist_ids.sms_devino_source, "sms")
            self.assertIn("СТОП", history.consent_ids.withdrawn_how)

    def test_a_manager_looks_up_a_number_and_unsubscribes_it(self):
        [number] = self.numbers(1)
        self.enqueue(number, "Your order is ready")
        self.dispatch()
        batch_id = self.draft(list_ids=[Command.set([self.make_list([number])])])
        self.start_tour(HISTORY, "sms_devino_history", login=self.logins["manager"])
        self.calculate(batch_id)
        self.assertEqual(self.figures(batch_id), (0, {"blacklisted": 1}))
