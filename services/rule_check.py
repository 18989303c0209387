"""What must hold of a rule before it may be switched on, in clear sentences."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain

from .documents import address_fields
from .preparing import check_account
from .records import read_entered
from .rule_text import RuleText

# Which records a rule is about, when, and for whom.
CONDITION = (
    "domain",
    "kind",
    "date_field",
    "delay",
    "delay_unit",
    "delay_side",
    "at_hour",
    "hour",
    "recipient_field",
    "is_grouped",
    "total_field",
    "template_id",
)
# What makes the messages of a rule.
CHECKED = ("model", *CONDITION, "body", "account_id", "sender_id")


def read_model(rule):
    """Return the model of a rule, empty, with the rights of the environment.

    :raise UserError: when it is not installed any more, or not for this user
    """
    env = rule.env
    model = env.get(rule.model or "")
    if model is None:
        raise UserError(
            env._("Records: choose what the SMS are about. The app may be uninstalled.")
        )
    if not rule._is_offered(rule.model):
        raise AccessError(
            env._("Records: an SMS cannot be about these, or you may not read them.")
        )
    return model


def read_filter(rule):
    """Return the domain of a rule's filter.

    :raise UserError: when it cannot be read
    """
    return read_entered(read_model(rule), rule.domain) or Domain.TRUE


def check_rule(rule, *, is_complete):
    """Refuse a rule that could not work.

    :param rule: ``sms.devino.rule``, one, with the rights of the user
    :param bool is_complete: also refuse what is missing still
    :raise ValidationError: saying what is wrong and what to do
    """
    try:
        model = read_model(rule)
        read_filter(rule)
        _check_fields(rule, model, is_complete)
        if is_complete or rule.body or rule.template_id:
            RuleText(rule, model).check()
        if is_complete:
            check_account(rule)
    except AccessError:
        raise
    except UserError as error:
        raise ValidationError(str(error)) from error


def _check_fields(rule, model, is_complete):
    env = rule.env
    described = model.fields_get(attributes=("type", "searchable"))
    date = described.get(rule.date_field or "", {})
    if rule.kind != "match" and (is_complete or rule.date_field):
        is_date = date.get("type") in ("date", "datetime")
        if not is_date or not date.get("searchable"):
            raise UserError(
                env._("Date: choose a field with a date that can be searched by.")
            )
    if rule.recipient_field and rule.recipient_field not in address_fields(model):
        raise UserError(
            env._("Recipient: choose a field with a contact, a user or a phone number.")
        )
    total = described.get(rule.total_field or "", {})
    if rule.total_field and total.get("type") not in ("float", "monetary", "integer"):
        raise UserError(env._("Total of: choose a field with an amount."))
    if rule.template_id and rule.template_id.sudo().model != rule.model:
        raise UserError(env._("Template: it is for other records. Choose another."))
    if rule.template_id and rule.is_grouped:
        raise UserError(
            env._(
                "One SMS for each contact: a template speaks of one record. Write a "
                "text instead."
            )
        )
