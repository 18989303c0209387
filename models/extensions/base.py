from lxml import etree

from odoo import api, models

from ...services.documents import takes_messages

MESSAGES_ACTION = "sms_devino.sms_devino_message_action_document"


class Base(models.AbstractModel):
    _inherit = "base"

    @api.model
    def _get_view_cache_key(self, view_id=None, view_type="form", **options):
        key = super()._get_view_cache_key(view_id, view_type, **options)
        if self.env.user._sms_devino_may_send():
            return key
        return (*key, ("sms_devino", "closed"))

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """Remove the buttons that send SMS for users who may not send; add one that
        shows the SMS about a document."""
        arch, view = super()._get_view(view_id, view_type, **options)
        if view_type == "form":
            self._sms_devino_add_button(arch)
        if not self.env.user._sms_devino_may_send():
            closed = self.env["ir.actions.act_window"]._sms_devino_composer_ids()
            names = {str(action_id) for action_id in closed} | {"action_send_sms"}
            for button in arch.xpath("//button[@name]"):
                if button.get("name") in names:
                    button.getparent().remove(button)
        return arch, view

    @api.model
    def _sms_devino_add_button(self, arch):
        """Add the button with the number of messages where there is a place for it.

        Contacts have one of their own.
        """
        is_document = isinstance(self, self.pool["mail.thread"])
        if not is_document or self._name == "res.partner" or not takes_messages(self):
            return
        box = arch.find(".//div[@name='button_box']")
        action = self.env.ref(MESSAGES_ACTION, raise_if_not_found=False)
        if box is None or not action:
            return
        button = etree.SubElement(
            box,
            "button",
            {
                "type": "action",
                "name": str(action.sudo().id),
                "class": "oe_stat_button",
                "icon": "fa-comments-o",
                "groups": "sms_devino.group_user",
                "invisible": "not sms_devino_message_count",
            },
        )
        etree.SubElement(
            button,
            "field",
            {"name": "sms_devino_message_count", "string": "SMS", "widget": "statinfo"},
        )
