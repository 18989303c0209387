"""What is learned about numbers: which take SMS, which do not, who refuses mailings.

One row a number, in ``sms.devino.number``, written by one statement for each page of
messages that has reached a state. A row is written anew only where that changes what
is known, so that a regular list costs little.
"""

from datetime import timedelta

from odoo import fields
from odoo.tools import SQL

from ..tools import phone
from ..tools.chunks import chunk_size
from .forecast import leave_out_row
from .message_states import NUMBER_REFUSED
from .words import format_moment

REASON = "dead_number"
REJECTED = "Error_Rejected"
# How old the last acceptance in the table may be.
FRESH = timedelta(days=1)
# After this many messages in a row that a report rejected, while others passed, the
# subscriber has probably refused mailings at the operator. That may change and lapses.
REJECTIONS = 3
REFUSAL_DAYS = 90
# The share of bad numbers is taken from this many, the latest ones.
SAMPLE = 5000


# --- recording what is learned --------------------------------------------------------


def note(messages, target, ids):
    """Learn from messages that have reached a state.

    :param str target: the state
    :param list ids: of the messages
    """
    if target == "sent":
        _note_accepted(messages, ids)
    elif target == "failed":
        _note_dead(messages, ids, SQL("m.operation_status = %s", NUMBER_REFUSED))
    elif target == "delivered":
        _note_delivered(messages, ids)
    elif target == "undelivered":
        whole = SQL("m.reason IS NULL AND m.message_status = %s", NUMBER_REFUSED)
        _note_dead(messages, ids, whole)
        _note_rejected(messages, ids)


def _upsert(messages, ids, new, condition, *, update, where):
    """Note something of the numbers of messages, by one statement.

    In the order of the numbers, so that two transactions cannot block one another.
    Numbers that do not change are left out before: "on conflict" alone would lock them.

    :param dict new: column of a number that is not known yet -> SQL for its value
    :param SQL condition: which of the messages count, in terms of ``m``
    :param SQL update: what changes of a known number ``n``, in terms of ``excluded``
    :param SQL where: which of the known numbers change
    """
    query = SQL(
        """INSERT INTO sms_devino_number AS n (company_id, mode, number, %(columns)s)
           SELECT m.company_id, m.mode, m.number, %(values)s
             FROM sms_devino_message m
            WHERE m.id = ANY(%(ids)s) AND m.number IS NOT NULL AND %(condition)s
              AND NOT EXISTS (SELECT FROM sms_devino_number n
                               WHERE n.company_id = m.company_id AND n.mode = m.mode
                                 AND n.number = m.number AND NOT (%(where)s))
         GROUP BY m.company_id, m.mode, m.number
         ORDER BY m.company_id, m.mode, m.number
      ON CONFLICT (company_id, mode, number)
                  DO UPDATE SET %(update)s WHERE %(where)s""",
        columns=SQL(", ").join(map(SQL.identifier, new)),
        values=SQL(", ").join(new.values()),
        ids=list(ids),
        condition=condition,
        update=update,
        where=where,
    )
    _execute(messages.env, query)


def _execute(env, query):
    # a conflict is repeated by the caller; it is no error
    env.cr.execute(query, log_exceptions=False)
    env["sms.devino.number"].invalidate_model()


def _now():
    return SQL("%s::timestamp", fields.Datetime.now())


def _note_accepted(messages, ids):
    """A number that is accepted again is not dead, or no more."""
    _upsert(
        messages,
        ids,
        {"accepted_at": _now(), "rejected_count": SQL("0")},
        SQL("TRUE"),
        update=SQL("accepted_at = excluded.accepted_at, dead_at = NULL"),
        where=SQL(
            "n.dead_at IS NOT NULL OR n.accepted_at IS NULL OR n.accepted_at < %s",
            fields.Datetime.now() - FRESH,
        ),
    )


def _note_dead(messages, ids, condition):
    _upsert(
        messages,
        ids,
        {"dead_at": _now(), "rejected_count": SQL("0")},
        condition,
        update=SQL("dead_at = excluded.dead_at"),
        where=SQL("TRUE"),
    )


def _note_delivered(messages, ids):
    query = SQL(
        """UPDATE sms_devino_number n
              SET dead_at = NULL, rejected_count = 0, rejected_at = NULL
             FROM sms_devino_message m
            WHERE m.id = ANY(%s) AND n.company_id = m.company_id AND n.mode = m.mode
                  AND n.number = m.number
                  AND (n.dead_at IS NOT NULL OR n.rejected_count > 0)""",
        list(ids),
    )
    _execute(messages.env, query)


def _note_rejected(messages, ids):
    """Count rejections, where others of the same sending, or from the same sender, have
    passed: otherwise it is the text or the sender that was rejected."""
    rejected = messages.browse(ids).filtered(
        lambda message: message.message_status == REJECTED and not message.reason
    )
    telling = messages.browse()
    for (batch, account, name), group in rejected.grouped(
        lambda message: (message.batch_id, message.account_id, message.sender_name)
    ).items():
        if _have_others_passed(batch, account, name):
            telling += group
    if telling:
        _upsert(
            messages,
            telling.ids,
            {"rejected_at": _now(), "rejected_count": SQL("count(*)")},
            SQL("TRUE"),
            update=SQL(
                "rejected_at = excluded.rejected_at, "
                "rejected_count = n.rejected_count + excluded.rejected_count"
            ),
            where=SQL("TRUE"),
        )


