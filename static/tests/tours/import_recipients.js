import { registry } from "@web/core/registry";
import { upload } from "./upload";

/** A new list, and the dialog that fills it. */
const newList = (name) => [
    { trigger: ".o_list_button_add", run: "click" },
    { trigger: ".o_field_widget[name=name] input", run: `edit ${name}` },
    { trigger: "button[name=action_add_recipients]:visible", run: "click" },
];

const chooseSource = (label) => ({
    trigger: `.modal .o_field_widget[name=source] label:contains(${label})`,
    run: "click",
});

const PREVIEW = ".modal .o_field_widget[name=preview_html]";

const press = (name) => ({
    trigger: `.modal footer button[name=${name}]:visible`,
    run: "click",
});

/** The sample with bad rows: titles found, columns proposed, problems shown, written. */
const importSample = (filename) => [
    ...newList("Customers"),
    upload(filename),
    { content: "the preview is there at once", trigger: `${PREVIEW} .o_sms_devino_new` },
    press("action_back"),
    { trigger: ".modal .o_field_widget[name=header_row] input:value(3)" },
    {
        content: "the phone column is found, with the first rows beside",
        trigger: ".modal .o_data_row:contains(Мобильный телефон):contains(79000000001) [name=role]:contains(Phone)",
    },
    {
        trigger: ".modal .o_data_row:contains(ФИО):contains(Смирнова) [name=role]:contains(Name)",
    },
    {
        content: "the running number is not wanted",
        trigger: ".modal .o_data_row:contains(№) td[name=role]",
        run: "click",
    },
    {
        trigger: ".modal .o_data_row:contains(№) td[name=role] input",
        run: "click",
    },
    {
        trigger: ".o_select_menu_item:contains(Do not import), .o-dropdown-item:contains(Do not import)",
        run: "click",
    },
    {
        trigger: ".modal .o_field_widget[name=save_as] input",
        run: "edit Shop",
    },
    press("action_preview"),
    { trigger: `${PREVIEW} .o_sms_devino_new:contains(10)` },
    { trigger: `${PREVIEW} .o_sms_devino_wrong:contains(5)` },
    { trigger: `${PREVIEW} .o_sms_devino_duplicate:contains(1)` },
    { trigger: `${PREVIEW} tr:contains(123-45-67):contains(landline)` },
    { trigger: `${PREVIEW} tr:contains(7.9E+10):contains(has lost its last digits)` },
    { trigger: `${PREVIEW} tr:contains(+79000000010):contains(the first number given)` },
    { trigger: `${PREVIEW} tr:contains(16):contains(is in row 4 already)` },
    {
        content: "rows that no message can go to are not wanted in this list",
        trigger: ".modal .o_field_widget[name=keep_wrong] input",
        run: "click",
    },
    press("action_apply"),
    { trigger: ".o_notification:contains(New: 10)" },
    { trigger: "body:not(:has(.modal))" },
    { trigger: ".o_form_view .o_field_widget[name=sendable_count]:contains(10)" },
    { trigger: "button[name=action_view_recipients]", run: "click" },
    {
        trigger: ".o_list_view .o_data_row:contains(Кузнецов):contains(Corrected):contains(Город: Тверь)",
    },
];

for (const format of ["xlsx", "xls"]) {
    registry.category("web_tour.tours").add(`sms_devino_import_${format}`, {
        steps: () => importSample(`recipients.${format}`),
    });
    registry.category("web_tour.tours").add(`sms_devino_export_${format}`, {
        steps: () => [
            {
                trigger: `.o_form_view button[name=action_export_${format}]:enabled`,
                run: "click",
            },
            {
                content: "the file is there once the button is free again",
                trigger: `.o_form_view button[name=action_export_${format}]:enabled`,
            },
        ],
    });
    registry.category("web_tour.tours").add(`sms_devino_import_again_${format}`, {
        steps: () => [
            ...newList("again"),
            upload(`again.${format}`),
            { trigger: `${PREVIEW} .o_sms_devino_new:contains(10)` },
            press("action_apply"),
            { trigger: ".o_notification:contains(wrong: 0)" },
            { trigger: "body:not(:has(.modal))" },
            { trigger: ".o_form_view .o_field_widget[name=sendable_count]:contains(10)" },
        ],
    });
}

