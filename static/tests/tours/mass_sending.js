import { registry } from "@web/core/registry";
import { within } from "./budget";
import { upload } from "./upload";

const tours = registry.category("web_tour.tours");

const create = () => [
    { trigger: ".o_list_button_add", run: "click" },
    { trigger: ".o_form_view .o_field_widget[name=list_ids]" },
];

const chooseList = (name) => [
    { trigger: ".o_field_widget[name=list_ids] input", run: `edit ${name}` },
    { trigger: `.o-autocomplete--dropdown-item:contains(${name})`, run: "click" },
    { trigger: `.o_field_widget[name=list_ids] .o_tag:contains(${name})` },
];

const writeText = (text) => [
    { trigger: ".o_field_widget[name=body] textarea", run: `edit ${text}` },
    { trigger: ".o_sms_devino_parts" },
];

/** A job does it; the form follows by itself. */
const calculate = () => [
    { trigger: "button[name=action_calculate]", run: "click" },
    { trigger: "button[name=action_ask]", timeout: 30000 },
];

/** The last question repeats what the page says, then the form shows the sending. */
const send = (number, cost, after) => [
    { trigger: "button[name=action_ask]", run: "click" },
    { trigger: `.modal .o_field_widget[name=question]:contains(${number} messages)` },
    { trigger: `.modal .o_field_widget[name=question]:contains(Cost: ${cost})` },
    { trigger: `.modal .o_field_widget[name=question]:contains(balance will be ${after})` },
    { trigger: ".modal button[name=action_send]", run: "click" },
    { trigger: ".o_sms_devino_progress" },
];

/** To a list, at once; the progress then moves while one looks. */
tours.add("sms_devino_mass_now", {
    steps: () => [
        ...create(),
        ...chooseList("Test: customers"),
        ...writeText("Sale today"),
        ...calculate(),
        { trigger: ".o_form_view button[name=action_view_rows]:contains(10)" },
        { trigger: ".o_field_widget[name=quote_cost]:contains(10.00 credits)" },
        { trigger: ".o_field_widget[name=quote_balance]:contains(1,000.00 credits)" },
        { trigger: ".o_field_widget[name=quote_after]:contains(990.00 credits)" },
        { trigger: ".o_sms_devino_samples:contains(Sale today)" },
        ...send(10, "10.00", "990.00"),
        { trigger: ".o_notification:contains(10 messages are on their way)" },
        { content: "moves by itself", trigger: ".o_sms_devino_count_sent:contains(10)" },
        { trigger: ".o_statusbar_status .o_arrow_button_current:contains(Done)" },
        { trigger: ".o_sms_devino_count_delivered:contains(10)" },
        { trigger: ".o_field_widget[name=reported_at]" },
    ],
});

const newFromOverview = {
    trigger: ".o_control_panel button:contains(New mass sending)",
    run: "click",
};

/** Opens the draft; its figures come by themselves. */
const takeRecipients = {
    trigger: ".modal footer button[name=action_apply]:visible",
    run: "click",
};

const sendDraft = [
    { trigger: "button[name=action_ask]", run: "click", timeout: 30000 },
    { trigger: ".modal button[name=action_send]", run: "click" },
];

/** The same text to five pasted numbers, without a list. */
tours.add("sms_devino_mass_pasted", {
    steps: () =>
        within({ clicks: 4, fields: 2 }, [
            newFromOverview,
            {
                trigger: ".modal .o_field_widget[name=text] textarea",
                run: "edit 79214500000, 79214500100, 79214500200, 79214500300, 79214500400",
            },
            takeRecipients,
            ...writeText("Sale today"),
            ...sendDraft,
            { trigger: ".o_notification:contains(5 messages are on their way)" },
        ]),
});

/** From a file to a mass sending. */
tours.add("sms_devino_mass_file", {
    steps: () =>
        within({ clicks: 6, fields: 1 }, [
            newFromOverview,
            upload("clients.csv"),
            { trigger: ".modal .o_sms_devino_new:contains(2)" },
            takeRecipients,
            ...writeText("Sale today"),
            ...sendDraft,
            { trigger: ".o_notification:contains(2 messages are on their way)" },
        ]),
});

