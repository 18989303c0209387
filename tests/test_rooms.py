import ast
import sys
from pathlib import Path

from odoo.tests import BaseCase, tagged

ROOT = Path(__file__).resolve().parent.parent
# The rooms that never import Odoo: their libraries, apart from the standard one.
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
# The rooms inside Odoo: which other rooms of the addon each may reach into.
NEIGHBOURS = {
    "models": {"services", "gateway", "tools"},
    "wizards": {"services", "tools"},
    "controllers": {"services", "tools"},
    "services": {"gateway", "tools"},
}
# The one file that plays the provider for accounts in test mode.
TEST_MODE = ROOT / "services" / "test_mode.py"
TEST_MODE_LIBRARIES = {"requests", "urllib3"}


def imports(path):
    """Yield (level of a relative import, dotted name) of every import in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield 0, alias.name
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or ""


def strings(path):
    """Yield every text in the code of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def declared_models(room):
    """Yield the value of each ``_name`` in a room."""
    for path in files(room):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                if any(getattr(t, "id", None) == "_name" for t in node.targets):
                    yield node.value.value


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

    def test_rooms_that_are_listed_exist(self):
        for room in PLAIN | NEIGHBOURS:
            self.assertTrue(files(room), room)

    def test_rooms_inside_odoo_use_the_plain_ones_and_never_http(self):
        for room, neighbours in NEIGHBOURS.items():
            for path in files(room):
                is_test_mode = path == TEST_MODE
                reachable = neighbours | ({"sandbox"} if is_test_mode else set())
                forbidden = {"requests", "urllib3", "http"}
                forbidden -= TEST_MODE_LIBRARIES if is_test_mode else set()
                for level, name in imports(path):
                    with self.subTest(file=path.relative_to(ROOT), name=name):
                        top = name.split(".")[0]
                        if level and leaves_room(path, room, level) and top:
                            self.assertIn(top, reachable)
                        if not level:
                            self.assertNotIn(top, forbidden)

    def test_only_doors_name_doors(self):
        """Models and services know no form that collects input, not by name either."""
        doors = set(declared_models("wizards"))
        self.assertTrue(doors)
        for room in ("models", "services"):
            for path in files(room):
                for name in strings(path):
                    with self.subTest(file=path.relative_to(ROOT), name=name):
                        self.assertNotIn(name, doors)

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
