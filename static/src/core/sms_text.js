/**
 * The text of an SMS: its alphabet, its length and the parts it is sent in.
 *
 * The same counting as `tools/sms_text.py`, for showing it while a person types; a test
 * compares the two in a browser. Limits are documented there.
 */

export const MAX_TEXT_LENGTH = 2000;

const GSM = { encoding: "gsm7", single: 160, part: 153 };
const UCS2 = { encoding: "ucs2", single: 70, part: 67 };

const GSM_BASIC = new Set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
        "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
);
const GSM_EXTENSION = new Set("\f^{}\\[~]|€");

function allBecome(characters, replacement) {
    return Object.fromEntries([...characters].map((char) => [char, replacement]));
}

/** What typography and word processors put in place of plain characters. */
export const REPLACEMENTS = {
    ...allBecome("«»“”„‟″〝〞", '"'),
    ...allBecome("‘’‚‛′‹›`´ʼ", "'"),
    ...allBecome("‐‑‒–—―−", "-"),
    ...allBecome(
        "\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a" +
            "\u202f\u205f\u3000",
        " "
    ),
    ...allBecome("\u00ad\u200b\u200e\u200f\u2060\ufeff", ""),
    ...allBecome("\u0085\u2028\u2029", "\n"),
    ...allBecome("•·∙", "*"),
    "…": "...",
    "№": "N",
    "×": "x",
    "÷": "/",
    "±": "+/-",
    "≈": "~",
    "≤": "<=",
    "≥": ">=",
    "→": "->",
    "←": "<-",
    "©": "(c)",
    "®": "(R)",
    "™": "(TM)",
    "°": " deg",
    "½": "1/2",
    "¼": "1/4",
    "¾": "3/4",
    "₽": "RUB",
};

/** Cyrillic letters as in Russian passports, with those of neighbouring languages. */
export const LATIN = {
    ...Object.fromEntries(
        [..."абвгдезиклмнопрстуфыэ"].map((c, i) => [c, "abvgdeziklmnoprstufye"[i]])
    ),
    ...{ ё: "e", ж: "zh", й: "i", х: "kh", ц: "ts", ч: "ch", ш: "sh" },
    ...{ щ: "shch", ъ: "ie", ь: "", ю: "iu", я: "ia" },
    ...{ і: "i", ї: "i", є: "ie", ґ: "g", ў: "u" },
    ...{ ә: "a", ғ: "g", қ: "q", ң: "n", ө: "o", ұ: "u", ү: "u", һ: "h" },
};

/**
 * @param {string} text
 * @returns {string} the text as it is sent: every line break is one line feed
 */
export function normalise(text) {
    return text.replace(/\r\n?/g, "\n");
}

/**
 * Fill parts one after the other; a pair (escape and character, or the two halves of a
 * character beyond the first plane) is never cut in two.
 *
 * @param {number[]} widths units of each character, 1 or 2
 * @param {number} part units of one part
 * @returns {[number, number]} the number of parts and the units in the last of them
 */
function pack(widths, part) {
    let count = 1;
    let used = 0;
    for (const width of widths) {
        if (used + width > part) {
            count++;
            used = 0;
        }
        used += width;
    }
    return [count, used];
}

/**
 * @param {string} text
 * @returns {{encoding: "gsm7"|"ucs2", length: number, segments: number,
 *  perSegment: number, room: number, unicodeChars: string[]}} how the text travels:
 *  `length`, `perSegment` and `room` (left in the last part) are in septets or UTF-16
 *  units; `unicodeChars` are the distinct characters outside GSM in order of appearance
 */
export function analyse(text) {
    const characters = [...normalise(text)];
    const unicodeChars = [
        ...new Set(characters.filter((c) => !GSM_BASIC.has(c) && !GSM_EXTENSION.has(c))),
    ];
    const { encoding, single, part } = unicodeChars.length ? UCS2 : GSM;
    const widths = characters.map(
        unicodeChars.length ? (c) => c.length : (c) => (GSM_EXTENSION.has(c) ? 2 : 1)
    );
    const length = widths.reduce((sum, width) => sum + width, 0);
    const [segments, used] = length > single ? pack(widths, part) : [Math.sign(length), length];
    const perSegment = length > single ? part : single;
    return { encoding, length, segments, perSegment, room: perSegment - used, unicodeChars };
}

