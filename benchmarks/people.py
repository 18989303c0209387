"""What people do in the drill: send, pause, cancel, ask, as by the web client."""

import base64
from collections import Counter
from datetime import timedelta

from reckoning import REFUSED, REJECTED
from stage import ZONE, NoAnswerError, RefusedError

LOGINS = ("first", "second", "third")
# rows of a mass sending with one text, and with a text each, which costs a call each
DRAFT, PERSONAL_DRAFT = 150, 40
# what a person writes there is refused, or rejected later
ODD_ENDINGS = (*REJECTED, *REFUSED)


class People:
    """Whoever sends.

    :param person: the :class:`~stage.Person` that all of them log in as
    :param database: where they look up what there is to do
    :param chance: decides
    :param log: path of a file for what Odoo refused
    """

    def __init__(self, person, database, chance, log):
        self._person, self._database, self._chance = person, database, chance
        self._log = log
        self._count = 0
        #: messages written, those of drafts too
        self.made = 0
        #: numbers of messages of which Odoo said that they are on their way
        self.promised = set()
        self.events = Counter()

    def set_up(self, url):
        """Make three accounts at the provider, the last one with a limit.

        :param str url: of the provider
        """
        person = self._person
        person.log_in()
        [country] = person.call("res.country", "search", [["code", "=", "RU"]])
        self._accounts, self._senders = [], []
        for login in LOGINS:
            values = {
                "name": login,
                "mode": "live",
                "url": url,
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

    def attempt(self, doing, *args):
        """Do something; a person who gets no answer, or a refusal, goes on."""
        try:
            doing(*args)
        except (NoAnswerError, RefusedError) as error:
            self.events[type(error).__name__] += 1
            if isinstance(error, RefusedError):
                with self._log.open("a") as log:
                    log.write(f"{doing.__name__}: {error}\n")

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
        self.made += size
        self._person.call("sms.devino.batch", "action_calculate", [batch])

    def send_drafts(self):
        """Send what is calculated, and calculate again what was cut off."""
        for batch, calculation in self._database.run(
            """SELECT id, calculation FROM sms_devino_batch
                WHERE state = 'draft' AND calculation IN ('none', 'failed')"""
        ):
            if calculation == "failed" or not self._is_calculated(batch):
                self.attempt(
                    self._person.call, "sms.devino.batch", "action_calculate", [batch]
                )
            else:
                self.attempt(self._send_draft, batch)

    def _send_draft(self, batch):
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
        self.promised.update(number for (number,) in rows)

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
        self.promised.add(number)
        self.made += 1

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

    def resume_all(self):
        while self._pick_batch("paused"):
            self.resume()

    def refresh_balances(self):
        """Odoo sends no draft before it knows of the money."""
        for account in self._accounts:
            self.attempt(
                self._person.call,
                "sms.devino.account",
                "action_refresh_balance",
                [account],
            )
