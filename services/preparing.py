"""Checks of one message before it enters the journal."""

from odoo import fields
from odoo.exceptions import AccessError, UserError

from ..tools import phone, sms_text
from .words import check_body, describe_reading, private_error


def pick_account(env, account=None):
    """Return the account that a message uses, with the rights to use it (sudo).

    :param account: ``sms.devino.account``; the company's default without it
    :raise UserError: when there is none, or it is archived
    :raise AccessError: when it belongs to another company
    """
    account = account or env["sms.devino.account"]._get_default()
    if not account:
        raise UserError(
            env._(
                "There is no SMS account for the company “%(company)s”. An "
                "administrator creates one in SMS > Configuration > Accounts.",
                company=env.company.display_name,
            )
        )
    account = account.with_env(env).sudo()
    usable = env.companies.sudo().parent_ids
    if account.company_id not in usable and not env.su:
        raise AccessError(
            env._(
                "The SMS account “%(account)s” belongs to another company.",
                account=account.name,
            )
        )
    if not account.active:
        raise UserError(env._("The SMS account “%s” is archived.", account.name))
    return account


def prepare(account, number, body, *, sender=None, scheduled_at=None, validity=None):
    """Check one message and return its values for ``create``.

    :param account: as :func:`pick_account` returns it
    :raise UserError: naming the field that is wrong and what to do
    """
    env = account.env
    sender_name = env["sms.devino.sender"]._check_usable(account, sender)
    body = check_body(env, body)
    reading = phone.read(number or "", account.country_id.code)
    if not reading.sendable:
        raise private_error(describe_reading(env, reading))
    segments = sms_text.analyse(body).segments
    now = fields.Datetime.now()
    later = scheduled_at if scheduled_at and scheduled_at > now else False
    return {
        **account._message_values(later or now, validity),
        "sender_name": sender_name,
        "number": reading.e164,
        "number_raw": reading.raw if reading.raw != reading.e164 else False,
        "body": body,
        "segment_count": segments,
        "scheduled_at": later,
        "state": "scheduled" if later else "outgoing",
        "cost_estimated": segments * account._find_price(reading.e164),
    }


def check_not_blacklisted(env, numbers):
    """Refuse numbers on Odoo's phone blacklist.

    :raise UserError: naming them
    """
    blocked = env["phone.blacklist"]._sms_devino_blacklisted(numbers)
    if blocked:
        raise private_error(
            env._(
                "%(numbers)s is on the blacklist: its owner does not want to get "
                "messages.",
                numbers=", ".join(sorted(blocked)),
            )
        )


def check_same_message(known, values):
    """Refuse another message under a key that is taken.

    :param known: ``sms.devino.message`` that has the key
    :param dict values: of the new message
    :raise UserError: saying what differs
    """
    names = ("number", "body", "sender_name")
    fields_by_name = known.sudo()._fields
    differing = [
        fields_by_name[name]._description_string(known.env)
        for name in names
        if known.sudo()[name] != values[name]
    ]
    if differing:
        raise UserError(
            known.env._(
                "The journal has another message under the key “%(key)s”. What "
                "differs: %(fields)s. Use another key for another message.",
                key=known.sudo().dedup_key,
                fields=", ".join(differing),
            )
        )
