"""Who gets a mass sending: lists, contacts and a spreadsheet, united by number."""

import base64
from dataclasses import dataclass, field

from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_date

from ..tools import phone
from ..tools.phone import SENDABLE
from ..tools.placeholders import fold
from .records import read_domain
from .source import read_rows

# Recipients read at once.
PAGE = 5000
# What is offered first, under a short name: name in a text -> field of the contact.
MAIN_FIELDS = {
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
}
OFFERED_TYPES = ("char", "selection", "date")
# Fields that begin with these words are technical: not for a text to a customer.
TECHNICAL = (
    "access_",
    "activity_",
    "barcode",
    "calendar_",
    "complete_name",
    "image_",
    "im_",
    "message_",
    "ocn_",
    "partner_",
    "phone_",
    "signup_",
    "sms_devino_",
    "type",
    "tz",
    "website_",
)
# What surely did not arrive: sending it again cannot make it arrive twice.
SURELY_FAILED = ("failed", "undelivered")


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


def contact_names(env):
    """Return what a text may take from a contact, as the user may read it.

    :return: list of dicts ``name`` (as written in the text), ``label`` and ``field``
    """
    fields = env["res.partner"].fields_get(attributes=("string", "type", "store"))
    labels = {"name": env._("Recipient's name"), "state": env._("Region")}
    main = [
        {
            "name": name,
            "label": labels.get(name) or fields[field_name]["string"],
            "field": field_name,
        }
        for name, field_name in MAIN_FIELDS.items()
        if field_name in fields
    ]
    others = [
        {"name": name, "label": info["string"], "field": name}
        for name, info in fields.items()
        if info["type"] in OFFERED_TYPES
        and info["store"]
        and not name.startswith(TECHNICAL)
        and name not in MAIN_FIELDS.values()
        and name not in MAIN_FIELDS
    ]
    return main + sorted(others, key=lambda entry: entry["label"].casefold())