/** A table as text: its encoding is changed, and the preview follows. */
registry.category("web_tour.tours").add("sms_devino_import_csv", {
    steps: () => [
        ...newList("From a table"),
        upload("clients.csv"),
        { trigger: `${PREVIEW} .o_sms_devino_new:contains(2)` },
        press("action_back"),
        { trigger: ".modal .o_field_widget[name=file_note]:contains(separator: ;)" },
        { trigger: ".modal .o_data_row:contains(Анна):contains(Борис)" },
        press("action_preview"),
        { trigger: `${PREVIEW} .o_sms_devino_new:contains(2)` },
        press("action_apply"),
        { trigger: "body:not(:has(.modal))" },
        { trigger: ".o_form_view .o_field_widget[name=sendable_count]:contains(2)" },
    ],
});

/** By hand: typed, pasted and out of the contacts. */
registry.category("web_tour.tours").add("sms_devino_recipients_by_hand", {
    steps: () => [
        ...newList("By hand"),
        chooseSource("Pasted numbers"),
        {
            trigger: ".modal .o_field_widget[name=text] textarea",
            run: "edit Anna; 8 921 456-37-63, 79214563764, 112",
        },
        { trigger: ".modal footer", run: "click" },
        { trigger: `${PREVIEW} .o_sms_devino_new:contains(2)` },
        { trigger: `${PREVIEW} .o_sms_devino_wrong:contains(1)` },
        { trigger: `${PREVIEW} tr:contains(112):contains(service number)` },
        press("action_apply"),
        { trigger: ".o_notification:contains(New: 2)" },
        { trigger: "body:not(:has(.modal))" },
        { trigger: ".o_form_view .o_field_widget[name=sendable_count]:contains(2)" },
        { trigger: "button[name=action_view_recipients]", run: "click" },
        { trigger: ".o_list_view .o_data_row:contains(Anna):contains(Corrected)" },
        { trigger: ".o_list_view .o_data_row:contains(112):contains(Service number)" },
        { trigger: ".o_list_button_add", run: "click" },
        {
            trigger: ".o_selected_row .o_field_widget[name=number_raw] input",
            run: "edit +7 921 456-37-63",
        },
        { trigger: ".o_selected_row .o_field_widget[name=name] input", run: "click" },
        { trigger: ".o_selected_row [name=shown_reading]:contains(Good)" },
        { trigger: ".o_list_button_save", run: "click" },
        {
            content: "the list has the number already",
            trigger: ".modal .modal-body:contains(is in the list already)",
        },
        { trigger: ".modal footer button", run: "click" },
        {
            trigger: ".o_selected_row .o_field_widget[name=number_raw] input",
            run: "edit +7 921 456-37-65",
        },
        { trigger: ".o_selected_row .o_field_widget[name=name] input", run: "edit Vera" },
        { trigger: ".o_selected_row [name=shown_reading]:contains(Good)" },
        { trigger: ".o_list_button_save", run: "click" },
        { trigger: ".o_data_row:not(.o_selected_row):contains(Vera):contains(Good)" },
    ],
});

/** Contacts by a filter: without a condition nobody is added. */
registry.category("web_tour.tours").add("sms_devino_recipients_filter", {
    steps: () => [
        ...newList("Filtered"),
        chooseSource("Contacts by a filter"),
        { trigger: ".modal .o_field_widget[name=domain]" },
        {
            content: "nobody is meant before a condition is chosen",
            trigger: ".modal .o_field_widget[name=phone_count]:contains(0)",
        },
        press("action_apply"),
        { trigger: ".modal-body:contains(None of these contacts has a number)" },
    ],
});
