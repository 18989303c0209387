import { registry } from "@web/core/registry";
import { upload } from "./upload";

const tours = registry.category("web_tour.tours");
const FORM = ".modal .o_form_view";

const writeText = (text, root = ".o_form_view") => ({
    trigger: `${root} .o_field_widget[name=body] textarea:visible`,
    run: `edit ${text}`,
});

const press = (name, root = ".o_form_view") => ({
    trigger: `${root} button[name=${name}]:visible`,
    run: "click",
});

const choosePurpose = (label) => [
    { trigger: `${FORM} .o_field_widget[name=sms_devino_purpose] input`, run: "click" },
    { trigger: `.o_select_menu_item:contains(${label})`, run: "click" },
];

/** A job calculates; the form follows by itself. */
const calculate = () => [
    { ...press("action_calculate") },
    { trigger: "button[name=action_ask]", timeout: 30000 },
];

const openLeftOut = (reason) => [
    { trigger: ".o_form_view .oe_stat_button:contains(Left out)", run: "click" },
    { trigger: `.o_group_header:contains(${reason})`, run: "click" },
];

/** What came is read where the contact is; an SMS to it is held back. */
tours.add("sms_devino_answer_read", {
    steps: () => [
        { trigger: ".o-mail-Message:contains(When do you close?)" },
        { trigger: ".o-mail-Message:contains(SMS from +79214500000):contains(СТОП)" },
        press("action_sms_devino_send"),
        { trigger: `${FORM} .alert-warning:contains(on the blacklist)` },
        writeText("Sale", FORM),
        press("action_send_sms", ".modal"),
        {
            trigger: ".modal:not(:has(.o_form_view)):contains(does not want to get) .btn-primary",
            run: "click",
        },
        { trigger: `${FORM} .o_field_widget[name=body] textarea:value(Sale)` },
        { trigger: ".modal footer button:contains(Discard)", run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ],
});

/** The next mass sending leaves the number out, and says why. */
tours.add("sms_devino_answer_left_out", {
    steps: () => [
        ...calculate(),
        ...openLeftOut("On the blacklist"),
        { trigger: ".o_data_row:contains(+79214500000)" },
    ],
});

/** Three zones: the hours are shown before one sends. */
tours.add("sms_devino_three_zones", {
    steps: () => [
        ...calculate(),
        { trigger: ".o_sms_devino_departures:contains(07:00):contains(09:00):contains(10:00)" },
        { trigger: ".o_sms_devino_departures:contains(by the address of the contact)" },
        { trigger: ".o_field_widget[name=departure]:contains(last about)" },
        press("action_ask"),
        press("action_send", ".modal"),
        { trigger: ".o_sms_devino_progress" },
    ],
});

/** A file brings the consents; who has none is left out of the advertising. */
tours.add("sms_devino_consents_imported", {
    steps: () => [
        { trigger: ".o_control_panel button:contains(New mass sending)", run: "click" },
        upload("clients.csv"),
        { trigger: ".modal .o_sms_devino_new:contains(3)" },
        { content: "recognised by title and dates", trigger: ".modal .o_sms_devino_consents:contains(2)" },
        press("action_apply", ".modal footer"),
        writeText("Sale today"),
        ...calculate(),
        { trigger: ".o_field_widget[name=total]:contains(2)" },
        ...openLeftOut("No consent to advertising"),
        { trigger: ".o_data_row:contains(Vera)" },
    ],
});

/** The third reminder of a debt on one day does not leave. */
tours.add("sms_devino_third_reminder", {
    steps: () => [
        press("action_sms_devino_send"),
        writeText("Please pay now", FORM),
        ...choosePurpose("Debt"),
        press("action_send_sms", ".modal"),
        {
            trigger: ".o_form_view .o_statusbar_status .o_arrow_button_current[data-value=canceled]",
            timeout: 30000,
        },
        { trigger: ".alert-warning:contains(as many as the limit allows)" },
        { trigger: ".alert-warning:contains(At most 2 a day. The last one: SMS)" },
    ],
});

/** Advertising in one SMS: the line of the company is shown and counted. */
tours.add("sms_devino_single_advertising", {
    steps: () => [
        press("action_sms_devino_send"),
        writeText("x".repeat(150), FORM),
        { trigger: `${FORM} .o_sms_devino_counter:contains(1 SMS)` },
        ...choosePurpose("Advertising"),
        { trigger: `${FORM} .o_field_widget[name=sms_devino_added_line]:contains(To refuse)` },
        { trigger: `${FORM} .o_sms_devino_counter:contains(2 SMS)` },
        { trigger: `${FORM} .o_field_widget[name=quote_cost]:contains(2.00)` },
        press("action_send_sms", ".modal"),
        { trigger: ".o_form_view .o_field_widget[name=body]:contains(To refuse)" },
    ],
});
