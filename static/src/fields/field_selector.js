import { registry } from "@web/core/registry";
import { ModelFieldSelector } from "@web/core/model_field_selector/model_field_selector";
import {
    FieldSelectorField,
    fieldSelectorField,
} from "@web/views/fields/field_selector/field_selector_field";
import { xml } from "@odoo/owl";

/**
 * Odoo's choice of a field, which shows the field's label also where it is read only.
 */
export class ReadableFieldSelector extends FieldSelectorField {
    static template = xml`<ModelFieldSelector t-if="props.record.data[props.name] or !props.readonly" t-props="selectorProps"/>`;
    static components = { ModelFieldSelector };
}

registry.category("fields").add("sms_devino_field_selector", {
    ...fieldSelectorField,
    component: ReadableFieldSelector,
});