def find_repeated(env, first_ids, *, but):
    """Return those chains of messages of which one may still arrive, or has.

    :param first_ids: ids of the first message of each chain
    :param but: ``sms.devino.batch`` whose own rows do not count
    :return: a set of ids
    """
    domain = [
        ("repeat_of_id", "in", list(first_ids)),
        ("batch_id", "!=", but.id),
        ("state", "not in", (*SURELY_FAILED, "canceled", "left_out")),
        "|",
        ("state", "!=", "draft"),
        ("batch_id.state", "not in", ("draft", "to_approve", "canceled")),
    ]
    groups = env["sms.devino.message"].sudo()._read_group(domain, ["repeat_of_id"])
    return {first.id for (first,) in groups}


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
    """

    def __init__(self, batch, keys):
        self.env = batch.env
        self.batch = batch
        self.country = batch.account_id.country_id.code
        self._contacts = _ContactReader(batch.env, keys)
        self._seen = set()

    def pages(self):
        """Yield lists of :class:`Recipient`: lists first, contacts, then the file.

        Of several recipients with the same number the first one gets the message.
        """
        for page in self._sources():
            self._mark_blacklisted(page)
            self._mark_duplicates(page)
            yield page

    def _sources(self):
        if self.batch.repeat_of_id:
            yield from self._read_failed()
            return
        for record_list in self.batch.list_ids:
            yield from self._read_list(record_list)
        yield from self._read_contacts()
        if self.batch.source_file:
            yield from self._read_file()

    # --- the sources ----------------------------------------------------------------

    def _read_list(self, record_list):
        names = ["number", "number_raw", "name", "partner_id", "data", "reading"]
        for rows in self._pages_of(
            "sms.devino.recipient", [("list_id", "=", record_list.id)], names
        ):
            # ids, and not the contacts: the user may not read all of them
            partner_ids = [row.partner_id.id for row in rows]
            of_contacts = self._contacts.read_values(set(filter(None, partner_ids)))
            yield [
                self._from_row(
                    row.number,
                    row.number_raw,
                    row.name,
                    row.data,
                    None if row.reading in SENDABLE else row.reading,
                    partner_id,
                    of_contacts.get(partner_id),
                )
                for row, partner_id in zip(rows, partner_ids, strict=True)
            ]

    def _read_contacts(self):
        contacts = self.env["res.partner"]
        ids = contacts.search(self._get_domain(), order="id").ids
        for start in range(0, len(ids), PAGE):
            page = contacts.browse(ids[start : start + PAGE])
            yield [
                self._from_contact(partner, values)
                for partner, values in self._contacts.iterate(page)
            ]

    def _get_domain(self):
        domain = Domain("id", "in", self.batch.partner_ids.ids)
        try:
            chosen = read_domain(self.env["res.partner"], self.batch.domain)
        except ValueError as error:
            raise UserError(
                self.env._("Filter: it cannot be read. Choose the conditions again.")
            ) from error
        return domain if chosen is None else domain | chosen

    def _read_file(self):
        content = base64.b64decode(self.batch.source_file)
        page = []
        for row in read_rows(
            self.env, content, self.batch.source_name, self.batch.source_columns or {}
        ):
            reading = phone.read(row.get("number_raw") or "", self.country)
            page.append(
                self._from_row(
                    reading.e164,
                    reading.raw,
                    row.get("name"),
                    row.get("data"),
                    None if reading.sendable else reading.code,
                )
            )
            if len(page) == PAGE:
                yield page
                page = []
        yield page

    def _read_failed(self):
        """Read those whose message surely failed, with the text they were to get."""
        origin = self.batch.repeat_of_id
        names = ["number", "name", "partner_id", "data", "body", "repeat_of_id"]
        domain = [("batch_id", "=", origin.id), ("state", "in", SURELY_FAILED)]
        for messages in self._pages_of("sms.devino.message", domain, names):
            firsts = [message.repeat_of_id.id or message.id for message in messages]
            repeated = find_repeated(self.env, firsts, but=self.batch)
            yield [
                Recipient(
                    number=message.number,
                    name=message.name or "",
                    partner_id=message.partner_id.id or None,
                    data=message.data or None,
                    reason="repeated" if first in repeated else None,
                    body=message.body,
                    repeat_of_id=first,
                )
                for message, first in zip(messages, firsts, strict=True)
            ]

    def _pages_of(self, model, domain, names):
        """Yield the records of a domain by id, as many at once as may be in memory."""
        last = 0
        while page := self.env[model].search_fetch(
            [*domain, ("id", ">", last)], names, order="id", limit=PAGE
        ):
            yield page
            last = page[-1].id
            page.invalidate_recordset()

    # --- one recipient --------------------------------------------------------------

    def _from_row(
        self, number, raw, name, data, reason, partner_id=None, of_contact=None
    ):
        values = dict(of_contact or {})
        values |= {fold(key): text for key, text in (data or {}).items() if text}
        if name:
            values["name"] = name
        values["phone"] = number or ""
        return Recipient(
            number=number or "",
            raw=raw or "",
            name=name or values.get("name", ""),
            partner_id=partner_id or None,
            data=data or None,
            values=values,
            reason=reason,
        )

    def _from_contact(self, partner, values):
        reading = phone.read(partner.phone or "", self.country)
        name = partner.name or ""
        return Recipient(
            number=reading.e164 or "",
            raw=reading.raw,
            name=name,
            partner_id=partner.id,
            values={**values, "name": name, "phone": reading.e164 or ""},
            reason=None if reading.sendable else reading.code,
        )

    # --- who is left out ------------------------------------------------------------

    def _mark_blacklisted(self, page):
        """Leave out those who asked for no more advertising."""
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


class _ContactReader:
    """Reads the fields of contacts that a text names."""

    def __init__(self, env, keys):
        self.env = env
        self.wanted = {}
        for entry in reversed(contact_names(env)):
            for key in (fold(entry["label"]), fold(entry["name"])):
                if key in keys:
                    self.wanted[key] = entry["field"]
        self.selections = {}

    def read_values(self, ids):
        """Return contact id -> values, without contacts that the user may not read."""
        if not ids:
            return {}
        self.wanted.setdefault("name", "name")
        contacts = self.env["res.partner"].with_context(active_test=False)
        found = contacts.search([("id", "in", list(ids))], order="id")
        return {partner.id: values for partner, values in self.iterate(found)}

    def iterate(self, contacts):
        """Yield pairs of contact and values, in order."""
        contacts.fetch({"name", "phone", *self.wanted.values()})
        for partner in contacts:
            yield (
                partner,
                {key: self._show(partner, name) for key, name in self.wanted.items()},
            )
        contacts.invalidate_recordset()

    def _show(self, partner, name):
        """Return the value of a field as a person reads it."""
        value, kind = partner[name], partner._fields[name].type
        if not value:
            return ""
        if kind == "many2one":
            return value.display_name
        if kind == "date":
            return format_date(self.env, value)
        if kind == "selection":
            if name not in self.selections:
                options = partner._fields[name]._description_selection(self.env)
                self.selections[name] = dict(options)
            return self.selections[name].get(value, "")
        return str(value)
