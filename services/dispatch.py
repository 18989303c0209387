"""One run of the dispatcher: sending and asking for all accounts, fairly shared."""

import contextlib
import logging
import time
from datetime import timedelta

from odoo import fields
from odoo.exceptions import MissingError, UserError

from ..gateway import AccountRefusedError
from ..gateway.limiter import shared_limiter
from ..gateway.pool import Channel, Pool
from . import batch_course
from .account_job import RESCUE_PAUSES
from .asking import Asking
from .claims import live_claims
from .commit import commit_retrying, wake_later
from .jobs import DISPATCH
from .sending import Sending

_logger = logging.getLogger(__name__)

# No call starts later: a scheduled action that is not through after
# `limit_time_real_cron` (120 seconds by default) is killed, and its cursor keeps old
# versions of rows alive.
RUN_SECONDS = 10.0
# How long an empty queue is looked at, so that a person's next message leaves at once.
LINGER_SECONDS = 2.0
COUNT_SECONDS = 1.0
SILENCE_PAUSE = timedelta(minutes=1)
BROKEN_PAUSE = timedelta(minutes=1)
MISCONFIGURED_PAUSE = timedelta(minutes=10)


class DispatchRun:
    """Sends and asks until nothing is left, or time is up. Commits as it goes.

    :param dispatcher: ``sms.devino.dispatcher``, which says what may leave
    :param int claim: the number under which the connection holds an advisory lock
    """

    def __init__(self, dispatcher, claim):
        self.env = dispatcher.env
        self._dispatcher = dispatcher
        self._claim = claim
        # account id -> its jobs; empty while the account is left alone
        self._sending, self._asking = {}, {}
        self._paused = set()
        self._rescue_pauses = list(RESCUE_PAUSES)
        self._count_at = 0.0
        self._reported = 0

    def work(self):
        """Do it.

        :return: whether something is left that could be done at once
        """
        started = time.monotonic()
        pool = Pool(
            self._look,
            deadline=started + RUN_SECONDS,
            # only a scheduled action has the time
            linger=LINGER_SECONDS if self.env.context.get("cron_id") else 0.0,
        )
        try:
            pool.run()
        finally:
            self._log(pool, time.monotonic() - started)
        for asking in self._asking.values():
            asking.finish()
        self._leave_alone()
        if self.env.cr.closed:
            failures = [job.failure for job in self._jobs() if job.failure]
            raise failures[0]
        self._report_progress()
        return pool.is_unfinished

    def _log(self, pool, seconds):
        """One line for a run."""
        if pool.calls:
            _logger.info(
                "%s calls in %.1f s: %s messages accepted, %s states asked",
                pool.calls,
                seconds,
                sum(job.sent for job in self._sending.values()),
                sum(job.asked for job in self._asking.values()),
            )

    def _jobs(self):
        return [*self._sending.values(), *self._asking.values()]

    # --- who has work ---------------------------------------------------------------

    def _look(self):
        """Fill the queue; return the jobs that have work."""
        self._leave_alone()
        jobs, _seconds = commit_retrying(self.env, self._find_jobs)
        self._report_progress()
        return jobs

    def _report_progress(self):
        """Tell Odoo how far the scheduled action is. That is apart from writing down
        answers, which must not fail for it."""
        done = sum(job.done for job in self._jobs())
        processed, self._reported = done - self._reported, done
        if processed:
            with contextlib.suppress(MissingError):
                self.env["ir.cron"]._commit_progress(processed)

    def _find_jobs(self):
        # in this order: rows that are fed may be due at once
        batch_course.feed(self.env["sms.devino.batch"])
        self.env["sms.devino.message"]._release_due()
        work = self._dispatcher._find_work()
        accounts = self.env["sms.devino.account"].browse(work)
        for account in accounts:
            if account.id not in self._sending and account.id not in self._paused:
                self._begin(account)
        self._share_limits(accounts)
        jobs = []
        for account_id, (has_queue, has_due) in work.items():
            if account_id not in self._paused:
                jobs += [self._sending[account_id]] * has_queue
                jobs += [self._asking[account_id]] * has_due
        return jobs

    def _begin(self, account):
        """Make the jobs of an account."""
        try:
            client = account._get_client()
        except UserError as error:
            self._pause(account.id, MISCONFIGURED_PAUSE, error)
            return
        limiter = shared_limiter((self.env.cr.dbname, account.id))
        channel = Channel(client.log_in_once, limiter)
        dispatcher = self._dispatcher
        self._sending[account.id] = Sending(
            account, channel, client, self._claim, dispatcher._queue_condition
        )
        self._asking[account.id] = Asking(
            account, channel, client, lambda: dispatcher._due_domain(account)
        )
        for job in (self._sending[account.id], self._asking[account.id]):
            job.rescue_pauses = self._rescue_pauses

    def _share_limits(self, accounts):
        """Share the calls a second of an account among the processes that send."""
        now = time.monotonic()
        if now < self._count_at:
            return
        self._count_at = now + COUNT_SECONDS
        owners = max(len(live_claims(self.env)), 1)
        for account in accounts:
            limiter = shared_limiter((self.env.cr.dbname, account.id))
            limiter.per_second = account.requests_per_second / owners

    # --- who is left alone ----------------------------------------------------------

    def _leave_alone(self):
        """Stop or pause accounts for which the provider, or a fault, ends the work."""
        for account_id, sending in self._sending.items():
            if account_id in self._paused:
                continue
            asking = self._asking[account_id]
            error = sending.channel.stop_error
            failure = sending.failure or asking.failure
            if isinstance(error, AccountRefusedError):
                self._stop(account_id, error)
            elif error:
                asked = timedelta(seconds=getattr(error, "retry_after", None) or 0)
                self._pause(account_id, asked or SILENCE_PAUSE, error)
            elif sending.stop_error:
                self._pause(account_id, SILENCE_PAUSE, sending.stop_error)
            elif failure and not self.env.cr.closed:
                # the words of such an error may hold numbers and texts
                error = type(failure).__name__
                _logger.error("account %s: the work broke off, %s", account_id, error)
                self._pause(account_id, BROKEN_PAUSE, error)

    def _stop(self, account_id, error):
        self._paused.add(account_id)
        account = self.env["sms.devino.account"].browse(account_id)
        commit_retrying(self.env, lambda: account._stop(error))

    def _pause(self, account_id, pause, error):
        """Leave an account alone for a while; its messages stay in the queue."""
        self._paused.add(account_id)
        until = fields.Datetime.now() + pause
        values = {"paused_until": until, "last_error": str(error)[:500]}
        account = self.env["sms.devino.account"].browse(account_id)

        def work():
            account.write(values)
            wake_later(self.env, DISPATCH, until)

        commit_retrying(self.env, work)
