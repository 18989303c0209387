"""The work of the dispatcher on one account: claim, call, write down, again."""

import logging
import math
import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import psycopg2

from odoo import api, fields
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..gateway.handover import Call, HandOver, Item, Outcome, plan_calls, shared_limiter
from ..services.commit import call_deadline, commit_retrying, seconds_left, wake_later

_logger = logging.getLogger(__name__)

WORKERS = 8
# Calls that are claimed at once. What is claimed when the process dies becomes
# "unknown", so a claim is no larger than keeps the threads busy.
CLAIM_CALLS = 2 * WORKERS
# No call starts later than twice this after a run began, a call takes 70 seconds at
# most, and Odoo kills a scheduled action after 120.
GRACE_SECONDS = 20
# Pauses before the next attempt after one that surely did not reach the gateway; as
# many attempts as pauses. Together two days.
PAUSES = [
    timedelta(minutes=minutes)
    for minutes in (1, 2, 5, 10, 20, 30, 60, 120, 240, 480, 720, 1080)
]
MISCONFIGURED_PAUSE = timedelta(minutes=10)
# The first look at a fresh message: the provider needs seconds to know it.
FIRST_CHECK = timedelta(seconds=10)
# Seconds before each try to write outcomes down once the database connection is lost.
RESCUE_PAUSES = (0, 1, 2, 4, 8, 15)
LOST_CONNECTION = (psycopg2.OperationalError, psycopg2.InterfaceError)


