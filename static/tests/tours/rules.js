import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

const type = (name, text) => ({
    trigger: `.o_field_widget[name=${name}] input`,
    run: `edit ${text}`,
});

/** A ready rule, added, changed a little, and switched on. */
tours.add("sms_devino_rule_from_gallery", {
    steps: () => [
        { trigger: ".o_list_button_add", run: "click" },
        { trigger: ".o_field_widget[name=ready_rule] input", run: "click" },
        { trigger: ".o_select_menu_item:contains(Order ready for pick-up)", run: "click" },
        { trigger: ".o_field_widget[name=name] :value(Order ready for pick-up)" },
        { trigger: ".o_field_widget[name=body] textarea:value(is ready for pick-up)" },
        type("hour_from", "00:00"),
        type("hour_to", "24:00"),
        { trigger: ".o_field_widget[name=reach]" },
        { trigger: "button[name=action_switch_on]:visible", run: "click" },
        { trigger: ".modal-footer .btn-primary", run: "click" },
        { trigger: ".ribbon:contains(On)" },
        {
            content: "what was ready before gets nothing",
            trigger: ".alert:contains(/got nothing: 1\./)",
        },
    ],
});

/** What a rule has sent stands behind its button. */
tours.add("sms_devino_rule_has_sent", {
    steps: () => [
        { trigger: ".ribbon:contains(On)" },
        {
            trigger: "button[name=action_view_messages]:contains(1)",
            run: "click",
        },
        {
            trigger: ".o_data_row:contains(Your order S00018 is ready) .o_field_badge:contains(Sent)",
        },
        { trigger: "body:not(:has(.o_data_row + .o_data_row .o_field_badge))" },
    ],
});
