"""How long a person waits after Send: for the answer, and until the first message is on
the wire.

For a demo that ./dev up serves on an otherwise idle machine:

    python benchmarks/send.py ODOO_URL SANDBOX_URL [RECIPIENTS] [TIMES]
"""

import base64
import http.cookiejar
import json
import statistics
import sys
import threading
import time
import urllib.request


class Session:
    """The web client of one user."""

    def __init__(self, url, login):
        self.url = url
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(jar)
        self.post(
            "/web/session/authenticate",
            db="sms_devino_demo",
            login=login,
            password=login,
        )

    def post(self, path, **params):
        body = json.dumps({"jsonrpc": "2.0", "params": params}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, body, headers)
        with self.opener.open(request, timeout=300) as answer:
            answer = json.load(answer)
        if "error" in answer:
            raise SystemExit(answer["error"]["data"]["message"])
        return answer.get("result")

    def call(self, model, method, *args, **kwargs):
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        return self.post(f"/web/dataset/call_kw/{model}/{method}", **params)


def main(odoo, sandbox, recipients="100000", times="5"):
    manager, admin = Session(odoo, "manager"), Session(odoo, "admin")
    body = json.dumps({"demo": "100000000"}).encode()
    control = sandbox.removesuffix("/rest") + "/_sandbox/balance"
    urllib.request.urlopen(urllib.request.Request(control, body), timeout=10).close()
    [account] = admin.call("sms.devino.account", "search", [], limit=1)
    # every round sends the same text to the same numbers
    admin.call("sms.devino.account", "write", [account], {"same_text_mass_hours": 0})
    admin.call("sms.devino.account", "action_check_connection", [account])
    answers, firsts = [], []
    for _round in range(int(times)):
        answered, first = send_once(manager, sandbox, int(recipients))
        print(f"answer {answered:.2f} s, first message {first:.2f} s", flush=True)
        answers.append(answered)
        firsts.append(first)
    print(
        f"median of {times} with {recipients} recipients: answer "
        f"{statistics.median(answers):.2f} s (limit 2), first message "
        f"{statistics.median(firsts):.2f} s (limit 2)"
    )


def send_once(manager, sandbox, recipients):
    batch = make_draft(manager, recipients)
    stop, arrived = threading.Event(), []
    before = count_requests(sandbox)

    def watch():
        while not stop.is_set() and not arrived:
            if count_requests(sandbox) > before:
                arrived.append(time.monotonic())
            time.sleep(0.02)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    began = time.monotonic()
    manager.call("sms.devino.batch", "action_send", [batch])
    answered = time.monotonic() - began
    watcher.join(60)
    stop.set()
    manager.call("sms.devino.batch", "action_cancel", [batch])
    time.sleep(20)
    return answered, arrived[0] - began if arrived else float("nan")


def make_draft(manager, recipients):
    """Make a draft over a file and wait until it is calculated; return its id."""
    numbers = "".join(f"{79210000000 + key};\n" for key in range(recipients))
    columns = [
        {"index": 0, "role": "phone", "title": "", "name": ""},
        {"index": 1, "role": "name", "title": "", "name": ""},
    ]
    source = {"sheet": "", "header_row": 0, "with_hidden": False, "pasted": True}
    values = {
        "body": "Sale: everything must go",
        "source_file": base64.b64encode(numbers.encode()).decode(),
        "source_name": "numbers.csv",
        "source_columns": {**source, "columns": columns},
    }
    [batch] = manager.call("sms.devino.batch", "create", [values])
    manager.call("sms.devino.batch", "action_calculate", [batch])
    while True:
        time.sleep(1)
        [state] = manager.call(
            "sms.devino.batch", "read", [batch], ["calculation", "error_text"]
        )
        if state["error_text"]:
            raise SystemExit(state["error_text"])
        if state["calculation"] not in ("queued", "running"):
            return batch


def count_requests(sandbox):
    base = sandbox.removesuffix("/rest")
    with urllib.request.urlopen(f"{base}/_sandbox/requests", timeout=10) as answer:
        entries = json.load(answer)
    return sum("Send" in json.dumps(entry) for entry in entries)


if __name__ == "__main__":
    main(*sys.argv[1:])
