import { registry } from "@web/core/registry";

/**
 * Choose the file that the test has put on the server.
 *
 * @param {string} filename as the person's computer calls it
 */
function upload(filename) {
    return {
        content: `choose ${filename}`,
        trigger: ".modal .o_field_widget[name=file] .o_select_file_button",
        async run() {
            const input = document.querySelector(".modal .o_field_widget[name=file] input[type=file]");
            const response = await fetch("/web/content/sms_devino.tour_file");
            const files = new DataTransfer();
            files.items.add(new File([await response.blob()], filename));
            input.files = files.files;
            input.dispatchEvent(new Event("change", { bubbles: true }));
        },
    };
}

const toDialog = [
    { trigger: ".o_menu_sections button:contains(Recipients)", run: "click" },
    { trigger: ".dropdown-item:contains(Import from a File)", run: "click" },
];

const press = (name) => ({
    trigger: `.modal footer button[name=${name}]:visible`,
    run: "click",
});

/** The sample with bad rows: titles found, columns proposed, problems shown, written. */
const importSample = (filename) => [
    ...toDialog,
    upload(filename),
    { trigger: `.modal .o_field_widget[name=file] input:value(${filename})` },
    press("action_open_file"),
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
    press("action_read"),
    { trigger: ".modal .o_field_widget[name=new_count]:contains(10)" },
    { trigger: ".modal .o_field_widget[name=wrong_count]:contains(5)" },
    { trigger: ".modal .o_field_widget[name=duplicate_count]:contains(1)" },
    {
        trigger: ".modal [name=problem_ids] .o_data_row:contains(123-45-67):contains(landline)",
    },
    {
        trigger: ".modal [name=problem_ids] .o_data_row:contains(7.9E+10):contains(has lost its last digits)",
    },
    {
        trigger: ".modal [name=problem_ids] .o_data_row:contains(+79000000010):contains(first number was taken)",
    },
    {
        trigger: ".modal [name=problem_ids] .o_data_row:contains(16):contains(stands in row 4 already)",
    },
    press("action_import"),
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
            ...toDialog,
            upload(`again.${format}`),
            { trigger: `.modal .o_field_widget[name=file] input:value(again.${format})` },
            press("action_open_file"),
            { trigger: ".modal .o_field_widget[name=header_row] input:value(1)" },
            { trigger: ".modal .o_field_widget[name=list_name] input:value(again)" },
            press("action_read"),
            press("action_import"),
            { trigger: ".o_notification:contains(wrong: 0)" },
            { trigger: "body:not(:has(.modal))" },
            { trigger: ".o_form_view .o_field_widget[name=name] input:value(again)" },
        ],
    });
}

/** By hand: typed, pasted and out of the contacts. */
registry.category("web_tour.tours").add("sms_devino_recipients_by_hand", {
    steps: () => [
        { trigger: ".o_list_button_add", run: "click" },
        { trigger: ".o_field_widget[name=name] input", run: "edit By hand" },
        { trigger: "button[name=action_paste]", run: "click" },
        {
            trigger: ".modal .o_field_widget[name=text] textarea",
            run: "edit Anna; 8 921 456-37-63, 79214563764, 112",
        },
        { trigger: ".modal footer", run: "click" },
        { trigger: ".modal .o_field_widget[name=new_count]:contains(2)" },
        { trigger: ".modal .o_field_widget[name=wrong_count]:contains(1)" },
        { trigger: ".modal .o_field_widget[name=wrong_text]:contains(112)" },
        press("action_add"),
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
        {
            content: "the reading shows while the line is being edited",
            trigger: ".o_selected_row [name=shown_reading]:contains(Duplicate)",
        },
        {
            trigger: ".o_selected_row .o_field_widget[name=number_raw] input",
            run: "edit +7 921 456-37-65",
        },
        { trigger: ".o_selected_row .o_field_widget[name=name] input", run: "edit Vera" },
        { trigger: ".o_selected_row [name=shown_reading]:contains(Fine)" },
        { trigger: ".o_list_button_save", run: "click" },
        { trigger: ".o_data_row:not(.o_selected_row):contains(Vera):contains(Fine)" },
    ],
});

/** Contacts selected in their own list. */
registry.category("web_tour.tours").add("sms_devino_recipients_contacts", {
    steps: () => [
        { trigger: ".o_list_view .o_list_record_selector input", run: "click" },
        {
            trigger: ".o_control_panel .o_cp_action_menus .dropdown-toggle:contains(Actions)",
            run: "click",
        },
        {
            trigger: ".o-dropdown--menu .dropdown-item:contains(Add to SMS list)",
            run: "click",
        },
        { trigger: ".modal .o_field_widget[name=contact_count]:contains(2)" },
        { trigger: ".modal .o_field_widget[name=list_name] input", run: "edit Selected" },
        press("action_add"),
        { trigger: "body:not(:has(.modal))" },
        { trigger: ".o_form_view .o_field_widget[name=sendable_count]:contains(2)" },
    ],
});
