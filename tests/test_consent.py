import base64
from datetime import date, timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..services import consent as consents
from ..services import refusal
from .base_case import SmsCase
from .mass_case import MassCase

NUMBER, OTHER = "+79214563763", "+79214563764"
CSV = (
    "Телефон;Имя;Согласие;Откуда\n"
    "79214563763;Анна;03.11.2025;Анкета\n"
    "79214563764;Борис;2025-11-04;\n"
    "79214563765;Вера;вчера;Сайт\n"
    "79214563766;Глеб;;\n"
    "нет;Никто;03.11.2025;Сайт\n"
)
ROLES = ("phone", "name", "consent_date", "consent_source")


class ConsentCase(SmsCase):
    def give(self, number=NUMBER, kind="manager", **values):
        values = {"number": number, "source": "Website", **values}
        return self.env_of(kind)["sms.devino.consent"].create(values)

    def given(self, *numbers, company=None):
        return consents.find_given(company or self.company, numbers or (NUMBER, OTHER))

    def withdraw(self, consent, kind="manager", reason="By letter"):
        wizard = self.env_of(kind)["sms.devino.unsubscribe"].create(
            {"consent_id": consent.id, "reason": reason}
        )
        wizard.action_apply()
        consent.invalidate_recordset()


@tagged("post_install", "-at_install", "sms_devino")
class TestConsent(ConsentCase):
    """Consents are evidence: kept, completed, withdrawn, never changed."""

    def test_a_number_however_it_is_written_or_that_of_the_contact(self):
        self.assertEqual(self.give("8 (921) 456-37-63").number, NUMBER)
        partner = self.env["res.partner"].create({"name": "Anna", "phone": OTHER})
        consent = self.give(None, partner_id=partner.id)
        self.assertEqual(consent.number, OTHER)
        partner = partner.with_env(self.env_of("manager"))
        self.assertEqual(partner.sms_devino_consent_count, 1)
        action = partner.action_sms_devino_consents()
        found = self.env["sms.devino.consent"].search(action["domain"])
        self.assertEqual(found, consent)

    def test_what_is_no_number_or_lies_ahead_is_refused(self):
        for number in (None, "", "allo", "84951234567", "12"):
            with self.assertRaises(UserError):
                self.give(number)
        tomorrow = fields.Date.today() + timedelta(days=2)
        with self.assertRaisesRegex(ValidationError, "in the future"):
            self.give(given_on=tomorrow)

    def test_it_is_completed_and_never_changed(self):
        consent = self.give()
        consent.write({"origin": "10.0.0.1", "proof": base64.b64encode(b"scan")})
        wording = self.env["sms.devino.consent.wording"].create(
            {"name": "1", "text": "I agree", "company_id": self.company.id}
        )
        consent.wording_id = wording
        for name, value in (
            ("number", OTHER),
            ("given_on", "2020-01-01"),
            ("source", "Elsewhere"),
            ("origin", False),
            ("proof", False),
            ("wording_id", False),
            ("purpose", "debt"),
            ("withdrawn_at", "2020-01-01"),
        ):
            with self.subTest(name), self.assertRaisesRegex(UserError, "is evidence"):
                consent.write({name: value})

    def test_it_is_never_deleted_nor_archived(self):
        consent = self.give()
        self.assertNotIn("active", consent._fields)
        with self.assertRaises(UserError):
            consent.sudo().unlink()
        with self.assertRaises(AccessError):
            consent.with_env(self.env_of("admin")).unlink()

    def test_nobody_enters_a_withdrawal_by_hand(self):
        with self.assertRaises(AccessError):
            self.give(withdrawn_at="2020-01-01")

    def test_a_wording_with_consents_stays(self):
        env = self.env_of("manager")
        wording = env["sms.devino.consent.wording"].create({"name": "1", "text": "Yes"})
        wording.text = "I agree"
        consent = self.give(wording_id=wording.id)
        with self.assertRaisesRegex(UserError, "stays as it is"):
            wording.text = "I agree to everything"
        with self.assertRaises(Exception), mute_logger("odoo.sql_db"):  # noqa: B017
            with self.env.cr.savepoint():
                wording.unlink()
        copy = wording.copy()
        copy.text = "I agree to more"
        wording.active = False
        self.assertEqual(consent.wording_text, "I agree")

    def test_withdrawn_is_withdrawn_and_refused(self):
        consent = self.give()
        self.assertEqual(self.given(), {NUMBER})
        self.withdraw(consent)
        self.assertEqual(consent.state, "withdrawn")
        self.assertEqual(consent.withdrawn_how, "By letter")
        self.assertEqual(consent.withdrawn_by_id, self.people["manager"])
        self.assertFalse(self.given())
        blocked = self.env["phone.blacklist"]._sms_devino_blacklisted([NUMBER])
        self.assertEqual(blocked, {NUMBER})

    def test_a_consent_to_reminders_is_withdrawn_alone(self):
        advertising, debt = self.give(), self.give(purpose="debt")
        self.withdraw(debt)
        self.assertEqual((debt.state, advertising.state), ("withdrawn", "given"))
        self.assertFalse(self.env["phone.blacklist"]._sms_devino_blacklisted([NUMBER]))

    def test_a_refusal_withdraws_what_it_ends(self):
        advertising, service = self.give(), self.give(purpose="service")
        refusal.refuse(self.env, self.company, [NUMBER], source="sms", reason="Stop")
        self.assertEqual(advertising.withdrawn_how, "Stop")
        self.assertEqual(service.state, "given")
        self.company.sms_devino_stop_all = True
        refusal.refuse(self.env, self.company, [NUMBER], source="sms", reason="Stop")
        self.assertEqual(service.state, "withdrawn")

    def test_an_older_paper_does_not_undo_a_withdrawal(self):
        self.withdraw(self.give())
        self.assertEqual(self.give(given_on="2025-01-01").state, "withdrawn")
        self.assertEqual(self.give().state, "given")
        self.assertEqual(self.given(), {NUMBER})

    def test_companies_are_apart_and_a_branch_has_those_above(self):
        self.give()
        self.assertFalse(self.given(company=self.other_company))
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.assertEqual(self.given(company=branch), {NUMBER})

    def test_only_managers_see_them(self):
        consent = self.give()
        for kind in ("user", "internal", "portal", "public"):
            with self.assertRaises(AccessError):
                consent.with_env(self.env_of(kind)).read(["number"])
        user = self.env_of("user")
        history = user["sms.devino.history"].create({"query": NUMBER})
        self.assertFalse(history.consent_ids)
        with self.assertRaises(AccessError):
            self.withdraw(consent.with_env(user), kind="user")
        history = self.env_of("manager")["sms.devino.history"].create({"query": NUMBER})
        self.assertEqual(history.consent_ids, consent)

    def test_the_form(self):
        partner = self.env["res.partner"].create({"name": "Anna", "phone": NUMBER})
        with Form(self.env_of("manager")["sms.devino.consent"]) as form:
            form.partner_id = partner
            self.assertEqual(form.number, partner.phone)
            form.source = "Shop"
        self.assertEqual(form.record.number, NUMBER)


