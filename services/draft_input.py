"""What a person may write to a mass sending, and what a change does to its figures."""

from odoo.exceptions import UserError

from . import calculation, draft_text, pricing
from .records import own_fields

# Where the recipients of a draft come from.
SOURCES = (
    "model",
    "domain",
    "list_ids",
    "partner_ids",
    "source_file",
    "source_name",
    "source_columns",
)
# What a button removes: its name -> fields.
CLEARED = {
    "contacts": ("partner_ids",),
    "filter": ("domain",),
    "file": ("source_file", "source_name", "source_columns"),
    "translations": ("translations",),
}
# What the rows of a draft are made of: with a change its figures are out of date.
ROW_INPUTS = {
    "account_id",
    "sender_id",
    "body",
    "purpose",
    "empty_policy",
    "allow_same_text",
    "allow_dead_numbers",
    "translations",
    "late_hours",
    "spread_hours",
    "spread_rate",
    *SOURCES,
}
# What may still be written in another state, besides the name.
WRITABLE = {"scheduled": "scheduled_at", "to_approve": "returned_reason"}


def check_writable(batches, vals):
    """Refuse what only the program writes, and after *Send* the input too.

    :param batches: ``sms.devino.batch``, none for values to create
    :param dict vals: as for ``create`` and ``write``
    :raise UserError: saying what may be changed
    """
    env, own = batches.env, own_fields(batches, vals)
    if any(field.readonly for field in own):
        raise UserError(
            env._("States and figures of a mass sending cannot be written.")
        )
    names = {field.name for field in own}
    for batch in batches:
        if batch.state != "draft" and names - {"name", WRITABLE.get(batch.state)}:
            raise UserError(
                env._(
                    "Only the name of a mass sending can be changed after it was "
                    "sent, and the time while it is scheduled."
                )
            )


def check_deletable(batches):
    """Refuse to delete what was sent, or is being calculated.

    :raise UserError: naming it
    """
    for batch in batches:
        if batch.state not in ("draft", "to_approve"):
            raise UserError(
                batch.env._(
                    "“%s” was sent and stays: its messages are in the journal. "
                    "Only a draft can be deleted.",
                    batch.name,
                )
            )
        if batch.calculation == "running":
            raise UserError(
                batch.env._("“%s” is being calculated. Wait a little.", batch.name)
            )


def mark_outdated(batches, vals):
    """Mark the figures as out of date when what they are made of was written."""
    changed = ROW_INPUTS & vals.keys()
    if changed or "scheduled_at" in vals:
        for batch in batches.sudo().filtered(lambda b: changed or _needs_time(b)):
            batch.write({"revision": batch.revision + 1})


def _needs_time(batch):
    """Whether the figures depend on when the sending begins."""
    tariffs = pricing.read_tariffs(batch.account_id)
    has_days = any(one.date_from or one.date_to for one in tariffs)
    return batch._is_spread() or has_days


def clear(batch, source):
    """Remove a source of recipients, or the texts in other languages.

    :param source: a key of ``CLEARED``; anything else removes nothing
    """
    batch.write(dict.fromkeys(CLEARED.get(source, ()), False))


def take_template(draft):
    """Fill a form in from the template that was chosen in it.

    :param draft: ``sms.devino.batch`` in an onchange
    """
    template, draft.template_id = draft.template_id, False
    texts = draft_text.convert_template(draft.env, template)
    draft.body = texts.pop(draft.env.lang or "en_US")
    draft.translations = texts or False
    draft.purpose = template.sms_devino_purpose or draft.purpose


def use_default(draft):
    """Have the text say something where a value is empty, and calculate again.

    :raise UserError: when nothing was entered for it
    """
    name, default = draft.empty_name, (draft.empty_default or "").strip()
    if not name or not default:
        raise UserError(draft.env._("Enter what to write instead of the value."))
    texts = {
        code: draft_text.set_default(text, name, default)
        for code, text in (draft.translations or {}).items()
    }
    body = draft_text.set_default(draft.body, name, default)
    draft.write({"body": body, "translations": texts or False, "empty_default": False})
    calculation.queue(draft)
