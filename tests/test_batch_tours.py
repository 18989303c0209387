import threading
from contextlib import contextmanager
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged

from .mass_case import MassCase

SENDINGS = "/odoo/action-sms_devino.sms_devino_batch_action"
OVERVIEW = "/odoo/action-sms_devino.sms_devino_overview_action"
# A tour that waits for something that happens on the server begins so much earlier.
HEAD_START = 0.2


class TourCase(MassCase):
    """A manager in a real browser, and what a server does meanwhile."""

    def tour(self, name, url=SENDINGS, kind="manager"):
        self.start_tour(url, name, login=self.logins[kind])

    def batch_url(self, batch_id):
        return f"{SENDINGS}/{batch_id}"

    @contextmanager
    def scheduled_actions(self):
        """Do what a server does in the background, while a tour runs."""
        stop, errors = threading.Event(), []

        def work():
            try:
                while not stop.wait(HEAD_START):
                    self.run_calculations()
                    self.dispatch()
                    if self.provider.ledger:
                        # time for the browser to see the messages as sent
                        stop.wait(4)
                        self.provider.advance(60)
                        self.check_statuses()
            except Exception as error:  # noqa: BLE001 told by the test's own thread
                errors.append(error)

        thread = threading.Thread(target=work, name="scheduled actions")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        self.assertFalse(errors)

    @contextmanager
    def calculations(self):
        """Only calculate drafts in the background, send nothing."""
        with patch.object(type(self), "dispatch", lambda self: None):
            with self.scheduled_actions():
                yield

    def keep_file(self, content):
        """Put a file where the tours find it."""
        with self.transaction() as env:
            attachment = env["ir.attachment"].create(
                {"name": "tour_file", "raw": content, "public": True}
            )
            xmlid = env["ir.model.data"].create(
                {
                    "module": "sms_devino",
                    "name": "tour_file",
                    "model": "ir.attachment",
                    "res_id": attachment.id,
                }
            )
            ids = {"ir.model.data": xmlid.id, "ir.attachment": attachment.id}
        for model, key in ids.items():
            self.addCleanup(self._unlink, model, key)

    def _unlink(self, model, key):
        with self.transaction() as env:
            env[model].browse(key).unlink()


