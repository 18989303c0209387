from datetime import datetime, time, timedelta

from odoo import fields
from odoo.tests import Form, tagged

from ..services.record_values import format_total
from .rule_case import RuleCase

ZONE = "Europe/Moscow"


class GalleryCase(RuleCase):
    """A person who keeps rules and works with the apps that the rules are about."""

    groups = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sms_devino_account_id = cls.account
        cls.env["res.lang"]._activate_lang("en_US")
        cls.people["manager"].lang = "en_US"
        for group in cls.groups:
            cls.people["manager"].group_ids += cls.env.ref(group)
        cls.people["colleague"].partner_id.phone = "+79214563708"
        cls.today = fields.Date.context_today(cls.tag.with_context(tz=ZONE))

    def noon(self, day):
        """Noon in Moscow, UTC."""
        return datetime.combine(day, time(9))

    def ready(self, key):
        """A ready rule, added in the form and switched on, that sends at any hour."""
        form = Form(self.manager["sms.devino.rule"])
        form.ready_rule = key
        rule = form.save()
        self.assertFalse(rule.preview_problem)
        rule.write({"hour_from": 0, "hour_to": 24, "weekdays": "all"})
        if rule.kind != "match":
            rule.write({"hour": 0, "use_hours": 96})
        rule.action_switch_on()
        # as if it had been on for long
        rule.sudo().since = False
        return rule

    def assertSentOnce(self, rule, body, partner=None):
        """One message, also after a second run."""
        self.run_rules()
        self.run_rules()
        self.assertFalse(rule.error_text)
        message = self.sent(rule)
        self.assertEqual(message.mapped("body"), [body])
        self.assertIn(message.state, ("outgoing", "scheduled"))
        if partner:
            self.assertEqual(message.partner_id, partner)
        return message

    def assertCanceled(self, message):
        """A message that waits is canceled once its condition is gone."""
        message.write(
            {
                "state": "scheduled",
                "scheduled_at": fields.Datetime.now() - timedelta(minutes=1),
            }
        )
        self.env["sms.devino.message"]._release_due()
        self.assertEqual((message.state, message.reason), ("canceled", "condition"))


