"""Sentences about an account: why nothing leaves, notices, problems of its address."""

from odoo import fields
from odoo.tools import format_date

from ..gateway import DEFAULT_URL
from .fees import RENEWAL, find_due
from .jobs import job_problem
from .words import format_moment, notify


def describe_problem(account):
    """Return why nothing is sent at the moment, what to do, and who can do it.

    :param account: ``sms.devino.account``, one or none, in sudo
    :return: str, or ``False`` when messages leave
    """
    env = account.env
    if problem := job_problem(env):
        return problem
    if not account:
        return False
    if problem := describe_obstacle(account):
        return " ".join(filter(None, [problem, _describe_helper(account)]))
    if account.paused_until and account.paused_until > fields.Datetime.now():
        return env._(
            "The provider could not be reached through the account “%(account)s”. The "
            "next attempt is at %(time)s; messages wait in the queue.",
            account=account.name,
            time=format_moment(env, account.paused_until),
        )
    return False


def describe_obstacle(account):
    """Return why an account sends nothing until a person does something, or ``False``.

    :param account: ``sms.devino.account``, one, in sudo
    """
    env = account.env
    if account.is_copied:
        return env._(
            "This database is a copy: the SMS account “%(account)s” sends nothing "
            "until an administrator presses This database may send on the account.",
            account=account.name,
        )
    if not account._has_credentials():
        return env._(
            "The SMS account “%(account)s” has no login or no password. An "
            "administrator enters them in SMS > Configuration > Accounts.",
            account=account.name,
        )
    if account.state == "stopped":
        return env._(
            "Sending has stopped. The provider refused the SMS account “%(account)s”: "
            "%(reason)s. %(advice)s Messages wait in the queue and are sent then.",
            account=account.name,
            reason=account._get_operation_label(),
            advice=_describe_repair(account),
        )
    return False


def _describe_repair(account):
    """Return what ends the stop of an account."""
    env = account.env
    repairs = {
        "Error_Not_Enough_Credits": env._(
            "Top up the account at the provider: sending goes on by itself within a "
            "quarter of an hour, or at once after Check connection."
        ),
        "Error_Invalid_Login": env._(
            "Check login and password, then press Check connection."
        ),
        "Error_Gateway_Offline": env._(
            "Check the server address, then press Check connection."
        ),
    }
    repairs["Error_Invalid_Password"] = repairs["Error_Invalid_Login"]
    return repairs.get(account.operation_status) or env._(
        "Ask the provider, then press Check connection."
    )


def _describe_helper(account):
    """Return whom to ask; nothing for somebody who can do it without help."""
    group = "sms_devino.group_admin"
    if account.env.user.has_group(group):
        return ""
    user = account._get_responsible()
    if user.has_group(group) and not user._is_superuser():
        return account.env._("Ask %(user)s.", user=user.name)
    return account.env._("Ask an SMS administrator.")


def describe_notice(account, kind):
    """Return the summary and the note of an activity about an account.

    :param str kind: ``stopped``, ``low_balance`` or ``renewal``
    """
    env = account.env
    if kind == RENEWAL:
        names = [
            env._(
                "%(name)s: %(day)s",
                name=sender.name,
                day=format_date(env, sender.paid_until),
            )
            for sender in find_due(account).sorted("paid_until")
        ]
        text = env._(
            "Renew these sender names at the provider, then enter the new day in the "
            "account. Paid until:"
        )
        return env._("Sender names to renew"), "\n".join([text, *names])
    if kind == "low_balance":
        return env._("SMS balance is low"), env._(
            "The balance of the SMS account “%(account)s” is %(balance)s, below "
            "%(threshold)s. Top it up at the provider.",
            account=account.name,
            balance=account._format_amount(account.balance),
            threshold=account._format_amount(account.low_balance),
        )
    if account.is_copied:
        return env._("May this database send SMS?"), env._(
            "This database is a copy, and the account “%(account)s” sends nothing from "
            "it. If it is to send, press This database may send. The original must not "
            "send the same messages then.",
            account=account.name,
        )
    return env._("SMS sending has stopped"), describe_obstacle(account)


def notify_connection(account, error):
    """Return the action that shows what checking the connection has found.

    :param error: the :class:`GatewayError` that it ended with, or ``None``
    """
    env = account.env
    if error:
        title, text = env._("Not connected"), account._get_operation_label()
        return notify(title, text, kind="danger", sticky=True)
    if account.mode == "test":
        title = env._("Test mode: the provider was not asked")
        text = env._(
            "The sandbox inside Odoo answered. Choose Live to connect to the provider."
        )
        return notify(title, text, kind="warning")
    balance = account._format_amount(account.balance)
    text = env._("Balance: %(balance)s", balance=balance)
    return notify(account._get_operation_label(), text, kind="success")


def describe_url_problem(env, problem):
    """Return the sentence for a problem of a server address.

    :param str problem: as :func:`~..tools.web_address.find_problem` returns it
    """
    sentences = {
        "malformed": env._(
            "Server address: this is not a web address. It begins with https://, "
            "for example %(example)s.",
            example=DEFAULT_URL,
        ),
        "userinfo": env._(
            "Server address: it must not contain a login or a password. Enter them "
            "in their own fields."
        ),
        "private": env._(
            "Server address: it is in the own network. A system administrator can "
            "allow this on the account."
        ),
        "plain": env._(
            "Server address: the password would travel unencrypted. It must begin "
            "with https://."
        ),
    }
    return sentences[problem]
