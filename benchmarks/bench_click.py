"""What a person waits for, on running servers."""

import statistics
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from bench import put
from bench_mass import count_of, fill, make_draft
from stage import Person, Provider, Server
from world import (
    account,
    empty_journal,
    forget_batches,
    load_registry,
    number_of,
    transaction,
)

SINGLES = 15


@contextmanager
def stage(options):
    """Yield the registry, the provider, the id of an account, and a way to serve."""
    registry = load_registry(options)
    folder = Path(tempfile.mkdtemp(prefix="sms_devino_bench_"))
    record = folder / "numbers"
    with ExitStack() as over:
        provider = over.enter_context(closing(Provider(["demo"], record, {})))
        account_id = over.enter_context(account(registry, provider.url))
        with transaction(registry) as env:
            env.cr.execute(
                """UPDATE ir_cron SET active = FALSE WHERE id NOT IN (
                       SELECT res_id FROM ir_model_data
                        WHERE model = 'ir.cron' AND module = 'sms_devino')"""
            )
            admin = env.ref("base.user_admin")
            admin.group_ids += env.ref("sms_devino.group_manager")

        def serve(name):
            log = folder / f"{name}.log"
            server = Server(options.config, options.database, log, {})
            over.callback(server.kill)
            server.start()
            server.wait_ready()
            return server

        yield registry, record, account_id, serve


def wait_for_more(record, size, began, seconds=60):
    """Wait until more numbers reached the provider than ``size`` bytes.

    :return: seconds since ``began``
    """
    while time.monotonic() - began < seconds:
        if record.stat().st_size > size:
            return time.monotonic() - began
        time.sleep(0.005)
    return seconds


def click(options):
    """*Send* on a draft, and on a single message."""
    many = count_of(options, 100_000)
    with stage(options) as (registry, record, account_id, serve):
        server = serve("odoo")
        person = Person(server.url, options.database, "admin")
        person.log_in()
        firsts = {}
        for count in (1000, many):
            answers, firsts[count] = send_drafts(
                registry, person, record, account_id, count
            )
            put(f"Send of {count}: answer, s", answers, alone=2)
            what = f"Send of {count}: first message on the wire, s"
            put(what, firsts[count], alone=2)
        difference = firsts[many] - firsts[1000]
        put(f"{many} later than 1000, s", difference, alone=1)
        seconds = [
            send_single(person, record, account_id, key) for key in range(SINGLES)
        ]
        put("single message, click to request, median s", median(seconds), alone=0.3)


def median(values):
    return statistics.median(values)


def send_drafts(registry, person, record, account_id, count):
    """Return the medians of answer and first message."""
    answers, firsts = [], []
    for _round in range(5):
        batch = make_draft(registry, account_id, count, "Sale: everything must go")
        person.call("sms.devino.batch", "action_calculate", [batch])
        while not is_calculated(person, batch):
            time.sleep(0.5)
        time.sleep(3)  # the server is to be idle
        size, began = record.stat().st_size, time.monotonic()
        person.call("sms.devino.batch", "action_send", [batch])
        answers.append(time.monotonic() - began)
        firsts.append(wait_for_more(record, size, began))
        person.call("sms.devino.batch", "action_cancel", [batch])
        time.sleep(10)
        forget_batches(registry)
        with transaction(registry) as env:
            env["sms.devino.recipient.list"].search([]).unlink()
            env["sms.devino.sender"].search([]).unlink()
    return median(answers), median(firsts)


def is_calculated(person, batch):
    [draft] = person.call(
        "sms.devino.batch", "read", [batch], ["is_calculated", "error_text"]
    )
    assert not draft["error_text"], draft["error_text"]
    return draft["is_calculated"]


def send_single(person, record, account_id, key):
    """Fill in the form as from the menu, press Send; return the seconds."""
    senders = person.call(
        "sms.devino.sender", "search", [["account_id", "=", account_id]]
    ) or person.call(
        "sms.devino.sender",
        "create",
        [{"account_id": account_id, "name": "DevinoTest"}],
    )
    options = {
        "context": {
            "default_composition_mode": "numbers",
            "default_sms_devino_direct": True,
        }
    }
    values = {
        "sms_devino_account_id": account_id,
        "sms_devino_sender_id": senders[0],
        "sms_devino_number": number_of(10**6 + key),
        "body": f"Your code is {key}",
    }
    [made] = person.call("sms.composer", "create", [values], **options)
    time.sleep(0.3 * (key % 10))  # now while the loop looks, now when it has stopped
    size, began = record.stat().st_size, time.monotonic()
    person.call("sms.composer", "action_send_sms", [made], **options)
    return wait_for_more(record, size, began)


def servers(options):
    """Three servers on one database, beside one."""
    count = count_of(options, 50_000)
    with stage(options) as (registry, _record, account_id, serve):
        rates = {}
        for number in (1, 3):
            serve(f"odoo{number}")
            if number == 3:
                serve("odoo2")
            for text, many in (("Sale", count), ("Dear {}", count // 10)):
                fill(registry, account_id, many, text)
                rates[number, text] = many / wait_until_sent(registry, many)
                empty_journal(registry)
        for text, kind in (("Sale", "one text"), ("Dear {}", "a text each")):
            what = f"three servers, {kind}, a second (one server)"
            put(what, rates[3, text], rates[1, text], least=0.9)


def wait_until_sent(registry, count, seconds=300):
    with transaction(registry) as env:
        env.ref("sms_devino.ir_cron_dispatch")._trigger()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.5)
        with transaction(registry) as env:
            env.cr.execute(
                "SELECT count(accepted_at), "
                "extract(epoch FROM max(accepted_at) - min(claimed_at)) "
                "FROM sms_devino_message"
            )
            accepted, took = env.cr.fetchone()
        if accepted == count:
            return float(took)
    raise SystemExit(f"{accepted} of {count} after {seconds} s")
