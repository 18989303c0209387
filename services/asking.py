"""Asking the provider what became of messages, and what its answers mean."""

import time
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..gateway import (
    STATUS_MEMORY_HOURS,
    DevinoClient,
    GatewayError,
    NotSentError,
    state_info,
)
from ..gateway.limiter import shared_limiter
from ..gateway.pool import Channel, Job, Pool, within
from .account_job import AccountJob
from .balance import lock_asking
from .bulk import update_rows
from .commit import commit_retrying

# Messages read at once, and how long they count as the newest.
READ_ROWS = 200
READ_SECONDS = 2.0
# Answers in a row without a state, after which nothing more is asked in this run: a
# provider that fails at every id is left alone. After a few of them ids are asked in a
# random order, so that some that always fail do not block the others.
MAX_BAD_ANSWERS = 40
FEW_BAD_ANSWERS = 3
# When the limit makes a full pass longer than this, messages of mass sendings are asked
# in a random order: a sample of all tells more than the newest.
LONG_PASS = timedelta(minutes=10)
# How often a message is asked for, on average, until its final status is known.
CALLS_PER_MESSAGE = 2.3
# What a person waits for after pressing a button.
BUTTON_SECONDS = 5.0
# The answer where no question was asked.
NOT_ASKED = NotSentError()
# The provider forgets a message 48 hours after it was sent (documented). The last look
# is taken this long before that, "no final report" is noted right after it. A provider
# that does not answer then is asked for another day.
MEMORY = timedelta(hours=STATUS_MEMORY_HOURS)
LAST_LOOK = MEMORY - timedelta(minutes=30)
GIVE_UP = MEMORY + timedelta(hours=24)
# Widening rhythm: the next look comes after half of the message's age, within bounds.
SOONEST, LATEST = timedelta(seconds=10), timedelta(hours=4)
UNREACHABLE_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True)
class Question:
    """One call: the state of a segment."""

    client: DevinoClient = field(repr=False)
    message_id: int
    segment_id: int
    gateway_id: str
    # a run reports messages as its progress, and a message has several segments
    size = 0

    def make(self):
        return self.client.state(self.gateway_id)

    def describe(self, answer):
        return f"state of {self.gateway_id}"


