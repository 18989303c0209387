import { Component, onWillStart, useState } from "@odoo/owl";
import { useService } from "@web/core/utils/hooks";
import { user } from "@web/core/user";
import { registry } from "@web/core/registry";
import { listView } from "@web/views/list/list_view";
import { ListRenderer } from "@web/views/list/list_renderer";

const ACCOUNT = "sms.devino.account";

/**
 * One row of steps, from installing to sending everything through an account; nothing
 * once they are done or hidden.
 */
export class FirstSteps extends Component {
    static template = "sms_devino.FirstSteps";
    static props = {};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ steps: [], mayHide: false });
        onWillStart(() => this.load());
    }

    async load() {
        const [steps, mayHide] = await Promise.all([
            this.orm.silent.call(ACCOUNT, "get_first_steps", []),
            user.hasGroup("sms_devino.group_admin"),
        ]);
        Object.assign(this.state, { steps, mayHide });
    }

    async start({ action }) {
        if (action.type !== "call") {
            return this.action.doAction(action);
        }
        const following = await this.orm.call(action.model, action.method, [action.id]);
        await this.action.doAction(following, { onClose: () => this.load() });
    }

    async hide() {
        await this.orm.call(ACCOUNT, "hide_first_steps", []);
        this.state.steps = [];
    }
}

class StepsListRenderer extends ListRenderer {
    static template = "sms_devino.StepsListRenderer";
    static components = { ...ListRenderer.components, FirstSteps };
}

registry.category("views").add("sms_devino_steps_list", {
    ...listView,
    Renderer: StepsListRenderer,
});
