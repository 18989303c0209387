from odoo.tests import BaseCase, get_db_name, tagged

from .own_database import OwnDatabase


def fill(env):
    """Use the addon, edit what a person edits, delete what a person deletes."""
    company = env["res.company"].search([], limit=1)
    account = env["sms.devino.account"].create(
        {
            "name": "Ours",
            "url": "http://127.0.0.1/rest",
            "login": "demo",
            "password": "demo",
            "company_id": company.id,
            "country_id": env.ref("base.ru").id,
        }
    )
    env["sms.devino.sender"].create({"account_id": account.id, "name": "Ours"})
    company.sms_devino_account_id = account
    env["res.lang"]._activate_lang("ru_RU")
    env["ir.module.module"].search([])._update_translations(["ru_RU"])
    partner = env["res.partner"].create({"name": "Anna", "phone": "+79214563763"})
    for _number in range(8):
        partner._message_sms("Hello", sms_numbers=["+79214563763"])
    env["sms.sms"]._process_queue()
    messages = env["sms.devino.message"].search([], order="id")
    messages[:5].write({"state": "scheduled", "scheduled_at": "2100-01-01 00:00:00"})
    for state, message in zip(("sent", "unknown"), messages[6:], strict=True):
        messages._transition("sending", [{"id": message.id}])
        messages._transition(state, [{"id": message.id}])
    env.ref("sms_devino.ir_cron_watch_balance").interval_number = 7
    env.ref("sms_devino.ir_cron_rules").active = False
    env.ref("sms_devino.mail_activity_low_balance").name = "My own name"
    env.ref("sms_devino.ir_cron_dispatch").unlink()
    return len(messages)


def look(env):
    """Return what an update must leave alone, and what it must bring back."""
    names = ("number", "body", "state", "sender_name", "uuid", "account_id")
    job = env.ref("sms_devino.ir_cron_dispatch", raise_if_not_found=False)
    addon = env.ref("base.module_sms_devino").with_context(lang="ru_RU")
    return {
        "kept": {
            "journal": [
                [str(message[name]) for name in names]
                for message in env["sms.devino.message"].search([], order="id")
            ],
            "company": env["sms.devino.account"].search([]).mapped("company_id.id"),
            "interval": env.ref("sms_devino.ir_cron_watch_balance").interval_number,
            "rules": env.ref("sms_devino.ir_cron_rules").active,
            "activity": env.ref("sms_devino.mail_activity_low_balance").name,
        },
        "job": bool(job and job.active),
        "shown": [addon.shortdesc, addon.summary],
    }


def uninstall(env):
    """Uninstall as a person does; return what is said, and what is left in Odoo."""
    from odoo.exceptions import UserError

    addon = env.ref("base.module_sms_devino")
    wizard = env["base.module.uninstall"].create({"module_ids": addon.ids})
    said, refused = wizard.sms_devino_open, ""
    try:
        wizard.action_uninstall()
    except UserError as error:
        refused = str(error)
    wizard.sms_devino_confirmed = True
    wizard.action_uninstall()
    pending = ("ready", "process", "pending")
    sms = [("notification_type", "=", "sms")]
    return {
        "said": said,
        "refused": refused,
        "installed": "sms.devino.message" in env,
        "pending": env["mail.notification"].search_count(
            [*sms, ("notification_status", "in", pending)]
        ),
        "ended": sorted(
            env["mail.notification"].search(sms).mapped("notification_status")
        ),
        "reasons": env["mail.notification"]
        .search([*sms, ("notification_status", "=", "exception")])
        .mapped(lambda notification: notification.failure_reason or ""),
        "queued": env["sms.sms"].search_count(
            [("state", "in", ["outgoing", *pending]), ("to_delete", "=", False)]
        ),
    }


@tagged("post_install", "-at_install")
class TestLifecycle(BaseCase):
    """Installed, used, updated, uninstalled: each by Odoo's own means."""

    def test_an_update_keeps_what_people_did_and_uninstalling_leaves_nothing_pending(
        self,
    ):
        with OwnDatabase(f"{get_db_name()}_guest") as database:
            database.update("--init", "sms_devino")
            written, before = database.call(fill, look)
            self.assertEqual(written, 8)
            self.assertFalse(before["job"])
            database.update("--update", "sms_devino")
            after, left = database.call(look, uninstall)
            self.assertEqual(after["kept"], before["kept"])
            self.assertTrue(after["job"])
            self.assertNotIn("Send SMS", after["shown"][1])
            self.check_uninstalled(left)

    def check_uninstalled(self, left):
        self.assertEqual(
            left["said"].splitlines(),
            [
                "Scheduled: 5",
                "In the queue: 1",
                "Sent, not reported as delivered yet: 1",
                "Outcome unknown: 1",
            ],
        )
        self.assertIn(left["said"], left["refused"])
        self.assertFalse(left["installed"])
        self.assertEqual((left["pending"], left["queued"]), (0, 0))
        self.assertEqual(left["ended"], ["canceled"] * 6 + ["exception"] * 2)
        self.assertTrue(any("uninstalled" in reason for reason in left["reasons"]))