class Asking(AccountJob):
    """Asks for the messages of one account that are due; notes a message once all its
    segments have answered.

    :param due: returns the domain of the messages to ask for now
    """

    # Asking puts nothing in doubt: only the limit of the account holds it back.
    workers = 64
    max_errors = MAX_BAD_ANSWERS

    def __init__(self, account, channel, client, due):
        super().__init__(account, channel, client)
        self.asked = 0
        self._due = due
        self._read_at = -READ_SECONDS
        self._is_random = False
        # questions by message, not begun yet; and those of the message being asked for
        self._waiting = deque()
        self._begun = deque()
        # message id -> its questions; and segment id -> answer
        self._open = {}
        self._answers = {}

    def claim(self, count):
        """Return the next questions. Nothing is claimed: asking twice does no harm."""
        questions = []
        while len(questions) < count and (self._begun or self._begin()):
            questions.append(self._begun.popleft())
        self.asked += len(questions)
        return questions

    def _begin(self):
        """Begin with the next message; return whether there is one."""
        self._read_if_needed()
        if self._waiting:
            self._begun.extend(self._waiting.popleft())
            self._open[self._begun[0].message_id] = tuple(self._begun)
        return bool(self._begun)

    def _read_if_needed(self):
        now = time.monotonic()
        is_stuck = self._errors >= FEW_BAD_ANSWERS and not self._is_random
        if not self._waiting or is_stuck or now >= self._read_at + READ_SECONDS:
            self._read_at = now
            questions, _seconds = commit_retrying(self.env, self._read)
            self._waiting = deque(questions)

    def _read(self):
        """Read what is due: messages that a person sent first, then the newest, or any
        when there are too many.

        :return: list of lists of questions, one for each message
        """
        messages = self.env["sms.devino.message"]
        limiter = self.channel.limiter
        enough = int(limiter.per_second * LONG_PASS.total_seconds())
        self._is_random = self._errors >= FEW_BAD_ANSWERS or bool(
            enough and messages.search_count(self._due(), limit=enough + 1) > enough
        )
        query = messages._search(
            [*self._due(), ("id", "not in", list(self._open))], limit=READ_ROWS
        )
        table = SQL.identifier(query.table)
        order = SQL("%s.accepted_at DESC, %s.id DESC", table, table)
        if self._is_random:
            order = SQL("hashint4(%s.id)", table)
        query.order = SQL("%s.priority DESC, %s", table, order)
        messages = messages.browse(query)
        found = {message: _questions_of(message, self.client) for message in messages}
        note(messages.filtered(lambda message: not found[message]), {})
        return [questions for questions in found.values() if questions]

    # --- writing down ---------------------------------------------------------------

    def settle_in(self, env, ended):
        for one in ended:
            answer = one.answer or one.error or NOT_ASKED
            self._answers[one.call.segment_id] = answer
        self._note(env, [one.call.message_id for one in ended])

    def after_settling(self, ended):
        for message_id in {one.call.message_id for one in ended}:
            if self._is_complete(message_id):
                for question in self._open.pop(message_id):
                    del self._answers[question.segment_id]

    def finish(self):
        """Note what is known of messages that were asked for only in part."""
        if self._open and not self.failure:
            for questions in self._open.values():
                for question in questions:
                    self._answers.setdefault(question.segment_id, NOT_ASKED)
            commit_retrying(self.env, lambda: self._note(self.env, list(self._open)))

    def _is_complete(self, message_id):
        return all(
            question.segment_id in self._answers
            for question in self._open.get(message_id, ())
        )

    def _note(self, env, message_ids):
        complete = sorted(filter(self._is_complete, set(message_ids)))
        answers = {
            question.segment_id: self._answers[question.segment_id]
            for message_id in complete
            for question in self._open.get(message_id, ())
        }
        note(env["sms.devino.message"].browse(complete), answers)


def _questions_of(message, client):
    return [
        Question(client, message.id, segment.id, segment.gateway_id)
        for segment in message.segment_ids
        if not segment.is_final
    ]


# --- for a person who waits -----------------------------------------------------------


class _AskingOnce(Job):
    """Asks questions that are known, and keeps the answers."""

    max_errors = MAX_BAD_ANSWERS

    def __init__(self, channel, questions):
        super().__init__(channel)
        self.questions = deque(questions)
        self.answers = {question.segment_id: NOT_ASKED for question in questions}

    def claim(self, count):
        count = min(count, len(self.questions))
        return [self.questions.popleft() for _question in range(count)]

    def settle(self, ended):
        for one in ended:
            self.answers[one.call.segment_id] = one.answer or one.error or NOT_ASKED

    rescue = settle


def check_now(messages):
    """Ask, now, what became of these messages, and note what was answered.

    A message that has its final status keeps it. It takes 5 seconds at most; what is
    not answered by then is asked for by the scheduled action.

    :return: the ``GatewayError`` that a question ended with, ``None`` without one
    :raise UserError: when an account has no login or no password, has been stopped, or
        is being asked by somebody else
    """
    errors = []
    jobs = {
        of_account: _prepare_asking(account, of_account)
        for account, of_account in messages.filtered(
            lambda message: message.mode == message.account_id.mode
        )
        .grouped("account_id")
        .items()
    }
    deadline = time.monotonic() + BUTTON_SECONDS
    pool = Pool(lambda: [j for j in jobs.values() if j.questions], deadline=deadline)
    within(BUTTON_SECONDS, pool.run)
    for of_account, job in jobs.items():
        note(of_account, dict(job.answers))
        errors += filter(None, [job.channel.stop_error])
        errors += [a for a in job.answers.values() if isinstance(a, GatewayError)]
    return errors[0] if errors else None


def _prepare_asking(account, messages):
    """Return the job that asks for the messages of one account."""
    if account.state == "stopped":
        raise UserError(
            account.env._(
                "The SMS account “%s” has been stopped. Check its connection first.",
                account.name,
            )
        )
    client = account._get_client()
    lock_asking(account)
    limiter = shared_limiter((account.env.cr.dbname, account.id))
    limiter.per_second = account.requests_per_second
    questions = [q for message in messages for q in _questions_of(message, client)]
    return _AskingOnce(Channel(client.log_in_once, limiter), questions)


