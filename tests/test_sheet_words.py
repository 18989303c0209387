import ast
import re

from odoo.tests import TransactionCase, tagged

from ..services.sheet_words import SENTENCES, as_user_error, describe
from ..tools.sheet import CODES, NOTES, SheetError, SheetNote
from .test_sheet_read import FIXTURES

ADDON = FIXTURES.parents[2]
_PLACE = re.compile(r"%\((\w+)\)s")


@tagged("post_install", "-at_install", "sms_devino")
class TestSheetWords(TransactionCase):
    """Each reason why a spreadsheet fails is a sentence in the user's language."""

    def test_each_code_has_its_sentence(self):
        """Test that the sentences are those of the codes, with their parameters."""
        codes = CODES | NOTES
        self.assertEqual(set(SENTENCES), set(codes))
        for code, params in codes.items():
            found = set(_PLACE.findall(SENTENCES[code]._source))
            self.assertEqual(found, set(params), code)

    def test_each_error_has_its_code(self):
        """Test that what the code raises is in the table, and nothing else is."""
        raised = set()
        paths = [*(ADDON / "tools/sheet").glob("*.py"), ADDON / "tools/recipients.py"]
        sources = [path.read_text() for path in paths if path.name != "errors.py"]
        for node in ast.walk(ast.parse("\n".join(sources))):
            if isinstance(node, ast.Constant) and node.value in CODES:
                raised.add(node.value)
            called = isinstance(node, ast.Call) and getattr(node.func, "id", "")
            if called == "SheetError" and isinstance(node.args[0], ast.Constant):
                code = node.args[0].value
                given = {keyword.arg for keyword in node.keywords}
                self.assertEqual(given, set(CODES[code]), code)
        self.assertEqual(raised, set(CODES))

    def test_a_sentence_is_filled(self):
        error = SheetError("row", sheet="Лист1", row=5)
        self.assertIn("Лист1", describe(self.env, error))
        self.assertIn("Лист1", str(as_user_error(self.env, error)))
        note = SheetNote("bad_characters", {"count": 3, "lines": "4, 7"})
        self.assertIn("4, 7", describe(self.env, note))
