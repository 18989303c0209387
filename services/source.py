"""Recipients out of a spreadsheet, a pasted text or contacts.

``columns`` says how a file is read; it is kept with the file, as Json::

    {
        "sheet": "Clients",
        "header_row": 1,         # 0: the sheet has no titles
        "with_hidden": False,    # also rows that a filter hides
        "encoding": "cp1251",    # of a .csv; absent: guessed
        "columns": [{"index": 0, "role": "phone", "title": "Tel.", "name": ""}, …],
        "pasted": True,          # of a pasted text alone
        "rows": 172,             # how many recipients it has
    }

The roles are ``phone``, ``phone_2`` (taken where the first is empty), ``name``,
``extra`` (kept under ``name``), ``consent_date``, ``consent_source`` and ``skip``.
"""

import csv
import io
import re
from datetime import datetime

from openpyxl.utils import get_column_letter

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..tools import phone
from ..tools.recipients import clean, parse_pasted, unique_titles
from ..tools.sheet import (
    ENCODINGS,
    HEAD_ROWS,
    Region,
    Row,
    SheetError,
    find_header,
    guess_columns,
    open_book,
)
from .sheet_words import as_user_error

CONSENT_ROLES = ("consent_date", "consent_source")
# What the titles of their columns hold, in the languages of the files.
_about_consent = re.compile(r"соглас|consent|opt-?in", re.IGNORECASE).search
_about_source = re.compile(r"источник|откуда|source|where", re.IGNORECASE).search
PASTED_NAME = "pasted.csv"
# An earlier year in a cell is a slip.
EARLIEST = 2000
SAMPLE_ROWS = 3
# Contacts read at once.
PAGE = 5_000
# What a person may choose where the guess is wrong.
ENCODING_NAMES = [(name, name.upper()) for name in ENCODINGS]


# --- reading --------------------------------------------------------------------------


def open_source(env, content, filename, encoding=None):
    """Open a spreadsheet as the user's language writes numbers and dates.

    :return: ``tools.sheet.Book``
    :raise UserError: why it cannot be read
    """
    try:
        return open_book(
            content, filename, region=_region(env), encoding=encoding or None
        )
    except SheetError as error:
        raise as_user_error(env, error) from error


def describe_book(env, book, filename):
    """Return the name of a file and, of a .csv, how it was read."""
    if book.kind != "csv":
        return filename
    separators = {"\t": env._("tab"), "": env._("none")}
    return env._(
        "%(file)s, encoding: %(encoding)s, separator: %(separator)s",
        file=filename,
        encoding=book.encoding,
        separator=separators.get(book.separator, book.separator),
    )


def label_sheets(env, book):
    """Return pairs of name and label of the sheets of a workbook."""
    labels = {name: env._("%(name)s (hidden)", name=name) for name in book.hidden}
    return [(name, labels.get(name, name)) for name in book.sheets]


def read_head(env, book, sheet):
    """Return the first rows of a sheet as lists of texts.

    :raise UserError: why they cannot be read
    """
    try:
        return [row.values for row in book.rows(sheet, limit=HEAD_ROWS)]
    except SheetError as error:
        raise as_user_error(env, error) from error


def read_rows(env, content, filename, columns, hidden=None):
    """Yield the recipients of a file, in its order.

    :param bytes content: the file
    :param str filename: its name
    :param dict columns: see above
    :param list hidden: gets the numbers of the rows that are left out as hidden
    :return: iterator over dicts of ``number_raw``, ``name``, ``consent_on`` (a date or
        None), ``consent_source``, ``data`` (dict: title -> text), ``titles`` (dict:
        title of a column with name or number -> text), ``row`` (from 1),
        ``cell_error`` (a sentence, mostly empty), ``cells`` (the texts of all
        columns) and ``hidden`` (by a filter or by hand)
    :raise UserError: why the file cannot be read, once iteration comes to it
    """
    wanted = [column for column in columns["columns"] if column["role"] != "skip"]
    if columns.get("pasted"):
        rows = csv.reader(io.StringIO(content.decode()), delimiter=";")
        for number, values in enumerate(rows, start=1):
            yield _recipient(env, Row(number, values), wanted)
        return
    book = open_source(env, content, filename, columns.get("encoding"))
    try:
        for row in book.rows(columns["sheet"]):
            if row.number <= columns["header_row"] or not row.values:
                continue
            if row.hidden and not columns.get("with_hidden"):
                if hidden is not None:
                    hidden.append(row.number)
                continue
            yield _recipient(env, row, wanted)
    except SheetError as error:
        raise as_user_error(env, error) from error


