import { useEffect, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { TextField, textField } from "@web/views/fields/text/text_field";
import { SmsCounter } from "./sms_counter";

/**
 * The text of an SMS with its counter, which follows every key stroke. The record itself
 * is updated when the text is left, as with any text field.
 */
export class SmsDevinoTextField extends TextField {
    static template = "sms_devino.TextField";
    static components = { ...TextField.components, SmsCounter };

    setup() {
        super.setup();
        this.typed = useState({ text: this.props.record.data[this.props.name] || "" });
        // Once rendered the textarea is right in every case: being typed in, or changed
        // by the record.
        useEffect(() => this.readText());
    }

    readText() {
        const el = this.textareaRef.el;
        this.typed.text = el ? el.value : this.props.record.data[this.props.name] || "";
    }

    /** @param {(text: string) => string} rewrite */
    onReplace(rewrite) {
        const el = this.textareaRef.el;
        const cursor = rewrite(el.value.slice(0, el.selectionEnd)).length;
        el.value = rewrite(el.value);
        // What a person's typing would send: the field becomes dirty, then is committed.
        el.dispatchEvent(new InputEvent("input", { bubbles: true }));
        el.dispatchEvent(new Event("change", { bubbles: true }));
        el.focus();
        el.setSelectionRange(cursor, cursor);
    }
}

export const smsDevinoTextField = {
    ...textField,
    component: SmsDevinoTextField,
    additionalClasses: [...(textField.additionalClasses || []), "o_field_text"],
};

registry.category("fields").add("sms_devino_text", smsDevinoTextField);
