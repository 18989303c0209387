"""What Odoo's SMS composer does when *Send* is pressed: checks, messages, drafts.

Each function takes the composer, an ``sms.composer`` record that has an account.
"""

import re

from odoo.exceptions import UserError
from odoo.fields import Command

from ..tools import phone
from . import consent, permission, preparing, repeat
from .composer import find_blacklisted, find_excluded, find_number_problem, read_numbers
from .records import read_input
from .words import check_body, check_scheduled_at, notify, private_error

# {{ object.name ||| customer }}, the form of Odoo's composer
find_placeholder = re.compile(r"\{\{\s*object\.(\w+)\s*(?:\|\|\|([^{}]*))?\}\}")


def check_account(composer):
    """Refuse to send by Odoo's own way what was written in one of our forms."""
    if composer.sms_devino_direct:
        preparing.pick_account(composer.env)
        raise UserError(composer.env._("SMS account: choose the one that pays."))


def check_rights(composer):
    """Check that the user may send through the account, to so many recipients.

    :raise AccessError: saying who may
    """
    account, user = composer.sms_devino_account_id.sudo(), composer.env.user
    user._sms_devino_check_may_use(account)
    count = len(read_numbers(composer)) or composer.res_ids_count
    user._sms_devino_check_may_reach(count, account.company_id)
    company = account._get_message_company()
    is_large = permission.is_large(company, count, composer.sms_devino_cost)
    # for many recipients the form leads to a draft, which is approved itself
    if is_large and not composer.sms_devino_is_many:
        raise UserError(
            composer.env._(
                "So large a sending needs the approval of a second person. Send it as "
                "a mass sending, in SMS > Mass Sendings."
            )
        )


def check_message(composer):
    """Check the message; the balance last, since its row is locked for that.

    :raise UserError: saying what is wrong
    """
    env, account = composer.env, composer.sms_devino_account_id.sudo()
    if composer.sms_devino_when == "later":
        check_scheduled_at(env, composer.sms_devino_scheduled_at)
    elif composer.sms_devino_notice:
        raise UserError(composer.sms_devino_notice)
    check_body(env, composer.body)
    if composer.sms_devino_sender_id.sudo().account_id != account:
        raise UserError(
            env._(
                "Sender: choose one of the sender names of the account “%s”.",
                account.name,
            )
        )
    if problem := find_number_problem(composer, read_numbers(composer)):
        raise private_error(problem)
    if composer.use_exclusion_list and (blocked := find_blacklisted(composer)):
        raise private_error(
            env._(
                "%(numbers)s is on the blacklist: its owner does not want to get "
                "messages. To send anyway, clear Respect the blacklist.",
                numbers=", ".join(sorted(blocked)),
            )
        )
    consent.check_given(
        account._get_message_company(),
        composer.sms_devino_purpose,
        [reading.e164 for reading in read_numbers(composer)],
    )
    if composer.sms_devino_problem:
        raise UserError(composer.sms_devino_problem)
    account._lock_money()
    account._check_enough(composer.sms_devino_cost, composer.sms_devino_recipient_count)


def make_options(composer, *, automatic=False):
    """Return what a form says about its messages.

    The usual account is left out: each message of several then goes through the
    account of its own document's company.

    :return: the options, see ``sms.devino.options``
    """
    account = composer.sms_devino_account_id
    if account == composer._sms_devino_company().sms_devino_account_id:
        account = account.browse()
    is_later = composer.sms_devino_when == "later"
    ids = [composer.res_id]
    document = composer.res_id and read_input(composer.env, composer.res_model, ids)
    document = document or composer._sms_devino_contact()
    sender = composer.sms_devino_sender_id or composer.template_id.sms_devino_sender_id
    return composer.env["sms.devino.options"]._sms_devino_make_options(
        account_id=account.id,
        sender=sender.sudo().name,
        scheduled_at=composer.sms_devino_scheduled_at if is_later else None,
        validity=None if automatic else composer.sms_devino_validity,
        purpose=composer.sms_devino_purpose,
        is_mass=composer.composition_mode == "mass",
        override=not composer.use_exclusion_list,
        automatic=automatic,
        res_model=document._name if document else False,
        res_id=document.id,
    )


def send_to_numbers(composer):
    """Send to the numbers as the account's country reads them.

    :return: the ``sms.sms`` of the messages
    """
    numbers = [reading.e164 for reading in read_numbers(composer)]
    if repeated := composer._sms_devino_repeated():
        copy = send_again(composer, repeated, numbers.pop(0))
        composer.sudo().sms_devino_message_ids = copy
    partner = composer._sms_devino_contact()
    all_sms = composer.env["sms.sms"].sudo()
    all_sms = all_sms.create(
        [
            {"body": composer.body, "number": number, "partner_id": partner.id}
            for number in numbers
        ]
    )
    all_sms.send()
    return all_sms