def read_table(env, content, filename, columns):
    """Return a file as it is.

    :return: tuple of titles and of rows: pairs of texts, and the number as
        :func:`read_rows` yields it, None for a row that it leaves out as hidden
    :raise UserError: why the file cannot be read
    """
    taken = bool(columns.get("with_hidden"))
    rows = [
        (row["cells"], row["number_raw"] if taken or not row["hidden"] else None)
        for row in read_rows(env, content, filename, {**columns, "with_hidden": True})
    ]
    if not columns["header_row"]:
        return [], rows
    book = open_source(env, content, filename, columns.get("encoding"))
    head = read_head(env, book, columns["sheet"])
    return titles_of(head, columns["header_row"]), rows


def titles_for_text(columns):
    """Return the names under which a text may take what the columns of a file hold.

    :param dict columns: see above; a false value has none
    """
    names = (
        column["name"] if column["role"] == "extra" else column["title"]
        for column in (columns or {}).get("columns", ())
        if column["role"] not in ("skip", *CONSENT_ROLES)
    )
    return list(filter(None, names))


def _recipient(env, row, columns):
    """Return a ``tools.sheet.Row`` as :func:`read_rows` yields it."""
    values = row.values
    found = {"phone": "", "phone_2": "", "name": []}
    found |= {"consent_date": "", "consent_source": ""}
    data, titles, faults = {}, {}, []
    for column in columns:
        index, role = column["index"], column["role"]
        text = clean(values[index]) if index < len(values) else ""
        if index in row.errors:
            faults.append(_describe_cell(env, column, text))
            text = text if role == "phone" else ""
        if not text:
            continue
        if role == "extra":
            data[column["name"]] = text
            continue
        if role in CONSENT_ROLES:
            found[role] = text
            continue
        titles[column.get("title")] = text
        if role == "name":
            found["name"].append(text)
        else:
            found[role] = text
    text = found["consent_date"]
    consent_on = _read_date(env, text) if text else None
    if text and not consent_on:
        faults.append(
            env._("“%s” is not the date of a consent: no consent is kept.", text)
        )
    return {
        "number_raw": found["phone"] or found["phone_2"],
        "name": " ".join(found["name"]),
        "consent_on": consent_on,
        "consent_source": found["consent_source"],
        "data": data,
        "titles": {title: text for title, text in titles.items() if title},
        "row": row.number,
        "cell_error": " ".join(faults),
        "cells": values,
        "hidden": row.hidden,
    }


def _describe_cell(env, column, text):
    title = column.get("title") or column_letter(column["index"])
    if text:
        return env._(
            "%(column)s: the cell holds the error %(error)s.", column=title, error=text
        )
    return env._(
        "%(column)s: the result of the formula was not saved. Open the file in "
        "Excel and save it anew.",
        column=title,
    )


def _read_date(env, text):
    """Return the date that a cell holds, ``None`` for anything else.

    :param str text: as the user's language writes dates, or as ISO does
    """
    lang = env["res.lang"]._get_data(code=env.lang or "en_US")
    word = text.replace("T", " ").split(" ")[0]
    for pattern in (lang.date_format, "%Y-%m-%d", "%d.%m.%Y"):
        try:
            found = datetime.strptime(word, pattern).date()
        except ValueError:
            continue
        is_past = found <= fields.Date.context_today(env["res.users"])
        return found if is_past and found.year >= EARLIEST else None
    return None


