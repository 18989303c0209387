import logging
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..gateway import (
    STATUS_MEMORY_HOURS,
    AccountRefusedError,
    GatewayError,
    NotSentError,
    state_info,
)
from ..gateway.handover import MAX_SILENT_IN_A_ROW, shared_limiter
from ..services.bulk import update_rows
from ..services.commit import call_deadline, commit_retrying, wake_later

_logger = logging.getLogger(__name__)

READ_ROWS = 500
WORKERS = 8
# No question is asked later than twice this after a run began, see dispatch_run.py.
GRACE_SECONDS = 20
# Stand-ins for an answer that nobody gave.
UNANSWERED, NOT_ASKED = NotSentError(), NotSentError()
# The provider forgets a message 48 hours after it was sent (documented). The last look
# is taken this long before that, the verdict "no final report" right after it.
MEMORY = timedelta(hours=STATUS_MEMORY_HOURS)
LAST_LOOK = MEMORY - timedelta(minutes=30)
# Widening rhythm: the next look comes after half of the message's age, within bounds.
SOONEST, LATEST = timedelta(seconds=10), timedelta(hours=4)
UNREACHABLE_PAUSE = timedelta(minutes=5)


class SmsDevinoStatusChecker(models.AbstractModel):
    """Asks the provider what became of the messages that it accepted."""

    _name = "sms.devino.status.checker"
    _description = "SMS Status Checker"

    # --- entrances ------------------------------------------------------------------

    @api.model
    def _cron_check_statuses(self):
        """Ask for every message that is due. Commits as it goes."""
        cron = self.env["ir.cron"]
        seconds = cron._commit_progress(remaining=self._count_due())
        while seconds and (messages := self._read_due()):
            for account, of_account in messages.grouped("account_id").items():
                seconds = self._check_in_background(account, of_account)
                if not seconds:
                    break
        due = self._count_due()
        if due:
            # Odoo would go on with it in a minute
            self.env.ref("sms_devino.ir_cron_check_statuses")._trigger()
        self._plan_next_wake()
        cron._commit_progress(remaining=due)

    @api.model
    def _check(self, messages):
        """Ask, now, what became of these messages, and note what was answered.

        A message that has its final status keeps it.

        :raise UserError: when an account has no login or no password
        """
        for account, of_account in messages.grouped("account_id").items():
            segments = of_account.segment_ids.filtered(lambda s: not s.is_final)
            answers = ask_states(account, segments)
            self._note(of_account, answers)

    @api.model
    def _check_in_background(self, account, messages):
        """Do the same without a transaction open while the provider is asked.

        :return: seconds left to the scheduled action
        """
        segments = messages.segment_ids.filtered(lambda s: not s.is_final)
        try:
            account._get_client()
        except UserError as error:
            _logger.info("account %s: statuses not asked, %s", account.id, error)
            return self._postpone(messages)
        # what is read while there is no transaction must be in the cache
        segments.mapped("gateway_id")
        asking = Asking(account, segments)
        self.env["ir.cron"]._commit_progress()
        answers = asking.ask()
        _done, seconds = commit_retrying(
            self.env, lambda: self._note(messages, answers), len(messages)
        )
        return seconds

    @api.model
    def _postpone(self, messages):
        """Ask later, and never beyond the end of the provider's memory."""
        _done, seconds = commit_retrying(
            self.env,
            lambda: self._note(
                messages, {s.id: UNANSWERED for s in messages.segment_ids}
            ),
            len(messages),
        )
        return seconds

    # --- what is due ----------------------------------------------------------------

    @api.model
    def _due_domain(self):
        return [("state", "=", "sent"), ("next_at", "<=", fields.Datetime.now())]

    @api.model
    def _count_due(self):
        return self.env["sms.devino.message"].search_count(self._due_domain())

    @api.model
    def _read_due(self):
        return self.env["sms.devino.message"].search(
            self._due_domain(), order="next_at, id", limit=READ_ROWS
        )

    @api.model
    def _plan_next_wake(self):
        """Wake up when the next message is due: the interval is only the safety net."""
        self.env.cr.execute(
            "SELECT min(next_at) FROM sms_devino_message WHERE state = 'sent'"
        )
        next_at = self.env.cr.fetchone()[0]
        if next_at:
            soonest = fields.Datetime.now() + timedelta(seconds=1)
            cron = "sms_devino.ir_cron_check_statuses"
            wake_later(self.env, cron, max(next_at, soonest))

    # --- what the answers mean ------------------------------------------------------

    @api.model
    def _note(self, messages, answers):
        """Write the answers down and derive the state of each message from them.

        :param dict answers: segment id -> ``MessageState`` or ``GatewayError``
        """
        self.env["sms.devino.segment"]._note(
            {key: a for key, a in answers.items() if not isinstance(a, GatewayError)}
        )
        by_target = {}
        for message in messages:
            target, values = verdict(message, answers)
            by_target.setdefault(target, []).append({"id": message.id, **values})
        if on_their_way := by_target.pop(None, []):
            columns = [column for column in on_their_way[0] if column != "id"]
            update_rows(
                messages.browse(),
                columns,
                on_their_way,
                condition=SQL("m.state = 'sent'"),
            )
        for target, rows in by_target.items():
            messages._transition(target, rows)


