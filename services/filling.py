"""Reading rows into a recipient list."""

import json
from dataclasses import dataclass, field

from odoo.models import BaseModel
from odoo.tools import split_every

from ..tools import phone
from ..tools.phone import SENDABLE
from ..tools.recipients import clean, clean_data
from . import consent
from .bulk import insert_rows, update_rows
from .words import describe_reading

COUNTS = ("new", "updated", "unchanged", "duplicate", "wrong")
# Rows read, compared and written at once.
PAGE = 5_000
# What a preview shows.
SHOWN_PROBLEMS = 200
SHOWN_FIRST = 3


@dataclass(slots=True)
class Line:
    """A row on its way into a list.

    :ivar dict row: ``number_raw`` (as a person wrote it) and, where known, ``name``,
        ``partner_id``, ``data`` (dict: column -> text), ``row`` (its number in a file)
        and ``cell_error`` (a sentence)
    :ivar reading: ``tools.phone.Reading``
    :ivar str action: one of :data:`COUNTS`
    :ivar known: the ``sms.devino.recipient`` that has the number already
    :ivar int first_row: the row of the same source that has the number already
    :ivar dict values: ``name``, ``partner_id`` and ``data`` to write
    """

    row: dict
    reading: phone.Reading
    action: str
    known: BaseModel
    first_row: int | None = None
    values: dict = field(default_factory=dict)

    @property
    def problem(self):
        """``error``, ``twice`` or ``note`` for a row to look at, None for others."""
        if self.action == "wrong":
            return "error"
        if self.action == "duplicate":
            return "twice"
        return "note" if self.reading.others or self.row.get("cell_error") else None


