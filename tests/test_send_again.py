"""Sending the same again: where it is safe, where it is a risk, where not at all."""

from lxml import etree

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..services.message_states import RISKY_TO_REPEAT, SAFE_TO_REPEAT
from ..services.message_words import list_events
from .base_case import SmsCase
from .common import LiveCase
from .mass_case import MassCase


@tagged("post_install", "-at_install", "sms_devino")
class TestSendAgain(SmsCase):
    def message_in(self, state, **options):
        """A message of the user that has come to ``state``."""
        message = self.enqueue(**options)
        self.env.cr.execute(
            "UPDATE sms_devino_message SET state = %s WHERE id = %s",
            [state, message.id],
        )
        message.invalidate_recordset()
        return message

    def repeat(self, message):
        action = message.action_send_again()
        return message.browse(action["res_id"])

    def test_only_where_the_first_has_not_arrived(self):
        states = dict(self.env["sms.devino.message"]._fields["state"].selection)
        for state in states:
            message = self.message_in(state)
            with self.subTest(state):
                if state in SAFE_TO_REPEAT + RISKY_TO_REPEAT:
                    self.assertEqual(self.repeat(message).state, "outgoing")
                else:
                    with self.assertRaisesRegex(UserError, "is not sent again"):
                        message.action_send_again()

    def test_buttons_open_the_form_filled_in(self):
        view = self.env_of("user")["sms.devino.message"].get_view(view_type="form")
        action = self.env.ref("sms_devino.sms_composer_action_again")
        buttons = etree.fromstring(view["arch"]).xpath(
            f"//button[@name='{action.id}' and @type='action']"
        )
        shown = [(button.get("string"), button.get("confirm")) for button in buttons]
        self.assertEqual(
            [text for text, _question in shown],
            ["Send again", "Correct the number", "Send again"],
        )
        self.assertIn("twice", shown[2][1])

    def test_number_refused_for_good_is_not_offered_again(self):
        message = self.message_in("failed")
        self.assertFalse(message.is_number_refused)
        message.sudo().operation_status = "Error_Invalid_Destination_Address"
        self.assertTrue(message.is_number_refused)
        with self.assertRaisesRegex(UserError, "does not accept the number"):
            message.action_send_again()
        self.assertFalse(message.repeated_by_ids)

    def test_new_message_is_a_copy_that_knows_its_origin(self):
        partner = self.env["res.partner"].create({"name": "Anna"})
        message = self.message_in(
            "undelivered", text="Привет", partner=partner, record=partner
        )
        copy = self.repeat(message)
        for name in ("number", "body", "sender_name", "account_id"):
            self.assertEqual(copy[name], message[name], name)
        self.assertEqual((copy.partner_id, copy.res_id), (partner, partner.id))
        self.assertEqual(copy.repeat_of_id, message)
        self.assertEqual(message.repeated_by_ids, copy)
        self.assertEqual((message.state, copy.attempts), ("undelivered", 0))

    def test_pressed_twice_it_sends_once(self):
        message = self.message_in("failed")
        copy = self.repeat(message)
        with self.assertRaisesRegex(UserError, "is not sent again"):
            message.action_send_again()
        self.assertEqual(message.repeated_by_ids, copy)

    def test_repeat_of_a_repeat_points_at_the_first(self):
        message = self.message_in("failed")
        copy = self.repeat(message)
        copy.action_cancel()
        third = self.repeat(copy)
        self.assertEqual(third.repeat_of_id, message)
        self.assertEqual(message.repeated_by_ids, copy + third)

    def test_blacklisted_number_is_not_sent_to_again(self):
        message = self.message_in("failed")
        self.env["phone.blacklist"]._add([message.number])
        with self.assertRaisesRegex(UserError, "blacklist"):
            message.action_send_again()
        self.assertFalse(message.repeated_by_ids)

    def test_too_little_money_is_refused(self):
        message = self.message_in("failed")
        self.account._note_balance(0.5)
        with self.assertRaisesRegex(UserError, "balance is not enough"):
            message.action_send_again()
        self.assertFalse(message.repeated_by_ids)

    def test_more_than_a_user_may_reach(self):
        self.company.sms_devino_user_limit = 1
        messages = self.message_in("failed") | self.message_in("canceled")
        with self.assertRaises(AccessError):
            messages.action_send_again()
        messages.with_env(self.env_of("manager")).action_send_again()
        self.assertEqual(len(messages.repeated_by_ids), 2)

    def test_repeat_that_failed_too_may_be_repeated(self):
        message = self.message_in("failed")
        copy = self.repeat(message)
        copy.action_cancel()
        self.assertNotEqual(self.repeat(message), copy)

    def test_several_at_once_are_all_or_none(self):
        good = self.message_in("failed") | self.message_in("canceled")
        with self.assertRaises(UserError):
            (good | self.message_in("delivered")).action_send_again()
        self.assertFalse(good.repeated_by_ids)
        good.action_send_again()
        self.assertEqual(len(good.repeated_by_ids), 2)

    def test_document_opens_for_whoever_may_read_it(self):
        partner = self.env["res.partner"].create({"name": "Anna"})
        message = self.enqueue(record=partner)
        self.assertEqual(message.document_name, "Anna")
        action = message.action_open_document()
        self.assertEqual(
            (action["res_model"], action["res_id"]), ("res.partner", partner.id)
        )

    def test_documents_are_named_by_one_query_a_model(self):
        partners = self.env["res.partner"].create(
            [{"name": f"P{number}"} for number in range(20)]
        )
        messages = self.env["sms.devino.message"]
        for partner in partners:
            messages |= self.enqueue(record=partner).sudo()
        self.env.flush_all()
        self.env.invalidate_all()
        messages.mapped("res_id")
        with self.assertQueryCount(2):  # which exist, and their names
            names = messages.mapped("document_name")
        self.assertEqual(names, partners.mapped("name"))

    def test_document_that_is_gone_is_named_as_such(self):
        partner = self.env["res.partner"].create({"name": "Anna"})
        message = self.enqueue(record=partner)
        partner.unlink()
        message.invalidate_recordset()
        self.assertFalse(message.document_name)
        with self.assertRaisesRegex(UserError, "document is gone"):
            message.action_open_document()

    def test_canceled_in_time_and_no_later(self):
        for state in ("scheduled", "outgoing"):
            message = self.message_in(state)
            message.action_cancel()
            self.assertEqual(message.state, "canceled")
        for state in ("sending", "sent", "delivered", "unknown", "canceled"):
            with (
                self.subTest(state),
                mute_logger("odoo.addons.sms_devino.services.message_life"),
                self.assertRaisesRegex(UserError, "Too late"),
            ):
                self.message_in(state).action_cancel()


