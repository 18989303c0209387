"""The steps from an installed app to a company whose SMS all go through its account."""

from odoo.fields import Domain

from .windows import open_action

# States of a message that the provider has accepted.
ACCEPTED_STATES = ("sent", "delivered", "undelivered", "unconfirmed")


def make_first_steps(env):
    """Return the first steps of the current company, for the current user.

    :return: list of dicts ``{"key": str, "title": str, "text": str, "done": bool,
        "button": str, "action": dict or False, "ask": str or False}``. The action is
        one of Odoo's, or what :func:`_call` returns; ``ask`` names whom to ask for a
        step that the user may not do. The list is empty when the steps are hidden, or
        all done.
    """
    company = env.company.sudo()
    if not company.sms_devino_show_steps:
        return []
    account = env["sms.devino.account"]._get_default()
    steps = [
        _account_step(env, account),
        _trial_step(env, account),
        _list_step(env),
        _odoo_step(env, account),
    ]
    if all(step["done"] for step in steps):
        return []
    administrator = _find_administrator(env, account)
    for step in steps:
        may_do = env.user.has_group(step.pop("group"))
        step["ask"] = not may_do and not step["done"] and administrator
        if not may_do:
            step["action"] = False
    return steps


def _account_step(env, account):
    action = open_action(env, "sms_devino_account_action")
    return {
        "key": "account",
        "group": "sms_devino.group_admin",
        "title": env._("Connect the account"),
        "text": env._("Login, password and sender name from the provider."),
        "done": account.state == "ready",
        "button": env._("Open the account") if account else env._("Add an account"),
        "action": action | {"views": [(False, "form")], "res_id": account.id},
    }


def _trial_step(env, account):
    accepted = [("state", "in", ACCEPTED_STATES)]
    button = env._("Trial SMS to myself")
    text = env._("A real SMS: it checks the account and the sender name at once.")
    if account.mode == "test":
        button = env._("Trial SMS (nothing leaves Odoo)")
        text = env._("Test mode: nothing leaves Odoo and nothing is paid.")
    return {
        "key": "trial",
        "group": "sms_devino.group_user",
        "title": env._("Send a trial SMS to yourself"),
        "text": text,
        "done": _is_any(env, "sms.devino.message", accepted),
        "button": button,
        "action": bool(account) and _call(account, "action_send_trial"),
    }


def _list_step(env):
    action = open_action(env, "sms_devino_recipient_list_action")
    return {
        "key": "list",
        "group": "sms_devino.group_manager",
        "title": env._("Make the first recipient list"),
        "text": env._("From a spreadsheet, from contacts, or by pasting numbers."),
        "done": _is_any(env, "sms.devino.recipient.list", []),
        "button": env._("New list"),
        "action": action | {"views": [(False, "form")]},
    }


def _odoo_step(env, account):
    return {
        "key": "odoo",
        "group": "base.group_system",
        "title": env._("Send all SMS of Odoo through it"),
        "text": env._("Reminders, confirmations and mailings of all apps."),
        "done": bool(env.company.sudo().sms_devino_account_id),
        "button": env._("Use this account"),
        "action": bool(account) and _call(account, "action_use_for_odoo"),
    }


def _is_any(env, model, domain):
    """Whether the company has a record; the sudo reveals nothing else."""
    domain = Domain(domain) & Domain("company_id", "in", [env.company.id, False])
    return bool(env[model].sudo().search_count(domain, limit=1))


def _call(account, method):
    """Return a method that the browser calls; it returns the action to do then."""
    return {"type": "call", "model": account._name, "method": method, "id": account.id}


def _find_administrator(env, account):
    """Return the name of somebody who may do every step, or words for the group."""
    group = env.ref("sms_devino.group_admin").sudo()
    companies = env.company.parent_ids.sudo()
    users = group.all_user_ids.filtered(
        lambda user: user.active and not user.share and user.company_ids & companies
    )
    user = account.responsible_id & users or users[:1]
    return user.name or env._("an SMS administrator")
