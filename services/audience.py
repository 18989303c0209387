"""Who gets a mass sending: lists, contacts and a spreadsheet, united by number."""

import base64
from dataclasses import dataclass, field
from itertools import islice

from odoo.exceptions import UserError
from odoo.fields import Domain

from ..tools import phone
from ..tools.phone import SENDABLE
from ..tools.placeholders import fold
from . import audience_records, consent, control_numbers
from .record_values import SHOWN_TYPES, show_value
from .records import read_entered, read_pages
from .repeat import SURELY_FAILED, find_repeated, is_number_refused
from .source import own_titles, read_rows, titles_for_text

# Recipients read at once.
PAGE = 5000
# What a text may take from a contact: name in the text -> field. Fields that a company
# has added by itself (Studio, "x_…") are offered too.
CONTACT_FIELDS = {
    "name": "name",
    "phone": "phone",
    "company": "commercial_company_name",
    "function": "function",
    "email": "email",
    "city": "city",
    "street": "street",
    "zip": "zip",
    "state": "state_id",
    "country": "country_id",
    "ref": "ref",
    "vat": "vat",
    "website": "website",
    "salesperson": "user_id",
    "language": "lang",
    "debt": "credit",
}


@dataclass(slots=True)
class Recipient:
    """One recipient of the audience.

    :ivar number: E.164, empty where no number could be read
    :ivar raw: the number as it was written
    :ivar data: what the list or the file knows, column -> text
    :ivar values: folded name -> value, for the placeholders of the text
    :ivar reason: why there will be no message, a key of ``LEFT_OUT_REASONS``
    :ivar body: a text that is fixed already
    :ivar repeat_of_id: the first message of the chain that is sent again
    :ivar lang: code of the contact's language
    :ivar res_model: of the document that the message is about, and ``res_id``
    :ivar is_control: one of the company's own numbers, which get a copy
    """

    number: str
    raw: str = ""
    name: str = ""
    partner_id: int | None = None
    data: dict[str, str] | None = None
    values: dict[str, str] = field(default_factory=dict)
    reason: str | None = None
    body: str | None = None
    repeat_of_id: int | None = None
    lang: str | None = None
    res_model: str | None = None
    res_id: int | None = None
    is_control: bool = False


def contact_names(env):
    """Return what a text may take from a contact, as the user may read it.

    :return: list of dicts ``name`` (as written in the text), ``label``, ``field`` and
        ``others``, a list of further names that are understood
    """
    partners = env["res.partner"]
    fields = partners.fields_get(attributes=("string", "type"))
    own = own_titles(env)
    labels = {"name": env._("Recipient's name"), "state": env._("Region")}
    added = sorted(name for name in fields if partners._fields[name].manual)
    return [
        {
            "name": name,
            "label": labels.get(name) or fields[field_name]["string"],
            "field": field_name,
            "others": [fields[field_name]["string"], own.get(name, name)],
        }
        for name, field_name in {**CONTACT_FIELDS, **{n: n for n in added}}.items()
        if field_name in fields and fields[field_name]["type"] in SHOWN_TYPES
    ]


def placeholder_names(batch):
    """Return what the text of a draft may take: columns of its lists and its file
    first, then fields of contacts.

    :return: list of dicts ``name`` and ``label``
    """
    if audience_records.is_about_records(batch):
        return audience_records.placeholder_names(batch)
    titles = [
        *(title for one in batch.list_ids for title in one.columns or ()),
        *(title for one in batch.list_ids for title in one.title_roles or ()),
        *titles_for_text(batch.source_columns),
    ]
    return [
        *({"name": title, "label": title} for title in dict.fromkeys(titles)),
        *(
            {"name": entry["name"], "label": entry["label"]}
            for entry in contact_names(batch.env)
        ),
    ]