/**
 * @param {string} text
 * @returns {Object<string, string>} the plain stand-in of each character of the text that
 *  has one, in order of appearance
 */
export function replacements(text) {
    return Object.fromEntries(
        [...text].filter((c) => Object.hasOwn(REPLACEMENTS, c)).map((c) => [c, REPLACEMENTS[c]])
    );
}

/**
 * @param {string} text
 * @returns {string} the text with its typographic characters replaced by GSM ones
 */
export function simplify(text) {
    return [...text].map((c) => REPLACEMENTS[c] ?? c).join("");
}

const isGsm = (char) => GSM_BASIC.has(char) || GSM_EXTENSION.has(char);
const isUpper = (char) => char !== char.toLowerCase();

/** Without accents, "?" if GSM does not have the character. */
function unaccent(char) {
    const kept = [...char.normalize("NFKD")].filter(isGsm).join("");
    return kept || (/^[\p{M}\p{C}]$/u.test(char) ? "" : "?");
}

function toLatin(text) {
    const characters = [...text];
    return characters
        .map((char, index) => {
            const lower = char.toLowerCase();
            if (!Object.hasOwn(LATIN, lower)) {
                return isGsm(char) ? char : unaccent(char);
            }
            const plain = LATIN[lower];
            if (char === lower) {
                return plain;
            }
            const following = characters[index + 1] || "";
            const near = /\p{L}/u.test(following) ? following : characters[index - 1] || "";
            return isUpper(near)
                ? plain.toUpperCase()
                : plain.slice(0, 1).toUpperCase() + plain.slice(1);
        })
        .join("");
}

/**
 * @param {string} text
 * @returns {string} the text in Latin letters, every character a GSM one; placeholders
 *  in double braces stay as they are
 */
export function transliterate(text) {
    return simplify(text)
        .split(/(\{\{.*?\}\})/s)
        .map((part) => (part.startsWith("{{") ? part : toLatin(part)))
        .join("");
}

/**
 * Tell what a Cyrillic text would save in Latin letters.
 *
 * @param {string} text
 * @returns {{text: string, before: number, after: number}|null} the text in Latin
 *  letters and the parts of both; null when nothing is saved
 */
export function adviseLatin(text) {
    if (!/\p{Script=Cyrillic}/u.test(text)) {
        return null;
    }
    const latin = transliterate(text);
    const [before, after] = [analyse(text).segments, analyse(latin).segments];
    return after < before ? { text: latin, before, after } : null;
}

/**
 * @param {string} text
 * @param {string} [line] what ends every advertising text; none where it is empty
 * @returns {string} the text with the line, as it is sent
 */
export function withLine(text, line) {
    const start = text.trimEnd();
    return line && start && !start.endsWith(line) ? `${start}\n${line}` : text;
}

/**
 * Tell what replacing the typographic characters of a text would bring.
 *
 * Nothing is offered where letters (of Cyrillic, say) keep the text in Unicode all the
 * same, unless a part is saved: quotes and dashes cost nothing extra there.
 *
 * @param {string} text
 * @returns {{saved: number, gained: number, pairs: Object<string, string>}|null} parts
 *  saved, room gained in units (0 when the text stays in Unicode) and what becomes what;
 *  null when there is nothing to offer
 */
export function advise(text) {
    const pairs = replacements(text);
    if (!Object.keys(pairs).length) {
        return null;
    }
    const before = analyse(text);
    const after = analyse(simplify(text));
    const saved = before.segments - after.segments;
    if (saved <= 0 && after.unicodeChars.some((c) => /\p{L}/u.test(c))) {
        return null;
    }
    const becomesGsm = after.encoding === "gsm7" && before.encoding === "ucs2";
    const gained = becomesGsm ? Math.max(0, after.room - before.room) : 0;
    return { saved: Math.max(0, saved), gained, pairs };
}