/** Scheduled for later, then canceled. */
tours.add("sms_devino_mass_later", {
    steps: () => [
        ...create(),
        ...chooseList("Test: customers"),
        ...writeText("Sale tomorrow"),
        { trigger: ".o_field_widget[name=scheduled_at] button, .o_field_widget[name=scheduled_at] input", run: "click" },
        {
            trigger: ".o_field_widget[name=scheduled_at] input",
            run: "edit 12/31/2050 10:00:00",
        },
        ...calculate(),
        { trigger: ".o_field_widget[name=departure]:contains(50)" },
        ...send(10, "10.00", "990.00"),
        { trigger: ".o_notification:contains(10 messages are scheduled)" },
        { trigger: ".o_sms_devino_count_waiting:contains(10)" },
        { trigger: "button[name=action_cancel]", run: "click" },
        { trigger: ".modal .modal-footer .btn-primary", run: "click" },
        { trigger: ".o_statusbar_status .o_arrow_button_current:contains(Called off)" },
        { trigger: ".o_sms_devino_count_canceled:contains(10)" },
    ],
});

/** Sent, and paused before anything has left. */
tours.add("sms_devino_mass_pause", {
    steps: () => [
        { trigger: "button[name=action_pause]", run: "click" },
        { trigger: ".o_statusbar_status .o_arrow_button_current:contains(Paused)" },
        { trigger: ".alert:contains(Paused)" },
        { trigger: ".o_sms_devino_count_waiting:contains(10)" },
    ],
});

tours.add("sms_devino_mass_resume", {
    steps: () => [
        { trigger: ".o_sms_devino_count_waiting:contains(10)" },
        { trigger: "button[name=action_resume]", run: "click" },
        { trigger: "body:not(:has(button[name=action_resume]))" },
        { content: "moves by itself", trigger: ".o_sms_devino_count_sent:contains(10)" },
    ],
});

/** Values are offered while one types, chosen from the menu; a wrong name is named. */
tours.add("sms_devino_mass_personal", {
    steps: () => [
        ...create(),
        ...chooseList("Test: orders"),
        ...writeText("Hi {{ na"),
        { trigger: ".o_sms_devino_offer button:contains(name)" },
        { trigger: ".o_field_widget[name=body] textarea", run: "press Enter" },
        { trigger: ".o_field_widget[name=body] textarea:value(Hi {{ name }})" },
        { trigger: ".o_sms_devino_insert", run: "click" },
        { trigger: ".o_sms_devino_names .dropdown-item:contains(Order)", run: "click" },
        { trigger: ".o_field_widget[name=body] textarea:value({{ Order }})" },
        ...writeText("Hi {{ name }}, {{ Ordr }}"),
        { trigger: "button[name=action_calculate]", run: "click" },
        { trigger: ".alert-danger:contains(Did you mean “Order”)" },
        ...writeText("Hi {{ name }}, order {{ Order }} [ready]"),
        { trigger: "button[name=action_calculate]", run: "click" },
        {
            trigger: ".o_sms_devino_send_problem:contains(A value is empty for 1 recipients)",
            timeout: 30000,
        },
        { trigger: ".o_sms_devino_disabled_send:disabled" },
        { trigger: ".o_sms_devino_figures button[name=action_view_rows]:contains(1)" },
        { trigger: ".o_sms_devino_samples:contains(Hi Name 0, order A-1 [ready])" },
        { trigger: ".o_sms_devino_figures button[name=action_view_rows]", run: "click" },
        { trigger: ".o_data_row:contains(+79214700200)" },
        { trigger: ".o_back_button", run: "click" },
        { trigger: "button[name=action_send_empty]", run: "click" },
        { trigger: "button[name=action_ask]" },
        { trigger: "button[name=action_view_rows]:contains(Left out)", run: "click" },
        { trigger: ".o_group_header:contains(Landline)", run: "click" },
        { trigger: ".o_data_row:contains(+74951234567)" },
        { trigger: ".o_back_button", run: "click" },
        ...send(3, "3.00", "997.00"),
    ],
});

