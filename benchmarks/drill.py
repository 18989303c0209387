"""The drill: send, and let everything go wrong at random; then compare the provider's
ledger with the journal.

Servers are killed and stopped, connections to the database cut, the provider made to
fail in its various ways. At the end no message may have gone twice, and none may be
lost: one is lost when the journal says it was sent and the ledger does not have it, or
when it is neither final nor queued. The exit code is 0 only then.

    PYTHONPATH=<odoo> python benchmarks/drill.py -c odoo.conf -d DATABASE --minutes 3
"""

import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from world import (
    account,
    empty_journal,
    load_registry,
    message_rows,
    parse_options,
    sandbox,
    transaction,
)

FAULTS = (
    {"kind": "latency", "seconds": 2.0},
    {"kind": "hold", "seconds": 2.0},
    {"kind": "refuse"},
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "half_json"},
    {"kind": "half_json", "declared": "full"},
    {"kind": "slow_body", "seconds": 2.0},
    {"kind": "status500"},
    {"kind": "status500_empty", "handled": True},
    {"kind": "html502"},
    {"kind": "html"},
    {"kind": "code7"},
    {"kind": "code8"},
    {"kind": "code9", "handled": True},
    {"kind": "session_expired"},
    {"kind": "session_invalid"},
    {"kind": "rate_limit", "retry_after": 1},
    {"kind": "unavailable"},
    {"kind": "more_ids"},
    {"kind": "fewer_ids"},
    {"kind": "no_ids"},
)
# What the journal may say in the end of a message that is, or is not, in the ledger.
IN_LEDGER = {"sent", "delivered", "undelivered", "unconfirmed", "unknown"}
NOT_IN_LEDGER = {"outgoing", "scheduled", "failed", "canceled", "unknown"}
LOCK_CLASS = 0x534D5344


def main():
    options = parse_options(
        __doc__,
        minutes=(float, 2.0, "how long things go wrong"),
        seed=(int, 1, "of chance"),
        batch=(int, 60, "messages put into the queue at a time"),
    )
    registry = load_registry(options)
    empty_journal(registry)
    record = Path(tempfile.gettempdir(), "sms_devino_drill.numbers")
    with (
        sandbox(record=record) as provider,
        account(registry, provider.url) as account_id,
    ):
        drill = Drill(options, registry, provider, account_id, record)
        try:
            drill.go_wrong(time.monotonic() + options.minutes * 60)
            drill.come_to_rest()
            return drill.compare()
        finally:
            drill.server.kill()
            drill.restore_crons()


