import { session } from "@web/session";
import { patch } from "@web/core/utils/patch";
import { SmsWidget } from "@sms/components/sms_widget/fields_sms_widget";
import { analyse, simplify } from "../core/sms_text";
import { SmsCounter } from "../fields/sms_counter";

/**
 * Odoo's counter takes a character of GSM's extension table for Unicode and a line break
 * for two characters. Where the company sends through its account, ours is shown.
 */
export function isActive() {
    return Boolean(session.sms_devino?.active);
}

patch(SmsWidget, { components: { ...SmsWidget.components, SmsCounter } });

patch(SmsWidget.prototype, {
    get isSmsDevino() {
        return isActive();
    },

    /** What is sent, as far as it is known: with the links that Odoo puts in. */
    get sentText() {
        const text = this.props.record.data[this.props.name] || "";
        const unsubscribe =
            this.props.record.data.sms_allow_unsubscribe &&
            this.linkReplacementsPlaceholders?.unsubscribe;
        return this._getValueForSmsCounts(text) + (unsubscribe || "");
    },

    get nbrSMS() {
        return this.isSmsDevino ? analyse(this.sentText).segments : super.nbrSMS;
    },

    async replaceTypography() {
        const text = simplify(this.props.record.data[this.props.name] || "");
        await this.props.record.update({ [this.props.name]: text });
    },
});
