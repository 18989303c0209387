import { SmsWidget } from "@sms/components/sms_widget/fields_sms_widget";
import { onWillUnmount, useEffect, useState } from "@odoo/owl";
import { patch } from "@web/core/utils/patch";
import { useDebounced } from "@web/core/utils/timing";
import { _t } from "@web/core/l10n/translation";
import { session } from "@web/session";
import { formatFloat } from "@web/views/fields/formatters";
import { analyse, withLine } from "../core/sms_text";
import { SmsCounter } from "../fields/sms_counter";

/** How long nothing is typed before the rest of the form is told, in milliseconds. */
const PAUSE = 300;

patch(SmsWidget, { components: { ...SmsWidget.components, SmsCounter } });

/**
 * Odoo's counter takes a character of GSM's extension table for Unicode and a line break
 * for two characters, and is not updated while one types. Where the company sends through
 * its account, ours is shown.
 */
patch(SmsWidget.prototype, {
    setup() {
        super.setup();
        this.typed = useState({ text: this.props.record.data[this.props.name] || "" });
        this.tellForm = useDebounced(
            // the text of then: a form that is drawn meanwhile may show an older one
            (text) => this.props.record.update({ [this.props.name]: text }),
            PAUSE
        );
        onWillUnmount(() => this.tellForm.cancel());
        useEffect(() => this.readTyped());
    },

    get isSmsDevino() {
        return Boolean(
            session.sms_devino?.active || this.props.record.data.sms_devino_account_id
        );
    },

    readTyped() {
        const el = this.targetEditElement.el;
        this.typed.text = el ? el.value : this.props.record.data[this.props.name] || "";
    },

    onTyped() {
        this.readTyped();
        if (this.isSmsDevino) {
            this.tellForm(this.typed.text);
        }
    },

    /** What is sent, as far as it is known: with the links that Odoo puts in, and the line
     *  that ends advertising. */
    get sentText() {
        const unsubscribe =
            this.props.record.data.sms_allow_unsubscribe &&
            this.linkReplacementsPlaceholders?.unsubscribe;
        const text = this._getValueForSmsCounts(this.typed.text) + (unsubscribe || "");
        return withLine(text, this.props.record.data.sms_devino_added_line);
    },

    get nbrSMS() {
        return this.isSmsDevino ? analyse(this.sentText).segments : super.nbrSMS;
    },

    /** @param {(text: string) => string} rewrite */
    async replaceText(rewrite) {
        this.tellForm.cancel(); // it would put the text of before back
        await this.props.record.update({ [this.props.name]: rewrite(this.typed.text) });
    },

    /** What a share of the present cost is, in words. */
    money(share) {
        const { sms_devino_cost: cost, quote_cost: whole } = this.props.record.data;
        const part = formatFloat((cost || 0) * share);
        return cost && whole ? _t("%(part)s of %(whole)s", { part, whole }) : "";
    },
});
