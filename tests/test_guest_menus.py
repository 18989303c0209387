from odoo.tests import HttpCase, new_test_user, tagged

CLICK = (
    "odoo.loader.modules.get('@web/webclient/clickbot/clickbot_loader')"
    ".startClickEverywhere('sms_devino.sms_devino_menu_root');"
)


@tagged("click_all", "post_install", "-at_install", "-standard")
class TestMenusManager(HttpCase):
    """Odoo's click-everywhere test on our menu, as one who may send to many."""

    allow_end_on_form = True

    def test_click_everywhere_as_sms_manager_in_russian(self):
        self.env["res.lang"]._activate_lang("ru_RU")
        addon = self.env["ir.module.module"].search([("name", "=", "sms_devino")])
        addon._update_translations(["ru_RU"])
        user = new_test_user(
            self.env,
            "sms_manager",
            groups="base.group_user,sms_devino.group_manager",
            lang="ru_RU",
        )
        if "tour_enabled" in user:
            user.tour_enabled = False
        self.browser_js(
            "/odoo",
            CLICK,
            "odoo.isReady === true",
            login=user.login,
            timeout=300,
            success_signal="clickbot test succeeded",
        )
