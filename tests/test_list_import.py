import base64
from contextlib import contextmanager
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..services import filling, list_import
from ..tools.sheet import Column, write_xlsx
from .mass_case import MassCase


class KilledError(BaseException):
    """The process is gone: nothing of the program runs any more."""


@tagged("post_install", "-at_install", "sms_devino")
class TestListImport(MassCase):
    """A long file, imported into a list by the job, page by page."""

    def setUp(self):
        super().setUp()
        for module, name, value in (
            (list_import, "LONG", 3),
            (filling, "PAGE", 4),
        ):
            self.startPatcher(patch.object(module, name, value))
        self.list_id = self.make_list([], "Test: long")

    def press_import(self, numbers):
        """Import a spreadsheet of numbers through the dialog."""
        content = write_xlsx(
            [Column("Phone"), Column("City")],
            [[number, f"City {index}"] for index, number in enumerate(numbers)],
        )
        with self.transaction(self.users["manager"]) as env:
            wizard = env["sms.devino.recipient.add"].create(
                {
                    "list_id": self.list_id,
                    "source": "file",
                    "file": base64.b64encode(content),
                    "filename": "long.xlsx",
                }
            )
            wizard.action_open_file()
            wizard.action_preview()
            return wizard.action_apply()

    def read_list(self, *names):
        with self.transaction() as env:
            record = env["sms.devino.recipient.list"].browse(self.list_id)
            return [record[name] for name in names]

    @contextmanager
    def killed_at_page(self, wanted):
        """The process dies once a page is written and not yet committed."""
        write, pages = filling.Filling.write_page, iter(range(1, 100))

        def write_then_die(reader, page, **options):
            write(reader, page, **options)
            if next(pages) == wanted:
                raise KilledError

        with patch.object(filling.Filling, "write_page", write_then_die):
            yield

    def test_killed_job_goes_on_where_it_was(self):
        numbers = [*self.numbers(10), "112", self.numbers(1)[0]]
        action = self.press_import(numbers)
        self.assertIn("12 rows are being imported", action["params"]["message"])
        self.assertEqual(
            self.read_list("import_state", "recipient_count"), ["queued", 0]
        )
        with self.assertRaisesRegex(UserError, "Wait for it"):
            self.press_import(numbers)
        with self.killed_at_page(2), self.assertRaises(KilledError):
            self.run_calculations()
        self.assertEqual(self.read_list("import_done", "recipient_count"), [4, 4])
        self.run_calculations()
        self.assertEqual(
            self.read_list(
                "import_state", "import_done", "sendable_count", "wrong_count"
            ),
            [False, 12, 10, 1],
        )
        columns, notices = self.read_list("columns", "message_ids")
        self.assertEqual(columns, ["City"])
        with self.transaction() as env:
            text = notices.with_env(env)[0].body
        self.assertIn("New: 10, updated: 0, already there or repeated: 1", text)

    def test_import_has_the_rights_of_who_asked_for_it(self):
        self.press_import(self.numbers(5))
        with self.transaction() as env:
            env["sms.devino.recipient.list"].browse(self.list_id).write(
                {"user_id": self.users["admin"], "is_shared": False}
            )
        self.run_calculations()
        state, count = self.read_list("import_state", "recipient_count")
        self.assertEqual((state, count), ("failed", 0))

    def test_nobody_writes_the_job_through_rpc(self):
        with (
            self.assertRaises(AccessError),
            self.transaction(self.users["manager"]) as env,
        ):
            env["sms.devino.recipient.list"].browse(self.list_id).write(
                {"import_job": {"user_id": 1}}
            )
