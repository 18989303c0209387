import { expect, test } from "@odoo/hoot";
import { advanceTime, animationFrame } from "@odoo/hoot-mock";
import { defineSMSModels } from "@sms/../tests/sms_test_helpers";
import {
    contains,
    getService,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
    preloadBundle,
} from "@web/../tests/web_test_helpers";
import { WebClient } from "@web/webclient/webclient";

defineSMSModels();
preloadBundle("web.chartjs_lib");

const PERIOD = {
    label: "Today",
    counts: { message: 12, delivered: 9, undelivered: 1, waiting: 2, unknown: 0 },
    share: 90,
    cost: ["24.00 €"],
    actions: { message: { name: "Sent today" } },
};
const DATA = {
    is_manager: true,
    attention: [
        { level: "danger", text: "Stopped", button: "Fix", action: { name: "Account" } },
        { level: "warning", text: "Only told", button: null, action: null },
    ],
    balances: [{ id: 1, name: "Main", mode: "test", balance: "100.00 €", enough_for: "enough for about 50 SMS" }],
    now: [{ label: "In the queue", count: 3, action: { name: "Queue" } }],
    spending: [{ label: "This month", amounts: ["24.00 €", "3.00 credits"] }],
    periods: [PERIOD],
    chart: { labels: ["1", "2"], delivered: [0, 0], undelivered: [0, 0], other: [0, 0] },
    chart_names: { delivered: "Delivered", undelivered: "Not delivered", other: "Other" },
    batches: [{ id: 5, name: "Sale", state: "Done", total: 10, delivered: 9, action: { name: "Batch" } }],
};

async function open(data = {}) {
    onRpc("sms.devino.day", "get_overview", () => {
        expect.step("asked");
        return { ...DATA, ...data };
    });
    onRpc("sms.devino.account", "get_first_steps", () => []);
    await mountWithCleanup(WebClient);
    await getService("action").doAction({
        type: "ir.actions.client",
        tag: "sms_devino_overview",
    });
    await animationFrame();
}

test("what needs a person stands above the figures", async () => {
    await open();
    expect(".o_sms_devino_overview .alert").toHaveCount(2);
    expect(".o_sms_devino_overview .alert-danger button").toHaveText("Fix");
    expect(".o_sms_devino_overview .alert-warning button").toHaveCount(0);
    expect(".o_sms_devino_overview table tbody tr").toHaveText(/12\s+9 \(90%\)\s+1\s+2\s+24.00 €/);
    expect("canvas").toHaveCount(0, { message: "a diagram of nothing is left out" });
    expect.verifySteps(["asked"]);
});

test("each figure opens what it counts", async () => {
    await open();
    patchWithCleanup(getService("action"), {
        doAction: async (action) => expect.step(action.name ?? action),
    });
    await contains(".alert-danger button").click();
    await contains(".card a:contains(3)").click();
    await contains("tbody a:contains(12)").click();
    await contains(".card a:contains(Sale)").click();
    expect.verifySteps(["asked", "Account", "Queue", "Sent today", "Batch"]);
});

test("who sends to nobody has no button for it, nor money", async () => {
    await open({ is_manager: false, spending: [], batches: [] });
    expect(".o_control_panel button:contains(New mass sending)").toHaveCount(0);
    expect("h5:contains(Spending)").toHaveCount(0);
    expect.verifySteps(["asked"]);
});

test("the figures follow by themselves", async () => {
    await open();
    await advanceTime(20000);
    expect.verifySteps(["asked", "asked"]);
});

test("days with messages are drawn", async () => {
    await open({ chart: { ...DATA.chart, delivered: [1, 2] } });
    expect("canvas").toHaveCount(1);
    expect.verifySteps(["asked"]);
});
