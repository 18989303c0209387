"""Consents to get SMS: who may get advertising, how they are imported and withdrawn."""

from odoo import fields
from odoo.exceptions import UserError
from odoo.tools import SQL

from .bulk import insert_rows
from .forecast import leave_out_row
from .message_states import ADVERTISING, PURPOSES
from .words import private_error

REASON = "no_consent"


def refusal_ends(company, purpose):
    """Tell whether a refusal ends messages of a purpose.

    :param company: ``res.company`` that sends them
    :param str purpose: a key of ``PURPOSES``
    """
    return purpose == ADVERTISING or company.sms_devino_stop_all


def is_demanded(company, purpose):
    """Tell whether messages of a purpose need a consent.

    :param company: ``res.company`` that sends them, with the rights to read it
    """
    return purpose == ADVERTISING and company.sms_devino_consent_required


def list_ended(company):
    """Return the purposes of the messages that a refusal ends."""
    return [key for key, _label in PURPOSES if refusal_ends(company, key)]


def leave_out(batch, rows):
    """Leave out the rows of a draft without consent, where the company demands it.

    By one query. Only advertising needs a consent.

    :param batch: ``sms.devino.batch``
    :param list rows: dicts of columns of the journal; they are changed
    """
    going = [row for row in rows if row["state"] == "draft"]
    numbers = {row["number"] for row in going}
    missing = find_missing(batch.company_id, batch.purpose, numbers)
    for row in going:
        if row["number"] in missing:
            leave_out_row(row, REASON)


def find_missing(company, purpose, numbers):
    """Return those of ``numbers`` that lack a consent which the company demands.

    :param company: ``res.company`` that sends to them
    :param str purpose: a key of ``PURPOSES``
    """
    if not is_demanded(company.sudo(), purpose):
        return set()
    numbers = set(numbers)
    return numbers - find_given(company, numbers)


def check_given(company, purpose, numbers):
    """Refuse to send to numbers that lack a consent which the company demands.

    :raise UserError: naming them
    """
    missing = find_missing(company, purpose, numbers)
    if missing:
        env = company.env
        reasons = env["sms.devino.message"]._fields["reason"]
        raise private_error(
            env._(
                "%(numbers)s: %(reason)s. The settings of the company demand one.",
                numbers=", ".join(sorted(missing)),
                reason=dict(reasons._description_selection(env))[REASON],
            )
        )


def find_given(company, numbers):
    """Return those of ``numbers`` that agreed to advertising, a set.

    :param company: ``res.company``; a consent to one above it counts
    """
    if not numbers:
        return set()
    company.env["sms.devino.consent"].flush_model()
    query = SQL(
        """SELECT DISTINCT number FROM sms_devino_consent
            WHERE number = ANY(%s) AND company_id = ANY(%s) AND purpose = %s
              AND withdrawn_at IS NULL""",
        list(numbers),
        company.sudo().parent_ids.ids,
        ADVERTISING,
    )
    return {number for (number,) in company.env.execute_query(query)}


# --- withdrawing ----------------------------------------------------------------------


def withdraw(consents, how):
    """Note consents as withdrawn now.

    :param consents: ``sms.devino.consent``; the caller has checked the rights
    :param str how: for people
    """
    consents.sudo().filtered(lambda one: not one.withdrawn_at).write(
        {
            "withdrawn_at": fields.Datetime.now(),
            "withdrawn_how": how,
            "withdrawn_by_id": consents.env.uid,
        }
    )


def withdraw_refused(env, company, numbers, how):
    """Withdraw the consents that a refusal ends.

    :param env: with all rights
    :param company: ``res.company`` that the refusal was told to
    :param numbers: in E.164
    """
    given = env["sms.devino.consent"].search(
        [
            ("number", "in", list(numbers)),
            ("company_id", "in", company.parent_ids.ids),
            ("purpose", "in", list_ended(company)),
            ("withdrawn_at", "=", False),
        ]
    )
    withdraw(given, how)


def settle_outdated(consents):
    """Note consents as withdrawn that are older than a withdrawal for the same number:
    a paper that is found later does not undo it."""
    model = consents.browse()
    model.flush_model()
    model.env.cr.execute(
        SQL(
            """UPDATE sms_devino_consent c
                  SET withdrawn_at = w.withdrawn_at, withdrawn_how = w.withdrawn_how,
                      withdrawn_by_id = w.withdrawn_by_id
                 FROM sms_devino_consent w
                WHERE c.id = ANY(%s) AND c.withdrawn_at IS NULL
                  AND w.number = c.number AND w.company_id = c.company_id
                  AND w.purpose = c.purpose AND w.withdrawn_at::date > c.given_on""",
            list(consents.ids),
        )
    )
    consents.invalidate_recordset()


# --- importing ------------------------------------------------------------------------


def share(company, filename, wording):
    """Return what all consents of a file share, as :func:`import_page` takes it.

    :param company: ``res.company`` that they were given to
    :param wording: ``sms.devino.consent.wording``, maybe empty
    :raise UserError: when the wording is another company's
    """
    env = company.env
    wording.check_access("read")
    if wording and wording.company_id != company:
        raise UserError(
            env._("Wording of the consents: choose one of %s.", company.name)
        )
    return {
        "source": env._("Imported from %s", filename),
        "company_id": company.id,
        "wording_id": wording.id,
    }


def import_rows(filling, rows, shared):
    """Write the consents of a file that is not imported into a list.

    :param filling: ``services.filling.Filling``, which reads the rows
    :param dict shared: as :func:`share` returns it
    """
    for page in filling.pages(rows):
        import_page(filling.env, page, **shared)


def import_page(env, page, *, source, company_id, wording_id=False):
    """Write the consents that a page of an import has; what is known is left out.

    :param env: of the importer
    :param list page: of ``services.filling.Line``
    :param str source: where the row does not say
    :param int company_id: that the consents were given to
    """
    given = {
        (
            line.reading.e164,
            line.row["consent_on"],
            line.row["consent_source"] or source,
        ): line.values.get("partner_id")
        for line in page
        if line.reading.sendable and line.row.get("consent_on")
    }
    if not given:
        return
    consents = env["sms.devino.consent"]
    consents.check_access("create")
    known = consents.search_fetch(
        [
            ("company_id", "=", company_id),
            ("purpose", "=", ADVERTISING),
            ("number", "in", list({number for number, _on, _source in given})),
        ],
        ["number", "given_on", "source"],
    )
    for one in known:
        given.pop((one.number, one.given_on, one.source), None)
    rows = [
        {
            "number": number,
            "given_on": given_on,
            "source": where,
            "partner_id": partner_id or None,
            "company_id": company_id,
            "purpose": ADVERTISING,
            "wording_id": wording_id or None,
        }
        for (number, given_on, where), partner_id in given.items()
    ]
    settle_outdated(insert_rows(consents, rows))
