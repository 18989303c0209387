from psycopg2.errors import SerializationFailure

from odoo.tests import tagged

from .common import LiveCase


@tagged("post_install", "-at_install", "sms_devino")
class TestRecipientsAtOnce(LiveCase):
    """Two people who fill the same list at the same time."""

    def setUp(self):
        super().setUp()
        with self.transaction() as env:
            self.list_id = (
                env["sms.devino.recipient.list"]
                .create({"name": "Both", "country_id": env.ref("base.ru").id})
                .id
            )
        self.addCleanup(self._remove_list)

    def _remove_list(self):
        with self.transaction() as env:
            env["sms.devino.recipient.list"].browse(self.list_id).unlink()

    def add(self, env, *numbers):
        rows = [{"number_raw": number} for number in numbers]
        return env["sms.devino.recipient.list"].browse(self.list_id)._add_rows(rows)

    def test_a_number_added_meanwhile_makes_the_transaction_run_again(self):
        """That is no error, and the log does not call it one."""
        with (
            self.assertNoLogs("odoo.sql_db", "ERROR"),
            self.assertRaises(SerializationFailure),
            self.transaction() as slow,
        ):
            slow.cr.execute("SELECT 1")
            with self.transaction() as quick:
                self.add(quick, "79214563763")
            self.add(slow, "79214563763", "79214563764")
        with self.transaction() as again:
            counts = self.add(again, "79214563763", "79214563764")
            self.assertEqual((counts["new"], counts["unchanged"]), (1, 1))
        with self.transaction() as env:
            numbers = env["sms.devino.recipient"].search(
                [("list_id", "=", self.list_id)]
            )
            self.assertEqual(
                sorted(numbers.mapped("number")), ["+79214563763", "+79214563764"]
            )
