"""The same job done by Odoo's own modules, or by bare threads."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import requests
from bench import put
from bench_mass import (
    check,
    count_of,
    dispatch,
    fill,
    post,
    session,
    world,
)
from world import number_of, timed, transaction

LATENCY = 0.05
THREADS = 64


@contextmanager
def standin(seconds=0.0):
    """Run the stand-in of Odoo's SMS service; yield its address."""
    script = Path(__file__).with_name("standin.py")
    command = [sys.executable, str(script), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def slow(provider, calls):
    """Have the provider take its time for some calls."""
    for call in calls:
        fault = {"kind": "latency", "path": call, "times": None, "seconds": LATENCY}
        provider.post("faults", fault)


def odoo(options):
    """From nothing to all accepted: Odoo's queue and service, and ours."""
    count = count_of(options, 50_000)
    with world(options) as (registry, provider, account_id), standin() as address:
        for text, many in (("Sale", count), ("Dear {}", count // 10)):
            turns = []
            for _turn in range(3):
                theirs = send_by_odoo(registry, address, many, text)
                ours = send_by_ours(registry, provider, account_id, many, text)
                turns.append((many / ours, many / theirs))
            ours, theirs = sorted(turns, key=lambda turn: turn[0] / turn[1])[1]
            kind = "one text" if text == "Sale" else "a text each"
            aim = {"least": 2.5} if text == "Sale" else {}
            what = f"{many}, {kind}, all accepted, a second (sms.sms, IAP)"
            put(what, ours, theirs, **aim)


def send_by_ours(registry, provider, account_id, count, text):
    provider.post("reset", {})
    written = timed(lambda: fill(registry, account_id, count, text))
    seconds = written + dispatch(registry)
    check(registry, provider, count)
    return seconds


def send_by_odoo(registry, address, count, text):
    with transaction(registry) as env:
        env["ir.config_parameter"].set_param("sms.endpoint", address)
        env["sms.sms"].search([]).unlink()
    began = time.perf_counter()
    with transaction(registry) as env:
        values = [
            {"number": number_of(key), "body": text.format(key)} for key in range(count)
        ]
        for start in range(0, count, 5000):
            env["sms.sms"].create(values[start : start + 5000])
            env.flush_all()
            env.invalidate_all()
    run_queue(registry)
    return time.perf_counter() - began


def run_queue(registry):
    queued = [("state", "=", "outgoing"), ("to_delete", "=", False)]
    while True:
        with transaction(registry) as env:
            if not env["sms.sms"].search_count(queued, limit=1):
                return
            env["sms.sms"]._process_queue()


def twilio(options):
    """Different texts to a provider that takes 50 ms: sms_twilio, and ours."""
    count = count_of(options, 5000)
    with (
        world(options) as (registry, provider, account_id),
        standin(LATENCY) as address,
    ):
        few = count // 10
        theirs = send_by_twilio(registry, address, few) * count / few
        slow(provider, ["Sms/Send"])
        fill(registry, account_id, count, "Dear {}")
        ours = dispatch(registry)
        check(registry, provider, count)
        what = f"{count} different texts at 50 ms, a second (sms_twilio)"
        put(what, count / ours, count / theirs, least=10)


def send_by_twilio(registry, address, count):
    """One call after the other; a tenth of them says it all."""
    with transaction(registry) as env:
        env["sms.sms"].search([]).unlink()
        env.company.write(
            {
                "sms_provider": "twilio",
                "sms_twilio_account_sid": "AC" + "0" * 32,
                "sms_twilio_auth_token": "token",
            }
        )
        country = env.ref("base.ru").id
        env["sms.twilio.number"].create(
            {
                "company_id": env.company.id,
                "number": "+79210000000",
                "country_id": country,
            }
        )
        env["sms.sms"].create(
            [{"number": number_of(key), "body": f"Dear {key}"} for key in range(count)]
        )
    original = requests.Session.post

    def detour(self, url, **options):
        return original(self, url.replace("https://api.twilio.com", address), **options)

    with patch.object(requests.Session, "post", detour):
        seconds = timed(lambda: run_queue(registry))
    with transaction(registry) as env:
        env.company.sms_provider = "iap"
    return seconds


def statuses(options):
    """Ask for many states at 50 ms: ours, and a pool of threads that only asks."""
    count = count_of(options, 10_000)
    with world(options) as (registry, provider, account_id):
        fill(registry, account_id, count, "Sale")
        dispatch(registry)
        provider.post("clock", {"advance": 3600})
        login = session(provider)
        slow(provider, ["Sms/State"])
        ids = [one for entry in provider.ledger() for one in entry["ids"]]
        bare = timed(lambda: ask_barely(provider, login, ids))
        with transaction(registry) as env:
            env.cr.execute(
                "UPDATE sms_devino_message "
                "SET next_at = now() AT TIME ZONE 'UTC' WHERE state = 'sent'"
            )
        ours = timed(lambda: ask_all(registry))
        put(f"states of {count} at 50 ms, s (threads)", ours, bare, most=1.3)


def ask_barely(provider, login, ids):
    with (
        requests.Session() as http,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        http.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=THREADS))
        answers = pool.map(
            lambda one: post(provider, "Sms/State", login, http, MessageId=one), ids
        )
        assert len(list(answers)) == len(ids)


def ask_all(registry):
    while True:
        with transaction(registry) as env:
            env["sms.devino.dispatcher"]._cron_dispatch()
        with transaction(registry) as env:
            sent = [("state", "=", "sent")]
            if not env["sms.devino.message"].search_count(sent, limit=1):
                return