@tagged("post_install", "-at_install", "sms_devino")
class TestBatchTours(TourCase):
    """Mass sendings in a real browser, over the sandbox."""

    def only_batch(self):
        with self.transaction() as env:
            return env["sms.devino.batch"].search([]).ensure_one().id

    def test_now(self):
        with self.scheduled_actions():
            self.tour("sms_devino_mass_now")
        self.assertAllAgree(self.only_batch(), delivered=10)
        self.assertEqual(self.server.requests["Sms/SendBulk"], 1)

    def test_clicks_from_pasted_numbers_and_from_a_file(self):
        content = b"Phone;Name\n79214600000;Anna\n79214600100;Boris\n"
        self.keep_file(content)
        with self.scheduled_actions():
            for name in ("pasted", "file"):
                with self.subTest(name):
                    # the tours count the clicks
                    self.tour(f"sms_devino_mass_{name}", OVERVIEW)

    def test_later_and_canceled(self):
        with self.scheduled_actions():
            self.tour("sms_devino_mass_later")
        self.dispatch()
        self.assertFalse(self.provider.ledger)
        self.assertAllAgree(self.only_batch(), canceled=10)

    def test_paused_and_resumed(self):
        batch_id = self.send_mass()
        self.tour("sms_devino_mass_pause", self.batch_url(batch_id))
        self.dispatch()
        self.assertFalse(self.provider.ledger)
        self.assertAllAgree(batch_id, waiting=10)
        with self.scheduled_actions():
            self.tour("sms_devino_mass_resume", self.batch_url(batch_id))
        self.assertEqual(len(self.provider.ledger), 10)
        self.provider.advance(60)
        self.check_statuses()
        self.assertAllAgree(batch_id, delivered=10)

    def test_personal_texts(self):
        self.make_list(
            [*self.numbers(3, 79214700000), "8 495 123-45-67"],
            "Test: orders",
            {0: {"Order": "A-1"}, 1: {"Order": "A-2"}},
        )
        with self.calculations():
            self.tour("sms_devino_mass_personal")
        self.dispatch()
        self.assertEqual(
            {entry.text for entry in self.provider.ledger},
            {
                "Hi Name 0, order A-1 [ready]",
                "Hi Name 1, order A-2 [ready]",
                "Hi Name 2, order  [ready]",
            },
        )
        self.assertAllAgree(self.only_batch(), sent=3)

    def test_not_enough_money(self):
        self.provider.set_balance(6)
        with self.scheduled_actions():
            self.tour("sms_devino_mass_poor")
        self.assertEqual(self.states(), {"draft": 10})
        self.assertFalse(self.provider.ledger)

    def test_sample_to_oneself(self):
        with self.transaction() as env:
            env["res.users"].browse(self.users["manager"]).phone = "+79214599900"
        batch_id = self.prepare(body="Hello {{ name }}")
        with self.scheduled_actions():
            self.tour("sms_devino_mass_sample", self.batch_url(batch_id))
        [entry] = self.provider.ledger
        self.assertEqual((entry.number, entry.text), ("79214599900", "Hello Name 0"))
        self.assertEqual(self.read_batch(batch_id, "state"), "draft")

    def test_approval_by_a_second_person(self):
        self.addCleanup(self.set_approval, 0, [])
        self.set_approval(5, [self.users["manager"], self.users["admin"]])
        batch_id = self.prepare()
        self.tour("sms_devino_mass_ask_approval", self.batch_url(batch_id))
        self.dispatch()
        self.assertFalse(self.provider.ledger)
        with self.scheduled_actions():
            self.tour("sms_devino_mass_approve", OVERVIEW, "admin")
        self.assertEqual(len(self.provider.ledger), 10)

    def set_approval(self, count, people):
        with self.transaction() as env:
            env["sms.devino.account"].browse(self.account_id).company_id.write(
                {
                    "sms_devino_approval_count": count,
                    "sms_devino_approver_ids": [Command.set(people)],
                }
            )

    def test_documents_by_a_filter(self):
        ids = self.make_leads()
        with self.scheduled_actions():
            self.tour("sms_devino_mass_records")
        self.assertEqual(
            {(entry.number, entry.text) for entry in self.provider.ledger},
            {("79214500100", "Anna: 1,500.00"), ("79214500200", "Boris: 1,500.00")},
        )
        with self.transaction() as env:
            messages = env["sms.devino.message"].search([])
            self.assertEqual(set(messages.mapped("res_model")), {"crm.lead"})
            self.assertEqual(set(messages.mapped("res_id")), set(ids))

    def make_leads(self):
        """Commit two leads that the filter finds, and one that it leaves."""
        with self.transaction() as env:
            manager = env["res.users"].browse(self.users["manager"])
            manager.group_ids += env.ref("sales_team.group_sale_manager")
            partners = env["res.partner"].create(
                [
                    {"name": name, "phone": phone, "lang": "en_US"}
                    for name, phone in (
                        ("Anna", "+79214500100"),
                        ("Boris", "+79214500200"),
                        ("Vera", "+79214500300"),
                    )
                ]
            )
            leads = env["crm.lead"].create(
                [
                    {
                        "name": name,
                        "type": "opportunity",
                        "partner_id": partner.id,
                        "expected_revenue": 1500,
                    }
                    for name, partner in zip(
                        ("Test: deal", "Test: deal", "Test: other"),
                        partners,
                        strict=True,
                    )
                ]
            )
            self.addCleanup(self._unlink, "res.partner", partners.ids)
            self.addCleanup(self._unlink, "crm.lead", leads.ids)
            return leads[:2].ids
