import { cookie } from "@web/core/browser/cookie";
import { registry } from "@web/core/registry";
import { rpc } from "@web/core/network/rpc";

const FORM = ".modal .o_form_view";

function openMenu(name) {
    return [
        {
            content: "open the menu Messages",
            trigger: "[data-menu-xmlid='sms_devino.sms_devino_message_menu_root']",
            run: "click",
        },
        {
            content: `choose ${name}`,
            trigger: `[data-menu-xmlid='sms_devino.${name}']`,
            run: "click",
        },
    ];
}

function openForm() {
    return openMenu("sms_devino_message_send_menu");
}

/** Type into a field of the form that sends one SMS. */
function fill(name, text, tag = "input") {
    return {
        content: `type the ${name}`,
        trigger: `${FORM} .o_field_widget[name=${name}] ${tag}`,
        run: `edit ${text}`,
    };
}

/** Look at a field: what it shows must hold the text. */
function see(name, text, root = ".o_form_view") {
    return {
        content: `see ${name}: ${text}`,
        trigger: `${root} .o_field_widget[name=${name}]:contains(${text})`,
    };
}

function press(name, root = ".o_form_view") {
    return {
        content: `press ${name}`,
        trigger: `${root} button[name=${name}]:visible`,
        run: "click",
    };
}

function seeState(state) {
    return {
        content: `the message is ${state}`,
        trigger: `.o_form_view .o_statusbar_status .o_arrow_button_current[data-value=${state}]`,
    };
}

/** The provider's clock goes on: what takes minutes there takes none here. */
function letTimePass(seconds) {
    return {
        content: `${seconds} seconds pass at the provider`,
        trigger: "body",
        run: () =>
            fetch(`http://127.0.0.1:${cookie.get("sandbox_port")}/_sandbox/clock`, {
                method: "POST",
                mode: "no-cors",
                body: JSON.stringify({ advance: seconds }),
            }),
    };
}

/** @returns {string} local date and time as the fields of this user take it */
function localTime(minutesFromNow) {
    return luxon.DateTime.now().plus({ minutes: minutesFromNow }).toFormat("MM/dd/yyyy HH:mm:ss");
}

function plan(minutesFromNow) {
    return [
        {
            content: "choose to send later",
            trigger: `${FORM} .o_field_widget[name=sms_devino_when] label:contains(Send at)`,
            run: "click",
        },
        {
            content: "enter the time",
            trigger: `${FORM} .o_field_widget[name=sms_devino_scheduled_at] input`,
            run: (helpers) => helpers.edit(localTime(minutesFromNow)),
        },
        {
            content: "leave the field",
            trigger: `${FORM} .o_field_widget[name=body] textarea`,
            run: "click",
        },
    ];
}

registry.category("web_tour.tours").add("sms_devino_base_account", {
    steps: () => [
        {
            content: "open the account",
            trigger: ".o_data_row .o_data_cell[name=name]",
            run: "click",
        },
        {
            content: "enter a wrong password",
            trigger: ".o_form_view .o_field_widget[name=password] input",
            run: "edit wrong",
        },
        press("action_check_connection"),
        {
            content: "the answer in words",
            trigger:
                ".o_notification:contains(Error: wrong login)",
        },
        {
            content: "close it",
            trigger: ".o_notification .o_notification_close",
            run: "click",
        },
        {
            content: "it also stands in the form, nothing is lost",
            trigger: ".o_form_view .alert-danger:contains(Error: wrong login)",
        },
        {
            content: "enter the right one",
            trigger: ".o_form_view .o_field_widget[name=password] input",
            run: "edit demo",
        },
        press("action_check_connection"),
        { content: "the balance", trigger: ".o_notification:contains(Balance: )" },
        {
            content: "the balance stays in the form",
            trigger: ".o_form_view .o_field_widget[name=balance]:contains(000)",
        },
        {
            content: "the account is connected",
            trigger:
                ".o_form_view .o_statusbar_status .o_arrow_button_current[data-value=ready]",
        },
        { content: "no alert is left", trigger: ".o_form_view:not(:has(.alert-danger:visible))" },
    ],
});

registry.category("web_tour.tours").add("sms_devino_base_send_now", {
    steps: () => [
        ...openForm(),
        fill("sms_devino_number", "allo"),
        fill("body", "Price list — 5€", "textarea"),
        see("sms_devino_number_hint", "letters", FORM),
        {
            content: "the counter names what makes it Unicode",
            trigger: `${FORM} .o_sms_devino_reason:contains(—)`,
        },
        {
            content: "and says that it is Unicode",
            trigger: `${FORM} .o_sms_devino_parts:contains(Unicode)`,
        },
        {
            content: "have the dash replaced",
            trigger: `${FORM} .o_sms_devino_replace`,
            run: "click",
        },
        {
            content: "the text is GSM now",
            trigger: `${FORM} .o_sms_devino_parts:contains(GSM)`,
        },
        press("action_send_sms", ".modal"),
        {
            content: "a bad number is refused in a sentence",
            trigger: ".modal:not(:has(.o_form_view)):contains(letters in it) .modal-footer .btn-primary",
            run: "click",
        },
        {
            content: "what was entered is still there",
            trigger: `${FORM} .o_field_widget[name=sms_devino_number] input:value(allo)`,
        },
        fill("sms_devino_number", "8 921 456-37-63"),
        {
            content: "leave the field",
            trigger: `${FORM} .o_field_widget[name=body] textarea`,
            run: "click",
        },
        see("sms_devino_number_hint", "+79214563763", FORM),
        press("action_send_sms", ".modal"),
        seeState("sent"),
        {
            content: "the message has its id",
            trigger: ".o_form_view .o_field_widget[name=gateway_ids]:not(:empty)",
        },
        press("action_check_status"),
        { content: "the status in words", trigger: ".o_notification:contains(Status of the)" },
        letTimePass(60),
        press("action_check_status"),
        seeState("delivered"),
        see("message_status", "Delivered"),
    ],
});

