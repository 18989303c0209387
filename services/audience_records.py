"""The audience of a mass sending about records of any model, by a filter."""

from odoo.exceptions import UserError
from odoo.fields import Domain

from .documents import Addressing, takes_messages
from .record_values import RecordValues, list_names
from .records import read_entered

CONTACTS = "res.partner"
# Records read at once.
PAGE = 5000


def is_about_records(batch):
    """Whether a mass sending is about documents, and not to contacts, lists, a file."""
    return bool(batch.model) and batch.model != CONTACTS


def read_model(batch):
    """Return the model of a mass sending, empty, with the rights of the environment.

    :raise UserError: when it is not installed any more
    :raise AccessError: when the user may not read it
    """
    model = batch.env.get(batch.model)
    if model is None or not takes_messages(model):
        raise UserError(
            batch.env._("Records: there is no way from these to a phone number.")
        )
    model.check_access("read")
    return model


def read_filter(batch):
    """Return the domain of the records; none with an empty filter.

    :raise UserError: when it cannot be read
    """
    domain = read_entered(read_model(batch), batch.domain)
    return Domain.FALSE if domain is None else domain


def count_records(batch, limit):
    """Return how many records a mass sending is about; more than ``limit`` are not
    counted."""
    return read_model(batch).search_count(read_filter(batch), limit=limit)


def placeholder_names(batch):
    """Return what the text may take from a record, dicts ``name`` and ``label``."""
    model = batch.env.get(batch.model)
    return [] if model is None else list_names(model)


def read_records(batch, keys, last=0):
    """Yield pages of recipients as dicts, one for each contact of a record, each with
    the id of its last record.

    :param batch: ``sms.devino.batch``, in the environment of the user
    :param keys: folded names of the values that the text needs
    :param int last: only records after this id
    """
    model = read_model(batch)
    addressing = Addressing(model, batch.account_id.sudo().country_id.code)
    values = RecordValues(model)
    values.understand(keys)
    behind = Domain("id", ">", last)
    ids = model.search(read_filter(batch) & behind, order="id").ids
    for start in range(0, len(ids), PAGE):
        records = model.browse(ids[start : start + PAGE])
        addressed = [
            (record, one)
            for record, several in zip(
                records, addressing.find(records).values(), strict=True
            )
            for one in several
        ]
        page = _page(addressed, _read_by_lang(values, addressed, keys))
        yield page, records[-1].id
        batch.env.invalidate_all()


def _read_by_lang(values, addressed, keys):
    """Return language -> record id -> values, in the recipients' languages."""
    by_lang = {}
    for record, one in addressed:
        by_lang.setdefault(one.lang, []).append(record.id)
    model = addressed[0][0].browse() if addressed else None
    found = {}
    for lang, ids in by_lang.items():
        records = model.with_context(lang=lang or model.env.lang).browse(ids)
        found[lang] = values.read_values(records, keys)
    return found


def _page(addressed, values):
    return [
        {
            "number": one.number,
            "raw": one.raw,
            "name": one.name or record.display_name or "",
            "partner_id": one.partner_id,
            "values": values[one.lang][record.id],
            "reason": one.reason,
            "lang": one.lang,
            "res_model": record._name,
            "res_id": record.id,
        }
        for record, one in addressed
    ]
