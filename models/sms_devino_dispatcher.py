import contextlib
import logging
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import MissingError
from odoo.tools import SQL

from ..services import batch_course
from ..services.claims import claiming, settle_abandoned
from ..services.commit import commit_retrying, wake_later
from ..services.dispatch import DispatchRun
from ..services.jobs import DISPATCH, trigger

_logger = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(seconds=30)


class SmsDevinoDispatcher(models.AbstractModel):
    """Hands messages over to the provider and asks what became of them."""

    _name = "sms.devino.dispatcher"
    _description = "SMS Dispatcher"

    def _register_hook(self):
        """Look after what a killed server left behind as soon as one is up again."""
        super()._register_hook()
        try:
            with self.env.cr.savepoint():
                settle_abandoned(self.env)
                self._look_again_soon()
        except psycopg2.Error as error:
            # another process does it, the database is read-only or awaits an upgrade:
            # no reason to keep the server from starting
            _logger.info(
                "abandoned messages not looked after: %s", type(error).__name__
            )

    @api.model
    def _look_again_soon(self):
        """The locks of a server that died a moment ago may still be there."""
        sending = [("state", "=", "sending")]
        if self.env["sms.devino.message"].search_count(sending, limit=1) and (
            self.env.ref(DISPATCH, raise_if_not_found=False)
        ):
            wake_later(self.env, DISPATCH, fields.Datetime.now() + LOOK_AGAIN)

    @api.model
    def _cron_dispatch(self):
        """Send and ask what is due. Commits as it goes."""
        cron = self.env["ir.cron"]
        batches = self.env["sms.devino.batch"]
        commit_retrying(self.env, self.env["sms.devino.account"]._stop_copied)
        commit_retrying(self.env, lambda: settle_abandoned(self.env))
        batch_course.follow(batches)
        with claiming(self.env) as claim:
            is_unfinished = DispatchRun(self, claim).work()
        batch_course.follow(batches)
        if is_unfinished:
            trigger(self.env, DISPATCH)
        self._plan_next_wake()
        with contextlib.suppress(MissingError):
            cron._commit_progress(remaining=0)

    # --- what is due ----------------------------------------------------------------

    @api.model
    def _find_work(self):
        """Return the accounts at work, and whether each has something to send and to
        ask: a dict of account id -> (bool, bool)."""
        self.env.flush_all()
        now = fields.Datetime.now()
        # An archived account sends nothing, but its messages are still followed.
        query = SQL(
            """SELECT a.id,
                      EXISTS (SELECT 1 FROM sms_devino_message m
                               WHERE m.account_id = a.id AND %s),
                      EXISTS (SELECT 1 FROM sms_devino_message m
                               WHERE m.state = 'sent' AND m.next_at < %s)
                 FROM sms_devino_account a
                WHERE a.state != 'stopped'
                  AND (a.paused_until IS NULL OR a.paused_until <= %s)""",
            # as the ORM compares: a part of a second does not count
            *(self._queue_condition(), now + timedelta(seconds=1), now),
        )
        return {key: work for key, *work in self.env.execute_query(query)}

    @api.model
    def _queue_condition(self):
        """Return the SQL for what may leave now, in terms of ``m``."""
        now = fields.Datetime.now()
        return SQL(
            """m.state = 'outgoing' AND (m.next_at IS NULL OR m.next_at <= %s)
               AND (m.leaves_until IS NULL OR m.leaves_until > %s)
               AND (m.batch_id IS NULL
                    OR EXISTS (SELECT 1 FROM sms_devino_batch b
                                WHERE b.id = m.batch_id AND b.state = 'running'))
               AND EXISTS (SELECT 1 FROM sms_devino_account a
                            WHERE a.id = m.account_id AND a.active AND a.mode = m.mode
                              AND a.state != 'stopped'
                              AND (a.paused_until IS NULL OR a.paused_until <= %s))""",
            *(now, now, now),
        )

    @api.model
    def _due_domain(self, account):
        """Return the domain of the messages of an account to ask for now."""
        return [
            ("account_id", "=", account.id),
            ("mode", "=", account.mode),
            ("state", "=", "sent"),
            ("next_at", "<=", fields.Datetime.now()),
        ]

    @api.model
    def _plan_next_wake(self):
        """Wake up when the next message is due: the interval is only the safety net."""
        now = fields.Datetime.now()
        moments = []
        for state, name, after in (
            # what is overdue has not been moved into the queue yet
            ("scheduled", "scheduled_at", False),
            ("outgoing", "next_at", now),
            ("sent", "next_at", now),
        ):
            domain = [("state", "=", state), (name, ">" if after else "!=", after)]
            message = self.env["sms.devino.message"].search(domain, order=name, limit=1)
            moments += [message[name]] if message else []
        if moments:
            soonest = now + timedelta(seconds=1)
            wake_later(self.env, DISPATCH, max(min(moments), soonest))
