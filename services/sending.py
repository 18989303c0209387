"""Sending for one account: claim the rows of one call and record its result."""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from odoo import fields
from odoo.tools import SQL

from ..gateway import (
    MAX_BULK_NUMBERS,
    AccountRefusedError,
    DevinoClient,
    MessageRefusedError,
    NotSentError,
)
from ..gateway.pool import LOOK_SECONDS, Ended
from ..tools.chunks import PARTS, part_size
from .account_job import AccountJob
from .commit import commit_retrying
from .message_states import NUMBER_REFUSED

# The bulks under way hold together at most one full bulk: what a kill leaves in doubt.
# Less room than this is not worth a bulk.
SMALLEST_ROOM = MAX_BULK_NUMBERS // 8
# A text or sender that the provider refuses is refused for every number. After this
# many refusals, and nothing accepted, the rest is not tried.
MAX_REFUSALS = 8
# Messages at the head of the queue that are looked at: a few at first, since different
# texts need no more, and enough for a full bulk when the first texts are equal.
FEW, MANY = 64, 2 * MAX_BULK_NUMBERS
# Pauses after attempts that surely did not reach the provider. Together two days.
PAUSES = [
    timedelta(minutes=minutes)
    for minutes in (1, 2, 5, 10, 20, 30, 60, 120, 240, 480, 720, 1080)
]
# The first look at a fresh message: the provider needs seconds to know it.
FIRST_LOOK = timedelta(seconds=10)
# Messages that are failed at once, without a call.
PAGE = 5000
# How messages are looked for: at first without a lock, then past those that another
# transaction is at.
PLAIN, PAST_LOCKED = SQL(), SQL("FOR NO KEY UPDATE OF m SKIP LOCKED")


@dataclass(frozen=True)
class Bulk:
    """One call: a text from one sender to distinct numbers.

    :param keys: ids of the messages; ``numbers`` and ``attempts`` go with them
    :param validity: minutes, ``None`` for the provider's default
    """

    client: DevinoClient = field(repr=False)
    keys: tuple[int, ...]
    numbers: tuple[str, ...] = field(repr=False)
    attempts: tuple[int, ...]
    sender: str
    text: str = field(repr=False)
    validity: int | None

    @property
    def size(self):
        return len(self.keys)

    def make(self):
        """Send it.

        :return: dict of message id -> list of the provider's ids
        """
        options = {"validity": self.validity}
        if self.size == 1:
            ids = self.client.send(self.sender, self.numbers[0], self.text, **options)
            return {self.keys[0]: ids}
        ids = self.client.send_bulk(self.sender, self.numbers, self.text, **options)
        return {
            key: ids[number]
            for key, number in zip(self.keys, self.numbers, strict=True)
        }

    def describe(self, answer):
        return f"accepted messages (id: SMS ids) {answer}"


class Refusals:
    """Texts and senders that the provider refuses, whatever the number."""

    def __init__(self):
        # (sender, text or None) -> refusals in a row; gone once something was accepted
        self._counts = {}
        self._accepted = set()
        self._hopeless = {}
        # (sender, text) -> bulks that were refused, numbers that were refused alone
        self._bulks, self._singles = Counter(), Counter()

    def wants_probe(self, sender, text):
        """Say whether a number is to be tried alone next.

        That tells soonest whether the text is refused or numbers are, when the parts
        of a bulk are refused too and nothing was accepted.
        """
        key = sender, text
        is_doubtful = self._bulks[key] >= PARTS and key not in self._accepted
        return is_doubtful and self._singles[key] < MAX_REFUSALS

    def note(self, bulk, error):
        """Learn from a call that was accepted (no error) or refused."""
        of_sender, of_text = (bulk.sender, None), (bulk.sender, bulk.text)
        if error is None:
            self._accepted |= {of_sender, of_text}
        elif _is_sender_refused(error):
            self._count(of_sender, error)
        elif bulk.size > 1:
            self._bulks[of_text] += 1
        else:
            self._singles[of_text] += 1
            if not _is_number_refused(error):
                self._count(of_text, error)

    def _count(self, key, error):
        self._counts[key] = self._counts.get(key, 0) + 1
        if self._counts[key] >= MAX_REFUSALS and key not in self._accepted:
            self._hopeless[key] = error

    def find(self, sender, text):
        """Return the domain of the messages that need not be tried, and the error they
        end with; nothing for a text that may pass."""
        if error := self._hopeless.get((sender, None)):
            return [("sender_name", "=", sender)], error
        if error := self._hopeless.get((sender, text)):
            return [("sender_name", "=", sender), ("body", "=", text)], error
        return None


