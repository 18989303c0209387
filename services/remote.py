"""The entrance for other systems: one message in, states out, over Odoo's own API."""

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from ..tools import phone, sms_text
from . import ad_line, preparing
from .message_states import NO_MESSAGE_STATES, PURPOSES
from .records import read_input
from .rule_run import PREFIX

# Keys, or ids, of one question.
MOST = 1000
STATE_FIELDS = (
    "state",
    "reason",
    "message_status",
    "segment_count",
    "cost_estimated",
    "cost",
    "scheduled_at",
    "accepted_at",
    "delivered_at",
)


def submit(messages, number, body, *, account, partner, record, key, **options):
    """Put one message of another system into the journal.

    :param messages: an empty ``sms.devino.message``, with the rights of the caller
    :return: dict of ``id`` and ``state``
    """
    env = messages.env
    if not env.user.has_group("sms_devino.group_user"):
        raise AccessError(env._("Only members of the group SMS / User may send SMS."))
    account = _read_one(env, "sms.devino.account", account)
    account = preparing.pick_account(env, account)
    env.user._sms_devino_check_may_use(account)
    texts = {"number": number, "body": body, "key": key}
    texts |= {name: options[name] for name in ("sender", "purpose")}
    for name, text in texts.items():
        if text is not None and not isinstance(text, str):
            raise UserError(env._("%s: give a text.", name))
    if options["purpose"] not in dict(PURPOSES):
        raise UserError(env._("purpose: write one of %s.", ", ".join(dict(PURPOSES))))
    if (key or "").startswith(PREFIX):
        raise UserError(env._("Key: “%s” begins the keys of rules.", PREFIX))
    moment = _read_moment(env, options.pop("scheduled_at"))
    if not (key and preparing.find_by_key(account, key)):
        # last before the message is written, and not for one that is there already
        to = phone.read(number or "", account.country_id.code).e164
        company = account._get_message_company()
        text = ad_line.complete(company, options["purpose"], body or "", to or "")
        text = sms_text.normalise(text)
        one = {
            "number": to,
            "body": text,
            "purpose": options["purpose"],
            "sender_name": options["sender"] or account._get_default_sender().name,
            "segment_count": sms_text.segments(text),
            "scheduled_at": moment,
        }
        account._lock_money()
        account._check_enough(account._get_pricing().sum_cost([one]))
    message = messages.enqueue(
        number,
        body,
        account=account,
        partner=_read_one(env, "res.partner", partner),
        record=_read_record(env, record),
        key=key,
        scheduled_at=moment,
        validity=_read_count(env, options.pop("validity")),
        **options,
    )
    known = message.sudo()
    return {"id": known.id, "state": known.state}


def list_states(messages, keys):
    """Return what became of messages, the oldest first: a list of dicts.

    :param messages: ``sms.devino.message`` with the rights of the caller
    :param keys: list of the keys that they were given, or ``None``
    """
    env = messages.env
    messages.check_access("read")
    if keys is not None and not (
        isinstance(keys, list) and all(isinstance(key, str) for key in keys)
    ):
        raise UserError(env._("Keys: give a list of texts."))
    if len(messages) + len(keys or ()) > MOST:
        raise UserError(env._("Ask for at most %s messages at once.", MOST))
    domain = Domain("id", "in", messages.ids)
    if keys:
        domain |= Domain("dedup_key", "in", keys) & Domain(
            "company_id", "in", env.companies.ids
        )
    found = messages.search_fetch(
        domain & Domain("state", "not in", NO_MESSAGE_STATES),
        ["dedup_key", *STATE_FIELDS],
        order="id",
    )
    return [
        {"id": one.id, "key": one.dedup_key}
        | {name: _plain(one[name]) for name in STATE_FIELDS}
        for one in found
    ]


def _plain(value):
    is_moment = hasattr(value, "isoformat")
    return fields.Datetime.to_string(value) if is_moment else value


# --- reading the arguments ------------------------------------------------------------


def _read_one(env, model, key):
    """Return the record of an id that the caller may read; none for ``None``."""
    if key is None:
        return None
    is_id = type(key) is int and 0 < key < 2**31
    found = read_input(env, model, [key]) if is_id else None
    if not found:
        name = env["ir.model"]._get(model).sudo().name
        raise UserError(
            env._("%(what)s: there is none with the id %(id)s.", what=name, id=key)
        )
    return found


def _read_record(env, reference):
    """Return the document of a text such as ``sale.order,17``."""
    if reference is None:
        return None
    model, _comma, key = str(reference).partition(",")
    is_id = key.isascii() and key.isdigit() and len(key) < 11 and 0 < int(key) < 2**31
    found = read_input(env, model, [int(key)]) if is_id else None
    if not found:
        raise UserError(
            env._(
                "Record: “%s” is not there. Write model and id, such as sale.order,17.",
                reference,
            )
        )
    return found


def _read_moment(env, text):
    if text is None:
        return None
    try:
        return fields.Datetime.to_datetime(text if isinstance(text, str) else "?")
    except ValueError as error:
        raise UserError(
            env._("scheduled_at: write the time in UTC, such as 2030-01-31 09:00:00.")
        ) from error


def _read_count(env, minutes):
    if minutes is None or (type(minutes) is int and 0 <= minutes <= 100_000):
        return minutes
    raise UserError(env._("validity: give a number of minutes, 0 or more."))
