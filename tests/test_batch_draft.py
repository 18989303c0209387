import base64
import json
from ast import literal_eval
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from ..services import audience, batch_course, calculation, draft_text
from ..tools.sheet import open_book
from .mass_case import MassCase


@tagged("post_install", "-at_install", "sms_devino")
class TestBatchDraft(MassCase):
    """A draft: whom, what, its calculation, and who may touch it."""

    def test_recipients_are_united_by_number_and_the_rest_named(self):
        other = self.make_list(
            ["79214500000", "+7 (921) 460-00-00", "8 495 123-45-67", "abc"],
            "Test: others",
        )
        with self.transaction() as env:
            env["phone.blacklist"].create({"number": "+79214500100"})
        batch_id = self.prepare(list_ids=[Command.set([self.list_id, other])])
        total, left_out, figures = self.read_batch(
            batch_id, "total", "left_out_count", "figures"
        )
        self.assertEqual((total, left_out), (10, 4))
        self.assertEqual(
            figures["reasons"],
            {"duplicate": 1, "blacklisted": 1, "landline": 1, "letters": 1},
        )
        with self.transaction(self.users["manager"]) as env:
            batch = env["sms.devino.batch"].browse(batch_id)
            action = batch.with_context(sms_devino_rows="left_out").action_view_rows()
            rows = env["sms.devino.message"].search(action["domain"])
            self.assertEqual(len(rows), 4)
            blocked = rows.filtered(lambda row: row.reason == "blacklisted")
            self.assertEqual(blocked.number, "+79214500100")

    def test_search_by_number_finds_who_got_nothing_and_why(self):
        list_id = self.make_list(["8 495 123-45-67", "79214500000"], "Test: mixed")
        batch_id = self.send_mass(list_ids=[Command.set([list_id])])
        self.dispatch()
        for typed in ("84951234567", "+7 495 123-45-67"):
            with self.journal("manager", ("number_search", "=", typed)) as found:
                self.assertEqual(
                    (found.state, found.reason, found.batch_id.id),
                    ("left_out", "landline", batch_id),
                )

    @contextmanager
    def journal(self, user, *domain):
        """What a person finds in the journal."""
        with self.transaction(self.users[user]) as env:
            action = env["ir.actions.act_window"]._for_xml_id(
                "sms_devino.sms_devino_message_action"
            )
            yield env["sms.devino.message"].search(
                [*literal_eval(action["domain"]), *domain]
            )

    def test_a_day_with_other_prices_needs_another_calculation(self):
        batch_id = self.prepare()
        when = fields.Datetime.now() + timedelta(days=2)
        self.write(batch_id, scheduled_at=when)
        revisions = ("revision", "calculated_revision")
        self.assertEqual(*self.read_batch(batch_id, *revisions))
        with self.transaction() as env:
            env["sms.devino.tariff"].create(
                {
                    "account_id": self.account_id,
                    "prefix": "7",
                    "price": 5,
                    "date_from": fields.Date.today() + timedelta(days=1),
                }
            )
        self.write(batch_id, scheduled_at=when + timedelta(days=1))
        self.assertNotEqual(*self.read_batch(batch_id, *revisions))
        self.calculate(batch_id)
        self.assertEqual(self.read_batch(batch_id, "cost_estimated"), 50)

    def test_the_journal_shows_nobody_of_a_draft(self):
        list_id = self.make_list(["8 495 123-45-67", "79214500000"], "Test: mixed")
        batch_id = self.prepare(list_ids=[Command.set([list_id])])
        own_id = self.enqueue()
        self.write_author(own_id, "user")
        for user in ("user", "manager"):
            with self.journal(user) as found:
                self.assertEqual(found.ids, [own_id])
        self.approve(batch_id)
        with self.journal("manager") as found:
            self.assertEqual(
                set(found.mapped("state")), {"outgoing", "left_out"}, "sent now"
            )
            self.assertEqual(len(found), 3)

    def write_author(self, message_id, user):
        with self.message(message_id) as message:
            message.author_id = self.users[user]

    def test_each_gets_his_own_text(self):
        list_id = self.make_list(
            self.numbers(3, 79214700000),
            "Test: orders",
            {0: {"Номер заказа": "A-1"}, 1: {"Номер заказа": "Я-2"}},
        )
        batch_id = self.prepare(
            list_ids=[Command.set([list_id])],
            body="Hi {{ name }}, order {{ номер заказа }}",
        )
        self.assertEqual(self.read_batch(batch_id, "empty_name"), "номер заказа")
        with self.assertRaisesRegex(UserError, "A value is empty for 1 recipients"):
            self.approve(batch_id)
        self.press(batch_id, "action_send_empty")
        self.assertFalse(self.read_batch(batch_id, "send_problem"))
        empty, figures = self.read_batch(batch_id, "empty_count", "figures")
        self.assertEqual(empty, 1)
        self.assertEqual(figures["messages"], {"gsm7": 2, "ucs2": 1})
        self.assertEqual(self.rows(batch_id, "data")[0], {"Номер заказа": "A-1"})
        self.check_found(batch_id, "data_text", "a-1", "Номер заказа: A-1")
        self.check_found(batch_id, "name", "name 1", "Name 1")
        self.approve(batch_id)
        self.dispatch()
        self.assertEqual(
            sorted(entry.text for entry in self.provider.ledger),
            ["Hi Name 0, order A-1", "Hi Name 1, order Я-2", "Hi Name 2, order "],
        )
        self.assertAllAgree(batch_id, sent=3)

    def check_found(self, batch_id, field, text, value):
        """Check that the journal finds a message by what it knows of the recipient."""
        with self.transaction(self.users["manager"]) as env:
            found = env["sms.devino.message"].search(
                [("batch_id", "=", batch_id), (field, "ilike", text)]
            )
            self.assertEqual(found.mapped(field), [value])

    def test_recipients_without_a_value_may_be_left_out(self):
        list_id = self.make_list(
            self.numbers(2, 79214700000), "Test: orders", {0: {"order": "A-1"}}
        )
        batch_id = self.prepare(
            list_ids=[Command.set([list_id])],
            body="Order {{ order }}",
            empty_policy="leave_out",
        )
        self.assertEqual(self.rows(batch_id, "body"), ["Order A-1"])
        self.assertEqual(self.rows(batch_id, "reason", state="left_out"), ["no_value"])

    def test_default_is_written_where_a_value_is_empty(self):
        list_id = self.make_list(
            self.numbers(2, 79214700000), "Test: orders", {0: {"order": "A-1"}}
        )
        batch_id = self.prepare(
            list_ids=[Command.set([list_id])], body="{{ name }}: {{ order }}!"
        )
        with self.assertRaisesRegex(UserError, "Enter what to write"):
            self.press(batch_id, "action_use_default")
        self.write(batch_id, empty_default="none yet")
        self.press(batch_id, "action_use_default")
        self.run_calculations()
        self.assertEqual(
            self.rows(batch_id, "body"), ["Name 0: A-1!", "Name 1: none yet!"]
        )
        self.assertFalse(self.read_batch(batch_id, "send_problem"))

    def test_recipients_are_left_out_when_asked(self):
        list_id = self.make_list(
            self.numbers(2, 79214700000), "Test: orders", {0: {"order": "A-1"}}
        )
        batch_id = self.prepare(
            list_ids=[Command.set([list_id])], body="Order {{ order }}"
        )
        self.press(batch_id, "action_leave_empty_out")
        self.run_calculations()
        self.assertEqual(self.read_batch(batch_id, "total", "left_out_count"), (1, 1))
        self.approve(batch_id)

    def test_values_and_text_in_the_language_of_the_contact(self):
        with self.transaction() as env:
            env["res.lang"]._activate_lang("ru_RU")
            country = env.ref("base.de").id
        ids = self.make_contacts(
            {
                "name": "Anna",
                "phone": "+79214800000",
                "lang": "ru_RU",
                "country_id": country,
            },
            {
                "name": "Ben",
                "phone": "+79214800100",
                "lang": "en_US",
                "country_id": country,
            },
        )
        with self.transaction() as env:
            model = env["ir.model"]._get("res.partner")
            template = env["sms.template"].create(
                {
                    "name": "Test: two languages",
                    "model_id": model.id,
                    "body": "Hi {{ object.name or 'client' }}, "
                    "{{ object.country_id.name }}",
                }
            )
            template.with_context(
                lang="ru_RU"
            ).body = (
                "Привет, {{ object.name ||| клиент }}, {{ object.country_id.name }}"
            )
            with self.assertRaises(UserError):
                draft_text.convert_template(
                    env, template.new({"name": "x", "body": "{{ object.peppol_eas }}"})
                )
            template_id = template.id
        self.addCleanup(self._unlink, "sms.template", [template_id])
        with self.transaction(self.users["manager"]) as env:
            draft = env["sms.devino.batch"].new({"template_id": template_id})
            draft._onchange_template_id()
            values = {"body": draft.body, "translations": draft.translations}
        self.assertEqual(values["body"], "Hi {{ name | client }}, {{ country }}")
        batch_id = self.prepare(
            list_ids=False, partner_ids=[Command.set(ids)], **values
        )
        with self.transaction() as env:
            germany = env["res.country"].with_context(lang="ru_RU").browse(country).name
        self.assertEqual(
            self.rows(batch_id, "body"),
            [f"Привет, Anna, {germany}", "Hi Ben, Germany"],
        )

    def test_technical_fields_are_not_offered(self):
        with self.transaction(self.users["manager"]) as env:
            names = {entry["field"] for entry in audience.contact_names(env)}
        self.assertLessEqual({"name", "city", "country_id"}, names)
        self.assertFalse(
            {name for name in names if "_" in name}
            - {"commercial_company_name", "country_id", "state_id", "user_id"}
        )

    def test_titles_in_the_language_of_the_user(self):
        with self.transaction() as env:
            env["res.lang"]._activate_lang("ru_RU")
            env["res.users"].browse(self.users["manager"]).lang = "ru_RU"
        batch_id = self.prepare(body="{{ Имя }} {{ Телефон }}")
        self.assertEqual(self.rows(batch_id, "body")[0], "Name 0 +79214500000")

    def send_trial(self, batch_id, size):
        """Press *Send a trial portion* in the last question."""
        with self.transaction(self.users["manager"]) as env:
            batch = env["sms.devino.batch"].browse(batch_id)
            batch.trial_size = size
            batch.with_context(sms_devino_trial=True).action_send()

    def test_trial_portion_leaves_first(self):
        batch_id = self.prepare()
        self.send_trial(batch_id, 3)
        for _run in range(2):
            self.dispatch()
        self.assertEqual(self.progress(batch_id), {"sent": 3, "waiting": 7})
        self.assertEqual(self.read_batch(batch_id, "state"), "running")
        self.press(batch_id, "action_continue")
        self.dispatch()
        self.assertAllAgree(batch_id, sent=10)

    def test_trial_portion_stays_one_over_a_pause(self):
        batch_id = self.prepare()
        self.send_trial(batch_id, 3)
        self.press(batch_id, "action_pause")
        self.press(batch_id, "action_resume")
        self.dispatch()
        self.assertEqual(self.progress(batch_id), {"sent": 3, "waiting": 7})

    def test_trial_of_everybody_needs_no_continue(self):
        batch_id = self.prepare()
        self.send_trial(batch_id, 10)
        self.assertFalse(self.read_batch(batch_id, "trial_count"))
        self.dispatch()
        self.assertAllAgree(batch_id, sent=10)

    # --- control numbers ------------------------------------------------------------

    def set_control_numbers(self, text):
        def write(value):
            with self.transaction() as env:
                account = env["sms.devino.account"].browse(self.account_id)
                account.company_id.sms_devino_control_numbers = value

        self.addCleanup(write, False)
        write(text)

    def test_control_numbers_get_a_copy(self):
        first = self.numbers(1)[0]
        self.set_control_numbers(f"8 911 000-00-00, {first}; 8 911 000-00-00")
        batch_id = self.prepare(body="Hi {{ name }}")
        rows = self.rows(batch_id, "number", "name", "body")
        self.assertEqual(len(rows), 11)
        self.assertEqual(rows[0], (f"+{first}", "Name 0", "Hi Name 0"))
        self.assertEqual(rows[10], ("+79110000000", "Control number", "Hi Name 0"))
        self.assertEqual(self.read_batch(batch_id, "figures")["control"], 1)
        self.approve(batch_id)
        self.dispatch()
        self.assertAllAgree(batch_id, sent=11)

    def test_control_number_on_the_blacklist_gets_nothing(self):
        self.set_control_numbers("+79110000000")
        with self.transaction() as env:
            env["phone.blacklist"]._add(["+79110000000"])
        batch_id = self.prepare()
        self.assertEqual(
            self.rows(batch_id, "number", "reason", state="left_out"),
            [("+79110000000", "blacklisted")],
        )
        self.assertEqual(self.read_batch(batch_id, "figures")["control"], 0)

    def test_without_recipients_there_is_no_copy(self):
        self.set_control_numbers("+79110000000")
        wrong = self.make_list(["123"], "Test: wrong")
        batch_id = self.prepare(list_ids=[Command.set([wrong])])
        self.assertEqual(self.read_batch(batch_id, "total", "left_out_count"), (0, 1))

    def test_what_is_no_number_is_no_control_number(self):
        for text in ("abc", "+79110000000, 112", "8 495 123-45-67"):
            with self.subTest(text), self.assertRaises(ValidationError):
                self.set_control_numbers(text)

    def test_last_question_names_sender_time_and_mode(self):
        batch_id = self.prepare()
        question = self.read_batch(batch_id, "question")
        for words in ("from ", "Departure: at once", "Cost: ", "Live: "):
            self.assertIn(words, question)
        self.write(batch_id, scheduled_at=fields.Datetime.now() + timedelta(days=2))
        self.assertNotIn("at once", self.read_batch(batch_id, "question"))

    def test_contacts_by_filter_and_chosen_ones(self):
        ids = self.make_contacts(
            {"name": "Anna", "phone": "8 921 480-00-00", "city": "Omsk"},
            {"name": "Boris", "phone": "+79214800100", "city": "Tver"},
            {"name": "Vera", "phone": False, "city": "Tver"},
        )
        batch_id = self.prepare(
            list_ids=False,
            partner_ids=[Command.set(ids[:1])],
            domain=repr([("id", "in", ids), ("city", "=", "Tver")]),
            body="{{ name }} of {{ city }}",
        )
        self.assertEqual(self.read_batch(batch_id, "total", "left_out_count"), (2, 1))
        self.approve(batch_id)
        self.dispatch()
        self.assertEqual(
            sorted(entry.text for entry in self.provider.ledger),
            ["Anna of Omsk", "Boris of Tver"],
        )
        with self.transaction(self.users["manager"]) as env:
            anna = env["res.partner"].browse(ids[0])
            messages = env["sms.devino.message"].search(
                anna.action_sms_devino_messages()["domain"]
            )
            self.assertEqual(messages.batch_id.id, batch_id)

    def test_spreadsheet_with_its_columns(self):
        content = "Phone;Client;Order\n8 921 480-00-00;Anna;A-1\n123;Boris;\n"
        columns = {
            "header_row": 1,
            "columns": [
                {"index": 0, "role": "phone", "title": "Phone", "name": ""},
                {"index": 1, "role": "name", "title": "Client", "name": ""},
                {"index": 2, "role": "extra", "title": "Order", "name": "Order"},
            ],
        }
        columns["sheet"] = open_book(content.encode(), "orders.csv").sheets[0]
        batch_id = self.prepare(
            list_ids=False,
            source_file=base64.b64encode(content.encode()),
            source_name="orders.csv",
            source_columns=columns,
            body="{{ name }}: order {{ Order }}, {{ Client }}",
        )
        self.assertEqual(
            self.rows(batch_id, "number", "body", "data"),
            [("+79214800000", "Anna: order A-1, Anna", {"Order": "A-1"})],
        )
        self.assertEqual(
            self.rows(batch_id, "number", "number_raw", state="left_out"),
            [(False, "123")],
        )

    def make_contacts(self, *vals_list):
        with self.transaction() as env:
            ids = env["res.partner"].create(list(vals_list)).ids
        self.addCleanup(self._unlink, "res.partner", ids)
        return ids

    def _unlink(self, model, ids):
        with self.transaction() as env:
            env[model].browse(ids).unlink()

    # --- errors are kept on the draft -----------------------------------------------

    def test_wrong_texts_are_named_on_the_draft(self):
        for text, words in (
            ("Hi {{ nmae }}", "Did you mean “name”"),
            ("Hi {{ object.env }}", "no value named “object.env”"),
            ("Hi {{ name", "without its"),
            ("{{ }}", "without a name"),
            ("  ", "enter the text"),
        ):
            with self.subTest(text):
                batch_id = self.prepare(body=text)
                calculation, error = self.read_batch(
                    batch_id, "calculation", "error_text"
                )
                self.assertEqual(calculation, "failed")
                self.assertIn(words, error)
                with self.assertRaisesRegex(UserError, "out of date"):
                    self.approve(batch_id)

    def test_nobody_to_send_to_and_no_sender(self):
        batch_id = self.prepare(list_ids=False)
        self.assertIn("at least one list", self.read_batch(batch_id, "error_text"))
        batch_id = self.prepare(sender_id=False)
        self.assertIn("Sender", self.read_batch(batch_id, "error_text"))
        batch_id = self.prepare(domain="[('nothing', '=', 1)]")
        self.assertIn("Filter", self.read_batch(batch_id, "error_text"))

    def test_too_long_and_empty_texts_are_left_out(self):
        list_id = self.make_list(
            self.numbers(3, 79214700000),
            "Test: long",
            {0: {"note": "x" * 2001}, 1: {"note": "fine"}},
        )
        batch_id = self.prepare(list_ids=[Command.set([list_id])], body="{{ note }}")
        reasons = self.rows(batch_id, "reason", state="left_out")
        self.assertEqual(set(reasons), {"long_text", "no_text"})
        self.assertEqual(self.read_batch(batch_id, "total"), 1)

    def test_template_of_odoo_is_read_or_refused(self):
        with self.transaction() as env:
            model = env["ir.model"]._get("res.partner")
            ids = (
                env["sms.template"]
                .create(
                    [
                        {"name": name, "model_id": model.id, "body": body}
                        for name, body in (
                            ("Plain", "Hi {{ object.name }} of {{object.city}}"),
                            ("Sum", "{{ object.name.upper() }}"),
                        )
                    ]
                )
                .ids
            )
        self.addCleanup(self._unlink, "sms.template", ids)
        with self.transaction(self.users["manager"]) as env:
            draft = env["sms.devino.batch"].new({"template_id": ids[0]})
            draft._onchange_template_id()
            self.assertEqual(draft.body, "Hi {{ name }} of {{ city }}")
            draft.template_id = ids[1]
            with self.assertRaisesRegex(UserError, "is a calculation"):
                draft._onchange_template_id()

    # --- the figures belong to the draft as it is -----------------------------------

    def test_change_marks_the_figures_out_of_date(self):
        batch_id = self.prepare()
        self.assertTrue(self.read_batch(batch_id, "is_calculated"))
        self.write(batch_id, name="Renamed")
        self.assertTrue(self.read_batch(batch_id, "is_calculated"))
        self.write(batch_id, body="Another text")
        self.assertFalse(self.read_batch(batch_id, "is_calculated"))
        with self.assertRaisesRegex(UserError, "out of date"):
            self.approve(batch_id)
        self.calculate(batch_id)
        self.assertEqual(set(self.rows(batch_id, "body")), {"Another text"})
        self.approve(batch_id)

    @contextmanager
    def between_pages(self, *acts):
        """Do something, committed, before each page of a calculation is read."""
        acts = iter(acts)
        pages = audience.Audience.pages

        def interrupted(reader):
            for page in pages(reader):
                for act in acts:
                    act()
                    break
                yield page

        with patch.object(audience.Audience, "pages", interrupted):
            yield

    def test_draft_edited_during_its_calculation_drops_the_result(self):
        batch_id = self.draft()
        self.press(batch_id, "action_calculate")
        with self.between_pages(lambda: self.write(batch_id, body="Newer")):
            self.run_calculations()
        calculation, current = self.read_batch(batch_id, "calculation", "is_calculated")
        self.assertEqual((calculation, current), ("none", False))
        self.assertFalse(self.rows(batch_id, "id"))

    def test_recalculated_while_edited_keeps_the_newest_figures(self):
        batch_id = self.draft()
        self.press(batch_id, "action_calculate")

        def edit():
            self.write(batch_id, body="Newer {{ name }}")
            self.press(batch_id, "action_calculate")

        with self.between_pages(edit):
            self.run_calculations()
        self.assertTrue(self.read_batch(batch_id, "is_calculated"))
        self.assertEqual(
            self.rows(batch_id, "body"), [f"Newer Name {n}" for n in range(10)]
        )

    def test_edit_after_the_last_page_is_seen_too(self):
        batch_id = self.draft()
        self.press(batch_id, "action_calculate")
        summed = calculation.sum_rows

        def edit_then_sum(batch):
            self.write(batch_id, body="Newest")
            return summed(batch)

        with (
            patch.object(calculation, "sum_rows", edit_then_sum),
            # a conflict is repeated, so it is none
            self.assertNoLogs("odoo.sql_db", "ERROR"),
        ):
            self.run_calculations()
        self.assertFalse(self.read_batch(batch_id, "is_calculated"))
        self.assertFalse(self.rows(batch_id, "id"))

    def test_progress_of_a_calculation(self):
        batch_id = self.draft()
        self.press(batch_id, "action_calculate")
        seen = []

        def look():
            with self.transaction(self.users["manager"]) as env:
                seen.append(env["sms.devino.batch"].browse(batch_id).get_progress())

        look()
        with self.between_pages(look):
            self.run_calculations()
        look()
        self.assertEqual(
            [(one["calculation"], one["is_live"]) for one in seen],
            [("queued", True), ("running", True), ("none", False)],
        )

    # --- who may --------------------------------------------------------------------

    def test_draft_of_one_manager_is_finished_by_another(self):
        batch_id = self.draft()
        self.write(batch_id, "admin", body="Better")
        self.calculate(batch_id, "admin")
        self.approve(batch_id, "admin")
        people = self.read_batch(batch_id, "prepared_by_id", "sent_by_id")
        self.assertEqual(
            [person.id for person in people],
            [self.users["manager"], self.users["admin"]],
        )
        authors = self.rows(batch_id, "author_id", state="outgoing")
        self.assertEqual({user.id for user in authors}, {self.users["admin"]})

    def test_calculation_has_the_rights_of_who_asked_for_it(self):
        private = self.make_list(
            self.numbers(2, 79214700000),
            "Test: private",
            user_id=self.users["admin"],
            is_shared=False,
        )
        batch_id = self.draft()
        with self.transaction() as env:
            batch = env["sms.devino.batch"].browse(batch_id)
            batch.action_calculate()
            batch.list_ids = [Command.set([private])]
            batch.write(
                {"calculated_by_id": self.users["manager"], "calculation": "queued"}
            )
        self.run_calculations()
        with self.transaction() as env:
            error = env["sms.devino.batch"].browse(batch_id).error_text
        self.assertIn("Test: private", error)

    def test_draft_over_a_private_list_is_for_its_owner_and_administrators(self):
        private = self.make_list(
            self.numbers(2, 79214700000),
            "Test: private",
            user_id=self.users["admin"],
            is_shared=False,
        )
        batch_id = self.prepare("admin", list_ids=[Command.set([private])])
        of_batch = [("batch_id", "=", batch_id)]
        with self.transaction(self.users["manager"]) as env:
            batches = env["sms.devino.batch"]
            self.assertFalse(batches.search([("id", "=", batch_id)]))
            self.assertFalse(env["sms.devino.message"].search(of_batch))
        self.approve(batch_id, "admin")
        with self.transaction(self.users["manager"]) as env:
            batches = env["sms.devino.batch"]
            self.assertTrue(batches.search([("id", "=", batch_id)]))
            self.assertEqual(len(env["sms.devino.message"].search(of_batch)), 2)

    # --- what may be written, through RPC -------------------------------------------

    def rpc(self, model, method, *args, **kwargs):
        """Call a method as the manager's browser does; return the answer."""
        self.authenticate(self.logins["manager"], self.logins["manager"])
        answer = self.url_open(
            f"/web/dataset/call_kw/{model}/{method}",
            data=json.dumps(
                {
                    "jsonrpc": "2.0",
                    "params": {
                        "model": model,
                        "method": method,
                        "args": args,
                        "kwargs": kwargs,
                    },
                }
            ),
            headers={"Content-Type": "application/json"},
        )
        return answer.json()

    def test_rpc_writes_no_figures_and_no_states(self):
        batch_id = self.prepare()
        for values in (
            {"state": "running"},
            {"total": 1},
            {"cost_estimated": 0},
            {"calculated_revision": 99},
            {"calculation": "none"},
            {"figures": {}},
            {"mode": "test"},
            {"sent_by_id": 1},
        ):
            with self.subTest(values), self.assertLogs("odoo.http", "WARNING"):
                answer = self.rpc("sms.devino.batch", "write", [batch_id], values)
                self.assertIn("cannot be written", answer["error"]["data"]["message"])
        with self.assertLogs("odoo.http", "WARNING"):
            answer = self.rpc(
                "sms.devino.batch", "create", {"name": "x", "state": "running"}
            )
        self.assertIn("error", answer)
        [created] = self.rpc(
            "sms.devino.batch",
            "create",
            [{"name": "x"}],
            context={"default_state": "running", "default_total": 5},
        )["result"]
        self.assertEqual(self.read_batch(created, "state", "total"), ("draft", 0))

    def test_rpc_changes_nothing_but_the_name_after_send(self):
        batch_id = self.send_mass()
        for values in (
            {"body": "x"},
            {"list_ids": [Command.clear()]},
            {"scheduled_at": "2050-01-01 00:00:00"},
            {"validity": 5},
        ):
            with self.subTest(values), self.assertLogs("odoo.http", "WARNING"):
                answer = self.rpc("sms.devino.batch", "write", [batch_id], values)
                self.assertIn("Only the name", answer["error"]["data"]["message"])
        answer = self.rpc("sms.devino.batch", "write", [batch_id], {"name": "Renamed"})
        self.assertTrue(answer["result"])

    def test_account_sender_and_list_of_another_company_are_refused(self):
        with self.transaction() as env:
            company = env["res.company"].create({"name": "Test: theirs"})
            account = self._create_account(env, company_id=company.id, name="Theirs")
            values = {
                "account_id": account.id,
                "sender_id": account.sender_ids.id,
            }
        batch_id = self.prepare()
        for name, value in values.items():
            with self.subTest(name), self.assertRaises(UserError):
                self.write(batch_id, **{name: value})
        with self.transaction() as env:
            env.cr.execute(
                "UPDATE sms_devino_batch SET account_id = %(account_id)s, "
                "sender_id = %(sender_id)s",
                values,
            )
        with self.assertRaises(UserError):
            self.approve(batch_id)

    # --- what stays, what goes ------------------------------------------------------

    def test_copy_is_a_new_draft(self):
        batch_id = self.send_mass(name="First")
        with self.transaction(self.users["manager"]) as env:
            copy = env["sms.devino.batch"].browse(batch_id).copy()
            self.assertEqual(
                (copy.name, copy.body, copy.list_ids.ids, copy.state, copy.total),
                ("First (copy)", "Sale today", [self.list_id], "draft", 0),
            )
            self.assertEqual(copy.prepared_by_id.id, self.users["manager"])

    def test_draft_is_deleted_with_its_rows_and_a_sent_one_refused(self):
        batch_id = self.prepare()
        self.press(batch_id, "unlink")
        self.assertFalse(self.states())
        batch_id = self.send_mass()
        with self.assertRaisesRegex(UserError, "was sent and stays"):
            self.press(batch_id, "unlink")

    def test_rows_of_an_old_draft_go_and_the_draft_stays(self):
        old, young = self.prepare(), self.prepare()
        with self.transaction() as env:
            env.cr.execute(
                "UPDATE sms_devino_batch SET write_date = %s WHERE id = %s",
                [fields.Datetime.now() - timedelta(days=31), old],
            )
        with self.transaction() as env:
            env["sms.devino.batch"]._gc_draft_rows()
        self.assertFalse(self.rows(old, "id"))
        self.assertEqual(len(self.rows(young, "id")), 10)
        self.assertEqual(self.read_batch(old, "is_calculated", "total"), (False, 10))

    def test_big_batch_enters_the_queue_in_pages(self):
        with self.in_pages_of(4):
            batch_id = self.send_mass()
            self.assertEqual(self.states(), {"outgoing": 4, "draft": 6})
            self.assertEqual(self.progress(batch_id), {"waiting": 10})
            with self.transaction() as env:
                moved = batch_course.feed(env["sms.devino.batch"])
                self.assertFalse(moved, "the queue is full")
            for _run in range(3):
                self.dispatch()
        self.assertAllAgree(batch_id, sent=10)

    def test_pause_and_cancel_reach_rows_that_are_not_in_the_queue_yet(self):
        with self.in_pages_of(4):
            batch_id = self.send_mass()
            self.press(batch_id, "action_pause")
            self.dispatch()
            self.assertFalse(self.provider.ledger)
            other = self.send_mass(name="Not held up", body="Another text")
            for _run in range(3):
                self.dispatch()
            self.assertEqual(self.progress(other), {"sent": 10})
            self.press(batch_id, "action_cancel")
            self.dispatch()
        self.assertEqual(self.progress(batch_id), {"canceled": 10})

    @contextmanager
    def in_pages_of(self, count):
        with patch(f"{audience.__package__}.batch_course.PAGE", count):
            yield