class Drill:
    """One run; ``chance`` decides what happens when."""

    def __init__(self, options, registry, provider, account_id, record):
        self._registry = registry
        self._record = record
        self._provider = provider
        self._account_id = account_id
        self._batch = options.batch
        self._chance = random.Random(options.seed)
        self._count = 0
        self.events = Counter()
        self._others = self._pause_other_crons()
        self.server = Server(options)

    def _pause_other_crons(self):
        with transaction(self._registry) as env:
            env.cr.execute(
                """UPDATE ir_cron SET active = FALSE WHERE active AND id NOT IN (
                       SELECT res_id FROM ir_model_data
                        WHERE model = 'ir.cron' AND module = 'sms_devino')
                RETURNING id"""
            )
            return [row[0] for row in env.cr.fetchall()]

    def restore_crons(self):
        with transaction(self._registry) as env:
            env.cr.execute(
                "UPDATE ir_cron SET active = TRUE WHERE id = ANY(%s)", [self._others]
            )

    def go_wrong(self, end):
        """Send and do harm until the time is up."""
        self.server.start()
        # a server needs some seconds to begin, and is to get something done
        doings = [
            (16, self.enqueue),
            (12, self.spoil),
            (1, self.kill),
            (1, self.stop),
            (2, self.cut_database),
            (2, self.cancel_some),
        ]
        weights = [weight for weight, _doing in doings]
        while time.monotonic() < end:
            doing = self._chance.choices([d for _w, d in doings], weights)[0]
            self.events[doing.__name__] += 1
            doing()
            self.hurry()
            time.sleep(self._chance.uniform(0.05, 1.0))

    def come_to_rest(self, seconds=180):
        """Have a whole server send what is left to a provider that works."""
        self._clear_faults()
        self.server.kill()
        self.server.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.hurry()
            if not {"outgoing", "sending", "scheduled"} & self.states().keys():
                break
            time.sleep(0.5)
        self.server.stop()

    def _clear_faults(self):
        """Let the rest of the ordered faults befall calls of nobody."""
        import requests

        for call in range(1000):
            if not self._provider._call("faults"):
                return
            try:
                path = ("Sms/Send", "Sms/SendBulk")[call % 2]
                url = f"{self._provider.url}/{path}"
                requests.post(url, {"SessionID": "none"}, timeout=10)
            except requests.RequestException:
                continue

    # --- what happens -----------------------------------------------------------------

    def enqueue(self):
        """Now a batch with one text of its own, now one with a text each."""
        text = self._chance.choice([f"Sale {self._count}", "Dear {}"])
        with transaction(self._registry) as env:
            rows = message_rows(
                env, self._account_id, self._batch, text, first=self._count
            )
            env["sms.devino.message"]._write_rows(rows)
            env.ref("sms_devino.ir_cron_dispatch")._trigger()
        self._count += self._batch

    def spoil(self):
        fault = dict(self._chance.choice(FAULTS))
        fault |= {"path": self._chance.choice(["Sms/Send", "Sms/SendBulk", None])}
        fault |= {"times": self._chance.randint(1, 4)}
        if fault["kind"].startswith("session") and fault["path"] is None:
            fault["path"] = "Sms/Send"
        self._provider.post("faults", fault)

    def kill(self):
        self.server.kill()
        self.server.start()

    def stop(self):
        self.server.stop()
        self.server.start()

    def cut_database(self):
        """End the connection of whoever dispatches, or of anybody."""
        ours = self._chance.random() < 0.7
        condition = "pid IN (SELECT pid FROM pg_locks WHERE classid = %s)"
        with transaction(self._registry) as env:
            env.cr.execute(
                f"""SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE datname = current_database() AND pid != pg_backend_pid()
                       AND {condition if ours else "%s IS NOT NULL"}""",
                [LOCK_CLASS],
            )
        # the pool of this process may hold connections that were cut
        self._registry._db._Connection__pool.close_all()

    def cancel_some(self):
        with transaction(self._registry) as env:
            env.cr.execute(
                "SELECT id FROM sms_devino_message WHERE state = 'outgoing' LIMIT 10"
            )
            rows = [{"id": row[0]} for row in env.cr.fetchall()]
            try:
                env["sms.devino.message"]._transition("canceled", rows)
                env.cr.commit()
            except Exception as error:
                self.events[type(error).__name__] += 1
                env.cr.rollback()

    def hurry(self):
        """Shorten the pauses, which are minutes, and begin again at once."""
        try:
            with transaction(self._registry) as env:
                env.cr.execute(
                    "UPDATE sms_devino_message SET next_at = NULL, attempts = 0 "
                    "WHERE state = 'outgoing' AND next_at IS NOT NULL"
                )
                env.cr.execute(
                    "UPDATE sms_devino_account SET paused_until = NULL, "
                    "state = 'ready' WHERE id = %s",
                    [self._account_id],
                )
                # Odoo leaves out an action that was killed three times in a row
                env.cr.execute("DELETE FROM ir_cron_progress")
                env.ref("sms_devino.ir_cron_dispatch")._trigger()
        except Exception as error:
            self.events[type(error).__name__] += 1

    # --- the reckoning ----------------------------------------------------------------

    def states(self):
        with transaction(self._registry) as env:
            env.cr.execute(
                "SELECT state, count(*) FROM sms_devino_message GROUP BY state"
            )
            return dict(env.cr.fetchall())

    def compare(self):
        """Print what was found.

        :return: the exit code
        """
        with transaction(self._registry) as env:
            env.cr.execute("SELECT number, state, reason FROM sms_devino_message")
            rows = env.cr.fetchall()
        journal = {number: state for number, state, _reason in rows}
        ledger = Counter(f"+{e['number']}" for e in self._provider.ledger())
        twice = [number for number, times in ledger.items() if times > 1]
        lost = [
            number
            for number, state in journal.items()
            if state not in (IN_LEDGER if number in ledger else NOT_IN_LEDGER)
        ]
        print("happened:", dict(self.events))
        print("journal:", dict(Counter(journal.values())), "of", self._count)
        print("ledger:", sum(ledger.values()))
        handed_over = set(self._record.read_text().split())
        by_reason = {}
        for number, state, reason in rows:
            if state == "unknown":
                by_reason.setdefault(reason, []).append(number)
        print("unknown:", sum(map(len, by_reason.values())))
        for reason, numbers in by_reason.items():
            accepted = sum(number in ledger for number in numbers)
            never = sum(number not in handed_over for number in numbers)
            print(
                f"  {reason}: {len(numbers)}, of which the provider accepted "
                f"{accepted}, never handed over: {never}"
            )
        print(f"twice: {len(twice)}")
        print(f"lost: {len(lost)}", Counter(journal[number] for number in lost) or "")
        stray = len(ledger.keys() - journal.keys())
        whole = len(journal) == self._count and not stray
        return 0 if whole and not twice and not lost else 1


class Server:
    """An Odoo server with one thread for scheduled actions."""

    def __init__(self, options):
        self._log = Path(tempfile.gettempdir(), "sms_devino_drill.log")
        self._command = [
            *(sys.executable, "-m", "odoo", "server"),
            *("-c", options.config, "-d", options.database),
            *("--max-cron-threads=1", "--no-http", f"--logfile={self._log}"),
        ]
        self._process = None

    def start(self):
        self._process = subprocess.Popen(self._command, start_new_session=True)

    def kill(self):
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(90)
        except subprocess.TimeoutExpired:
            self.kill()


if __name__ == "__main__":
    sys.exit(main())
