"""What Odoo's SMS composer reads and shows before an account sends it.

Each function takes the composer, an ``sms.composer`` record that has an account.
"""

import logging
import re
from collections import Counter
from contextlib import contextmanager

import psycopg2

from odoo.exceptions import UserError

from ..tools import phone, sms_text
from . import ad_line, consent, repeat, same_text
from .commit import CONFLICTS
from .private_log import private_sql
from .words import describe_reading

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
        reason = LEFT_OUT.get(failure, failure)
        if not reason:
            reading = phone.read(values["number"] or "", country)
            reason = None if reading.sendable else reading.code
        name = record.display_name
        outcomes.append((values["number"], values["body"] or "", reason, name))
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
