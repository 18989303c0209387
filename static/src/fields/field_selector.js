import { registry } from "@web/core/registry";
import { ModelFieldSelector } from "@web/core/model_field_selector/model_field_selector";
import {
    FieldSelectorField,
    fieldSelectorField,
} from "@web/views/fields/field_selector/field_selector_field";
import { xml } from "@odoo/owl";

/**
 * Odoo's choice of a field, which shows the field's label also where it is read only,
 * and a placeholder while nothing is chosen.
 */
export class ReadableFieldSelector extends FieldSelectorField {
    static template = xml`
        <ModelFieldSelector t-if="isChosen or !props.readonly" t-props="selectorProps"/>
        <div t-if="!isChosen and props.placeholder" class="text-muted small" t-out="props.placeholder"/>
    `;
    static components = { ModelFieldSelector };
    static props = {
        ...FieldSelectorField.props,
        placeholder: { type: String, optional: true },
    };

    get isChosen() {
        return Boolean(this.props.record.data[this.props.name]);
    }
}

registry.category("fields").add("sms_devino_field_selector", {
    ...fieldSelectorField,
    component: ReadableFieldSelector,
    extractProps: (info, dynamicInfo) => ({
        ...fieldSelectorField.extractProps(info, dynamicInfo),
        placeholder: info.placeholder,
    }),
});
