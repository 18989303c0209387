"""The drill: people send, everything goes wrong at random; then the provider's ledger
is compared with the journal.

Processes are killed, the database restarted and its connections cut, the provider made
to fail in every way that the emulator knows, balances run dry, sendings paused, resumed
and canceled, and the clock passes the change to winter time. At the end no message may
have gone twice, none may be lost, and no state may disagree with the ledger.

    ./dev drill [--seed N] [--seeds 20] [--minutes M] [--messages N]
"""

import argparse
import configparser
import json
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path

from faults import FAULTS, LATENCY, PATHS
from people import LOGINS, People
from reckoning import (
    LEAST_FAULTS,
    LEAST_SPOILED,
    Reckoning,
    Row,
    complain,
    complain_of_doubt,
    count_spoiled,
    print_table,
)
from stage import (
    Database,
    Person,
    Provider,
    Server,
    clock_settings,
)

LOCK_CLASS = 0x534D5344
OPEN = ("scheduled", "outgoing", "sending", "sent")
# calls before the next order of faults, cut, and end of everything
CALLS_BEFORE = {"faults": 15, "cut": 4, "restart": 20, "anything": 1}
# minutes and messages of the short form
SHORT = (0.3, 300)


def parse_options(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", required=True, help="Odoo's configuration")
    parser.add_argument("--template", help="a database, to be copied")
    short = "a third of a minute, on the database of the configuration itself, whose "
    short += "server is left alone; prints the figures in JSON and judges nothing"
    parser.add_argument("--short", action="store_true", help=short)
    parser.add_argument("--seed", type=int, default=1, help="of chance, the first one")
    parser.add_argument("--seeds", type=int, default=1, help="so many, one by one")
    parser.add_argument("--minutes", type=float, default=2.0, help="of faults, a seed")
    parser.add_argument("--messages", type=int, default=2200, help="a seed, about")
    return parser.parse_args(arguments)


def main():
    options = parse_options()
    if options.short:
        return play_short(options)
    from scripts.measuring import MeasuringCluster

    cluster, table, complaints = MeasuringCluster(), [], []
    for seed in range(options.seed, options.seed + options.seeds):
        print(f"--- seed {seed}", flush=True)
        drill = play_seed(options, seed, cluster)
        table.append({"seed": seed, **drill.figures()})
        complaints += complain(table[-1], options.messages, options.minutes)
        print_table(table)
    complaints += complain_of_doubt(table)
    print("\n".join(["FAILED", *complaints]) if complaints else "passed")
    return 1 if complaints else 0


def play_seed(options, seed, cluster):
    """Play one drill on a fresh copy of the database; return it."""
    name = f"{options.template}_drill"
    settings = clock_settings(options.minutes * 60 * 0.4)
    if not settings:
        print("The clock is not moved: there is no libfaketime.")
    cluster.restart("fast")
    cluster.copy(options.template, name)
    try:
        cluster.restart("fast", settings)
        host, port, user = cluster.address()
        database = Database(name, host=host, port=port, user=user)
        return play(
            options,
            seed,
            database,
            settings,
            lambda: cluster.restart("immediate", settings),
        )
    finally:
        cluster.restart("fast")


def play_short(options):
    """Play it as a test does."""
    parser = configparser.RawConfigParser()
    parser.read(options.config)
    config = parser["options"]
    names = ("host", "port", "user", "password")
    where = {name: config.get(f"db_{name}") for name in names}
    database = Database(config["db_name"], **where)
    options.minutes, options.messages = SHORT
    print(json.dumps(play(options, options.seed, database, {}).figures()))
    return 0


def play(options, seed, database, settings, restart_database=None):
    """Play one drill on a database; return it.

    :param dict settings: variables of the environment, for the clock
    :param restart_database: ends the database server at once and starts it again
    """
    folder = Path(tempfile.mkdtemp(prefix="sms_devino_drill_"))
    with ExitStack() as over:
        provider = Provider(LOGINS, folder / "calls", settings)
        over.enter_context(closing(provider))
        server = Server(options.config, database.name, folder / "odoo.log", settings)
        over.callback(server.kill)
        drill = Drill(options, seed, server, provider, database, folder)
        drill.restart_database = restart_database
        drill.set_up()
        drill.go_wrong(time.monotonic() + options.minutes * 60)
        drill.come_to_rest()
        drill.reckon()
        return drill


class Drill:
    """One run; ``chance`` decides what happens when."""

    def __init__(self, options, seed, server, provider, database, folder):
        self._chance = random.Random(seed)
        self._is_short = options.short
        self._wanted = options.messages
        self._seconds = options.minutes * 60
        self._least_faults = options.minutes * LEAST_FAULTS
        self._least_spoiled = options.minutes * LEAST_SPOILED
        self._calls_before = Counter()
        self._server, self._provider, self._database = server, provider, database
        person = Person(server.url, database.name, "admin")
        log = folder / "refused.log"
        self._people = People(person, database, self._chance, log)
        self._log = folder
        self._dry = None
        self.restart_database = None
        self.faults = Counter()

    # --- before -----------------------------------------------------------------------

    def set_up(self):
        """Three accounts, the last one with a limit; nothing else is scheduled."""
        self._provider.steer("faults", LATENCY)
        # of the drill's time, which is another
        self._database.run(
            """UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC', active = id IN (
                   SELECT res_id FROM ir_model_data
                    WHERE model = 'ir.cron' AND module = 'sms_devino')"""
        )
        self._server.start()
        self._server.wait_ready()
        self._say("the server is up")
        self._people.set_up(self._provider.url)

    # --- while things go wrong --------------------------------------------------------

    def go_wrong(self, end):
        """Send and do harm until the time is up; on a slow machine longer, until it is
        enough."""
        people = self._people
        weighed = [
            (20, self.spoil),
            (6, people.send_single),
            (3, people.schedule_single),
            (8, people.send_drafts),
            (3, self.kill_cron_worker),
            (2, self.kill_http_worker),
            (3, self.cut_dispatcher),
            (1, self.cut_all),
            (2, people.pause),
            (3, people.resume),
            (1, people.cancel),
            (1, self.run_dry),
            (2, people.look),
        ]
        weights, doings = zip(*weighed, strict=True)
        cuts = [self.kill_cron_worker, self.cut_dispatcher, self.cut_all]
        # these cost seconds: a few times each, whatever chance says
        rare = self._plan_rare(end)
        begin, patience = end - self._seconds, end + 4 * self._seconds
        while (now := time.monotonic()) < end or (
            not (self._is_enough() and not rare) and now < patience
        ):
            share = min((now - begin) / self._seconds / 0.75, 1)
            if rare and now >= rare[0][0] and self._has_sent("restart"):
                doing = rare.pop(0)[1]
            elif people.made < share * self._wanted and self._chance.random() < 0.4:
                doing = people.make_draft
            else:
                [doing] = self._chance.choices(doings, weights)
                if doing in cuts and not self._has_sent("cut"):
                    doing = people.send_drafts
            self._do(doing)
            self._server.keep_up()
            self._hurry()
            time.sleep(self._chance.uniform(0.02, 0.4))

    def _is_enough(self):
        return (
            self._wanted <= self._people.made
            and self._least_faults <= self.faults.total()
            and self._least_spoiled <= count_spoiled(self._provider.calls())
        )

    def _has_sent(self, before):
        """Say whether enough calls were made, since it said so the last time, before
        something: on a slow machine hardly any is between two kills.

        :param str before: a key of :data:`CALLS_BEFORE`
        """
        calls = len(self._provider.calls())
        if calls < self._calls_before[before] + CALLS_BEFORE[before]:
            return False
        self._calls_before[before] = calls
        return True

    def _plan_rare(self, end):
        rounds = max(round(self._seconds / 60), 1)
        rare = [self.kill_server, self.stop_server] * rounds
        if self.restart_database:
            rare += [self.restart_all] * rounds
        self._chance.shuffle(rare)
        pause = self._seconds * 0.9 / len(rare)
        return [
            (end - self._seconds + pause * (place + 0.7), doing)
            for place, doing in enumerate(rare)
        ]

    def _do(self, doing):
        self._people.events[doing.__name__] += 1
        self._say(doing.__name__)
        self._people.attempt(doing)

    def _say(self, what):
        """In the short form, for a test that has to be seen to go on."""
        if self._is_short:
            print(what, flush=True)

    def _harm(self, kind):
        self.faults[kind] += 1

    # --- what goes wrong --------------------------------------------------------------

    def spoil(self):
        """Order faults at the provider's; not so many that nothing else gets through,
        however slow the machine."""
        if not self._has_sent("faults"):
            return
        for fault in self._chance.sample(FAULTS, 4):
            when = {
                "path": self._chance.choice(PATHS),
                "times": self._chance.randint(1, 2),
                "after": self._chance.randint(0, CALLS_BEFORE["faults"]),
            }
            self._provider.steer("faults", {**fault, **when})
            handled = ", and carried out" if fault.get("handled") else ""
            self._harm(f"provider: {fault['kind']}{handled}")

    def kill_cron_worker(self):
        if self._server.kill_worker("WorkerCron", self._chance):
            self._harm("kill -9 of a worker for scheduled actions")

    def kill_http_worker(self):
        if self._server.kill_worker("WorkerHTTP", self._chance):
            self._harm("kill -9 of a worker for requests")

    def kill_server(self):
        self._server.kill()
        self._server.start()
        self._harm("kill -9 of the server")

    def stop_server(self):
        self._server.stop()
        self._server.start()
        self._harm("server stopped and started")

    def restart_all(self):
        self.restart_database()
        self._harm("database restarted at once")

    def cut_dispatcher(self):
        """End the connection of whoever sends."""
        self._cut(f"pid IN (SELECT pid FROM pg_locks WHERE classid = {LOCK_CLASS})")

    def cut_all(self):
        self._cut("TRUE")

    def _cut(self, condition):
        cut = self._database.run(
            f"""SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid != pg_backend_pid()
                   AND {condition}"""
        )
        self.faults["connection cut"] += len(cut)

    def run_dry(self):
        """Take the money of one account away; the next time it is there again."""
        if self._dry:
            self._provider.steer("balance", {self._dry: "100000000"})
            self._dry = None
            self._people.refresh_balances()
        else:
            self._dry = self._chance.choice(LOGINS)
            self._provider.steer("balance", {self._dry: "0"})
            self._harm("balance gone")

    def _hurry(self):
        """Shorten the pauses, which are minutes, and begin again at once."""
        self._database.run(
            "UPDATE sms_devino_message SET next_at = NULL, attempts = 0 "
            "WHERE state = 'outgoing' AND next_at IS NOT NULL"
        )
        self._database.run(
            "UPDATE sms_devino_account SET paused_until = NULL, state = 'ready' "
            "WHERE paused_until IS NOT NULL OR state != 'ready'"
        )
        self._database.wake()

    # --- after ------------------------------------------------------------------------

    def come_to_rest(self, seconds=60):
        """Have a whole server send what is left, as long as it does."""
        self._provider.steer("faults/clear", {})
        self._provider.steer("balance", dict.fromkeys(LOGINS, "100000000"))
        self._server.kill()
        self._server.start()
        self._server.wait_ready()
        self._people.refresh_balances()
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._is_busy():
            if self._has_sent("anything"):
                end = time.monotonic() + seconds
            self._do(self._people.send_drafts)
            self._do(self._people.resume_all)
            self._database.run(
                "UPDATE sms_devino_message SET next_at = now() AT TIME ZONE 'UTC' "
                "WHERE state = 'sent' AND accepted_at "
                "< now() AT TIME ZONE 'UTC' - interval '3 seconds'"
            )
            self._server.keep_up()
            self._hurry()
            time.sleep(1)
        self._server.stop()

    def _is_busy(self):
        [[busy]] = self._database.run(
            """SELECT EXISTS (SELECT 1 FROM sms_devino_message WHERE state = ANY(%s))
                   OR EXISTS (SELECT 1 FROM sms_devino_batch
                               WHERE state IN ('draft', 'scheduled', 'running',
                                               'paused'))""",
            [list(OPEN)],
        )
        return busy

    def reckon(self):
        """Compare, and print what was found."""
        rows = self._database.run(
            """SELECT m.number, m.state, m.reason, a.login, m.cost::float8,
                      m.segment_count, m.claimed_at
                 FROM sms_devino_message m JOIN sms_devino_account a
                   ON a.id = m.account_id
            LEFT JOIN sms_devino_batch b ON b.id = m.batch_id
                WHERE m.state != 'left_out' AND b.state IS DISTINCT FROM 'draft'"""
        )
        self.reckoning = Reckoning(
            rows=[Row(*row[:4], row[4] or 0.0, *row[5:]) for row in rows],
            ledger=self._provider.steer("ledger"),
            promised=self._people.promised,
            calls=self._provider.calls(),
        )
        print("happened:", dict(self._people.events))
        print(f"faults: {self.faults.total()}")
        for kind, count in sorted(self.faults.items()):
            print(f"  {kind}: {count}")
        self.reckoning.report()
        print(f"logs: {self._log}", flush=True)

    def figures(self):
        """Return the figures of this run, for the table."""
        return {"faults": self.faults.total()} | self.reckoning.figures()


if __name__ == "__main__":
    sys.exit(main())