@tagged("post_install", "-at_install", "sms_devino")
class TestSendAgainLive(LiveCase):
    def test_undelivered_message_goes_once_more(self):
        first = self.enqueue("79214563791", "Once more")
        self.dispatch()
        self.provider.advance(60)
        self.check_statuses()
        self.assertEqual(self.read(first, "state"), "undelivered")
        with self.message(first) as message:
            second = message.action_send_again()["res_id"]
        self.dispatch()
        self.assertEqual(self.read(second, "state"), "sent")
        self.assertEqual(len(self.provider.ledger), 2)
        self.assertEqual(self.read(first, "state"), "undelivered")

    def test_timeline_tells_in_the_order_of_what_happened(self):
        message_id = self.enqueue()
        self.dispatch()
        self.provider.advance(60)
        self.check_statuses()
        with self.message(message_id) as message:
            steps = [event["text"] for event in list_events(message)]
        self.assertEqual(
            steps[:3],
            ["Created", "Attempt to send", "Accepted by the provider"],
        )
        self.assertIn("Delivered", steps)
        self.assertLedgerIsJournal()


@tagged("post_install", "-at_install", "sms_devino")
class TestSendAgainAtOnce(MassCase):
    """*Send again* of a message and of a mass sending's failures, at the same time."""

    def setUp(self):
        super().setUp()
        rejected = self.make_list(self.numbers(2, 79214600091), "Test: rejected")
        batch_id = self.send_mass(list_ids=[(6, 0, [rejected])])
        self.dispatch()
        self.provider.advance(60)
        self.check_statuses()
        self.first_id = self.rows(batch_id, "id", state="undelivered")[0]
        self.draft_id = self.press(batch_id, "action_send_failed")["res_id"]
        self.run_calculations()

    def use_other_account(self):
        """Have the draft send through an account of its own."""
        with self.transaction() as env:
            other = self._create_account(env, name="Other")
            batch = env["sms.devino.batch"].browse(self.draft_id)
            batch.account_id = other
            batch.sender_id = other.sender_ids
        self.calculate(self.draft_id)

    def send_single(self, env):
        env["sms.devino.message"].browse(self.first_id).action_send_again()

    def send_mass_again(self, env):
        env["sms.devino.batch"].browse(self.draft_id).action_send()

    def assertSecondConflicts(self, one, other):
        """Of two transactions that do not see each other the second one conflicts,
        which makes Odoo repeat it; then it finds what the first one wrote."""
        with self.transaction(self.users["manager"]) as env:
            env.cr.execute("SELECT 1")
            with self.transaction(self.users["manager"]) as first:
                one(first)
            with (
                mute_logger("odoo.sql_db"),
                self.assertRaisesRegex(Exception, "could not serialize"),
            ):
                other(env)
            env.cr.rollback()
        with (
            self.assertRaisesRegex(UserError, "sent again"),
            self.transaction(self.users["manager"]) as env,
        ):
            other(env)
        with self.message(self.first_id) as message:
            copies = message.repeated_by_ids
            self.assertEqual(len(copies.filtered(lambda m: m.state == "outgoing")), 1)

    def test_message_first(self):
        self.assertSecondConflicts(self.send_single, self.send_mass_again)

    def test_mass_sending_first(self):
        self.assertSecondConflicts(self.send_mass_again, self.send_single)

    def test_through_different_accounts(self):
        self.use_other_account()
        self.assertSecondConflicts(self.send_single, self.send_mass_again)

    def test_through_different_accounts_mass_sending_first(self):
        self.use_other_account()
        self.assertSecondConflicts(self.send_mass_again, self.send_single)

    def test_two_tabs_of_one_message(self):
        self.assertSecondConflicts(self.send_single, self.send_single)