class Filling:
    """Compares rows with a list, and writes them into it.

    A number is there only once, and the first row with it is taken. A number that the
    list has already gets the new name, contact and data where they are given. A line
    without a contact is linked to the only contact with its number.

    :param record_list: ``sms.devino.recipient.list``; one that is not stored is empty
    :param bool update_existing: without it a number of the list is a duplicate
    :param dict consent: ``source``, ``company_id`` and ``wording_id`` of the consents
        that rows have
    """

    def __init__(self, record_list, *, update_existing=True, consent=None):
        self.env = record_list.env
        self.list = record_list
        self.update_existing = update_existing
        self.consent = consent

    def pages(self, rows):
        """Yield lists of :class:`Line`: the outcome for each row. Writes nothing.

        :param rows: iterable of dicts, see :class:`Line`
        """
        if self.list._origin:
            self.list._origin.check_access("read")
        first = {}
        for page in split_every(PAGE, rows):
            country = self.list.country_id.code
            readings = [
                phone.read(clean(row.get("number_raw")), country) for row in page
            ]
            numbers = {reading.e164 for reading in readings if reading.sendable}
            known = self._find_lines(numbers)
            contacts = self._find_contacts(numbers)
            lines = []
            for row, reading in zip(page, readings, strict=True):
                line = Line(row, reading, "new", self.env["sms.devino.recipient"])
                line.first_row = first.get(reading.e164)
                line.known = known.get(reading.e164, line.known)
                if reading.e164 in first:
                    line.action = "duplicate"
                else:
                    self._compare(line, contacts.get(reading.e164))
                if reading.sendable:
                    first.setdefault(reading.e164, row.get("row"))
                lines.append(line)
            yield lines
            self.env["sms.devino.recipient"].invalidate_model()

    def _compare(self, line, contact_id):
        """Decide what a row does to the list, as the first one with its number."""
        row, known = line.row, line.known
        had = {
            "name": known.name or None,
            "partner_id": known.partner_id.id or None,
            "data": known.data or {},
        }
        line.values = {
            "name": clean(row.get("name")) or had["name"],
            "partner_id": row.get("partner_id") or had["partner_id"] or contact_id,
            "data": {**had["data"], **clean_data(row.get("data"))},
        }
        if not line.reading.sendable:
            line.action = "wrong"
        elif known and not self.update_existing:
            line.action = "duplicate"
        elif known:
            line.action = "unchanged" if line.values == had else "updated"

    def _find_lines(self, numbers):
        """Return number -> line of this list that a message may go to."""
        if not self.list._origin:
            return {}
        found = self.env["sms.devino.recipient"].search_fetch(
            [
                ("list_id", "=", self.list._origin.id),
                ("number", "in", list(numbers)),
                ("reading", "in", list(SENDABLE)),
            ],
            ["number", "name", "partner_id", "data"],
            order="id",
        )
        return {line.number: line for line in found}

    def _find_contacts(self, numbers):
        """Return number -> id of the only contact with it that the user may read."""
        groups = self.env["res.partner"]._read_group(
            [("phone_sanitized", "in", list(numbers))],
            ["phone_sanitized"],
            ["id:min"],
            having=[("__count", "=", 1)],
        )
        return dict(groups)

    def write_page(self, page, *, keep_wrong=False):
        """Write a page into the list, which is locked.

        :param list page: of :class:`Line`
        :param bool keep_wrong: also rows that no message may go to
        """
        recipients = self.env["sms.devino.recipient"]
        updated = [
            {"id": line.known.id, **_as_columns(line.values)}
            for line in page
            if line.action == "updated"
        ]
        if updated:
            update_rows(recipients, ["name", "partner_id", "data"], updated)
        kept = self._find_wrong(page) if keep_wrong else set()
        insert_rows(
            recipients,
            [
                self._line_values(line)
                for line in page
                if line.action == "new"
                or keep_wrong
                and line.action == "wrong"
                and line.reading.raw
                and line.reading.raw not in kept
            ],
        )
        if self.consent:
            consent.import_page(self.env, page, **self.consent)

    def _find_wrong(self, page):
        """Return what is written in the lines of this list that have no good number."""
        raws = [line.reading.raw for line in page if line.action == "wrong"]
        found = self.env["sms.devino.recipient"].search_fetch(
            [
                ("list_id", "=", self.list.id),
                ("number_raw", "in", raws),
                ("reading", "not in", list(SENDABLE)),
            ],
            ["number_raw"],
            order="id",
        )
        return set(found.mapped("number_raw"))

    def _line_values(self, line):
        """Return the columns of a new recipient."""
        return {
            "list_id": self.list.id,
            "number_raw": line.reading.raw,
            **_as_columns(line.values),
            "number": line.reading.e164,
            "reading": line.reading.code,
            "others": ", ".join(line.reading.others) or None,
        }

    def summarise(self, rows):
        """Return what :meth:`write_page` would do, for a preview.

        :return: dict of ``counts``, ``total``, ``notes`` (how many rows to check),
            ``consents`` (how many rows have one),
            ``first`` and ``problems`` (dicts of ``row``, ``raw``, ``number``,
            ``name``, ``data``, ``kind``, ``reason``)
        """
        counts, first, notes, consents = {}, [], 0, 0
        problems = {"error": [], "note": [], "twice": []}
        for page in self.pages(rows):
            for line in page:
                counts[line.action] = counts.get(line.action, 0) + 1
                notes += line.problem == "note"
                consents += bool(line.reading.sendable and line.row.get("consent_on"))
                if line.problem and len(problems[line.problem]) < SHOWN_PROBLEMS:
                    problems[line.problem].append(self._show(line))
                elif line.problem in (None, "note") and len(first) < SHOWN_FIRST:
                    first.append(self._show(line))
        return {
            "counts": counts,
            "total": sum(counts.values()),
            "notes": notes,
            "consents": consents,
            "first": first,
            "problems": sum(problems.values(), [])[:SHOWN_PROBLEMS],
        }

    def _show(self, line):
        data = line.row.get("data") or {}
        return {
            "row": line.row.get("row"),
            "raw": line.reading.raw,
            "number": line.reading.e164,
            "name": line.row.get("name"),
            "data": " · ".join(f"{title}: {text}" for title, text in data.items()),
            "kind": line.problem,
            "reason": self.describe(line),
        }

    def describe(self, line):
        """Return what is to be said about a row, for people; empty for most."""
        if line.first_row:
            return self.env._(
                "%(number)s is in row %(row)s already.",
                number=line.reading.e164,
                row=line.first_row,
            )
        if line.action == "duplicate":
            return self.env._(
                "%(number)s is in the list already.", number=line.reading.e164
            )
        cell_error = line.row.get("cell_error")
        if cell_error:
            return cell_error
        if line.action == "wrong" or line.reading.others:
            return describe_reading(self.env, line.reading)
        return ""


def _as_columns(values):
    """Return name, contact and data as the database takes them."""
    data = json.dumps(values["data"], ensure_ascii=False) if values["data"] else None
    return {**values, "data": data}
