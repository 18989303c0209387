"""The reader of phone numbers."""

import random
import time

import phonenumbers

from odoo.tests import BaseCase, tagged

from ..tools.phone import Reading, read

N = "+79214563763"

CASES = [
    # raw, code, e164
    ("79214563763", "ok", N),
    ("+79214563763", "ok", N),
    ("+7 921 456-37-63", "ok", N),
    ("(+7) 921 456 37 63", "ok", N),
    ("++79214563763", "ok", N),
    ("7.921.456.37.63", "ok", N),
    ("tel:+79214563763", "ok", N),
    ("Phone: +7 921 456-37-63", "ok", N),
    ("'79214563763", "ok", N),
    ('="79214563763"', "ok", N),
    ("\u260e +7 921 456-37-63", "ok", N),
    (" 79214563763\n", "ok", N),
    ("7 921 456 37 63;", "ok", N),
    ("8 (921) 456-37-63", "corrected", N),
    ("89214563763", "corrected", N),
    ("8,921,456,37,63", "corrected", N),
    ("9214563763", "corrected", N),
    ("(921) 456-37-63", "corrected", N),
    ("8-10-7-921-456-37-63", "corrected", N),
    ("8~10 7 921 4563763", "corrected", N),
    ("00 7 921 456 37 63", "corrected", N),
    ("+00 7 921 456 37 63", "corrected", N),
    ("+89214563763", "corrected", N),
    ("+8 921 456-37-63", "corrected", N),
    ("+7 8 921 456-37-63", "corrected", N),
    ("тел. 8 921 456 37 63", "corrected", N),
    ("моб: 89214563763", "corrected", N),
    # Digits, dashes and blanks that are not ASCII
    ("７９２１４５６３７６３", "ok", N),
    ("＋７９２１４５６３７６３", "ok", N),
    ("٧٩٢١٤٥٦٣٧٦٣", "ok", N),
    ("+7\u00a0921\u202f456\u201137\u201463", "ok", N),
    ("+7 921 456\u221237\u221263", "ok", N),
    ("\u200b+79214563763\ufeff", "ok", N),
    ("\u202a+7 921 456-37-63\u202c", "ok", N),
    # What spreadsheets make of it
    ("79214563763.0", "ok", N),
    ("79214563763,00", "ok", N),
    ("9214563763.0", "corrected", N),
    ("8921456376.0", "too_short", None),
    ("7.9214563763E+10", "ok", N),
    ("7,9214563763E+10", "ok", N),
    ("7.92146E+10", "lost_digits", None),
    ("7,92146E+10", "lost_digits", None),
    ("8E+10", "lost_digits", None),
    # Numbers no message can reach
    ("+74951234567", "landline", "+74951234567"),
    ("8 (495) 123-45-67", "landline", "+74951234567"),
    ("4951234567", "landline", "+74951234567"),
    ("+7 495 123-45-67 доб. 123", "landline", "+74951234567"),
    ("8 (495) 123-45-67, ext. 5", "landline", "+74951234567"),
    ("88001234567", "special", "+78001234567"),
    ("+7 800 123-45-67", "special", "+78001234567"),
    ("112", "special", None),
    ("900", "special", None),
    ("0890", "special", None),
    ("*100#", "special", None),
    # Numbers of other countries
    ("+375291234567", "ok", "+375291234567"),
    ("+998 90 123-45-67", "ok", "+998901234567"),
    ("+77011234567", "ok", "+77011234567"),
    ("77011234567", "ok", "+77011234567"),
    ("87011234567", "corrected", "+77011234567"),
    ("00375291234567", "corrected", "+375291234567"),
    ("8-10-375-29-123-45-67", "corrected", "+375291234567"),
    # No number at all
    ("", "empty", None),
    ("  \t", "empty", None),
    ("-", "empty", None),
    ("—", "empty", None),
    ("+", "empty", None),
    ("нет", "letters", None),
    ("n/a", "letters", None),
    ("892145O3763", "letters", None),
    ("8916***2030", "impossible", None),
    ("1234567890", "impossible", None),
    ("7+9214563763", "impossible", None),
    ("0", "too_short", None),
    ("00", "too_short", None),
    ("123-45-67", "too_short", None),
    ("7921456376", "too_short", None),
    ("+7921456376", "too_short", None),
    ("892145637", "too_short", None),
    ("921456376", "too_short", None),
    ("792145637631", "too_long", None),
    ("+792145637631", "too_long", None),
    ("12345678901234567890", "too_long", None),
    ("9" * 30_000, "too_long", None),
]

STYLES = (
    "{0}{1}{2}{3}{4}",
    "{0} {1} {2}-{3}-{4}",
    "{0}({1}){2}-{3}-{4}",
    "{0} ({1}) {2} {3} {4}",
    "{0}-{1}-{2}-{3}-{4}",
    "{0}.{1}.{2}.{3}.{4}",
    " {0}\u00a0{1}\u00a0{2}\u2011{3}\u2011{4} ",
)


