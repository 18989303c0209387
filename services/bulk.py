"""Many rows by one statement, with what the ORM does for other modules.

``create`` and ``write`` fill the cache and ask for defaults row by row, which makes
them slow where thousands of rows come at once. Here defaults are filled in once a
call; constraints are checked and stored computed fields are marked as usual, so that
fields and rules that other modules add work the same.
"""

from itertools import repeat
from operator import itemgetter, ne

from odoo.tools import SQL

from . import automation

# Rows that one statement writes: more makes it no faster, only larger.
PAGE = 5000


def write_pages(model, rows):
    """Insert new records as :func:`insert_rows` does, a page by one statement."""
    written = model.browse()
    for start in range(0, len(rows), PAGE):
        page = insert_rows(model.browse(), rows[start : start + PAGE])
        automation.recompute(page)
        written += page
    return written


def insert_rows(model, rows):
    """Insert new records; one that meets a unique index is left out.

    :param model: an empty recordset of a model
    :param list rows: dicts of column values, all with the same keys
    :return: the records inserted, in order
    """
    if not rows:
        return model
    given = list(rows[0])
    names = list(given)
    stored = [
        name
        for name, field in model._fields.items()
        if field.store and field.column_type and name not in rows[0] and name != "id"
    ]
    defaults = {
        name: model._fields[name].convert_to_column_insert(value, model)
        for name, value in model.default_get(stored).items()
    }
    names += defaults
    rows = [defaults | row for row in rows]
    varying = [name for name in names if not _is_same(rows, name)] or names[:1]
    new = [
        SQL.identifier(name)
        if name in varying
        else SQL("%s::%s", rows[0][name], _column_type(model, name))
        for name in names
    ]
    query = SQL(
        """INSERT INTO %(table)s
                  (create_uid, create_date, write_uid, write_date, %(names)s)
           SELECT %(uid)s, %(now)s, %(uid)s, %(now)s, %(new)s
             FROM unnest(%(arrays)s) WITH ORDINALITY AS rows(%(varying)s, position)
         ORDER BY position
      ON CONFLICT DO NOTHING
        RETURNING id""",
        table=SQL.identifier(model._table),
        names=_identifiers(names),
        new=SQL(", ").join(new),
        varying=_identifiers(varying),
        uid=model.env.uid,
        now=model.env.cr.now(),
        arrays=to_arrays(model, varying, rows),
    )
    # Odoo would write the whole statement, numbers and texts, into the log.
    model.env.cr.execute(query, log_exceptions=False)
    inserted = model.browse(row[0] for row in model.env.cr.fetchall())
    inserted.modified(model._fields, create=True)
    for name in given:
        # As in ``create``: what is given is not computed.
        model.env.remove_to_compute(model._fields[name], inserted)
    inserted._validate_fields(names)
    return inserted


def update_rows(model, columns, rows, *, extra=None, condition=None):
    """Update many records with a value each.

    :param list columns: names of the columns that ``rows`` holds beside ``id``
    :param list rows: dicts of ``id`` and these columns
    :param SQL extra: further assignments, the same for all
    :param SQL condition: what must hold of the row, in terms of ``m`` (the table) and
        ``v`` (the new values)
    :return: the records that met ``condition``
    """
    names, assignments = ["id"], [SQL("write_date = (now() AT TIME ZONE 'UTC')")]
    for name in columns:
        column, value = SQL.identifier(name), rows[0][name]
        if _is_same(rows, name):
            new = SQL("%s::%s", value, _column_type(model, name))
        else:
            names.append(name)
            new = SQL("v.%s", column)
        assignments.append(SQL("%s = %s", column, new))
    if extra:
        assignments.append(extra)
    # What is pending in the cache of this transaction must not undo it later.
    model.flush_model()
    query = SQL(
        # The condition is put so that it belongs to the join: otherwise outdated
        # statistics let the planner begin with "the few" rows in a state, and compare
        # thousands with thousands.
        """UPDATE %s m SET %s
             FROM unnest(%s) AS v(%s)
            WHERE m.id = v.id AND CASE WHEN v.id IS NULL THEN FALSE ELSE (%s) END
        RETURNING m.id""",
        SQL.identifier(model._table),
        SQL(", ").join(assignments),
        to_arrays(model, names, rows),
        _identifiers(names),
        condition or SQL("TRUE"),
    )
    # A conflict is repeated by the caller; it is no error.
    model.env.cr.execute(query, log_exceptions=False)
    updated = model.browse(row[0] for row in model.env.cr.fetchall())
    updated.invalidate_recordset()
    return updated


def _is_same(rows, name):
    """Say whether all rows have the same value: most have, and arrays cost time."""
    return not any(map(ne, map(itemgetter(name), rows), repeat(rows[0][name])))


def to_arrays(model, columns, rows):
    """Return SQL arrays of the columns' own types, for ``unnest``."""
    return SQL(", ").join(
        SQL(
            "%s::%s[]",
            [row[column] for row in rows],
            _column_type(model, column),
        )
        for column in columns
    )


def _column_type(model, column):
    # a name of PostgreSQL's that the ORM knows, never input
    return SQL(model._fields[column].column_type[0]) if column != "id" else SQL("int4")


def _identifiers(names):
    return SQL(", ").join(map(SQL.identifier, names))