def _region(env):
    """Return how numbers and dates are written in the user's language."""
    lang = env["res.lang"]._get_data(code=env.lang or "en_US")
    if not lang:
        return Region()
    return Region(
        decimal=lang.decimal_point,
        thousands=lang.thousands_sep or "",
        date_format=lang.date_format,
        time_format=lang.time_format,
    )


# --- pasting --------------------------------------------------------------------------


def pasted_as_source(env, text, country=None):
    """Return a pasted text as a file that :func:`read_rows` reads.

    :param str text: numbers, with names or without
    :param str country: two-letter code, to tell several numbers in one place apart
    :return: tuple of content (bytes), file name and ``columns``
    :raise UserError: when there are too many
    """
    try:
        found = parse_pasted(text or "")
    except SheetError as error:
        raise as_user_error(env, error) from error
    rows = []
    for pasted in found:
        reading = phone.read(pasted.number, country)
        several = [reading.e164, *reading.others] if reading.others else []
        rows += [(number, pasted.name) for number in several or [pasted.number]]
    target = io.StringIO()
    csv.writer(target, delimiter=";").writerows(rows)
    columns = {
        "sheet": "",
        "header_row": 0,
        "with_hidden": False,
        "pasted": True,
        "rows": len(rows),
        "columns": [
            {"index": 0, "role": "phone", "title": "", "name": ""},
            {"index": 1, "role": "name", "title": "", "name": ""},
        ],
    }
    return target.getvalue().encode(), PASTED_NAME, columns


# --- contacts -------------------------------------------------------------------------


def contact_rows(env, domain, country):
    """Yield the contacts that have a number, as :func:`read_rows` yields rows.

    :param Domain domain: which contacts
    :param str country: two-letter code of numbers without a plus
    :return: iterator over dicts of ``number_raw``, ``name`` and ``partner_id``
    """
    with_phone = domain & Domain("phone", "not in", (False, ""))
    contacts = env["res.partner"].search(with_phone, order="id")
    for start in range(0, len(contacts), PAGE):
        page = contacts.browse(contacts.ids[start : start + PAGE])
        page.fetch(["name", "phone", "phone_sanitized"])
        for contact in page:
            yield {
                "partner_id": contact.id,
                "name": contact.name,
                "number_raw": _best_number(contact, country),
            }
        page.invalidate_recordset()


def _best_number(contact, country):
    """Prefer what is written, unless only the contact's country explains it."""
    sanitized = contact.phone_sanitized
    if sanitized and not phone.read(contact.phone, country).sendable:
        if phone.read(sanitized, country).sendable:
            return sanitized
    return contact.phone


# --- what the columns are -------------------------------------------------------------


def own_titles(env):
    """Return what the columns of our own spreadsheets are called.

    :return: dict of ``phone``, ``name``, and of ``row`` and ``reason``, which
        only the file with the rows to correct has
    """
    return {
        "phone": env._("Phone"),
        "name": env._("Recipient name"),
        "row": env._("Row in the file"),
        "reason": env._("What is wrong"),
    }


def find_header_row(env, head):
    """Return the number of the row with the titles, 0 when there seems to be none.

    :param list head: rows as :func:`read_head` returns them
    """
    if head and _own_roles(env, head[0]):
        return 1
    header = find_header(head)
    return 0 if header is None else header + 1


def titles_of(head, header_row):
    """Return the titles, [] without a row of them."""
    if not 0 < header_row <= len(head):
        return []
    return [clean(title) for title in head[header_row - 1]]


