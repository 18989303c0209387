import { expect, test } from "@odoo/hoot";
import { advanceTime, animationFrame } from "@odoo/hoot-mock";
import { defineSMSModels } from "@sms/../tests/sms_test_helpers";
import {
    defineModels,
    fields,
    MockServer,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";

class Batch extends models.Model {
    _name = "sms.devino.batch";

    name = fields.Char();
    state = fields.Char();
    calculation = fields.Char();
    is_calculated = fields.Boolean();
    is_small = fields.Boolean();
    revision = fields.Integer();

    _records = [
        { id: 1, name: "Sent", state: "running", calculation: "none", revision: 1 },
        { id: 2, name: "Draft", state: "draft", calculation: "none", is_small: true, revision: 1 },
    ];
}

defineSMSModels();
defineModels([Batch]);

const GROUPS = [
    { key: "delivered", label: "Delivered", count: 6 },
    { key: "failed", label: "Failed", count: 0 },
    { key: "waiting", label: "Waiting", count: 2 },
];

async function open(resId, progress) {
    onRpc("sms.devino.batch", "get_progress", () => {
        expect.step("asked");
        return {
            state: "running",
            calculation: "none",
            is_live: true,
            calculated: 0,
            total: 8,
            cost: false,
            end: false,
            groups: GROUPS,
            ...progress,
        };
    });
    await mountView({
        type: "form",
        resModel: "sms.devino.batch",
        resId,
        arch: `<form><widget name="sms_devino_batch_progress"/><field name="name"/></form>`,
    });
    await animationFrame();
}

test("each group that has messages is a part of the bar", async () => {
    await open(1);
    expect(".progress-bar").toHaveCount(2);
    expect(".progress-bar.bg-success").toHaveStyle({ width: "75%" }, { inline: true });
    expect(".o_sms_devino_count_delivered").toHaveText("Delivered: 6");
    expect(".o_sms_devino_progress").toHaveText(/Price not known yet/);
    expect.verifySteps(["asked"]);
});

test("it is asked again every second while something may change", async () => {
    await open(1);
    await advanceTime(1000);
    await advanceTime(1000);
    expect.verifySteps(["asked", "asked", "asked"]);
});

test("what is over is asked once", async () => {
    await open(1, { is_live: false, cost: "16.00 €" });
    expect(".o_sms_devino_progress").toHaveText(/Price so far: 16.00 €/);
    await advanceTime(3000);
    expect.verifySteps(["asked"]);
});

test("a small draft is calculated by itself, once", async () => {
    onRpc("sms.devino.batch", "action_calculate", () => {
        expect.step("calculated");
        MockServer.env["sms.devino.batch"].write([2], { revision: 2 });
        return true;
    });
    await open(2, { state: "draft", is_live: false, groups: [] });
    for (let second = 0; second < 4; second++) {
        await advanceTime(1000);
    }
    expect.verifySteps(["asked", "calculated"]);
});

test("a calculation tells how far it is", async () => {
    await open(2, { state: "draft", calculation: "running", calculated: 4000, groups: [] });
    expect(".o_sms_devino_calculating").toHaveText(/4000/);
    expect.verifySteps(["asked"]);
});
