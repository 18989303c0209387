import ast
import sys
from pathlib import Path

from odoo.tests import BaseCase, tagged

ROOT = Path(__file__).resolve().parent.parent
# The rooms of the house: what each may import, apart from the standard library.
PLAIN = {
    "gateway": {"requests", "urllib3"},
    "sandbox": set(),
    "tools": {
        "chardet",
        "lxml",
        "openpyxl",
        "phonenumbers",
        "xlrd",
        "xlsxwriter",
        "xlwt",
    },
}
# Inside Odoo: which other rooms of the addon each may reach into.
NEIGHBOURS = {
    "models": {"gateway", "tools", "services"},
    "wizards": {"services", "tools"},
    "controllers": {"tools"},
}


def imports(path):
    """Yield (level of a relative import, dotted name) of every import in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield 0, alias.name
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or ""


def files(room):
    return sorted((ROOT / room).rglob("*.py"))


def leaves_room(path, room, level):
    """Whether a relative import of this level reaches outside the room."""
    return level > len(path.relative_to(ROOT / room).parts)


@tagged("post_install", "-at_install", "sms_devino")
class TestRooms(BaseCase):
    """Each folder of the addon imports only what its job allows."""

    def test_plain_python_rooms_know_neither_odoo_nor_each_other(self):
        for room, libraries in PLAIN.items():
            self.assertTrue(files(room), room)
            for path in files(room):
                for level, name in imports(path):
                    with self.subTest(file=path.relative_to(ROOT), name=name):
                        if level:
                            self.assertFalse(leaves_room(path, room, level))
                            continue
                        top = name.split(".")[0]
                        self.assertIn(top, libraries | set(sys.stdlib_module_names))

    def test_rooms_inside_odoo_use_the_plain_ones_and_never_http(self):
        for room, neighbours in NEIGHBOURS.items():
            for path in files(room):
                for level, name in imports(path):
                    with self.subTest(file=path.relative_to(ROOT), name=name):
                        top = name.split(".")[0]
                        if level and leaves_room(path, room, level) and top:
                            self.assertIn(top, neighbours)
                        if not level:
                            self.assertNotIn(top, ("requests", "urllib3", "http"))

    def test_nothing_names_a_place_of_some_machine(self):
        words = ("/home/", "/root/", "deb.debian" + ".org", "pypi" + ".org/simple")
        for path in sorted(ROOT.rglob("*")):
            if path.suffix not in (".py", ".xml", ".js", ".md", ".csv", ".sh", ".toml"):
                continue
            if ".git" in path.parts or path == Path(__file__).resolve():
                continue
            text = path.read_text(encoding="utf-8", errors="replace")
            for word in words:
                self.assertNotIn(word, text, path.relative_to(ROOT))
