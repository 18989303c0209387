import { expect, test } from "@odoo/hoot";
import { click } from "@odoo/hoot-dom";
import { animationFrame } from "@odoo/hoot-mock";
import { defineSMSModels } from "@sms/../tests/sms_test_helpers";
import { mountWithCleanup } from "@web/../tests/web_test_helpers";
import { SmsCounter } from "@sms_devino/fields/sms_counter";

defineSMSModels();

const mount = (text, onReplace = () => {}) =>
    mountWithCleanup(SmsCounter, { props: { text, onReplace } });

test("a Latin text is counted by the GSM alphabet", async () => {
    await mount("a".repeat(161));
    expect(".o_sms_devino_length").toHaveText("161 characters");
    expect(".o_sms_devino_parts").toHaveText("2 SMS (GSM)");
    expect(".o_sms_devino_room").toHaveText("145 left");
    expect(".o_sms_devino_reason").toHaveCount(0);
});

test("a Russian text is no reproach", async () => {
    await mount("Ваш заказ готов");
    expect(".o_sms_devino_parts").toHaveText("1 SMS (Unicode)");
    expect(".o_sms_devino_reason").toHaveCount(0);
});

test("typography is named and replaced by a press", async () => {
    await mount("Price – 5", (rewrite) => expect.step(rewrite("Price – 5")));
    expect(".o_sms_devino_reason").toHaveText("Unicode because of: –");
    await click(".o_sms_devino_replace");
    expect.verifySteps(["Price - 5"]);
});

test("Latin letters are shown before they are used", async () => {
    const text = "Заказ готов, ждём вас с девяти до восемнадцати по адресу Ленина, 5. ".repeat(2);
    await mount(text, () => expect.step("replaced"));
    await click(".o_sms_devino_transliterate");
    await animationFrame();
    expect(".o_sms_devino_latin .text-body").toHaveText(/^Zakaz gotov/);
    expect.verifySteps([]);
    await click(".o_sms_devino_latin .btn-secondary");
    expect.verifySteps(["replaced"]);
});

test("a text that is too long says by how much", async () => {
    await mount("a".repeat(2003));
    expect(".o_sms_devino_excess").toHaveText(/^Too long by 3/);
});