# --- for the form of a mass sending ---------------------------------------------------


def expect_complete(batch):
    """Return when the statuses of a mass sending will all have been asked for.

    :return: datetime in UTC; false when that is a matter of minutes, or done
    """
    account = batch.account_id.sudo()
    if not account.requests_per_second or not batch.sent_count:
        return False
    asked = batch.env["sms.devino.message"].sudo()
    waiting = asked.search_count(
        [
            ("account_id", "=", account.id),
            ("mode", "=", account.mode),
            ("state", "=", "sent"),
            ("next_at", "!=", False),
        ]
    )
    calls = waiting * CALLS_PER_MESSAGE
    left = timedelta(seconds=calls / account.requests_per_second)
    return fields.Datetime.now() + left if left > LONG_PASS else False


# --- what the answers mean ------------------------------------------------------------


def note(messages, answers):
    """Write the answers down and derive the state of each message from them.

    :param dict answers: segment id -> ``MessageState`` or ``GatewayError``
    """
    if not messages:
        return
    messages.env["sms.devino.segment"]._note(
        {key: a for key, a in answers.items() if not isinstance(a, GatewayError)}
    )
    by_target = {}
    for message in messages:
        target, values = derive(message, answers)
        by_target.setdefault(target, []).append({"id": message.id, **values})
    if on_their_way := by_target.pop(None, []):
        columns = [column for column in on_their_way[0] if column != "id"]
        update_rows(
            messages.browse(), columns, on_their_way, condition=SQL("m.state = 'sent'")
        )
    for target, rows in by_target.items():
        messages._transition(target, rows)


def derive(message, answers):
    """Derive a message from its segments.

    :return: the state it has reached, ``None`` while it is on its way, and its values
    """
    segments, now = message.segment_ids, fields.Datetime.now()
    errors = [a for s in segments if isinstance(a := answers.get(s.id), GatewayError)]
    delivered = [s for s in segments if s.is_final and state_info(s.code).delivered]
    values = {
        "cost": sum(segments.mapped("price")),
        "submitted_at": min(
            filter(None, segments.mapped("submitted_at")), default=None
        ),
        "message_status": decisive_status(segments),
    }
    if segments and all(segment.is_final for segment in segments):
        values["next_at"] = None
        if len(delivered) == len(segments):
            reported = max(filter(None, segments.mapped("reported_at")), default=now)
            return "delivered", values | {"delivered_at": reported}
        reason = "partial" if delivered else None
        return "undelivered", values | {"reason": reason}
    if now >= message.accepted_at + (GIVE_UP if errors else MEMORY):
        values |= {"next_at": None, "message_status": "Unrecognized"}
        return "unconfirmed", values | {"reason": "silence"}
    if errors and all(error is NOT_ASKED for error in errors):
        # first in the next run
        return None, values | {"next_at": message.next_at or now}
    return None, values | {"next_at": next_look(message, unanswered=bool(errors))}


def decisive_status(segments):
    """Return the status of the segment that decides: the first that is not delivered,
    else the first."""
    known = [segment for segment in segments if segment.message_status]
    behind = [s for s in known if s.message_status != "Delivered_To_Recipient"]
    decisive = (behind or known or [None])[0]
    return decisive.message_status if decisive else None


def next_look(message, *, unanswered=False):
    """Return when to ask again: ever more rarely, but once more before the end of the
    provider's memory."""
    now = fields.Datetime.now()
    age = now - message.accepted_at
    pause = min(max(age / 2, SOONEST), LATEST)
    if unanswered:
        pause = max(pause, UNREACHABLE_PAUSE)
    if age < LAST_LOOK:
        return min(now + pause, message.accepted_at + LAST_LOOK).replace(microsecond=0)
    if not unanswered:
        return message.accepted_at + MEMORY
    pause = UNREACHABLE_PAUSE if age < MEMORY else timedelta(hours=1)
    return (now + pause).replace(microsecond=0)
