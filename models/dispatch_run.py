"""The work of the dispatcher on one account: claim, call, write down, again."""

import time
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..gateway.handover import Call, HandOver, Item, RateLimiter, plan_calls
from .commit import commit_retrying

# Calls that are claimed at once. What is claimed when the process dies becomes
# "unknown", so a claim is no larger than keeps the pool of threads busy.
WINDOW_CALLS = 64
WORKERS = 8
# Outcomes are written down at the latest after so many messages or seconds.
SETTLE_ROWS = 1000
SETTLE_SECONDS = 1.0
# Pauses before the next attempt after one that surely did not reach the gateway; as
# many attempts as pauses. Together two days.
PAUSES = [
    timedelta(minutes=minutes)
    for minutes in (1, 2, 5, 10, 20, 30, 60, 120, 240, 480, 720, 1080)
]
MISCONFIGURED_PAUSE = timedelta(minutes=10)
# The first look at a fresh message: the provider needs seconds to know it.
FIRST_CHECK = timedelta(seconds=10)


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
        self.limiter = RateLimiter(account.requests_per_second)
        self.seconds_left = float("inf")
        self._rows = {}

    def send(self, rows):
        """Hand messages over and write down what became of each.

        :param list rows: as :meth:`SmsDevinoDispatcher._read_queue` returns them
        :return: how many left the queue, whichever way
        """
        self._rows = {row["id"]: row for row in rows}
        try:
            client = self.account._get_client()
        except UserError as error:
            self._pause(MISCONFIGURED_PAUSE, error)
            return 0
        done = self._fail_expired()
        hand_over = HandOver(client, self.limiter, WORKERS)
        for window in self._windows():
            done += self._send_window(hand_over, window)
            if hand_over.stopped or not self.seconds_left:
                break
        if hand_over.stopped and self.account.state != "stopped":
            self._pause(PAUSES[0])
        return done

    def _windows(self):
        """Cut the rows into lists of calls, small enough to be claimed at once."""
        items = [
            Item(
                key=row["id"],
                number=row["number"].removeprefix("+"),
                sender=row["sender_name"],
                text=row["body"],
                validity=row["validity"] or None,
            )
            for row in self._rows.values()
        ]
        calls = plan_calls(items)
        for start in range(0, len(calls), WINDOW_CALLS):
            yield calls[start : start + WINDOW_CALLS]

    def _send_window(self, hand_over, calls):
        """Claim the messages of some calls, make the calls, write down the outcomes."""
        claimed = self._claim([item.key for call in calls for item in call.items])
        calls = [
            Call(items, call.origin)
            for call in calls
            if (items := tuple(item for item in call.items if item.key in claimed))
        ]
        batch, rows, deadline = [], 0, time.monotonic() + SETTLE_SECONDS
        for outcome in hand_over.run(calls):
            batch.append(outcome)
            rows += len(outcome.items)
            if rows >= SETTLE_ROWS or time.monotonic() >= deadline:
                self._settle(batch)
                batch, rows, deadline = [], 0, time.monotonic() + SETTLE_SECONDS
        self._settle(batch)
        return len(claimed)

    def _claim(self, ids):
        """Claim and commit: from here on nobody else sends these messages.

        :return: the set of ids that are ours; the others were canceled or taken
        """
        rows = [{"id": message_id, "claim": self.claim} for message_id in ids]
        stamp = SQL(
            "claimed_at = (clock_timestamp() AT TIME ZONE 'UTC'), "
            "attempts = attempts + 1"
        )
        moved = self._committed(
            lambda: self.messages._transition("sending", rows, extra=stamp)
        )
        return set(moved)

    # --- writing down ---------------------------------------------------------------

    def _settle(self, outcomes):
        """Write down what is known of some messages, and commit."""
        if not outcomes:
            return
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
        for outcome in by_kind.get("account", [])[:1]:
            self._committed(lambda error=outcome.error: self.account._stop(error))

    def _settle_accepted(self, outcomes):
        now = fields.Datetime.now()
        ids = {key: ids for outcome in outcomes for key, ids in outcome.ids.items()}
        rows = [
            {
                "id": message_id,
                "claim": None,
                "segment_count": len(gateway_ids),
                "operation_status": "OK_Operation_Completed",
                "accepted_at": now,
                "next_check_at": now + FIRST_CHECK,
                "next_try_at": None,
                "reason": None,
                "error_text": None,
            }
            for message_id, gateway_ids in ids.items()
        ]
        moved = self.messages._transition("sent", rows)
        self.env["sms.devino.segment"]._insert(
            {message_id: ids[message_id] for message_id in moved}
        )
        self._mark_senders(outcomes, "accepted")
        self.env.ref("sms_devino.ir_cron_check_statuses")._trigger(
            at=now + FIRST_CHECK
        )

    def _settle_refused(self, outcomes):
        self.messages._transition(
            "failed", self._error_rows(outcomes, reason="refused"), event="failed"
        )
        refused_senders = [
            outcome
            for outcome in outcomes
            if outcome.error.operation_status == "Error_Invalid_Source_Address"
        ]
        self._mark_senders(refused_senders, "refused")

    def _settle_unknown(self, outcomes):
        self.messages._transition(
            "unknown", self._error_rows(outcomes, reason="no_answer"), event="unknown"
        )

    def _settle_not_sent(self, outcomes):
        """Back into the queue with a growing pause, until the attempts are used up."""
        now = fields.Datetime.now()
        again, exhausted = [], []
        for row in self._error_rows(outcomes, reason="attempts"):
            attempt = self._rows[row["id"]]["attempts"]
            if attempt + 1 >= len(PAUSES):
                exhausted.append(row)
            else:
                again.append(
                    row | {"reason": None, "next_try_at": now + PAUSES[attempt]}
                )
        self.messages._transition("outgoing", again, event="not_sent")
        self.messages._transition("failed", exhausted, event="failed")

    def _settle_untouched(self, outcomes):
        """No call was made, so this was no attempt."""
        rows = [
            {
                "id": item.key,
                "claim": None,
                "attempts": self._rows[item.key]["attempts"],
            }
            for outcome in outcomes
            for item in outcome.items
        ]
        self.messages._transition("outgoing", rows)

    def _settle_account(self, outcomes):
        self._settle_untouched(outcomes)

    def _error_rows(self, outcomes, *, reason):
        return [
            {
                "id": item.key,
                "claim": None,
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
            if row["validity"]
            and row["since"] + timedelta(minutes=row["validity"]) <= now
        ]
        rows = [
            {"id": message_id, "reason": "expired", "message_status": "Error_Expired"}
            for message_id in expired
        ]
        if rows:
            self._committed(
                lambda: self.messages._transition("failed", rows, event="failed"),
                processed=len(rows),
            )
        for message_id in expired:
            del self._rows[message_id]
        return len(rows)

    def _mark_senders(self, outcomes, state):
        senders = self.env["sms.devino.sender"]
        names = {item.sender for outcome in outcomes for item in outcome.items}
        for name in names:
            senders._mark(self.account.id, name, state)

    def _pause(self, pause, error=None):
        """Leave this account alone for a while; its messages stay in the queue."""
        values = {"paused_until": fields.Datetime.now() + pause}
        if error:
            values["last_error"] = str(error)[:500]
        self._committed(lambda: self.account.write(values))
        self.env.ref("sms_devino.ir_cron_dispatch")._trigger(at=values["paused_until"])

    def _committed(self, work, processed=0):
        result, self.seconds_left = commit_retrying(self.env, work, processed)
        return result
