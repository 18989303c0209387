"""Accounts, sender names and people for tests in which nothing is sent."""

from odoo.tests import TransactionCase, new_test_user

from .common import PASSWORD


class SmsCase(TransactionCase):
    """Two companies with an account each, and one person of every kind."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.company_id = cls.company = cls.env["res.company"].create(
            {"name": "Ours", "country_id": cls.env.ref("base.ru").id}
        )
        cls.env = cls.env(context={**cls.env.context, "no_reset_password": True})
        cls.other_company = cls.env["res.company"].create({"name": "Theirs"})
        cls.account = cls.create_account(cls.company)
        cls.other_account = cls.create_account(cls.other_company, name="Theirs")
        cls.sender = cls.create_sender(cls.account, "Ours")
        cls.other_sender = cls.create_sender(cls.other_account, "Theirs")
        cls.people = {
            kind: new_test_user(
                cls.env,
                f"sms_{kind}",
                groups=groups,
                company_id=cls.company.id,
                company_ids=cls.company.ids,
                tz="Europe/Moscow",
            )
            for kind, groups in {
                "user": "base.group_user,base.group_allow_export,sms_devino.group_user",
                "colleague": "base.group_user,sms_devino.group_user",
                "manager": "base.group_allow_export,sms_devino.group_manager",
                "admin": "base.group_user,sms_devino.group_admin",
                "internal": "base.group_user",
                "portal": "base.group_portal",
                "public": "base.group_public",
            }.items()
        }

    @classmethod
    def create_account(cls, company, **values):
        """An account in test mode: the whole client runs, without network."""
        return cls.env["sms.devino.account"].create(
            {
                "name": "Account",
                # what the test framework lets pass
                "url": "http://127.0.0.1/rest",
                "login": "demo",
                "password": PASSWORD,
                "company_id": company.id,
                "country_id": cls.env.ref("base.ru").id,
                **values,
            }
        )

    @classmethod
    def create_sender(cls, account, name, **values):
        return cls.env["sms.devino.sender"].create(
            {"account_id": account.id, "name": name, **values}
        )

    def env_of(self, kind):
        """The environment of one of the people, their company chosen."""
        company_ids = self.people[kind].company_ids.ids
        return self.env(
            user=self.people[kind], context={"allowed_company_ids": company_ids}
        )

    def enqueue(self, number="79214563763", text="Hello", kind="user", **options):
        """One message of a person; nothing sends it, the test never commits."""
        messages = self.env_of(kind)["sms.devino.message"]
        options.setdefault("account", self.account)
        return messages.enqueue(number, text, **options)

    def use_russian(self):
        """Have the addon's translations loaded as an administrator would."""
        self.env["res.lang"]._activate_lang("ru_RU")
        addon = self.env["ir.module.module"].search([("name", "=", "sms_devino")])
        addon._update_translations(["ru_RU"])
        return self.env(context={**self.env.context, "lang": "ru_RU"})
