"""The main job of the addon, seen from outside: connect an account to the sandbox, send
a handful of messages, ask what became of them, print the journal.

Run by ``./dev up`` in Odoo's shell, which has ``env`` at hand.
"""

import os
import sys
import urllib.request
from datetime import timedelta

from odoo import fields

SANDBOX_URL = os.environ["SMS_DEVINO_SANDBOX_URL"]
MESSAGES = [
    # contact, text, who sends it, delay
    ("partner_anna", "Your order 1024 is ready. Thank you!", "user_user", None),
    (
        "partner_boris",
        "Здравствуйте! Ваш заказ № 1025 передан в доставку. Курьер позвонит за час до "
        "приезда. Спасибо, что выбрали нас!",
        "user_user",
        None,
    ),
    ("partner_vera", "Ваша скидка 10% действует до пятницы", "user_manager", None),
    ("partner_gleb", "Ваша заявка принята", "user_manager", None),
    ("partner_anna", "Завтра в 12:00 ждём вас", "user_user", timedelta(days=1)),
]


def connect(env):
    """Return the demo account, connected to the sandbox that runs now."""
    values = {
        "name": "Demo account",
        "mode": "live",
        "url": SANDBOX_URL,
        "login": "demo",
        "password": "demo",
        "country_id": env.ref("base.ru").id,
        "price_per_segment": 2.0,
        "responsible_id": env.ref("base.user_admin").id,
    }
    account = env["sms.devino.account"].search([("name", "=", values["name"])], limit=1)
    if account:
        account.write(values)
    else:
        account = env["sms.devino.account"].create(values)
        for name in ("MyCompany", "DTSMS"):
            env["sms.devino.sender"].create({"account_id": account.id, "name": name})
        account.default_sender_id = account.sender_ids.filtered(
            lambda sender: sender.name == "MyCompany"
        )
    account.action_check_connection()
    if account.state != "ready":
        sys.exit(f"The sandbox does not answer: {account.last_error}")
    return account


def send(env, account):
    """Put the sample messages into the journal, commit, send those that are due."""
    messages = env["sms.devino.message"]
    for contact, text, user, delay in MESSAGES:
        partner = env.ref(f"sms_devino.{contact}")
        messages |= (
            messages.with_user(env.ref(f"sms_devino.{user}"))
            .sudo()
            .enqueue(
                partner.phone,
                text,
                account=account,
                partner=partner,
                record=partner,
                planned_at=fields.Datetime.now() + delay if delay else None,
            )
        )
    env.cr.commit()  # pylint: disable=invalid-commit  # what is not committed stays
    env["sms.devino.dispatcher"]._cron_dispatch()
    return messages


def follow(env, messages):
    """Put the sandbox's clock forward, then ask what became of the messages."""
    control = SANDBOX_URL.removesuffix("/rest") + "/_sandbox/clock"
    request = urllib.request.Request(control, b'{"advance": 60}', method="POST")
    with urllib.request.urlopen(request, timeout=10):
        pass
    env["sms.devino.status.checker"]._check(
        messages.filtered(lambda message: message.state == "sent")
    )
    env.cr.commit()  # pylint: disable=invalid-commit  # end of the script


def status_in_words(message):
    """Return the fate of a message as the journal shows it."""
    field = message.message_status and "message_status" or "state"
    if message.state == "failed":
        field = "operation_status"
    labels = dict(message._fields[field]._description_selection(message.env))
    return labels[message[field]]


def print_table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")


def journal(messages):
    """Return the journal as rows of text, the head first."""
    rows = [("Number", "Sender", "Status", "SMS ID", "Segments", "Price")]
    for message in messages:
        rows.append(
            (
                message.number,
                message.sender_name,
                status_in_words(message),
                message.gateway_ids or "-",
                str(message.segment_count),
                f"{message.cost:.2f}" if message.cost else "-",
            )
        )
    return rows


demo_account = connect(env)
sent = send(env, demo_account)
follow(env, sent)
demo_account._refresh_balance()
env.cr.commit()  # pylint: disable=invalid-commit  # end of the script
print_table(journal(sent))
sys.stdout.write(f"Balance: {demo_account._format_balance()}\n")