class DispatchRun:
    """Sends rows of one account under one claim.

    :param account: ``sms.devino.account``, one
    :param int claim: the number under which the connection holds an advisory lock
    """

    def __init__(self, account, claim):
        self.account = account
        self.env = account.env
        self.claim = claim
        self.messages = account.env["sms.devino.message"]
        self.seconds_left = seconds_left(account.env)
        self._rows = {}
        self._claimed = 0
        self._in_doubt = ()
        self._unsettled = []
        self._marked_senders = set()

    def send(self, rows, seconds=math.inf):
        """Hand messages over and write down what became of each.

        :param list rows: as :meth:`SmsDevinoDispatcher._read_queue` returns them
        :param float seconds: claim nothing more after so long
        :return: how many left the queue, whichever way
        """
        try:
            client = self.account._get_client()
        except UserError as error:
            self.pause(MISCONFIGURED_PAUSE, error)
            return 0
        self._rows = {row["id"]: row for row in rows}
        expired = self._fail_expired()
        self._claimed = 0
        limiter = shared_limiter(
            (self.env.cr.dbname, self.account.id), self.account.requests_per_second
        )
        deadline = call_deadline(self.env, GRACE_SECONDS)
        with (
            _interpreter_kept(),
            HandOver(client, limiter, WORKERS, deadline=deadline) as hand_over,
        ):
            self._hand_over(hand_over, time.monotonic() + seconds)
        if hand_over.pointless and self.account.state != "stopped":
            asked = timedelta(seconds=hand_over.retry_after)
            self.pause(asked or PAUSES[0])
        return expired + self._claimed

    def _hand_over(self, hand_over, until):
        """Make the calls; whatever happens, write down what is known of each."""
        try:
            for outcomes in hand_over.run(self._claim_chunks(until)):
                self._unsettled = outcomes
                self._settle(outcomes)
                self._unsettled = []
        except BaseException as error:
            # Also a lost database, or a server that is told to stop: no new calls
            # then, but those under way come to an end, and it gets written down.
            _logger.warning("handing over broke off: %s", type(error).__name__)
            self._rescue(
                [
                    *self._unsettled,
                    *hand_over.drain(),
                    *(Outcome("untouched", call.items) for call in self._in_doubt),
                ]
            )
            raise

    # --- claiming -------------------------------------------------------------------

    def _plan(self):
        """Return the calls for the rows, the most urgent first."""
        now = fields.Datetime.now()
        return plan_calls(
            Item(
                key=row["id"],
                number=row["number"].removeprefix("+"),
                sender=row["sender_name"],
                text=row["body"],
                validity=remaining_minutes(row, now) or None,
            )
            for row in self._rows.values()
        )

    def _claim_chunks(self, until):
        """Claim the messages of a few calls, yield these calls; until time is up."""
        calls = self._plan()
        for start in range(0, len(calls), CLAIM_CALLS):
            if start and (not self.seconds_left or time.monotonic() >= until):
                return
            self._in_doubt = calls[start : start + CLAIM_CALLS]
            claimed = self._claim(
                [item.key for call in self._in_doubt for item in call.items]
            )
            chunk = [
                Call(items, call.origin)
                for call in self._in_doubt
                if (items := tuple(i for i in call.items if i.key in claimed))
            ]
            self._in_doubt = ()
            self._claimed += len(claimed)
            yield chunk

    def _claim(self, ids):
        """Claim and commit: from here on nobody else sends these messages.

        :return: the set of ids that are ours; the others were canceled, put on hold or
            taken
        """
        rows = [{"id": message_id, "claim": self.claim} for message_id in ids]
        stamp = SQL(
            "claimed_at = (clock_timestamp() AT TIME ZONE 'UTC'), "
            "attempts = attempts + 1"
        )
        dispatcher = self.env["sms.devino.dispatcher"]
        moved = self._committed(
            lambda: self.messages._transition(
                "sending", rows, extra=stamp, condition=dispatcher._queue_condition()
            )
        )
        return set(moved)

    # --- writing down ---------------------------------------------------------------

    def _settle(self, outcomes):
        """Write down what is known of some messages, and commit. Doing it again
        changes nothing."""
        by_kind = {}
        for outcome in outcomes:
            by_kind.setdefault(outcome.kind, []).append(outcome)
        self._committed(
            lambda: [
                getattr(self, f"_settle_{kind}")(of_kind)
                for kind, of_kind in by_kind.items()
            ],
            processed=sum(len(outcome.items) for outcome in outcomes),
        )
        # apart, so that a sender or an account that somebody edits holds nothing up
        self._mark_senders(by_kind.get("accepted", []), "accepted")
        self._mark_senders(
            [
                outcome
                for outcome in by_kind.get("refused", [])
                if outcome.error.operation_status == "Error_Invalid_Source_Address"
            ],
            "refused",
        )
        for outcome in by_kind.get("account", [])[:1]:
            self._committed(lambda error=outcome.error: self.account._stop(error))

    def _rescue(self, outcomes):
        """Write outcomes down by another connection: this one may be lost, or in a
        transaction that failed."""
        if not outcomes:
            return
        if not self.env.cr.closed:
            self.env.cr.rollback()
        for pause in RESCUE_PAUSES:
            time.sleep(pause)
            try:
                with self.env.registry.cursor() as cr:
                    env = api.Environment(cr, self.env.uid, {})
                    twin = DispatchRun(self.account.with_env(env), self.claim)
                    twin._rows = self._rows
                    twin._settle(outcomes)
                return
            except LOST_CONNECTION as error:
                _logger.info("no database yet: %s", type(error).__name__)
            except Exception:
                _logger.exception("outcomes could not be written down")
                break
        accepted = [outcome.ids for outcome in outcomes if outcome.ids]
        _logger.error(
            "the provider accepted these messages (id: SMS ids), and it could not be "
            "written down: %s",
            accepted,
        )

    def _move(self, target, rows):
        """Move rows that are ours, or that were given up for unknown meanwhile."""
        return self.messages._transition(
            target,
            [{"claim": None, **row} for row in rows],
            condition=SQL("(m.claim = %s OR m.state = 'unknown')", self.claim),
        )

    def _settle_accepted(self, outcomes):
        now = fields.Datetime.now()
        ids = {key: ids for outcome in outcomes for key, ids in outcome.ids.items()}
        rows = [
            {
                "id": message_id,
                "segment_count": len(gateway_ids),
                "operation_status": "OK_Operation_Completed",
                "accepted_at": now,
                "next_at": now + FIRST_CHECK,
                "reason": None,
                "error_text": None,
            }
            for message_id, gateway_ids in ids.items()
        ]
        moved = self._move("sent", rows)
        self.env["sms.devino.segment"]._insert(
            {message_id: ids[message_id] for message_id in moved}
        )
        wake_later(self.env, "sms_devino.ir_cron_check_statuses", now + FIRST_CHECK)

    def _settle_refused(self, outcomes):
        self._move("failed", self._error_rows(outcomes, reason="refused"))

    def _settle_unknown(self, outcomes):
        self._move("unknown", self._error_rows(outcomes, reason="no_answer"))

    def _settle_not_sent(self, outcomes):
        """Back into the queue with a growing pause, until the attempts are used up."""
        now = fields.Datetime.now()
        again, exhausted = [], []
        for row in self._error_rows(outcomes, reason="attempts"):
            attempt = self._rows[row["id"]]["attempts"]
            if attempt + 1 >= len(PAUSES):
                exhausted.append(row)
            else:
                again.append(row | {"reason": None, "next_at": now + PAUSES[attempt]})
        self._move("outgoing", again)
        self._move("failed", exhausted)

    def _settle_untouched(self, outcomes):
        """No call was made, so this was no attempt."""
        self._move(
            "outgoing",
            [
                {"id": item.key, "attempts": self._rows[item.key]["attempts"]}
                for outcome in outcomes
                for item in outcome.items
            ],
        )

    def _settle_account(self, outcomes):
        self._settle_untouched(outcomes)

    def _error_rows(self, outcomes, *, reason):
        return [
            {
                "id": item.key,
                "reason": reason,
                "operation_status": outcome.error.operation_status,
                "error_text": str(outcome.error)[:500],
                "raw_answer": outcome.error.raw or None,
            }
            for outcome in outcomes
            for item in outcome.items
        ]

    def _fail_expired(self):
        """A message whose lifetime is over is of no use to anybody any more."""
        now = fields.Datetime.now()
        expired = [
            row["id"]
            for row in self._rows.values()
            if row["use_until"] and row["use_until"] <= now
        ]
        rows = [
            {
                "id": message_id,
                "reason": "expired",
                "message_status": "Error_Expired",
                "next_at": None,
            }
            for message_id in expired
        ]
        if rows:
            self._committed(
                lambda: self.messages._transition(
                    "failed",
                    rows,
                    condition=SQL("m.state = 'outgoing'"),
                ),
                processed=len(rows),
            )
        for message_id in expired:
            del self._rows[message_id]
        return len(rows)

    def _mark_senders(self, outcomes, state):
        names = {item.sender for outcome in outcomes for item in outcome.items}
        marks = {(name, state) for name in names} - self._marked_senders
        if marks:
            senders = self.env["sms.devino.sender"]
            self._committed(
                lambda: [senders._mark(self.account.id, *mark) for mark in marks]
            )
            self._marked_senders |= marks

    def pause(self, pause, error=None):
        """Leave this account alone for a while; its messages stay in the queue."""
        values = {"paused_until": fields.Datetime.now() + pause}
        if error:
            values["last_error"] = str(error)[:500]

        def work():
            self.account.write(values)
            wake_later(self.env, "sms_devino.ir_cron_dispatch", values["paused_until"])

        self._committed(work)

    def _committed(self, work, processed=0):
        result, self.seconds_left = commit_retrying(self.env, work, processed)
        return result


def remaining_minutes(row, now):
    """Return how many minutes of its lifetime a message has left, rounded up; 0 when it
    is over, and when it has none."""
    left = row["use_until"] and (row["use_until"] - now) / timedelta(minutes=1)
    return max(math.ceil(left), 0) if left else 0


@contextmanager
def _interpreter_kept():
    """Keep the interpreter until the work inside is done.

    Odoo's threads are daemons: once told to stop, the interpreter would not wait for
    them, and what the provider answers to the calls under way would be lost.
    """
    done = threading.Event()
    # said explicitly, as it would take after the thread that starts it
    threading.Thread(target=done.wait, name="sms_devino_keeper", daemon=False).start()
    try:
        yield
    finally:
        done.set()
