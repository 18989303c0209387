import random

from odoo.tests import BaseCase, tagged

from ..tools import placeholders
from ..tools.placeholders import Problem

NAMES = ("name", "Номер заказа", "city", "company")


@tagged("post_install", "-at_install", "sms_devino")
class TestPlaceholders(BaseCase):
    def render(self, text, **values):
        folded = {placeholders.fold(name): value for name, value in values.items()}
        return placeholders.parse(text).render(folded)

    def problems(self, text):
        return placeholders.parse(text).problems(NAMES)

    def test_values_are_put_in(self):
        self.assertEqual(self.render("Hi {{ name }}!", name="Анна"), "Hi Анна!")
        self.assertEqual(self.render("{{name}}{{ name }}", name="a"), "aa")
        self.assertEqual(self.render("no gaps { } {x}"), "no gaps { } {x}")

    def test_name_is_found_whatever_its_case_and_blanks(self):
        values = {placeholders.fold("Номер  Заказа"): "A-1"}
        template = placeholders.parse("{{ номер заказа }}/{{\nНОМЕР\u00a0ЗАКАЗА }}")
        self.assertEqual(template.render(values), "A-1/A-1")
        self.assertFalse(template.problems(NAMES))

    def test_default_stands_in_for_an_empty_value(self):
        text = "Dear {{ name | customer }}"
        self.assertEqual(self.render(text, name=""), "Dear customer")
        self.assertEqual(self.render(text, name="Ann"), "Dear Ann")
        self.assertEqual(placeholders.parse(text).empty({}), [])

    def test_empty_values_are_told(self):
        template = placeholders.parse("{{ name }} {{ city }} {{ name }}")
        self.assertEqual(template.empty({"city": "Omsk"}), ["name"])
        self.assertEqual(template.empty({}), ["name", "city"])

    def test_unknown_name_comes_with_the_nearest(self):
        self.assertEqual(
            self.problems("{{ nmae }}"), [Problem("unknown", "nmae", "name")]
        )
        self.assertEqual(
            self.problems("{{ номер заказ }}"),
            [Problem("unknown", "номер заказ", "Номер заказа")],
        )
        self.assertEqual(
            self.problems("{{ zzzzzz }}"), [Problem("unknown", "zzzzzz", None)]
        )

    def test_code_is_a_name_that_nobody_knows(self):
        for code in (
            "object.name",
            "name.__class__",
            "1 + 1",
            "name()",
            "__import__('os')",
            "name[0]",
            "user.env",
        ):
            with self.subTest(code):
                text = f"{{{{ {code} }}}}"
                [problem] = self.problems(text)
                self.assertEqual((problem.code, problem.name), ("unknown", code))
                self.assertEqual(self.render(text, name="x"), "")

    def test_values_are_not_read_as_templates(self):
        self.assertEqual(
            self.render("{{ name }}", name="{{ city }}", city="no"), "{{ city }}"
        )

    def test_braces_that_do_not_match(self):
        for text in ("{{ name", "name }}", "{{ name }} }}", "{{ name }"):
            with self.subTest(text):
                self.assertIn(Problem("unbalanced"), self.problems(text))
        self.assertEqual(self.problems("{{ }}"), [Problem("nameless")])
        self.assertEqual(self.problems("{{|x}}"), [Problem("nameless")])

    def test_text_without_gaps_stays_as_it_is(self):
        """Test that whatever has no complete gap comes out unchanged."""
        rng = random.Random(4)
        for _ in range(2000):
            text = "".join(rng.choices("{} |a\n", k=rng.randint(0, 12)))
            template = placeholders.parse(text)
            if not template.gaps:
                self.assertEqual(template.render({"a": "x"}), text)

    def test_long_run_of_braces_is_read_in_one_pass(self):
        """Test that reading is linear: a quadratic one would take hours here."""
        for text in ("{{" * 1_000_000, "}}" * 1_000_000, "{{ x" * 500_000):
            self.assertEqual(placeholders.parse(text).parts, (text,))
