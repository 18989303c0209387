"""The main job of the addon, seen from outside: connect an account to the sandbox, send
a handful of messages and a mass SMS from the sample spreadsheet, ask what became of
them, print the journal.

Run by ``./dev up`` in Odoo's shell, which defines ``env``.
"""

import base64
import os
import sys
import time
from datetime import timedelta

from odoo import fields
from odoo.tools.misc import file_open

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
# Seconds after which every message of this script has come to its end.
END_AFTER = 3
SAMPLE_FILE = "sms_devino/demo/recipients.xlsx"
SAMPLE_LIST = "Sample customers"
MASS_TEXT = "{{ name }}, для вас скидка 10% в магазине города {{ Город }}!"


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
                scheduled_at=fields.Datetime.now() + delay if delay else None,
            )
        )
    env.cr.commit()  # pylint: disable=invalid-commit  # what is not committed stays
    env["sms.devino.dispatcher"]._cron_dispatch()
    return messages


def follow(env, messages):
    """Ask what became of the messages, once the sandbox has had time for them."""
    time.sleep(END_AFTER)
    messages.filtered(lambda message: message.state == "sent").action_check_status()
    env.cr.commit()  # pylint: disable=invalid-commit  # end of the script


def status_in_words(message):
    """Return what became of a message, as the journal shows it."""
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


def import_sample(env):
    """Import the sample spreadsheet, columns as proposed; return the list."""
    lists = env["sms.devino.recipient.list"]
    recipient_list = lists.search([("name", "=", SAMPLE_LIST)], limit=1)
    if not recipient_list:
        recipient_list = lists.create({"name": SAMPLE_LIST})
    with file_open(SAMPLE_FILE, "rb") as file:
        content = base64.b64encode(file.read())
    wizard = env["sms.devino.recipient.add"].create(
        {
            "list_id": recipient_list.id,
            "source": "file",
            "file": content,
            "filename": SAMPLE_FILE.rpartition("/")[2],
        }
    )
    wizard.action_open_file()
    wizard.action_preview()
    counts = wizard.preview["counts"]
    sys.stdout.write(
        f"{wizard.preview['total']} rows: {counts.get('new', 0)} new, "
        f"{counts.get('unchanged', 0)} known, {counts.get('duplicate', 0)} duplicate, "
        f"{counts.get('wrong', 0)} with a wrong number\n"
    )
    wizard.action_apply()
    return recipient_list


def send_mass(env, account, recipient_list):
    """Calculate a draft, show what it will cost, send it; return the batch."""
    batch = env["sms.devino.batch"].create(
        {
            "account_id": account.id,
            "list_ids": [fields.Command.set(recipient_list.ids)],
            "body": MASS_TEXT,
            "purpose": "service",
        }
    )
    batch.action_calculate()
    env.cr.commit()  # pylint: disable=invalid-commit  # what is not committed stays
    batch.sudo()._cron_calculate()
    sys.stdout.write(f"{batch.question}\n")
    batch.action_send()
    env.cr.commit()  # pylint: disable=invalid-commit  # what is not committed stays
    env["sms.devino.dispatcher"].sudo()._cron_dispatch()
    return batch


def counts(batch):
    """Return a batch's counts by state, in words."""
    messages = batch.env["sms.devino.message"]
    labels = dict(messages._fields["state"]._description_selection(batch.env))
    groups = messages._read_group([("batch_id", "=", batch.id)], ["state"], ["__count"])
    return ", ".join(f"{labels[state].lower()} {count}" for state, count in groups)


def title(text):
    sys.stdout.write(f"\n{text}\n{'-' * len(text)}\n")


demo_account = connect(env)
sent = send(env, demo_account)
follow(env, sent)
title("Single messages")
print_table(journal(sent))

title("Mass SMS from the sample spreadsheet")
manager = env.ref("sms_devino.user_manager")
as_manager = env(user=manager, context=manager.with_user(manager).context_get())
demo_account._refresh_balance()
env.cr.commit()  # pylint: disable=invalid-commit  # the manager's forms read it
customers = import_sample(as_manager)
demo_batch = send_mass(as_manager, demo_account, customers)
mass = env["sms.devino.message"].search(
    [("batch_id", "=", demo_batch.id), ("state", "!=", "left_out")]
)
follow(env, mass)
print_table(journal(mass))
sys.stdout.write(f"In all: {counts(demo_batch)}\n")
demo_account._refresh_balance()
env.cr.commit()  # pylint: disable=invalid-commit  # end of the script
sys.stdout.write(f"\nBalance: {demo_account._format_amount(demo_account.balance)}\n")
