from datetime import date

from odoo.tests import TransactionCase, tagged
from odoo.tools import format_date

from ..services.audience import _ContactReader


@tagged("post_install", "-at_install", "sms_devino")
class TestContactValues(TransactionCase):
    """What a text takes from a contact is written as in the contact's language."""

    def test_amounts_numbers_and_dates(self):
        self.env["res.lang"]._activate_lang("ru_RU")
        partners = self.env["res.partner"].create(
            [
                {"name": lang, "lang": lang, "partner_latitude": 1234.5, "color": 5000}
                for lang in ("en_US", "ru_RU")
            ]
        )
        day = date(2026, 12, 31)
        for partner in partners:
            partner.activity_schedule("mail.mail_activity_data_todo", day)
        names = [
            {"name": name, "label": name, "field": name, "others": []}
            for name in ("partner_latitude", "color", "activity_date_deadline")
        ]
        reader = _ContactReader(self.env, names, {entry["name"] for entry in names})
        english, russian = (values for _partner, values in reader.iterate(partners))
        self.assertEqual(english["partner_latitude"], "1,234.5000000")
        self.assertEqual(russian["partner_latitude"], "1 234,5000000")
        self.assertEqual((english["color"], russian["color"]), ("5,000", "5 000"))
        for lang, values in (("en_US", english), ("ru_RU", russian)):
            shown = format_date(self.env, day, lang_code=lang)
            self.assertEqual(values["activity_date_deadline"], shown)
        self.assertEqual(russian["activity_date_deadline"], "31.12.2026")
