import { Component, onWillUnmount, useState } from "@odoo/owl";
import { deserializeDateTime, formatDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/** Fields of the composer that decide who gets which text. */
const FIELDS = [
    "body",
    "composition_mode",
    "number_field_name",
    "numbers",
    "recipient_single_number_itf",
    "res_id",
    "res_ids",
    "res_model",
    "template_id",
    "use_exclusion_list",
];
/** How long nothing is typed before the server is asked, in milliseconds. */
const PAUSE = 400;

/**
 * Beneath the text of Odoo's SMS composer: how many get the message and who does not,
 * what it costs, what the balance is and will be.
 */
export class SmsPreview extends Component {
    static template = "sms_devino.SmsPreview";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.keepLast = new KeepLast();
        this.state = useState({ preview: {}, isAsking: false });
        useRecordObserver((record) => {
            const values = this.read(record);
            const key = JSON.stringify(values);
            if (key !== this.key) {
                this.key = key;
                clearTimeout(this.timer);
                this.timer = setTimeout(() => this.ask("sms_devino_preview"), PAUSE);
            }
        });
        onWillUnmount(() => clearTimeout(this.timer));
    }

    read(record) {
        const values = {};
        for (const name of FIELDS) {
            const value = record.data[name];
            values[name] = name === "template_id" ? (value && value.id) || false : value;
        }
        return values;
    }

    async ask(method) {
        this.state.isAsking = true;
        const { context } = this.props.record;
        const values = this.read(this.props.record);
        const asked = this.orm.silent.call("sms.composer", method, [values], { context });
        try {
            this.state.preview = await this.keepLast.add(asked);
        } finally {
            this.state.isAsking = false;
        }
    }

    get recipients() {
        const { recipients, total } = this.state.preview;
        if (recipients === total) {
            return recipients === 1 ? _t("1 recipient") : _t("%s recipients", recipients);
        }
        return _t("%(recipients)s of %(total)s recipients", { recipients, total });
    }

    get balanceTime() {
        return formatDateTime(deserializeDateTime(this.state.preview.balance_at));
    }

    leftOut({ reason, count, names }) {
        const hidden = count - names.length;
        const people = names.join(", ");
        return hidden > 0
            ? _t("%(reason)s: %(people)s and %(hidden)s more", { reason, people, hidden })
            : _t("%(reason)s: %(people)s", { reason, people });
    }
}

registry.category("view_widgets").add("sms_devino_preview", {
    component: SmsPreview,
    fieldDependencies: [],
});
