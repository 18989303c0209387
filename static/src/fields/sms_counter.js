import { Component, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import {
    advise,
    adviseLatin,
    analyse,
    MAX_TEXT_LENGTH,
    normalise,
    simplify,
    transliterate,
} from "../core/sms_text";

/** Characters forcing Unicode that are shown before "and N more". */
const SHOWN = 8;
/** Up to so many distinct Cyrillic letters are a slip, more of them are a language. */
const SHOWN_CYRILLIC = 3;

/**
 * Beneath the text of an SMS: its length, the messages it takes, what makes it Unicode
 * and, where that helps, buttons to replace it: typography at once, Cyrillic letters
 * after a look at the result.
 *
 * `onReplace` gets a function from text to text. `money` tells what a share of the
 * present cost is, in words.
 */
export class SmsCounter extends Component {
    static template = "sms_devino.SmsCounter";
    static props = {
        text: String,
        onReplace: Function,
        money: { type: Function, optional: true },
    };

    setup() {
        this.latinView = useState({ isOpen: false });
    }

    get info() {
        return analyse(this.props.text);
    }

    get advice() {
        return advise(this.props.text);
    }

    get latinAdvice() {
        return adviseLatin(this.props.text);
    }

    latinLabel({ before, after }) {
        return _t("Transliterate to save %s SMS", before - after);
    }

    savingLabel({ before, after }) {
        const saved = this.props.money?.((before - after) / before);
        return saved
            ? _t("%(after)s SMS, not %(before)s. Saved: %(saved)s", { after, before, saved })
            : _t("%(after)s SMS, not %(before)s", { after, before });
    }

    replace() {
        this.props.onReplace(simplify);
    }

    showLatin(isOpen) {
        this.latinView.isOpen = isOpen;
    }

    useLatin() {
        this.showLatin(false);
        this.props.onReplace(transliterate);
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

    /** What makes the text Unicode. Nothing is to be said of a Cyrillic text. */
    reasonLabel(info) {
        const cyrillic = info.unicodeChars.filter(isCyrillic);
        if (!info.unicodeChars.length || cyrillic.length > SHOWN_CYRILLIC) {
            return "";
        }
        const reasons = info.unicodeChars.map((char) =>
            isCyrillic(char) ? _t("%s (Cyrillic)", char) : visible(char)
        );
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

/** A lone Cyrillic letter among Latin ones is named: its looks do not tell it. */
function isCyrillic(char) {
    return /\p{Script=Cyrillic}/u.test(char);
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
