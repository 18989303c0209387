"""What the code must not do with records that a request names."""

import ast
from pathlib import Path

from odoo.tests import BaseCase, tagged

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("models", "services", "wizards")
# The one place that makes records of ids that were given.
HELPER = ROOT / "services" / "records.py"
# What returns such records.
SOURCES = {"read_input", "_sms_devino_records", "_get_records", "_get_document"}
GIVEN_IDS = {"res_id", "res_ids", "active_id", "active_ids"}


def called(node):
    """Return the name of what a node calls, if it is a call."""
    if not isinstance(node, ast.Call):
        return None
    function = node.func
    return getattr(function, "attr", None) or getattr(function, "id", None)


def find_sudo(tree):
    """Yield the lines in which records of a request get all rights."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        given = {
            target.id
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and called(node.value) in SOURCES
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(function):
            if isinstance(node, ast.Attribute) and node.attr == "sudo":
                origin = node.value
                name = getattr(origin, "id", None)
                if called(origin) in SOURCES or name in given:
                    yield node.lineno


def find_browse(tree):
    """Yield the lines that make records of ids that a request names."""
    for node in ast.walk(tree):
        if called(node) != "browse":
            continue
        inside = [inner for one in node.args for inner in ast.walk(one)]
        names = {getattr(inner, "attr", None) for inner in inside}
        texts = {
            getattr(inner, "value", None)
            for inner in inside
            if isinstance(inner, ast.Constant)
        }
        if (names | texts) & GIVEN_IDS:
            yield node.lineno


@tagged("post_install", "-at_install", "sms_devino")
class TestRecordsOfRequests(BaseCase):
    def trees(self):
        for room in ROOMS:
            for path in sorted((ROOT / room).rglob("*.py")):
                if path != HELPER:
                    yield path.name, ast.parse(path.read_text(encoding="utf-8"))

    def test_they_never_get_all_rights(self):
        for name, tree in self.trees():
            with self.subTest(name):
                self.assertFalse(list(find_sudo(tree)))

    def test_one_helper_makes_them(self):
        for name, tree in self.trees():
            with self.subTest(name):
                self.assertFalse(list(find_browse(tree)))

    def test_the_test_finds_what_it_looks_for(self):
        bad = ast.parse(
            "def f(self):\n"
            "    records = read_input(self.env, self.res_model, [1])\n"
            "    records.sudo()\n"
            "    self._get_records().sudo()\n"
            "    self.env[self.res_model].browse(self.res_id)\n"
            "    self.env['x'].browse(self.env.context['active_ids'])\n"
        )
        self.assertEqual(sorted(find_sudo(bad)), [3, 4])
        self.assertEqual(sorted(find_browse(bad)), [5, 6])
