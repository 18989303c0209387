"""Sending a message again: a chain has a first message, and those that repeat it.

At most one message of a chain may be on its way or have arrived. Adding to a chain
locks the money of the account of its first message, for a single message and for a mass
sending alike. If two do so at once, the second one conflicts, Odoo repeats it, and it
finds what the first one wrote.
"""

from odoo.exceptions import UserError

from . import consent, odoo_link, preparing
from .message_states import NUMBER_REFUSED, RISKY_TO_REPEAT, SAFE_TO_REPEAT
from .pricing import PRICED_BY
from .words import private_error

# Surely not arrived: these messages of a mass sending are sent again.
SURELY_FAILED = ("failed", "undelivered")
# What may still arrive, or has arrived. Rows of drafts do not count.
MAY_ARRIVE = [
    ("state", "not in", (*SAFE_TO_REPEAT, "left_out")),
    "|",
    ("state", "!=", "draft"),
    ("batch_id.state", "not in", ("draft", "to_approve", "canceled")),
]
COPIED = ("data", "res_model", "res_id")
# The owner of the number.
OF_NUMBER = ("name", "partner_id", "operator")


def is_number_refused(message):
    """Whether the provider will not accept the number another time either.

    :param message: ``sms.devino.message``, one or none
    """
    return NUMBER_REFUSED in (message.operation_status, message.message_status)


def describe_number_refused(env, number):
    return env._(
        "The provider does not accept the number %(number)s. Correct it.", number=number
    )


def send_again(messages):
    """Write a copy of each message into the queue; each chain gets one.

    :param messages: ``sms.devino.message`` that the user may read
    :return: the copies
    :raise UserError: when a message of a chain may still arrive, or has; when a number
        is on the blacklist or the provider does not accept it, or the balance is not
        enough
    :raise AccessError: when the person may not send, or not to so many
    """
    firsts = messages.sudo().mapped(lambda message: message.repeat_of_id or message)
    chains = [first + first.repeated_by_ids for first in firsts]
    _check_may_send(messages, firsts)
    for chain in chains:
        _check_chain(messages.sudo() & chain, chain)
    copies = messages.browse()
    for chain in chains:
        copies += _copy((messages & chain)[:1], chain)
    copies._wake()
    return copies


def _check_may_send(messages, firsts):
    """Check what every door to sending checks: rights, blacklist and money."""
    user = messages.env.user
    if not all(message.number and message.body for message in messages.sudo()):
        raise UserError(
            messages.env._(
                "The message was made anonymous because of its age: its number and "
                "text are gone."
            )
        )
    preparing.check_not_blacklisted(messages.env, messages.mapped("number"))
    for (company, purpose), alike in (
        messages.sudo()
        .grouped(lambda message: (message.company_id, message.purpose))
        .items()
    ):
        consent.check_given(company, purpose, alike.mapped("number"))
    if refused := messages.filtered(is_number_refused):
        raise private_error(describe_number_refused(messages.env, refused[0].number))
    for account in firsts.account_id:
        account._lock_money()
    for account, of_account in messages.sudo().grouped("account_id").items():
        user._sms_devino_check_may_use(account)
        user._sms_devino_check_may_reach(len(of_account), account.company_id)
        cost = account._get_pricing().sum_cost(of_account.read(PRICED_BY))
        account._lock_money()
        account._check_enough(cost, len(of_account))


def _check_chain(messages, chain):
    for message in messages:
        _check_mode(message, message.account_id.mode)
    arriving = chain.filtered_domain(
        [*MAY_ARRIVE, ("state", "not in", RISKY_TO_REPEAT)]
    )
    repeatable = (*SAFE_TO_REPEAT, *RISKY_TO_REPEAT)
    for message in arriving + messages.filtered(lambda m: m.state not in repeatable):
        raise private_error(
            message.env._(
                "Message to %(number)s is on its way or has arrived; it is not sent "
                "again.",
                number=message.number,
            )
        )


def _check_mode(message, mode):
    if message.mode != mode:
        raise UserError(
            message.env._(
                "The mode of the account was changed: a message of test mode is not "
                "sent again live, nor the other way round. Write a new one."
            )
        )


def send_corrected(message, prepared):
    """Write one more message of a chain, with another number, text, sender or time.

    :param message: the ``sms.devino.message`` to repeat, which the user may send
    :param dict prepared: what :func:`~.preparing.prepare` returned
    :return: the new ``sms.devino.message``
    :raise UserError: when one of the chain is on its way or has arrived
    """
    first = message.sudo().repeat_of_id or message.sudo()
    first.account_id._lock_money()
    chain = first + first.repeated_by_ids
    _check_chain(message.sudo(), chain)
    # another account may have been chosen
    _check_mode(message.sudo(), prepared["mode"])
    return _copy(message, chain, prepared)


def _copy(message, chain, prepared=None):
    """Return a new message with the recipient and text of this one, or as prepared.

    It takes over the uuid of the chain, so that it reports where the first one did.
    """
    original = message.sudo()
    values = prepared or {
        **preparing.prepare(
            preparing.pick_account(message.env, original.account_id),
            original.number,
            original.body,
            sender=original.sender_name,
        ),
        # its text ends with the line of advertising already
        "purpose": original.purpose,
    }
    kept = COPIED
    if values["number"] == original.number:
        kept += OF_NUMBER
    for name in kept:
        field = original._fields[name]
        values[name] = field.convert_to_write(original[name], original)
    uuids = chain.filtered("uuid").mapped("uuid")
    chain.write({"uuid": False})
    chain.flush_recordset(["uuid"])
    values |= {
        "author_id": message.env.uid,
        "repeat_of_id": chain[0].id,
        "uuid": uuids[0] if uuids else False,
    }
    copy = original.create(values)
    odoo_link.follow_again(copy)
    return copy.sudo(message.env.su)


def make_draft(batch):
    """Return a draft that sends again, text by text, what surely did not arrive.

    :param batch: ``sms.devino.batch``, one, that the user may send
    """
    values = {
        "name": batch.env._("%s: failed ones again", batch.name),
        "repeat_of_id": batch.id,
        "prepared_by_id": batch.env.uid,
    }
    values |= dict.fromkeys(("list_ids", "partner_ids", "domain", "source_file"), False)
    return batch.sudo().copy(values).sudo(False)


def find_repeated(env, first_ids, *, but):
    """Return those chains of messages of which one may still arrive, or has.

    :param first_ids: ids of the first message of each chain
    :param but: ``sms.devino.batch`` whose own rows do not count
    :return: a set of ids
    """
    of_others = [("repeat_of_id", "in", list(first_ids)), ("batch_id", "!=", but.id)]
    domain = [*of_others, *MAY_ARRIVE]
    groups = env["sms.devino.message"].sudo()._read_group(domain, ["repeat_of_id"])
    return {first.id for (first,) in groups}


def lock_chains(batch):
    """Lock the chains that a mass sending adds to: they begin in its first one.

    :param batch: ``sms.devino.batch`` that sends another one's failed messages again
    """
    first = batch
    while first.repeat_of_id:
        first = first.repeat_of_id
    first.account_id._lock_money()


def check_not_repeated(batch, draft_domain):
    """Refuse to send again what was sent again since the calculation.

    :param draft_domain: of its rows that are to be sent
    """
    groups = batch.env["sms.devino.message"]._read_group(draft_domain, ["repeat_of_id"])
    repeated = find_repeated(batch.env, [one.id for (one,) in groups], but=batch)
    if repeated:
        raise UserError(
            batch.env._(
                "%(count)s of these messages have been sent again in the meantime. "
                "Calculate again.",
                count=len(repeated),
            )
        )
