import { useState } from "@odoo/owl";
import { Dropdown } from "@web/core/dropdown/dropdown";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { registry } from "@web/core/registry";
import { withLine } from "../core/sms_text";
import { SmsDevinoTextField, smsDevinoTextField } from "../fields/sms_devino_text_field";

/** Names offered below the text while one is being typed. */
const OFFERED = 6;
/** A placeholder: the name of a value, and what to write when it is empty. */
const GAP = /\{\{([^{}|]*)(?:\|([^{}]*))?\}\}/g;
/** A placeholder that is open at the cursor: braces and the beginning of a name. */
const OPEN = /\{\{\s*([^{}|\n]*)$/;

/**
 * The text of a mass SMS: placeholders are chosen from a menu, or offered while their
 * name is typed.
 */
export class SmsDevinoTemplateTextField extends SmsDevinoTextField {
    static template = "sms_devino.TemplateTextField";
    static components = { ...SmsDevinoTextField.components, Dropdown, DropdownItem };
    static props = {
        ...SmsDevinoTextField.props,
        namesField: String,
    };

    setup() {
        super.setup();
        this.offer = useState({ names: [], active: 0 });
        this.search = useState({ text: "", fallback: "" });
    }

    /** Count the text with the longest values that the last calculation has met, and with
     *  the line that is added to it. */
    readText() {
        super.readText();
        const values = this.props.record.data.figures?.longest_values || {};
        this.typed.text = this.typed.text.replace(GAP, (_gap, name, fallback) => {
            const key = name.trim().replace(/\s+/g, " ").toLowerCase();
            return values[key] || (fallback || "").trim();
        });
        this.typed.text = withLine(this.typed.text, this.props.record.data.added_line);
    }

    get names() {
        return this.props.record.data[this.props.namesField] || [];
    }

    get found() {
        return this.matching(this.search.text);
    }

    /**
     * @param {string} text the beginning of a name or label
     * @returns {Object[]} the names with it, those that begin with it first
     */
    matching(text) {
        const wanted = text.trim().toLowerCase();
        const rank = ({ name, label }) => {
            const words = [name.toLowerCase(), label.toLowerCase()];
            if (words.some((word) => word.startsWith(wanted))) {
                return 0;
            }
            return words.some((word) => word.includes(wanted)) ? 1 : 2;
        };
        return this.names
            .map((entry) => [rank(entry), entry])
            .filter(([found]) => found < 2)
            .sort(([one], [other]) => one - other)
            .map(([, entry]) => entry);
    }

    openName() {
        const el = this.textareaRef.el;
        const match = OPEN.exec(el.value.slice(0, el.selectionEnd));
        return match ? match[1] : null;
    }

    /** Offer names for the placeholder that is being typed, if one is. */
    onTyped() {
        this.readText();
        const name = this.openName();
        this.offer.names = name === null ? [] : this.matching(name).slice(0, OFFERED);
        this.offer.active = 0;
    }

    onOfferKeydown(ev) {
        const { names, active } = this.offer;
        if (!names.length) {
            return;
        }
        const step = { ArrowDown: 1, ArrowUp: -1 }[ev.key];
        if (step) {
            this.offer.active = (active + step + names.length) % names.length;
        } else if (ev.key === "Enter" || ev.key === "Tab") {
            this.complete(names[active]);
        } else if (ev.key === "Escape") {
            this.offer.names = [];
        } else {
            return;
        }
        ev.preventDefault();
        ev.stopPropagation();
    }

    /** Put the chosen name in place of its typed beginning. */
    complete(entry) {
        const el = this.textareaRef.el;
        const before = el.value.slice(0, el.selectionEnd).replace(OPEN, "");
        const after = el.value.slice(el.selectionEnd).replace(/^\s*\}\}/, "");
        this.setText(`${before}{{ ${entry.name} }}`, after);
    }

    /** Put a placeholder where the cursor is. */
    insert(entry) {
        const el = this.textareaRef.el;
        const { value, selectionStart, selectionEnd } = el;
        const fallback = this.search.fallback.replace(/[{|}]/g, "").trim();
        const inside = fallback ? `${entry.name} | ${fallback}` : entry.name;
        Object.assign(this.search, { text: "", fallback: "" });
        this.setText(
            `${value.slice(0, selectionStart)}{{ ${inside} }}`,
            value.slice(selectionEnd)
        );
    }

    setText(before, after) {
        const el = this.textareaRef.el;
        el.value = before + after;
        el.dispatchEvent(new InputEvent("input", { bubbles: true }));
        el.dispatchEvent(new Event("change", { bubbles: true }));
        this.offer.names = [];
        el.focus();
        el.setSelectionRange(before.length, before.length);
    }
}

export const smsDevinoTemplateTextField = {
    ...smsDevinoTextField,
    component: SmsDevinoTemplateTextField,
    extractProps: (fieldInfo, dynamicInfo) => ({
        ...smsDevinoTextField.extractProps(fieldInfo, dynamicInfo),
        namesField: fieldInfo.options.names_field,
    }),
};

registry.category("fields").add("sms_devino_template_text", smsDevinoTemplateTextField);
