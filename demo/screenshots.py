"""Pictures of the running demo, for the README and for whoever looks at the screens.

Run by ``./dev screenshots``. Drives a headless Chromium over its debugging protocol.
"""

import base64
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import websocket
from PIL import Image

URL = os.environ["SMS_DEVINO_URL"]
BROWSER = os.environ["SMS_DEVINO_BROWSER"]
FOLDER = Path(os.environ["SMS_DEVINO_SCREENSHOTS"])
WIDE, NARROW = (1280, 860), (390, 844)
COVER = (1120, 560)
COLOURS = 256
PATIENCE = 30
SAMPLE = Path(__file__).parent / "recipients.xlsx"

OPEN_FIRST_ROW = "document.querySelector('.o_data_row .o_data_cell').click()"
TIDY_UP = """
    document.querySelector(".o-mail-ChatHub")?.style.setProperty("display", "none");
    document.querySelectorAll(".o_notification_close").forEach((x) => x.click());
    const pause = () => new Promise((resolve) => setTimeout(resolve, 500));
    await pause();
    for (let i = 0; document.querySelector(".o_loading_indicator") && i < 40; i++) {
        await pause();
    }
"""
COVER_PAGE = """
    document.body.outerHTML = `<body style="margin: 0; background: #4f3a5e; color: #fff;
        font: 22px 'DejaVu Sans', sans-serif; overflow: hidden">
        <div style="position: absolute; left: 48px; top: 130px; width: 390px">
            <b style="font-size: 38px">SMS through Devino Telecom</b>
            <p>Your own account.<br/>The cost before sending,<br/>
            each delivery after it,<br/>nothing twice.</p>
        </div>
        <img src="%s" style="position: absolute; left: 470px; top: 70px; width: 900px;
            border-radius: 8px; box-shadow: 0 8px 40px #0008"/>
    </body>`;
    await document.querySelector("img").decode();
"""
# What is asked of the server to know the ids that an address needs.
OVERVIEW_ACTION = "sms_devino.sms_devino_overview_action"
SEND_ACTION = "sms_devino.sms_composer_action_send"
JOURNAL_ACTION = "sms_devino.sms_devino_message_action"
ACCOUNT_ACTION = "sms_devino.sms_devino_account_action"
BATCH_ACTION = "sms_devino.sms_devino_batch_action"
NEW_MASS_ACTION = "sms_devino.sms_devino_recipient_add_action_new"
RECIPIENT_ACTION = "sms_devino.sms_devino_recipient_action"
# Not that of main_job.py: who has had the same text is left out.
MASS_TEXT = "{{ name }}, до пятницы в магазине города {{ Город }} скидка 10%!"
TYPE_MESSAGE = """
    const set = (name, value) => {
        const field = document.querySelector(`[name="${name}"]`);
        const input = field.querySelector("input, textarea");
        input.focus();
        const kind = input.tagName === "INPUT" ? HTMLInputElement : HTMLTextAreaElement;
        Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(input, value);
        input.dispatchEvent(new Event("input", { bubbles: true }));
        input.dispatchEvent(new Event("change", { bubbles: true }));
        input.blur();
    };
    set("sms_devino_number", "8 921 456-37-63");
    set("body", "Ваш заказ № 1026 готов — ждём вас с 9 до 20!");
"""


