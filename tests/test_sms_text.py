"""The counter of parts, the replacements and the check of a sender's name."""

import random
import time

from odoo.tests import BaseCase, tagged

from ..sandbox.segments import count_segments
from ..tools import sms_text
from ..tools.sms_text import (
    LATIN,
    REPLACEMENTS,
    SenderProblem,
    analyse,
    check_sender,
    normalise,
    replacements,
    segments,
    simplify,
    transliterate,
)

# From the table of 3GPP TS 23.038, typed anew: code points, not characters.
BASIC_CODES = {
    *range(0x20, 0x24),
    *range(0x25, 0x40),
    *range(0x41, 0x5B),
    *range(0x61, 0x7B),
    *(0x40, 0xA3, 0x24, 0xA5, 0xE8, 0xE9, 0xF9, 0xEC, 0xF2, 0xC7, 0x0A, 0xD8, 0xF8),
    *(0x0D, 0xC5, 0xE5, 0x394, 0x5F, 0x3A6, 0x393, 0x39B, 0x3A9, 0x3A0, 0x3A8, 0x3A3),
    *(0x398, 0x39E, 0xC6, 0xE6, 0xDF, 0xC9, 0xA4, 0xA1, 0xC4, 0xD6, 0xD1, 0xDC, 0xA7),
    *(0xBF, 0xE4, 0xF6, 0xF1, 0xFC, 0xE0),
}
EXTENSION_CODES = {0x0C, 0x5E, 0x7B, 0x7D, 0x5C, 0x5B, 0x7E, 0x5D, 0x7C, 0x20AC}

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
ALPHABETS = (
    "abc XYZ 019 .,!?",
    "abc [x] {y} € ~ \\",
    "€",
    "Привет, мир",
    "Привет \U0001f600\U0001f9ff",
    "\U0001f600",
    "a\r\n",
    f"«Текст» — №…\u00a0{FAMILY}",
    "Çç`Ωωéê\x0c\x1b\t",
)


def random_texts(count, seed):
    """Yield texts of few or many characters around the limits of one to five parts."""
    rng = random.Random(seed)
    for _ in range(count):
        limit = rng.choice((0, 1, 70, 134, 160, 306, 400, 459))
        length = max(0, limit + rng.randint(-4, 4))
        yield "".join(rng.choices(rng.choice(ALPHABETS), k=length))


