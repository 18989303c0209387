"""The windows that buttons open."""

from odoo.exceptions import UserError

from . import ad_line
from .batch_report import TROUBLE
from .records import read_input

# What a button shows of the messages: its name -> domain and grouping.
ROWS = {
    "recipients": ([("state", "!=", "left_out")], None),
    "left_out": ([("state", "=", "left_out")], "reason"),
    "empty": ([("state", "!=", "left_out"), ("empty_values", "!=", False)], None),
    "trouble": ([("state", "in", TROUBLE)], "reason"),
}


def open_action(env, xmlid, /, **changes):
    """Return a window of this addon, changed.

    :param str xmlid: of the ``ir.actions.act_window``, without the module
    """
    action = env["ir.actions.act_window"]._for_xml_id(f"sms_devino.{xmlid}")
    return action | changes


def open_composer(env, mode, defaults, **changes):
    """Return the form that sends one SMS.

    :param str mode: ``comment`` about a record, ``numbers`` without one
    :param dict defaults: field of ``sms.composer`` -> value
    """
    defaults = {"composition_mode": mode, "sms_devino_direct": True, **defaults}
    context = {f"default_{name}": value for name, value in defaults.items()}
    return open_action(env, "sms_composer_action_send", context=context, **changes)


def open_document(record):
    """Return the form of the document that a message or another record names.

    :raise UserError: when it is gone, or the user may not read it
    """
    document = read_input(record.env, record.res_model, [record.res_id or 0])
    if not document:
        raise UserError(record.env._("The document is gone, or you may not read it."))
    return document.get_formview_action()


def open_rows(batch, shown):
    """Return the action that shows messages of a mass sending.

    :param shown: a key of ``ROWS``; anything else shows all recipients
    """
    domain, group_by = ROWS.get(shown, ROWS["recipients"])
    context = {"sms_devino_left_out": shown == "left_out"}
    if group_by:
        context["group_by"] = group_by
    return open_action(
        batch.env,
        "sms_devino_message_action_batch",
        name=batch.name,
        domain=[("batch_id", "=", batch.id), *domain],
        context=context,
    )


def open_sample(batch):
    """Return the action that opens the form for one message to the user, with the
    first text of the draft, or the text as it is written."""
    env = batch.env
    first = (batch.figures or {}).get("samples", [])[:1]
    sample = env["sms.devino.message"].search([("id", "in", first)])
    defaults = {
        "sms_devino_account_id": batch.account_id.id,
        "sms_devino_sender_id": batch.sender_id.id,
        "sms_devino_number": env.user.phone or "",
        "body": _as_example(batch, sample) or ad_line.add(batch.body, batch.added_line),
    }
    return open_composer(env, "numbers", defaults)


def _as_example(batch, message):
    """Return the text of a message with a link that refuses for nobody."""
    company, text = batch.company_id, message.body or ""
    if not ad_line.link_keys(ad_line.get(company, batch.purpose)):
        return text
    link = ad_line.make_link(company, message.number or "+0")
    return text.replace(link, ad_line.make_example(company))
