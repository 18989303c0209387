import { Component, onWillUnmount, useEffect, useState, xml } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const ACCOUNT = "sms.devino.account";
/** Milliseconds between two looks at a balance that is being asked, and how many. */
const PAUSE = 2000;
const LOOKS = 15;

/**
 * Has the scheduled action ask for an old balance when a form opens, and shows the new
 * one when it comes. The form never waits.
 *
 * On an account it can be on any field; elsewhere on `quote_seen_at`, whose change lets
 * the server compute the amounts of a form with unsaved changes again.
 */
export class FreshBalance extends Component {
    static template = xml`
        <i t-if="state.isAsking" class="fa fa-refresh fa-spin text-muted" role="status"/>`;
    static props = { ...standardFieldProps };

    setup() {
        this.orm = useService("orm");
        this.state = useState({ isAsking: false });
        useEffect(
            (accountId) => {
                this.ask(accountId);
            },
            () => [this.accountId]
        );
        onWillUnmount(() => {
            this.isGone = true;
            clearTimeout(this.timer);
        });
    }

    get accountId() {
        const { record } = this.props;
        if (record.resModel === ACCOUNT) {
            return record.resId;
        }
        return record.data.quote_account_id?.id;
    }

    /** Whether an answer about an account came too late. */
    isOver(accountId) {
        return this.isGone || accountId !== this.accountId;
    }

    async ask(accountId) {
        if (!accountId) {
            return;
        }
        const before = await this.read(accountId);
        const isComing = before && (await this.call("want_balance", [accountId]));
        if (isComing && !this.isOver(accountId)) {
            this.state.isAsking = true;
            this.look(accountId, before.balance_at, LOOKS);
        }
    }

    look(accountId, askedAt, looks) {
        clearTimeout(this.timer);
        this.timer = setTimeout(async () => {
            const now = await this.read(accountId);
            if (this.isOver(accountId)) {
                return;
            }
            if (now && now.balance_at === askedAt && looks > 1) {
                this.look(accountId, askedAt, looks - 1);
                return;
            }
            this.state.isAsking = false;
            if (now && now.balance_at !== askedAt) {
                await this.show();
            }
        }, PAUSE);
    }

    async show() {
        const { name, record } = this.props;
        if (record.resId && !(await record.isDirty())) {
            await record.load();
        } else if (record.resModel !== ACCOUNT) {
            await record.update({ [name]: luxon.DateTime.now() });
        }
    }

    async read(accountId) {
        const found = await this.call("read", [[accountId], ["balance_at"]]);
        return found?.[0];
    }

    /** A person who may not see the money gets no balance. */
    async call(method, args) {
        try {
            return await this.orm.silent.call(ACCOUNT, method, args);
        } catch {
            return null;
        }
    }
}

registry.category("fields").add("sms_devino_fresh_balance", {
    component: FreshBalance,
    supportedTypes: ["datetime", "boolean"],
    fieldDependencies: ({ name }) =>
        name === "quote_seen_at" ? [{ name: "quote_account_id", type: "many2one" }] : [],
});