@tagged("post_install", "-at_install")
class TestRuleGallery(GalleryCase):
    """Each ready rule of the apps that are here sends once, and not in vain."""

    groups = ("stock.group_stock_user", "event.group_event_user")

    def test_the_rules_of_apps_that_are_here_are_offered(self):
        field = self.env["sms.devino.rule"]._fields["ready_rule"]
        offered = dict(field._description_selection(self.manager))
        for key, model in (
            ("order_confirmed", "sale.order"),
            ("order_ready", "stock.picking"),
            ("on_its_way", "stock.picking"),
            ("invoice_due", "account.move"),
            ("overdue_3", "account.move"),
            ("overdue_14", "account.move"),
            ("meeting", "calendar.event"),
            ("birthday", "res.partner"),
            ("event", "event.registration"),
            ("task", "project.task"),
            ("activities", "mail.activity"),
        ):
            with self.subTest(key):
                self.assertEqual(key in offered, model in self.env)

    # --- stock ----------------------------------------------------------------------

    def picking(self, **values):
        warehouse = self.env["stock.warehouse"].search(
            [("company_id", "=", self.company.id)], limit=1
        )
        product = self.env["product.product"].create({"name": "Tea", "type": "consu"})
        places = {
            "location_id": warehouse.lot_stock_id.id,
            "location_dest_id": self.env.ref("stock.stock_location_customers").id,
        }
        places |= values
        move = {"product_id": product.id, "product_uom_qty": 1, **places}
        return self.env["stock.picking"].create(
            {
                "picking_type_id": warehouse.out_type_id.id,
                "partner_id": self.contact().id,
                "company_id": self.company.id,
                "origin": "S00017",
                "move_ids": [(0, 0, move)],
                **places,
            }
        )

    def test_an_order_that_is_ready(self):
        rule = self.ready("order_ready")
        picking = self.picking()
        self.run_rules()
        self.assertFalse(self.sent(rule), "a draft")
        picking.action_confirm()
        text = "Your order S00017 is ready for pick-up."
        message = self.assertSentOnce(rule, text, picking.partner_id)
        picking.action_cancel()
        self.assertCanceled(message)

    def test_an_order_that_left(self):
        rule = self.ready("on_its_way")
        picking = self.picking()
        picking.action_confirm()
        self.run_rules()
        self.assertFalse(self.sent(rule), "not yet")
        picking.move_ids.picked = True
        picking._action_done()
        self.assertSentOnce(
            rule, "Your order S00017 is on its way to you.", picking.partner_id
        )

    def test_goods_that_go_back_to_a_vendor_are_no_order(self):
        rules = self.ready("order_ready"), self.ready("on_its_way")
        vendors = self.env.ref("stock.stock_location_suppliers")
        picking = self.picking(location_dest_id=vendors.id)
        picking.action_confirm()
        self.run_rules()
        picking.move_ids.picked = True
        picking._action_done()
        self.run_rules()
        self.assertEqual([len(self.sent(rule)) for rule in rules], [0, 0])

    # --- calendar -------------------------------------------------------------------

    def meeting(self, partners, **values):
        start = self.noon(self.today + timedelta(days=1))
        return self.env["calendar.event"].create(
            {
                "name": "Fitting",
                "start": start,
                "stop": start + timedelta(hours=1),
                "partner_ids": partners.ids,
                "user_id": False,
                **values,
            }
        )

    def shown(self, moment):
        local = fields.Datetime.context_timestamp(
            self.tag.with_context(tz=ZONE), moment
        )
        return f"{local:%-m/%-d/%y}, {local:%-I:%M} {local:%p}"

    def test_a_meeting_tomorrow(self):
        meeting = self.meeting(self.contact())
        rule = self.ready("meeting")
        text = f"We expect you tomorrow: Fitting, {self.shown(meeting.start)}."
        message = self.assertSentOnce(rule, text, meeting.partner_ids)
        meeting.active = False
        self.assertCanceled(message)

    def test_who_declined_and_who_invites_are_not_expected(self):
        anna, boris = self.contact(), self.contact("+79214563702", "Boris")
        host = self.people["colleague"]
        meeting = self.meeting(anna + boris + host.partner_id, user_id=host.id)
        declined = meeting.attendee_ids.filtered(lambda one: one.partner_id == boris)
        declined.state = "declined"
        rule = self.ready("meeting")
        text = f"We expect you tomorrow: Fitting, {self.shown(meeting.start)}."
        self.assertSentOnce(rule, text, anna)

    # --- events ---------------------------------------------------------------------

    def registration(self, **values):
        start = self.noon(self.today + timedelta(days=1))
        event = self.env["event.event"].create(
            {
                "name": "Tasting",
                "date_begin": start,
                "date_end": start + timedelta(hours=2),
                "company_id": self.company.id,
            }
        )
        return self.env["event.registration"].create(
            {
                "event_id": event.id,
                "name": "Anna",
                "phone": "+79214563701",
                "state": "open",
                **values,
            }
        )

    def test_an_event_tomorrow(self):
        registration = self.registration()
        self.registration(state="draft", phone="+79214563702")
        rule = self.ready("event")
        event = registration.event_id
        text = f"Tomorrow: Tasting, {self.shown(event.date_begin)}."
        message = self.assertSentOnce(rule, text)
        self.assertEqual(message.number, "+79214563701")
        event.kanban_state = "cancel"
        self.assertCanceled(message)

    def test_an_event_that_is_canceled_is_not_announced(self):
        self.registration().event_id.kanban_state = "cancel"
        rule = self.ready("event")
        self.run_rules()
        self.assertFalse(self.sent(rule))

    # --- amounts --------------------------------------------------------------------

    def test_amounts_of_several_currencies_are_not_added_up(self):
        euro = self.env.ref("base.EUR")
        euro.active = True
        self.other_company.currency_id = euro
        leads = self.env["crm.lead"].create(
            [
                {
                    "name": "Debt",
                    "type": "opportunity",
                    "expected_revenue": revenue,
                    "company_id": company.id,
                }
                for company, revenue in (
                    (self.company, 1000),
                    (self.company, 200.5),
                    (self.other_company, 7),
                )
            ]
        )
        env = self.env(context={"lang": "en_US"})
        own = self.company.currency_id.name
        self.assertEqual(
            format_total(env, leads, "expected_revenue"), f"1,200.50 {own}, 7.00 EUR"
        )
        self.assertEqual(format_total(env, leads[:2], "expected_revenue"), "1,200.50")

    # --- what is there without any app ----------------------------------------------

    def test_a_birthday(self):
        contact = self.contact(sms_devino_greeting_date=self.today.replace(year=1988))
        rule = self.ready("birthday")
        text = "Dear Anna, best wishes on your special day!"
        message = self.assertSentOnce(rule, text, contact)
        contact.active = False
        self.assertCanceled(message)

    def test_activities_of_a_day(self):
        for name in ("Anna", "Boris"):
            self.contact(name=name).activity_schedule(
                "mail.mail_activity_data_todo",
                self.today,
                user_id=self.people["colleague"].id,
            )
        # a person sees the activities of records that they may change
        self.people["manager"].group_ids += self.env.ref("base.group_partner_manager")
        rule = self.ready("activities")
        # the test database has more of them, of other people
        self.run_rules()
        self.run_rules()
        self.assertFalse(rule.error_text)
        message = self.sent(rule).filtered(lambda one: one.number == "+79214563708")
        self.assertEqual(message.body, "Activities due today in Odoo: 2")
