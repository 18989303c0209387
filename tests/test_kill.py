import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg2

from odoo import api, fields
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from ..sandbox import Fault
from ..services.claims import LOCK_CLASS, claiming, settle_abandoned
from .common import LiveCase
from .server_process import ServerProcess

MODELS = "odoo.addons.sms_devino.models."
OUR_LOGS = (
    "odoo.addons.sms_devino.gateway",
    "odoo.addons.sms_devino.services",
    MODELS + "sms_devino_dispatcher",
)
OUR_CRONS = "SELECT res_id FROM ir_model_data WHERE model = 'ir.cron' AND module = %s"
FOREVER = 3600


class RaceCase(LiveCase):
    def wait_for(self, condition, seconds=90):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                self.fail("waited in vain")
            time.sleep(0.02)

    def wait_in_flight(self, path="Sms/Send", count=1):
        """Wait until the provider has got so many calls."""
        self.wait_for(lambda: self.server.requests[path] >= count)

    @contextmanager
    def in_thread(self, work):
        """Run ``work`` meanwhile; its error, if any, is raised at the end."""
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(work)
            yield future
            future.result()

    def numbers(self):
        return sorted(entry.number for entry in self.provider.ledger)


@tagged("post_install", "-at_install", "sms_devino")
class TestKill(RaceCase):
    """A server that dies, or is stopped, while a call is in flight."""

    def setUp(self):
        super().setUp()
        self._leave_our_crons_alone()

    def _leave_our_crons_alone(self):
        """No scheduled action of others runs in the server that is killed."""
        with self.transaction() as env:
            env.cr.execute(
                SQL(
                    "UPDATE ir_cron SET active = FALSE WHERE active AND id NOT IN (%s) "
                    "RETURNING id",
                    SQL(OUR_CRONS, "sms_devino"),
                )
            )
            others = [row[0] for row in env.cr.fetchall()]
            # Odoo leaves out an action that was killed three times in a row
            env.cr.execute("DELETE FROM ir_cron_progress")
        self.addCleanup(self._activate, others)

    def _activate(self, cron_ids):
        with self.transaction() as env:
            env.cr.execute(
                "UPDATE ir_cron SET active = TRUE WHERE id = ANY(%s)", [cron_ids]
            )

    @contextmanager
    def odoo_server(self):
        with ServerProcess(self.env.cr.dbname) as server:
            server.wait_ready()
            yield server

    def kill_in_flight(self, *faults):
        """Have a server send a message, kill it while the provider has the call.

        :return: the message's id
        """
        for fault in faults:
            self.provider.faults.add(fault)
        with self.odoo_server() as server:
            message_id = self.enqueue(text="Kill me")
            self.wait_in_flight()
            time.sleep(0.3)  # until its body has arrived, too
            self.assertEqual(self.states(), {"sending": 1})
            server.kill()
            log = server.read_log()
            for private in ("9214563763", "Kill me"):
                self.assertNotIn(private, log)
        return message_id

    def assertInterrupted(self, message_id):
        self.assertEqual(
            self.read(message_id, "state", "reason"), ("unknown", "interrupted")
        )

    def load_registry(self):
        """What every server does when it loads the database."""
        with self.transaction() as env:
            with mute_logger(*OUR_LOGS):
                env["sms.devino.dispatcher"]._register_hook()

    def test_killed_before_the_gateway_accepted(self):
        message_id = self.kill_in_flight(
            Fault("hold", path="Sms/Send", seconds=FOREVER),
            Fault("drop_before", path="Sms/Send"),
        )
        self.assertEqual(self.states(), {"sending": 1})
        # another server comes up: the row tells the truth at once
        with self.odoo_server():
            self.assertInterrupted(message_id)
            self.dispatch()
        self.assertInterrupted(message_id)
        self.assertFalse(self.provider.ledger)

    def test_killed_after_the_gateway_accepted(self):
        message_id = self.kill_in_flight(
            Fault("latency", path="Sms/Send", seconds=FOREVER)
        )
        self.assertEqual(len(self.provider.ledger), 1)
        self.wait_for(lambda: self.load_registry() or self.states() == {"unknown": 1})
        self.assertInterrupted(message_id)
        self.provider.faults.clear()
        for _again in range(3):
            self.dispatch()
        self.assertInterrupted(message_id)
        self.assertEqual(len(self.provider.ledger), 1)

    def test_gateway_that_accepts_after_the_kill(self):
        message_id = self.kill_in_flight(Fault("hold", path="Sms/Send", seconds=1.5))
        self.wait_for(lambda: self.load_registry() or self.states() == {"unknown": 1})
        self.wait_for(lambda: self.provider.ledger)
        self.dispatch()
        self.assertInterrupted(message_id)
        self.assertEqual(len(self.provider.ledger), 1)

    def test_stopped_server_waits_for_its_call_and_writes_it_down(self):
        self.provider.faults.add(
            Fault("latency", path="Sms/Send", seconds=3, times=None)
        )
        with self.odoo_server() as server:
            with self.transaction() as env:
                account = env["sms.devino.account"].browse(self.account_id)
                for number in range(40):
                    env["sms.devino.message"].enqueue(
                        f"7921{number:05}11", f"Text {number}", account=account
                    )
            self.wait_in_flight()
            server.terminate()
        states = self.states()
        self.assertEqual(states.keys(), {"sent", "outgoing"})
        self.assertEqual(states["sent"], len(self.provider.ledger))
        self.provider.faults.clear()
        self.dispatch()
        self.assertEqual(self.states(), {"sent": 40})
        self.assertLedgerIsJournal()


