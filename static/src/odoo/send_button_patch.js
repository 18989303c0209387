import { session } from "@web/session";
import { patch } from "@web/core/utils/patch";
import { SendSMSButton } from "@sms/components/sms_button/sms_button";

/** The company may let only members of a group send SMS. */
patch(SendSMSButton.prototype, {
    get maySend() {
        return session.sms_devino?.may_send ?? true;
    },
});
