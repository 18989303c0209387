"""What sending and asking have in common: a job of one account in Odoo."""

import logging
import time

from odoo import api

from ..gateway.pool import Job
from .commit import LOST_CONNECTION, commit_retrying

_logger = logging.getLogger(__name__)

# Seconds before each further try to write down once the database connection is lost.
RESCUE_PAUSES = (1, 2, 4, 8, 15)


class AccountJob(Job):
    """A job that writes to the database; ``settle_in`` says what.

    :param channel: its :class:`Channel`
    :param client: its :class:`DevinoClient`
    """

    def __init__(self, account, channel, client):
        super().__init__(channel)
        self.env = account.env
        self.client = client
        # a plain value: every commit empties the cache of the ORM
        self.account_id = account.id
        #: messages settled
        self.done = 0
        #: shared by the jobs of a run, which must end in time
        self.rescue_pauses = list(RESCUE_PAUSES)

    def settle_in(self, env, ended):
        """Record the results of calls. Doing it again changes nothing.

        :param env: the environment to write by
        :param list ended: of :class:`Ended`
        """
        raise NotImplementedError

    def settle(self, ended):
        """Write down, and commit; call by call when all together fail."""
        try:
            self._settle_together(self.env, ended)
        except LOST_CONNECTION:
            raise
        except Exception as error:
            if self.env.cr.closed:
                raise
            _logger.warning("%s while writing down answers", type(error).__name__)
            self._settle_singly(self.env, ended)
        self.after_settling(ended)

    def after_settling(self, ended):
        """Do what has to wait until the results are committed."""

    def rescue(self, ended):
        """Write down by another connection: this one may be lost."""
        if not self.env.cr.closed:
            self.env.cr.rollback()
        while ended:
            try:
                with self.env.registry.cursor() as cr:
                    env = api.Environment(cr, self.env.uid, {})
                    self._settle_singly(env, ended)
                return
            except LOST_CONNECTION as error:
                _logger.info("no database yet: %s", type(error).__name__)
                if not self.rescue_pauses:
                    break
                time.sleep(self.rescue_pauses.pop(0))
        for one in ended:
            _log_lost(one)

    def _settle_together(self, env, ended):
        commit_retrying(env, lambda: self.settle_in(env, ended))
        self.done += sum(one.call.size for one in ended)

    def _settle_singly(self, env, ended):
        for one in ended:
            try:
                self._settle_together(env, [one])
            except LOST_CONNECTION:
                raise
            except Exception as error:
                # without its words, which may hold numbers and texts
                _logger.error("%s while writing down an answer", type(error).__name__)
                _log_lost(one)


def _log_lost(ended):
    """Keep at least in the log what the provider accepted."""
    if ended.answer is not None:
        _logger.error("not written down: %s", ended.call.describe(ended.answer))