class Page:
    """One page of a headless browser, driven over its debugging protocol."""

    def __init__(self, port):
        self._socket = websocket.create_connection(
            _page_address(port), suppress_origin=True, timeout=PATIENCE
        )
        self._last_id = 0
        self._language = "en_US"
        self.call("Page.enable")
        self.call("Emulation.setTimezoneOverride", timezoneId="Europe/Moscow")

    def call(self, method, **params):
        self._last_id += 1
        message = {"id": self._last_id, "method": method, "params": params}
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == self._last_id:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer.get("result")

    def run(self, script):
        """Return what an async function with this body returns."""
        result = self.call(
            "Runtime.evaluate",
            expression=f"(async () => {{ {script} }})()",
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"])
        return result["result"].get("value")

    def open(self, address):
        self.call("Page.navigate", url=f"{URL}/{address}")
        time.sleep(0.5)

    def wait(self, selector):
        deadline = time.monotonic() + PATIENCE
        while not self.run(f"return !!document.querySelector({json.dumps(selector)})"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{selector} does not appear")
            time.sleep(0.1)

    def login(self, login, language):
        """Become another user, whose interface is in this language."""
        self._language = language
        self.call("Network.clearBrowserCookies")
        self.open("web/login")
        self._rpc("/web/session/authenticate", db=_db(), login=login, password=login)
        user_id = self._rpc("/web/session/get_session_info")["uid"]
        values = {"lang": language, "tz": "Europe/Moscow"}
        self.model("res.users", "write", [user_id], values)

    def model(self, model, method, *args):
        """Call a method of a model as the user who is logged in."""
        return self._rpc(
            f"/web/dataset/call_kw/{model}/{method}",
            model=model,
            method=method,
            args=args,
            kwargs={"context": {"lang": self._language}},
        )

    def _rpc(self, path, **params):
        body = json.dumps(json.dumps({"jsonrpc": "2.0", "params": params}))
        answer = self.run(
            f"""return await (await fetch("{path}", {{method: "POST", body: {body},
                headers: {{"Content-Type": "application/json"}}}})).json()"""
        )
        if "error" in answer:
            raise RuntimeError(answer["error"]["data"]["message"])
        return answer.get("result")

    def resize(self, size):
        width, height = size
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def picture(self, path):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
            # a screen has few colours: a third of the bytes
            small = picture.convert("RGB").quantize(
                COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
            )
            small.save(path, optimize=True)


def _db():
    return os.environ.get("SMS_DEVINO_DB", "sms_devino_demo")


def _page_address(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=10) as pages:
        found = json.load(pages)
    page = next(page for page in found if page["type"] == "page")
    return page["webSocketDebuggerUrl"]


@contextlib.contextmanager
def browser():
    """A headless browser with a profile of its own; yields its debugging port."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            BROWSER,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--remote-debugging-port=0",
            f"--user-data-dir={profile}",
        ]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield _debugging_port(Path(profile))
        finally:
            process.terminate()
            process.wait()


def _debugging_port(profile):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, IndexError):
            return (profile / "DevToolsActivePort").read_text().splitlines()[0]
        time.sleep(0.1)
    raise TimeoutError("the browser does not start")


def prepare_mass(page):
    """A mass sending to the sample list, calculated; return its address."""
    model = "sms.devino.batch"
    lists = page.model("sms.devino.recipient.list", "search", [])
    values = {"body": MASS_TEXT, "list_ids": [[6, 0, lists]]}
    (batch_id,) = page.model(model, "create", [values])
    page.model(model, "action_calculate", [batch_id])
    # a scheduled action does it
    deadline = time.monotonic() + PATIENCE
    while page.model(model, "get_progress", [batch_id])["is_live"]:
        if time.monotonic() > deadline:
            raise TimeoutError("the draft is not calculated")
        time.sleep(0.2)
    return f"action-{BATCH_ACTION}/{batch_id}"


def prepare_import(page):
    """The sample spreadsheet, opened in the dialog that shows its columns."""
    model = "sms.devino.recipient.add"
    content = base64.b64encode(SAMPLE.read_bytes()).decode()
    values = {"source": "file", "file": content, "filename": SAMPLE.name}
    (wizard_id,) = page.model(model, "create", [values])
    action = page.model(model, "action_open_file", [wizard_id])
    services = "odoo.__WOWL_DEBUG__.root.env.services"
    page.run(f"await {services}.action.doAction({json.dumps(action)})")
    page.wait(".modal .o_form_view")


def prepare_batch(page):
    """A mass sending of the demo that is over; return its address."""
    model = "sms.devino.batch"
    batch_id = page.model(model, "search", [["state", "=", "done"]])[0]
    return f"action-{BATCH_ACTION}/{batch_id}"


IMPORT = [(".o_view_controller", prepare_import)]
PICTURES = [
    # name, login, language, size, address, (selector to wait for, script) steps
    ("overview", "manager", "en_US", WIDE, f"action-{OVERVIEW_ACTION}", []),
    ("overview_ru", "manager", "ru_RU", WIDE, f"action-{OVERVIEW_ACTION}", []),
    ("overview_narrow", "manager", "ru_RU", NARROW, f"action-{OVERVIEW_ACTION}", []),
    ("journal", "manager", "en_US", WIDE, f"action-{JOURNAL_ACTION}", []),
    ("journal_ru", "manager", "ru_RU", WIDE, f"action-{JOURNAL_ACTION}", []),
    (
        "message",
        "manager",
        "en_US",
        WIDE,
        f"action-{JOURNAL_ACTION}",
        [(".o_data_row", OPEN_FIRST_ROW), (".o_form_view", "")],
    ),
    (
        "message_ru",
        "manager",
        "ru_RU",
        WIDE,
        f"action-{JOURNAL_ACTION}",
        [(".o_data_row", OPEN_FIRST_ROW), (".o_form_view", "")],
    ),
    (
        "send",
        "user",
        "en_US",
        WIDE,
        f"action-{SEND_ACTION}",
        [(".o_form_view", TYPE_MESSAGE)],
    ),
    (
        "send_ru",
        "user",
        "ru_RU",
        WIDE,
        f"action-{SEND_ACTION}",
        [(".o_form_view", TYPE_MESSAGE)],
    ),
    (
        "send_narrow",
        "user",
        "ru_RU",
        NARROW,
        f"action-{SEND_ACTION}",
        [(".o_form_view", TYPE_MESSAGE)],
    ),
    ("journal_narrow", "manager", "ru_RU", NARROW, f"action-{JOURNAL_ACTION}", []),
    ("recipients", "manager", "en_US", WIDE, f"action-{RECIPIENT_ACTION}", []),
    ("mass", "manager", "en_US", WIDE, "{mass}", []),
    ("mass_ru", "manager", "ru_RU", WIDE, "{mass}", []),
    ("import", "manager", "en_US", WIDE, f"action-{JOURNAL_ACTION}", IMPORT),
    ("import_narrow", "manager", "ru_RU", NARROW, f"action-{JOURNAL_ACTION}", IMPORT),
    ("whom_ru", "manager", "ru_RU", WIDE, f"action-{NEW_MASS_ACTION}", []),
    ("mass_narrow", "manager", "ru_RU", NARROW, "{mass}", []),
    ("batch", "manager", "en_US", WIDE, "{batch}", []),
    ("batch_ru", "manager", "ru_RU", WIDE, "{batch}", []),
    (
        "account",
        "admin",
        "en_US",
        WIDE,
        f"action-{ACCOUNT_ACTION}",
        [(".o_data_row", OPEN_FIRST_ROW), (".o_form_view", "")],
    ),
    (
        "account_ru",
        "admin",
        "ru_RU",
        WIDE,
        f"action-{ACCOUNT_ACTION}",
        [(".o_data_row", OPEN_FIRST_ROW), (".o_form_view", "")],
    ),
]
PREPARED = {"{mass}": prepare_mass, "{batch}": prepare_batch}


def take(page, picture):
    name, login, language, size, address, steps = picture
    page.login(login, language)
    page.resize(size)
    if address in PREPARED:
        address = PREPARED[address](page)
    page.open(f"odoo/{address}")
    page.wait(".o_action_manager .o_control_panel, .modal .o_form_view")
    for selector, script in steps:
        page.wait(selector)
        script(page) if callable(script) else page.run(script)
    time.sleep(1.5)
    page.run(TIDY_UP)
    page.picture(FOLDER / f"{name}.png")
    sys.stdout.write(f"{name}.png\n")


def take_cover(page):
    """The picture of the app store: its name beside the overview."""
    content = base64.b64encode((FOLDER / "overview.png").read_bytes()).decode()
    page.resize(COVER)
    page.call("Page.navigate", url="about:blank")
    page.run(COVER_PAGE % f"data:image/png;base64,{content}")
    page.picture(FOLDER / "cover.png")
    sys.stdout.write("cover.png\n")


def main():
    wanted = os.environ.get("SMS_DEVINO_PICTURES", "").split()
    with browser() as port:
        page = Page(port)
        for picture in PICTURES:
            if not wanted or picture[0] in wanted:
                take(page, picture)
        if not wanted or "cover" in wanted:
            take_cover(page)


main()
