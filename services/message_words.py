"""What the journal says of a message in words: why it waits, what happened to it."""

from datetime import timedelta

from odoo import fields
from odoo.tools import format_datetime

from ..tools import sms_text
from .hours import Schedules
from .jobs import job_problem
from .message_states import QUEUED_STATES, RISKY_TO_REPEAT, SAFE_TO_REPEAT
from .records import read_input
from .words import format_moment, label_of, notify

# How long a message that is due may wait before its form says why.
PATIENCE = timedelta(seconds=10)


def describe_wait(message):
    """Return why a message that should leave does not; empty when it is not late."""
    env = message.env
    if message.state not in QUEUED_STATES:
        return ""
    account = message.account_id.sudo()
    if account.state == "stopped":
        return _describe_stop(env, account)
    if message.state == "scheduled" and _has_hours(message):
        return env._(
            "Leaves at %(time)s, in the sending hours of the account for its purpose.",
            time=format_moment(env, message.scheduled_at),
        )
    if message.batch_id:
        # the mass sending shows its own progress
        return ""
    now = fields.Datetime.now()
    moments = (message.create_date, message.scheduled_at, message.next_at)
    if max(filter(None, moments), default=now) > now - PATIENCE:
        return ""
    if account.paused_until and account.paused_until > now:
        return env._(
            "The provider could not be reached. The next attempt is at %(time)s; there "
            "is nothing to do.",
            time=format_moment(env, account.paused_until),
        )
    return job_problem(env) or env._(
        "The server's scheduled actions are busy or switched off. The message leaves "
        "as soon as they run."
    )


def describe_source(env, source):
    """Say how the time zone of a recipient is known.

    :param str source: as :func:`~..tools.zones.find_zones` returns it
    """
    return {
        "address": env._("by the address of the contact"),
        "contact": env._("by the time zone of the contact"),
        "number": env._("by the range of the number"),
        "several": env._(
            "address, contact and number differ: hours that suit them all"
        ),
        "country": env._("only the country is known: hours that suit all its zones"),
        "company": env._("not known: the time zone of the company"),
    }[source]


def _has_hours(message):
    """Say whether messages of its account and purpose have sending hours."""
    message = message.sudo()
    schedules = Schedules(message.env)
    key = message.account_id, message.company_id, message.purpose
    return bool(message.company_id and schedules.get(*key))


def describe_recipient_time(message):
    """Return the time of a message where its recipient is, and how that is known."""
    if not message.number or not _has_hours(message):
        return False
    env, company = message.env, message.company_id.sudo()
    schedules = Schedules(env(su=True))
    recipient = message.number, message.sudo().partner_id.id
    [(zones, source)] = schedules.find_zones(company, [recipient])
    words = describe_source(env, source)
    if len(zones) > 1:
        return words
    at = message.accepted_at or message.scheduled_at or fields.Datetime.now()
    local = format_datetime(env, at, tz=zones[0], dt_format="short")
    return f"{local} ({zones[0]}): {words}"


def _describe_stop(env, account):
    reason = account._get_operation_label()
    return env._(
        "Waits: the account is stopped (%(reason)s). An administrator of SMS checks "
        "login, password and balance in SMS > Configuration > Accounts. After that the "
        "message leaves by itself.",
        reason=reason or env._("sending is not allowed"),
    )


def list_events(message):
    """Return what happened to a message, oldest first.

    :return: a list of dicts ``{"at": datetime in UTC, "text": str}``
    """
    env = message.env
    steps = [
        (message.create_date, env._("Created")),
        (message.scheduled_at, env._("Scheduled for this time")),
        (message.claimed_at, env._("Attempt to send")),
        (message.accepted_at, _describe_acceptance(message)),
        (message.submitted_at, env._("Submitted to the mobile network")),
        (message.delivered_at, env._("Delivered")),
    ]
    if message.state in (*SAFE_TO_REPEAT, *RISKY_TO_REPEAT):
        label = label_of(message, "state")
        text = f"{label}: {note}" if (note := message.settled_note) else label
        steps.append((message.write_date, text))
    events = [{"at": at, "text": text} for at, text in steps if at]
    # some times are kept to the second: within one, the order of the list counts
    return sorted(events, key=lambda event: event["at"].replace(microsecond=0))


def _describe_acceptance(message):
    expected = sms_text.segments(message.body or "")
    accepted = len(message.segment_ids)
    if not accepted or accepted == expected:
        return message.env._("Accepted by the provider")
    return message.env._(
        "Accepted by the provider as %(accepted)s SMS; by the text it should be "
        "%(expected)s",
        accepted=accepted,
        expected=expected,
    )


def notify_status(message, error=None):
    """Return a notice with a message's status.

    It has the time of sending, the status and its time, as the provider's own module
    tells them; when the question was refused, the status of that operation instead.

    :param error: the ``GatewayError`` that the question ended with, if it did
    """
    env = message.env
    lines = []
    if message.accepted_at:
        at = format_moment(env, message.accepted_at)
        lines.append(env._("Sent: %(time)s.", time=at))
    if error is not None:
        status = error.operation_status or "Error_Gateway_Offline"
        labels = message._fields["operation_status"]._description_selection(env)
        reason = dict(labels)[status]
        lines.append(env._("The provider gave no status: %(status)s.", status=reason))
        title = env._("Status of the operation")
        return notify(title, " ".join(lines), kind="warning")
    label = label_of(message, "message_status") or env._("not known yet")
    lines.append(env._("Status: %(status)s.", status=label))
    if at := message.delivered_at or message.submitted_at:
        lines.append(env._("As of %(time)s.", time=format_moment(env, at)))
    kind = "success" if message.state == "delivered" else "info"
    return notify(env._("Status of the message"), " ".join(lines), kind=kind)


def name_documents(messages):
    """Name the source documents that the user may read, by one query a model.

    :return: dict of (model, id) -> name
    """
    env, names = messages.env, {}
    for model, of_model in messages.grouped("res_model").items():
        for document in read_input(env, model, of_model.mapped("res_id")) or ():
            names[model, document.id] = document.display_name
    return names
