import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..gateway import (
    STATUS_MEMORY_HOURS,
    AccountRefusedError,
    GatewayError,
    state_info,
)
from ..gateway.handover import RateLimiter
from .commit import commit_retrying

_logger = logging.getLogger(__name__)

READ_ROWS = 200
WORKERS = 8
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
        seconds_left = cron._commit_progress(remaining=self._count_due())
        while seconds_left and (messages := self._read_due()):
            for account, of_account in messages.grouped("account_id").items():
                seconds_left = self._check_in_background(account, of_account)
        self._plan_next_wake()

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
        gateway_ids = dict(zip(segments.ids, segments.mapped("gateway_id")))
        self.env["ir.cron"]._commit_progress()
        answers = ask_states(account, segments.browse(gateway_ids))
        _done, seconds_left = commit_retrying(
            self.env, lambda: self._note(messages, answers), len(messages)
        )
        return seconds_left

    @api.model
    def _postpone(self, messages):
        rows = [
            {"id": message.id, "next_check_at": next_look(message, unanswered=True)}
            for message in messages
        ]
        _done, seconds_left = commit_retrying(
            self.env,
            lambda: messages._update_rows(["next_check_at"], rows),
            len(messages),
        )
        return seconds_left

    # --- what is due ----------------------------------------------------------------

    @api.model
    def _due_domain(self):
        return [("state", "=", "sent"), ("next_check_at", "<=", fields.Datetime.now())]

    @api.model
    def _count_due(self):
        return self.env["sms.devino.message"].search_count(self._due_domain())

    @api.model
    def _read_due(self):
        return self.env["sms.devino.message"].search(
            self._due_domain(), order="next_check_at, id", limit=READ_ROWS
        )

    @api.model
    def _plan_next_wake(self):
        """Wake up when the next message is due: the interval is only the safety net."""
        self.env.cr.execute(
            "SELECT min(next_check_at) FROM sms_devino_message WHERE state = 'sent'"
        )
        next_at = self.env.cr.fetchone()[0]
        if next_at:
            soonest = fields.Datetime.now() + timedelta(seconds=1)
            self.env.ref("sms_devino.ir_cron_check_statuses")._trigger(
                at=max(next_at, soonest)
            )

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
        for row in by_target.pop(None, []):
            messages._update_rows([c for c in row if c != "id"], [row])
        for target, rows in by_target.items():
            event = None if target == "delivered" else target
            messages._transition(target, rows, event=event)


def ask_states(account, segments):
    """Ask the state of each segment, several at a time; writes nothing.

    :return: dict segment id -> ``MessageState``, or the ``GatewayError`` it ended with
    """
    client = account._get_client()
    limiter = RateLimiter(account.requests_per_second)
    refused = []

    def ask(gateway_id):
        if refused:
            # a refused login stays refused, and may lock the account
            return refused[0]
        limiter.wait()
        try:
            return client.state(gateway_id)
        except GatewayError as error:
            if isinstance(error, AccountRefusedError):
                refused.append(error)
            return error

    with ThreadPoolExecutor(WORKERS, "sms_devino") as pool:
        return dict(zip(segments.ids, pool.map(ask, segments.mapped("gateway_id"))))


def verdict(message, answers):
    """Derive a message from its segments.

    :return: the state it has reached, ``None`` while it is on its way, and its values
    """
    segments, now = message.segment_ids, fields.Datetime.now()
    unanswered = any(
        isinstance(answers.get(segment.id), GatewayError) for segment in segments
    )
    delivered = [s for s in segments if s.is_final and state_info(s.code).delivered]
    values = {
        "checked_at": message.checked_at or None if unanswered else now,
        "delivered_segments": len(delivered),
        "cost": sum(segments.mapped("price")),
        "submitted_at": min(filter(None, segments.mapped("submitted_at")), default=None),
        **summarise(segments),
    }
    if segments and all(segment.is_final for segment in segments):
        values["next_check_at"] = None
        if len(delivered) == len(segments):
            reported = max(filter(None, segments.mapped("reported_at")), default=now)
            return "delivered", values | {"delivered_at": reported}
        reason = "partial" if delivered else None
        return "undelivered", values | {"reason": reason}
    if now >= message.accepted_at + MEMORY:
        values |= {"next_check_at": None, "message_status": "Unrecognized"}
        return "unconfirmed", values | {"reason": "silence"}
    return None, values | {"next_check_at": next_look(message, unanswered=unanswered)}


def summarise(segments):
    """Return status and words of the segment that decides: the first that is not
    delivered, else the first."""
    known = [segment for segment in segments if segment.message_status]
    behind = [s for s in known if s.message_status != "Delivered_To_Recipient"]
    decisive = (behind or known or [None])[0]
    if decisive is None:
        return {"message_status": None, "status_text": None}
    return {
        "message_status": decisive.message_status,
        "status_text": decisive.status_text or None,
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
