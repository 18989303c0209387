"""What the form of a rule shows: its recipients, the text and the cost."""

from datetime import timedelta

from odoo.exceptions import UserError
from odoo.fields import Domain

from . import ad_line
from .documents import Addressing
from .forecast import count_segments
from .record_values import list_names as list_record_names
from .rule_check import check_rule, read_filter, read_model
from .rule_find import Finder
from .rule_text import RuleText

# The rate that the forecast is made by.
MONTH = timedelta(days=30)
EMPTY = {
    "preview": False,
    "preview_about": False,
    "preview_problem": False,
    "reach": False,
    "match_count": 0,
}


def list_names(rule):
    """Return what the text of a rule may take: list of dicts ``name``, ``label``."""
    if rule.model not in rule.env:
        return []
    env = rule.env
    of_group = {
        "count": env._("How many records"),
        "total": env._("Total"),
        "date": env._("Earliest date"),
    }
    names = [{"name": name, "label": label} for name, label in of_group.items()]
    model = env[rule.model].browse()
    return [*(names if rule.is_grouped else ()), *list_record_names(model)]


def describe(rule):
    """Return the values of the fields that describe a rule, for the user.

    :param rule: ``sms.devino.rule``, one, maybe not saved
    """
    if not rule.model:
        return EMPTY
    try:
        check_rule(rule, is_complete=False)
        return EMPTY | _describe(rule)
    except UserError as error:
        return EMPTY | {"preview_problem": str(error)}


def _describe(rule):
    finder = Finder(rule)
    model, dated = finder.model, finder.domain
    count = model.search_count(finder.domain)
    values = {"match_count": count}
    if rule.kind != "match" and rule.date_field:
        dated &= Domain(rule.date_field, "!=", False)
    record = model.search(dated, order="id desc", limit=1)
    if not record:
        return values | {"reach": rule.env._("No record meets the filter now.")}
    addressee = Addressing(
        model, rule.account_id.sudo().country_id.code, rule.recipient_field
    ).find(record)[record.id][0]
    text = ""
    if rule.body or rule.template_id:
        lang = addressee.lang
        [text] = RuleText(rule, model).render([(record, lang)], [record])
        company, number = rule.company_id, addressee.number
        text = ad_line.complete(company, rule.purpose, text, number)
    monthly = _count_month(finder)
    return values | {
        "preview": text,
        "preview_about": _say_about(rule, record, addressee),
        "reach": _say_reach(rule, count, monthly, text, addressee),
    }


def _say_about(rule, record, addressee):
    if addressee.number:
        return rule.env._(
            "%(record)s, to %(name)s %(number)s",
            record=record.display_name,
            name=addressee.name,
            number=addressee.number,
        )
    return rule.env._("%(record)s, without a number", record=record.display_name)


def _count_month(finder):
    """Return about how many records became due in the last 30 days."""
    rule, since = finder.rule, finder.now - MONTH
    if rule.kind == "match":
        recent = Domain("create_date", ">=", since)
    elif rule.date_field:
        recent = finder.schedule.domain(since, finder.now)
    else:
        return 0
    return finder.model.search_count(finder.domain & recent)


def _say_reach(rule, count, monthly, text, addressee):
    account = rule.account_id.sudo()
    one = {
        "number": addressee.number,
        "body": text,
        "purpose": rule.purpose,
        "sender_name": rule.sender_id.sudo().name,
        "segment_count": count_segments(text)[1] if text else 1,
    }
    cost = monthly * account._get_pricing().sum_cost([one]) if account else 0.0
    return rule.env._(
        "%(count)s records meet the filter now. By the last 30 days about %(monthly)s "
        "SMS a month, %(cost)s.",
        count=count,
        monthly=monthly,
        cost=account._format_amount(cost) if account else cost,
    )


def open_records(rule):
    """Return the action that shows the records that meet the filter."""
    return _open(rule, list(read_filter(rule)))


def open_missing(rule):
    """Return the action that shows the records that got no message."""
    marks = rule.env["sms.devino.mark"].sudo()
    missing = marks.search([("rule_id", "=", rule.id), ("reason", "!=", False)])
    return _open(rule, [("id", "in", missing.mapped("res_id"))])


def _open(rule, domain):
    views = [(False, "list"), (False, "form")]
    return read_model(rule)._get_records_action(
        name=rule.name, views=views, domain=domain, context={}
    )