/** Not enough money: said by how much, and there is nothing to press. */
tours.add("sms_devino_mass_poor", {
    steps: () => [
        ...create(),
        ...chooseList("Test: customers"),
        ...writeText("Sale today"),
        { trigger: "button[name=action_calculate]", run: "click" },
        {
            trigger: ".o_sms_devino_send_problem:contains(4.00 credits)",
            timeout: 30000,
        },
        { trigger: ".o_sms_devino_disabled_send:disabled" },
        { trigger: "body:not(:has(button[name=action_ask]))" },
    ],
});

/** The first text of a draft, to whoever prepares it. */
tours.add("sms_devino_mass_sample", {
    steps: () => [
        { trigger: "button[name=action_sample]", run: "click" },
        {
            content: "the own number",
            trigger: ".modal .o_field_widget[name=sms_devino_number] input:value(+79214599900)",
        },
        {
            content: "the text as the first recipient gets it",
            trigger: ".modal .o_field_widget[name=body] textarea:value(Hello Name 0)",
        },
        { trigger: ".modal button[name=action_send_sms]:visible", run: "click" },
        { trigger: ".o_form_view .o_field_widget[name=number]:contains(+79214599900)" },
        { trigger: ".o_form_view .o_field_widget[name=body]:contains(Hello Name 0)" },
        {
            content: "the sample leaves at once",
            trigger: ".o_statusbar_status .o_arrow_button_current[data-value=sent]",
            timeout: 30000,
        },
    ],
});

/** More recipients than one person may decide about: it waits for another one. */
tours.add("sms_devino_mass_ask_approval", {
    steps: () => [
        ...sendDraft,
        { trigger: ".o_notification:contains(A second person has to approve)" },
        { trigger: ".alert:contains(Until then it cannot be changed)" },
        {
            content: "whoever prepared it may take it back, and nothing else",
            trigger: "button[name=action_withdraw]:visible",
        },
        { trigger: "body:not(:has(button[name=action_approve]:visible))" },
    ],
});

/** The other one finds it on the overview, looks, and has it sent. */
tours.add("sms_devino_mass_approve", {
    steps: () => [
        {
            trigger: ".alert:contains(Mass sendings to approve: 1) button",
            run: "click",
        },
        { trigger: ".o_data_row .o_data_cell[name=name]", run: "click" },
        { trigger: ".o_sms_devino_samples:contains(Sale today)" },
        { trigger: ".o_field_widget[name=quote_cost]:contains(10.00 credits)" },
        { trigger: "button[name=action_approve]:visible", run: "click" },
        { trigger: ".modal-footer button:contains(Approve and send)", run: "click" },
        { trigger: ".o_notification:contains(10 messages are on their way)" },
        { content: "moves by itself", trigger: ".o_sms_devino_count_sent:contains(10)" },
    ],
});

/** Documents found by a filter, each with values of its own. */
tours.add("sms_devino_mass_records", {
    steps: () => [
        { trigger: ".o_list_button_add", run: "click" },
        { trigger: ".o_field_widget[name=model] input", run: "click" },
        { trigger: ".o_select_menu_item:contains(Lead)", run: "click" },
        { trigger: ".o_field_widget[name=domain] button:contains(Add condition)", run: "click" },
        { trigger: ".o_field_widget[name=domain] .o_tree_editor_condition" },
        { trigger: ".o_field_domain_dialog_button", run: "click" },
        { trigger: ".modal .o_model_field_selector", run: "click" },
        {
            trigger: ".o_model_field_selector_popover_search input",
            run: "edit Opportunity",
        },
        {
            trigger: ".o_model_field_selector_popover_item_name:contains(/^Opportunity$/)",
            run: "click",
        },
        {
            trigger: ".modal .o_tree_editor_condition .o_input:last",
            run: "edit Test: deal",
        },
        { trigger: ".modal footer .btn-primary", run: "click" },
        { trigger: ".o_field_widget[name=domain] .o_domain_show_selection_button:contains(2)" },
        ...writeText("{{ partner_id.name }}: {{ expected_revenue }}"),
        ...calculate(),
        { trigger: ".o_sms_devino_samples:contains(Anna: 1,500.00)" },
        ...send(2, "2.00", "998.00"),
        { trigger: ".o_sms_devino_count_sent:contains(2)" },
    ],
});
