import { expect, test } from "@odoo/hoot";
import { click } from "@odoo/hoot-dom";
import { animationFrame } from "@odoo/hoot-mock";
import { defineSMSModels } from "@sms/../tests/sms_test_helpers";
import { mockService, mountWithCleanup, onRpc } from "@web/../tests/web_test_helpers";
import { FirstSteps } from "@sms_devino/steps/first_steps";

defineSMSModels();

const STEPS = [
    { key: "account", title: "Account", text: "Enter the login.", done: true, button: "Open", action: { type: "ir.actions.act_window", name: "Accounts" } },
    { key: "trial", title: "Trial", text: "To yourself.", done: false, button: "Send", action: { type: "call", model: "sms.devino.account", method: "action_send_trial", id: 3 } },
    { key: "odoo", title: "Odoo", text: "Everything.", done: false, ask: "Anna", action: false },
];

/** @param {{ isAdmin?: boolean, steps?: Object[] }} [options] */
async function mount({ isAdmin = true, steps = STEPS } = {}) {
    onRpc("sms.devino.account", "get_first_steps", () => steps);
    onRpc("has_group", () => isAdmin);
    await mountWithCleanup(FirstSteps);
}

test("a step that is done has a tick, one that others do says whom to ask", async () => {
    await mount();
    expect(".o_sms_devino_steps .card").toHaveCount(3);
    expect(".o_sms_devino_step_account .fa-check-circle").toHaveCount(1);
    expect(".o_sms_devino_step_trial .fa-check-circle").toHaveCount(0);
    expect(".o_sms_devino_step_odoo").toHaveText(/Ask Anna/);
    expect(".o_sms_devino_step_odoo button").toHaveCount(0);
});

test("a button opens its page, or calls and follows the answer", async () => {
    onRpc("sms.devino.account", "action_send_trial", ({ args }) => {
        expect(args).toEqual([3]);
        return { type: "ir.actions.client", name: "Sent" };
    });
    mockService("action", { doAction: async (action) => expect.step(action.name) });
    await mount();
    await click(".o_sms_devino_step_account button");
    await click(".o_sms_devino_step_trial button");
    await animationFrame();
    expect.verifySteps(["Accounts", "Sent"]);
});

test("who may hide the steps does so for everybody", async () => {
    onRpc("sms.devino.account", "hide_first_steps", () => {
        expect.step("hidden");
        return true;
    });
    await mount();
    await click(".o_sms_devino_steps .btn-close");
    await animationFrame();
    expect.verifySteps(["hidden"]);
    expect(".o_sms_devino_steps").toHaveCount(0);
});

test("others have no button to hide them", async () => {
    await mount({ isAdmin: false });
    expect(".o_sms_devino_steps .btn-close").toHaveCount(0);
});

test("nothing is shown once there are no steps", async () => {
    await mount({ steps: [] });
    expect(".o_sms_devino_steps").toHaveCount(0);
});
