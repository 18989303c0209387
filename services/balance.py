"""Asking the provider for the balance of an account, for no longer than allowed."""

import logging

from odoo.exceptions import UserError
from odoo.tools import SQL

from ..gateway import GatewayError, NotSentError
from ..gateway.pool import within

_logger = logging.getLogger(__name__)

# How long the scheduled action waits for an answer about one account.
WATCH_SECONDS = 20.0
# Advisory locks have one number space for the whole database: this half is ours.
LOCK_CLASS = 0x534D4241


def ask_balance(account, seconds, *, login=False):
    """Ask for the balance; writes nothing.

    :param float seconds: what is not answered by then counts as no answer
    :param bool login: log in anew first, which proves login and password
    :return: Decimal, or the :class:`GatewayError` that it ended with
    :raise UserError: when the account may not be asked now
    """
    client = account._get_client(is_check=login)
    lock_asking(account)
    answers = []

    def ask():
        try:
            if login:
                client.login()
            answers.append(client.balance())
        except GatewayError as error:
            answers.append(error)

    within(seconds, ask)
    if not answers:
        return NotSentError(operation_status="Error_Gateway_Offline")
    return answers[0]


def lock_asking(account):
    """Let one person at a time ask the provider about an account, until the commit.

    Not a lock of the row: that would hold up whoever sends meanwhile.

    :raise UserError: when somebody is asking already
    """
    [(is_free,)] = account.env.execute_query(
        SQL("SELECT pg_try_advisory_xact_lock(%s, %s)", LOCK_CLASS, account.id)
    )
    if not is_free:
        raise UserError(
            account.env._("The provider is being asked already. Wait a few seconds.")
        )


def watch_balances(accounts):
    """Ask for the balance of each account; the failure of one holds up no other.
    Commits as it goes."""
    env = accounts.env
    for account in accounts:
        try:
            account._note_watched_balance(ask_balance(account, WATCH_SECONDS))
        except Exception as error:
            if env.cr.closed:
                raise
            env.cr.rollback()
            kind = type(error).__name__
            _logger.warning("account %s: balance not asked, %s", account.id, kind)
        env["ir.cron"]._commit_progress(1)