def count_sources(batch, limit):
    """Return about how many recipients a draft has, duplicates included.

    :param int limit: more are not counted
    """
    env = batch.env
    if batch.repeat_of_id:
        domain = [
            ("batch_id", "=", batch.repeat_of_id.id),
            ("state", "in", SURELY_FAILED),
        ]
        return env["sms.devino.message"].search_count(domain, limit=limit)
    if audience_records.is_about_records(batch):
        return audience_records.count_records(batch, limit)
    count = len(batch.partner_ids)
    if batch.list_ids:
        of_lists = [("list_id", "in", batch.list_ids.ids)]
        count += env["sms.devino.recipient"].search_count(of_lists, limit=limit)
    if batch.domain:
        domain = read_filter(env, batch.domain)
        count += env["res.partner"].search_count(domain, limit=limit)
    if batch.source_name:
        # a file that does not tell its rows may have many
        count += (batch.source_columns or {}).get("rows", limit)
    return count


def read_filter(env, text):
    """Return the domain of a filter of contacts; it matches none when it is empty.

    :raise UserError: when it cannot be read
    """
    domain = read_entered(env["res.partner"], text)
    return Domain.FALSE if domain is None else domain


def check_sources(batch):
    """Refuse a source that the user may not read.

    :param batch: ``sms.devino.batch``, in the environment of that user
    :raise UserError: naming it
    """
    env = batch.env
    for record_list in batch.sudo().list_ids.sudo(False):
        if not record_list.has_access("read"):
            raise UserError(
                env._(
                    "Recipients: you may not read the list “%s”.",
                    record_list.sudo().name,
                )
            )
    partners = batch.sudo().partner_ids.sudo(False)
    hidden = partners - partners._filtered_access("read")
    if hidden:
        raise UserError(
            env._(
                "Recipients: you may not read %(count)s of the chosen contacts, such "
                "as “%(name)s”.",
                count=len(hidden),
                name=hidden[0].sudo().name,
            )
        )


