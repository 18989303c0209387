"""What the tests of Odoo's other apps stand on.

Apps leave behind what cannot be deleted (a confirmed delivery, say), so these tests run
inside one transaction that is undone, with the dispatcher in it; what depends on real
commits and rollbacks is tested by :class:`LiveCase`.
"""

from odoo.fields import Command
from odoo.tests import TransactionCase, new_test_user

from ..sandbox import Provider, SandboxServer
from .common import ANY_HOUR, LOGIN, PASSWORD

NUMBER, FAILING_NUMBER = "+79214563763", "+79214563791"


class AppCase(TransactionCase):
    """A company that sends through the sandbox, and somebody who works in it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        cls.company.country_id = cls.env.ref("base.ru")
        # failures are worded in the language of whoever sent
        cls.env.user.lang = "en_US"

    def setUp(self):
        super().setUp()
        self.provider = Provider()
        self.server = SandboxServer(self.provider)
        self.server.start()
        self.addCleanup(self.server.stop)
        self.account = self.create_account(self.company)
        self.company.sms_devino_account_id = self.account
        self.partner = self.env["res.partner"].create(
            {"name": "Anna", "phone": NUMBER, "lang": "en_US"}
        )

    def create_account(self, company, sender="DevinoTest", **values):
        account = self.env["sms.devino.account"].create(
            {
                "name": f"Sandbox of {company.name}",
                "mode": "live",
                "url": self.server.url,
                "login": LOGIN,
                "password": PASSWORD,
                "country_id": self.env.ref("base.ru").id,
                "requests_per_second": 0,
                "company_id": company.id,
                **ANY_HOUR,
                **values,
            }
        )
        account.sender_ids = [Command.create({"name": sender})]
        return account

    def create_company(self, name, **values):
        company = self.env["res.company"].create(
            {"name": name, "country_id": self.env.ref("base.ru").id, **values}
        )
        self.env.user.company_ids += company
        return company

    def create_template(self, model, body="Hello {{ object.display_name }}", **values):
        return self.env["sms.template"].create(
            {
                "name": "Test",
                "model_id": self.env["ir.model"]._get_id(model),
                "body": body,
                **values,
            }
        )

    def compose(self, records, body="Hello", mode=None, user=None, **values):
        """Fill the composer in for some records, as a person does."""
        composer = self.env["sms.composer"]
        if user:
            composer = composer.with_user(user)
        context = {
            "active_model": records._name,
            "default_res_model": records._name,
            "default_composition_mode": mode
            or ("mass" if len(records) > 1 else "comment"),
        }
        if len(records) > 1 or mode == "mass":
            context["default_res_ids"] = repr(records.ids)
        else:
            context["default_res_id"] = records.id
        return composer.with_context(**context).create({"body": body, **values})

    def new_user(self, login, groups="base.group_user", **values):
        # else the language of the database decides about texts
        values = {"company_id": self.company.id, "lang": "en_US", **values}
        return new_test_user(self.env, login, groups=groups, **values)

    # --- the work -------------------------------------------------------------------

    def journal(self, **domain):
        return self.env["sms.devino.message"].search(
            [(name, "=", value) for name, value in domain.items()], order="id"
        )

    def run_odoo_queue(self):
        """Do what Odoo's own scheduled action for SMS does."""
        with self.enter_registry_test_mode():
            self.env.ref("sms.ir_cron_sms_scheduler_action").method_direct_trigger()

    def dispatch(self):
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            env = self.env(cr=cr)
            env["sms.devino.dispatcher"]._cron_dispatch()

    def report(self):
        """Let time pass at the provider, then ask for all statuses."""
        self.provider.advance(120)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sms_devino_message SET next_at = now() AT TIME ZONE 'UTC' "
            "WHERE state = 'sent'"
        )
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["sms.devino.dispatcher"]._cron_dispatch()

    def send_all(self):
        """Bring to its end whatever was sent."""
        self.dispatch()
        self.report()

    # --- what is to be seen ---------------------------------------------------------

    def assertOneSent(self, record, *, company=None, number=NUMBER, text=None):
        """One message in the ledger, in the right company's name, from the document."""
        message = self.journal()
        self.assertEqual(len(message), 1)
        self.assertEqual(message.company_id, company or self.company)
        self.assertEqual(message.number, number)
        self.assertEqual((message.res_model, message.res_id), (record._name, record.id))
        self.assertEqual(
            [(entry.number, entry.text) for entry in self.provider.ledger],
            [(number.removeprefix("+"), message.body)],
        )
        if text is not None:
            self.assertEqual(message.body, text)
        return message

    def sms_notification(self, record):
        """Return the notification that the chatter shows for the last SMS."""
        message = record.message_ids.filtered(lambda m: m.message_type == "sms")[:1]
        return message.notification_ids.filtered(
            lambda notification: notification.notification_type == "sms"
        )

    def assertIcon(self, record, status, failure_type=False):
        notification = self.sms_notification(record)
        self.assertEqual(len(notification), 1)
        self.assertEqual(notification.notification_status, status)
        self.assertEqual(notification.failure_type or False, failure_type)
        return notification

    def assertFate(self, record, *, failed=False, has_icon=True):
        """One message came to its end, and Odoo shows it where it shows anything."""
        number = FAILING_NUMBER if failed else NUMBER
        message = self.assertOneSent(record, number=number)
        self.assertEqual(message.state, "undelivered" if failed else "delivered")
        if failed:
            self.assertEqual(message.message_status, "Error_Rejected")
        if not has_icon:
            self.assertFalse(self.sms_notification(record))
        elif failed:
            self.assertIcon(record, "bounce", "sms_rejected")
        else:
            self.assertIcon(record, "sent")

    def assertNothingAfterRollback(self, work):
        """Do some work, undo it: nobody hears of it."""
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            work()
            self.assertTrue(self.journal())
            raise ZeroDivisionError
        self.run_odoo_queue()
        self.dispatch()
        self.assertFalse(self.journal())
        self.assertFalse(self.provider.ledger)


class Fates:
    """The three ends of what one sender sends, for a subclass of :class:`AppCase`.

    Senders in mass mode, and SMS rules, leave no notification in Odoo
    (``has_icon`` is false): document, state and failure are the journal's then.
    """

    #: else Odoo's loader leaves out what a class does not define itself
    allow_inherited_tests_method = True
    has_icon = True

    def send(self):
        """Send to ``self.partner``, as the sender does; return the document."""
        raise NotImplementedError

    def test_delivered(self):
        record = self.send()
        self.send_all()
        self.assertFate(record, has_icon=self.has_icon)

    def test_failed(self):
        self.partner.phone = FAILING_NUMBER
        record = self.send()
        self.send_all()
        self.assertFate(record, failed=True, has_icon=self.has_icon)

    def test_rollback(self):
        self.assertNothingAfterRollback(self.send)
