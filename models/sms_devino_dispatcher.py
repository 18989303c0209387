import logging
import math
import random
from contextlib import contextmanager
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.tools import SQL

from ..gateway import MAX_BULK_NUMBERS
from ..services.commit import commit_retrying, wake_later
from .dispatch_run import DispatchRun

_logger = logging.getLogger(__name__)

# Advisory locks have one number space for the whole database: this half is ours.
LOCK_CLASS = 0x534D5344
CLAIM_BITS = 31
# Rows read at once: a few full calls of the provider's 2999 numbers.
READ_ROWS = 4 * MAX_BULK_NUMBERS
# Counting further than this would only cost time: it is told as progress.
COUNT_ROWS = 100_000
# With several accounts at work, each has this long before the next one's turn.
SLICE_SECONDS = 2.0
BROKEN_PAUSE = timedelta(minutes=1)
LOOK_AGAIN = timedelta(seconds=30)


class SmsDevinoDispatcher(models.AbstractModel):
    """Takes messages out of the queue and hands them over to the provider.

    A row is claimed, and the claim committed, before the first byte leaves. The claim
    is a number under which this connection holds an advisory lock: when the process
    dies, the database lets go of the lock, and whoever looks next knows at once that
    nobody knows what became of those rows.
    """

    _name = "sms.devino.dispatcher"
    _description = "SMS Dispatcher"

    def _register_hook(self):
        """Look after what a killed server left behind as soon as one is up again."""
        super()._register_hook()
        try:
            with self.env.cr.savepoint():
                self._settle_abandoned(log_exceptions=False)
                self._look_again_soon()
        except psycopg2.Error as error:
            # somebody else is at it, the database is read-only or awaits an upgrade:
            # not a reason to keep the server from starting
            _logger.info(
                "abandoned messages not looked after: %s", type(error).__name__
            )

    # --- entrances ------------------------------------------------------------------

    @api.model
    def _cron_dispatch(self):
        """Send everything that is due, account by account. Commits as it goes."""
        messages = self.env["sms.devino.message"]
        commit_retrying(self.env, self.env["sms.devino.account"]._stop_copied)
        commit_retrying(self.env, self._settle_abandoned)
        commit_retrying(self.env, messages._release_due)
        self.env["sms.devino.batch"]._follow()
        commit_retrying(self.env, self.env["sms.devino.batch"]._feed)
        cron = self.env["ir.cron"]
        if cron._commit_progress(remaining=self._count_queue()):
            with self._claiming() as claim:
                self._dispatch_accounts(claim)
        waiting = self._count_queue()
        if waiting:
            # Odoo would go on with it in a minute
            self.env.ref("sms_devino.ir_cron_dispatch")._trigger()
        self._plan_next_wake()
        self.env["sms.devino.batch"]._follow()
        cron._commit_progress(remaining=waiting)

    @api.model
    def _dispatch_now(self, ids):
        """Hand over these messages, which a person waits for. Commits as it goes.

        :param list ids: of ``sms.devino.message``; those not in the queue are left
        """
        rows = self._read_queue(SQL("m.id = ANY(%s)", list(ids)))
        by_account = {}
        for row in rows:
            by_account.setdefault(row["account_id"], []).append(row)
        with self._claiming() as claim:
            for account_id, account_rows in by_account.items():
                account = self.env["sms.devino.account"].browse(account_id)
                DispatchRun(account, claim).send(account_rows)
        self._plan_next_wake()

    @api.model
    def _dispatch_accounts(self, claim):
        """Hand over what waits, a slice of each account in turn, until nothing does or
        time is up: one account's hundred thousand hold up nobody else's message."""
        runs = [DispatchRun(account, claim) for account in self._accounts_with_work()]
        seconds = SLICE_SECONDS if len(runs) > 1 else math.inf
        random.shuffle(runs)
        while runs:
            runs = [run for run in runs if self._dispatch_slice(run, seconds)]

    @api.model
    def _dispatch_slice(self, run, seconds):
        """Hand over some of what waits for one account.

        :return: whether there may be more, and time for it
        """
        try:
            rows = self._read_queue(SQL("m.account_id = %s", run.account.id))
            return bool(rows and run.send(rows, seconds) and run.seconds_left)
        except Exception as error:
            if self.env.cr.closed:
                raise
            # no other account has to wait for this one to be mended
            _logger.exception("account %s: sending broke off", run.account.id)
            self.env.cr.rollback()
            run.pause(BROKEN_PAUSE, error)
            return False

    @api.model
    def _plan_next_wake(self):
        """Wake the dispatcher when the next planned message or attempt is due."""
        now = fields.Datetime.now()
        self.env.cr.execute(
            SQL(
                """SELECT LEAST(
                       (SELECT min(scheduled_at) FROM sms_devino_message
                         WHERE state = 'scheduled'),
                       (SELECT min(next_at) FROM sms_devino_message
                         WHERE state = 'outgoing' AND next_at > %s))""",
                now,
            )
        )
        next_at = self.env.cr.fetchone()[0]
        if next_at:
            soonest = now + timedelta(seconds=1)
            wake_later(self.env, "sms_devino.ir_cron_dispatch", max(next_at, soonest))

    # --- reading the queue ----------------------------------------------------------

    @api.model
    def _queue_condition(self):
        now = fields.Datetime.now()
        return SQL(
            """m.state = 'outgoing' AND (m.next_at IS NULL OR m.next_at <= %s)
               AND (m.batch_id IS NULL OR EXISTS (SELECT 1 FROM sms_devino_batch b
                            WHERE b.id = m.batch_id AND b.state = 'running'))
               AND EXISTS (SELECT 1 FROM sms_devino_account a
                            WHERE a.id = m.account_id AND a.mode = m.mode AND a.state != 'stopped'
                              AND (a.paused_until IS NULL OR a.paused_until <= %s))""",
            now,
            now,
        )

    @api.model
    def _accounts_with_work(self):
        self.env.cr.execute(
            SQL(
                """SELECT a.id FROM sms_devino_account a
                    WHERE EXISTS (SELECT 1 FROM sms_devino_message m
                                   WHERE m.account_id = a.id AND %s)
                 ORDER BY a.id""",
                self._queue_condition(),
            )
        )
        ids = [row[0] for row in self.env.cr.fetchall()]
        return self.env["sms.devino.account"].browse(ids)

    @api.model
    def _count_queue(self):
        """Return how many messages may leave now, as far as it is worth counting."""
        self.env.cr.execute(
            SQL(
                """SELECT count(*) FROM (
                       SELECT 1 FROM sms_devino_message m WHERE %s LIMIT %s
                   ) AS waiting""",
                self._queue_condition(),
                COUNT_ROWS,
            )
        )
        return self.env.cr.fetchone()[0]

    @api.model
    def _read_queue(self, scope):
        """Return messages that may leave now, the most urgent first.

        :param SQL scope: which ones, in terms of ``m``
        :return: a list of dicts with the columns that a call needs
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """SELECT m.id, m.account_id, m.number, m.sender_name, m.body,
                          m.use_until, m.attempts
                     FROM sms_devino_message m
                    WHERE %s AND %s
                 ORDER BY m.priority DESC, m.id
                    LIMIT %s""",
                scope,
                self._queue_condition(),
                READ_ROWS,
            )
        )
        return self.env.cr.dictfetchall()

    # --- claims ---------------------------------------------------------------------

    @contextmanager
    def _claiming(self):
        """Hold a claim number for as long as this connection lives, at the longest."""
        claim = random.getrandbits(CLAIM_BITS)
        cr = self.env.cr
        # A claim that a crash of the database could take back would send twice: it is
        # on the disk before the call, also where the database is set up otherwise.
        cr.execute(
            """SELECT pg_advisory_lock(%s, %s),
                      CASE WHEN current_setting('synchronous_commit') = 'off'
                           THEN set_config('synchronous_commit', 'on', false) END""",
            (LOCK_CLASS, claim),
        )
        self.env["ir.cron"]._commit_progress()
        try:
            yield claim
        finally:
            if not cr.closed:
                cr.rollback()
                commit_retrying(self.env, lambda: self._settle_claim(claim))
                # the lock belongs to the connection, which goes back into a pool
                cr.execute("SELECT pg_advisory_unlock(%s, %s)", (LOCK_CLASS, claim))

    @api.model
    def _settle_claim(self, claim):
        """Whatever of this claim has no outcome at the end has an unknown one."""
        self.env.cr.execute(
            "SELECT id FROM sms_devino_message WHERE state = 'sending' AND claim = %s",
            [claim],
        )
        self._give_up([row[0] for row in self.env.cr.fetchall()])

    @api.model
    def _settle_abandoned(self, *, log_exceptions=True):
        """Messages whose claim has died with its owner: nobody knows their outcome."""
        self.env.cr.execute(
            SQL(
                """SELECT m.id FROM sms_devino_message m
                    WHERE m.state = 'sending' AND NOT EXISTS (
                          SELECT 1 FROM pg_locks l
                           WHERE l.locktype = 'advisory' AND l.objsubid = 2
                             AND l.classid = %s AND l.objid = m.claim::oid
                             AND l.database = (SELECT oid FROM pg_database
                                                WHERE datname = current_database()))
                      FOR UPDATE SKIP LOCKED""",
                LOCK_CLASS,
            ),
            log_exceptions=log_exceptions,
        )
        self._give_up([row[0] for row in self.env.cr.fetchall()])

    @api.model
    def _give_up(self, ids):
        settled = self.env["sms.devino.message"]._transition(
            "unknown",
            [
                {"id": message_id, "claim": None, "reason": "interrupted"}
                for message_id in ids
            ],
        )
        if settled:
            _logger.warning(
                "%s messages were being handed over when a server stopped: their "
                "outcome is unknown",
                len(settled),
            )

    @api.model
    def _look_again_soon(self):
        """A server that died a moment ago may not have let go of its claims yet."""
        self.env.cr.execute(
            "SELECT 1 FROM sms_devino_message WHERE state = 'sending' LIMIT 1"
        )
        cron = "sms_devino.ir_cron_dispatch"
        if self.env.cr.fetchone() and self.env.ref(cron, raise_if_not_found=False):
            wake_later(self.env, cron, fields.Datetime.now() + LOOK_AGAIN)