class Audience:
    """Reads the recipients of a draft, with the rights of the user.

    :param batch: ``sms.devino.batch``, in the environment of that user
    :param keys: the folded names of the values that the text needs
    :param dict left: go on with what was :attr:`left` of another reading
    :param seen: the numbers that reading had found fit to send to
    :ivar dict left: what comes after the last page, for a Json field: ``sources``, of
        which the first has been read up to ``last``
    """

    def __init__(self, batch, keys, *, left=None, seen=()):
        self.env = batch.env
        self.batch = batch
        self.left = left or {"sources": self._list_sources(), "last": 0}
        self.country = batch.account_id.country_id.code
        names = contact_names(batch.env)
        self._contacts = _ContactReader(batch.env, names, keys)
        self._keys = {
            entry["name"]: {fold(one) for one in (entry["name"], *_synonyms(entry))}
            for entry in names
            if entry["name"] in ("name", "phone")
        }
        self._seen = set(seen)
        self._text_keys = keys
        self.control_count = 0

    def pages(self):
        """Yield lists of :class:`Recipient`: lists first, contacts, the file, then the
        control numbers of the company with the text of the first recipient.

        If several recipients share a number, the first one gets the message.
        """
        for page in self._sources():
            self._mark_blacklisted(page)
            self._mark_duplicates(page)
            yield page

    def _list_sources(self):
        """Return pairs of kind and id, in the order in which they are read."""
        if self.batch.repeat_of_id:
            return [["failed", self.batch.repeat_of_id.id]]
        if audience_records.is_about_records(self.batch):
            return [["records", 0], ["control", 0]]
        return [
            *(["list", list_id] for list_id in self.batch.list_ids.ids),
            ["contacts", 0],
            *([["file", 0]] if self.batch.source_file else []),
            ["control", 0],
        ]

    def _sources(self):
        while self.left["sources"]:
            [kind, key], *others = self.left["sources"]
            read = getattr(self, f"_read_{kind}")
            for page, last in read(key, self.left["last"]):
                self.left = {**self.left, "last": last}
                yield page
            self.left = {"sources": others, "last": 0}

    # --- the sources: each yields pairs of a page and what it was read up to ---------

    def _read_list(self, list_id, last):
        names = ["number", "number_raw", "name", "partner_id", "data", "reading"]
        record_list = self.env["sms.devino.recipient.list"].browse(list_id)
        roles = record_list.title_roles or {}
        lines = self.env["sms.devino.recipient"]
        of_list = [("list_id", "=", list_id)]
        for rows, end in read_pages(lines, of_list, names, PAGE, last):
            # ids, and not the contacts: the user may not read all of them
            partner_ids = [row.partner_id.id for row in rows]
            of_contacts = self._contacts.read_values(set(filter(None, partner_ids)))
            page = [
                self._from_row(
                    row.number,
                    row.number_raw,
                    row.name,
                    row.data,
                    None if row.reading in SENDABLE else row.reading,
                    partner_id,
                    of_contacts.get(partner_id, (None, {})),
                    titles={
                        title: row.number if role == "phone" else row.name
                        for title, role in roles.items()
                    },
                )
                for row, partner_id in zip(rows, partner_ids, strict=True)
            ]
            yield page, end

    def _read_contacts(self, _key, last):
        contacts = self.env["res.partner"]
        domain = Domain("id", "in", self.batch.partner_ids.ids)
        domain |= read_filter(self.env, self.batch.domain)
        domain &= Domain("id", ">", last)
        ids = contacts.search(domain, order="id").ids
        for start in range(0, len(ids), PAGE):
            found = contacts.browse(ids[start : start + PAGE])
            page = [
                self._from_contact(partner, values)
                for partner, values in self._contacts.iterate(found)
            ]
            yield page, found[-1].id

    def _read_file(self, _key, last):
        content = base64.b64decode(self.batch.source_file)
        rows = read_rows(
            self.env, content, self.batch.source_name, self.batch.source_columns or {}
        )
        page = []
        for end, row in islice(enumerate(rows, start=1), last, None):
            reading = phone.read(row.get("number_raw") or "", self.country)
            page.append(
                self._from_row(
                    reading.e164,
                    reading.raw,
                    row.get("name"),
                    row.get("data"),
                    None if reading.sendable else reading.code,
                    titles=row["titles"],
                )
            )
            if len(page) == PAGE:
                yield page, end
                page = []
        if page:
            yield page, end

    def _read_records(self, _key, last):
        pages = audience_records.read_records(self.batch, self._text_keys, last)
        for page, end in pages:
            yield [Recipient(**one) for one in page], end

    def _read_control(self, _key, last):
        """Make copies for the control numbers, with the text of the first recipient."""
        if last:
            # written by a run before this one
            self.control_count = last - 1
            return
        others = {"sources": self._list_sources()[:-1], "last": 0}
        pages = Audience(self.batch, self._text_keys, left=others).pages()
        example = next((one for page in pages for one in page if not one.reason), None)
        if example:
            copies = control_numbers.make_copies(self.batch, example, self._seen)
            self._mark_blacklisted(copies)
            self.control_count = sum(not one.reason for one in copies)
            yield copies, self.control_count + 1

    def _read_failed(self, origin_id, last):
        """Read the recipients whose message surely failed, with its text.

        What was made anonymous cannot be sent again.
        """
        names = ["number", "name", "partner_id", "data", "body", "repeat_of_id"]
        names += ["operation_status", "message_status", "res_model", "res_id"]
        domain = [("batch_id", "=", origin_id), ("state", "in", SURELY_FAILED)]
        domain.append(("number", "!=", False))
        journal = self.env["sms.devino.message"]
        for messages, end in read_pages(journal, domain, names, PAGE, last):
            firsts = [message.repeat_of_id.id or message.id for message in messages]
            repeated = find_repeated(self.env, firsts, but=self.batch)
            page = [
                Recipient(
                    number=message.number,
                    name=message.name or "",
                    partner_id=message.partner_id.id or None,
                    data=message.data or None,
                    reason=_find_repeat_reason(message, first in repeated),
                    body=message.body,
                    repeat_of_id=first,
                    res_model=message.res_model or None,
                    res_id=message.res_id or None,
                )
                for message, first in zip(messages, firsts, strict=True)
            ]
            yield page, end

    # --- one recipient --------------------------------------------------------------

    def _from_row(
        self,
        number,
        raw,
        name,
        data,
        reason,
        partner_id=None,
        of_contact=(None, {}),
        titles=None,
    ):
        lang, contact_values = of_contact
        values = dict(contact_values)
        self._set(values, "name", name or values.get("name"))
        self._set(values, "phone", number)
        for texts in (titles, data):
            values |= {fold(key): text for key, text in (texts or {}).items() if text}
        return Recipient(
            number=number or "",
            raw=raw or "",
            name=name or values.get("name", ""),
            partner_id=partner_id or None,
            data=data or None,
            values=values,
            reason=reason,
            lang=lang,
        )

    def _set(self, values, name, text):
        """Set a value under all the names that it goes by."""
        values |= dict.fromkeys(self._keys[name], text or "")

    def _from_contact(self, partner, values):
        reading = phone.read(partner.phone or "", self.country)
        name = partner.name or ""
        values = dict(values)
        self._set(values, "name", name)
        self._set(values, "phone", reading.e164)
        return Recipient(
            number=reading.e164 or "",
            raw=reading.raw,
            name=name,
            partner_id=partner.id,
            values=values,
            reason=None if reading.sendable else reading.code,
            lang=partner.lang or None,
        )

    # --- who is left out ------------------------------------------------------------

    def _mark_blacklisted(self, page):
        """Leave out those who refused messages of this kind."""
        if not consent.refusal_ends(self.batch.company_id, self.batch.purpose):
            return
        numbers = [one.number for one in page if not one.reason]
        blocked = self.env["phone.blacklist"]._sms_devino_blacklisted(numbers)
        for one in page:
            if not one.reason and one.number in blocked:
                one.reason = "blacklisted"

    def _mark_duplicates(self, page):
        for one in page:
            if one.reason:
                continue
            if one.number in self._seen:
                one.reason = "duplicate"
            self._seen.add(one.number)


