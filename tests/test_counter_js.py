"""The counter of the browser counts as the one of the server."""

import json
import random

from odoo.tests import HttpCase, tagged

from ..tools.sms_text import LATIN, REPLACEMENTS, analyse, simplify, transliterate

PIECES = (
    *"abcXYZ019 @_£ΔÇñ",
    *"\f^{}\\[~]|€",
    *"«»—…№’“”•°½₽",
    *"Приветçα`\t\x1b",
    "\n",
    "\r",
    "\r\n",
    "\u00a0",
    "\u200b",
    "\u200d",
    "\u2028",
    "\ufe0f",
    "\ufeff",
    "\uffff",
    "\U00010000",
    "\U0001f600",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f1f7\U0001f1fa",
    "❤\ufe0f",
    "\U0010ffff",
)

EDGES = (
    "",
    "a" * 160,
    "a" * 161,
    "a" * 306,
    "a" * 307,
    "€" * 80,
    "€" * 81,
    "a" * 152 + "€" + "a" * 151,
    "a" * 152 + "€" + "a" * 152,
    "a" * 159 + "€",
    "я" * 70,
    "я" * 71,
    "я" * 134,
    "я" * 135,
    "\U0001f600" * 35,
    "\U0001f600" * 36,
    "я" * 66 + "\U0001f600" + "я" * 66,
    "a\r\nb\rc\n",
    "a" * 159 + "\r\n",
    "constructor __proto__ toString",
)

# A module without imports: the browser loads the file as it is, no bundle is built.
CODE = """(async () => {
    const module = await import("/sms_devino/static/src/core/sms_text.js");
    const wrong = %(cases)s.filter(({ text, info, simple, latin }) => {
        const found = module.analyse(text);
        return (
            JSON.stringify([
                found.encoding,
                found.length,
                found.segments,
                found.perSegment,
                found.room,
                found.unicodeChars,
            ]) !== JSON.stringify(info) ||
            module.simplify(text) !== simple ||
            module.transliterate(text) !== latin
        );
    });
    const table = JSON.stringify([
        Object.entries(module.REPLACEMENTS),
        Object.entries(module.LATIN),
    ]);
    if (table !== JSON.stringify(%(table)s)) {
        console.error("the tables differ");
    } else if (wrong.length) {
        console.error(wrong.length + " differ: " + JSON.stringify(wrong.slice(0, 3)));
    } else {
        console.log("test successful");
    }
})().catch((error) => console.error(error.stack));"""


def random_texts(count):
    """Yield texts made of few or of many kinds of characters, up to some six parts."""
    rng = random.Random(8)
    for _ in range(count):
        pieces = rng.sample(PIECES, rng.choice((1, 2, 3, 8, len(PIECES))))
        yield "".join(rng.choices(pieces, k=rng.randint(1, 400)))


def case(text):
    """Return what the server says of a text, ready for JSON."""
    info = analyse(text)
    counted = [
        info.encoding,
        info.length,
        info.segments,
        info.per_segment,
        info.room,
        info.unicode_chars,
    ]
    return {
        "text": text,
        "info": counted,
        "simple": simplify(text),
        "latin": transliterate(text),
    }


@tagged("post_install", "-at_install", "sms_devino")
class TestCounterInBrowser(HttpCase):
    def test_browser_and_server_count_alike(self):
        """Test that odd texts are counted and simplified alike in a real browser."""
        texts = [*EDGES, *PIECES, *REPLACEMENTS, *LATIN, *random_texts(600)]
        code = CODE % {
            "cases": json.dumps([case(text) for text in texts]),
            "table": json.dumps([list(REPLACEMENTS.items()), list(LATIN.items())]),
        }
        self.browser_js("/web/health", code)
