from pathlib import Path

from odoo.tests import tagged

from .base_case import SmsCase


@tagged("post_install", "-at_install")
class TestDocuments(SmsCase):
    """What people merge, archive and delete around the messages."""

    def message_of(self, partner):
        return self.enqueue(partner=partner, record=partner)

    def test_messages_follow_their_contact_when_contacts_are_merged(self):
        first, second, kept = self.env["res.partner"].create(
            [{"name": name} for name in ("Anna", "Anja", "Anna Ivanova")]
        )
        messages = self.message_of(first) + self.message_of(second)
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((first + second + kept).ids, kept)
        self.assertFalse((first + second).exists())
        messages.invalidate_recordset()
        self.assertEqual(messages.partner_id, kept)
        self.assertEqual(messages.mapped("res_model"), ["res.partner"] * 2)
        self.assertEqual(messages.mapped("res_id"), [kept.id] * 2)

    def test_a_user_with_messages_can_be_archived_and_deleted(self):
        message = self.enqueue(kind="colleague").sudo()
        user = self.people["colleague"]
        self.assertEqual(message.author_id, user)
        user.action_archive()
        self.assertEqual(message.author_id, user)
        user.unlink()
        message.invalidate_recordset()
        self.assertTrue(message.exists())
        self.assertFalse(message.author_id)

    def test_no_record_of_ours_keeps_a_user_or_a_contact_from_being_deleted(self):
        for name, model in self.env.items():
            if not name.startswith("sms.devino.") or not model._auto:
                continue
            for field in model._fields.values():
                if (
                    field.type == "many2one"
                    and field.store
                    and field.comodel_name in ("res.users", "res.partner")
                ):
                    with self.subTest(field=str(field)):
                        self.assertNotEqual(field.ondelete, "restrict")

    def test_every_test_of_this_folder_is_imported(self):
        folder = Path(__file__).parent
        named = (folder / "__init__.py").read_text("utf-8")
        for path in folder.glob("test_*.py"):
            self.assertIn(f"    {path.stem},\n", named)