def _find_repeat_reason(message, is_repeated):
    """Return why a failed message is not sent again, or ``None``."""
    if is_repeated:
        return "repeated"
    return "refused_before" if is_number_refused(message) else None


def _synonyms(entry):
    return entry["label"], *entry["others"]


class _ContactReader:
    """Reads the fields of contacts that a text names, in the contact's language.

    :param list names: as :func:`contact_names` returns them
    :param keys: the folded names of the values that the text needs
    """

    def __init__(self, env, names, keys):
        self.env = env
        self.wanted = {}
        for entry in reversed(names):
            for name in (*_synonyms(entry), entry["name"]):
                if fold(name) in keys:
                    self.wanted[fold(name)] = entry["field"]
        self.selections = {}

    def read_values(self, ids):
        """Return contact id -> language and values, without contacts that the user may
        not read."""
        if not ids:
            return {}
        self.wanted.setdefault("name", "name")
        contacts = self.env["res.partner"].with_context(active_test=False)
        found = contacts.search([("id", "in", list(ids))], order="id")
        return {
            partner.id: (partner.lang or None, values)
            for partner, values in self.iterate(found)
        }

    def iterate(self, contacts):
        """Yield pairs of contact and values, in order."""
        contacts.fetch({"name", "phone", "lang", *self.wanted.values()})
        for partner in contacts:
            local = partner.with_context(lang=partner.lang or self.env.lang)
            yield (
                partner,
                {
                    key: show_value(local, name, self.selections)
                    for key, name in self.wanted.items()
                },
            )
        contacts.invalidate_recordset()