@tagged("post_install", "-at_install", "sms_devino")
class TestConsentImport(ConsentCase):
    """A recipient list brings its consents as columns."""

    def start(self, content=CSV, **values):
        env = self.env_of("manager")
        lists = env["sms.devino.recipient.list"]
        values.setdefault("list_id", lists.create({"name": "List"}).id)
        wizard = env["sms.devino.recipient.add"].create(
            {
                "source": "file",
                "file": base64.b64encode(content.encode()),
                "filename": "clients.csv",
                **values,
            }
        )
        wizard.action_open_file()
        for column, role in zip(wizard.column_ids.sorted("index"), ROLES, strict=True):
            column.role = role
        return wizard

    def all_given(self):
        found = self.env["sms.devino.consent"].search([], order="number, id")
        return [(one.number, one.given_on, one.source) for one in found]

    def test_dates_and_sources_come_with_the_rows(self):
        wording = self.env_of("manager")["sms.devino.consent.wording"].create(
            {"name": "1", "text": "I agree"}
        )
        wizard = self.start(consent_wording_id=wording.id)
        self.assertTrue(wizard.has_consents)
        wizard.action_preview()
        self.assertEqual(wizard.preview["consents"], 2)
        reasons = [one["reason"] for one in wizard.preview["problems"]]
        self.assertIn("“вчера” is not the date of a consent", " ".join(reasons))
        wizard.action_apply()
        self.assertEqual(
            self.all_given(),
            [
                (NUMBER, date(2025, 11, 3), "Анкета"),
                (OTHER, date(2025, 11, 4), "Imported from clients.csv"),
            ],
        )
        imported = self.env["sms.devino.consent"].search([])
        self.assertEqual(imported.wording_id, wording)
        self.assertEqual(imported.company_id, self.company)
        self.assertEqual(imported.create_uid, self.people["manager"])

    def test_the_same_file_again_adds_nothing_and_undoes_no_withdrawal(self):
        for _round in range(2):
            wizard = self.start()
            wizard.action_preview()
            wizard.action_apply()
        self.assertEqual(len(self.all_given()), 2)
        refusal.refuse(self.env, self.company, [NUMBER], source="sms", reason="Stop")
        for content in (CSV, CSV.replace("Анкета", "Магазин")):
            wizard = self.start(content)
            wizard.action_preview()
            wizard.action_apply()
        self.assertEqual(len(self.all_given()), 3)
        self.assertEqual(self.given(), {OTHER})

    def test_a_file_for_a_mass_sending_brings_them_too(self):
        batch = self.env_of("manager")["sms.devino.batch"].create(
            {"account_id": self.account.id}
        )
        wizard = self.start(list_id=False, batch_id=batch.id)
        wizard.action_preview()
        self.assertEqual(wizard.preview["consents"], 2)
        self.assertFalse(self.all_given(), "looking at them writes nothing")
        for _round in range(2):
            wizard.action_apply()
            self.assertEqual(
                self.all_given(),
                [
                    (NUMBER, date(2025, 11, 3), "Анкета"),
                    (OTHER, date(2025, 11, 4), "Imported from clients.csv"),
                ],
            )
        # as values of the text they would always be empty
        names = [entry["name"] for entry in batch.names]
        self.assertIn("Имя", names)
        self.assertNotIn("Согласие", names)

    def test_a_file_from_the_menu_brings_them_to_a_new_mass_sending(self):
        self.company.sms_devino_consent_required = True
        wizard = self.start(list_id=False)
        wizard.action_preview()
        action = wizard.action_apply()
        self.assertEqual(action["res_model"], "sms.devino.batch")
        self.assertEqual(self.given(), {NUMBER, OTHER})

    def test_columns_are_recognised_by_title_and_dates(self):
        for titles, cells, found in (
            ("Согласие;Откуда", "03.11.2025;Анкета", ("consent_date", "extra")),
            (
                "Дата согласия;Источник согласия",
                "2025-11-03;Анкета",
                ("consent_date", "consent_source"),
            ),
            (
                "Consent source;Consent",
                "Shop;2025-11-03",
                ("consent_source", "consent_date"),
            ),
            ("Согласие;Источник согласия", "да;Анкета", ("extra", "extra")),
            ("Согласен;Дата согласия", "да;03.11.2025", ("extra", "consent_date")),
            ("Дата рождения;Город", "03.11.1985;Псков", ("extra", "extra")),
        ):
            content = f"Телефон;Имя;{titles}\n79214563763;А;{cells}\n"
            wizard = self.env_of("manager")["sms.devino.recipient.add"].create(
                {
                    "source": "file",
                    "file": base64.b64encode(content.encode()),
                    "filename": "clients.csv",
                }
            )
            wizard.action_open_file()
            roles = wizard.column_ids.sorted("index").mapped("role")
            self.assertEqual(tuple(roles), ("phone", "name", *found), titles)

    def test_dates_that_are_none(self):
        for text in ("31.02.2025", "1900-01-01", "2125-01-01", "x" * 5000, "0", "T"):
            content = f"Телефон;Имя;Согласие;Откуда\n79214563763;А;{text};С\n"
            wizard = self.start(content)
            wizard.action_preview()
            self.assertEqual(wizard.preview["consents"], 0, text)


