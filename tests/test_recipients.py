import base64
import json
import random
from ast import literal_eval

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..services.filling import COUNTS, Filling
from ..services.source import pasted_as_source, read_rows
from ..tools import phone
from ..tools.sheet import Column, write_xlsx
from .base_case import SmsCase


class RecipientCase(TransactionCase):
    """A recipient list of a Russian company."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.russia = cls.env.ref("base.ru")
        cls.env.company.country_id = cls.russia
        cls.recipient_list = cls.create_list("List")
        cls.recipients = cls.env["sms.devino.recipient"]

    @classmethod
    def create_list(cls, name, **values):
        return cls.env["sms.devino.recipient.list"].create(
            {"name": name, "country_id": cls.russia.id, **values}
        )

    def add(self, *numbers, **values):
        return self.recipients.create(
            [
                {"list_id": self.recipient_list.id, "number_raw": number, **values}
                for number in numbers
            ]
        )

    def content(self, recipient_list=None):
        """Return (number as shown, name, data) of each line, in order."""
        records = (recipient_list or self.recipient_list).recipient_ids.sorted("id")
        return [
            (record.number or record.number_raw, record.name or "", record.data or {})
            for record in records
        ]


@tagged("post_install", "-at_install", "sms_devino")
class TestRecipient(RecipientCase):
    """Lines that a person types."""

    def test_every_line_has_a_reading(self):
        for raw, reading, number in (
            ("79214563763", "ok", "+79214563763"),
            ("8 921 456-37-64", "corrected", "+79214563764"),
            ("8 495 123-45-67", "landline", "+74951234567"),
            ("+7 921 456-37-6", "too_short", False),
            ("7.92E+10", "lost_digits", False),
            ("no phone", "letters", False),
            ("112", "special", False),
        ):
            with self.subTest(raw):
                record = self.add(raw)
                self.assertEqual((record.reading, record.number), (reading, number))
                self.assertEqual(record.number_raw, raw)
                self.assertTrue(record.reading_text)

    def test_of_two_numbers_it_is_told_which_was_taken(self):
        record = self.add("+79214563763, +79214563764")
        self.assertEqual(record.number, "+79214563763")
        self.assertIn("+79214563764", record.reading_text)

    def test_a_second_line_with_the_number_is_refused(self):
        self.add("79214563763")
        other = self.add("79214563764")
        with self.assertRaisesRegex(UserError, r"\+79214563763 is in the list"):
            self.add("8 921 456 37 63")
        with self.assertRaisesRegex(UserError, "in the list already"):
            self.add("79214563765", "+79214563765")
        with self.assertRaisesRegex(UserError, "in the list already"):
            other.number_raw = "8 921 456 37 63"
        self.assertEqual(other.number, "+79214563764")

    @mute_logger("odoo.sql_db")
    def test_the_database_holds_a_number_once(self):
        lines = self.add("79214563763", "79214563764")
        self.env.flush_all()
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.env.cr.execute(
                "UPDATE sms_devino_recipient SET number = '+7' WHERE id IN %s",
                [lines._ids],
            )

    def test_the_same_number_may_be_in_another_list(self):
        self.add("79214563763")
        other = self.create_list("Other")
        record = self.recipients.create(
            {"list_id": other.id, "number_raw": "79214563763"}
        )
        self.assertEqual(record.reading, "ok")

    def test_writing_the_same_number_again_changes_nothing(self):
        record = self.add("79214563763")
        record.number_raw = "8 921 456-37-63"
        self.assertEqual(record.reading, "corrected")

    def test_the_blacklist_is_looked_at_live(self):
        first, second = self.add("79214563763", "79214563764")
        self.env["phone.blacklist"].sudo()._add(["+79214563763"])
        self.recipients.invalidate_model()
        self.assertEqual(first.shown_reading, "blacklisted")
        self.assertEqual(first.reading, "ok")
        domain = [("list_id", "=", self.recipient_list.id)]
        found = self.recipients.search([*domain, ("is_blacklisted", "=", True)])
        self.assertEqual(found, first)
        found = self.recipients.search([*domain, ("is_blacklisted", "=", False)])
        self.assertEqual(found, second)
        self.assertEqual(self.recipient_list.blacklisted_count, 1)
        self.assertEqual(self.recipient_list.sendable_count, 1)
        self.env["phone.blacklist"].sudo()._remove(["+79214563763"])
        self.recipients.invalidate_model()
        self.assertEqual(first.shown_reading, "ok")

    def _form(self):
        list_id = self.recipient_list.id
        return Form(self.recipients.with_context(default_list_id=list_id))

    def test_the_reading_shows_while_typing(self):
        form = self._form()
        for raw, reading in (
            ("8 921 456-37-64", "corrected"),
            ("84951234567", "landline"),
        ):
            form.number_raw = raw
            self.assertEqual(form.shown_reading, reading)
        self.assertEqual(form.save().reading, "landline")

    def test_a_contact_gives_number_and_name(self):
        partner = self.env["res.partner"].create(
            {"name": "Anna", "phone": "79214563763"}
        )
        form = self._form()
        form.partner_id = partner
        record = form.save()
        self.assertEqual(record.name, "Anna")
        self.assertEqual(record.number, "+79214563763")

    def test_the_counts_add_up(self):
        self.add("79214563763", "84951234567", "x", "89214563700")
        record = self.recipient_list
        self.assertEqual(record.recipient_count, 4)
        self.assertEqual(record.sendable_count, 2)
        self.assertEqual(record.corrected_count, 1)
        self.assertEqual(record.wrong_count, 2)

    def test_another_country_reads_the_numbers_again(self):
        records = self.add("0171 2345678", "+7 921 456-37-63", "79214563762")
        self.assertNotIn(records[0].reading, ("ok", "corrected"))
        self.recipient_list.country_id = self.env.ref("base.de")
        self.assertEqual(records[0].number, "+491712345678")
        self.assertEqual(records[1].number, "+79214563763")
        self.assertEqual(records[2].reading, "foreign_without_plus")
        self.add("79214563764", "+79214563764")
        with self.assertRaisesRegex(ValidationError, "1 lines would repeat"):
            self.recipient_list.country_id = self.russia

    def test_search_in_extra_data(self):
        first = self.add("79214563763", data={"City": "100%_Тверь"})
        self.add("79214563764", data={"City": "Москва"})
        for text in ("твер", "100%", "%_Т"):
            found = self.recipients.search(
                [("list_id", "=", self.recipient_list.id), ("data_text", "ilike", text)]
            )
            self.assertEqual(found, first, text)

    def test_a_list_is_copied_with_its_lines(self):
        self.recipient_list.columns = ["City"]
        self.add("79214563763", name="Anna", data={"City": "Москва"})
        copy = self.recipient_list.copy()
        self.assertEqual(self.content(copy), self.content())
        self.assertEqual(copy.columns, ["City"])
        self.assertNotEqual(copy.name, self.recipient_list.name)
        self.assertEqual(copy.recipient_ids.mapped("reading"), ["ok"])

    def test_a_long_list_is_copied_by_few_statements(self):
        numbers = [f"+79{index:09d}" for index in range(210000000, 210003000)]
        self.recipient_list._add_rows([{"number_raw": number} for number in numbers])
        self.env.flush_all()
        before = self.env.cr.sql_log_count
        copy = self.recipient_list.copy()
        self.assertLess(self.env.cr.sql_log_count - before, 20)
        self.assertEqual(copy.sendable_count, 3000)

    def test_columns_by_hand(self):
        record = self.recipient_list
        record.column_names = "City; Debt, RUB ;; city"
        self.assertEqual(record.columns, ["City", "Debt, RUB", "city 2"])
        self.add("79214563763", data={"City": "Москва"})
        record.column_names = "City"
        self.assertEqual(record.columns, ["City"])
        with self.assertRaisesRegex(ValidationError, "City"):
            record.column_names = "Debt"


@tagged("post_install", "-at_install", "sms_devino")
class TestAddRows(RecipientCase):
    """Lines written many at a time."""

    def rows(self, *numbers, **values):
        return [{"number_raw": number, **values} for number in numbers]

    def test_counts(self):
        add = self.recipient_list._add_rows
        zero = {"new": 0, "updated": 0, "unchanged": 0, "duplicate": 0, "wrong": 0}
        self.assertEqual(add([]), zero)
        rows = self.rows("79214563763", "8 921 456-37-63", "79214563764", "x", None)
        self.assertEqual(add(rows), {**zero, "new": 2, "duplicate": 1, "wrong": 2})
        self.assertEqual(add(rows[:1]), {**zero, "unchanged": 1})
        named = self.rows("+7 921 456-37-63", name="Anna")
        self.assertEqual(add(named, update_existing=False), {**zero, "duplicate": 1})
        self.assertEqual(add(named), {**zero, "updated": 1})
        self.assertEqual(
            self.content(), [("+79214563763", "Anna", {}), ("+79214563764", "", {})]
        )

    def test_an_update_keeps_what_it_does_not_know(self):
        add = self.recipient_list._add_rows
        add(self.rows("79214563763", name="Anna", data={"City": "Тверь", "Debt": "1"}))
        add(self.rows("79214563763", data={"Debt": "2", "Age": "30", "City": ""}))
        self.assertEqual(
            self.content(),
            [("+79214563763", "Anna", {"City": "Тверь", "Debt": "2", "Age": "30"})],
        )
        self.assertEqual(self.recipient_list.columns, ["City", "Debt", "Age"])

    def test_wrong_rows_are_kept_when_asked(self):
        rows = self.rows("84951234567", "x", "")
        self.recipient_list._add_rows(rows)
        self.assertEqual(self.recipient_list.recipient_count, 0)
        for _time in range(2):
            self.recipient_list._add_rows(rows, keep_wrong=True)
        readings = self.recipient_list.recipient_ids.mapped("reading")
        self.assertEqual(readings, ["landline", "letters"])

    def test_a_preview_tells_the_same_and_writes_nothing(self):
        self.recipient_list._add_rows(self.rows("79214563763"))
        rows = self.rows("79214563763", "79214563764", "x", name="Anna")
        preview = dict.fromkeys(COUNTS, 0)
        for page in Filling(self.recipient_list).pages(rows):
            for line in page:
                preview[line.action] += 1
        self.assertEqual(self.recipient_list.recipient_count, 1)
        self.assertEqual(self.recipient_list._add_rows(rows), preview)

    def test_many_rows_take_few_statements(self):
        numbers = [f"+79{index:09d}" for index in range(210000000, 210025000)]
        rows = [
            {"number_raw": number, "name": f"Имя {number}", "data": {"City": "Тверь"}}
            for number in numbers
        ]
        before = self.env.cr.sql_log_count
        counts = self.recipient_list._add_rows(rows)
        self.assertEqual(counts["new"], 25_000)
        self.assertLess(self.env.cr.sql_log_count - before, 60)
        found = self.recipients.search(
            [("list_id", "=", self.recipient_list.id)], order="id"
        )
        self.assertEqual(found.mapped("number"), numbers, "the order is kept")

    def test_random_rows_against_a_simple_model(self):
        rng = random.Random(20261123)
        expected = {}
        for _round in range(30):
            rows = [self._random_row(rng) for _row in range(rng.randrange(1, 40))]
            update = rng.random() < 0.7
            counts = self._add_simply(expected, rows, update)
            with self.subTest(rows=rows):
                found = self.recipient_list._add_rows(rows, update_existing=update)
                self.assertEqual(found, counts)
        self.assertEqual(
            self.content(),
            [(number, name, data) for number, (name, data) in expected.items()],
        )

    @staticmethod
    def _random_row(rng):
        tail = f"{rng.randrange(60):02d}"
        number = rng.choice(
            ("7921456370{}", "8 (921) 456-37-{}", "+7 921 456 37 {}", "x{}", "8495{}")
        )
        data = {key: rng.choice("ab") for key in "XYZ" if rng.random() < 0.3}
        return {
            "number_raw": number.format(tail),
            "name": rng.choice(("", "", "Анна", "Борис")),
            "data": data,
        }

    @staticmethod
    def _add_simply(expected, rows, update):
        """Do to a dict what the statements do to the table."""
        counts = dict.fromkeys(("new", "updated", "unchanged", "duplicate", "wrong"), 0)
        seen = set()
        for row in rows:
            reading = phone.read(row["number_raw"], "RU")
            number = reading.e164
            if not reading.sendable:
                counts["wrong"] += 1
            elif number in seen or (number in expected and not update):
                counts["duplicate"] += 1
                seen.add(number)
            elif number not in expected:
                counts["new"] += 1
                expected[number] = (row["name"], row["data"])
                seen.add(number)
            else:
                name, data = expected[number]
                after = (row["name"] or name, {**data, **row["data"]})
                counts["unchanged" if after == (name, data) else "updated"] += 1
                expected[number] = after
                seen.add(number)
        return counts


@tagged("post_install", "-at_install", "sms_devino")
class TestWithoutAFile(RecipientCase):
    """The dialog that fills a list, by pasting and from contacts and lists."""

    def wizard(self, source, **values):
        return self.env["sms.devino.recipient.add"].create(
            {"list_id": self.recipient_list.id, "source": source, **values}
        )

    def test_paste_shows_counts_before(self):
        self.add("79214563700")
        wizard = self.env["sms.devino.recipient.add"].with_context(
            default_list_id=self.recipient_list.id, default_source="paste"
        )
        form = Form(wizard)
        form.text = "79214563763\nАнна; 8 921 456-37-64, Борис\n123\n+79214563700"
        counts = {"new": 2, "wrong": 1, "unchanged": 1}
        self.assertEqual(form.preview["counts"], counts)
        self.assertEqual(form.preview["total"], 4)
        self.assertIn("“123” is a service number", form.preview_html)
        self.assertEqual(self.recipient_list.recipient_count, 1)
        form.keep_wrong = True
        form.save().action_apply()
        self.assertEqual(self.recipient_list.sendable_count, 3)
        self.assertEqual(self.recipient_list.wrong_count, 1)

    def test_paste_takes_all_numbers_of_a_cell(self):
        self.wizard("paste", text="+79214563763 +79214563764").action_apply()
        self.assertEqual(self.recipient_list.sendable_count, 2)

    def test_paste_of_nothing_or_too_much_is_refused(self):
        for text in (" ,; ", "\n", False, "79214563763\n" * 200_001):
            with self.subTest(text=str(text)[:12]), self.assertRaises(UserError):
                self.wizard("paste", text=text).action_apply()

    def test_what_was_pasted_is_kept_as_a_file(self):
        text = 'Анна; 8 921 456-37-63\n"Иванов; Пётр" 79214563764\n112'
        kept = pasted_as_source(self.env, text, "RU")
        rows = list(read_rows(self.env, *kept))
        self.assertEqual(
            [(row["row"], row["number_raw"]) for row in rows],
            [(1, "8 921 456-37-63"), (2, "79214563764"), (3, "112")],
        )
        self.assertEqual(rows[0]["name"], "Анна")
        self.assertEqual(json.loads(json.dumps(kept[2])), kept[2])

    def test_markup_in_a_preview_is_text(self):
        wizard = self.wizard("paste", text="<b>Anna</b>; 79214563763")
        wizard._make_preview()
        self.assertIn("&lt;b&gt;", wizard.preview_html)
        self.assertNotIn("<b>", wizard.preview_html)

    def test_other_lists(self):
        other = self.create_list("Other", columns=["City"])
        other._add_rows(
            [
                {
                    "number_raw": "79214563763",
                    "name": "Anna",
                    "data": {"City": "Тверь"},
                },
                {"number_raw": "79214563764"},
            ]
        )
        self.add("79214563763")
        self.wizard("lists", list_ids=[Command.set(other.ids)]).action_apply()
        self.assertEqual(self.content(), self.content(other))
        self.assertEqual(self.recipient_list.columns, ["City"])

    def test_nobody_chosen_is_refused(self):
        for source in ("lists", "contacts", "file"):
            with self.subTest(source), self.assertRaises(UserError):
                self.wizard(source).action_apply()
        nobody = self.wizard("filter", domain="[('id', '=', 0)]")
        with self.assertRaises(UserError):
            nobody.action_apply()

    def test_a_line_is_linked_to_the_one_contact_with_its_number(self):
        partners = self.env["res.partner"].create(
            [
                {"name": "Anna", "phone": "+7 921 456-37-63"},
                {"name": "Boris", "phone": "+7 921 456-37-64"},
                {"name": "Boris again", "phone": "+7 921 456-37-64"},
            ]
        )
        self.wizard("paste", text="79214563763\n79214563764").action_apply()
        records = self.recipient_list.recipient_ids.sorted("id")
        self.assertEqual(records[0].partner_id, partners[0])
        self.assertFalse(records[1].partner_id)

    def _contacts(self):
        germany = self.env.ref("base.de")
        return self.env["res.partner"].create(
            [
                {"name": "Anna", "phone": "8 921 456-37-63", "city": "Sms"},
                {
                    "name": "Karl",
                    "phone": "0171 2345678",
                    "city": "Sms",
                    "country_id": germany.id,
                },
                {"name": "Nobody", "city": "Sms"},
                {"name": "Office", "phone": "84951234567", "city": "Sms"},
            ]
        )

    def test_contacts_by_a_filter(self):
        partners = self._contacts()
        wizard = self.wizard("filter", domain="[('city', '=', 'Sms')]", keep_wrong=True)
        self.assertEqual((wizard.contact_count, wizard.phone_count), (4, 3))
        wizard.action_apply()
        records = self.recipient_list.recipient_ids.sorted("id")
        self.assertEqual(records.partner_id, partners - partners[2])
        self.assertEqual(
            records.mapped("number"), ["+79214563763", "+491712345678", "+74951234567"]
        )
        self.assertEqual(records[2].reading, "landline")

    def test_contacts_selected_in_their_list(self):
        partners = self._contacts()
        wizard = (
            self.env["sms.devino.recipient.add"]
            .with_context(active_model="res.partner", active_ids=partners[:2].ids)
            .create({"list_id": self.recipient_list.id})
        )
        self.assertEqual(wizard.source, "contacts")
        self.assertEqual(wizard.contact_count, 2)
        wizard.action_apply()
        self.assertEqual(self.recipient_list.recipient_ids.partner_id, partners[:2])

    def test_a_filter_is_never_run_as_code(self):
        wizard = self.env["sms.devino.recipient.add"].new(
            {"source": "filter", "domain": "__import__('os').getcwd()"}
        )
        with self.assertRaises(UserError):
            wizard._contact_domain()


@tagged("post_install", "-at_install", "sms_devino")
class TestRecipientAccess(RecipientCase):
    """Managers keep the lists of their company; users have no business with them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        base = "base.group_user,base.group_partner_manager"
        cls.user = new_test_user(cls.env, "l_user", f"{base},sms_devino.group_user")
        cls.manager, cls.colleague = (
            new_test_user(cls.env, login, f"{base},sms_devino.group_manager")
            for login in ("l_manager", "l_colleague")
        )
        cls.admin = new_test_user(cls.env, "l_admin", f"{base},sms_devino.group_admin")
        cls.company = cls.env["res.company"].create({"name": "Other company"})
        cls.stranger = new_test_user(
            cls.env,
            "l_stranger",
            f"{base},sms_devino.group_manager",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def sees(self, user, record):
        model = record.with_user(user)
        return record in model.search([("id", "=", record.id)])

    def test_a_user_does_not_read_lists(self):
        with self.assertRaises(AccessError):
            self.recipient_list.with_user(self.user).read(["name"])
        with self.assertRaises(AccessError):
            self.recipients.with_user(self.user).search([])

    def test_a_user_cannot_import(self):
        with self.assertRaises(AccessError):
            self.env["sms.devino.recipient.add"].with_user(self.user).create({})

    def test_other_companies_see_nothing_unless_it_is_for_all(self):
        line = self.add("79214563763")
        self.assertTrue(self.sees(self.manager, self.recipient_list))
        self.assertTrue(self.sees(self.manager, line))
        self.assertFalse(self.sees(self.stranger, self.recipient_list))
        self.assertFalse(self.sees(self.stranger, line))
        self.recipient_list.company_id = False
        self.assertTrue(self.sees(self.stranger, self.recipient_list))
        self.assertTrue(self.sees(self.stranger, line))

    def test_a_list_that_is_not_shared_is_its_owners(self):
        self.recipient_list.write({"user_id": self.manager.id, "is_shared": False})
        line = self.add("79214563763")
        for user, seen in (
            (self.manager, True),
            (self.colleague, False),
            (self.admin, True),
        ):
            self.assertEqual(self.sees(user, self.recipient_list), seen, user.login)
            self.assertEqual(self.sees(user, line), seen, user.login)
        with self.assertRaises(AccessError):
            self.recipient_list.with_user(self.colleague)._add_rows(
                [{"number_raw": "79214563764"}]
            )

    def test_a_manager_does_all_that_belongs_to_lists(self):
        record = (
            self.env["sms.devino.recipient.list"]
            .with_user(self.manager)
            .create({"name": "Mine", "country_id": self.russia.id})
        )
        record._add_rows([{"number_raw": "79214563763"}], keep_wrong=True)
        record.recipient_ids.number_raw = "79214563764"
        self.env["phone.blacklist"].sudo()._add(["+79214563764"])
        record.invalidate_recordset()
        record.recipient_ids.invalidate_recordset()
        self.assertEqual(record.blacklisted_count, 1)
        self.assertEqual(record.recipient_ids.shown_reading, "blacklisted")
        record.recipient_ids.unlink()
        record.unlink()

    def test_contacts_of_other_companies_are_not_taken(self):
        self.env.ref("base.res_partner_rule").active = True
        self.env["res.partner"].create(
            {
                "name": "Secret",
                "phone": "+7 921 456-37-63",
                "company_id": self.env.company.id,
            }
        )
        record = (
            self.env["sms.devino.recipient.list"]
            .with_user(self.stranger)
            .create({"name": "Theirs", "country_id": self.russia.id})
        )
        self.env["sms.devino.recipient.add"].with_user(self.stranger).create(
            {"list_id": record.id, "source": "paste", "text": "79214563763"}
        ).action_apply()
        self.assertFalse(record.recipient_ids.partner_id)

    def test_a_list_that_may_not_be_read_is_not_asked(self):
        self.add("79214563763")
        add = self.env["sms.devino.recipient.add"].with_user(self.stranger)
        for values in (
            {"list_id": self.recipient_list.id},
            {"list_ids": [Command.set(self.recipient_list.ids)]},
        ):
            with self.subTest(values), self.assertRaises(AccessError):
                add.create({"source": "paste", "text": "79214563763", **values})
        values = {"list_id": self.recipient_list.id, "source": "paste", "text": "112"}
        with self.assertRaises(AccessError):
            add.new(values)._onchange_text()

    def test_the_reading_is_written_by_nobody(self):
        line = self.add("84951234567").with_user(self.manager)
        for values in (
            {"number": "+79214563763"},
            {"reading": "ok"},
            {"others": "+79214563763"},
        ):
            with self.subTest(values), self.assertRaises(AccessError):
                line.write(values)
            with self.subTest(values), self.assertRaises(AccessError):
                line.create(
                    {
                        "list_id": self.recipient_list.id,
                        "number_raw": "79214563764",
                        **values,
                    }
                )

    def test_without_the_right_to_export_nothing_is_saved(self):
        record = self.recipient_list.with_user(self.manager)
        record._add_rows([{"number_raw": "79214563763"}])
        self.manager.group_ids -= self.env.ref("base.group_allow_export")
        with self.assertRaises(AccessError):
            record.action_export_xlsx()
        self.manager.group_ids += self.env.ref("base.group_allow_export")
        self.assertTrue(record.action_export_xlsx())


@tagged("post_install", "-at_install", "sms_devino")
class TestForAMassSending(SmsCase):
    """The dialog that makes drafts, and adds to them."""

    def wizard(self, source, **values):
        add = self.env_of("manager")["sms.devino.recipient.add"]
        return add.create({"source": source, **values})

    def draft_of(self, action):
        self.assertEqual(action["res_model"], "sms.devino.batch")
        return self.env["sms.devino.batch"].browse(action["res_id"])

    def make_list(self):
        lists = self.env_of("manager")["sms.devino.recipient.list"]
        record = lists.create({"name": "Customers"})
        record._add_rows([{"number_raw": "79214563763"}])
        return record

    def test_from_the_menu_a_draft_is_made_and_opened(self):
        lists = self.make_list()
        wizard = self.wizard("lists", list_ids=[Command.set(lists.ids)])
        draft = self.draft_of(wizard.action_apply())
        self.assertEqual(draft.list_ids, lists)
        self.assertEqual(draft.state, "draft")
        self.assertEqual(draft.prepared_by_id, self.people["manager"])
        self.assertEqual(draft.account_id, self.account)

    def test_from_a_list_a_draft_to_it(self):
        lists = self.make_list()
        self.assertEqual(self.draft_of(lists.action_new_batch()).list_ids, lists)

    def test_from_contacts(self):
        contacts = self.env["res.partner"].create(
            [{"name": "Anna", "phone": "79214563763"}, {"name": "Boris"}]
        )
        add = self.env_of("manager")["sms.devino.recipient.add"].with_context(
            active_model="res.partner", active_ids=contacts.ids
        )
        draft = self.draft_of(add.create({}).action_apply())
        self.assertEqual(draft.partner_ids, contacts)

    def test_sources_add_up_in_a_draft(self):
        lists = self.make_list()
        draft = self.draft_of(lists.action_new_batch())
        to_draft = {"batch_id": draft.id}
        more = self.make_list()
        self.wizard(
            "lists", list_ids=[Command.set(more.ids)], **to_draft
        ).action_apply()
        self.assertEqual(draft.list_ids, lists | more)
        anna, boris, _vera = self.env["res.partner"].create(
            [
                {"name": f"{name} of the draft", "phone": "+79214563763"}
                for name in ("Anna", "Boris", "Vera")
            ]
        )
        for name in ("Anna of", "Boris of"):
            domain = repr([("name", "ilike", name)])
            self.wizard("filter", domain=domain, **to_draft).action_apply()
        found = self.env["res.partner"].search(literal_eval(draft.domain))
        self.assertEqual(found, anna | boris)

    def test_what_is_pasted_adds_up_and_replaces_a_file(self):
        draft = self.draft_of(self.wizard("paste", text="112").action_apply())
        wizard = self.wizard("paste", text="Anna; 79214563763", batch_id=draft.id)
        self.assertFalse(wizard.replaced_file)
        wizard.action_apply()
        self.assertEqual(self.numbers_of(draft), ["112", "79214563763"])
        content = write_xlsx([Column("Phone")], [["79214563764"]])
        wizard = self.wizard(
            "file",
            file=base64.b64encode(content),
            filename="clients.xlsx",
            batch_id=draft.id,
        )
        self.assertEqual(wizard.replaced_file, "pasted.csv")
        wizard.action_open_file()
        wizard.action_preview()
        self.assertEqual(wizard.preview["counts"], {"new": 1})
        wizard.action_apply()
        self.assertEqual(draft.source_name, "clients.xlsx")
        self.assertEqual(self.numbers_of(draft), ["79214563764"])

    def numbers_of(self, draft):
        content = base64.b64decode(draft.source_file)
        rows = read_rows(self.env, content, draft.source_name, draft.source_columns)
        return [row["number_raw"] for row in rows]

    def test_a_draft_of_another_company_is_not_touched(self):
        draft = self.env["sms.devino.batch"].create(
            {
                "company_id": self.other_company.id,
                "account_id": self.other_account.id,
                "sender_id": self.other_sender.id,
            }
        )
        with self.assertRaises(AccessError):
            self.wizard("paste", text="79214563763", batch_id=draft.id)