@tagged("post_install", "-at_install", "sms_devino")
class TestRead(BaseCase):
    def test_table(self):
        for raw, code, e164 in CASES:
            with self.subTest(raw=raw[:40]):
                reading = read(raw)
                self.assertEqual((reading.code, reading.e164), (code, e164))
                self.assertEqual(reading.others, ())
                self.assertEqual(reading.raw, raw)
                self.assertEqual(reading.sendable, code in ("ok", "corrected"))

    def test_none_and_false_are_empty(self):
        self.assertEqual(read(None), Reading("", None, "empty"))
        self.assertEqual(read(False), Reading("", None, "empty"))

    def test_a_foreign_number_without_plus_is_only_suggested(self):
        for raw, suggestion, country in (
            ("375291234567", "+375291234567", "BY"),
            ("998901234567", "+998901234567", "UZ"),
            ("380 50 123-45-67", "+380501234567", "UA"),
            ("7011234567", "+77011234567", "KZ"),
        ):
            with self.subTest(raw=raw):
                reading = read(raw)
                self.assertEqual(reading.code, "foreign_without_plus")
                self.assertEqual(reading.suggestion, suggestion)
                self.assertEqual(reading.country, country)
                self.assertIsNone(reading.e164)
                self.assertFalse(reading.sendable)

    def test_what_may_have_been_meant_is_suggested(self):
        self.assertEqual(read("+9161002030").suggestion, "+79161002030")
        self.assertEqual(read("Иван 89161002030").suggestion, "+79161002030")
        self.assertEqual(read("8 916 100-20-30 (жена)").suggestion, "+79161002030")
        self.assertIsNone(read("892145O3763").suggestion)
        self.assertIsNone(read("Иван 84951234567").suggestion)

    def test_several_numbers_in_one_cell(self):
        first, second = "+79161002030", "+79162003040"
        for raw in (
            "9161002030; 9162003040",
            "9161002030, 9162003040",
            "9161002030,9162003040",
            "9161002030/9162003040",
            "9161002030\r\n9162003040",
            "9161002030 | 9162003040",
            "9161002030 9162003040",
            "9161002030 - 9162003040",
            "8 916 100 20 30 8 916 200 30 40",
            "8 (916) 100-20-30, 8 (916) 200-30-40",
            "+79161002030+79162003040",
            "+7 916 100-20-30 +7 916 200-30-40",
            "8 916 1002030 и 8 916 2003040",
            "9161002030; 9162003040; +7 916 100-20-30",
            "нет, 9161002030, 9162003040",
            "9161002030; 12345; 9162003040",
        ):
            with self.subTest(raw=raw):
                reading = read(raw)
                self.assertEqual(reading.e164, first)
                self.assertEqual(reading.others, (second,))
                self.assertTrue(reading.sendable)

    def test_a_mobile_number_is_taken_before_a_landline(self):
        reading = read("8 (495) 123-45-67, 8 916 100-20-30")
        self.assertEqual(reading.e164, "+79161002030")
        self.assertEqual(reading.others, ("+74951234567",))

    def test_the_same_number_twice_is_one(self):
        reading = read("8 916 100-20-30, +79161002030")
        self.assertEqual((reading.e164, reading.others), ("+79161002030", ()))

    def test_other_countries(self):
        for raw, country, code, e164 in (
            ("0171 1234567", "DE", "corrected", "+491711234567"),
            ("+79214563763", "DE", "ok", N),
            ("79214563763", "DE", "foreign_without_plus", None),
            ("79214563763", None, "foreign_without_plus", None),
            ("+79214563763", None, "ok", N),
            ("89214563763", None, "impossible", None),
            ("8 029 123-45-67", "BY", "corrected", "+375291234567"),
            ("375291234567", "BY", "ok", "+375291234567"),
            ("8 701 123 45 67", "KZ", "corrected", "+77011234567"),
            ("7011234567", "KZ", "corrected", "+77011234567"),
            ("9214563763", "KZ", "foreign_without_plus", None),
        ):
            with self.subTest(raw=raw, country=country):
                reading = read(raw, country)
                self.assertEqual((reading.code, reading.e164), (code, e164))

    def test_every_style_of_random_russian_mobiles(self):
        rng = random.Random(5)
        for _ in range(400):
            code = rng.choice([n for n in range(900, 1000) if n != 930])
            national = f"{code}{rng.randrange(10**7):07}"
            groups = (national[:3], national[3:6], national[6:8], national[8:])
            for prefix, code in (("+7", "ok"), ("7", "ok"), ("8", "corrected")):
                raw = rng.choice(STYLES).format(prefix, *groups)
                reading = read(raw)
                self.assertEqual(reading.e164, f"+7{national}", raw)
                self.assertEqual(reading.code, code, raw)

    def test_the_quick_way_agrees_with_the_numbering_plan(self):
        rng = random.Random(6)
        for _ in range(1500):
            number = f"+79{rng.randrange(10**9):09}"
            parsed = phonenumbers.parse(number)
            valid = phonenumbers.is_valid_number(parsed)
            self.assertEqual(read(number).sendable, valid, number)

    def test_a_number_that_was_read_is_read_again_as_itself(self):
        for raw, _code, e164 in CASES:
            if e164:
                again = read(e164)
                self.assertEqual(again.e164, e164, raw)
                self.assertNotEqual(again.code, "corrected", raw)

    def test_no_text_is_too_odd(self):
        rng = random.Random(7)
        alphabet = (
            "0123456789789 +-().,;/\\|\n#*eE=\"'xабA\u200b\u0660９²½\U0001f600\x00"
        )
        for _ in range(3000):
            raw = "".join(rng.choices(alphabet, k=rng.randint(1, 30)))
            reading = read(raw, rng.choice(("RU", "KZ", "US", None)))
            if reading.sendable:
                parsed = phonenumbers.parse(reading.e164)
                self.assertTrue(phonenumbers.is_valid_number(parsed), repr(raw))
            self.assertNotIn(reading.e164, reading.others)

    def test_long_rubbish_takes_no_time(self):
        started = time.process_time()
        for unit in (" ", "+", "доб. ", "1,", "8 921 ", "(", "=", "тел"):
            read(unit * (30_000 // len(unit)))
        self.assertLess(time.process_time() - started, 2.0)
