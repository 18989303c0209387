import time
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from ..gateway.answers import IncomingMessage
from ..tools.stop_words import STOP_WORDS, says_one_of, split_words
from .base_case import SmsCase
from .common import LiveCase

NUMBER, OWN = "+79214563763", "79030000000"


@tagged("post_install", "-at_install")
class TestStopWords(SmsCase):
    def test_a_text_that_is_a_stop_word_however_it_is_written(self):
        for text in ("СТОП", " стоп. ", "Stop!", "С Т О П", "CTOП", "«Отписаться»"):
            self.assertTrue(says_one_of(text, STOP_WORDS), text)

    def test_a_text_that_only_contains_one_is_none(self):
        for text in ("не стоп", "Stop by tomorrow", "", "...", None):
            self.assertFalse(says_one_of(text, STOP_WORDS), text)

    def test_words_of_a_setting(self):
        self.assertEqual(
            split_words(" хватит;stop,, \n нет "), ["хватит", "stop", "нет"]
        )
        self.assertFalse(says_one_of("", ", ;"))


@tagged("post_install", "-at_install")
class TestIncoming(LiveCase):
    """What the sandbox received is asked for as the scheduled action does."""

    # What came in this very second belongs to the next look.
    clock = staticmethod(lambda: time.time() - 2)

    def setUp(self):
        super().setUp()
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            account.write(
                {"inbound_number": OWN, "incoming_user_id": self.users["admin"]}
            )
            account.company_id.sms_devino_account_id = account
        self.addCleanup(self.forget)

    def forget(self):
        with self.transaction() as env:
            env["sms.devino.incoming"].search([]).unlink()
            blacklist = env["phone.blacklist"].with_context(active_test=False)
            blacklist.search([("number", "=", NUMBER)]).unlink()
            env.company.write(
                {
                    "sms_devino_account_id": False,
                    "sms_devino_stop_all": False,
                    "sms_devino_stop_answer": False,
                }
            )

    def receive(self, *texts, source="79214563763"):
        """Have the sandbox receive messages, and ask for them."""
        for text in texts:
            self.provider.add_incoming(source, OWN, text)
        with self.transaction() as env:
            env["sms.devino.incoming"]._cron_poll()
        with self.transaction() as env:
            return (
                env["sms.devino.incoming"]
                .search([], order="id")
                .mapped(lambda one: (one.number, one.body, one.kind))
            )

    def send_as(self, user, **options):
        with self.transaction(self.users[user]) as env:
            account = env["sms.devino.account"].browse(self.account_id)
            message = env["sms.devino.message"].enqueue(
                NUMBER, "Your order is ready", account=account, **options
            )
        self.dispatch()
        return message.id

    def is_blacklisted(self):
        with self.transaction() as env:
            return bool(env["phone.blacklist"].search([("number", "=", NUMBER)]))

    def test_what_came_is_taken_once(self):
        self.assertEqual(len(self.receive("When?", "And where?")), 2)
        found = self.receive("Hello?")
        self.assertEqual(
            found,
            [(NUMBER, text, "text") for text in ("When?", "And where?", "Hello?")],
        )

    def test_without_an_own_number_nothing_is_asked(self):
        with self.transaction() as env:
            env["sms.devino.account"].browse(self.account_id).inbound_number = False
        self.assertFalse(self.receive("Hello?"))

    def test_strange_senders_and_texts_are_kept(self):
        self.receive("a\x00b", source="BANK")
        found = self.receive("c", source="")
        self.assertEqual([one[0] for one in found], ["BANK", "?"])
        self.assertEqual(found[0][1], "a\ufffdb")

    def receive_answers(self, *answers):
        """Take what the provider answers: pairs of text and seconds ago."""
        now = fields.Datetime.now()
        found = [
            IncomingMessage(
                message_id=f"id {text}",
                source="79214563763",
                destination=OWN,
                text=text,
                created=now - timedelta(seconds=ago),
            )
            for text, ago in answers
        ]
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            env["sms.devino.incoming"]._receive(account, found)
        with self.transaction() as env:
            return env["sms.devino.incoming"].search([], order="id").mapped("body")

    def test_the_same_message_twice_in_one_answer_is_one(self):
        answers = [("When?", 60), ("When?", 60)]
        self.assertEqual(self.receive_answers(*answers), ["When?"])
        self.assertEqual(self.receive_answers(*answers), ["When?"])

    def test_the_last_word_counts_in_whatever_order_it_comes(self):
        self.receive_answers(("start", 30), ("STOP", 60))
        self.assertFalse(self.is_blacklisted())
        # one that comes to light only now is older than what is known
        self.receive_answers(("Стоп", 90))
        self.assertFalse(self.is_blacklisted())
        self.receive_answers(("отписка", 10))
        self.assertTrue(self.is_blacklisted())
        self.receive_answers(("старт", 20))
        self.assertTrue(self.is_blacklisted())

    def test_after_a_failure_nothing_is_missed(self):
        self.provider.add_incoming(NUMBER, OWN, "first")
        self.server.stop()
        with self.transaction() as env:
            env["sms.devino.incoming"]._cron_poll()
        with self.transaction() as env:
            self.assertFalse(env["sms.devino.incoming"].search([]))
            self.assertFalse(
                env["sms.devino.account"].browse(self.account_id).incoming_until
            )

    def test_an_answer_gives_the_person_who_wrote_one_activity(self):
        self.send_as("user")
        self.receive("Thanks", "When do you close?")
        with self.transaction(self.users["user"]) as env:
            incoming = env["sms.devino.incoming"].search([])
            self.assertEqual(len(incoming), 2)
            self.assertEqual(len(incoming.activity_ids), 1)
            self.assertEqual(incoming.activity_ids.user_id, env.user)
            incoming.action_mark_read()
            self.assertTrue(all(incoming.mapped("is_read")))
            self.assertFalse(incoming.activity_ids)

    def test_what_answers_nobody_is_for_the_person_of_the_account(self):
        self.receive("Do you deliver?")
        with self.transaction(self.users["admin"]) as env:
            self.assertEqual(env["sms.devino.incoming"].search([]).user_id, env.user)
        with self.transaction(self.users["user"]) as env:
            self.assertFalse(env["sms.devino.incoming"].search([]))

    def test_the_text_stands_in_the_chatter_of_the_contact(self):
        with self.transaction() as env:
            partner = env["res.partner"].create({"name": "Anna", "phone": NUMBER})
        self.addCleanup(self._remove, "res.partner", partner.id)
        self.receive("<b>When?</b>")
        with self.transaction() as env:
            bodies = env["res.partner"].browse(partner.id).message_ids.mapped("body")
        self.assertIn("&lt;b&gt;When?&lt;/b&gt;", bodies[0])

    def _remove(self, model, key):
        with self.transaction() as env:
            env[model].browse(key).unlink()

    def test_stop_ends_advertising_and_start_takes_it_back(self):
        later = self.tomorrow()
        options = {"scheduled_at": later}
        advertising = self.enqueue(NUMBER, "Sale", purpose="advertising", **options)
        debt = self.enqueue(NUMBER, "Please pay", purpose="debt", **options)
        service = self.enqueue(NUMBER, "Your order", scheduled_at=later)
        self.assertEqual(self.receive("Стоп!")[0][2], "stop")
        self.assertTrue(self.is_blacklisted())
        self.assertEqual(
            self.read(advertising, "state", "reason"), ("canceled", "blacklisted")
        )
        self.assertEqual(self.read(service, "state"), "scheduled")
        self.assertEqual(self.read(debt, "state"), "scheduled")
        self.receive("start")
        self.assertFalse(self.is_blacklisted())

    def test_a_refusal_holds_though_its_answer_cannot_be_sent(self):
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            account.company_id.sms_devino_stop_answer = "x" * 3000
        with self.assertLogs("odoo.addons.sms_devino.models", "WARNING"):
            self.receive("STOP")
        with self.transaction() as env:
            blocked = env["phone.blacklist"]._sms_devino_blacklisted([NUMBER])
            self.assertEqual(blocked, {NUMBER})

    def test_stop_ends_everything_where_the_company_wants_it(self):
        with self.transaction() as env:
            env.company.write(
                {"sms_devino_stop_all": True, "sms_devino_stop_answer": "Noted."}
            )
        service = self.enqueue(NUMBER, "Your order", scheduled_at=self.tomorrow())
        self.receive("STOP")
        self.assertEqual(self.read(service, "state"), "canceled")
        self.dispatch()
        self.assertEqual([entry.text for entry in self.provider.ledger], ["Noted."])

    def tomorrow(self):
        return fields.Datetime.now() + timedelta(days=1)

    def test_reply_opens_the_form_with_the_number(self):
        self.send_as("user")
        self.receive("When?")
        with self.transaction(self.users["user"]) as env:
            action = env["sms.devino.incoming"].search([]).action_reply()
        self.assertEqual(action["res_model"], "sms.composer")
        self.assertEqual(action["context"]["default_sms_devino_number"], NUMBER)
