"""The records of a server action that sends SMS: its own filter, once each."""

from .bulk import insert_rows
from .records import read_entered


def read_filter(action):
    """Return the domain of an action's filter, ``None`` without one.

    :param action: ``ir.actions.server``, one
    :raise UserError: when it cannot be read
    """
    model = action.env[action.model_id.sudo().model]
    return read_entered(model, action.sudo().sms_devino_domain)


def choose(action, eval_context):
    """Return the context of an action with the records that it sends to.

    :param action: ``ir.actions.server``, one, with all rights
    :param dict eval_context: of Odoo's; its ``model`` has the rights of the person who
        runs it
    """
    records = eval_context.get("records") or eval_context.get("record")
    if not records:
        domain = read_filter(action)
        # no filter is no reason to write to everybody
        records = domain and eval_context["model"].search(domain)
    if records and action.sms_devino_once and action.sms_method != "note":
        records = _mark(action, records)
    return {**eval_context, "records": records, "record": records and records[:1]}


def _mark(action, records):
    """Mark the records that have a number; return those that had no mark."""
    marks = action.env["sms.devino.mark"].sudo()
    done = marks.search([("action_id", "=", action.id), ("res_id", "in", records.ids)])
    known = set(done.mapped("res_id"))
    new = records.filtered(lambda record: record.id not in known)
    found = new._sms_get_recipients_info()
    rows = [
        {"action_id": action.id, "res_id": record.id, "occasion": ""}
        for record in new
        if found[record.id]["sanitized"]
    ]
    written = set(insert_rows(marks, rows).mapped("res_id"))
    return records.filtered(lambda record: record.id in written)
