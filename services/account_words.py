"""Sentences about an account: notices, and what is wrong with its address."""

from ..gateway import DEFAULT_URL


def describe_notice(account, kind, reason=None):
    """Return the summary and the note of an activity about an account.

    :param str kind: ``stopped``, ``copied`` or ``low_balance``
    :param str reason: why the provider refused the account, in words
    """
    env = account.env
    if kind == "stopped":
        return env._("SMS sending has stopped"), env._(
            "The provider refused the account “%(account)s”: %(reason)s. Messages wait "
            "in the queue. Correct the account, then press Check connection.",
            account=account.name,
            reason=reason,
        )
    if kind == "copied":
        return env._("May this database send SMS?"), env._(
            "This database is a copy, and the account “%(account)s” sends nothing from "
            "it. If it is to send, press This database may send. The original must not "
            "send the same messages then.",
            account=account.name,
        )
    return env._("SMS balance is low"), env._(
        "The balance of the SMS account “%(account)s” is %(balance)s, below "
        "%(threshold)s. Top it up at the provider.",
        account=account.name,
        balance=account._format_balance(),
        threshold=account._format_amount(account.low_balance),
    )


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
            "Server address: the password would travel in clear. It must begin "
            "with https://."
        ),
    }
    return sentences[problem]
