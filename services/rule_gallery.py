"""Ready rules, offered where their model is installed."""

from .rule_check import CONDITION

# What a ready rule may set, and the choice of another one sets back.
SET = (*CONDITION, "weekdays", "use_hours", "purpose")


def list_rules(env):
    """Return the ready rules whose model the user may read: (key, name) pairs."""
    return [
        (key, make(env)["name"])
        for key, (model, make) in READY.items()
        if model in env and env[model].has_access("read")
    ]


def get_values(env, key):
    """Return the values of a new rule; it is switched off.

    :param str key: of a ready rule
    """
    model, make = READY[key]
    empty = dict.fromkeys(SET, False) | env["sms.devino.rule"].default_get(list(SET))
    return empty | {"model": model, "domain": "[]"} | make(env)


def _order_confirmed(env):
    return {
        "name": env._("Order confirmed"),
        "domain": "[('state', '=', 'sale')]",
        "body": env._("Your order {{ name }} is confirmed. Sum: {{ amount_total }}."),
    }


# Goods that go back to a vendor leave by an outgoing transfer, too.
TO_CUSTOMER = (
    "[('picking_type_code', '=', 'outgoing'), "
    "('location_dest_id.usage', '=', 'customer'), ('state', '=', '%s')]"
)


def _order_ready(env):
    return {
        "name": env._("Order ready for pick-up"),
        "domain": TO_CUSTOMER % "assigned",
        "body": env._("Your order {{ origin }} is ready for pick-up."),
    }


def _on_its_way(env):
    return {
        "name": env._("Delivery on its way"),
        "domain": TO_CUSTOMER % "done",
        "body": env._("Your order {{ origin }} is on its way to you."),
    }


OPEN_INVOICES = (
    "[('move_type', '=', 'out_invoice'), ('state', '=', 'posted'), "
    "('payment_state', 'in', ['not_paid', 'partial'])]"
)


def _invoice(side, days):
    return {
        "domain": OPEN_INVOICES,
        "kind": "date",
        "date_field": "invoice_date_due",
        "delay": days,
        "delay_unit": "days",
        "delay_side": side,
        "weekdays": "workdays",
        "use_hours": 96,
    }


def _invoice_due(env):
    return _invoice("before", 3) | {
        "name": env._("Invoice due in 3 days"),
        "body": env._(
            "Invoice {{ name }}: please pay {{ amount_residual }} by "
            "{{ invoice_date_due }}."
        ),
    }


def _overdue(env, days):
    return _invoice("after", days) | {
        "purpose": "debt",
        "is_grouped": True,
        "total_field": "amount_residual",
        "body": env._(
            "Unpaid invoices: {{ count }}, together {{ total }}, due since {{ date }}. "
            "Please pay."
        ),
    }


def _overdue_3(env):
    return _overdue(env, 3) | {"name": env._("Invoice overdue by 3 days")}


def _overdue_14(env):
    return _overdue(env, 14) | {"name": env._("Invoice overdue by 14 days")}


def _meeting(env):
    return {
        "name": env._("Meeting tomorrow"),
        "kind": "date",
        "date_field": "start",
        "delay": 1,
        "delay_unit": "days",
        "delay_side": "before",
        "hour": 12.0,
        "use_hours": 9,
        "body": env._("We expect you tomorrow: {{ name }}, {{ start }}."),
    }


def _birthday(env):
    return {
        "name": env._("Birthday of a contact"),
        "kind": "yearly",
        "date_field": "sms_devino_greeting_date",
        "purpose": "advertising",
        "use_hours": 11,
        "body": env._("Dear {{ name }}, best wishes on your special day!"),
    }


def _event(env):
    return {
        "name": env._("Event tomorrow"),
        "domain": "[('state', '=', 'open'), ('event_id.kanban_state', '!=', 'cancel')]",
        "kind": "date",
        "date_field": "event_begin_date",
        "delay": 1,
        "delay_unit": "days",
        "delay_side": "before",
        "hour": 12.0,
        "use_hours": 9,
        "body": env._("Tomorrow: {{ event_id }}, {{ event_begin_date }}."),
    }


def _task(env):
    return {
        "name": env._("Task assigned"),
        "domain": "[('user_ids', '!=', False), "
        "('state', 'not in', ['1_done', '1_canceled']), "
        "('has_template_ancestor', '=', False)]",
        "recipient_field": "user_ids",
        "body": env._("A task for you: {{ name }}."),
    }


def _activities(env):
    return {
        "name": env._("Activities due today, to colleagues"),
        "kind": "date",
        "date_field": "date_deadline",
        "hour": 9.0,
        "use_hours": 12,
        "recipient_field": "user_id",
        "is_grouped": True,
        "body": env._("Activities due today in Odoo: {{ count }}"),
    }


# key -> its model, and the function that makes its values
READY = {
    "order_confirmed": ("sale.order", _order_confirmed),
    "order_ready": ("stock.picking", _order_ready),
    "on_its_way": ("stock.picking", _on_its_way),
    "invoice_due": ("account.move", _invoice_due),
    "overdue_3": ("account.move", _overdue_3),
    "overdue_14": ("account.move", _overdue_14),
    "meeting": ("calendar.event", _meeting),
    "birthday": ("res.partner", _birthday),
    "event": ("event.registration", _event),
    "task": ("project.task", _task),
    "activities": ("mail.activity", _activities),
}
