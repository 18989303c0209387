import logging
import random
from contextlib import contextmanager

import psycopg2

from odoo import api, fields, models
from odoo.tools import SQL

from .dispatch_run import DispatchRun

_logger = logging.getLogger(__name__)

# Advisory locks have one number space for the whole database: this half is ours.
LOCK_CLASS = 0x534D5344
CLAIM_BITS = 31
READ_ROWS = 12000


class SmsDevinoDispatcher(models.AbstractModel):
    """Takes messages out of the queue and hands them over to the provider.

    A row is claimed, and the claim committed, before the first byte leaves. The claim is
    a number under which this connection holds an advisory lock: when the process dies,
    the database lets go of the lock, and whoever looks next knows at once that nobody
    knows what became of those rows.
    """

    _name = "sms.devino.dispatcher"
    _description = "SMS Dispatcher"

    def _register_hook(self):
        """Look after what a killed server left behind as soon as one is up again."""
        super()._register_hook()
        try:
            with self.env.cr.savepoint():
                self._settle_abandoned()
        except psycopg2.Error as error:
            # somebody else is at it, or the database awaits an upgrade: not a reason
            # to keep the server from starting, the scheduled action looks again
            _logger.info("abandoned messages not looked after: %s", type(error).__name__)

    # --- entrances ------------------------------------------------------------------

    @api.model
    def _cron_dispatch(self):
        """Send everything that is due, account by account. Commits as it goes."""
        messages = self.env["sms.devino.message"]
        self._settle_abandoned()
        messages._release_due()
        self.env["ir.cron"]._commit_progress(remaining=self._count_queue())
        self.env["sms.devino.account"]._probe_stopped()
        with self._claiming() as claim:
            for account in self._accounts_with_work():
                if not self._dispatch_account(account, claim):
                    break
        messages._plan_next_wake()

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
        self.env["sms.devino.message"]._plan_next_wake()

    @api.model
    def _dispatch_account(self, account, claim):
        """Hand over what waits for one account, until nothing does or time is up.

        :return: whether time is left for another account
        """
        run = DispatchRun(account, claim)
        while rows := self._read_queue(SQL("m.account_id = %s", account.id)):
            if not run.send(rows) or not run.seconds_left:
                break
        return bool(run.seconds_left)

    # --- reading the queue ----------------------------------------------------------

    @api.model
    def _queue_condition(self):
        now = fields.Datetime.now()
        return SQL(
            """m.state = 'outgoing' AND (m.next_try_at IS NULL OR m.next_try_at <= %s)
               AND EXISTS (SELECT 1 FROM sms_devino_account a
                            WHERE a.id = m.account_id AND a.state != 'stopped'
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
        self.env.cr.execute(
            SQL(
                "SELECT count(*) FROM sms_devino_message m WHERE %s",
                self._queue_condition(),
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
                          m.validity, m.attempts,
                          COALESCE(m.planned_at, m.create_date) AS since
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
        cr.execute("SELECT pg_advisory_lock(%s, %s)", (LOCK_CLASS, claim))
        try:
            yield claim
        finally:
            if not cr._cnx.closed:
                # the lock belongs to the connection, which goes back into a pool
                cr.rollback()
                cr.execute("SELECT pg_advisory_unlock(%s, %s)", (LOCK_CLASS, claim))

    @api.model
    def _settle_abandoned(self):
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
                      FOR UPDATE""",
                LOCK_CLASS,
            )
        )
        rows = [
            {"id": row[0], "claim": None, "reason": "interrupted"}
            for row in self.env.cr.fetchall()
        ]
        settled = self.env["sms.devino.message"]._transition(
            "unknown", rows, event="unknown"
        )
        if settled:
            _logger.warning(
                "%s messages were being handed over when a server stopped: their "
                "outcome is unknown",
                len(settled),
            )
