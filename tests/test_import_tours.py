import base64
from pathlib import Path

from odoo.tests import HttpCase, new_test_user, tagged

SAMPLES = Path(__file__).parent.parent / "demo"
LISTS = "/odoo/action-sms_devino.sms_devino_recipient_list_action"


@tagged("post_install", "-at_install", "sms_devino")
class TestImportTours(HttpCase):
    """Recipient lists as a manager fills them, in a real browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.company.country_id = cls.env.ref("base.ru")
        cls.env["res.lang"]._activate_lang("en_US")
        cls.manager = new_test_user(
            cls.env,
            "list_manager",
            "base.group_user,base.group_partner_manager,base.group_allow_export,"
            "sms_devino.group_manager",
            lang="en_US",
        )

    def provide(self, content):
        """Put the file where the tour takes it from, as if from a person's disk."""
        self.env["ir.model.data"].search(
            [("module", "=", "sms_devino"), ("name", "=", "tour_file")]
        ).unlink()
        attachment = self.env["ir.attachment"].create(
            {"name": "tour_file", "raw": content, "public": True}
        )
        self.env["ir.model.data"].create(
            {
                "module": "sms_devino",
                "name": "tour_file",
                "model": "ir.attachment",
                "res_id": attachment.id,
            }
        )

    def newest_list(self):
        lists = self.env["sms.devino.recipient.list"]
        return lists.search([], order="id desc", limit=1)

    def content(self, recipient_list):
        """Return what a list holds, in order."""
        lines = recipient_list.recipient_ids.sorted("id")
        return recipient_list.columns, [
            (line.number, line.name, line.data) for line in lines
        ]

    def _import_and_come_back(self, file_format):
        self.provide((SAMPLES / f"recipients.{file_format}").read_bytes())
        self.start_tour(LISTS, f"sms_devino_import_{file_format}", login="list_manager")
        imported = self.newest_list()
        self.assertEqual(imported.sendable_count, 10)
        self.assertEqual(imported.columns, ["Город", "Дата покупки", "Долг, руб."])
        mapping = self.env["sms.devino.import.mapping"].search([("name", "=", "Shop")])
        self.assertEqual(len(mapping), 1)
        self.start_tour(
            f"/odoo/sms.devino.recipient.list/{imported.id}",
            f"sms_devino_export_{file_format}",
            login="list_manager",
        )
        export = self.env["sms.devino.export"].search([], order="id desc", limit=1)
        self.assertEqual(export.name, f"Customers.{file_format}")
        self.provide(base64.b64decode(export.content))
        self.start_tour(
            LISTS, f"sms_devino_import_again_{file_format}", login="list_manager"
        )
        again = self.newest_list()
        self.assertEqual(again.name, "again")
        self.assertEqual(self.content(again), self.content(imported))

    def test_xlsx_with_bad_rows_and_back(self):
        self._import_and_come_back("xlsx")

    def test_xls_with_bad_rows_and_back(self):
        self._import_and_come_back("xls")

    def test_an_export_is_downloaded_by_its_maker_alone(self):
        record = self.newest_list().create({"name": "List"})
        record._add_rows([{"number_raw": "79214563763"}])
        action = record.with_user(self.manager).action_export_xlsx()
        self.authenticate("list_manager", "list_manager")
        response = self.url_open(action["url"])
        self.assertEqual(response.status_code, 200)
        self.assertIn("List.xlsx", response.headers["Content-Disposition"])
        self.assertEqual(response.content[:2], b"PK")
        new_test_user(
            self.env, "list_other", "base.group_user,sms_devino.group_manager"
        )
        self.authenticate("list_other", "list_other")
        self.assertIn(self.url_open(action["url"]).status_code, (403, 404))

    def test_by_hand(self):
        self.start_tour(LISTS, "sms_devino_recipients_by_hand", login="list_manager")
        lines = self.newest_list().recipient_ids.sorted("id")
        self.assertEqual(lines.mapped("reading"), ["corrected", "ok", "special", "ok"])

    def test_csv(self):
        text = "Имя;Телефон\r\nАнна;79214563763\r\nБорис;8 921 456-37-64\r\n"
        self.provide(text.encode("cp1251"))
        self.start_tour(LISTS, "sms_devino_import_csv", login="list_manager")
        lines = self.newest_list().recipient_ids.sorted("id")
        self.assertEqual(lines.mapped("name"), ["Анна", "Борис"])

    def test_filter_without_a_condition_means_nobody(self):
        self.env["res.partner"].create({"name": "Anna", "phone": "+79214563763"})
        self.start_tour(LISTS, "sms_devino_recipients_filter", login="list_manager")
        self.assertFalse(self.newest_list().recipient_ids)
