import { registry } from "@web/core/registry";

/** Odoo's own SMS composer, on a contact: cost told, sent, the icon in the chatter. */
registry.category("web_tour.tours").add("sms_devino_apps_contact", {
    steps: () => [
        { trigger: ".o_field_widget[name=phone] .o_field_phone_sms:not(:visible)", run: "click" },
        { trigger: ".modal .o_sms_devino_counter" },
        {
            trigger: ".modal .o_field_widget[name=body] textarea",
            run: "edit Price [1] €",
        },
        { content: "€ and brackets are GSM", trigger: ".modal .o_sms_devino_parts:contains(GSM)" },
        { trigger: ".modal .o_field_widget[name=quote_cost]:contains(1)" },
        { trigger: ".modal .o_field_widget[name=sms_devino_recipient_count]:contains(1)" },
        { trigger: ".modal .o_field_widget[name=sms_devino_sender_id] input:value(DevinoTest)" },
        { trigger: ".modal footer button[name=action_send_sms]:enabled:visible", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        { trigger: ".o-mail-Message:contains(Price)" },
    ],
});

/** What the chatter tells of a message that has failed. */
registry.category("web_tour.tours").add("sms_devino_apps_failure", {
    steps: () => [
        { trigger: ".o-mail-Message .o-mail-Message-notification .fa-mobile", run: "click" },
        { trigger: ".o-mail-MessageNotificationPopover:contains(Error: message rejected)" },
    ],
});

/** What the chatter tells of a message that has arrived. */
registry.category("web_tour.tours").add("sms_devino_apps_delivered", {
    steps: () => [
        { trigger: ".o-mail-Message .o-mail-Message-notification .fa-mobile", run: "click" },
        { trigger: ".o-mail-MessageNotificationPopover .fa-check" },
    ],
});

/** Several contacts: who is left out and why, and planned for later. */
registry.category("web_tour.tours").add("sms_devino_apps_contacts", {
    steps: () => [
        { trigger: ".o_list_view .o_list_record_selector input", run: "click" },
        { trigger: ".o_cp_action_menus .dropdown-toggle", run: "click" },
        { trigger: ".o-dropdown--menu .dropdown-item:contains(/^Send SMS$/)", run: "click" },
        {
            trigger: ".modal .o_field_widget[name=body] textarea",
            run: "edit Hi {{ object.name }}",
        },
        { trigger: ".modal .o_field_widget[name=sms_devino_recipient_count]:contains(2)" },
        { trigger: ".modal .o_field_widget[name=sms_devino_total]:contains(4)" },
        {
            trigger:
                ".modal .o_field_widget[name=sms_devino_left_out]:contains(No number: Tour No Number):contains(Landline: Tour Landline)",
        },
        { trigger: ".modal .o_field_widget[name=sms_devino_when] label:contains(Send at)", run: "click" },
        {
            trigger: ".modal .o_field_widget[name=sms_devino_scheduled_at] input",
            run: "edit 12/31/2050 10:00:00",
        },
        { trigger: ".modal footer button[name=action_send_sms_mass_now]:visible", run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ],
});

/** A person stopped by the blacklist clears the box that respects it. */
registry.category("web_tour.tours").add("sms_devino_apps_excluded", {
    steps: () => [
        { trigger: ".o_field_widget[name=phone] .o_field_phone_sms:not(:visible)", run: "click" },
        { trigger: ".modal .alert:contains(blacklist)" },
        { trigger: ".modal .o_field_widget[name=body] textarea", run: "edit Please call" },
        { trigger: ".modal .o_field_widget[name=quote_cost]:contains(1)" },
        { trigger: ".modal footer button[name=action_send_sms]:enabled:visible", run: "click" },
        { trigger: ".modal .modal-body:contains(does not want to get)" },
        { trigger: ".modal:has(.o_error_dialog) footer button, .modal.o_error_dialog footer button", run: "click" },
        { trigger: ".modal .o_field_widget[name=use_exclusion_list] input:visible", run: "click" },
        { trigger: ".modal footer button[name=action_send_sms]:enabled:visible", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        { trigger: ".o-mail-Message:contains(Please call)" },
        { trigger: ".o-mail-Message:contains(sent an SMS anyway)" },
    ],
});

/** Nobody but members of SMS / User sees the buttons. */
registry.category("web_tour.tours").add("sms_devino_apps_stranger", {
    steps: () => [
        { trigger: ".o_form_view .o_field_widget[name=phone]" },
        { trigger: ".o_form_view .o_field_widget[name=phone]:not(:has(.o_field_phone_sms))" },
        { trigger: ".o_cp_action_menus .dropdown-toggle", run: "click" },
        { trigger: ".o-dropdown--menu:not(:contains(Send SMS))" },
    ],
});

/** Switching the company over, and the balance in the place of Odoo's credits. */
registry.category("web_tour.tours").add("sms_devino_apps_settings", {
    steps: () => [
        { trigger: "#sms .o_radio_item:contains(Devino Telecom) input", run: "click" },
        { trigger: "#sms .o_field_widget[name=sms_devino_account_id] input", run: "edit Sandbox" },
        { trigger: ".o-autocomplete--dropdown-item:contains(Sandbox)", run: "click" },
        { trigger: "#sms:not(:has(.o_widget_iap_buy_more_credits))" },
        { trigger: "#sms .o_field_widget[name=sms_devino_members_only] input", run: "click" },
        { trigger: ".o_form_button_save", run: "click", expectUnloadPage: true },
        { trigger: "#sms .o_field_widget[name=sms_devino_account_id] input:value(Sandbox)" },
        { trigger: "#sms button[name=action_sms_devino_check_connection]", run: "click" },
        { trigger: ".o_notification:contains(Balance)" },
    ],
});

/** A server action that sends, chosen in the list of actions of a contact. */
registry.category("web_tour.tours").add("sms_devino_apps_server_action", {
    steps: () => [
        { trigger: ".o_cp_action_menus .dropdown-toggle", run: "click" },
        { trigger: ".o-dropdown--menu .dropdown-item:contains(Tour greeting)", run: "click" },
        { trigger: ".o-mail-Message:contains(By the action)" },
    ],
});
