import ast
import re
from pathlib import Path

from odoo.tests import TransactionCase, tagged

from ..services.sheet_words import SENTENCES, as_user_error, describe
from ..tools.sheet import SheetError
from ..tools.sheet.sniff import _MAGIC, _OPEN_DOCUMENT
from .test_sheet_read import FIXTURES

ADDON = FIXTURES.parents[2]
_PLACE = re.compile(r"%\((\w+)\)s")


@tagged("post_install", "-at_install", "sms_devino")
class TestSheetWords(TransactionCase):
    """Each reason why a spreadsheet fails is a sentence in the user's language."""

    def test_each_error_has_its_sentence(self):
        """Test that the sentences are those of what is raised, with its parameters."""
        known = {
            code: set(_PLACE.findall(sentence._source))
            for code, sentence in SENTENCES.items()
        }
        named = set()
        paths = [*(ADDON / "tools/sheet").glob("*.py"), ADDON / "tools/recipients.py"]
        for node in ast.walk(ast.parse("\n".join(map(Path.read_text, paths)))):
            if isinstance(node, ast.Constant):
                named.add(node.value)
            called = isinstance(node, ast.Call) and getattr(node.func, "id", "")
            if called == "SheetError" and isinstance(node.args[0], ast.Constant):
                given = {keyword.arg for keyword in node.keywords}
                self.assertEqual(given, known[node.args[0].value])
        self.assertLessEqual(set(known), named)

    def test_unclear_codes(self):
        """Test the codes that come out of tables: each has a sentence of its own."""
        codes = [code for _start, code in _MAGIC] + list(_OPEN_DOCUMENT.values())
        self.assertLessEqual({*codes, "old_excel"} - {"PDF"}, set(SENTENCES))

    def test_a_sentence_is_filled(self):
        error = SheetError("row", sheet="Лист1", row=5)
        self.assertIn("Лист1", describe(self.env, error))
        self.assertIn("Лист1", str(as_user_error(self.env, error)))
        note = SheetError("bad_characters", count=3, lines="4, 7")
        self.assertIn("4, 7", describe(self.env, note))
