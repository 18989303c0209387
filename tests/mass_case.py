"""What the tests of mass sendings stand on."""

from odoo import SUPERUSER_ID
from odoo.fields import Command

from .common import LiveCase

TEXT = "Sale today"


class MassCase(LiveCase):
    """A recipient list, and ways to send to it as a manager, all committed."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self._remove_lists)
        with self.transaction() as env:
            self.known_blacklist = env["phone.blacklist"].search([]).ids
            env["res.lang"]._activate_lang("en_US")
            env["res.users"].browse(self.users.values()).lang = "en_US"
        self.list_id = self.make_list(self.numbers(10))

    def _remove_lists(self):
        with self.transaction() as env:
            lists = env["sms.devino.recipient.list"].with_context(active_test=False)
            lists.search([("name", "=like", "Test:%")]).unlink()
            blacklist = env["phone.blacklist"].with_context(active_test=False)
            blacklist.search([("id", "not in", self.known_blacklist)]).unlink()

    @staticmethod
    def numbers(count, first=79214500000):
        """Return numbers that the sandbox delivers to."""
        return [str(first + 100 * index) for index in range(count)]

    def make_list(self, numbers, name="Test: customers", data=None):
        """Commit a recipient list; return its id.

        :param data: number of a row -> dict of extra columns
        """
        rows = [
            {
                "number_raw": number,
                "name": f"Name {index}",
                "data": (data or {}).get(index),
            }
            for index, number in enumerate(numbers)
        ]
        with self.transaction() as env:
            record = env["sms.devino.recipient.list"].create(
                {"name": name, "country_id": env.ref("base.ru").id}
            )
            record._add_rows(rows, keep_wrong=True)
            return record.id

    def prepare(self, user="manager", **values):
        """Commit a preparation that has been calculated; return its id."""
        user_id = self.users[user] if user else SUPERUSER_ID
        values = {"text": TEXT, **values}
        values.setdefault("list_ids", [Command.set([self.list_id])])
        with self.transaction(user_id) as env:
            wizard = env["sms.devino.batch.send"].create(values)
            wizard.action_preview()
            return wizard.id

    def approve(self, wizard_id, user="manager"):
        """Press Send; return the id of the batch."""
        with self.transaction(self.users[user]) as env:
            wizard = env["sms.devino.batch.send"].browse(wizard_id)
            wizard.action_send()
            return wizard.batch_id.id

    def send_mass(self, **values):
        """Prepare and approve; return the id of the batch."""
        return self.approve(self.prepare(**values))

    def press(self, batch_id, button, user="manager"):
        """Press a button of the batch."""
        with self.transaction(self.users[user]) as env:
            return getattr(env["sms.devino.batch"].browse(batch_id), button)()

    def read_batch(self, batch_id, *names):
        with self.transaction() as env:
            batch = env["sms.devino.batch"].browse(batch_id)
            values = [batch[name] for name in names]
        return values[0] if len(names) == 1 else tuple(values)

    def read_wizard(self, wizard_id, *names):
        with self.transaction(self.users["manager"]) as env:
            wizard = env["sms.devino.batch.send"].browse(wizard_id)
            values = [wizard[name] for name in names]
        return values[0] if len(names) == 1 else tuple(values)

    def progress(self, batch_id):
        """Return what the progress bar shows: group -> count, without empty groups."""
        with self.transaction(self.users["manager"]) as env:
            progress = env["sms.devino.batch"].browse(batch_id).get_progress()
        return {
            group["key"]: group["count"]
            for group in progress["groups"]
            if group["count"]
        }

    def assertAllAgree(self, batch_id, **expected):
        """The ledger, the journal and the counters of the batch say the same."""
        self.assertEqual(self.progress(batch_id), expected)
        self.assertLedgerIsJournal()
        with self.transaction() as env:
            env.cr.execute(
                "SELECT count(*), count(accepted_at) FROM sms_devino_message "
                "WHERE batch_id = %s",
                [batch_id],
            )
            total, accepted = env.cr.fetchone()
        self.assertEqual(total, sum(expected.values()))
        self.assertEqual(accepted, len(self.provider.ledger))
