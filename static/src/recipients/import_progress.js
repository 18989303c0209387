import { Component, onMounted, onWillUnmount, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/**
 * Has the server read a spreadsheet slice by slice, so that no request lasts long, and
 * shows how far it is. Closing the dialog stops it.
 */
export class ImportProgress extends Component {
    static template = "sms_devino.ImportProgress";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.notification = useService("notification");
        this.state = useState({ read: this.props.record.data.position || 0 });
        this.stopped = false;
        onMounted(() => this.readAll());
        onWillUnmount(() => {
            this.stopped = true;
        });
    }

    get label() {
        return _t("%s rows read", this.state.read.toLocaleString());
    }

    async readAll() {
        const { resModel, resId } = this.props.record;
        let result = { done: false };
        while (!result.done && !this.stopped) {
            result = await this.orm.silent.call(resModel, "read_slice", [[resId]]);
            this.state.read = result.read;
        }
        if (this.stopped) {
            return;
        }
        if (result.error) {
            this.notification.add(result.error, { type: "danger", sticky: true });
        }
        await this.props.record.load();
    }
}

registry.category("view_widgets").add("sms_devino_import_progress", {
    component: ImportProgress,
});