class Asking:
    """Asks the state of many segments, several at a time; writes nothing.

    What it needs of the database it reads when it is made.

    :param account: ``sms.devino.account``, one
    :param segments: ``sms.devino.segment``
    """

    def __init__(self, account, segments):
        self._client = account._get_client()
        self._limiter = shared_limiter(
            (account.env.cr.dbname, account.id), account.requests_per_second
        )
        self._deadline = call_deadline(account.env, GRACE_SECONDS)
        self._gateway_ids = dict(
            zip(segments.ids, segments.mapped("gateway_id"), strict=True)
        )
        self._pointless = None
        self._silent_in_a_row = 0

    def ask(self):
        """Return a dict segment id -> ``MessageState``, or the ``GatewayError`` it
        ended with. A segment whose turn did not come in time is as one without an
        answer, except that it counts as no failure of the provider."""
        with ThreadPoolExecutor(WORKERS, "sms_devino") as pool:
            answers = pool.map(self._ask_one, self._gateway_ids.values())
            return dict(zip(self._gateway_ids, answers, strict=True))

    def _ask_one(self, gateway_id):
        if not self._is_over():
            self._limiter.wait()
        if self._is_over():
            return self._pointless or NOT_ASKED
        try:
            answer = self._client.state(gateway_id)
        except GatewayError as error:
            self._judge(error)
            return error
        self._silent_in_a_row = 0
        return answer

    def _is_over(self):
        return self._pointless or time.monotonic() >= self._deadline

    def _judge(self, error):
        """A refused login stays refused, and may lock the account; a provider that
        does not answer has a hundred waiting threads to no avail."""
        if isinstance(error, NotSentError):
            self._silent_in_a_row += 1
        if (
            isinstance(error, AccountRefusedError)
            or self._silent_in_a_row >= MAX_SILENT_IN_A_ROW
        ):
            self._pointless = error


def ask_states(account, segments):
    """Ask the state of each segment, several at a time; writes nothing.

    :return: dict segment id -> ``MessageState``, or the ``GatewayError`` it ended with
    """
    return Asking(account, segments).ask()


def verdict(message, answers):
    """Derive a message from its segments.

    :return: the state it has reached, ``None`` while it is on its way, and its values
    """
    segments, now = message.segment_ids, fields.Datetime.now()
    errors = [a for s in segments if isinstance(a := answers.get(s.id), GatewayError)]
    unanswered = bool(errors)
    delivered = [s for s in segments if s.is_final and state_info(s.code).delivered]
    values = {
        "cost": sum(segments.mapped("price")),
        "submitted_at": min(
            filter(None, segments.mapped("submitted_at")), default=None
        ),
        **summarise(segments),
    }
    if segments and all(segment.is_final for segment in segments):
        values["next_at"] = None
        if len(delivered) == len(segments):
            reported = max(filter(None, segments.mapped("reported_at")), default=now)
            return "delivered", values | {"delivered_at": reported}
        reason = "partial" if delivered else None
        return "undelivered", values | {"reason": reason}
    if now >= message.accepted_at + MEMORY:
        values |= {"next_at": None, "message_status": "Unrecognized"}
        return "unconfirmed", values | {"reason": "silence"}
    if errors and all(error is NOT_ASKED for error in errors):
        # first in the next run
        return None, values | {"next_at": message.next_at or now}
    return None, values | {"next_at": next_look(message, unanswered=unanswered)}


def summarise(segments):
    """Return status and words of the segment that decides: the first that is not
    delivered, else the first."""
    known = [segment for segment in segments if segment.message_status]
    behind = [s for s in known if s.message_status != "Delivered_To_Recipient"]
    decisive = (behind or known or [None])[0]
    if decisive is None:
        return {"message_status": None}
    return {
        "message_status": decisive.message_status,
    }


def next_look(message, *, unanswered=False):
    """Return when to ask again: ever more rarely, but once more before the end of the
    provider's memory."""
    now = fields.Datetime.now()
    if now >= message.accepted_at + LAST_LOOK:
        return message.accepted_at + MEMORY
    pause = min(max((now - message.accepted_at) / 2, SOONEST), LATEST)
    if unanswered:
        pause = max(pause, UNREACHABLE_PAUSE)
    return min(now + pause, message.accepted_at + LAST_LOOK).replace(microsecond=0)
