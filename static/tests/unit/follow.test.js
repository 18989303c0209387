import { expect, test } from "@odoo/hoot";
import { advanceTime } from "@odoo/hoot-mock";
import { defineSMSModels } from "@sms/../tests/sms_test_helpers";
import { defineModels, fields, models, mountView, onRpc } from "@web/../tests/web_test_helpers";

class Message extends models.Model {
    _name = "sms.devino.message";

    state = fields.Char();
    scheduled_at = fields.Datetime();
    accepted_at = fields.Datetime();

    _records = [
        { id: 1, state: "outgoing" },
        { id: 2, state: "delivered" },
        { id: 3, state: "scheduled", scheduled_at: "2100-01-01 00:00:00" },
        { id: 4, state: "scheduled", scheduled_at: "2000-01-01 00:00:00" },
        { id: 5, state: "sent", accepted_at: "2000-01-01 00:00:00" },
    ];
}

defineSMSModels();
defineModels([Message]);

/** Open the form of a message; return how often it was read again in three seconds. */
async function countLooks(resId, attributes = "") {
    let reads = 0;
    onRpc("sms.devino.message", "web_read", () => {
        reads += 1;
    });
    await mountView({
        type: "form",
        resModel: "sms.devino.message",
        resId,
        arch: `<form><widget name="sms_devino_follow" ${attributes}/><field name="state"/></form>`,
    });
    const before = reads;
    for (let second = 0; second < 3; second++) {
        await advanceTime(1000);
    }
    return reads - before;
}

test("a message on its way is followed", async () => {
    expect(await countLooks(1)).toBe(3);
});

test("a message that has arrived is left alone", async () => {
    expect(await countLooks(2)).toBe(0);
});

test("a scheduled message is followed once its time has come", async () => {
    expect(await countLooks(3)).toBe(0);
});

test("a scheduled message that is due is followed", async () => {
    expect(await countLooks(4)).toBe(3);
});

test("an old message is not followed for ever", async () => {
    expect(await countLooks(5)).toBe(0);
});

test("another form says itself when it is open", async () => {
    expect(await countLooks(2, `open="state == 'delivered'"`)).toBe(3);
});
