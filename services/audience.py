"""Who gets a mass sending: recipient lists and contacts united by number."""

from dataclasses import dataclass, field

from odoo.fields import Domain
from odoo.tools import SQL, format_date

from ..tools import phone
from ..tools.phone import SENDABLE
from ..tools.placeholders import fold

# Contacts read at once.
SLICE = 5000
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
# Fields of these beginnings are the machinery's, not words for a customer.
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


@dataclass(slots=True)
class Candidate:
    """Somebody of the audience.

    :ivar number: E.164, or what was written where no number could be read
    :ivar values: folded name -> value, for the gaps of the text
    :ivar reason: why there will be no message, a key of ``LEFT_OUT_REASONS``
    :ivar body: a text that is fixed already
    """

    number: str
    name: str = ""
    partner_id: int | None = None
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


class Audience:
    """Reads the recipients of some lists and contacts.

    :param env: the user's environment: contacts are read with his or her rights
    :param lists: ``sms.devino.recipient.list`` that the user may read
    :param domain: which contacts, ``None`` for none
    :param partners: ``res.partner`` chosen one by one
    :param country: two-letter code, for numbers of contacts without a plus
    """

    def __init__(self, env, *, lists, domain, partners, country):
        self.env = env
        self.lists = lists
        self.domain = domain
        self.partners = partners
        self.country = country

    # not a model: no method of the ORM is overridden
    # pylint: disable-next=method-required-super
    def read(self, keys):
        """Return the candidates, in the order of the lists, then of the contacts.

        :param keys: the folded names of the values that the text needs
        :return: list of :class:`Candidate`
        """
        reader = _ContactReader(self.env, keys)
        candidates = self._read_lists(reader)
        candidates += self._read_contacts(reader)
        _mark_repeated(candidates)
        self._mark_blacklisted(candidates)
        return candidates

    def _read_lists(self, reader):
        self.lists.check_access("read")
        self.env["sms.devino.recipient"].flush_model()
        self.env.cr.execute(
            SQL(
                """SELECT number, number_raw, name, partner_id, data, verdict
                     FROM sms_devino_recipient
                    WHERE list_id = ANY(%s) ORDER BY list_id, id""",
                self.lists.ids,
            )
        )
        rows = self.env.cr.fetchall()
        of_contacts = reader.read_values({row[3] for row in rows if row[3]})
        return [_from_row(row, of_contacts.get(row[3])) for row in rows]

    def _read_contacts(self, reader):
        domains = [Domain("id", "in", self.partners.ids)]
        if self.domain is not None:
            domains.append(Domain(self.domain))
        contacts = self.env["res.partner"].search(Domain.OR(domains), order="id")
        candidates = []
        for partner, values in reader.iterate(contacts):
            reading = phone.read(partner.phone or "", self.country)
            candidates.append(
                Candidate(
                    number=reading.e164 or reading.raw,
                    name=partner.name or "",
                    partner_id=partner.id,
                    values={
                        **values,
                        "name": partner.name or "",
                        "phone": reading.e164 or "",
                    },
                    reason=None if reading.sendable else reading.code,
                )
            )
        return candidates

    def _mark_blacklisted(self, candidates):
        """Leave out who asked for no more advertising."""
        blocked = find_blacklisted(
            self.env, [one.number for one in candidates if not one.reason]
        )
        for one in candidates:
            if not one.reason and one.number in blocked:
                one.reason = "blacklisted"


def find_blacklisted(env, numbers):
    """Return the set of those E.164 ``numbers`` that are on the blacklist."""
    env["phone.blacklist"].flush_model(["number", "active"])
    env.cr.execute(
        SQL(
            "SELECT number FROM phone_blacklist WHERE active AND number = ANY(%s)",
            list(numbers),
        )
    )
    return {row[0] for row in env.cr.fetchall()}


def _from_row(row, of_contact):
    number, raw, name, partner_id, data, verdict = row
    values = dict(of_contact or {})
    values |= {fold(key): text for key, text in (data or {}).items() if text}
    if name:
        values["name"] = name
    values["phone"] = number or ""
    return Candidate(
        number=number or raw or "",
        name=name or values.get("name", ""),
        partner_id=partner_id,
        values=values,
        reason=None if verdict in SENDABLE else verdict,
    )


def _mark_repeated(candidates):
    """One message to a number: whoever comes first in the audience gets it."""
    seen = set()
    for one in candidates:
        if one.reason:
            continue
        if one.number in seen:
            one.reason = "duplicate"
        seen.add(one.number)


class _ContactReader:
    """Reads the fields of contacts that a text names, a slice at a time."""

    def __init__(self, env, keys):
        self.env = env
        self.wanted = {}
        for entry in reversed(contact_names(env)):
            for key in (fold(entry["label"]), fold(entry["name"])):
                if key in keys:
                    self.wanted[key] = entry["field"]
        self.selections = {}

    def read_values(self, ids):
        """Return contact id -> values; contacts that the user may not read are out."""
        if not ids:
            return {}
        self.wanted.setdefault("name", "name")
        contacts = self.env["res.partner"].with_context(active_test=False)
        found = contacts.search([("id", "in", list(ids))], order="id")
        return {partner.id: values for partner, values in self.iterate(found)}

    def iterate(self, contacts):
        """Yield pairs of contact and values, in order."""
        names = {"name", "phone", *self.wanted.values()}
        for start in range(0, len(contacts), SLICE):
            page = contacts.browse(contacts._ids[start : start + SLICE])
            page.fetch(names)
            for partner in page:
                yield (
                    partner,
                    {
                        key: self._show(partner, name)
                        for key, name in self.wanted.items()
                    },
                )
            page.invalidate_recordset()

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