def count_plainly(text):
    """Lay the characters out one by one: (length, parts, units in the last part)."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    codes = [ord(char) for char in text]
    gsm = all(code in BASIC_CODES | EXTENSION_CODES for code in codes)
    if gsm:
        widths = [2 if code in EXTENSION_CODES else 1 for code in codes]
    else:
        widths = [2 if code > 0xFFFF else 1 for code in codes]
    alone, joined = (160, 153) if gsm else (70, 67)
    capacity = alone if sum(widths) <= alone else joined
    parts = []
    for width in widths:
        if not parts or parts[-1] + width > capacity:
            parts.append(0)
        parts[-1] += width
    return sum(widths), len(parts), capacity - parts[-1] if parts else capacity


@tagged("post_install", "-at_install", "sms_devino")
class TestCounter(BaseCase):
    def test_known_texts_are_counted(self):
        """Test that texts on the limits get the parts the networks give them."""
        cases = [
            # text, encoding, length, segments, per_segment, room
            ("", "gsm7", 0, 0, 160, 160),
            ("a", "gsm7", 1, 1, 160, 159),
            ("a" * 160, "gsm7", 160, 1, 160, 0),
            ("a" * 161, "gsm7", 161, 2, 153, 145),
            ("a" * 306, "gsm7", 306, 2, 153, 0),
            ("a" * 307, "gsm7", 307, 3, 153, 152),
            ("€" * 80, "gsm7", 160, 1, 160, 0),
            ("€" * 81, "gsm7", 162, 2, 153, 143),
            ("a" * 152 + "€" + "a" * 10, "gsm7", 164, 2, 153, 141),
            ("a" * 152 + "€" + "a" * 151, "gsm7", 305, 2, 153, 0),
            ("a" * 152 + "€" + "a" * 152, "gsm7", 306, 3, 153, 152),
            ("я" * 70, "ucs2", 70, 1, 70, 0),
            ("я" * 71, "ucs2", 71, 2, 67, 63),
            ("я" * 134, "ucs2", 134, 2, 67, 0),
            ("я" * 135, "ucs2", 135, 3, 67, 66),
            ("€" + "я" * 69, "ucs2", 70, 1, 70, 0),
            ("\U0001f600" * 35, "ucs2", 70, 1, 70, 0),
            ("\U0001f600" * 36, "ucs2", 72, 2, 67, 61),
            ("я" * 66 + "\U0001f600" + "я" * 66, "ucs2", 134, 3, 67, 66),
            (FAMILY, "ucs2", 8, 1, 70, 62),
            ("a\r\nb", "gsm7", 3, 1, 160, 157),
            ("a\rb", "gsm7", 3, 1, 160, 157),
        ]
        for text, *expected in cases:
            with self.subTest(text=text):
                info = analyse(text)
                self.assertEqual(
                    [
                        info.encoding,
                        info.length,
                        info.segments,
                        info.per_segment,
                        info.room,
                    ],
                    expected,
                )
                self.assertEqual(segments(text), info.segments)

    def test_every_character_of_the_plane_has_its_alphabet(self):
        for code in range(0xD800):
            if code == 0x0D:  # becomes a line feed before it is counted
                continue
            info = analyse(chr(code))
            width = 1 if code in BASIC_CODES else 2 if code in EXTENSION_CODES else 0
            expected = ("gsm7", width) if width else ("ucs2", 1)
            self.assertEqual((info.encoding, info.length), expected, hex(code))

    def test_random_texts_agree_with_plain_counting(self):
        for text in random_texts(2500, seed=1):
            info = analyse(text)
            found = (info.length, info.segments, info.room)
            self.assertEqual(found, count_plainly(text), repr(text))
            self.assertEqual(segments(text), info.segments, repr(text))

    def test_random_texts_agree_with_the_sandbox(self):
        for text in random_texts(2500, seed=2):
            text = normalise(text)
            self.assertEqual(segments(text), count_segments(text), repr(text))

    def test_parts_put_together_hold_no_more_than_the_length(self):
        for text in random_texts(500, seed=3):
            info = analyse(text)
            filled = info.segments * info.per_segment - info.room
            wasted = filled - info.length if info.segments else 0
            self.assertIn(wasted, range(max(info.segments, 1)), repr(text))

    def test_characters_forcing_unicode_come_once_in_order(self):
        info = analyse("a—b«c»—€«")
        self.assertEqual(info.unicode_chars, ("—", "«", "»"))
        self.assertEqual(analyse("plain € [text]").unicode_chars, ())

    def test_line_breaks_are_one_line_feed(self):
        self.assertEqual(normalise("a\r\nb\rc\n\nd\r\r\n"), "a\nb\nc\n\nd\n\n")
        self.assertEqual(normalise("nothing to do"), "nothing to do")

    def test_a_hundred_thousand_texts_are_counted_in_no_time(self):
        texts = [f"Заказ {n} готов, ждём вас до 21:00" for n in range(50_000)]
        texts += [f"Your code is {n}" for n in range(50_000)]
        started = time.process_time()
        total = sum(map(segments, texts))
        self.assertEqual(total, 100_000)
        self.assertLess(time.process_time() - started, 2.0)


@tagged("post_install", "-at_install", "sms_devino")
class TestReplacements(BaseCase):
    def test_every_replacement_turns_unicode_into_gsm(self):
        for char, plain in REPLACEMENTS.items():
            with self.subTest(char=f"U+{ord(char):04X}"):
                self.assertEqual(analyse(char).encoding, "ucs2")
                self.assertEqual(analyse(plain).encoding, "gsm7")

    def test_typography_is_simplified(self):
        text = "«Hi» — №\u00a05… it’s “ok”\u200b"
        self.assertEqual(simplify(text), '"Hi" - N 5... it\'s "ok"')
        self.assertEqual(analyse(simplify(text)).encoding, "gsm7")

    def test_what_would_be_replaced_is_told_in_order(self):
        self.assertEqual(
            replacements("№ 1 — «Привет» №"),
            {"№": "N", "—": "-", "«": '"', "»": '"'},
        )
        self.assertEqual(replacements("Привет"), {})

    def test_letters_and_emoji_stay(self):
        text = f"Привет, {FAMILY} café [€]\n"
        self.assertEqual(simplify(text), text)

    def test_simplifying_agrees_with_what_was_told(self):
        for text in random_texts(300, seed=4):
            expected = text
            for char, plain in replacements(text).items():
                expected = expected.replace(char, plain)
            self.assertEqual(simplify(text), expected)


@tagged("post_install", "-at_install", "sms_devino")
class TestTransliterate(BaseCase):
    def test_passport_table(self):
        for text, latin in {
            "Щёлково, Цюрих": "Shchelkovo, Tsiurikh",
            "Юлия Объедкова": "Iuliia Obieedkova",
            "съезд, мышь, йод": "sieezd, mysh, iod",
            "ЩИ да КАША": "SHCHI da KASHA",
            "Я иду. Я!": "Ia idu. Ia!",
            "ООО «Ромашка» — заказ № 5": 'OOO "Romashka" - zakaz N 5',
            "Київ, Алматы қаласы": "Kiiv, Almaty qalasy",
            "Čapek, naïve, café": "Capek, naive, café",
            "Ура 🎉\ufe0f!": "Ura ?!",
            "{{ Имя }}, ждём": "{{ Имя }}, zhdem",
        }.items():
            with self.subTest(text):
                self.assertEqual(transliterate(text), latin)

    def test_every_result_is_gsm(self):
        texts = [
            *LATIN,
            *map(str.upper, LATIN),
            *REPLACEMENTS,
            *random_texts(300, seed=5),
        ]
        for text in [*texts, FAMILY, "漢字", "\u0301", "ﬁ", "Й"]:
            self.assertEqual(analyse(transliterate(text)).encoding, "gsm7", text)


@tagged("post_install", "-at_install", "sms_devino")
class TestSender(BaseCase):
    def test_good_names(self):
        for name in (
            "DTSMS",
            "testsms",
            "A",
            "Shop-24.ru",
            "M&S_sale",
            "My shop!",
            "12345678901",
            "123456789012345",
            "Name1234567",
            "+7921456376",
        ):
            with self.subTest(name=name):
                self.assertEqual(check_sender(name), [])

    def test_bad_names(self):
        cases = {
            "": [SenderProblem("empty")],
            " \t ": [SenderProblem("empty")],
            "DevinoTelecom": [SenderProblem("too_long", "om")],
            "1234567890123456": [SenderProblem("too_many_digits", "6")],
            "123456789012a": [SenderProblem("too_long", "2a")],
            "Магазин": [SenderProblem("bad_chars", "Магзин")],
            "Shop\n": [SenderProblem("bad_chars", "\n")],
            " Shop": [SenderProblem("bad_chars", " ")],
            "Sh[o]p": [SenderProblem("bad_chars", "[]")],
            "Café": [SenderProblem("bad_chars", "é")],
            "١٢٣": [SenderProblem("bad_chars", "١٢٣")],
            "Магазин №12": [SenderProblem("bad_chars", "Магзин№")],
            "Мой магазин1": [
                SenderProblem("too_long", "1"),
                SenderProblem("bad_chars", "Мой магзин".replace(" ", "")),
            ],
        }
        for name, expected in cases.items():
            with self.subTest(name=name):
                self.assertEqual(check_sender(name), expected)

    def test_a_letter_that_only_looks_latin_is_named(self):
        [problem] = check_sender("\u0410BC")
        self.assertEqual(problem, SenderProblem("bad_chars", "\u0410"))
        self.assertEqual(problem.char_names, ("CYRILLIC CAPITAL LETTER A",))
        [problem] = check_sender("abc\x00")
        self.assertEqual(problem.char_names, ("U+0000",))

    def test_the_limits_are_the_providers(self):
        self.assertEqual(sms_text.MAX_TEXT_LENGTH, 2000)
        self.assertEqual(sms_text.MAX_SENDER_LENGTH, 11)
        self.assertEqual(sms_text.MAX_SENDER_DIGITS, 15)
