import base64
import io
import random
from pathlib import Path

import openpyxl

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from ..services.audience import Audience, placeholder_names
from ..services.draft_text import Texts
from ..tools.sheet import Column, open_book, write_xlsx
from .test_recipients import RecipientCase

ADDON = Path(__file__).parent.parent
PHONE, NAME, CITY = Column("Phone"), Column("Name"), Column("City")


class ImportCase(RecipientCase):
    """Spreadsheets through the import dialog, button by button."""

    def start(self, content, filename="file.xlsx", **values):
        """Upload a file and press Next; wrong rows are not kept unless asked for."""
        values.setdefault("keep_wrong", False)
        wizard = self.env["sms.devino.recipient.add"].create(
            {
                "list_id": self.recipient_list.id,
                "source": "file",
                "file": base64.b64encode(content),
                "filename": filename,
                **values,
            }
        )
        wizard.action_open_file()
        return wizard

    def import_file(self, content, filename="file.xlsx", **values):
        """Import a file as proposed into a new list; return the list."""
        created = self.create_list("New")
        wizard = self.start(content, filename, list_id=created.id, **values)
        wizard.action_preview()
        wizard.action_apply()
        return created

    def counts(self, wizard):
        return wizard.preview["counts"]

    def problems(self, wizard):
        return [
            (problem["row"], problem["kind"]) for problem in wizard.preview["problems"]
        ]

    def downloaded(self, action):
        """Return the bytes of the spreadsheet that an action downloads."""
        export_id = int(action["url"].split("/")[4])
        export = self.env["sms.devino.export"].browse(export_id)
        return base64.b64decode(export.content)

    def exported(self, recipient_list, file_format):
        action = getattr(recipient_list, f"action_export_{file_format}")()
        return self.downloaded(action)

    @staticmethod
    def table(content):
        book = open_book(content)
        return [row.values for row in book.rows(book.sheets[0])]


