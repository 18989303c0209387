"""The guard against sending the same text to the same number twice by mistake."""

from contextlib import contextmanager, nullcontext
from datetime import timedelta

from markupsafe import Markup, escape

from odoo import fields

from .forecast import leave_out_row
from .quote import SENT_BATCH_STATES
from .words import format_moment

REASON = "same_text"
# Messages that may be with the recipient, or get there.
COUNTED = ("scheduled", "outgoing", "sending", "sent", "delivered")
UNCERTAIN = ("unknown", "unconfirmed")
# PostgreSQL looks up at most this many numbers one by one.
FEW = 100


def window_of(account, *, is_mass):
    """Return how far back the guard looks, ``None`` where it is switched off."""
    account = account.sudo()
    if is_mass:
        hours = account.same_text_mass_hours
        return timedelta(hours=hours) if hours > 0 else None
    minutes = account.same_text_minutes
    return timedelta(minutes=minutes) if minutes > 0 else None


def find_recent_same(account, pairs, window):
    """Find messages of the account with the same number and text, by one query.

    Messages that surely did not arrive do not count, nor do those of the other mode.

    :param pairs: iterable of (number in E.164, text as it is sent)
    :param timedelta window: how far back; ``None`` finds nothing
    :return: dict of pair -> ``sms.devino.message`` in sudo, the latest one
    """
    wanted = set(pairs)
    if not wanted or not window:
        return {}
    since = fields.Datetime.now() - window
    messages = account.env["sms.devino.message"].sudo()
    with past_trigrams(messages.env.cr) if len(wanted) > FEW else nullcontext():
        found = _search(messages, account, wanted, since)
    latest = {(message.number, message.body): message for message in found}
    return {pair: message for pair, message in latest.items() if pair in wanted}


def _moment_of(message):
    """Return when a message was sent, or else written."""
    return message.accepted_at or message.create_date


@contextmanager
def past_trigrams(cr):
    """Keep PostgreSQL from the index of parts of numbers, which serves whole ones too.

    It takes that one for a long list of them: 5,000 numbers took more than a minute,
    and 0.1 s without. Such an index is read by bitmap scans only.
    """
    cr.execute("SET LOCAL enable_bitmapscan = off")
    yield
    # an error ends the transaction, and the setting with it
    cr.execute("SET LOCAL enable_bitmapscan = on")


def _search(messages, account, wanted, since):
    return messages.search_fetch(
        [
            # served by the index on number and acceptance
            ("number", "in", list({number for number, _body in wanted})),
            ("account_id", "=", account.id),
            ("mode", "=", account.sudo().mode),
            "|",
            ("state", "in", COUNTED + UNCERTAIN),
            # of a sent mass sending, not in the queue yet
            "&",
            ("state", "=", "draft"),
            ("batch_id.state", "in", SENT_BATCH_STATES),
            "|",
            ("accepted_at", ">=", since),
            "&",
            ("accepted_at", "=", False),
            ("create_date", ">=", since),
        ],
        ["number", "body", "accepted_at", "create_date"],
        order="id",
    )


def describe(env, same):
    """Return the warning for a person who is about to send, with a link to the earlier
    message if that person may read it.

    The link opens a new tab, so that nothing entered in the form is lost.

    :param same: the earlier message, in sudo
    :return: HTML
    """
    sentence = env._(
        "This number got the same text at %(time)s. Send it only if it is meant to "
        "arrive twice.",
        time=format_moment(env, _moment_of(same)),
    )
    earlier = env["sms.devino.message"].browse(same.id)
    if not earlier.sudo(False).has_access("read"):
        return escape(sentence)
    link = Markup("<a href='/odoo/%s/%s' target='_blank'>%s</a>")
    link %= (earlier._name, earlier.id, env._("Show the earlier message"))
    return Markup("%s %s") % (sentence, link)


def warn_single(account, pairs):
    """Return the warning for single messages as HTML, empty when there is nothing to
    warn of.

    :param pairs: iterable of (number in E.164, text as it is sent)
    """
    window = window_of(account, is_mass=False)
    found = find_recent_same(account, pairs, window)
    latest = max(found.values(), key=_moment_of, default=None)
    return describe(account.env, latest) if latest else ""


def find_earlier(rows):
    """Find the messages because of which rows of mass sendings were left out.

    :param rows: ``sms.devino.message``
    :return: dict of row -> ``sms.devino.message`` that the user may read
    """
    left_out = rows.filtered(lambda row: row.reason == REASON and row.body)
    earlier = {}
    for account, of_account in left_out.grouped("account_id").items():
        found = rows.env["sms.devino.message"].search(
            [
                ("number", "in", of_account.mapped("number")),
                ("account_id", "=", account.id),
                ("state", "in", COUNTED + UNCERTAIN),
                ("id", "<", max(of_account.ids)),
            ],
            order="id",
        )
        latest = {(one.number, one.body, one.mode): one for one in found}
        for row in of_account:
            same = latest.get((row.number, row.body, row.mode))
            if same and same.id < row.id:
                earlier[row] = same
    return earlier


def leave_out(batch, rows):
    """Leave out the rows of a draft whose number got the same text a short time ago.

    Not where the person chose to send all the same, and not in a repeat, which is meant
    to send the same text.

    :param list rows: dicts of columns of the journal; they are changed
    """
    if batch.repeat_of_id or batch.allow_same_text:
        return
    account = batch.account_id
    going = [row for row in rows if row["state"] == "draft"]
    found = find_recent_same(
        account,
        ((row["number"], row["body"]) for row in going),
        window_of(account, is_mass=True),
    )
    for row in going:
        if (row["number"], row["body"]) in found:
            leave_out_row(row, REASON)
