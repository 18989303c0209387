"""The journal as the provider of Odoo's own SMS: what goes in, what is reported back.

A message that Odoo's ``sms.sms`` follows has its uuid. Odoo keeps the state of such a
message in ``sms.tracker`` (chatter, mailing traces) and in ``sms.sms`` while it exists.
"""

import logging
from collections import Counter

from odoo import fields
from odoo.exceptions import UserError

from ..tools import phone
from . import preparing
from .commit import CONFLICTS
from .message_states import NUMBER_REFUSED, SAFE_TO_REPEAT
from .private_log import log_failure
from .words import label_of

_logger = logging.getLogger(__name__)

# State of the journal -> state of Odoo's sms.sms, for those that Odoo must hear of.
SMS_STATES = {
    "sent": "pending",
    "delivered": "sent",
    "failed": "error",
    "undelivered": "error",
    "unknown": "error",
    "canceled": "canceled",
}
# What the provider reports -> the delivery errors that Odoo knows (sms_<error>).
DELIVERY_ERRORS = {
    "Error_Expired": "expired",
    "Error_Invalid_Destination_Address": "invalid_destination",
    "Error_Rejected": "rejected",
}
# The answer for a uuid that the journal has already, by the state of its row.
KNOWN_ANSWERS = {"sent": "success", "unconfirmed": "success", "delivered": "delivered"}


class Unlogged(str):
    """A sentence with a number or a text in it, kept out of Odoo's log of results."""

    __slots__ = ()

    def __repr__(self):
        return "'…'"


# --- what goes in ---------------------------------------------------------------------


def take_over(journal, company, messages):
    """Write what Odoo sends into the journal.

    A uuid that is on its way or has arrived is not written again.

    :param journal: ``sms.devino.message``, with the rights to write it (sudo)
    :param company: ``res.company`` with an account to send through
    :param list messages: as ``SmsApiBase._send_sms_batch`` gets them
    :return: list of dicts ``{"uuid", "state"}``, with ``failure_reason`` for those that
        cannot be sent
    """
    wanted = {
        number["uuid"]: (number["number"], message["content"])
        for message in messages
        for number in message["numbers"]
    }
    known = journal.search([("uuid", "in", list(wanted))]).grouped("uuid")
    found = journal.env["sms.sms"].search([("uuid", "in", list(wanted))])
    all_sms = found.grouped("uuid")
    crowds = Counter(sms.mail_message_id.id for sms in found)
    results, rows = [], []
    for uuid, (number, content) in wanted.items():
        sms = all_sms.get(uuid, journal.env["sms.sms"])
        earlier = known.get(uuid, journal)
        crowd = crowds[sms.mail_message_id.id] if sms.mail_message_id else 1
        answer, row = _read_sms(
            company, sms, earlier, number, sms.body or content, crowd
        )
        results.append({"uuid": uuid, **answer})
        if row:
            rows.append({**row, "uuid": uuid})
    _write(journal, rows)
    return results


def _write(journal, rows):
    """Write the rows; a row that repeats an earlier one takes the uuid from it."""
    repeated = journal.browse(row["repeats"] for row in rows if row.get("repeats"))
    if repeated:
        repeated.write({"uuid": False})
        repeated.flush_recordset(["uuid"])
    for row in rows:
        row.pop("repeats", None)
    if rows:
        journal.create(rows)._wake()


def _read_sms(company, sms, earlier, number, body, crowd):
    """Decide about one message that Odoo wants to send.

    :param sms: its ``sms.sms``, maybe empty
    :param earlier: the journal's message with the same uuid, maybe empty
    :param int crowd: how many recipients the same note on a document has
    :return: the answer for Odoo, and the values for the journal or ``None``
    """
    if earlier and earlier.state not in SAFE_TO_REPEAT:
        return _answer_known(earlier), None
    author = sms.create_uid or earlier.env.user
    options = sms.sms_devino_options or {}
    journal = earlier.with_context(lang=author.lang or earlier.env.lang)
    account = sms.sms_devino_account_id or company.sms_devino_account_id
    reading = phone.read(number or "", account.country_id.code)
    if reading.code == "empty":
        return {"state": "sms_number_missing"}, None
    try:
        if not options.get("automatic"):
            person = author.with_env(journal.env)
            person._sms_devino_check_may_use(account)
            person._sms_devino_check_may_reach(crowd, account.company_id)
        values = preparing.prepare(
            preparing.pick_account(journal.env, account),
            number,
            body,
            sender=account._get_sender_named(options.get("sender")).name,
            scheduled_at=fields.Datetime.to_datetime(options.get("scheduled_at")),
            validity=options.get("validity"),
            purpose=options.get("purpose") or "service",
        )
    except UserError as error:
        state = "refused" if reading.sendable else "wrong_number_format"
        return {"state": state, "failure_reason": Unlogged(error)}, None
    model, res_id = _document_of_sms(sms, options)
    return {"state": "processing"}, values | {
        "priority": "0" if options.get("is_mass") else "1",
        "partner_id": _partner_of(sms, values["number"], account),
        "author_id": author.id,
        "res_model": model,
        "res_id": res_id,
        "override_by_id": _override_of(sms, options, values["number"], author),
        "repeat_of_id": (earlier.repeat_of_id or earlier).id,
        "repeats": earlier.id,
    }


