"""A person at the base screens, in a real browser."""

import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

from odoo import SUPERUSER_ID, api
from odoo.http import root
from odoo.tests import tagged

from .common import LiveCase, remove_journal

JOURNAL = "/odoo/action-sms_devino.sms_devino_message_action"
ACCOUNTS = "/odoo/action-sms_devino.sms_devino_account_action"


@tagged("post_install", "-at_install", "sms_devino")
class TestToursBase(LiveCase):
    lang = "en_US"

    def tour(self, name, kind, url=JOURNAL, *, lang="en_US", prefix="sms_devino_base_"):
        self.lang = lang
        self._speak(kind, lang)
        self.start_tour(
            url,
            f"{prefix}{name}",
            login=self.logins[kind],
            cookies={"sandbox_port": str(urlsplit(self.server.url).port)},
        )

    def authenticate(self, *args, **kwargs):
        """Log in; the test's own transaction is older than the choice of a language."""
        session = super().authenticate(*args, **kwargs)
        session.context = {**session.context, "lang": self.lang}
        root.session_store.save(session)
        self.registry.clear_cache()
        return session

    def _speak(self, kind, lang):
        """Have a person see Odoo in a language, as an administrator would set it."""
        with self.transaction() as env:
            known = env["res.lang"].with_context(active_test=False)
            was_active = known.search([("code", "=", lang)]).active
            env["res.lang"]._activate_lang(lang)
            if not was_active:
                self.addCleanup(self._deactivate, lang, kind)
            addon = env["ir.module.module"].search([("name", "=", "sms_devino")])
            addon._update_translations([lang])
            env["res.users"].browse(self.users[kind]).lang = lang

    def _deactivate(self, lang, kind):
        with self.transaction() as env:
            env["res.users"].browse(self.users[kind]).lang = False
            env["res.partner"].with_context(active_test=False).search(
                [("lang", "=", lang)]
            ).lang = False
            env["res.lang"].search([("code", "=", lang)]).active = False

    @contextmanager
    def scheduled_action(self, *, time_comes=False):
        """Meanwhile the scheduled action runs as on a server.

        :param bool time_comes: also let the time of every scheduled message come
        """
        over = threading.Event()

        def serve():
            while not over.wait(0.3):
                with self.registry.cursor() as cr:
                    if time_comes:
                        self._bring_time(cr)
                    # another transaction than the test's own
                    # pylint: disable-next=invalid-commit
                    cr.commit()
                    env = api.Environment(cr, SUPERUSER_ID, {})
                    env["sms.devino.dispatcher"]._cron_dispatch()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _bring_time(self, cr):
        cr.execute(
            "UPDATE sms_devino_message SET scheduled_at = now() "
            "AT TIME ZONE 'UTC' - interval '1 second' "
            "WHERE state = 'scheduled' "
            "AND create_date < now() AT TIME ZONE 'UTC' - interval '2 s'"
        )

    def test_account_is_connected(self):
        """A wrong password, then the right one."""
        self.tour("account", "admin", ACCOUNTS)
        with self.transaction() as env:
            account = env["sms.devino.account"].browse(self.account_id)
            self.assertEqual((account.state, account.balance), ("ready", 1000))

    def test_message_is_sent_now_and_followed_until_delivered(self):
        for kind in ("user", "manager"):
            with self.subTest(kind), self.scheduled_action():
                self.tour("send_now", kind)
                self.assertEqual(self.states(), {"delivered": 1})
                self.assertEqual(self.provider.ledger[0].text, "Price list - 5€")
                self.assertLedgerIsJournal()
                self._clean_up_messages()

    def _clean_up_messages(self):
        with self.transaction() as env:
            env.cr.execute("TRUNCATE sms_devino_message CASCADE")
        self.provider.reset()

    def test_two_numbers_in_latin_letters(self):
        self.tour("two_numbers", "user")
        self.dispatch()
        self.assertEqual(self.states(), {"sent": 2})
        texts = {entry.text for entry in self.provider.ledger}
        self.assertEqual(len(texts), 1)
        self.assertTrue(texts.pop().startswith("Vash zakaz N 1026 gotov - zhdem"))

    def test_delayed_message_is_canceled(self):
        self.tour("delayed_canceled", "user")
        self.dispatch()
        self.assertEqual(self.states(), {"canceled": 1})
        self.assertFalse(self.provider.ledger)

    def test_delayed_message_leaves_at_its_time(self):
        with self.scheduled_action(time_comes=True):
            self.tour("delayed_leaves", "user")
        self.assertEqual(self.states(), {"sent": 1})
        self.assertLedgerIsJournal()

    def test_message_is_sent_from_a_contact_in_russian(self):
        with self.transaction() as env:
            partner = env["res.partner"].create(
                {"name": "Анна", "phone": "+7 921 456-37-63"}
            )
        self.addCleanup(self._remove, partner.id)
        with self.scheduled_action():
            self.tour(
                "contact_ru", "manager", f"/odoo/res.partner/{partner.id}", lang="ru_RU"
            )
        self.assertEqual(self.states(), {"delivered": 1})
        self.assertLedgerIsJournal()

    def _remove(self, partner_id):
        with self.transaction() as env:
            env["res.partner"].browse(partner_id).unlink()

    def test_from_an_empty_database_to_the_first_message(self):
        with self.transaction() as env:
            remove_journal(env)
            defaults = {
                "url": self.server.url,
                "allow_private_address": True,
                "country_id": env.ref("base.ru").id,
            }
            for name, value in defaults.items():
                env["ir.default"].set("sms.devino.account", name, value)
        self.addCleanup(self._forget_defaults)
        with self.scheduled_action():
            self.tour("first_steps", "admin", "/odoo", prefix="sms_devino_")
        [entry] = self.provider.ledger
        self.assertEqual(entry.number, "79214500000")
        self.assertLedgerIsJournal()

    def _forget_defaults(self):
        with self.transaction() as env:
            fields = env["ir.model.fields"].search(
                [("model", "=", "sms.devino.account")]
            )
            env["ir.default"].search([("field_id", "in", fields.ids)]).unlink()
