"""What Odoo's SMS composer reads, shows and checks before an account sends it.

Each function takes the composer, an ``sms.composer`` record that has an account.
"""

import logging
import re
from collections import Counter
from contextlib import contextmanager

import psycopg2

from odoo.exceptions import UserError
from odoo.fields import Command

from ..tools import phone, sms_text
from . import ad_line, consent, permission, preparing, repeat, same_text
from .commit import CONFLICTS
from .private_log import private_sql
from .records import read_input
from .words import (
    check_body,
    check_scheduled_at,
    describe_reading,
    notify,
    private_error,
)

_logger = logging.getLogger(__name__)

# The preview renders at most this many texts and scales the result up.
PREVIEW_RECORDS = 500
PREVIEW_NAMES = 5
# Why Odoo leaves somebody out -> what the journal calls it.
LEFT_OUT = {
    "sms_blacklist": "blacklisted",
    "sms_duplicate": "duplicate",
    "sms_number_missing": "empty",
    "sms_number_format": None,  # read from the number
}
OPTED_OUT = "sms_optout"
split_numbers = re.compile(r"[,;\n]").split
# {{ object.name ||| customer }}, the form of Odoo's composer
find_placeholder = re.compile(r"\{\{\s*object\.(\w+)\s*(?:\|\|\|([^{}]*))?\}\}")


# --- numbers --------------------------------------------------------------------------


def read_numbers(composer):
    """Return how the number, or each of the numbers, that is entered is read.

    :return: a list of ``tools.phone.Reading``, each number once; empty if the documents
        tell whom it is sent to
    """
    if not composer.sms_devino_account_id or composer.composition_mode == "mass":
        return []
    if composer.comment_single_recipient:
        written = (
            composer.recipient_single_number_itf or composer.recipient_single_number
        )
    elif composer.res_ids and not composer.numbers:
        return []
    elif composer.sms_devino_direct:
        written = composer.sms_devino_number
    else:
        written = composer.numbers
    country = composer.sms_devino_account_id.sudo().country_id.code
    parts = [part.strip() for part in split_numbers(written or "") if part.strip()]
    readings = [phone.read(part, country) for part in parts or [""]]
    readings += [phone.read(e164) for r in readings for e164 in r.others]
    return list({found.e164 or found.raw: found for found in readings}.values())


def find_number_problem(composer, readings):
    """Return what is wrong with one of the numbers, or ``False``."""
    for reading in readings:
        if not reading.sendable:
            return describe_reading(composer.env, reading)
    refused = composer._sms_devino_repeated()
    numbers = {reading.e164 for reading in readings}
    if repeat.is_number_refused(refused) and refused.number in numbers:
        return repeat.describe_number_refused(composer.env, refused.number)
    return False


def describe_numbers(composer, readings):
    """Return which numbers the message goes to, or ``False`` where the form shows it.

    :param readings: as :func:`read_numbers` returns them, all of them sendable
    """
    if len(readings) > 1:
        return composer.env._(
            "Will be sent to %(count)s numbers: %(numbers)s.",
            count=len(readings),
            numbers=", ".join(reading.e164 for reading in readings),
        )
    if composer.comment_single_recipient and readings[0].code == "ok":
        return False
    return describe_reading(composer.env, readings[0])


def describe_entered(composer):
    """Return which numbers are meant, or what is wrong with them, by field.

    A number that is being typed is no error.
    """
    readings = read_numbers(composer)
    hint, state = False, False
    if readings and readings[0].code != "empty":
        problem = find_number_problem(composer, readings)
        hint = problem or describe_numbers(composer, readings)
        state = "bad" if problem else "good"
    return {
        "sms_devino_number_hint": hint,
        "sms_devino_number_state": state,
        "sms_devino_is_excluded": bool(find_blacklisted(composer)),
    }


def find_blacklisted(composer):
    """Return those of the numbers entered that are on the blacklist, a set."""
    return composer.env["phone.blacklist"]._sms_devino_blacklisted(
        reading.e164 for reading in read_numbers(composer)
    )


def find_excluded(composer, records):
    """Return those of the documents whose number is on the blacklist."""
    infos = composer._prepare_recipient_values(records)
    blacklisted = composer.env["phone.blacklist"]._sms_devino_blacklisted(
        info["sanitized"] for info in infos.values()
    )
    return records.filtered(lambda r: infos[r.id]["sanitized"] in blacklisted)


# --- what will happen -----------------------------------------------------------------


@contextmanager
def private_rendering(env):
    """Turn an SQL error, which quotes texts and numbers, into a sentence.

    :raise UserError: for every SQL error but a conflict with another transaction
    """
    try:
        with private_sql(), env.cr.savepoint():
            yield
    except CONFLICTS:
        raise
    except psycopg2.Error as error:
        _logger.info("an SMS could not be made: %s", type(error).__name__)
        raise UserError(
            env._(
                "The text cannot be filled in for these recipients. Check its "
                "placeholders and special characters."
            )
        ) from None


