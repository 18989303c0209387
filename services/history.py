"""The history of a number: all that the addon knows of it, found by one search."""

from odoo.fields import Domain

from ..tools import phone

# Records shown of each kind, the newest first.
SHOWN = 80
# Contacts and list lines that a name is searched in.
NAMESAKES = 200
SHORTEST_NAME, SHORTEST_PART = 2, 4


class History:
    """The records behind a number or a name. All are found with the rights of the user,
    and ``None`` where they have none.

    :param env: of the person who asks
    :param str text: a number however it is written, a part of one, or a name
    :param partner: ``res.partner``, maybe empty, that the user may read
    :ivar set numbers: in E.164
    """

    def __init__(self, env, text, partner):
        self.env = env
        self.text = " ".join((text or "").split())
        self.partners = partner
        self.name = self.part = None
        account = env["sms.devino.account"]._get_default()
        self.country = account.country_id.code or "RU"
        self.numbers = set(self._numbers_of(partner))
        if any(map(str.isalpha, self.text)):
            self._read_name()
        elif self.text:
            self._read_number()

    @property
    def is_empty(self):
        """Whether there is nothing to look for."""
        return not (self.numbers or self.partners or self.name or self.part)

    def _read_number(self):
        reading = phone.read(self.text, self.country)
        digits = "".join(char for char in self.text if char.isdigit())
        if reading.e164:
            self.numbers |= {reading.e164, *reading.others}
        elif len(digits) >= SHORTEST_PART:
            self.part = digits

    def _read_name(self):
        if len(self.text) < SHORTEST_NAME:
            return
        self.name = self.text
        contacts = self.env["res.partner"]
        self.partners |= contacts.search(
            [("name", "ilike", self.name)], limit=NAMESAKES
        )
        self.numbers.update(self._numbers_of(self.partners))
        lines = self.env["sms.devino.recipient"]
        if lines.has_access("read"):
            found = lines.search(
                [("name", "ilike", self.name), ("number", "!=", False)], limit=NAMESAKES
            )
            self.numbers.update(found.mapped("number"))

    def _numbers_of(self, partners):
        for partner in partners:
            for raw in (partner.phone, partner.phone_sanitized):
                if number := phone.read(raw or "", self.country).e164:
                    yield number

    # --- what is found --------------------------------------------------------------

    def find_all(self):
        """Return what is found by field of ``sms.devino.history``."""
        about, numbers = self._domain(), self._domain(name=None)
        lines = about
        if self.text and not self.name:
            # those that cannot be sent to as well
            lines |= Domain("number_raw", "ilike", self.text)
        return {
            "message_ids": self._find(
                "sms.devino.message",
                about & Domain("state", "not in", ("draft", "left_out")),
            ),
            "left_out_ids": self._find(
                "sms.devino.message", about & Domain("state", "=", "left_out")
            ),
            "incoming_ids": self._find("sms.devino.incoming", numbers),
            "recipient_ids": self._find("sms.devino.recipient", lines),
            "blacklist_ids": self._find(
                "phone.blacklist", self._domain(name=None, partner=None)
            ),
            "consent_ids": self._find("sms.devino.consent", numbers),
        }

    def is_blacklisted(self):
        """Whether one of the numbers is on the blacklist; everybody may know."""
        return bool(self.env["phone.blacklist"]._sms_devino_blacklisted(self.numbers))

    def _domain(self, *, name="name", partner="partner_id"):
        """Return the domain of what is about the number, by fields of a model."""
        found = Domain("number", "in", list(self.numbers))
        if self.part:
            found |= Domain("number", "ilike", self.part)
        if self.text and name and not self.name:
            found |= Domain("number_raw", "=", self.text)
        if self.name and name:
            found |= Domain(name, "ilike", self.name)
        if self.partners and partner:
            found |= Domain(partner, "in", self.partners.ids)
        return found

    def _find(self, model, domain):
        records = self.env[model]
        if self.is_empty or not records.has_access("read"):
            return None
        return records.search(domain, order="id desc", limit=SHOWN)