@tagged("post_install", "-at_install", "sms_devino")
class TestConsentDemanded(MassCase):
    """Advertising without consent is left out, where the company wants it."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self._undo)
        with self.transaction() as env:
            env.company.sms_devino_consent_required = True
            for number in self.numbers(3):
                env["sms.devino.consent"].create({"number": number, "source": "Shop"})

    def _undo(self):
        with self.transaction() as env:
            env.company.write(
                {
                    "sms_devino_consent_required": False,
                    "sms_devino_stop_all": False,
                    "sms_devino_ad_line": False,
                }
            )
            env.cr.execute("DELETE FROM sms_devino_consent")

    def reasons(self, batch_id):
        return self.read_batch(batch_id, "total", "figures")

    def test_recipients_without_consent_are_left_out(self):
        total, figures = self.reasons(self.prepare(purpose="advertising"))
        self.assertEqual((total, figures["reasons"]), (3, {"no_consent": 7}))
        rows = self.rows(self.prepare(), "segment_count", state="left_out")
        self.assertEqual(rows, [0] * 7)

    def test_service_messages_and_debt_need_none(self):
        for purpose in ("service", "debt"):
            self.assertEqual(self.reasons(self.prepare(purpose=purpose))[0], 10)

    def test_without_the_setting_nobody_is_left_out(self):
        batch_id = self.prepare()
        with self.transaction() as env:
            env.company.sms_devino_consent_required = False
        self.assertIn("out of date", self.read_batch(batch_id, "send_problem"))
        self.assertEqual(self.reasons(self.prepare())[0], 10)

    def test_a_refusal_leaves_advertising_out_and_service_only_where_chosen(self):
        number = "+" + self.numbers(1)[0]
        with self.transaction() as env:
            refusal.refuse(env, env.company, [number], source="sms", reason="Stop")
        total, figures = self.reasons(self.prepare())
        self.assertEqual(total, 2)
        self.assertEqual(figures["reasons"], {"blacklisted": 1, "no_consent": 7})
        self.assertEqual(self.reasons(self.prepare(purpose="service"))[0], 10)
        with self.transaction() as env:
            env.company.sms_devino_stop_all = True
        self.assertEqual(self.reasons(self.prepare(purpose="service"))[0], 9)

    def test_a_refusal_after_the_calculation_stops_the_sending(self):
        for purpose, stops in (("advertising", True), ("service", False)):
            batch_id = self.prepare(purpose=purpose, body=f"Text {purpose}")
            number = self.rows(batch_id, "number")[0]
            with self.transaction() as env:
                refusal.refuse(env, env.company, [number], source="sms", reason="Stop")
            if stops:
                with self.assertRaisesRegex(UserError, "put on the blacklist"):
                    self.approve(batch_id)
            else:
                self.approve(batch_id)

    def test_lists_of_one_number_take_one_query_a_page(self):
        batch_id = self.draft(list_ids=[Command.set([self.list_id])])
        with self.transaction() as env:
            batch = env["sms.devino.batch"].browse(batch_id)
            rows = [{"state": "draft", "number": f"+7921{n:07}"} for n in range(3000)]
            env.flush_all()
            self.assertTrue(batch.company_id.sms_devino_consent_required)
            before = env.cr.sql_log_count
            consents.leave_out(batch, rows)
            self.assertLessEqual(env.cr.sql_log_count - before, 3)
        self.assertEqual({row["reason"] for row in rows}, {"no_consent"})