class Sending(AccountJob):
    """Takes messages of one account out of the queue.

    :param int claim: the number under which the connection holds an advisory lock
    :param queue: returns the SQL for what may leave now, in terms of ``m``
    """

    claims_in_turn = True

    def __init__(self, account, channel, client, claim, queue):
        super().__init__(account, channel, client)
        self.sent = 0
        self._claim = claim
        self._queue = queue
        self._numbers_under_way = 0
        self._in_doubt = []
        # the head of the queue, as it was a moment ago
        self._window, self._looked_at = [], 0.0
        self._locking = PLAIN
        self._refusals = Refusals()
        self._marked_senders = set()

    # --- claiming -------------------------------------------------------------------

    def claim(self, count):
        """Claim and commit the next calls: no other process sends them any more."""
        calls, _seconds = commit_retrying(self.env, lambda: self._claim_calls(count))
        self._in_doubt = []
        self._numbers_under_way += sum(call.size for call in calls)
        return calls

    def _claim_calls(self, count):
        self._in_doubt = []
        for self._locking in (PLAIN, PAST_LOCKED):
            plan = self._plan(count)
            ids = [row["id"] for rows in plan for row in rows]
            moved = set(self._move_to_sending(plan, ids))
            if len(moved) < len(ids):
                # another process was faster, or the queue has been stopped
                self._window = []
            mine = [[row for row in rows if row["id"] in moved] for rows in plan]
            self._in_doubt = [self._make_bulk(rows) for rows in mine if rows]
            if self._in_doubt or not plan:
                break
        return self._in_doubt

    def _messages(self):
        return self.env["sms.devino.message"]

    def _move_to_sending(self, plan, ids):
        """Claim messages that may still leave and that no other process has locked,
        without waiting for a lock."""
        now = datetime.now(UTC).replace(tzinfo=None)
        return self._messages()._transition(
            "sending",
            [
                # a moment of its own tells the messages of each call
                {
                    "id": row["id"],
                    "claim": self._claim,
                    "claimed_at": now + timedelta(microseconds=index),
                }
                for index, rows in enumerate(plan)
                for row in rows
            ],
            extra=SQL("attempts = COALESCE(m.attempts, 0) + 1, next_at = NULL"),
            condition=SQL(
                """m.id IN (SELECT m.id FROM sms_devino_message m
                             WHERE m.id = ANY(%s) AND %s
                               FOR NO KEY UPDATE OF m SKIP LOCKED)""",
                ids,
                self._queue(),
            ),
        )

    def _make_bulk(self, rows):
        head = rows[0]
        return Bulk(
            client=self.client,
            keys=tuple(row["id"] for row in rows),
            numbers=tuple(row["number"].removeprefix("+") for row in rows),
            attempts=tuple(row["attempts"] for row in rows),
            sender=head["sender_name"],
            text=head["body"],
            validity=minutes_left(head["use_until"], fields.Datetime.now()),
        )

    def _plan(self, count):
        """Return the rows of the next calls, the most urgent first.

        :param int count: of calls, at most
        :return: a list of lists of rows, one for each call
        """
        room = MAX_BULK_NUMBERS - self._numbers_under_way
        if room < SMALLEST_ROOM:
            # only messages that a person sent
            room = 0
        if time.monotonic() > self._looked_at + LOOK_SECONDS:
            self._window = []
        plan = []
        while len(plan) < count:
            if not self._window and not plan:
                self._window = self._read_head()
            head = next((r for r in self._window if room or r["priority"] == "1"), None)
            if not head:
                break
            if self._fail_in_vain(head):
                self._window = []
                continue
            alike = [row for row in self._window if _likeness(row) == _likeness(head)]
            largest = min(head["largest_bulk"] or MAX_BULK_NUMBERS, max(room, 1))
            if len(alike) > 1 and self._refusals.wants_probe(
                head["sender_name"], head["body"]
            ):
                largest = 1
            if largest > 1 and len(alike) > 1:
                plan.append(self._pick_alike(head, largest))
                self._window = []
                break
            plan.append([head])
            self._window.remove(head)
        return plan

    def _read_head(self):
        """Return the first messages of the queue as dicts."""
        self._looked_at = time.monotonic()
        query = SQL(
            """SELECT m.id, m.number, m.sender_name, m.body, m.use_until, m.priority,
                      COALESCE(m.attempts, 0) AS attempts,
                      COALESCE(m.largest_bulk, 0) AS largest_bulk
                 FROM sms_devino_message m
                WHERE m.account_id = %s AND %s
             ORDER BY m.priority DESC, m.id LIMIT %s %s""",
            *(self.account_id, self._queue(), FEW, self._locking),
        )
        self.env.cr.execute(query)
        return self.env.cr.dictfetchall()

    def _pick_alike(self, head, largest):
        """Return rows that may go in one call with this one, to distinct numbers.

        Parts of a refused bulk are picked in a fixed random order, so that the first
        numbers tried are not the first of a list.
        """
        query = SQL(
            """SELECT q.id, q.number, q.attempts FROM (
                   SELECT m.id, m.number, COALESCE(m.attempts, 0) AS attempts,
                          m.sender_name, m.body, m.priority, m.use_until,
                          COALESCE(m.largest_bulk, 0) AS largest_bulk
                     FROM sms_devino_message m
                    WHERE m.account_id = %s AND %s
                 ORDER BY m.priority DESC, m.id LIMIT %s %s) AS q
                WHERE (q.sender_name, q.body, q.priority, q.largest_bulk)
                      = (%s, %s, %s, %s)
                  AND q.use_until IS NOT DISTINCT FROM %s
             ORDER BY %s LIMIT %s""",
            *(self.account_id, self._queue(), MANY, self._locking),
            *_likeness(head),
            SQL("hashint4(q.id)" if head["largest_bulk"] else "q.id"),
            largest,
        )
        # what the provider answers to a repeated number is not documented
        distinct = {}
        for key, number, attempts in self.env.execute_query(query):
            row = {**head, "id": key, "number": number, "attempts": attempts}
            distinct.setdefault(number, row)
        return list(distinct.values())

    def _fail_in_vain(self, head):
        """Fail messages like this one that need not be tried.

        :return: whether it was one
        """
        now = fields.Datetime.now()
        if head["use_until"] and head["use_until"] <= now:
            domain = [("use_until", "<=", now)]
            values = {"reason": "expired", "message_status": "Error_Expired"}
        elif found := self._refusals.find(head["sender_name"], head["body"]):
            domain, error = found
            values = {"reason": "refused", **_error_values(error)}
        else:
            return False
        waiting = [("account_id", "=", self.account_id), ("state", "=", "outgoing")]
        rows = self._messages().search(waiting + domain, limit=PAGE)
        self._messages()._transition(
            "failed",
            [{"id": key, **values} for key in rows.ids],
            condition=SQL("m.state = 'outgoing'"),
        )
        return True

    # --- writing down ---------------------------------------------------------------

    def after_settling(self, ended):
        # not before: an answer that is not written down is lost by a kill
        self._numbers_under_way -= sum(one.call.size for one in ended)
        # apart, so that a sender that somebody edits holds nothing up
        for one in ended:
            if _kind_of(one) in ("accepted", "refused"):
                self._refusals.note(one.call, one.error)
        self._mark_senders(ended)

    def rescue(self, ended):
        # claimed, perhaps, and surely not called
        return super().rescue([*ended, *map(Ended, self._in_doubt)])

    def settle_in(self, env, ended):
        by_kind = {}
        for one in ended:
            by_kind.setdefault(_kind_of(one), []).append(one)
        for kind, of_kind in by_kind.items():
            getattr(self, f"_settle_{kind}")(env, of_kind)

    def _settle_accepted(self, env, ended):
        now = fields.Datetime.now()
        ids = {key: ids for one in ended for key, ids in one.answer.items()}
        values = {
            "operation_status": "OK_Operation_Completed",
            "accepted_at": now,
            "next_at": now + FIRST_LOOK,
            "reason": None,
            "error_text": None,
        }
        rows = [
            {"id": key, "segment_count": len(segments), **values}
            for key, segments in ids.items()
        ]
        moved = self._move(env, "sent", rows)
        env["sms.devino.segment"]._insert({key: ids[key] for key in moved})
        self.sent += len(moved)

    def _settle_refused(self, env, ended):
        """A bulk is refused as a whole for one bad number (documented): its parts are
        tried. That was no attempt."""
        final = [
            one for one in ended if one.call.size == 1 or _is_sender_refused(one.error)
        ]
        self._move(env, "failed", _error_rows(final, "refused"))
        self._put_back(env, [one for one in ended if one not in final], refused=True)

    def _settle_unknown(self, env, ended):
        self._move(env, "unknown", _error_rows(ended, "no_answer"))

    def _settle_not_sent(self, env, ended):
        """Back into the queue with a growing pause, until the attempts are used up."""
        now = fields.Datetime.now()
        attempts = {
            key: count
            for one in ended
            for key, count in zip(one.call.keys, one.call.attempts, strict=True)
        }
        again, exhausted = [], []
        for row in _error_rows(ended, "attempts"):
            count = attempts[row["id"]]
            if count < len(PAUSES):
                again.append({**row, "reason": None, "next_at": now + PAUSES[count]})
            else:
                exhausted.append(row)
        self._move(env, "outgoing", again)
        self._move(env, "failed", exhausted)

    def _settle_untouched(self, env, ended):
        self._put_back(env, ended)

    def _put_back(self, env, ended, *, refused=False):
        """Back into the queue, as if there had been no attempt."""
        rows = []
        for one in ended:
            values = {"largest_bulk": part_size(one.call.size)} if refused else {}
            for key, attempts in zip(one.call.keys, one.call.attempts, strict=True):
                rows.append({"id": key, "attempts": attempts, **values})
        self._move(env, "outgoing", rows)

    def _move(self, env, target, rows):
        """Move rows that are ours, or that were given up for unknown meanwhile."""
        return env["sms.devino.message"]._transition(
            target, [{**row, "claim": None} for row in rows], claim=self._claim
        )

    def _mark_senders(self, ended):
        marks = set()
        for one in ended:
            if _kind_of(one) == "accepted":
                marks.add((one.call.sender, "accepted"))
            elif one.error and _is_sender_refused(one.error):
                marks.add((one.call.sender, "refused"))
        senders = self.env["sms.devino.sender"]
        for mark in marks - self._marked_senders:
            commit_retrying(
                self.env, lambda mark=mark: senders._mark(self.account_id, *mark)
            )
        self._marked_senders |= marks


