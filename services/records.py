"""Records, and other values, that came from input."""

import math
import re
from ast import literal_eval

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain

from ..tools import sms_text
from ..tools.shapes import fits

MAX_LITERAL = 2_000_000
# A mass mailing may have any number of them.
are_ids = re.compile(r"\[(?:[1-9]\d{0,8}(?:,\s?|(?=\])))*\]").fullmatch


def read_input(env, model, ids):
    """Return the records of a request: those that exist and that the user may read.

    Read nothing of such records by sudo: the cache is shared, and the user's own
    environment would then read it without a check of rights.

    :param str model: a model's name as it was given, maybe wrong
    :param list ids: ids as they were given
    :return: a recordset, maybe empty; ``None`` when there is no such stored model
    """
    if model not in env or env[model]._abstract or env[model]._transient:
        return None
    return env[model].browse(ids).exists()._filtered_access("read")


def read_pages(model, domain, names, size, last=0):
    """Yield the records of a domain in the order of their ids, page by page, each with
    its last id.

    :param list names: fields to read
    :param int size: records of a page
    :param int last: only records after this id
    """
    while page := model.search_fetch(
        [*domain, ("id", ">", last)], names, order="id", limit=size
    ):
        last = page[-1].id
        yield page, last
        page.invalidate_recordset()


def read_literal(text):
    """Return what a text means that a client writes as a Python literal.

    :raise ValueError: when it is none
    """
    if not isinstance(text, str) or len(text) > MAX_LITERAL:
        raise ValueError("no literal")
    try:
        return literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError("no literal") from error


def read_ids(given):
    """Return the ids in a list, or in a text such as ``[1, 2]``; none where it is
    something else."""
    try:
        ids = read_literal(given) if isinstance(given, str) else given
    except ValueError:
        return []
    ids = ids if isinstance(ids, list | tuple) else [ids]
    return [key for key in ids if type(key) is int and 0 < key < 2**31]


def read_domain(model, text):
    """Return the domain in a text, for a search with the rights of the user.

    :param model: the model to search in
    :return: a ``Domain``, or ``None`` for an empty text
    :raise ValueError: when it is none, or nothing can be searched by it
    """
    value = read_literal(text or "[]")
    if not value:
        return None
    try:
        domain = Domain(value)
        # builds the query and runs nothing
        model._search(domain)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise ValueError("no domain") from error
    return domain


def read_entered(model, text):
    """Return what :func:`read_domain` does, for a filter that a person has entered.

    :raise UserError: when it cannot be read
    """
    try:
        return read_domain(model, text)
    except (ValueError, AccessError) as error:
        raise UserError(
            model.env._("Filter: it cannot be read. Choose the conditions again.")
        ) from error


def check_numbers(model, values):
    """Refuse infinity, and what is no number at all: JSON of a request may hold both.

    :param dict values: of fields of ``model``, as they were given
    :raise ValidationError: naming the field
    """
    for name, value in values.items():
        field = model._fields.get(name)
        if field and isinstance(value, float) and not math.isfinite(value):
            label = field._description_string(model.env)
            raise ValidationError(
                model.env._("%(field)s: this is no number.", field=label)
            )


def own_fields(model, vals):
    """Return the fields of this addon among those written."""
    fields = (model._fields[name] for name in vals if name in model._fields)
    return [field for field in fields if "sms_devino" in field._modules]


def storable(vals):
    """Return values whose ``body`` a database can store: without null characters and
    halves of surrogate pairs, which a text cut in the middle of an emoji ends with."""
    body = vals.get("body")
    if not isinstance(body, str):
        return vals
    return {**vals, "body": sms_text.normalise(body).replace("\x00", "")}


def check_ids(model, values, name):
    """Refuse a text that should be a list of ids and is not.

    :raise ValidationError: when it is none
    """
    text = values.get(name)
    # Odoo's own forms give the list itself as a default
    if text and not are_ids(text if isinstance(text, str) else repr(text)):
        raise ValidationError(model.env._("These records cannot be found."))


def check_shape(record, name, needed=()):
    """Refuse Json that this addon does not write, by the shapes of the model.

    :raise ValidationError: naming the field
    """
    if record[name] and not fits(record[name], record._json_shapes[name], needed):
        label = record._fields[name]._description_string(record.env)
        raise ValidationError(
            record.env._("%(field)s: this is not what is kept here.", field=label)
        )
