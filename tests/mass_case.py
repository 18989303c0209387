"""What the tests of mass sendings stand on."""

from odoo.fields import Command

from ..services import batch_course
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

    def make_list(self, numbers, name="Test: customers", data=None, **values):
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
            values = {"name": name, "country_id": env.ref("base.ru").id, **values}
            record = env["sms.devino.recipient.list"].create(values)
            record._add_rows(rows, keep_wrong=True)
            return record.id

    def draft(self, user="manager", **values):
        """Commit a draft that has not been calculated; return its id."""
        values = {"name": "Test", "body": TEXT, **values}
        values.setdefault("list_ids", [Command.set([self.list_id])])
        with self.transaction(self.users[user]) as env:
            return env["sms.devino.batch"].create(values).id

    def calculate(self, batch_id, user="manager"):
        """Press Calculate, and do what the scheduled action does."""
        self.press(batch_id, "action_calculate", user)
        self.run_calculations()

    def run_calculations(self):
        with self.transaction() as env:
            env["sms.devino.batch"]._cron_calculate()

    def prepare(self, user="manager", **values):
        """Commit a draft that has been calculated; return its id."""
        batch_id = self.draft(user, **values)
        self.calculate(batch_id, user)
        return batch_id

    def approve(self, batch_id, user="manager"):
        """Press Send; return the id of the batch."""
        self.press(batch_id, "action_send", user)
        return batch_id

    def send_mass(self, **values):
        """Prepare and approve; return the id of the batch."""
        return self.approve(self.prepare(**values))

    def press(self, batch_id, button, user="manager"):
        """Press a button of the batch."""
        with self.transaction(self.users[user]) as env:
            return getattr(env["sms.devino.batch"].browse(batch_id), button)()

    # not a model: no method of the ORM is overridden
    # pylint: disable-next=method-required-super
    def write(self, batch_id, user="manager", **values):
        """Write a batch as a person."""
        with self.transaction(self.users[user]) as env:
            env["sms.devino.batch"].browse(batch_id).write(values)

    def read_batch(self, batch_id, *names):
        with self.transaction(self.users["manager"]) as env:
            batch = env["sms.devino.batch"].browse(batch_id)
            values = [batch[name] for name in names]
        return values[0] if len(names) == 1 else tuple(values)

    def rows(self, batch_id, *names, state="draft"):
        """Return the values of the rows in a state, in order."""
        with self.transaction() as env:
            rows = env["sms.devino.message"].search(
                [("batch_id", "=", batch_id), ("state", "=", state)], order="id"
            )
            return [
                row[names[0]] if len(names) == 1 else tuple(row[n] for n in names)
                for row in rows
            ]

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
            batch = env["sms.devino.batch"].browse(batch_id)
            batch_course.follow(batch)
            stored = {key: batch[f"{key}_count"] for key in expected}
            self.assertEqual(stored, expected)
            messages = env["sms.devino.message"]
            sent = [("batch_id", "=", batch_id), ("state", "!=", "left_out")]
            self.assertEqual(messages.search_count(sent), sum(expected.values()))
            accepted = messages.search_count([*sent, ("accepted_at", "!=", False)])
        self.assertEqual(accepted, len(self.provider.ledger))