def propose_columns(env, head, header_row, saved=None):
    """Propose what each column is: as saved, as we wrote it, or by its looks.

    :param list saved: dicts of ``role`` and ``name``, of a saved mapping
    :return: list of dicts of ``index``, ``letter``, ``title``, ``role``, ``name`` and
        ``sample_1`` to ``sample_3``
    """
    titles = titles_of(head, header_row)
    below = head[max(header_row, 0) :]
    width = max([len(titles), *map(len, below)], default=0)
    titles += [""] * (width - len(titles))
    if saved:
        roles = [column["role"] for column in saved]
        names = [column["name"] for column in saved]
    else:
        roles = _own_roles(env, titles) or _guessed_roles(titles, below, width)
        roles = _find_consents(env, titles, below, roles)
        names = []
    roles = [*roles, *["skip"] * width][:width]
    names = [*names, *[""] * width][:width]
    samples = [row for row in below if any(row)][:SAMPLE_ROWS]
    proposed = _proposed_names(env, titles, roles)
    return [
        {
            "index": index,
            "letter": column_letter(index),
            "title": titles[index],
            "role": roles[index],
            "name": names[index] or proposed.get(index),
            **{
                f"sample_{number}": row[index]
                for number, row in enumerate(samples, start=1)
                if index < len(row)
            },
        }
        for index in range(width)
    ]


def check_columns(env, roles, names):
    """Refuse a mapping of columns that makes no sense.

    :param list roles: of all columns
    :param list names: under which extra columns are kept
    :raise UserError: saying what to change
    """
    if roles.count("phone") != 1 or roles.count("phone_2") > 1:
        raise UserError(
            env._("Columns: choose the one column that has the phone numbers.")
        )
    if not all(names):
        raise UserError(env._("Columns: name each column that is kept."))
    if len({name.casefold() for name in names}) < len(names):
        raise UserError(env._("Columns: two of them are kept under the same name."))


def _proposed_names(env, titles, roles):
    """Return index -> name to keep a column under; no two are the same."""
    kept = [index for index, role in enumerate(roles) if role in ("extra", "skip")]
    names = unique_titles(
        " ".join(titles[index].split())
        or env._("Column %(letter)s", letter=column_letter(index))
        for index in kept
    )
    return dict(zip(kept, names, strict=True))


def _guessed_roles(titles, below, width):
    """Return the role of each column, by titles and contents."""
    guess = guess_columns(titles, below)
    roles = ["skip"] * width
    for index in guess["extra"]:
        roles[index] = "extra"
    for key, role in (("phone2", "phone_2"), ("phone", "phone"), ("name", "name")):
        if guess.get(key) is not None:
            roles[guess[key]] = role
    return roles


def _find_consents(env, titles, below, roles):
    """Return the roles with those of the columns that speak of consents.

    One with “yes” and “no” proves nothing; it stays what it is.
    """
    found = {}
    for index, title in enumerate(titles[: len(roles)]):
        if roles[index] != "extra" or not _about_consent(title):
            continue
        cells = (row[index] for row in below if index < len(row))
        if _about_source(title):
            found.setdefault("consent_source", index)
        elif any(_read_date(env, clean(cell)) for cell in cells):
            found.setdefault("consent_date", index)
    if "consent_date" not in found:
        return roles
    named = {index: role for role, index in found.items()}
    return [named.get(index, role) for index, role in enumerate(roles)]


def _own_roles(env, titles):
    """Return the roles of the columns of a file that we have written, or []."""
    titles = [clean(title) for title in titles]
    for code, _name in env["res.lang"].get_installed():
        own = own_titles(env(context={**env.context, "lang": code}))
        if titles[:2] == [own["phone"], own["name"]]:
            left_out = (own["row"], own["reason"], "")
            rest = ["skip" if title in left_out else "extra" for title in titles[2:]]
            return ["phone", "name", *rest]
    return []


def column_letter(index: int) -> str:
    """Return what Excel calls the column: 0 is A, 26 is AA."""
    return get_column_letter(index + 1)
