"""The link to refuse in the line that ends advertising."""

import re

from odoo.fields import Command
from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ..services import ad_line, refusal
from ..tools import refusal_code
from .base_case import SmsCase
from .mass_case import TEXT, MassCase

NUMBER = "+79214563763"
LINK = re.compile(r"https?://\S+/u/([0-9A-Za-z]+)")


def sign_with(secret):
    return lambda text: hash_of(f"{secret}/{text}")


def hash_of(text):
    """A keyed hash as good as the real one, for tests."""
    import hashlib

    return int(hashlib.sha256(text.encode()).hexdigest(), 16)


@tagged("post_install", "-at_install", "sms_devino")
class TestRefusalCode(BaseCase):
    def test_a_code_names_company_and_number(self):
        sign = sign_with("a")
        for company in (1, 7, 12, 13, 4_000, 2_000_000_000):
            for number in ("+79214563763", "+1234567", "+999999999999999"):
                code = refusal_code.make(company, number, sign)
                self.assertEqual(refusal_code.read(code, sign), (company, number))
                self.assertTrue(code.isascii() and code.isalnum())
                if company < 13:
                    self.assertEqual(len(code), 15)

    def test_the_number_cannot_be_read_and_neighbours_look_different(self):
        codes = [
            refusal_code.make(1, f"+7921456376{n}", sign_with("a")) for n in "0123"
        ]
        for one, other in zip(codes, codes[1:], strict=False):
            same = sum(a == b for a, b in zip(one, other, strict=True))
            self.assertLess(same, 6)

    def test_every_change_makes_it_wrong(self):
        sign = sign_with("a")
        code = refusal_code.make(1, NUMBER, sign)
        for index in range(len(code)):
            other = "A" if code[index] != "A" else "B"
            changed = code[:index] + other + code[index + 1 :]
            self.assertIsNone(refusal_code.read(changed, sign))
        for wrong in (
            *("", "x", code[:-1], code[1:], f"{code}0", f"0{code}", code * 9),
            *("0" * 15, "é" * 15, "١" * 15, "../../../../../", code[::-1]),
        ):
            self.assertIsNone(refusal_code.read(wrong, sign), wrong)

    def test_another_secret_makes_it_wrong(self):
        code = refusal_code.make(1, NUMBER, sign_with("a"))
        self.assertIsNone(refusal_code.read(code, sign_with("b")))


@tagged("post_install", "-at_install", "sms_devino")
class TestRefusalLinkOfCompany(SmsCase):
    def code(self, company=None, number=NUMBER):
        link = ad_line.make_link(company or self.company, number)
        return link.rpartition("/")[2]

    def test_a_link_belongs_to_one_company(self):
        ours, theirs = self.code(), self.code(self.other_company)
        self.assertNotEqual(ours, theirs)
        read = ad_line.read_code
        self.assertEqual(read(self.env, ours), (self.company, NUMBER))
        self.assertEqual(read(self.env, theirs), (self.other_company, NUMBER))

    def test_a_company_that_is_gone_has_no_links(self):
        code = self.code(self.env["res.company"].browse(999_999))
        self.assertIsNone(ad_line.read_code(self.env, code))

    def test_it_is_named_in_the_language_of_the_user(self):
        self.use_russian()
        for line in ("{{ unsubscribe }}", "{{ Unsubscribe }}", "{{ link to refuse }}"):
            self.company.sms_devino_ad_line = f"Ours. {line}"
            text = ad_line.complete(self.company, "advertising", "Sale", NUMBER)
            self.assertEqual(text, f"Sale\nOurs. {self.link()}")

    def link(self):
        return ad_line.make_link(self.company, NUMBER)

    def test_settings_show_what_recipients_see(self):
        self.company.sms_devino_ad_line = "Ours: {{ unsubscribe }}"
        settings = self.env["res.config.settings"].create(
            {"company_id": self.company.id}
        )
        example = ad_line.make_example(self.company)
        self.assertIn(f"Ours: {example}", settings.sms_devino_ad_line_hint)
        self.assertEqual(len(example), len(self.link()))
        self.assertIsNone(ad_line.read_code(self.env, example.rpartition("/")[2]))

    def test_a_masked_number(self):
        self.assertEqual(refusal.mask(NUMBER), "+7******3763")
        self.assertEqual(refusal.mask("+1234567"), "+1**4567")


