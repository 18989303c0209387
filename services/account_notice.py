"""Why an account sends nothing at present, for the forms that send."""

ADMIN_GROUP = "sms_devino.group_admin"


def describe_stop(account):
    """Say why nothing leaves through an account, what to do and who can do it.

    :param account: ``sms.devino.account`` with the rights to read it (sudo), maybe
        empty; the words are for the user of its environment
    :return: str, or ``False`` when the account sends
    """
    env = account.env
    if account.is_copied:
        return env._(
            "Nothing is sent: this database is a copy. %(who)s",
            who=_who(
                account,
                env._("Press This database may send on the account to allow it."),
            ),
        )
    if account.state != "stopped":
        return False
    remedies = {
        "Error_Not_Enough_Credits": env._("Top up the account at the provider."),
        "Error_Invalid_Login": env._("Check login and password of the account."),
        "Error_Invalid_Password": env._("Check login and password of the account."),
        "Error_Unauthorised_IP_Address": env._(
            "Have the provider allow the address of this server."
        ),
        "Error_Gateway_Offline": env._("Check the server address of the account."),
    }
    remedy = remedies.get(account.operation_status) or env._(
        "Ask the provider, then press Check connection on the account."
    )
    return env._(
        "Nothing is sent: the provider refused the account “%(account)s”. %(reason)s. "
        "%(who)s Messages that wait leave by themselves after that.",
        account=account.name,
        reason=account._operation_status_label(account.operation_status),
        who=_who(account, remedy),
    )


def _who(account, remedy):
    """Return a remedy, with the person to ask where the user cannot do it."""
    if account.env.user.has_group(ADMIN_GROUP):
        return remedy
    return account.env._(
        "%(remedy)s Who can do it: %(person)s.",
        remedy=remedy,
        person=account._get_responsible().name,
    )