@tagged("post_install", "-at_install", "sms_devino")
class TestImport(ImportCase):
    """What becomes of a file: found, shown, written."""

    def test_the_sample_files(self):
        for name in ("recipients.xlsx", "recipients.xls"):
            with self.subTest(name):
                content = (ADDON / "demo" / name).read_bytes()
                created = self.create_list(name)
                wizard = self.start(content, name, list_id=created.id)
                self.assertEqual(len(wizard.sheets), 2)
                self.assertEqual(wizard.header_row, 3)
                self.assertEqual(
                    [(column.role, column.title) for column in wizard.column_ids],
                    [
                        ("extra", "№"),
                        ("name", "ФИО"),
                        ("phone", "Мобильный телефон"),
                        ("extra", "Город"),
                        ("extra", "Дата покупки"),
                        ("extra", "Долг, руб."),
                    ],
                )
                self.assertEqual(wizard.column_ids[2].sample_1, "79000000001")
                wizard.action_preview()
                self.assertEqual(
                    self.counts(wizard), {"new": 10, "duplicate": 1, "wrong": 5}
                )
                self.assertEqual(wizard.preview["notes"], 1)
                self.assertEqual(
                    self.problems(wizard),
                    [
                        (13, "error"),
                        (14, "error"),
                        (15, "error"),
                        (17, "error"),
                        (20, "error"),
                        (12, "note"),
                        (16, "twice"),
                    ],
                )
                reasons = [row["reason"] for row in wizard.preview["problems"]]
                self.assertIn("+79000000010", reasons[5])
                self.assertIn("row 4 already", reasons[6])
                self.assertIn("is a landline", wizard.preview_html)
                wizard.action_apply()
                self.assertEqual(created.sendable_count, 10)
                self.assertEqual(
                    created.columns, ["№", "Город", "Дата покупки", "Долг, руб."]
                )
                first = created.recipient_ids.sorted("id")[1]
                self.assertEqual(first.number, "+79000000002")
                self.assertEqual(first.number_raw, "8 (900) 000-00-02")
                self.assertEqual(first.data["Дата покупки"], "10/02/2026")
                self.assertIn(first.data["Долг, руб."], ("1250.50", "1250,50"))

    def test_text_may_use_the_titles_of_mapped_columns(self):
        titles = [Column("Телефон"), Column("Имя"), Column("Город")]
        created = self.import_file(
            write_xlsx(titles, [["79214563763", "Анна", "Омск"]])
        )
        self.assertEqual(created.title_roles, {"Телефон": "phone", "Имя": "name"})
        self.assertEqual(created.columns, ["Город"])
        batch = self.env["sms.devino.batch"].new({"list_ids": created.ids})
        names = [entry["name"] for entry in placeholder_names(batch)]
        self.assertEqual(names[0], "Город")
        self.assertEqual(set(names[1:3]), {"Телефон", "Имя"})
        batch.body = "{{ имя }} {{ Город }}"
        texts = Texts(batch)
        [(page, _end)] = Audience(batch, texts.keys)._read_list(created.id, 0)
        self.assertEqual(texts.of(page[0]).render(page[0].values), "Анна Омск")

    def test_nothing_is_written_before_import_is_pressed(self):
        wizard = self.start(write_xlsx([PHONE], [["79214563763"]]))
        with self.assertRaises(UserError):
            wizard.action_apply()
        wizard.action_preview()
        self.assertFalse(self.recipient_list.recipient_ids)

    def test_the_preview_tells_what_happens(self):
        self.recipient_list._add_rows(
            [
                {"number_raw": "79214563701", "name": "Anna"},
                {"number_raw": "79214563702", "name": "Boris"},
            ]
        )
        content = write_xlsx(
            [PHONE, NAME],
            [
                ["79214563701", "Anna"],
                ["79214563702", "Bob"],
                ["79214563703", "Vera"],
                ["8 921 456-37-03", "Vera again"],
                ["84951234567", "Office"],
            ],
        )
        expected = {"new": 1, "updated": 1, "unchanged": 1, "duplicate": 1, "wrong": 1}
        wizard = self.start(content)
        wizard.action_preview()
        self.assertEqual(self.counts(wizard), expected)
        wizard.action_apply()
        self.assertEqual(
            self.content(),
            [
                ("+79214563701", "Anna", {}),
                ("+79214563702", "Bob", {}),
                ("+79214563703", "Vera", {}),
            ],
        )
        wizard = self.start(content, update_existing=False)
        wizard.action_preview()
        self.assertEqual(self.counts(wizard), {"duplicate": 4, "wrong": 1})

    def test_wrong_rows_can_be_kept(self):
        content = write_xlsx([PHONE], [["79214563763"], ["84951234567"]])
        created = self.import_file(content, keep_wrong=True)
        self.assertEqual(created.recipient_count, 2)
        self.assertEqual(created.wrong_count, 1)

    def test_rows_to_correct_come_back_as_a_file(self):
        content = write_xlsx(
            [PHONE, NAME, CITY],
            [
                ["79214563763", "Anna", "Тверь"],
                ["8495123456", "Boris", "=1+1"],
                ["x", "Vera", ""],
            ],
        )
        wizard = self.start(content)
        wizard.action_preview()
        table = self.table(self.downloaded(wizard.action_download_problems()))
        self.assertEqual(table[0][:3], ["Phone", "Recipient name", "City"])
        self.assertEqual([row[3] for row in table[1:]], ["3", "4"])
        self.assertEqual(table[1][2], "=1+1")
        self.assertTrue(all(row[4] for row in table[1:]), "the reason is told")
        wizard.action_apply()
        table[1][0], table[2][0] = "79214563764", "8 921 456-37-65"
        columns = [Column(title) for title in table[0]]
        corrected = self.start(write_xlsx(columns, table[1:]))
        roles = [column.role for column in corrected.column_ids]
        self.assertEqual(roles, ["phone", "name", "extra", "skip", "skip"])
        corrected.action_preview()
        corrected.action_apply()
        self.assertEqual(
            self.content(),
            [
                ("+79214563763", "Anna", {"City": "Тверь"}),
                ("+79214563764", "Boris", {"City": "=1+1"}),
                ("+79214563765", "Vera", {}),
            ],
        )
        self.assertEqual(self.recipient_list.columns, ["City"])

    def test_a_csv_in_windows_1251(self):
        text = "Имя;Телефон\r\nАнна;79214563763\r\nБорис;8 921 456-37-64\r\n"
        wizard = self.start(text.encode("cp1251"), "clients.csv")
        self.assertIn("cp1251", wizard.file_note)
        wizard.action_preview()
        wizard.action_apply()
        self.assertEqual(
            self.content(),
            [("+79214563763", "Анна", {}), ("+79214563764", "Борис", {})],
        )

    def test_the_encoding_can_be_changed(self):
        content = "Имя;Телефон\nАнна;79214563763\n".encode("koi8-r")
        wizard = self.start(content, "clients.csv", encoding=False)
        with Form(wizard) as form:
            form.encoding = "cp866"
            self.assertNotEqual(form.column_ids.edit(0).title, "Имя")
            form.encoding = "koi8-r"
            self.assertEqual(form.column_ids.edit(0).title, "Имя")
            self.assertIn("koi8-r", form.file_note)
        wizard.action_preview()
        wizard.action_apply()
        self.assertEqual(self.content(), [("+79214563763", "Анна", {})])

    def test_hidden_rows_are_left_out_unless_wanted(self):
        workbook = openpyxl.Workbook()
        for row in (["Phone"], ["79214563763"], ["79214563764"], ["79214563765"]):
            workbook.active.append(row)
        workbook.active.row_dimensions[3].hidden = True
        target = io.BytesIO()
        workbook.save(target)
        wizard = self.start(target.getvalue())
        wizard.action_preview()
        self.assertEqual((wizard.hidden_count, self.counts(wizard)), (1, {"new": 2}))
        with Form(wizard) as form:
            form.with_hidden = True
            self.assertEqual(form.preview["counts"], {"new": 3})
        wizard.action_apply()
        self.assertEqual(self.recipient_list.sendable_count, 3)

    def test_titles_and_sheet_can_be_changed(self):
        wizard = self.start((ADDON / "demo" / "recipients.xlsx").read_bytes())
        with Form(wizard) as form:
            form.header_row = 0
            self.assertEqual(form.column_ids.edit(2).title or "", "")
            form.header_row = 3
            with form.column_ids.edit(0) as line:
                line.role = "skip"
            with form.column_ids.edit(3) as line:
                line.name = "Town"
        wizard.action_preview()
        wizard.action_apply()
        self.assertEqual(
            self.recipient_list.columns, ["Town", "Дата покупки", "Долг, руб."]
        )

    def test_several_columns_may_make_the_name(self):
        columns = [Column("Фамилия"), Column("Имя"), Column("Телефон")]
        wizard = self.start(write_xlsx(columns, [["Иванов", "Пётр", "79214563763"]]))
        wizard.column_ids[:2].role = "name"
        wizard.action_preview()
        wizard.action_apply()
        self.assertEqual(self.recipient_list.recipient_ids.name, "Иванов Пётр")

    def test_a_mapping_that_makes_no_sense_is_refused(self):
        wizard = self.start(
            write_xlsx([PHONE, NAME, CITY], [["79214563763", "Anna", "Тверь"]])
        )
        for roles, names in (
            (("skip", "name", "extra"), ("", "", "City")),
            (("phone", "phone", "extra"), ("", "", "City")),
            (("phone", "phone_2", "phone_2"), ("", "", "City")),
            (("phone", "extra", "extra"), ("", "City", "city")),
            (("phone", "extra", "extra"), ("", "", "City")),
        ):
            for column, role, name in zip(wizard.column_ids, roles, names, strict=True):
                column.write({"role": role, "name": name})
            with self.subTest(roles=roles), self.assertRaises(UserError):
                wizard.action_preview()

    def test_a_saved_mapping_is_proposed_for_the_same_titles(self):
        content = write_xlsx([PHONE, NAME, CITY], [["79214563763", "Anna", "Тверь"]])
        wizard = self.start(content, save_as="Shop")
        wizard.column_ids[1].role = "skip"
        wizard.column_ids[2].name = "Town"
        wizard.action_preview()
        wizard.action_apply()
        mapping = self.env["sms.devino.import.mapping"].search([("name", "=", "Shop")])
        self.assertEqual(mapping.columns_text, "Phone, Town")
        again = self.start(content)
        self.assertEqual(again.mapping_id, mapping)
        self.assertEqual(
            [column.role for column in again.column_ids], ["phone", "skip", "extra"]
        )
        self.assertEqual(again.column_ids[2].name, "Town")
        other = self.start(write_xlsx([NAME, PHONE], [["Anna", "79214563763"]]))
        self.assertFalse(other.mapping_id)

    def test_cells_with_errors_are_told(self):
        content = "Phone;Name;City\n79214563763;Anna;#N/A\n#REF!;Boris;Тверь\n"
        wizard = self.start(content.encode(), "file.csv")
        wizard.action_preview()
        self.assertEqual(self.counts(wizard), {"new": 1, "wrong": 1})

    def test_a_long_file_takes_few_statements(self):
        lines = [f"+79{index:09d};Имя" for index in range(210000000, 210020000)]
        content = "\n".join(["Телефон;Имя", *lines]).encode()
        wizard = self.start(content, "long.csv")
        wizard.action_preview()
        self.assertEqual(self.counts(wizard), {"new": 20_000})
        before = self.env.cr.sql_log_count
        self.recipient_list._add_rows(
            [
                dict(zip(("number_raw", "name"), line.split(";"), strict=True))
                for line in lines
            ]
        )
        self.assertLess(self.env.cr.sql_log_count - before, 60)
        numbers = self.recipient_list.recipient_ids.sorted("id").mapped("number")
        expected = [line.split(";")[0] for line in lines]
        self.assertEqual(numbers, expected, "the order is kept")

    def test_only_so_many_problems_are_shown(self):
        content = "\n".join(["Телефон", *map(str, range(500, 800))]).encode()
        wizard = self.start(content, "wrong.csv")
        wizard.column_ids.role = "phone"
        wizard.action_preview()
        self.assertEqual(len(wizard.preview["problems"]), 200)
        self.assertIn("Only the first", wizard.preview_html)
        table = self.table(self.downloaded(wizard.action_download_problems()))
        self.assertEqual(len(table), 301)

    def test_a_file_that_breaks_while_being_read_says_so(self):
        lines = [f"+79{index:09d};Имя" for index in range(210000000, 210001000)]
        content = "\n".join(["Телефон;Имя", *lines, '+79219999999;"Анна']).encode()
        wizard = self.start(content + b"\nx;y\n", "broken.csv")
        with self.assertRaisesRegex(UserError, "quotation"):
            wizard.action_preview()
        self.assertEqual(wizard.state, "columns")

    def test_a_second_phone_column_fills_the_gaps(self):
        columns = [PHONE, Column("Мобильный"), NAME]
        content = write_xlsx(
            columns,
            [
                ["", "79214563763", "Anna"],
                ["79214563764", "79214563765", "Boris"],
            ],
        )
        wizard = self.start(content)
        for column, role in zip(
            wizard.column_ids, ("phone", "phone_2", "name"), strict=True
        ):
            column.role = role
        wizard.action_preview()
        wizard.action_apply()
        self.assertEqual(
            self.content(),
            [("+79214563763", "Anna", {}), ("+79214563764", "Boris", {})],
        )

    def test_files_that_are_none_are_refused_with_a_sentence(self):
        fixtures = ADDON / "tests" / "fixtures" / "sheet"
        for content, words in (
            (b"", "choose"),
            (b"%PDF-1.7\n", "PDF"),
            (b'[{"phone": "79214563763"}]', "JSON"),
            (b"BEGIN:VCARD\r\nTEL:79214563763\r\nEND:VCARD\r\n", "vCard"),
            ((ADDON / "static/description/icon.png").read_bytes(), "picture"),
            ((fixtures / "password.xlsx").read_bytes(), "password"),
            ((fixtures / "password.xls").read_bytes(), "password"),
            ((fixtures / "libreoffice.ods").read_bytes(), "OpenDocument"),
            ((fixtures / "libreoffice_html.xls").read_bytes(), "web page"),
        ):
            with self.subTest(words), self.assertRaisesRegex(UserError, words):
                self.start(content)


