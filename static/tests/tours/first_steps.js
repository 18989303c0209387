import { registry } from "@web/core/registry";
import { within } from "./budget";

const type = (name, text, root = ".o_form_view") => ({
    trigger: `${root} .o_field_widget[name=${name}] input`,
    run: `edit ${text}`,
});

/** From an installed app to the first SMS that the provider delivers. */
registry.category("web_tour.tours").add("sms_devino_first_steps", {
    steps: () =>
        within({ clicks: 8, fields: 5 }, [
            { trigger: ".o_navbar_apps_menu button, .o_menu_toggle", run: "click" },
            { trigger: ".o_app[data-menu-xmlid='sms_devino.sms_devino_menu_root']", run: "click" },
            { trigger: ".o_sms_devino_step_account button", run: "click" },
            {
                content: "nothing is wrong yet",
                trigger: ".o_form_view:not(:has(.alert-danger:visible))",
            },
            {
                content: "real messages, not the test mode",
                trigger: ".o_field_widget[name=mode] label:contains(Live)",
                run: "click",
            },
            type("login", "demo"),
            type("password", "demo"),
            type("sender_name", "DevinoTest"),
            {
                content: "saves, and asks the provider",
                trigger: ".o_form_view button[name=action_send_trial]:visible",
                run: "click",
            },
            type("sms_devino_number", "8 921 450-00-00", ".modal"),
            {
                content: "a text is there",
                trigger: ".modal .o_field_widget[name=body] textarea:value(Trial SMS)",
            },
            {
                trigger: ".modal button[name=action_send_sms]:visible",
                run: "click",
            },
            {
                content: "it has left",
                trigger: ".o_statusbar_status .o_arrow_button_current[data-value=sent]",
                timeout: 30000,
            },
        ]),
});