def _have_others_passed(batch, account, sender_name):
    domain = [("state", "=", "delivered")]
    if batch:
        domain += [("batch_id", "=", batch.id)]
    else:
        since = fields.Datetime.now() - FRESH
        domain += [
            ("account_id", "=", account.id),
            ("sender_name", "=", sender_name),
            ("accepted_at", ">", since),
        ]
    messages = account.env["sms.devino.message"]
    return bool(messages.search_count(domain, limit=1))


# --- how many numbers go in one call --------------------------------------------------


def bulk_sizes(batch):
    """Return the SQL for the largest call that a row of a batch may go in, in terms of
    ``m``: no bound for a number that was accepted before, alone for a dead one.
    """
    size = chunk_size(*_count_learned(batch))
    return SQL(
        """COALESCE((SELECT CASE WHEN n.dead_at IS NULL THEN 0 ELSE 1 END
                       FROM sms_devino_number n
                      WHERE n.company_id = m.company_id AND n.mode = m.mode
                        AND n.number = m.number), %s)""",
        size,
    )


def _count_learned(batch):
    """Return how many of the numbers learned last were refused when they were new, and
    how many there are."""
    query = SQL(
        """SELECT count(*) FILTER (WHERE dead_at IS NOT NULL AND accepted_at IS NULL),
                  count(*)
             FROM (SELECT company_id, mode, dead_at, accepted_at FROM sms_devino_number
                 ORDER BY id DESC LIMIT %s) AS last
            WHERE company_id = %s AND mode = %s""",
        *(SAMPLE, batch.company_id.id, batch.mode),
    )
    [counts] = batch.env.execute_query(query)
    return counts


# --- in a draft -----------------------------------------------------------------------


def leave_out(batch, rows):
    """Leave out the rows of a draft whose number has recently refused SMS.

    Not where the person chose to send all the same, and not in a repeat, which is meant
    to try them again.

    :param list rows: dicts of columns of the journal; they are changed
    """
    days = batch.account_id.sudo().dead_number_days
    if batch.repeat_of_id or batch.allow_dead_numbers or days <= 0:
        return
    going = [row for row in rows if row["state"] == "draft"]
    found = batch.env["sms.devino.number"].sudo()
    found = found.search_fetch(
        [
            ("company_id", "=", batch.company_id.id),
            ("mode", "=", batch.account_id.sudo().mode),
            ("number", "in", [row["number"] for row in going]),
            ("dead_at", ">=", fields.Datetime.now() - timedelta(days=days)),
        ],
        ["number"],
    )
    dead = set(found.mapped("number"))
    for row in going:
        if row["number"] in dead:
            leave_out_row(row, REASON)


def count_refusing(batch):
    """Return how many recipients of a draft have probably refused mailings."""
    query = SQL(
        """SELECT count(*) FROM sms_devino_number n
             JOIN sms_devino_message m ON m.number = n.number AND m.batch_id = %s
            WHERE n.company_id = %s AND n.mode = %s AND m.state = 'draft' AND %s""",
        *(batch.id, batch.company_id.id, batch.mode, _refusing()),
    )
    [(count,)] = batch.env.execute_query(query)
    return count


def _refusing():
    since = fields.Datetime.now() - timedelta(days=REFUSAL_DAYS)
    return SQL("n.rejected_count >= %s AND n.rejected_at >= %s", REJECTIONS, since)


# --- for a person ---------------------------------------------------------------------


def describe(number):
    """Return what a sender should know of a number, in words, or ``False``.

    :param number: ``sms.devino.number``, one, with the rights to read it
    """
    env = number.env
    if number.dead_at:
        return env._(
            "%(number)s took no SMS at %(time)s: the provider refused the number, or "
            "reported that it does not exist.",
            number=number.number,
            time=format_moment(env, number.dead_at),
        )
    if is_refusing(number):
        return env._(
            "The last %(count)s SMS to %(number)s were rejected, while others passed. "
            "The recipient has probably refused mailings at the mobile operator, which "
            "stops all SMS from companies. Only the recipient can take that back.",
            count=number.rejected_count,
            number=number.number,
        )
    return False


def is_refusing(number):
    since = fields.Datetime.now() - timedelta(days=REFUSAL_DAYS)
    is_recent = bool(number.rejected_at) and number.rejected_at >= since
    return is_recent and number.rejected_count >= REJECTIONS


def describe_contact(partner):
    """Return what a sender should know of the number of a contact, or ``False``.

    :param partner: ``res.partner``, one, that the user may read
    """
    env, account = partner.env, partner.env["sms.devino.account"]._get_default()
    reading = phone.read(partner.phone or "", account.country_id.code)
    if not account or not reading.e164:
        return False
    number = env["sms.devino.number"].sudo()
    number = number.search(
        [
            ("company_id", "in", env.companies.ids),
            ("mode", "=", account.mode),
            ("number", "=", reading.e164),
        ],
        order="accepted_at desc",
        limit=1,
    )
    return bool(number) and describe(number)
