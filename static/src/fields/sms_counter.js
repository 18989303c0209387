import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { advise, analyse, MAX_TEXT_LENGTH, normalise } from "../core/sms_text";

/** Characters forcing Unicode that are shown before "and N more". */
const SHOWN = 8;
/** Distinct Cyrillic letters that are shown one by one: more of them are a language. */
const SHOWN_CYRILLIC = 3;

/**
 * Beneath the text of an SMS: its length, the messages it takes, what makes it Unicode
 * and, where that helps, a button to replace it.
 */
export class SmsCounter extends Component {
    static template = "sms_devino.SmsCounter";
    static props = {
        text: String,
        onReplace: Function,
    };

    get info() {
        return analyse(this.props.text);
    }

    get advice() {
        return advise(this.props.text);
    }

    lengthLabel(info) {
        return info.length === 1 ? _t("1 character") : _t("%s characters", info.length);
    }

    partsLabel(info) {
        const alphabet = info.encoding === "gsm7" ? _t("GSM") : _t("Unicode");
        return _t("%(count)s SMS (%(alphabet)s)", { count: info.segments, alphabet });
    }

    roomLabel(info) {
        return _t("%s left", info.room);
    }

    get excess() {
        return Math.max(0, [...normalise(this.props.text)].length - MAX_TEXT_LENGTH);
    }

    get excessLabel() {
        return _t("Too long by %(excess)s: the limit is %(limit)s characters", {
            excess: this.excess,
            limit: MAX_TEXT_LENGTH,
        });
    }

    reasonLabel(info) {
        const reasons = unicodeReasons(info.unicodeChars);
        const characters = reasons.slice(0, SHOWN).join(", ");
        const hidden = reasons.length - SHOWN;
        return hidden > 0
            ? _t("Unicode because of: %(characters)s and %(hidden)s more", { characters, hidden })
            : _t("Unicode because of: %s", characters);
    }

    effectLabel({ saved, gained }) {
        if (saved) {
            return _t("Replace to save %s SMS", saved);
        }
        return gained ? _t("Replace to gain %s characters", gained) : _t("Replace");
    }

    pairsLabel({ pairs }) {
        return Object.entries(pairs)
            .map(([from, to]) => `${visible(from)} → ${to ? visible(to) : _t("nothing")}`)
            .join(", ");
    }
}

/**
 * @param {string[]} characters distinct characters outside GSM
 * @returns {string[]} the same as shown to a person: a lone Cyrillic letter among Latin
 *  ones is named, for it cannot be told by its looks, and a Cyrillic text is one reason
 */
function unicodeReasons(characters) {
    const isCyrillic = (char) => /\p{Script=Cyrillic}/u.test(char);
    if (characters.filter(isCyrillic).length > SHOWN_CYRILLIC) {
        const others = characters.filter((char) => !isCyrillic(char));
        return [_t("Cyrillic letters"), ...others.map(visible)];
    }
    return characters.map((char) =>
        isCyrillic(char) ? _t("%s (Cyrillic)", char) : visible(char)
    );
}

/**
 * @param {string} text one character or its stand-in
 * @returns {string} the same, blanks and invisible characters told by name or code
 */
function visible(text) {
    if (text === " ") {
        return _t("space");
    }
    if (text === "\u00a0") {
        return _t("no-break space");
    }
    if (text === "\n") {
        return _t("line break");
    }
    if (/^[\p{Z}\p{C}\p{M}]$/u.test(text)) {
        return `U+${text.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
    }
    return text;
}
