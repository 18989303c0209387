from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged

from .base_case import SmsCase
from .rule_case import RuleCase


@tagged("post_install", "-at_install")
class TestRule(RuleCase):
    # --- once each ------------------------------------------------------------------

    def test_a_record_that_comes_to_meet_the_filter_gets_one_message(self):
        rule = self.on()
        self.contact()
        self.run_rules()
        self.run_rules()
        message = self.sent(rule)
        self.assertRecordValues(
            message,
            [
                {
                    "number": "+79214563701",
                    "body": "Hello Anna",
                    "state": "outgoing",
                    "sender_name": "Ours",
                    "purpose": "service",
                    "author_id": self.people["manager"].id,
                    "company_id": self.company.id,
                    "res_model": "res.partner",
                    "segment_count": 1,
                }
            ],
        )
        self.assertTrue(message.use_until)
        self.assertFalse(rule.error_text)

    def test_a_rule_that_is_off_sends_nothing(self):
        rule = self.rule()
        self.contact()
        self.run_rules()
        self.assertFalse(self.sent(rule))

    def test_switching_on_sends_nothing_to_what_meets_the_filter_already(self):
        known = self.contact()
        rule = self.on()
        self.run_rules()
        self.assertFalse(self.sent(rule))
        self.assertEqual(rule.seen_count, 1)
        rule.action_send_seen()
        self.run_rules()
        self.assertEqual(self.sent(rule).partner_id, known)
        self.assertEqual(rule.seen_count, 0)

    def test_what_left_the_filter_meanwhile_is_not_among_these_too(self):
        known = self.contact()
        rule = self.on()
        known.category_id = False
        self.assertEqual(rule.seen_count, 0)
        rule.action_send_seen()
        self.run_rules()
        self.assertFalse(self.sent(rule))

    def test_switched_off_and_on_again_it_sends_nothing_twice(self):
        rule = self.on()
        self.contact()
        self.run_rules()
        rule.action_switch_off()
        rule.action_switch_on()
        self.run_rules()
        self.assertEqual(len(self.sent(rule)), 1)

    # --- a flood --------------------------------------------------------------------

    def test_more_than_the_cap_waits_for_a_person(self):
        rule = self.on(cap=2)
        for number in range(3):
            self.contact(f"+7921456370{number}")
        self.run_rules()
        self.run_rules()
        self.assertFalse(self.sent(rule))
        self.assertEqual(rule.held_count, 3)
        self.assertEqual(rule.activity_ids.user_id, self.people["manager"])
        self.assertEqual(len(rule.activity_ids), 1, "asked once")
        rule.action_send_held()
        self.run_rules()
        self.assertEqual(len(self.sent(rule)), 3)
        self.assertEqual((rule.held_count, rule.is_cap_lifted), (0, False))
        self.assertFalse(rule.activity_ids)

    def test_what_waits_for_a_person_can_be_skipped(self):
        rule = self.on(cap=1)
        for number in range(2):
            self.contact(f"+7921456370{number}")
        self.run_rules()
        rule.action_skip_held()
        self.run_rules()
        self.assertFalse(self.sent(rule))
        self.assertFalse(rule.held_count)

    # --- by a date ------------------------------------------------------------------

    def meeting(self, **values):
        return self.env["calendar.event"].create(
            {
                "name": "Talk",
                "start": fields.Datetime.now() + timedelta(minutes=30),
                "stop": fields.Datetime.now() + timedelta(hours=2),
                "partner_ids": self.contact().ids,
                "user_id": False,
                **values,
            }
        )

    def by_date(self, **values):
        rule = self.on(
            model="calendar.event",
            domain="[('name', '=', 'Talk')]",
            kind="date",
            date_field="start",
            delay=1,
            delay_unit="hours",
            body="Soon: {{ name }}",
            **values,
        )
        # as if it had been on for long
        rule.sudo().since = False
        return rule

    def test_a_record_gets_a_message_when_its_time_has_come(self):
        soon = self.meeting()
        self.meeting(start=fields.Datetime.now() + timedelta(minutes=90))
        rule = self.by_date()
        self.run_rules()
        self.run_rules()
        message = self.sent(rule)
        self.assertEqual(message.mapped("res_id"), soon.ids)
        self.assertEqual(message.body, "Soon: Talk")
        self.assertEqual(message.use_until, soon.start + timedelta(hours=23))

    def test_another_date_is_another_occasion(self):
        meeting = self.meeting()
        rule = self.by_date()
        self.run_rules()
        meeting.start += timedelta(minutes=10)
        self.run_rules()
        self.assertEqual(len(self.sent(rule)), 2)

    def test_after_a_day_without_the_server_only_what_is_of_use_is_sent(self):
        self.meeting(start=fields.Datetime.now() - timedelta(hours=2))
        late = self.meeting(start=fields.Datetime.now() + timedelta(minutes=5))
        rule = self.by_date(use_hours=2)
        self.run_rules()
        self.assertEqual(self.sent(rule).mapped("res_id"), late.ids)

    def test_what_was_due_before_the_rule_was_on_is_sent_only_when_asked_for(self):
        self.meeting()
        rule = self.by_date()
        rule.sudo().since = fields.Datetime.now()
        self.run_rules()
        self.assertFalse(self.sent(rule))
        self.assertEqual(rule.seen_count, 1)
        rule.action_send_seen()
        self.run_rules()
        self.assertEqual(len(self.sent(rule)), 1)

    def test_each_contact_of_a_record_gets_a_message(self):
        two = self.contact() + self.contact("+79214563702", "Boris")
        self.meeting(partner_ids=two.ids)
        rule = self.by_date()
        self.run_rules()
        self.run_rules()
        self.assertEqual(self.sent(rule).partner_id, two)

    # --- looked at again ------------------------------------------------------------

    def scheduled(self, rule):
        """Have the messages of a rule wait, and their time come."""
        messages = self.sent(rule)
        messages.write(
            {
                "state": "scheduled",
                "scheduled_at": fields.Datetime.now() - timedelta(minutes=1),
            }
        )
        return messages

    def test_a_message_whose_condition_no_longer_holds_is_canceled(self):
        rule = self.on()
        gone, there = self.contact(), self.contact("+79214563702")
        self.run_rules()
        messages = self.scheduled(rule)
        gone.category_id = False
        self.env["sms.devino.message"]._release_due()
        by_partner = {message.partner_id: message for message in messages}
        self.assertEqual(by_partner[gone].state, "canceled")
        self.assertEqual(by_partner[gone].reason, "condition")
        self.assertEqual(by_partner[there].state, "outgoing")
        self.run_rules()
        self.assertEqual(len(self.sent(rule)), 2, "not sent anew")

    def test_a_message_about_a_date_that_moved_is_canceled(self):
        meeting = self.meeting()
        rule = self.by_date()
        self.run_rules()
        message = self.scheduled(rule)
        meeting.start += timedelta(days=7)
        self.env["sms.devino.message"]._release_due()
        self.assertEqual(message.state, "canceled")

    def test_each_contacts_message_leaves_while_the_condition_holds(self):
        two = self.contact() + self.contact("+79214563702", "Boris")
        self.meeting(partner_ids=two.ids)
        rule = self.by_date()
        self.run_rules()
        messages = self.scheduled(rule)
        self.env["sms.devino.message"]._release_due()
        self.assertEqual(messages.mapped("state"), ["outgoing"] * 2)

    def test_a_message_that_waits_in_the_queue_is_looked_at_again(self):
        rule = self.on()
        contact = self.contact()
        self.run_rules()
        message = self.sent(rule)
        self.env.cr.execute(
            "UPDATE sms_devino_message SET create_date = create_date - interval '1h' "
            "WHERE id = %s",
            [message.id],
        )
        contact.category_id = False
        self.run_rules()
        self.assertEqual((message.state, message.reason), ("canceled", "condition"))

    def test_switching_off_cancels_what_has_not_left(self):
        rule = self.on()
        self.contact()
        self.run_rules()
        rule.action_switch_off()
        self.assertEqual(
            (self.sent(rule).state, self.sent(rule).reason), ("canceled", "rule_off")
        )

    # --- one for each contact -------------------------------------------------------

    def leads(self, contact, *revenues):
        return self.env["crm.lead"].create(
            [
                {
                    "name": f"Debt {revenue}",
                    "type": "opportunity",
                    "partner_id": contact.id,
                    "phone": contact.phone,
                    "expected_revenue": revenue,
                    "date_deadline": f"2026-11-{20 - index}",
                    "company_id": self.company.id,
                    "user_id": self.people["manager"].id,
                }
                for index, revenue in enumerate(revenues)
            ]
        )

    def grouped(self, **values):
        self.people["manager"].group_ids += self.env.ref(
            "sales_team.group_sale_manager"
        )
        return self.on(
            model="crm.lead",
            domain="[('name', '=like', 'Debt %')]",
            is_grouped=True,
            total_field="expected_revenue",
            date_field="date_deadline",
            body="{{ count }} for {{ total }} since {{ date }}",
            **values,
        )

    def test_records_of_one_contact_make_one_message(self):
        rule = self.grouped()
        anna, boris = self.contact(), self.contact("+79214563702", "Boris")
        self.leads(anna, 100, 250.5)
        self.leads(boris, 7)
        self.run_rules()
        self.run_rules()
        texts = {one.partner_id: one.body for one in self.sent(rule)}
        self.assertEqual(
            texts,
            {
                anna: "2 for 350.50 since 11/19/2026",
                boris: "1 for 7.00 since 11/20/2026",
            },
        )

    def test_when_one_of_several_is_settled_the_rest_make_a_new_message(self):
        rule = self.grouped()
        leads = self.leads(self.contact(), 100, 250.5)
        self.run_rules()
        first = self.scheduled(rule)
        leads[1].name = "Paid"
        self.env["sms.devino.message"]._release_due()
        self.assertEqual(first.state, "canceled")
        self.run_rules()
        second = self.sent(rule) - first
        self.assertEqual(second.body, "1 for 100.00 since 11/20/2026")
        self.assertEqual(second.state, "outgoing")

    # --- to whom --------------------------------------------------------------------

    def test_records_without_a_number_are_a_list_to_mend(self):
        rule = self.on()
        contact = self.contact(False)
        self.run_rules()
        self.assertFalse(self.sent(rule))
        self.assertEqual(rule.missing_count, 1)
        action = rule.action_view_missing()
        found = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(found, contact)
        contact.phone = "+79214563701"
        rule.action_retry_missing()
        self.run_rules()
        self.assertEqual(self.sent(rule).partner_id, contact)
        self.assertFalse(rule.missing_count)

    def test_without_a_number_of_its_own_a_contact_is_reached_at_its_company(self):
        company = self.contact("+79214563709", "Firm", category_id=False)
        rule = self.on()
        contact = self.contact(False, parent_id=company.id, type="other")
        self.run_rules()
        self.assertRecordValues(
            self.sent(rule), [{"number": "+79214563709", "partner_id": contact.id}]
        )

    def test_the_contact_for_invoices_comes_before_the_company(self):
        rule = self.on()
        contact = self.contact(False, "Firm")
        self.contact(
            "+79214563705",
            "Books",
            parent_id=contact.id,
            type="invoice",
            category_id=False,
        )
        self.run_rules()
        self.assertEqual(self.sent(rule).number, "+79214563705")

    def test_the_field_with_the_recipient_can_be_chosen(self):
        self.people["colleague"].partner_id.phone = "+79214563708"
        rule = self.on(recipient_field="user_id")
        self.contact(user_id=self.people["colleague"].id)
        self.run_rules()
        self.assertRecordValues(
            self.sent(rule),
            [
                {
                    "number": "+79214563708",
                    "partner_id": self.people["colleague"].partner_id.id,
                }
            ],
        )

    def test_advertising_leaves_out_the_blacklist_and_service_does_not(self):
        contact = self.contact
        self.env["phone.blacklist"]._add(["+79214563701"])
        advertising, service = self.on(purpose="advertising"), self.on()
        contact()
        self.run_rules()
        self.assertFalse(self.sent(advertising))
        self.assertEqual(advertising.missing_count, 1)
        self.assertEqual(len(self.sent(service)), 1)

    def test_advertising_needs_a_consent_where_the_company_demands_it(self):
        self.company.sms_devino_consent_required = True
        self.contact()
        self.contact("+79214563702", "Boris")
        self.env["sms.devino.consent"].create(
            {
                "number": "+79214563702",
                "company_id": self.company.id,
                "purpose": "advertising",
                "given_on": "2026-01-01",
                "source": "Shop",
            }
        )
        advertising, service = self.on(purpose="advertising"), self.on()
        advertising.action_send_seen()
        service.action_send_seen()
        self.run_rules()
        self.assertEqual(self.sent(advertising).mapped("name"), ["Boris"])
        marks = self.env["sms.devino.mark"].search([("rule_id", "=", advertising.id)])
        self.assertIn("no_consent", marks.mapped("reason"))
        self.assertEqual(len(self.sent(service)), 2)

    def test_a_refusal_may_end_service_messages_too(self):
        self.env["phone.blacklist"]._add(["+79214563701"])
        self.company.sms_devino_stop_all = True
        rule = self.on()
        self.contact()
        self.run_rules()
        self.assertFalse(self.sent(rule))

    # --- the text -------------------------------------------------------------------

    def test_the_text_is_in_the_language_of_the_recipient(self):
        self.env["res.lang"]._activate_lang("ru_RU")
        rule = self.rule()
        rule.with_context(lang="ru_RU").body = "Привет {{ name }}"
        rule.action_switch_on()
        self.contact(lang="ru_RU")
        self.contact("+79214563702", "Boris")
        self.run_rules()
        self.assertEqual(
            set(self.sent(rule).mapped("body")), {"Привет Anna", "Hello Boris"}
        )

    def test_a_template_of_odoo_makes_the_text(self):
        template = self.env["sms.template"].create(
            {
                "name": "T",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "body": "Dear {{ object.name or 'client' }}",
            }
        )
        rule = self.on(template_id=template.id, body=False)
        self.contact()
        self.run_rules()
        self.assertEqual(self.sent(rule).body, "Dear Anna")

    def test_a_value_one_step_along_a_relation_is_put_in(self):
        company = self.contact(False, "Firm", city="Tver", category_id=False)
        rule = self.on(body="{{ name }} of {{ parent_id.city }}")
        self.contact(parent_id=company.id)
        self.run_rules()
        self.assertEqual(self.sent(rule).body, "Anna of Tver")

    def test_nothing_in_a_placeholder_is_evaluated(self):
        for body in ("{{ 1 + 1 }}", "{{ object.name }}", "{{ name.upper() }}"):
            with self.subTest(body), self.assertRaises(ValidationError):
                self.rule(body=body)

    # --- hours ----------------------------------------------------------------------

    def test_outside_its_hours_a_message_waits_for_the_next_ones(self):
        rule = self.on()
        now = fields.Datetime.now()
        moscow = (now + timedelta(hours=3)).hour
        opens = (moscow + 2) % 24
        rule.sudo().write({"hour_from": opens, "hour_to": opens + 1})
        self.contact()
        self.run_rules()
        message = self.sent(rule)
        self.assertEqual(message.state, "scheduled")
        self.assertTrue(now < message.scheduled_at <= now + timedelta(hours=26))

    def test_what_would_leave_too_late_is_not_sent(self):
        rule = self.on(use_hours=1)
        moscow = (fields.Datetime.now() + timedelta(hours=3)).hour
        opens = (moscow + 3) % 24
        rule.sudo().write({"hour_from": opens, "hour_to": opens + 1})
        self.contact()
        self.run_rules()
        self.assertFalse(self.sent(rule))
        mark = self.env["sms.devino.mark"].search([("rule_id", "=", rule.id)])
        self.assertEqual(mark.reason, "too_late")

    # --- faults ---------------------------------------------------------------------

    def test_a_failing_rule_stops_no_other_and_tells_its_person(self):
        broken, good = self.on(name="Broken"), self.on(name="Good")
        # as after an app with this field was uninstalled
        self.env.cr.execute(
            "UPDATE sms_devino_rule SET domain = %s WHERE id = %s",
            ["[('no_such_field', '=', 1)]", broken.id],
        )
        broken.invalidate_recordset()
        self.contact()
        self.run_rules()
        self.run_rules()
        self.assertIn("Filter", broken.error_text)
        self.assertEqual(len(broken.activity_ids), 1)
        self.assertEqual(len(self.sent(good)), 1)

    def test_a_field_that_is_gone_is_named(self):
        rule = self.on(recipient_field="user_id")
        self.env.cr.execute(
            "UPDATE sms_devino_rule SET recipient_field = 'x_gone' WHERE id = %s",
            [rule.id],
        )
        rule.invalidate_recordset()
        self.contact()
        self.run_rules()
        self.assertIn("Recipient", rule.error_text)

    def test_a_rule_that_needs_a_person_stands_in_the_overview(self):
        self.on(cap=1)
        for number in range(2):
            self.contact(f"+7921456370{number}")
        self.run_rules()
        lines = self.manager["sms.devino.day"].get_overview()["attention"]
        self.assertIn("SMS rules that need a decision: 1", [x["text"] for x in lines])

    def test_a_rule_of_a_person_who_left_does_not_send(self):
        rule = self.on()
        self.contact()
        self.people["manager"].group_ids -= self.env.ref("sms_devino.group_manager")
        self.run_rules()
        self.assertFalse(self.sent(rule))
        self.assertIn("no longer", rule.sudo().error_text)

    def test_a_rule_reaches_only_what_its_person_may_read(self):
        model = self.env["ir.model"]._get("res.partner")
        self.env["ir.rule"].create(
            {
                "name": "Test",
                "model_id": model.id,
                "domain_force": "[('name', '!=', 'Hidden')]",
            }
        )
        rule = self.on()
        self.contact(name="Hidden")
        shown = self.contact("+79214563702", "Shown")
        self.run_rules()
        self.assertEqual(self.sent(rule).partner_id, shown)

    def test_a_rule_stays_in_its_company(self):
        rule = self.on()
        self.contact(company_id=self.other_company.id)
        self.run_rules()
        self.assertFalse(self.sent(rule))

    # --- what a person may enter ----------------------------------------------------

    def test_hostile_input_is_refused_in_words(self):
        for values, words in (
            ({"domain": "__import__('os')"}, "Filter"),
            ({"domain": "[('password', '=', 1)]"}, "Filter"),
            ({"kind": "date", "date_field": "name"}, "Date"),
            ({"kind": "date", "date_field": "parent_id.create_date"}, "Date"),
            ({"recipient_field": "name"}, "Recipient"),
            ({"total_field": "name"}, "Total"),
            ({"body": "{{ unknown }}"}, "unknown"),
        ):
            with self.subTest(values), self.assertRaisesRegex(ValidationError, words):
                self.rule(**values)

    def test_a_model_that_the_user_may_not_read_cannot_be_chosen(self):
        for model in ("ir.cron", "ir.config_parameter", "res.users.apikeys", "x"):
            with (
                self.subTest(model),
                self.assertRaisesRegex((AccessError, UserError), "Records"),
            ):
                self.rule(model=model, domain="[]")

    def test_a_field_that_the_user_may_not_read_cannot_be_taken(self):
        self.patch(
            self.env["res.partner"]._fields["city"], "groups", "base.group_system"
        )
        self.env.registry.clear_cache()
        with self.assertRaises(ValidationError):
            self.rule(body="{{ city }}")

    def test_what_the_program_writes_cannot_be_written(self):
        rule = self.rule()
        for values in (
            {"is_on": True},
            {"responsible_id": self.env.uid},
            {"since": False},
        ):
            with self.subTest(values), self.assertRaises(UserError):
                rule.write(values)
            with self.subTest(values), self.assertRaises(UserError):
                self.rule(**values)

    def test_a_rule_that_is_on_is_changed_by_nobody(self):
        rule = self.on()
        for person in ("manager", "admin"):
            own = rule.with_env(self.env_of(person))
            with self.subTest(person), self.assertRaises(UserError):
                own.body = "Something else {{ name }}"
            with self.subTest(person), self.assertRaises(UserError):
                own.update_field_translations("body", {"en_US": "Something else"})
        rule.name = "Renamed"
        with self.assertRaises(UserError):
            rule.unlink()

    def test_an_incomplete_rule_cannot_be_switched_on(self):
        for values, words in (
            ({"body": False}, "Text"),
            ({"kind": "date", "date_field": False}, "Date"),
            ({"sender_id": False}, "Sender"),
        ):
            rule = self.rule()
            rule.write(values)
            with self.subTest(values), self.assertRaisesRegex(ValidationError, words):
                rule.action_switch_on()

    def test_only_managers_keep_rules(self):
        rule = self.rule()
        for person in ("user", "internal", "portal"):
            with self.subTest(person), self.assertRaises(AccessError):
                rule.with_env(self.env_of(person)).action_switch_on()

    # --- the form -------------------------------------------------------------------

    def test_the_form_shows_text_and_number_of_a_real_record_and_the_cost(self):
        self.account.price_per_segment = 2.5
        self.contact()
        rule = self.rule()
        self.assertEqual(rule.preview, "Hello Anna")
        self.assertIn("+79214563701", rule.preview_about)
        self.assertEqual(rule.match_count, 1)
        self.assertIn("2.50", rule.reach)

    def test_a_ready_rule_fills_the_form_and_is_off(self):
        self.company.sms_devino_account_id = self.account
        form = Form(self.manager["sms.devino.rule"])
        form.ready_rule = "birthday"
        rule = form.save()
        self.assertRecordValues(
            rule,
            [
                {
                    "model": "res.partner",
                    "kind": "yearly",
                    "purpose": "advertising",
                    "is_on": False,
                }
            ],
        )

    def test_every_ready_rule_that_is_offered_can_be_switched_on(self):
        self.company.sms_devino_account_id = self.account
        env = self.env_of("admin")
        env.user.group_ids += self.env.ref("stock.group_stock_user")
        env.user.group_ids += self.env.ref("event.group_event_user")
        rules = env["sms.devino.rule"]
        offered = dict(rules._fields["ready_rule"]._description_selection(env))
        self.assertIn("event", offered)
        self.assertNotIn("invoice_due", offered, "no accounting here")
        for key in offered:
            with self.subTest(key):
                form = Form(rules)
                form.ready_rule = key
                rule = form.save()
                rule.action_switch_on()
                self.assertTrue(rule.is_on)
        self.run_rules()
        self.assertFalse(any(rules.search([]).mapped("error_text")))

    def test_queries_do_not_grow_with_the_records(self):
        def count(records):
            rule = self.on()
            self.env["res.partner"].create(
                [
                    {
                        "name": f"N{index}",
                        "phone": f"+79215{rule.id % 100:02}{index:04}",
                        "category_id": self.tag.ids,
                    }
                    for index in range(records)
                ]
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.run_rules()
            rule.action_switch_off()
            used = self.env.cr.sql_log_count - before
            self.assertEqual(len(self.sent(rule)), records)
            return used

        count(5)
        few, many = count(5), count(100)
        self.assertLessEqual(many, few + 5)

    def test_queries_do_not_grow_with_the_contacts_of_a_grouped_rule(self):
        def count(contacts):
            rule = self.grouped()
            for index in range(contacts):
                number = f"+79215{rule.id % 100:02}{index:04}"
                self.leads(self.contact(number), 100, 250)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.run_rules()
            used = self.env.cr.sql_log_count - before
            self.assertEqual(len(self.sent(rule)), contacts)
            rule.action_switch_off()
            return used

        count(5)
        few, many = count(5), count(60)
        self.assertLessEqual(many, few + 5)


@tagged("post_install", "-at_install")
class TestBirthday(RuleCase):
    def test_contacts_get_a_greeting_once_a_year(self):
        rule = self.on(
            kind="yearly", date_field="sms_devino_greeting_date", hour=0, use_hours=48
        )
        rule.sudo().since = False
        today = fields.Date.context_today(rule)
        self.contact(sms_devino_greeting_date=today.replace(year=1996))
        self.contact(
            "+79214563702", sms_devino_greeting_date=today + timedelta(days=40)
        )
        self.run_rules()
        self.run_rules()
        self.assertEqual(self.sent(rule).number, "+79214563701")


@tagged("post_install", "-at_install")
class TestRuleNames(SmsCase):
    def test_the_menu_offers_fields_and_one_step(self):
        rule = self.env_of("manager")["sms.devino.rule"].new({"model": "crm.lead"})
        self.assertFalse(rule.names, "no right to read leads")
        rule = self.env_of("manager")["sms.devino.rule"].new({"model": "res.partner"})
        names = {entry["name"]: entry["label"] for entry in rule.names}
        self.assertEqual(names["parent_id.city"], "Related Company: City")
        self.assertNotIn("create_uid", names)
