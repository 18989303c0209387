from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.sms_devino.tests.common import LiveCase

QUIET = "odoo.addons.sms_devino.services.automation"


@tagged("post_install", "-at_install")
class TestJournal(LiveCase):
    """What another module adds to the journal works for one message and for many."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self._remove_rules)

    def _remove_rules(self):
        with self.transaction() as env:
            rules = env["base.automation"].with_context(active_test=False)
            rules.search([("name", "=like", "Test:%")]).unlink()

    def write_drafts(self, env, *bodies):
        """Write draft rows as a mass sending does."""
        account = env["sms.devino.account"].browse(self.account_id)
        common = account._message_values(env.cr.now())
        return env["sms.devino.message"]._write_rows(
            [
                {
                    **common,
                    "state": "draft",
                    "number": f"+7921456{index:04d}",
                    "body": body,
                    "sender_name": "DevinoTest",
                    "segment_count": 1,
                    "use_until": None,
                }
                for index, body in enumerate(bodies)
            ]
        )

    def check(self, message, **expected):
        for name, value in expected.items():
            self.assertEqual(message[f"test_{name}"], value, name)

    def test_single_message(self):
        message_id = self.enqueue(text="Hello")
        with self.message(message_id) as message:
            self.check(
                message,
                grade="plain",
                note=False,
                is_over=False,
                length=5,
                account_name="Sandbox",
            )
        self.dispatch()
        self.assertEqual(self.read(message_id, "state"), "sent")
        self.check_statuses()

    def test_many_messages(self):
        with self.transaction() as env:
            ids = self.write_drafts(env, "Hello", "Hello you").ids
        with self.message(ids) as messages:
            self.assertEqual(messages.mapped("test_grade"), ["plain", "plain"])
            self.assertEqual(messages.mapped("test_length"), [5, 9])
            self.assertEqual(set(messages.mapped("test_account_name")), {"Sandbox"})
            messages._transition("outgoing", [{"id": key} for key in ids])
        with self.message(ids) as messages:
            self.assertFalse(any(messages.mapped("test_is_over")))
            messages.action_cancel()
        with self.message(ids) as messages:
            self.assertTrue(all(messages.mapped("test_is_over")))
            found = messages.search([("test_is_over", "=", True)])
            self.assertEqual(found, messages.sorted("id", True))

    def test_constraint_is_checked_wherever_rows_are_written(self):
        with self.assertRaises(ValidationError):
            self.enqueue(text="forbidden word")
        with self.transaction() as env:
            ids = self.write_drafts(env, "forbidden word").ids
        with self.assertRaises(ValidationError), self.message(ids) as messages:
            messages._transition("outgoing", [{"id": ids[0]}])
        self.assertEqual(self.read(ids[0], "state"), "draft")

    # --- automation rules -----------------------------------------------------------

    def create_rule(self, trigger, code, **values):
        with self.transaction() as env:
            env["base.automation"].create(
                {
                    "name": f"Test: {trigger}",
                    "model_id": env.ref("sms_devino.model_sms_devino_message").id,
                    "trigger": trigger,
                    "action_server_ids": [
                        (
                            0,
                            0,
                            {
                                "name": "Test",
                                "model_id": env.ref(
                                    "sms_devino.model_sms_devino_message"
                                ).id,
                                "state": "code",
                                "code": code,
                                "usage": "base_automation",
                            },
                        )
                    ],
                    **values,
                }
            )

    def test_rule_runs_when_a_state_is_reached(self):
        self.create_rule(
            "on_create_or_write",
            "records.write({'test_note': records[0].state})",
            filter_pre_domain="[('state', '=', 'outgoing')]",
            filter_domain="[('state', '=', 'canceled')]",
        )
        with self.transaction() as env:
            ids = self.write_drafts(env, "Hello", "Hello you").ids
            env["sms.devino.message"]._transition(
                "outgoing", [{"id": key} for key in ids]
            )
        self.assertFalse(self.read(ids[0], "test_note"))
        with self.message(ids) as messages:
            messages.action_cancel()
        with self.message(ids) as messages:
            self.assertEqual(messages.mapped("test_note"), ["canceled", "canceled"])

    def test_created_means_entering_the_queue(self):
        self.create_rule("on_create", "records.write({'test_note': 'created'})")
        with self.transaction() as env:
            ids = self.write_drafts(env, "Hello", "Hello you").ids
        self.assertFalse(self.read(ids[0], "test_note"))
        with self.message(ids) as messages:
            messages._transition("outgoing", [{"id": ids[0]}])
        notes = [self.read(key, "test_note") for key in ids]
        self.assertEqual(notes, ["created", False])
        single = self.enqueue(text="Hello again")
        self.assertEqual(self.read(single, "test_note"), "created")

    def test_failing_rule_changes_no_state(self):
        self.create_rule("on_create_or_write", "raise UserError('no')")
        with self.transaction() as env:
            ids = self.write_drafts(env, "Hello").ids
        with self.assertLogs(QUIET, "ERROR"), self.message(ids) as messages:
            messages._transition("outgoing", [{"id": ids[0]}])
        self.assertEqual(self.read(ids[0], "state"), "outgoing")
        with self.assertLogs(QUIET, "ERROR"):
            self.dispatch()
        self.assertEqual(self.read(ids[0], "state"), "sent")