@tagged("post_install", "-at_install", "sms_devino")
class TestExport(ImportCase):
    """What is saved as a file comes back unchanged."""

    def assertComesBack(self, recipient_list):
        for file_format in ("xlsx", "xls"):
            with self.subTest(file_format):
                content = self.exported(recipient_list, file_format)
                again = self.import_file(
                    content, f"list.{file_format}", keep_wrong=True
                )
                self.assertEqual(self.content(again), self.content(recipient_list))
                self.assertEqual(again.columns, recipient_list.columns)
                readings = again.recipient_ids.sorted("id").mapped("reading")
                expected = recipient_list.recipient_ids.sorted("id").mapped("reading")
                same = [v.replace("corrected", "ok") for v in expected]
                self.assertEqual(readings, same)

    def test_odd_texts_come_back(self):
        texts = (
            "=1+1",
            "+7 (no formula)",
            "-1",
            "@SUM(A1)",
            "0012",
            "1e5",
            "12,50",
            '"quoted"',
            "two\nlines",
            "tab\there",
            "<b>&amp;</b>",
            "_x0041_",
            "☎ 😀 ё",
            "31.12.2026",
            "TRUE",
            "#N/A",
        )
        self.recipient_list._add_rows(
            [
                {
                    "number_raw": f"792145637{index:02d}",
                    "name": text,
                    "data": {"Телефон": text, "Recipient name": texts[-index]},
                }
                for index, text in enumerate(texts)
            ]
        )
        self.assertComesBack(self.recipient_list)

    def test_lines_that_cannot_be_sent_to_come_back(self):
        self.recipient_list._add_rows(
            [
                {"number_raw": raw, "name": raw}
                for raw in ("84951234567", "x", "8 921 456-37-63", "7.92E+10", "112")
            ],
            keep_wrong=True,
        )
        self.assertComesBack(self.recipient_list)

    def test_an_empty_column_keeps_its_place(self):
        self.recipient_list._add_rows([{"number_raw": "79214563763"}])
        self.recipient_list.columns = ["City", "Age"]
        self.assertComesBack(self.recipient_list)

    def test_random_lists_come_back(self):
        rng = random.Random(20261123)
        alphabet = "abЯё \t\n'\"=+-@;,0189%_<&>😀\u00a0"
        for round_number in range(12):
            record = self.create_list(f"Random {round_number}")
            columns = [f"c{index}" for index in range(rng.randrange(4))]
            record._add_rows(
                [
                    {
                        "number_raw": f"+7921{rng.randrange(10**7):07d}",
                        "name": self._random_text(rng, alphabet),
                        "data": {
                            key: self._random_text(rng, alphabet) for key in columns
                        },
                    }
                    for _row in range(rng.randrange(1, 30))
                ]
            )
            self.assertComesBack(record)

    @staticmethod
    def _random_text(rng, alphabet):
        return "".join(rng.choice(alphabet) for _char in range(rng.randrange(12)))

    def test_the_journal_is_saved_with_statuses_in_words(self):
        account = self.env["sms.devino.account"].create(
            {"name": "Test", "country_id": self.russia.id}
        )
        messages = self.env["sms.devino.message"]
        for number in ("79214563763", "79214563764"):
            messages |= messages.enqueue(
                number, "=Привет", account=account, sender="MyCompany"
            )
        self.env["sms.devino.segment"]._insert({messages[0].id: ["id-1", "id-2"]})
        action = self.env["sms.devino.export"]._download_messages(messages, "SMS")
        header, first, second = self.table(self.downloaded(action))
        row = dict(zip(header, first, strict=False))
        self.assertEqual(row["Number"], "+79214563763")
        self.assertEqual(row["Text"], "=Привет")
        self.assertEqual(row["State"], "In the queue")
        self.assertEqual(row["SMS ID"], "id-1, id-2")
        self.assertEqual(row["Segments"], "1")
        self.assertEqual(second[0], "+79214563764")

    def test_a_selection_of_the_journal_is_exported_by_odoo(self):
        """The ready columns are fields that Odoo's own export finds."""
        export = self.env.ref("sms_devino.ir_exports_message")
        messages = self.env[export.resource]
        names = export.export_fields.mapped("name")
        self.assertIn("number", names)
        self.assertLessEqual(set(names), set(messages._fields))
        self.assertFalse(messages.export_data(names)["datas"])

    def test_an_export_is_its_makers(self):
        self.recipient_list._add_rows([{"number_raw": "79214563763"}])
        self.recipient_list.action_export_xlsx()
        export = self.env["sms.devino.export"].search([], order="id desc", limit=1)
        user = self.env.ref("base.user_admin")
        self.assertTrue(export)
        self.assertFalse(export.with_user(user).search([("id", "=", export.id)]))