@tagged("post_install", "-at_install", "sms_devino")
class TestRaces(RaceCase):
    """Others are at the same rows, or the database is gone for a moment."""

    def test_two_dispatchers_send_each_message_once(self):
        self.enqueue_rows(120)
        with ThreadPoolExecutor(4) as pool:
            works = [pool.submit(self.dispatch) for _n in range(4)]
        for work in works:
            work.result()
        self.dispatch()
        self.assertEqual(self.states(), {"sent": 120})
        self.assertLedgerIsJournal()

    def test_messages_that_somebody_holds_stop_neither_the_others_nor_the_run(self):
        held = self.enqueue_rows(10)
        others = self.enqueue_rows(10, "Other {}")
        alike = self.enqueue_rows(10, "Equal")
        with self.registry.cursor() as cr:
            cr.execute(
                "SELECT 1 FROM sms_devino_message WHERE id = ANY(%s) FOR UPDATE",
                [held + alike[:3]],
            )
            self.dispatch()
            self.assertEqual(self.states(), {"outgoing": 13, "sent": 17})
        self.dispatch()
        self.assertEqual(self.states(), {"sent": 30})
        self.assertEqual(len(self.provider.ledger), len(held + others + alike))

    def test_message_is_sent_or_canceled_but_never_both(self):
        ids = self.enqueue_rows(80)
        canceled = []

        def cancel():
            for message_id in reversed(ids):
                with self.transaction() as env:
                    rows = [{"id": message_id}]
                    try:
                        canceled.extend(
                            env["sms.devino.message"]._transition("canceled", rows)
                        )
                        env.cr.commit()
                    except psycopg2.errors.SerializationFailure:
                        # the claim was first; the person is told so
                        env.cr.rollback()
                time.sleep(0.005)

        self.provider.faults.add(Fault("latency", times=None, seconds=0.01))
        loggers = (MODELS + "sms_devino_message", "odoo.sql_db")
        with mute_logger(*loggers), self.in_thread(cancel):
            self.dispatch()
        self.dispatch()
        states = self.states()
        self.assertEqual(states.get("canceled", 0), len(canceled))
        self.assertEqual(states["sent"], 80 - len(canceled))
        self.assertLedgerIsJournal()

    def test_transaction_that_odoo_retries_leaves_one_message(self):
        with self.transaction() as env:
            partner_id = env["res.partner"].create({"name": "Retry"}).id
            action = env["ir.actions.server"].create(
                {
                    "name": "Send, then write",
                    "model_id": env.ref("base.model_res_partner").id,
                    "state": "code",
                    "code": "env['sms.devino.message'].enqueue("
                    "'79214563763', 'Retried')\n"
                    "record.write({'ref': 'mine'})",
                }
            )
            action_id = action.id

        def clean_up():
            with self.transaction() as env:
                env["ir.actions.server"].browse(action_id).unlink()
                env["res.partner"].browse(partner_id).unlink()

        self.addCleanup(clean_up)
        self.authenticate(self.logins["manager"], self.logins["manager"])

        with mute_logger("odoo.sql_db"), self.registry.cursor() as cr:

            def commit_once_blocking():
                self.wait_for(lambda: self.blocked_by(cr))
                self.assertFalse(self.provider.ledger)
                # another transaction than the test's own
                # pylint: disable-next=invalid-commit
                cr.commit()

            cr.execute("UPDATE res_partner SET ref = 'x' WHERE id = %s", [partner_id])
            with self.in_thread(commit_once_blocking):
                self.run_action(action_id, partner_id)
        with self.transaction() as env:
            self.assertEqual(env["res.partner"].browse(partner_id).ref, "mine")
        self.dispatch()
        self.assertEqual(self.states(), {"sent": 1})
        self.assertEqual(len(self.provider.ledger), 1)
        self.assertLedgerIsJournal()

    def run_action(self, action_id, partner_id):
        context = {
            "active_model": "res.partner",
            "active_id": partner_id,
            "active_ids": [partner_id],
        }
        self.make_jsonrpc_request(
            "/web/action/run", {"action_id": action_id, "context": context}
        )

    def blocked_by(self, cr):
        """Whether some transaction waits for this one."""
        pid = cr._cnx.info.backend_pid
        with self.transaction() as env:
            env.cr.execute(
                "SELECT 1 FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))",
                [pid],
            )
            return bool(env.cr.fetchone())

    def test_outcome_survives_a_conflict_with_another_transaction(self):
        message_id = self.enqueue()
        self.provider.faults.add(Fault("latency", path="Sms/Send", seconds=0.3))
        with mute_logger("odoo.sql_db"), self.registry.cursor() as cr:
            with self.in_thread(self.dispatch):
                self.wait_in_flight()
                cr.execute(
                    "UPDATE sms_devino_message SET error_text = 'x' WHERE id = %s",
                    [message_id],
                )
                self.wait_for(lambda: self.blocked_by(cr))
                # another transaction than the test's own
                # pylint: disable-next=invalid-commit
                cr.commit()
        self.assertEqual(self.read(message_id, "state", "error_text"), ("sent", False))
        self.assertLedgerIsJournal()

    def test_outcome_survives_the_loss_of_the_database_connection(self):
        ids = self.enqueue_rows(30)
        self.provider.faults.add(Fault("latency", times=None, seconds=0.3))
        loggers = (*OUR_LOGS, "odoo.sql_db")
        with mute_logger(*loggers), ThreadPoolExecutor(1) as pool:
            dispatch = pool.submit(self.dispatch)
            self.wait_in_flight(count=3)
            self.terminate_dispatcher()
            with self.assertRaises(psycopg2.Error):
                dispatch.result()
        states = self.states()
        self.assertNotIn("unknown", states)
        self.assertNotIn("sending", states)
        self.assertEqual(states["sent"], len(self.provider.ledger))
        self.provider.faults.clear()
        self.dispatch()
        self.assertEqual(self.states(), {"sent": len(ids)})
        self.assertLedgerIsJournal()

    def terminate_dispatcher(self):
        with self.transaction() as env:
            env.cr.execute(
                """SELECT pg_terminate_backend(pid) FROM pg_locks
                    WHERE locktype = 'advisory' AND classid = %s""",
                [LOCK_CLASS],
            )

    def test_answer_that_comes_after_the_row_was_given_up_is_kept(self):
        message_id = self.enqueue()
        self.provider.faults.add(Fault("latency", path="Sms/Send", seconds=0.5))
        loggers = OUR_LOGS
        with mute_logger(*loggers, "odoo.sql_db"), ThreadPoolExecutor(1) as pool:
            dispatch = pool.submit(self.dispatch)
            self.wait_in_flight()
            self.terminate_dispatcher()
            self.wait_for(self.given_up)
            with self.assertRaises(psycopg2.Error):
                dispatch.result()
        self.assertEqual(self.read(message_id, "state"), "sent")
        self.assertLedgerIsJournal()

    def given_up(self):
        with self.transaction() as env:
            settle_abandoned(env)
        return self.states() == {"unknown": 1}

    def test_registry_loaded_in_a_live_server_leaves_claims_alone(self):
        message_id = self.enqueue()
        self.provider.faults.add(Fault("latency", path="Sms/Send", seconds=0.5))
        with self.in_thread(self.dispatch):
            self.wait_in_flight()
            with self.transaction() as env:
                env["sms.devino.dispatcher"]._register_hook()
            self.assertEqual(self.read(message_id, "state"), "sending")
        self.assertEqual(self.read(message_id, "state"), "sent")

    def test_registry_loads_from_a_database_that_is_read_only(self):
        message_id = self.enqueue()
        with self.transaction() as env:
            env.cr.execute("UPDATE sms_devino_message SET state = 'sending', claim = 1")
        with self.transaction() as env:
            env.cr.execute("SET TRANSACTION READ ONLY")
            env["sms.devino.dispatcher"]._register_hook()
        self.assertEqual(self.read(message_id, "state"), "sending")
        with self.transaction() as env, mute_logger(*OUR_LOGS):
            env["sms.devino.dispatcher"]._register_hook()
        self.assertEqual(self.read(message_id, "state"), "unknown")

    def test_listener_that_fails_costs_no_outcome(self):
        message_id = self.enqueue()
        listener = self.registry["sms.devino.message"]

        class Failing(listener):
            _register = False

            @api.model
            def _on_transition(self, target, ids):
                self.env.cr.execute("SELECT 1 / 0")

        with self.transaction() as env:
            messages = env["sms.devino.message"]
            messages.__class__ = Failing
            loggers = (MODELS + "sms_devino_message", "odoo.sql_db")
            with mute_logger(*loggers):
                moved = messages._transition("sending", [{"id": message_id}])
            self.assertEqual(moved, [message_id])
        self.assertEqual(self.read(message_id, "state"), "sending")

    def test_claim_is_on_the_disk_whatever_the_database_is_set_to(self):
        with self.transaction() as env:
            env.cr.execute("SET synchronous_commit = off")
            env.cr.commit()
            with claiming(env):
                env.cr.execute("SHOW synchronous_commit")
                self.assertEqual(env.cr.fetchone()[0], "on")
            # the connection goes back into a pool
            env.cr.execute("SHOW synchronous_commit")
            self.assertEqual(env.cr.fetchone()[0], "off")
            env.cr.execute("RESET synchronous_commit")