def make_preview(composer):
    """Return recipients, SMS and cost: the values of the composer's preview fields.

    :raise UserError: when the text cannot be rendered
    """
    records = composer._sms_devino_records()
    rendered = records[:PREVIEW_RECORDS]
    with private_rendering(composer.env):
        outcomes = _as_sent(composer, _find_outcomes(composer, rendered))
    scale = len(records) / len(rendered) if rendered else 1
    sent = _make_rows(composer, outcomes)
    segments = sum(row["segment_count"] for row in sent)
    pricing = composer.sms_devino_account_id.sudo()._get_pricing()
    return {
        "sms_devino_recipient_count": round(len(sent) * scale),
        "sms_devino_total": round(len(outcomes) * scale),
        "sms_devino_segment_count": round(segments * scale),
        "sms_devino_cost": pricing.sum_cost(sent) * scale,
        "sms_devino_is_estimate": scale > 1,
        "sms_devino_same_text": same_text.warn_single(
            composer.sms_devino_account_id,
            ((row["number"], row["body"]) for row in sent),
        ),
        "sms_devino_left_out": _describe_left_out(composer.env, outcomes),
        "sms_devino_problem": _find_placeholder_problem(composer),
        "sms_devino_added_line": ad_line.show(
            composer.sms_devino_account_id.sudo()._get_message_company(),
            composer.sms_devino_purpose,
        ),
    }


def _make_rows(composer, outcomes):
    """Return the messages to be, as far as their price depends on it."""
    is_later = composer.sms_devino_when == "later"
    shared = {
        "purpose": composer.sms_devino_purpose,
        "sender_name": composer.sms_devino_sender_id.sudo().name,
        "scheduled_at": is_later and composer.sms_devino_scheduled_at,
    }
    bodies = [
        (number, sms_text.normalise(text))
        for number, text, reason, _name in outcomes
        if not reason
    ]
    return [
        shared
        | {"number": number, "body": body, "segment_count": sms_text.segments(body)}
        for number, body in bodies
    ]


def _find_outcomes(composer, records):
    """Return what each recipient would get.

    :param records: documents to look at, if there are several
    :return: list of tuples ``(number, text, reason, name)``; the reason is a value of
        the journal's field, or of Odoo's failure type; with one there is no SMS
    """
    if readings := read_numbers(composer):
        text = composer.body or ""
        if composer.comment_single_recipient and records:
            text = composer._prepare_body_values(records)[records.id]
        return [(r.e164, text, None, "") for r in readings if r.sendable]
    country = composer.sms_devino_account_id.sudo().country_id.code
    values_by_id = composer._prepare_mass_sms_values(records)
    outcomes = []
    for record in records:
        values = values_by_id[record.id]
        failure = values["failure_type"]
        number, reason = values["number"], LEFT_OUT.get(failure, failure)
        if not reason:
            reading = phone.read(number or "", country)
            number = reading.e164 or number
            reason = None if reading.sendable else reading.code
        name = record.display_name
        outcomes.append((number, values["body"] or "", reason, name))
    return outcomes


def _as_sent(composer, outcomes):
    """Return the outcomes with what advertising asks for: a line, and a consent.

    :param list outcomes: as :func:`_find_outcomes` returns them
    """
    company = composer.sms_devino_account_id.sudo()._get_message_company()
    purpose = composer.sms_devino_purpose
    missing = consent.find_missing(
        company, purpose, [number for number, *_rest in outcomes]
    )
    result = []
    for number, text, reason, name in outcomes:
        if number in missing and reason in (None, OPTED_OUT):
            reason = consent.REASON
        if not reason:
            text = ad_line.complete(company, purpose, text, number)
        result.append((number, text, reason, name or number))
    return result


def find_without_consent(composer, recipients, purpose):
    """Return the ids of those of many documents that lack a consent.

    :param dict recipients: id of a document -> dict with ``sanitized``, its number
    """
    account = composer.sms_devino_account_id.sudo()
    numbers = {key: info["sanitized"] for key, info in recipients.items()}
    missing = account and consent.find_missing(
        account._get_message_company(), purpose, filter(None, numbers.values())
    )
    return [key for key, number in numbers.items() if number in (missing or ())]


def _find_placeholder_problem(composer):
    """Return that no document fills a placeholder in, or ``False``."""
    if composer.composition_mode != "numbers" or "{{" not in (composer.body or ""):
        return False
    return composer.env._(
        "Text: a placeholder such as %(example)s is filled in only for a contact or a "
        "document. Choose the contact, or write the value.",
        example="{{ object.name }}",
    )


def _describe_left_out(env, outcomes):
    """Return a line for each reason: how many get nothing, some of them by name."""
    labels = dict(env["sms.sms"]._fields["failure_type"]._description_selection(env))
    reasons = env["sms.devino.message"]._fields["reason"]
    labels |= dict(reasons._description_selection(env))
    lines = []
    counts = Counter(reason for _to, _text, reason, _name in outcomes if reason)
    for reason, count in counts.most_common():
        names = [name for *_rest, why, name in outcomes if why == reason]
        people = "; ".join(names[:PREVIEW_NAMES])
        if count > PREVIEW_NAMES:
            people = env._(
                "%(people)s and %(hidden)s more",
                people=people,
                hidden=count - PREVIEW_NAMES,
            )
        lines.append(f"{labels.get(reason, reason)}: {people}")
    return "\n".join(lines)


# --- sending --------------------------------------------------------------------------


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
    # what a form begins with says nothing; a draft begins as advertising
    is_said = composer.template_id.sms_devino_purpose
    is_said = is_said or composer.sms_devino_purpose != "service"
    whom = {"partner_ids": [Command.set(records.ids)]}
    if records._name != "res.partner":
        whom = {"model": records._name, "domain": repr([("id", "in", records.ids)])}
    return composer.env["sms.devino.batch"].create(
        {
            **whom,
            "account_id": account.id,
            **({"purpose": composer.sms_devino_purpose} if is_said else {}),
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
