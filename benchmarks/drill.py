"""The drill: people send, everything goes wrong at random; then the provider's ledger
is compared with the journal.

Processes are killed, the database restarted and its connections cut, the provider made
to fail in every way that the emulator knows, balances run dry, sendings paused, resumed
and canceled, and the clock passes the change to winter time. At the end no message may
have gone twice, none may be lost, and no state may disagree with the ledger.

    ./dev drill [--seed N] [--seeds 20] [--minutes M] [--messages N]
"""

import argparse
import base64
import configparser
import json
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

from faults import FAULTS, LATENCY, PATHS
from reckoning import (
    LEAST_FAULTS,
    LEAST_SPOILED,
    REFUSED,
    REJECTED,
    Reckoning,
    Row,
    complain,
    complain_of_doubt,
    count_spoiled,
    print_table,
)
from stage import (
    ZONE,
    Database,
    NoAnswerError,
    Person,
    Provider,
    RefusedError,
    Server,
    clock_settings,
)

LOGINS = ("first", "second", "third")
LOCK_CLASS = 0x534D5344
# rows of a mass sending with one text, and with a text each, which costs a call each
DRAFT, PERSONAL_DRAFT = 150, 40
# what a person writes there is refused, or rejected later
ODD_ENDINGS = (*REJECTED, *REFUSED)
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
        self._wanted = options.messages
        self._seconds = options.minutes * 60
        self._least_faults = options.minutes * LEAST_FAULTS
        self._least_spoiled = options.minutes * LEAST_SPOILED
        self._count = self._made = 0
        self._calls_before = Counter()
        self._promised = set()
        self._server, self._provider, self._database = server, provider, database
        self._person = Person(server.url, database.name, "admin")
        self._log = folder
        self._dry = None
        self.restart_database = None
        self.events, self.faults = Counter(), Counter()

    # --- before -----------------------------------------------------------------------

    def set_up(self):
        """Three accounts, the last one with a limit; nothing else is scheduled."""
        self._provider.steer("faults", LATENCY)
        # Odoo counts from the last planned run to now, minute by minute: with a clock
        # that is months ahead that takes it a minute.
        self._database.run(
            """UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC', active = id IN (
                   SELECT res_id FROM ir_model_data
                    WHERE model = 'ir.cron' AND module = 'sms_devino')"""
        )
        self._server.start()
        self._server.wait_ready()
        person = self._person
        person.log_in()
        [country] = person.call("res.country", "search", [["code", "=", "RU"]])
        self._accounts, self._senders = [], []
        for login in LOGINS:
            values = {
                "name": login,
                "mode": "live",
                "url": self._provider.url,
                "allow_private_address": True,
                "login": login,
                "password": login,
                "requests_per_second": 20 if login == LOGINS[-1] else 0,
                "country_id": country,
            }
            [account] = person.call("sms.devino.account", "create", [values])
            sender = {"account_id": account, "name": "DevinoTest"}
            self._senders += person.call("sms.devino.sender", "create", [sender])
            self._accounts.append(account)
            person.call("sms.devino.account", "action_check_connection", [account])
        group = person.call(
            "ir.model.data",
            "search_read",
            [["module", "=", "sms_devino"], ["name", "=", "group_manager"]],
            ["res_id"],
        )[0]["res_id"]
        user = {"group_ids": [[4, group]], "tz": ZONE}
        person.call("res.users", "write", [person.uid], user)

    # --- while things go wrong --------------------------------------------------------

    def go_wrong(self, end):
        """Send and do harm until the time is up; on a slow machine longer, until it is
        enough."""
        weighed = [
            (20, self.spoil),
            (6, self.send_single),
            (3, self.schedule_single),
            (8, self.send_drafts),
            (3, self.kill_cron_worker),
            (2, self.kill_http_worker),
            (3, self.cut_dispatcher),
            (1, self.cut_all),
            (2, self.pause),
            (3, self.resume),
            (1, self.cancel),
            (1, self.run_dry),
            (2, self.look),
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
            elif self._made < share * self._wanted and self._chance.random() < 0.4:
                doing = self.make_draft
            else:
                [doing] = self._chance.choices(doings, weights)
                if doing in cuts and not self._has_sent("cut"):
                    doing = self.send_drafts
            self._do(doing)
            self._server.keep_up()
            self._hurry()
            time.sleep(self._chance.uniform(0.02, 0.4))

    def _is_enough(self):
        return (
            self._wanted <= self._made
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
        """Do something; a person who gets no answer, or a refusal, goes on."""
        self.events[doing.__name__] += 1
        try:
            doing()
        except (NoAnswerError, RefusedError) as error:
            self.events[type(error).__name__] += 1
            if isinstance(error, RefusedError):
                with (self._log / "refused.log").open("a") as log:
                    log.write(f"{doing.__name__}: {error}\n")

    def _harm(self, kind):
        self.faults[kind] += 1

    # --- what people do ---------------------------------------------------------------

    def _number(self):
        self._count += 1
        ending = f"{self._count % 80:02}"
        if self._chance.random() < 0.01:
            ending = self._chance.choice(ODD_ENDINGS)
        return f"+792{self._count:06}{ending}"

    def make_draft(self):
        """A mass sending, equal or personalised, now or later."""
        place = self._chance.randrange(len(LOGINS))
        texts = [f"Sale {self._count}"] * 3 + ["Dear {{ name }}"]
        text = self._chance.choice(texts)
        size = DRAFT if text.startswith("Sale") else PERSONAL_DRAFT
        rows = "".join(f"{self._number()};Name {key}\n" for key in range(size))
        columns = [
            {"index": 0, "role": "phone", "title": "", "name": ""},
            {"index": 1, "role": "name", "title": "", "name": ""},
        ]
        source = {"sheet": "", "header_row": 0, "with_hidden": False, "pasted": True}
        values = {
            "account_id": self._accounts[place],
            "sender_id": self._senders[place],
            "body": text,
            "source_file": base64.b64encode(rows.encode()).decode(),
            "source_name": "numbers.csv",
            "source_columns": {**source, "columns": columns},
        }
        [batch] = self._person.call("sms.devino.batch", "create", [values])
        self._made += size
        self._person.call("sms.devino.batch", "action_calculate", [batch])

    def send_drafts(self):
        """Send what is calculated, and calculate again what was cut off."""
        for batch, calculation in self._database.run(
            """SELECT id, calculation FROM sms_devino_batch
                WHERE state = 'draft' AND calculation IN ('none', 'failed')"""
        ):
            if calculation == "failed" or not self._is_calculated(batch):
                self._person.call("sms.devino.batch", "action_calculate", [batch])
                continue
            if self._chance.random() < 0.3:
                at = self._in_seconds(self._chance.uniform(5, 40))
                values = {"scheduled_at": at}
                self._person.call("sms.devino.batch", "write", [batch], values)
            self._person.call("sms.devino.batch", "action_send", [batch])
            self._promise_batch(batch)

    def _is_calculated(self, batch):
        [[revision, calculated]] = self._database.run(
            "SELECT revision, calculated_revision FROM sms_devino_batch WHERE id = %s",
            [batch],
        )
        return revision == calculated

    def _promise_batch(self, batch):
        rows = self._database.run(
            "SELECT number FROM sms_devino_message "
            "WHERE batch_id = %s AND state != 'left_out'",
            [batch],
        )
        self._promised.update(number for (number,) in rows)

    def _in_seconds(self, seconds):
        [[now]] = self._database.run("SELECT now() AT TIME ZONE 'UTC'")
        return str((now + timedelta(seconds=seconds)).replace(microsecond=0))

    def send_single(self, **values):
        number = self._number()
        place = self._chance.randrange(len(LOGINS))
        context = {
            "default_composition_mode": "numbers",
            "default_sms_devino_direct": True,
        }
        values |= {
            "sms_devino_account_id": self._accounts[place],
            "sms_devino_sender_id": self._senders[place],
            "sms_devino_number": number,
            "body": f"Your code is {self._count}",
        }
        options = {"context": context}
        [made] = self._person.call("sms.composer", "create", [values], **options)
        self._person.call("sms.composer", "action_send_sms", [made], **options)
        self._promised.add(number)
        self._made += 1

    def schedule_single(self):
        at = self._in_seconds(self._chance.uniform(3, 40))
        self.send_single(sms_devino_when="later", sms_devino_scheduled_at=at)

    def _pick_batch(self, *states):
        rows = self._database.run(
            "SELECT id FROM sms_devino_batch WHERE state = ANY(%s)", [list(states)]
        )
        return self._chance.choice(rows)[0] if rows else None

    def pause(self):
        if batch := self._pick_batch("running", "scheduled"):
            self._person.call("sms.devino.batch", "action_pause", [batch])

    def resume(self):
        if batch := self._pick_batch("paused"):
            self._person.call("sms.devino.batch", "action_resume", [batch])

    def cancel(self):
        """Take back a few messages, or what is left of a sending."""
        if self._chance.random() < 0.3 and (batch := self._pick_batch("running")):
            self._person.call("sms.devino.batch", "action_cancel", [batch])
            return
        waiting = self._person.call(
            "sms.devino.message",
            "search",
            [["state", "in", ["outgoing", "scheduled"]]],
            limit=10,
        )
        if waiting:
            self._person.call("sms.devino.message", "action_cancel", waiting)

    def look(self):
        """The buttons that ask the provider while a person waits."""
        account = self._chance.choice(self._accounts)
        self._person.call("sms.devino.account", "action_refresh_balance", [account])
        sent = [["state", "=", "sent"]]
        if found := self._person.call("sms.devino.message", "search", sent, limit=1):
            self._person.call("sms.devino.message", "action_check_status", found)

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
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._is_busy():
            if self._has_sent("anything"):
                end = time.monotonic() + seconds
            self._do(self.send_drafts)
            self._do(self._resume_all)
            self._database.run(
                "UPDATE sms_devino_message SET next_at = now() AT TIME ZONE 'UTC' "
                "WHERE state = 'sent' AND accepted_at "
                "< now() AT TIME ZONE 'UTC' - interval '3 seconds'"
            )
            self._server.keep_up()
            self._hurry()
            time.sleep(1)
        self._server.stop()

    def _resume_all(self):
        while self._pick_batch("paused"):
            self.resume()

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
            promised=self._promised,
            calls=self._provider.calls(),
        )
        print("happened:", dict(self.events))
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
