"""What the tests of SMS rules stand on."""

from .base_case import SmsCase


class RuleCase(SmsCase):
    """A manager who keeps rules, and contacts of a category to write to."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tag = cls.env["res.partner.category"].create({"name": "Rule"})
        cls.manager = cls.env_of(cls, "manager")

    def contact(self, number="+79214563701", name="Anna", **values):
        values = {"category_id": self.tag.ids, "lang": "en_US", **values}
        return self.env["res.partner"].create({"name": name, "phone": number, **values})

    def rule(self, **values):
        """A rule of the manager about contacts of the category; it is off."""
        return self.manager["sms.devino.rule"].create(
            {
                "name": "Test",
                "model": "res.partner",
                "domain": f"[('category_id', 'in', [{self.tag.id}])]",
                "body": "Hello {{ name }}",
                "account_id": self.account.id,
                "sender_id": self.sender.id,
                "hour_from": 0,
                "hour_to": 24,
                **values,
            }
        )

    def on(self, **values):
        rule = self.rule(**values)
        rule.action_switch_on()
        return rule

    def run_rules(self):
        """Do what the scheduled action does."""
        with self.enter_registry_test_mode():
            self.env.ref("sms_devino.ir_cron_rules").method_direct_trigger()
        self.env.invalidate_all()

    def sent(self, rule):
        """Return the messages of a rule."""
        return self.env["sms.devino.message"].search(
            [("dedup_key", "=like", f"rule/{rule.id}/%")], order="id"
        )
