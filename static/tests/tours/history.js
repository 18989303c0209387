import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

/** A number is looked up and unsubscribed; the same page then shows the refusal. */
tours.add("sms_devino_history", {
    steps: () => [
        {
            trigger: ".o_field_widget[name=query] input",
            run: "edit 8 921 450-00-00 && press Enter",
        },
        { trigger: ".o_field_widget[name=message_ids] td:contains(Your order is ready)" },
        { trigger: ".o_statusbar_buttons button:contains(Unsubscribe)", run: "click" },
        { trigger: ".modal .o_field_widget[name=text] textarea:value(+79214500000)" },
        { trigger: ".modal .o_field_widget[name=reason] input", run: "edit Asked by phone" },
        { trigger: ".modal button[name=action_apply]", run: "click" },
        { trigger: ".o_notification:contains(Put on the blacklist: 1)" },
        { trigger: ".alert:contains(On the blacklist)" },
        { trigger: ".o_field_widget[name=blacklist_ids] td:contains(Asked by phone)" },
    ],
});