/** Two numbers in one field, the text in Latin letters after a look at the result. */
registry.category("web_tour.tours").add("sms_devino_base_two_numbers", {
    steps: () => [
        ...openForm(),
        fill("sms_devino_number", "8 921 456-37-63 / 8 911 000-00-00"),
        fill("body", `Ваш заказ № 1026 готов — ${"ждём вас ".repeat(6)}`, "textarea"),
        see("sms_devino_number_hint", "2 numbers: +79214563763, +79110000000", FORM),
        see("quote_cost", "4", FORM),
        {
            content: "Latin letters would save one SMS",
            trigger: `${FORM} .o_sms_devino_transliterate:contains(save 1 SMS)`,
            run: "click",
        },
        {
            content: "the result is shown, with what it saves",
            trigger: `${FORM} .o_sms_devino_latin:contains(Vash zakaz N 1026):contains(Saved: 2)`,
        },
        {
            content: "the text is as it was",
            trigger: `${FORM} .o_field_widget[name=body] textarea:value(Ваш заказ)`,
        },
        {
            content: "take it",
            trigger: `${FORM} .o_sms_devino_latin button:contains(Use this text)`,
            run: "click",
        },
        {
            content: "the text is GSM now",
            trigger: `${FORM} .o_sms_devino_parts:contains(1 SMS (GSM))`,
        },
        see("quote_cost", "2", FORM),
        press("action_send_sms", ".modal"),
        {
            content: "both messages are shown",
            trigger: ".o_list_view .o_data_row:contains(+79110000000)",
        },
        { content: "the first too", trigger: ".o_list_view .o_data_row:contains(+79214563763)" },
    ],
});

registry.category("web_tour.tours").add("sms_devino_base_delayed_canceled", {
    steps: () => [
        ...openForm(),
        fill("sms_devino_number", "79214563763"),
        fill("body", "Later", "textarea"),
        ...plan(120),
        {
            content: "schedule it",
            trigger: ".modal button[name=action_send_sms]:visible:contains(Schedule)",
            run: "click",
        },
        seeState("scheduled"),
        press("action_cancel"),
        { content: "confirm", trigger: ".modal-footer .btn-primary", run: "click" },
        seeState("canceled"),
        { content: "what happened", trigger: ".o_sms_devino_timeline:contains(Canceled)" },
    ],
});

registry.category("web_tour.tours").add("sms_devino_base_delayed_leaves", {
    steps: () => [
        ...openForm(),
        fill("sms_devino_number", "79214563763"),
        fill("body", "On time", "textarea"),
        ...plan(120),
        {
            content: "schedule it",
            trigger: ".modal button[name=action_send_sms]:visible:contains(Schedule)",
            run: "click",
        },
        seeState("scheduled"),
        {
            content: "its time comes: look until it has left",
            trigger: ".o_form_view",
            run: async () => {
                const id = Number(window.location.pathname.split("/").pop());
                for (let look = 0; look < 100; look++) {
                    const [message] = await rpc("/web/dataset/call_kw/sms.devino.message/read", {
                        model: "sms.devino.message",
                        method: "read",
                        args: [[id], ["state"]],
                        kwargs: {},
                    });
                    if (message.state === "sent") {
                        return;
                    }
                    await new Promise((resolve) => setTimeout(resolve, 200));
                }
                throw new Error("the message does not leave");
            },
        },
        ...openMenu("sms_devino_message_menu"),
        {
            content: "it is sent",
            trigger: ".o_data_row:contains(On time) .o_field_badge:contains(Sent)",
            run: "click",
        },
        seeState("sent"),
        {
            content: "with its id",
            trigger: ".o_form_view .o_field_widget[name=gateway_ids]:not(:empty)",
        },
    ],
});

registry.category("web_tour.tours").add("sms_devino_base_contact_ru", {
    steps: () => [
        {
            content: "send from the contact",
            trigger: ".o_form_view button[name=action_sms_devino_send]",
            // the first page in this language takes its time
            timeout: 30000,
            run: "click",
        },
        {
            content: "the number is that of the contact",
            trigger: `${FORM} .o_field_widget[name=recipient_single_number_itf] input:value(+79214563763)`,
        },
        fill("body", "Ваш заказ готов", "textarea"),
        {
            content: "the counter speaks Russian",
            trigger: `${FORM} .o_sms_devino_counter:contains(симв)`,
        },
        press("action_send_sms", ".modal"),
        seeState("sent"),
        see("operation_status", "Операция выполнена"),
        see("partner_id", "Анна"),
        letTimePass(60),
        press("action_check_status"),
        seeState("delivered"),
        see("message_status", "Доставлено"),
        press("action_open_document"),
        {
            content: "back at the contact",
            trigger: ".o_form_view button[name=action_sms_devino_send]",
        },
    ],
});
