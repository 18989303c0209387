"""Asking the provider for the balance of an account, for no longer than allowed."""

import logging
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlsplit

from odoo import fields
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..gateway import (
    AccountRefusedError,
    Credentials,
    GatewayError,
    NotSentError,
    get_client,
)
from ..gateway.pool import within
from ..tools.web_address import is_private
from .account_words import describe_obstacle
from .commit import commit_retrying
from .jobs import for_each, trigger
from .test_mode import TestModeAdapter

_logger = logging.getLogger(__name__)

# Asking with a refused login again may lock the account at the provider. Only lack of
# credits ends once the company has paid.
SELF_HEALING_STATUSES = ("Error_Not_Enough_Credits",)
# Set by a system administrator in Settings > Technical > System Parameters.
PROXY_PARAMETER = "sms_devino.proxy"
# What an account in test mode has: enough for any sending.
TEST_BALANCE = Decimal(1_000_000)
# A person waits no longer for an answer; the scheduled action has more time.
BUTTON_SECONDS, WATCH_SECONDS = 5.0, 20.0
# A form that is opened has an older balance asked again.
FRESH = timedelta(minutes=5)
# How often an account that stopped for lack of credits is asked.
WATCH_PAUSE = timedelta(minutes=15)
WATCH = "sms_devino.ir_cron_watch_balance"
# Advisory locks have one number space for the whole database: this half is ours.
LOCK_CLASS = 0x534D4241


def connect(account, *, is_check=False):
    """Return the gateway client of an account, shared by the process.

    In test mode the whole client runs, over an adapter that plays the provider
    inside this process: no server and no network are needed.

    :param account: ``sms.devino.account``, one, in sudo
    :param bool is_check: a person wants to know whether login and password are right,
        so they are tried although they were refused
    :raise UserError: when there is no login or password, when they were refused and
        are still the same, or when the database is an unconfirmed copy
    """
    is_refused = account.state == "stopped" and not is_self_healing(account)
    is_incomplete = account.is_copied or not account._has_credentials()
    if is_incomplete or (is_refused and not is_check):
        raise UserError(describe_obstacle(account))
    login, password = account.login, account.stored_password
    if account.mode == "test":
        return get_client(
            Credentials(account.url, login or "test", password or "test"),
            adapter_factory=_make_test_adapter,
        )
    return get_client(Credentials(account.url, login, password, **_get_route(account)))


def _make_test_adapter():
    return TestModeAdapter(TEST_BALANCE)


def _get_route(account):
    """Return what ``Credentials`` say about the way to the server.

    A server in the company's network was allowed by its address, and no proxy leads to
    it.
    """
    if is_private(urlsplit(account.url).hostname or ""):
        return {"proxy": "", "is_public": False}
    proxy = account.env["ir.config_parameter"].sudo().get_param(PROXY_PARAMETER)
    return {"proxy": proxy or "", "is_public": not account.allow_private_address}


def is_self_healing(account):
    """Tell whether what an account stopped for may pass without a person."""
    return account.operation_status in SELF_HEALING_STATUSES


def ask_balance(account, seconds, *, login=False):
    """Ask for the balance; writes nothing.

    :param float seconds: what is not answered by then counts as no answer
    :param bool login: log in anew first, which proves login and password
    :return: Decimal, or the :class:`GatewayError` that it ended with
    :raise UserError: when the account may not be asked now
    """
    client = account._get_client(is_check=login)
    lock_asking(account)

    def ask():
        if login:
            client.login()
        return client.balance()

    return ask_within(seconds, ask)


def ask_within(seconds, ask):
    """Ask the provider something, with a time limit.

    :param ask: callable that makes the calls; it uses no database
    :return: what it returns, or the :class:`GatewayError` that it ended with
    """
    answers = []

    def keep_answer():
        try:
            answers.append(ask())
        except GatewayError as error:
            answers.append(error)

    within(seconds, keep_answer)
    if not answers:
        return NotSentError(operation_status="Error_Gateway_Offline")
    return answers[0]


def lock_asking(account):
    """Let one person at a time ask the provider about an account, until the commit.

    The row itself is not locked, since that would delay sending.

    :raise UserError: when somebody is asking already
    """
    [(is_free,)] = account.env.execute_query(
        SQL("SELECT pg_try_advisory_xact_lock(%s, %s)", LOCK_CLASS, account.id)
    )
    if not is_free:
        raise UserError(
            account.env._("The provider is being asked already. Wait a few seconds.")
        )


def refresh_balance(account, *, login=False):
    """Ask for the balance while a person waits, and keep the answer.

    :param account: ``sms.devino.account``, one, in sudo
    :return: the :class:`GatewayError` that it ended with, or ``None``
    :raise UserError: when the account may not be asked now
    """
    answer = ask_balance(account, BUTTON_SECONDS, login=login)
    if not isinstance(answer, GatewayError):
        account._note_balance(answer)
        return None
    if isinstance(answer, AccountRefusedError):
        # the person who checks the connection sees the answer
        account._stop(answer, tell=not login)
        return answer
    status = answer.operation_status or "Error_Gateway_Offline"
    account.write({"operation_status": status, "last_error": str(answer)[:500]})
    if login and account.state == "ready":
        account.state = "draft"
    return answer


# --- the scheduled action -------------------------------------------------------------


def is_old(account):
    """Whether the balance that is known is missing, or older than some minutes."""
    limit = fields.Datetime.now() - FRESH
    return not account.balance_at or account.balance_at < limit


def want_balance(accounts):
    """Have the scheduled action ask for balances soon."""
    accounts.filtered(lambda a: not a.is_balance_wanted).is_balance_wanted = True
    trigger(accounts.env, WATCH)


def watch_balances(env):
    """Ask for balances that are wanted, watched or awaited. Commits as it goes."""
    waiting = [("operation_status", "in", SELF_HEALING_STATUSES)]
    accounts = env["sms.devino.account"].search(
        ["|", ("state", "!=", "stopped"), *waiting]
    )
    asked = accounts.filtered(_is_asked)
    # while messages are sent their accounts are written all the time
    commit_retrying(env, lambda: asked.write({"is_balance_wanted": False}))
    for_each(
        asked,
        lambda account: keep(account, ask_balance(account, WATCH_SECONDS)),
        "account %s: balance not asked, %s",
    )
    if accounts.filtered(lambda a: a.state == "stopped"):
        trigger(env, WATCH, fields.Datetime.now() + WATCH_PAUSE)


def _is_asked(account):
    is_watched = account.state == "ready" and account.low_balance > 0
    return account.is_balance_wanted or is_watched or account.state == "stopped"


def keep(account, answer):
    """Keep what the provider answered. An account that stopped for lack of credits
    goes on when it has more than at the first look after the stop.

    :param answer: as :func:`ask_balance` returns it
    """
    if isinstance(answer, AccountRefusedError):
        if answer.operation_status not in SELF_HEALING_STATUSES:
            account._stop(answer)
    elif isinstance(answer, GatewayError):
        _logger.info("account %s: no balance, %s", account.id, answer)
    elif account.state != "stopped" or 0 <= account.probe_balance < float(answer):
        account._note_balance(answer)
    else:
        account._write_balance(answer)
        if account.probe_balance < 0:
            account.probe_balance = float(answer)
