"""A refusal of further messages: what it ends, and who may enter it."""

import base64
import re

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tools import SQL, split_every

from ..tools import phone
from . import ad_line, consent
from .bulk import insert_rows
from .source import (
    find_header_row,
    open_source,
    pasted_as_source,
    propose_columns,
    read_head,
    read_rows,
)

# Sources of a refusal that the recipient enters, and nobody of the company.
BY_RECIPIENT = ("sms", "link")
# Numbers looked at by one statement.
PAGE = 5_000
_asks_for_reply = re.compile(r"\b(?:stop|стоп)\b", re.IGNORECASE).search


def refuse(env, company, numbers, *, source, reason):
    """Put numbers on the blacklist, cancel what waits for them, and withdraw consents.

    The caller has checked that the user may do it.

    :param company: ``res.company`` that the refusal was told to
    :param numbers: iterable of numbers in E.164
    :param str source: of ``phone.blacklist.sms_devino_source``
    :param str reason: for people
    :return: how many numbers were not on the blacklist before
    """
    env, company = env(su=True), company.sudo()
    added = 0
    for page in split_every(PAGE, sorted(set(numbers))):
        added += _block(env, company, page, source, reason)
        cancel_waiting(env, company, page)
        consent.withdraw_refused(env, company, page, how=reason)
    return added


def _block(env, company, numbers, source, reason):
    blacklist = env["phone.blacklist"].with_context(active_test=False)
    values = {
        "active": True,
        "sms_devino_source": source,
        "sms_devino_reason": reason or None,
        "sms_devino_at": fields.Datetime.now(),
        "sms_devino_user_id": None if source in BY_RECIPIENT else env.uid,
        "sms_devino_company_id": company.id,
    }
    known = blacklist._sms_devino_find(numbers)
    returned = known.filtered(lambda one: not one.active)
    returned.write(values)
    fresh = set(numbers) - set(known.mapped("number"))
    insert_rows(blacklist, [{"number": one, **values} for one in sorted(fresh)])
    return len(returned) + len(fresh)


def cancel_waiting(env, company, numbers):
    """Cancel advertising to these numbers that has not left; everything, where the
    company wants a refusal to end everything."""
    messages = env["sms.devino.message"]
    waiting = messages.search(
        [
            ("number", "in", list(numbers)),
            ("company_id", "=", company.id),
            ("purpose", "in", consent.list_ended(company)),
            "|",
            ("state", "in", ("scheduled", "outgoing")),
            "&",
            ("state", "=", "draft"),
            ("batch_id.state", "not in", ("draft", "to_approve")),
        ]
    )
    messages._transition(
        "canceled",
        [{"id": key, "reason": "blacklisted"} for key in waiting.ids],
        condition=SQL("m.state != 'sending'"),
    )


def refuse_by_link(company, number):
    """Take notice of a refusal by the link at the end of an SMS.

    :param company: ``res.company`` that sent it, with all rights
    :param str number: in E.164
    """
    env = company.env
    refuse(
        env,
        company,
        [number],
        source="link",
        reason=env(context={"lang": company.partner_id.lang})._("Link in an SMS"),
    )


def mask(number):
    """Return a number of which only its owner knows the middle: ``+7******3763``."""
    hidden = max(len(number) - 6, 0)
    return f"{number[:2]}{'*' * hidden}{number[-4:]}"


def describe_line(company, line):
    """Return an example of the line added to advertising, and what is wrong with one.

    :param str line: as entered, maybe empty
    """
    env = company.env
    accounts = env["sms.devino.account"]
    if accounts.has_access("read"):
        answered = [("inbound_number", "!=", False)]
        of_company = [("company_id", "parent_of", company.ids)]
        accounts = accounts.search([*of_company, *answered], limit=1)
    inbound = accounts.inbound_number
    if _asks_for_reply(line or "") and not inbound:
        return env._(
            "No account of this company has a number for replies: nobody can answer "
            "STOP. Name a phone number or an address to refuse."
        )
    if ad_line.link_keys(line):
        return env._("Recipients see: %s", ad_line.fill(company, line))
    example = env._(
        "For example: %(company)s. To refuse: 8 800 000-00-00", company=company.name
    )
    if inbound:
        example = env._(
            "For example: %(company)s. To refuse, reply STOP to %(number)s",
            company=company.name,
            number=inbound,
        )
    more = env._("%s becomes a link to refuse.", f"{{{{ {ad_line.label(env)} }}}}")
    return f"{example}. {more}"


# --- a stop list ----------------------------------------------------------------------


def check_may_refuse(env, numbers):
    """Let each member of SMS enter one number, and managers a list.

    :raise AccessError: for others
    """
    if not env.user.has_group("sms_devino.group_user"):
        raise AccessError(env._("Only members of SMS may unsubscribe a number."))
    if len(numbers) > 1 and not env.user.has_group("sms_devino.group_manager"):
        raise AccessError(
            env._("Only members of SMS / Manager may unsubscribe several numbers.")
        )


def read_pasted(env, text, country):
    """Read a pasted text, as :func:`read_file` reads a file."""
    content, name, columns = pasted_as_source(env, text, country)
    return _read(read_rows(env, content, name, columns), country)


def read_file(env, content, filename, country):
    """Read the numbers of a spreadsheet: of the column that looks like phones.

    :param content: base64, as a binary field holds it
    :param str country: two-letter code of numbers without a plus
    :return: dict of number in E.164 -> row, and dict of row -> text that is no number
    :raise UserError: why the file cannot be read
    """
    content = base64.b64decode(content)
    book = open_source(env, content, filename)
    head = read_head(env, book, book.sheets[0])
    header_row = find_header_row(env, head)
    proposed = propose_columns(env, head, header_row)
    columns = {
        "sheet": book.sheets[0],
        "header_row": header_row,
        "with_hidden": True,
        "columns": [one for one in proposed if one["role"] in ("phone", "phone_2")]
        # a file of nothing but numbers that look like none
        or [{"index": 0, "role": "phone", "title": "", "name": ""}],
    }
    return _read(read_rows(env, content, filename, columns), country)


def _read(rows, country):
    numbers, wrong = {}, {}
    for row in rows:
        reading = phone.read(row["number_raw"], country)
        if reading.code == "empty":
            continue
        if reading.e164:
            for number in (reading.e164, *reading.others):
                numbers.setdefault(number, row["row"])
        else:
            wrong[row["row"]] = reading.raw
    return numbers, wrong