@tagged("post_install", "-at_install", "sms_devino")
class TestRefusalLink(MassCase):
    """From the text of a mass sending to the page, and to the next sending."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self.set_line, False)
        self.set_line("Ours. {{ unsubscribe }}")

    def set_line(self, line):
        with self.transaction() as env:
            env.company.sms_devino_ad_line = line
            env.cr.execute("DELETE FROM sms_devino_consent")

    def codes(self, batch_id):
        return [LINK.search(body)[1] for body in self.rows(batch_id, "body")]

    def token(self, page):
        return re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]

    def refuse(self, code):
        page = self.url_open(f"/u/{code}")
        data = {"csrf_token": self.token(page)}
        return self.url_open(f"/u/{code}/refuse", data=data)

    def blacklisted(self):
        with self.transaction() as env:
            found = env["phone.blacklist"].search(
                [("id", "not in", self.known_blacklist)]
            )
            return found.mapped("number")

    def test_each_recipient_gets_a_link_that_counts(self):
        batch_id = self.prepare()
        codes = self.codes(batch_id)
        self.assertEqual(len(set(codes)), 10)
        with self.transaction() as env:
            numbers = [ad_line.read_code(env, code)[1] for code in codes]
            example = ad_line.show(env.company, "advertising")
        self.assertEqual(numbers, self.rows(batch_id, "number"))
        self.assertEqual(self.read_batch(batch_id, "added_line"), example)
        body = "x" * (160 - len(example))
        longer = self.prepare(body=body)
        self.assertEqual(self.read_batch(longer, "segment_count"), 20)
        self.assertEqual(self.read_batch(longer, "cost_estimated"), 20)
        self.assertEqual(len(self.rows(longer, "body")[0]), 161)

    def test_no_text_of_ones_own_may_have_it_without_the_line(self):
        self.set_line(False)
        batch_id = self.draft(body="Sale {{ unsubscribe }}")
        self.calculate(batch_id)
        self.assertIn("unsubscribe", self.read_batch(batch_id, "error_text"))

    def test_the_page_shows_little_and_changes_nothing(self):
        [code, *_others] = self.codes(self.prepare())
        page = self.url_open(f"/u/{code}")
        self.assertEqual(page.status_code, 200)
        with self.transaction() as env:
            self.assertIn(env.company.name, page.text)
        self.assertIn("+7******0000", page.text)
        self.assertNotIn("79214500000", page.text)
        self.assertIn("noindex", page.headers["X-Robots-Tag"])
        self.assertFalse(self.blacklisted())

    def test_the_button_refuses_and_pressing_it_again_changes_nothing(self):
        number = "+" + self.numbers(1)[0]
        with self.transaction() as env:
            env["sms.devino.consent"].create({"number": number, "source": "Shop"})
        [code, *_others] = self.codes(self.prepare())
        waiting = self.enqueue(number, purpose="advertising")
        for _round in range(2):
            page = self.refuse(code) if not _round else self.url_open(f"/u/{code}")
            self.assertEqual(page.status_code, 200)
            self.assertIn("No more advertising SMS", page.text)
        self.assertEqual(self.blacklisted(), [number])
        self.assertEqual(
            self.read(waiting, "state", "reason"), ("canceled", "blacklisted")
        )
        with self.transaction() as env:
            found = env["phone.blacklist"].search([("number", "=", number)])
            self.assertEqual(found.sms_devino_source, "link")
            self.assertEqual(found.sms_devino_company_id, env.company)
            self.assertFalse(found.sms_devino_user_id)
            self.assertTrue(env["sms.devino.consent"].search([]).withdrawn_at)
        batch_id = self.prepare(body="The next one")
        figures = self.read_batch(batch_id, "figures")
        self.assertEqual(figures["reasons"], {"blacklisted": 1})

    def test_without_the_token_of_the_page_nothing_is_refused(self):
        [code, *_others] = self.codes(self.prepare())
        with mute_logger("odoo.http"):
            for data in ({"x": "1"}, {"csrf_token": "wrong"}):
                answer = self.url_open(f"/u/{code}/refuse", data=data)
                self.assertEqual(answer.status_code, 400)
        self.assertFalse(self.blacklisted())

    def test_a_wrong_code_is_a_page_that_is_not_there(self):
        [code, *_others] = self.codes(self.prepare())
        page = self.url_open(f"/u/{code}")
        data = {"csrf_token": self.token(page)}
        changed = code[:-1] + ("A" if code[-1] != "A" else "B")
        for wrong in (changed, "example00000000", "x", "%00" * 15, "%D0%AF" * 15):
            self.assertEqual(self.url_open(f"/u/{wrong}").status_code, 404, wrong)
            answer = self.url_open(f"/u/{wrong}/refuse", data=data)
            self.assertEqual(answer.status_code, 404, wrong)
        self.assertFalse(self.blacklisted())

    def test_it_speaks_the_language_of_the_browser(self):
        with self.transaction() as env:
            env["res.lang"]._activate_lang("ru_RU")
            addon = env["ir.module.module"].search([("name", "=", "sms_devino")])
            addon._update_translations(["ru_RU"])
        [code, *_others] = self.codes(self.prepare())
        page = self.url_open(f"/u/{code}", headers={"Accept-Language": "ru"})
        self.assertIn('lang="ru-RU"', page.text)

    def test_a_sample_has_a_link_that_is_nobodys(self):
        batch_id = self.prepare()
        action = self.press(batch_id, "action_sample")
        body = action["context"]["default_body"]
        with self.transaction() as env:
            self.assertIsNone(ad_line.read_code(env, LINK.search(body)[1]))
        self.assertTrue(body.startswith(TEXT))

    def test_a_control_number_has_a_link_of_its_own(self):
        with self.transaction() as env:
            env.company.sms_devino_control_numbers = "79030000001"
        try:
            batch_id = self.prepare(list_ids=[Command.set([self.list_id])])
            numbers = self.rows(batch_id, "number")
            with self.transaction() as env:
                found = [
                    ad_line.read_code(env, code)[1] for code in self.codes(batch_id)
                ]
        finally:
            with self.transaction() as env:
                env.company.sms_devino_control_numbers = False
        self.assertIn("+79030000001", numbers)
        self.assertEqual(found, numbers)