def spread_numbers(composer, readings):
    """Have Odoo's composer send to several numbers beside the document's own.

    :param readings: as :func:`read_numbers` returns them
    """
    numbers = [reading.e164 for reading in readings]
    country = composer.sms_devino_account_id.sudo().country_id.code
    own = phone.read(composer.recipient_single_number or "", country).e164
    if composer.number_field_name and own in numbers:
        numbers.remove(own)  # Odoo links it to the contact
    else:
        composer.number_field_name = False
    composer.numbers = ",".join(numbers)


def find_sent(sent):
    """Return the messages of the journal that Odoo's own ones lead to, with all rights.

    :param sent: ``sms.sms``, or the ``mail.message`` that they belong to
    """
    if sent._name == "mail.message":
        domain = [("mail_message_id", "in", sent.ids)]
        sent = sent.env["sms.sms"].sudo().search(domain)
    messages = sent.env["sms.devino.message"].sudo()
    return messages.search([("uuid", "in", sent.sudo().mapped("uuid"))])


def open_sent(composer):
    """Show what a form has sent, to those who may see the journal."""
    messages = composer.sms_devino_message_ids.sorted("id")
    if not messages or not messages.has_access("read"):
        return False
    if composer.composition_mode != "mass":
        return messages._get_records_action(context={})
    return notify(
        composer.env._("Send SMS"),
        composer.env._("Messages in the queue: %s", len(messages)),
        kind="success",
        following={"type": "ir.actions.act_window_close"},
    )


def send_again(composer, message, number):
    """Send a message again, with what was corrected, as one more of its chain.

    :param message: the ``sms.devino.message`` to repeat
    :param str number: E.164
    :return: the new ``sms.devino.message``
    :raise UserError: when one of the chain is on its way or has arrived
    """
    is_later = composer.sms_devino_when == "later"
    account = composer.sms_devino_account_id.sudo()
    prepared = preparing.prepare(
        account,
        number,
        composer.body,
        sender=composer.sms_devino_sender_id.sudo().name,
        scheduled_at=composer.sms_devino_scheduled_at if is_later else None,
        validity=composer.sms_devino_validity,
        purpose=composer.sms_devino_purpose,
    )
    if find_blacklisted(composer):
        prepared["override_by_id"] = composer.env.uid
    copy = repeat.send_corrected(message, prepared)
    copy._wake()
    return copy.sudo()


def make_draft(composer):
    """Return a new draft of a mass sending to the composer's contacts, or about its
    documents."""
    account, records = composer.sms_devino_account_id, composer._sms_devino_records()
    purpose = composer.template_id.sms_devino_purpose
    whom = {"partner_ids": [Command.set(records.ids)]}
    if records._name != "res.partner":
        whom = {"model": records._name, "domain": repr([("id", "in", records.ids)])}
    return composer.env["sms.devino.batch"].create(
        {
            **whom,
            "account_id": account.id,
            **({"purpose": purpose} if purpose else {}),
            "company_id": account.sudo()._get_message_company().id,
            "sender_id": composer.sms_devino_sender_id.id,
            "body": convert_placeholders(composer.body or ""),
        }
    )


def convert_placeholders(body):
    """Return a text with the composer's placeholders in the form of a mass sending."""

    def convert(match):
        name, default = match.groups()
        inside = f"{name} | {default.strip()}" if default else name
        return f"{{{{ {inside} }}}}"

    return find_placeholder.sub(convert, body)


def make_template(composer):
    """Return the text as a new ``sms.template`` of this kind of document."""
    body = check_body(composer.env, composer.body)
    model = composer.res_model or "res.partner"
    return composer.env["sms.template"].create(
        {
            "name": " ".join(body.split())[:40],
            "model_id": composer.env["ir.model"]._get_id(model),
            "body": body,
        }
    )


def log_override(composer):
    """Leave a note on the documents whose number is on the blacklist."""
    records = composer._get_records()
    if not records or not isinstance(records, composer.pool["mail.thread"]):
        return
    if not composer.comment_single_recipient:
        records = find_excluded(composer, records)
    elif not find_blacklisted(composer):
        return
    note = composer.env._(
        "The number is on the blacklist. %(user)s sent an SMS anyway.",
        user=composer.env.user.name,
    )
    if records:
        records._message_log_batch(dict.fromkeys(records.ids, note))
