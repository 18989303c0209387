import { expect, test } from "@odoo/hoot";
import { advanceTime, animationFrame } from "@odoo/hoot-mock";
import { defineSMSModels } from "@sms/../tests/sms_test_helpers";
import { defineModels, fields, models, mountView, onRpc } from "@web/../tests/web_test_helpers";

class Account extends models.Model {
    _name = "sms.devino.account";

    balance = fields.Float();
    balance_at = fields.Datetime();

    _records = [{ id: 1, balance: 10, balance_at: "2026-01-01 00:00:00" }];
}

defineSMSModels();
defineModels([Account]);

async function open() {
    await mountView({
        type: "form",
        resModel: "sms.devino.account",
        resId: 1,
        arch: `<form><field name="balance"/><field name="balance_at" widget="sms_devino_fresh_balance"/></form>`,
    });
    await animationFrame();
}

test("a new balance is shown when it comes", async () => {
    onRpc("sms.devino.account", "want_balance", () => true);
    await open();
    expect(".fa-spin").toHaveCount(1);
    expect("[name=balance] input").toHaveValue("10.00");
    onRpc("sms.devino.account", "read", () => [{ id: 1, balance_at: "2026-02-01 00:00:00" }]);
    onRpc("sms.devino.account", "web_read", () => [
        { id: 1, balance: 25, balance_at: "2026-02-01 00:00:00" },
    ]);
    await advanceTime(2000);
    await animationFrame();
    expect("[name=balance] input").toHaveValue("25.00");
    expect(".fa-spin").toHaveCount(0);
});

test("a fresh balance is not asked for", async () => {
    onRpc("sms.devino.account", "want_balance", () => false);
    await open();
    expect(".fa-spin").toHaveCount(0);
});

test("without an answer the form gives up after half a minute", async () => {
    onRpc("sms.devino.account", "want_balance", () => true);
    await open();
    for (let look = 0; look < 15; look++) {
        await advanceTime(2000);
    }
    await animationFrame();
    expect(".fa-spin").toHaveCount(0);
});

test("whoever may not ask sees the form as it is", async () => {
    onRpc("sms.devino.account", "want_balance", () => {
        throw new Error("not allowed");
    });
    await open();
    expect(".fa-spin").toHaveCount(0);
    expect("[name=balance] input").toHaveValue("10.00");
});