def _partner_of(sms, number, account):
    """Return the id of the contact that a number belongs to, or false."""
    partner = sms.partner_id
    theirs = phone.read(partner.phone or "", account.country_id.code).e164
    return partner.id if number in (theirs, partner.phone_sanitized) else False


def _override_of(sms, options, number, author):
    """Return who sends to a number on the blacklist on purpose, if anybody does."""
    if not options.get("override"):
        return False
    blocked = sms.env["phone.blacklist"]._sms_devino_blacklisted([number])
    return author.id if blocked else False


def _answer_known(earlier):
    """Return the answer for a message that the journal has already."""
    if earlier.state == "unknown":
        reason = earlier.env._(
            "It is not known whether this message reached the recipient. If it must be "
            "sent again, do so from the journal."
        )
        return {"state": "unknown_outcome", "failure_reason": reason}
    return {"state": KNOWN_ANSWERS.get(earlier.state, "processing")}


def _document_of_sms(sms, options):
    """Return model and id of the document that a message comes from."""
    message = sms.mail_message_id.sudo()
    if message.model and message.res_id:
        return message.model, message.res_id
    return options.get("res_model") or False, options.get("res_id") or False


# --- what is reported back ------------------------------------------------------------


def report(journal, target, ids):
    """Show what became of messages where Odoo shows them. Trouble there is logged: it
    must not keep the journal from being written."""
    if target not in SMS_STATES or not ids:
        return
    followed = journal.sudo().search([("id", "in", ids), ("uuid", "!=", False)])
    if not followed:
        return
    try:
        with journal.env.cr.savepoint():
            _update_odoo(target, followed)
    except CONFLICTS:
        # the whole piece of work is done again
        raise
    except Exception:
        log_failure(
            _logger, "Odoo was not told of %s messages: %s", len(followed), target
        )


def follow_again(message):
    """Show a message that is sent again as being on its way."""
    if message.uuid:
        _trackers_of(message)._action_update_from_sms_state("process")


def _trackers_of(messages):
    found = messages.env["sms.tracker"].sudo()
    found = found.search([("sms_uuid", "in", messages.mapped("uuid"))])
    return found.with_context(sms_devino=True)


def _update_odoo(target, messages):
    failures = {(None, False): messages}
    if SMS_STATES[target] == "error":
        failures = messages.grouped(_describe_failure)
    for (failure, reason), group in failures.items():
        _update_trackers(_trackers_of(group), target, failure, reason)
        uuids = group.mapped("uuid")
        all_sms = messages.env["sms.sms"].sudo().search([("uuid", "in", uuids)])
        _update_sms(all_sms, target, failure)


def _update_trackers(trackers, target, failure, reason):
    if not trackers:
        return
    if target == "canceled":
        trackers._sms_devino_cancel()
    elif target == "undelivered" or failure == "expired":
        trackers = trackers.with_context(sms_known_failure_reason=reason)
        trackers._action_update_from_provider_error(failure)
    else:
        trackers._action_update_from_sms_state(
            SMS_STATES[target], failure_type=failure or False, failure_reason=reason
        )


def _update_sms(all_sms, target, failure):
    """Let what surely failed be sent again by Odoo's own means, nothing else."""
    if not all_sms or target == "unknown":
        return
    values = {"state": SMS_STATES[target], "failure_type": False}
    if SMS_STATES[target] == "error":
        known = dict(all_sms._fields["failure_type"].selection)
        values["failure_type"] = failure if failure in known else "unknown"
        values["to_delete"] = False
    all_sms.write(values)


def _describe_failure(message):
    """Return what Odoo calls the failure of a message, and why in words.

    The words are in the language of the author.

    :return: a tuple of a failure type (of a report: a delivery error) and a text
    """
    lang = message.author_id.lang or message.company_id.partner_id.lang
    message = message.with_context(lang=lang or message.env.lang)
    if message.state == "undelivered":
        failure = DELIVERY_ERRORS.get(message.message_status, "not_delivered")
        return failure, label_of(message, "message_status")
    if message.reason == "expired":
        return "expired", label_of(message, "reason")
    refused = message.reason == "refused" and message.operation_status
    if refused == NUMBER_REFUSED:
        return "sms_number_format", label_of(message, "operation_status")
    return "unknown", label_of(message, "operation_status" if refused else "reason")
