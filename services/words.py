"""Sentences that several models and forms say, kept once."""

import logging

from odoo import fields
from odoo.exceptions import UserError
from odoo.tools import format_datetime

from ..gateway import MAX_TEXT_LENGTH
from ..tools import sms_text

# What became of a number as it was written: keys of ``tools.phone.Reading.code``.
READINGS = [
    ("ok", "Good"),
    ("corrected", "Corrected"),
    ("empty", "No number"),
    ("landline", "Landline"),
    ("special", "Service number"),
    ("impossible", "The number does not exist"),
    ("foreign_without_plus", "Foreign number without a plus"),
    ("letters", "Letters in the number"),
    ("too_short", "The number is too short"),
    ("too_long", "The number is too long"),
    ("lost_digits", "The number lost digits in a spreadsheet"),
]
DUPLICATE = ("duplicate", "Duplicate")
BLACKLISTED = ("blacklisted", "On the blacklist")
# Why a recipient of a mass sending gets no message.
LEFT_OUT_REASONS = [
    *READINGS[2:],
    DUPLICATE,
    BLACKLISTED,
    ("no_text", "Nothing is left of the text"),
    ("long_text", "The text is too long"),
    ("no_value", "A value that the text asks for is empty"),
    ("repeated", "Sent again already"),
    ("refused_before", "The provider does not accept the number"),
    ("same_text", "Got the same text a short time ago"),
    ("dead_number", "The number took no SMS lately"),
    # a message that was to leave is canceled for these too
    ("too_late", "It would leave too late"),
    ("no_hours", "No sending hours suit all of its time zones"),
    ("capped", "The number got as many as the limit allows"),
    ("no_consent", "No consent to advertising"),
]


def describe_reading(env, reading):
    """Return the sentence for a number as it was read.

    :param reading: a ``tools.phone.Reading``
    """
    raw, e164 = reading.raw, reading.e164 or ""
    if reading.others and reading.sendable:
        return env._(
            "Will be sent to %(number)s, the first number given, not to %(others)s.",
            number=e164,
            others=", ".join(reading.others),
        )
    sentences = {
        "ok": env._("Will be sent to %(number)s.", number=e164),
        "corrected": env._("Will be sent to %(number)s (corrected).", number=e164),
        "empty": env._("Number: enter the recipient's number."),
        "landline": env._(
            "Number “%(raw)s” is a landline, which takes no SMS.", raw=raw
        ),
        "special": env._(
            "Number “%(raw)s” is a service number, which takes no SMS.", raw=raw
        ),
        "letters": env._("Number “%(raw)s” has letters in it.", raw=raw),
        "too_short": env._("Number “%(raw)s” is too short.", raw=raw),
        "too_long": env._("Number “%(raw)s” is too long.", raw=raw),
        "lost_digits": env._(
            "Number “%(raw)s” has lost its last digits in a spreadsheet. Enter it in "
            "full.",
            raw=raw,
        ),
        "foreign_without_plus": env._(
            "Number “%(raw)s” looks foreign. Write it with a plus and the country "
            "code, such as %(suggestion)s.",
            raw=raw,
            suggestion=reading.suggestion or f"+{raw}",
        ),
        "impossible": env._("Number “%(raw)s” does not exist.", raw=raw),
    }
    return sentences[reading.code]


def private_error(sentence):
    """Return a ``UserError`` whose sentence quotes a number.

    Odoo logs every ``UserError``; numbers are personal data and stay out of the log.
    """
    error = UserError(sentence)
    error.loglevel = logging.DEBUG
    return error


def check_scheduled_at(env, scheduled_at):
    """Refuse a sending for later that has no time, or whose time has passed.

    :param datetime scheduled_at: UTC, or a false value
    :raise UserError: saying what to do
    """
    if not scheduled_at:
        raise UserError(env._("Date and time: choose when to send."))
    if scheduled_at <= fields.Datetime.now():
        raise UserError(
            env._(
                "Date and time: %(time)s has passed. Choose a later time, or Send now.",
                time=format_moment(env, scheduled_at),
            )
        )


def format_moment(env, moment):
    """Return a moment (UTC) in the user's language and time zone, to the minute."""
    return format_datetime(env, moment, dt_format="short")


def check_body(env, body):
    """Return a text as it is sent.

    :raise UserError: when it cannot be sent; it says why and what to do
    """
    body = sms_text.normalise(body or "")
    if not body.strip():
        raise UserError(env._("Text: enter the text of the message."))
    if len(body) > MAX_TEXT_LENGTH:
        raise UserError(
            env._(
                "Text: %(length)s characters; the provider takes at most %(maximum)s. "
                "Shorten it by %(excess)s.",
                length=len(body),
                maximum=MAX_TEXT_LENGTH,
                excess=len(body) - MAX_TEXT_LENGTH,
            )
        )
    if "\x00" in body:
        raise UserError(env._("Text: a null character cannot be sent. Delete it."))
    return body


def describe_break(env, error, lang):
    """Return a sentence about an exception that ended a job.

    :param str lang: of the person who reads it
    """
    env = env(context={**env.context, "lang": lang or env.lang})
    return env._(
        "It broke off (%s). An administrator finds the reason in the server's log. "
        "Then try again.",
        type(error).__name__,
    )


def label_of(record, name):
    """Return the value of a selection as a person reads it, ``False`` without one."""
    labels = dict(record._fields[name]._description_selection(record.env))
    return labels.get(record[name], False)


def notify(title, text, *, kind="info", sticky=False, following=None):
    """Return the action that shows a notice, then reloads or does ``following``.

    :param str kind: ``info``, ``success``, ``warning`` or ``danger``
    """
    return {
        "type": "ir.actions.client",
        "tag": "display_notification",
        "params": {
            "type": kind,
            "title": title,
            "message": text,
            "sticky": sticky,
            "next": following or {"type": "ir.actions.client", "tag": "soft_reload"},
        },
    }


def send_notice(user, title, text, *, is_good):
    """Show a notice to a user who is somewhere in Odoo; trouble stays on the screen."""
    user._bus_send(
        "simple_notification",
        {
            "type": "success" if is_good else "warning",
            "title": title,
            "message": text,
            "sticky": not is_good,
        },
    )
