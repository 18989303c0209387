import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/**
 * What is known of a recipient besides name and number: one input for each extra column
 * of the list, or a line of text where nothing is edited.
 */
export class RecipientDataField extends Component {
    static template = "sms_devino.RecipientDataField";
    static props = { ...standardFieldProps };

    get data() {
        return this.props.record.data[this.props.name] || {};
    }

    get columns() {
        const known = this.props.record.data.list_columns || [];
        const others = Object.keys(this.data).filter((title) => !known.includes(title));
        return [...known, ...others];
    }

    get text() {
        return this.columns
            .filter((title) => this.data[title])
            .map((title) => `${title}: ${this.data[title]}`)
            .join(" · ");
    }

    get noColumns() {
        return _t("The list has no extra columns.");
    }

    onChange(title, ev) {
        const data = { ...this.data, [title]: ev.target.value.trim() };
        this.props.record.update({ [this.props.name]: data });
    }
}

registry.category("fields").add("sms_devino_recipient_data", {
    component: RecipientDataField,
    supportedTypes: ["json"],
});
