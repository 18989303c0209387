import { Notification } from "@mail/core/common/notification_model";
import { patch } from "@web/core/utils/patch";

/** Why an SMS failed, in the provider's words, where they are known. */
patch(Notification.prototype, {
    get failureMessage() {
        return this.sms_devino_reason || super.failureMessage;
    },
});
