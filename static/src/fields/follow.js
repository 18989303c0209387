import { Component, onWillUnmount, xml } from "@odoo/owl";
import { evaluateBooleanExpr } from "@web/core/py_js/py";
import { registry } from "@web/core/registry";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/** Milliseconds between two looks while the state may change by itself. */
const PAUSE = 1000;
/** States that the scheduled action brings to an end within seconds. */
const OPEN_STATES = ["outgoing", "sending"];
/** How long after sending the report on the delivery is waited for. */
const REPORT_WAIT = { minutes: 5 };

/**
 * Keeps a form up to date while the record's state is open: shows nothing itself.
 * The attribute `open` of the widget is an expression that says when that is.
 */
export class Follow extends Component {
    static template = xml`<span class="o_sms_devino_follow d-none"/>`;
    static props = { ...standardWidgetProps, open: { type: String, optional: true } };

    setup() {
        this.timer = setInterval(() => this.look(), PAUSE);
        this.isLooking = false;
        onWillUnmount(() => clearInterval(this.timer));
    }

    get isOpen() {
        const { data, evalContextWithVirtualIds } = this.props.record;
        if (this.props.open) {
            return evaluateBooleanExpr(this.props.open, evalContextWithVirtualIds);
        }
        const { state, scheduled_at: scheduledAt, accepted_at: acceptedAt } = data;
        const now = luxon.DateTime.now();
        if (state === "scheduled") {
            return scheduledAt && scheduledAt <= now;
        }
        if (state === "sent") {
            return acceptedAt && acceptedAt.plus(REPORT_WAIT) > now;
        }
        return OPEN_STATES.includes(state);
    }

    async look() {
        const { record } = this.props;
        if (this.isLooking || document.hidden || !record.resId || !this.isOpen) {
            return;
        }
        this.isLooking = true;
        try {
            await record.load();
        } finally {
            this.isLooking = false;
        }
    }
}

export const follow = {
    component: Follow,
    extractProps: ({ attrs }) => ({ open: attrs.open }),
    fieldDependencies: ({ attrs }) =>
        attrs.open
            ? []
            : [
                  { name: "state", type: "selection" },
                  { name: "scheduled_at", type: "datetime" },
                  { name: "accepted_at", type: "datetime" },
              ],
};

registry.category("view_widgets").add("sms_devino_follow", follow);
