"""Checks of one message before it enters the journal."""

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..tools import phone, sms_text
from . import ad_line, consent
from .message_states import ADVERTISING, NO_MESSAGE_STATES, QUEUED_STATES
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


def prepare(
    account,
    number,
    body,
    *,
    sender=None,
    scheduled_at=None,
    validity=None,
    purpose="service",
):
    """Check one message and return its values for ``create``.

    Advertising gets the line of the company, and needs a consent where it demands one.

    :param account: as :func:`pick_account` returns it
    :raise UserError: naming the field that is wrong and what to do
    """
    env = account.env
    sender_name = env["sms.devino.sender"]._check_usable(account, sender)
    body = check_body(env, body)
    reading = phone.read(number or "", account.country_id.code)
    if not reading.sendable:
        raise private_error(describe_reading(env, reading))
    company = account._get_message_company()
    consent.check_given(company, purpose, [reading.e164])
    body = check_body(env, ad_line.complete(company, purpose, body, reading.e164))
    segments = sms_text.analyse(body).segments
    now = fields.Datetime.now()
    later = scheduled_at if scheduled_at and scheduled_at > now else False
    return {
        **account._message_values(later or now, validity),
        "sender_name": sender_name,
        "number": reading.e164,
        "number_raw": reading.raw if reading.raw != reading.e164 else False,
        "body": body,
        "purpose": purpose,
        "segment_count": segments,
        "scheduled_at": later,
        "state": "scheduled" if later else "outgoing",
    }


def enqueue(
    messages,
    number,
    body,
    *,
    account,
    partner,
    record,
    key,
    purpose,
    honour_blacklist,
    **options,
):
    """Do what ``enqueue`` of ``sms.devino.message`` promises."""
    env = messages.env
    account = pick_account(env, account)
    if key and (known := find_by_key(account, key)):
        _check_same_message(known, number, body, options["sender"])
        return known.sudo(env.su)
    values = prepare(account, number, body, purpose=purpose, **options)
    if honour_blacklist or purpose == "advertising":
        check_not_blacklisted(env, [values["number"]])
    message = messages.sudo().create(
        {
            **values,
            "partner_id": partner.id if partner else False,
            "res_model": record._name if record else False,
            "res_id": record.id if record else False,
            "author_id": env.uid,
            "dedup_key": key or False,
        }
    )
    message._wake()
    return message.sudo(env.su)


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


def find_by_key(account, key):
    """Return the message of the account's company that has a key, with all rights."""
    domain = [
        ("company_id", "=", account._get_message_company().id),
        ("dedup_key", "=", key),
        ("state", "not in", NO_MESSAGE_STATES),
    ]
    return account.env["sms.devino.message"].sudo().search(domain, limit=1)


def _check_same_message(known, number, body, sender):
    """Refuse another message under a key that is taken.

    :param known: ``sms.devino.message`` that has the key, with all rights
    :param sender: of the new message, ``None`` for the account's default
    :raise UserError: saying what differs
    """
    country = known.account_id.country_id.code
    text = sms_text.normalise(body or "")
    wanted = {
        "number": phone.read(number or "", country).e164,
        "body": known.body if text in _texts_of(known) else text,
        "sender_name": sender or known.sender_name,
    }
    differing = [
        known._fields[name]._description_string(known.env)
        for name, value in wanted.items()
        if known[name] != value
    ]
    if differing:
        raise UserError(
            known.env._(
                "The journal has another message under the key “%(key)s”. What "
                "differs: %(fields)s. Use another key for another message.",
                key=known.dedup_key,
                fields=", ".join(differing),
            )
        )


def cancel(messages):
    """Cancel messages that have not been handed over.

    :param messages: ``sms.devino.message`` that the user chose
    :raise UserError: when none of them could be canceled any more
    """
    rows = [{"id": key} for key in messages.ids]
    queued = SQL("m.state = ANY(%s)", list(QUEUED_STATES))
    if not messages.sudo()._transition("canceled", rows, condition=queued):
        raise UserError(
            messages.env._(
                "Too late: only a message that is scheduled or waits in the queue "
                "can be canceled."
            )
        )


def _texts_of(message):
    """Return the text of a message, and without the line that was added to it."""
    text = message.body or ""
    head, _break, _line = text.rpartition("\n")
    return (text, head) if message.purpose == ADVERTISING else (text,)


def reschedule(messages, scheduled_at):
    """Move scheduled messages to another time; each is valid for as long as it was.

    :param messages: ``sms.devino.message`` that the user chose
    :param datetime scheduled_at: UTC
    :raise UserError: when one of them is not scheduled any more
    """
    messages.check_access("read")
    wanted = messages.sudo()
    locked = wanted.try_lock_for_update()
    if locked != wanted or any(message.state != "scheduled" for message in locked):
        raise UserError(
            messages.env._("Too late: the message is not scheduled any more.")
        )
    for message in locked:
        by = scheduled_at - message.scheduled_at
        until = message.use_until and message.use_until + by
        message.write({"scheduled_at": scheduled_at, "use_until": until})
    locked._wake()


def check_account(record):
    """Refuse an account or sender that cannot send.

    :param record: a mass sending or a rule, with the rights of the sender
    :raise UserError: saying what is wrong and what to do
    """
    env, account, sender = record.env, record.account_id, record.sender_id
    if account.company_id not in record.company_id.sudo().parent_ids:
        raise UserError(env._("Account: choose one of %s.", record.company_id.name))
    pick_account(env, account)
    if not sender or sender.account_id != account:
        raise UserError(env._("Sender: choose the name that the recipients see."))
    if sender.state == "refused":
        raise UserError(env._("Sender: the provider has refused “%s”.", sender.name))
    env["sms.devino.sender"]._check_usable(account, sender.name)