def minutes_left(use_until, now):
    """Return the minutes until ``use_until``, rounded up; ``None`` without an end."""
    if not use_until:
        return None
    return max(-((now - use_until) // timedelta(minutes=1)), 1)


def _likeness(row):
    """What messages in one call have in common."""
    names = ("sender_name", "body", "priority", "largest_bulk", "use_until")
    return tuple(row[name] for name in names)


def _kind_of(ended):
    """Say what a call means for its messages."""
    error = ended.error
    if error is None:
        return "untouched" if ended.answer is None else "accepted"
    if isinstance(error, MessageRefusedError):
        return "refused"
    if isinstance(error, NotSentError):
        return "not_sent"
    # surely not sent, and no attempt: the account has to be mended first
    return "untouched" if isinstance(error, AccountRefusedError) else "unknown"


def _is_sender_refused(error):
    return error.operation_status == "Error_Invalid_Source_Address"


def _is_number_refused(error):
    return error.operation_status == NUMBER_REFUSED


def _error_rows(ended, reason):
    return [
        {"id": key, "reason": reason, **_error_values(one.error)}
        for one in ended
        for key in one.call.keys
    ]


def _error_values(error):
    return {
        "operation_status": error.operation_status,
        "error_text": str(error)[:500],
        "raw_answer": error.raw or None,
    }
