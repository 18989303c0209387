"""The contacts and numbers of records of any model, by Odoo's own methods."""

from dataclasses import dataclass

from ..tools import phone

# Fields of a document with a further contact, asked when the first one has no number.
FURTHER_CONTACTS = ("partner_invoice_id", "partner_shipping_id")
FURTHER_TYPES = ("invoice", "delivery")


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who gets the message about a record.

    :ivar number: E.164, empty where no number can be sent to
    :ivar raw: the number as it is written
    :ivar reason: why there is no number, a key of ``LEFT_OUT_REASONS``
    """

    number: str = ""
    raw: str = ""
    reason: str | None = "empty"
    partner_id: int | None = None
    name: str = ""
    lang: str | None = None

    @property
    def key(self):
        """Who it is, for messages that several records share."""
        return self.partner_id or self.number


def takes_messages(model):
    """Whether the records of a model have a number or lead to a contact."""
    return bool(model._phone_get_number_fields() or model._mail_get_partner_fields())


def address_fields(model):
    """Return the fields that a person may choose as the way to the number: contacts,
    users and numbers.

    :return: dict of name -> description, as the user may read them
    """
    described = model.fields_get(attributes=("string", "type", "relation"))
    numbers = [name for name in model._fields if "phone" in name or "mobile" in name]
    numbers += model._phone_get_number_fields()
    return {
        name: said
        for name, said in described.items()
        if said.get("relation") in ("res.partner", "res.users")
        or (said["type"] == "char" and name in numbers)
    }


def _list_unexpected(event):
    """Return the contacts of a meeting who get no SMS about it, as in Odoo's own
    reminders: who invites, and who has declined."""
    declined = event.attendee_ids.filtered(lambda one: one.state == "declined")
    return event.partner_id | declined.partner_id


class Addressing:
    """Finds the addressees of records, with the rights of the user.

    :param model: an empty recordset, in the environment of the user
    :param str country: code of the country of numbers without a plus
    :param str field: the field with the number, contact or user; empty: Odoo's own
        methods say
    """

    def __init__(self, model, country, field=None):
        self.env = model.env
        self._country = country
        self._field = field
        self._is_relation = bool(field) and model._fields[field].relational
        self._numbers = [] if field else model._phone_get_number_fields()
        self._further = [name for name in FURTHER_CONTACTS if name in model._fields]
        if field and not self._is_relation:
            self._numbers = [field]
        self._others = model.env["res.partner"]

    def find(self, records):
        """Return record id -> list of :class:`Addressee`, never empty.

        There are several where the contacts are several. Queries do not grow with the
        number of records.
        """
        partners = self._get_partners(records)
        everybody = {key for ids in partners.values() for key in ids}
        contacts = self._fetch_readable(self.env["res.partner"].browse(everybody))
        self._others = self._fetch_others(
            records, contacts.filtered(lambda partner: not partner.phone)
        )
        known = set(contacts.ids)
        return {
            record.id: self._address(
                record,
                contacts.browse([key for key in partners[record.id] if key in known]),
            )
            for record in records
        }

    def _fetch_readable(self, partners):
        readable = partners.with_context(active_test=False)._filtered_access("read")
        readable.fetch(["name", "phone", "lang", "type", "parent_id"])
        return readable

    def _fetch_others(self, records, lacking):
        """Return the contacts to ask where the first ones have no number."""
        if not lacking:
            return lacking
        others = lacking.parent_id
        others |= lacking.child_ids.filtered(lambda p: p.type in FURTHER_TYPES)
        for name in self._further:
            others |= records[name]
        return self._fetch_readable(others)

    def _get_partners(self, records):
        """Return record id -> ids of its contacts."""
        if self._is_relation:
            users = records[self._field]._name == "res.users"
            # of a user only the contact is read
            return {
                record.id: (
                    record[self._field].sudo().partner_id.ids
                    if users
                    else record[self._field].ids
                )
                for record in records
            }
        if records._name == "res.partner":
            return {record.id: record.ids for record in records}
        found = records._mail_get_partners()
        if records._name == "calendar.event":
            found = {
                event.id: found[event.id] - _list_unexpected(event) for event in records
            }
        return {key: partners.ids for key, partners in found.items()}

    def _address(self, record, partners):
        first = partners[:1]
        for name in self._numbers:
            if record[name] and (one := self._read(record[name], first)).number:
                return [one]
        addressees = [self._ask_contact(record, partner) for partner in partners]
        if not addressees:
            written = next((record[n] for n in self._numbers if record[n]), "")
            return [self._read(written, first)]
        # contacts without a number do not count beside others
        return [one for one in addressees if one.number] or addressees[:1]

    def _ask_contact(self, record, partner):
        own = self._read(partner.phone, partner)
        if own.number:
            return own
        for other in self._list_others(record, partner):
            found = self._read(other.phone, partner)
            if found.number:
                return found
        return own

    def _list_others(self, record, partner):
        """The contacts for invoice and delivery, then the company."""
        others = self.env["res.partner"].union(
            *(record[name] for name in self._further),
            partner.child_ids.filtered(lambda p: p.type in FURTHER_TYPES),
            partner.parent_id,
        )
        return others & self._others

    def _read(self, raw, partner):
        reading = phone.read(raw or "", self._country)
        return Addressee(
            number=reading.e164 if reading.sendable else "",
            raw=reading.raw,
            reason=None if reading.sendable else reading.code,
            partner_id=partner.id or None,
            name=partner.name or "",
            lang=partner.lang or None,
        )
