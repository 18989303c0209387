import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { SelectionField, selectionField } from "@web/views/fields/selection/selection_field";

/** The sheet of a workbook, chosen among those that the file has (field `sheets`). */
export class SheetField extends SelectionField {
    get options() {
        return this.props.record.data.sheets || [];
    }

    get string() {
        const chosen = this.props.record.data[this.props.name];
        const option = this.options.find(([name]) => name === chosen);
        return option ? option[1] : "";
    }

    onChange(value) {
        this.props.record.update({ [this.props.name]: value });
    }
}

registry.category("fields").add("sms_devino_sheet", {
    ...selectionField,
    component: SheetField,
    displayName: _t("Sheet"),
    supportedTypes: ["char"],
});
