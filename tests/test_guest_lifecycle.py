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


def list_ready_rules(env):
    return [
        key
        for key, _name in env["sms.devino.rule"]
        ._fields["ready_rule"]
        ._description_selection(env)
    ]


def remind(env):
    """Switch the rule for invoices overdue by 3 days on, and run it twice; return what
    each run has sent."""
    from datetime import timedelta

    from odoo import fields
    from odoo.tests import Form

    company = env.ref("base.main_company")
    env["account.chart.template"].try_loading("generic_coa", company, False)
    admin = env.ref("base.user_admin")
    admin.group_ids += env.ref("sms_devino.group_manager")
    admin.group_ids += env.ref("account.group_account_invoice")
    env = env(user=admin)
    account = (
        env["sms.devino.account"]
        .sudo()
        .create(
            {
                "name": "Reminders",
                "mode": "test",
                "sequence": 1,
                "company_id": company.id,
            }
        )
    )
    account.sender_name = "Ours"
    # now it is due since yesterday, the day before, and so on
    today = fields.Date.context_today(account)
    partner = env["res.partner"].create({"name": "Boris", "phone": "+79214563764"})
    invoices = env["account.move"].create(
        [
            {
                "move_type": "out_invoice",
                "partner_id": partner.id,
                "invoice_date": today - timedelta(days=30),
                "invoice_date_due": today - timedelta(days=days),
                "invoice_line_ids": [(0, 0, {"name": "Tea", "price_unit": 100.0})],
            }
            for days in (1, 3, 20)
        ]
    )
    invoices.action_post()
    form = Form(env["sms.devino.rule"])
    form.ready_rule = "overdue_3"
    rule = form.save()
    rule.write({"hour": 0, "hour_from": 0, "hour_to": 24, "weekdays": "all"})
    rule.action_switch_on()
    # as if it had been on for long
    rule.sudo().since = False
    sent = []
    for _run in range(2):
        env["sms.devino.rule"].sudo()._cron_run()
        messages = (
            env["sms.devino.message"]
            .sudo()
            .search([("dedup_key", "=like", f"rule/{rule.id}/%")])
        )
        sent.append([[one.number, one.body] for one in messages])
    messages.action_cancel()
    return [rule.purpose, rule.error_text, *sent]


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
            written, before, rules = database.call(fill, look, list_ready_rules)
            self.assertEqual(written, 8)
            self.assertFalse(before["job"])
            self.assertNotIn("overdue_3", rules)
            # accounting comes later than the addon
            database.update("--update", "sms_devino", "--init", "account")
            after, rules, reminded, left = database.call(
                look, list_ready_rules, remind, uninstall
            )
            self.check_reminded(rules, *reminded)
            self.assertEqual(after["kept"], before["kept"])
            self.assertTrue(after["job"])
            self.assertNotIn("Send SMS", after["shown"][1])
            self.check_uninstalled(left)

    def check_reminded(self, rules, purpose, error, first, second):
        """Who owes since three days has got one SMS."""
        self.assertIn("overdue_3", rules)
        self.assertEqual((purpose, error), ("debt", False))
        [[number, text]] = first
        self.assertEqual(number, "+79214563764")
        self.assertIn("Unpaid invoices: 1, together 100.00", text)
        self.assertEqual(second, first)

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