@tagged("post_install", "-at_install", "sms_devino")
class TestWork(RaceCase):
    """How much is done, and when it goes on."""

    def statements(self, count, text):
        """Statements that dispatching so many messages takes."""
        self.enqueue_rows(count, text)
        with self.transaction() as env:
            before = env.cr.sql_log_count
            env["sms.devino.dispatcher"]._cron_dispatch()
            return env.cr.sql_log_count - before

    def test_thousand_equal_texts_take_no_more_statements_than_a_hundred(self):
        self.provider.set_balance(10**6)
        self.statements(1, "Warm up")
        few = self.statements(100, "Sale")
        # the queue may be looked at once more
        self.assertLess(self.statements(1000, "Other sale"), few + 15)
        self.assertEqual(self.states(), {"sent": 1101})
        self.assertLedgerIsJournal()

    def test_statements_for_different_texts_are_a_few_each(self):
        self.provider.set_balance(10**6)
        self.statements(1, "Warm up")
        few = self.statements(64, "A {}")
        many = self.statements(256, "B {}")
        # each is claimed and committed by itself
        self.assertLess((many - few) / 192, 10)

    def test_scheduled_action_reports_its_progress(self):
        self.enqueue_rows(40)
        with self.transaction() as env:
            cron = env.ref("sms_devino.ir_cron_dispatch")
            cron.method_direct_trigger()
            env.cr.commit()
            progress = env["ir.cron.progress"].search(
                [("cron_id", "=", cron.id)], order="id desc", limit=1
            )
            self.assertEqual((progress.done, progress.remaining), (40, 0))
        self.assertEqual(self.states(), {"sent": 40})

    def test_stopped_account_wakes_nobody_in_vain(self):
        self.enqueue()
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            account.state = "stopped"
            env.cr.execute(
                "UPDATE sms_devino_message SET next_at = now() AT TIME ZONE 'UTC' "
                "- interval '1 minute'"
            )
            env.cr.execute("DELETE FROM ir_cron_trigger")
        self.dispatch()
        with self.transaction() as env:
            self.assertFalse(env["ir.cron.trigger"].search_count([]))

    def test_planned_messages_share_one_alarm(self):
        at = fields.Datetime.add(fields.Datetime.now(), hours=1)
        with self.transaction() as env:
            env.cr.execute("DELETE FROM ir_cron_trigger")
        self.enqueue(scheduled_at=at)
        for _run in range(3):
            self.dispatch()
        with self.transaction() as env:
            self.assertEqual(env["ir.cron.trigger"].search_count([]), 1)

    def test_request_of_the_provider_to_wait_is_heeded(self):
        self.provider.faults.add(
            Fault("rate_limit", path="Sms/Send", times=None, retry_after=300)
        )
        self.enqueue_rows(30)
        self.dispatch()
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            pause = account.paused_until - fields.Datetime.now()
            self.assertGreater(pause.total_seconds(), 290)
        self.assertLess(self.server.requests["Sms/Send"], 20)
        self.assertEqual(self.states(), {"outgoing": 30})
        self.assertFalse(self.provider.ledger)

    def test_lifetime_on_the_wire_is_what_is_left_of_it(self):
        self.enqueue(validity=60)
        late = self.enqueue("79214563764", "Late", validity=60)
        with self.transaction() as env:
            env.cr.execute(
                "UPDATE sms_devino_message SET use_until = use_until "
                "- interval '45 minutes' WHERE id = %s",
                [late],
            )
        self.dispatch()
        left = {entry.text: entry.validity for entry in self.provider.ledger}
        self.assertEqual(left["Hello"], 60)
        self.assertIn(left["Late"], (15, 16))

    def test_message_put_back_meanwhile_is_not_claimed(self):
        """An account that is stopped during a run keeps what was not claimed yet."""
        self.enqueue_rows(60)
        self.provider.faults.add(Fault("latency", times=None, seconds=0.1))
        stop = threading.Event()

        def stop_account():
            self.wait_in_flight()
            with self.transaction() as env:
                env.cr.execute("UPDATE sms_devino_account SET state = 'stopped'")
            stop.set()

        with self.in_thread(stop_account):
            self.dispatch()
        self.assertTrue(stop.is_set())
        states = self.states()
        self.assertTrue(states["outgoing"])
        self.assertEqual(states["sent"], len(self.provider.ledger))
