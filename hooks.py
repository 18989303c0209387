"""What installing and uninstalling do beside loading the data files."""

from odoo.tools import split_every

from odoo.addons.base.models.ir_model import field_xmlid

from .services import odoo_link

ADDON = "sms_devino"
PAGE = 1000


def uninstall_hook(env):
    """Give Odoo's SMS back to whom they belonged before, and leave none pending."""
    _end(env, ["scheduled", "outgoing"], _cancel)
    _end(env, ["sending", "sent", "unknown", "unconfirmed"], _give_up)
    companies = env["res.company"].with_context(active_test=False).search([])
    companies.write({"sms_devino_account_id": False})
    _claim_fields(env)


def _claim_fields(env):
    """Have the uninstallation also remove fields that every document has.

    An update forgets whose they are on models of apps that are loaded later.
    """
    fields = env["ir.model.fields"].search([("name", "=like", r"sms\_devino\_%")])
    owned = env["ir.model.data"].search(
        [("model", "=", "ir.model.fields"), ("res_id", "in", fields.ids)]
    )
    lost = fields - fields.browse(owned.mapped("res_id"))
    env["ir.model.data"]._update_xmlids(
        [
            {"xml_id": field_xmlid(ADDON, field.model, field.name), "record": field}
            for field in lost
            if field.state == "base"
        ]
    )


def _end(env, states, end):
    """Apply ``end`` to the messages in ``states`` that Odoo follows."""
    followed = [("state", "in", states), ("uuid", "!=", False)]
    messages = env["sms.devino.message"].search(followed)
    by_language = messages.grouped(lambda m: m.author_id.lang or env.lang)
    for lang, group in by_language.items():
        for ids in split_every(PAGE, group.ids):
            end(messages.with_context(lang=lang).browse(ids))


def _cancel(messages):
    """Show in Odoo that these are never sent."""
    odoo_link.report(messages, "canceled", messages.ids)


def _give_up(messages):
    """Show in Odoo that the outcome of these will stay unknown."""
    uuids = messages.mapped("uuid")
    trackers = messages.env["sms.tracker"].search([("sms_uuid", "in", uuids)])
    trackers.filtered(_is_pending)._action_update_from_sms_state(
        "error",
        failure_type="unknown",
        failure_reason=messages.env._(
            "The SMS was given to the provider. Its outcome is not known: the app that "
            "sent it was uninstalled."
        ),
    )
    # Not an error that Odoo offers to repeat: the SMS may have arrived.
    followed = [("uuid", "in", uuids), ("state", "in", ("process", "pending"))]
    messages.env["sms.sms"].search(followed).to_delete = True


def _is_pending(tracker):
    notified = tracker.mail_notification_id.notification_status
    traced = "mailing_trace_id" in tracker and tracker.mailing_trace_id.trace_status
    return {notified, traced} & {"process", "pending"}
