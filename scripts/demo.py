"""up, down and what else uses the demo database."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from .base import (
    CHECKOUT,
    CHILDREN,
    CONFIG,
    HOME,
    OWN,
    Failure,
    Lock,
    clean_env,
    foreground,
    log_path,
    only_one,
    say,
    start,
    step,
    stop,
    tail,
)
from .databases import DEMO_DB, demo_database, prepared
from .odoo import virtual_environment
from .postgres import Cluster
from .system import BROWSER_NEEDS, browser, pg_bin, system_packages

STATE = HOME / "run" / "up.json"
HTTP_PORT = 8069
SANDBOX_PORT = 8079
# Messages are delivered after one second, so that nobody has to wait for it.
SANDBOX_SPEED = 10
LOGINS = ("user / user", "manager / manager", "admin / admin")


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port(preferred=0):
    """`preferred` if it is free, else any that is."""
    if preferred and is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    if preferred:
        say(f"Port {preferred} is taken, using {port}.")
    return port


def wait_for(url, process, log, patience=90):
    """Wait until `url` answers; Failure when `process` ends or time is up."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + patience
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with opener.open(url, timeout=30):
                return
        except OSError:
            time.sleep(0.1)
    raise Failure(f"No answer from {url}.\n{tail(log)}\nLog: {log}")


def born(pid):
    """When process `pid` began, in clock ticks since boot, or None without one."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return fields[19] if fields[0] != "Z" else None
    return None


def start_sandbox(odoo, detached):
    port = free_port(SANDBOX_PORT)
    log = log_path("sandbox")
    with step("Sandbox of the provider"), log.open("wb") as output:
        command = [odoo.python, "-m", "sandbox", "--port", port]
        command += ["--speed", SANDBOX_SPEED]
        streams = {"stdout": output, "stderr": subprocess.STDOUT}
        sandbox = start(command, detached, cwd=CHECKOUT, **streams)
        wait_for(f"http://127.0.0.1:{port}/_sandbox/", sandbox, log)
    return sandbox, f"http://127.0.0.1:{port}/rest"


def main_job(odoo, sandbox_url):
    """Run demo/main_job.py in the demo database; its output is the user's."""
    log = log_path("main-job")
    options = ["shell", "-c", CONFIG, "-d", DEMO_DB, "--no-http", "--log-level=warn"]
    env = odoo.env(SMS_DEVINO_SANDBOX_URL=sandbox_url)
    with (CHECKOUT / "demo" / "main_job.py").open() as script, log.open("wb") as errors:
        streams = {"stdin": script, "stderr": errors}
        job = start(odoo.command(*options), cwd=OWN, env=env, **streams)
        code = job.wait()
    stop(job)
    if code:
        raise Failure(f"demo/main_job.py failed.\n{tail(log)}\nLog: {log}")


def start_server(odoo, lock, sandbox_url, args):
    """Odoo on the demo database; it holds the locks as long as it lives."""
    if args.port and not is_free(args.port):
        raise Failure(f"Port {args.port} is taken.")
    port = args.port or free_port(HTTP_PORT)
    log = log_path("odoo")
    url = f"http://127.0.0.1:{port}"
    options = [f"--http-port={port}", f"--db-filter=^{DEMO_DB}$"]
    options += ["--max-cron-threads=2", f"--logfile={log}"]
    log.unlink(missing_ok=True)
    user = Lock("postgresql")
    user.take(shared=True, wait=True)
    with step("Odoo"), log_path("odoo-output").open("wb") as output:
        server = start(
            odoo.options(DEMO_DB, *options),
            args.detach,
            cwd=OWN,
            env=odoo.env(SMS_DEVINO_SANDBOX_URL=sandbox_url),
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(lock.file.fileno(), user.file.fileno()),
        )
        user.release()
        wait_for(f"{url}/web/login", server, log)
    return server, url


def write_state(url, sandbox_url, pids):
    """What `down` and `screenshots` have to know; `pids` in the order to stop them."""
    processes = [[pid, born(pid)] for pid in pids]
    state = {"url": url, "sandbox": sandbox_url, "processes": processes}
    STATE.write_text(json.dumps(state))


def read_state():
    """The running demo's state, or None when none runs."""
    lock = Lock("up")
    running = not lock.take()
    lock.release()
    return json.loads(STATE.read_text()) if running and STATE.exists() else None


def command_up(args):
    state = read_state()
    if state and args.detach:
        return say(f"Running already: {state['url']}")
    lock = only_one("up")
    STATE.unlink(missing_ok=True)
    with prepared() as (odoo, cluster):
        demo_database(odoo, cluster, args.fresh)
        sandbox, sandbox_url = start_sandbox(odoo, args.detach)
        main_job(odoo, sandbox_url)
        server, url = start_server(odoo, lock, sandbox_url, args)
        say(f"\nOdoo       {url}/odoo/sms-overview   ({', '.join(LOGINS)})")
        say(f"Provider   {sandbox_url}   (emulated)")
        if args.detach:
            write_state(url, sandbox_url, [server.pid, sandbox.pid])
            CHILDREN.clear()
            return say("./dev down stops it.")
        write_state(url, sandbox_url, [os.getpid()])
        say("Ctrl-C stops it.")
        serve(server, sandbox)
    return None


def serve(server, sandbox):
    """Stay until a signal comes or one of the two servers ends."""
    while server.poll() is None and sandbox.poll() is None:
        time.sleep(0.5)
    name = "odoo" if server.poll() is not None else "sandbox"
    log = log_path(name)
    raise Failure(f"The {name} server ended by itself.\n{tail(log)}\nLog: {log}")


def command_down(_args):
    state = read_state()
    for pid, birth in state["processes"] if state else []:
        if born(pid) == birth:
            os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + 30
            while born(pid) == birth and time.monotonic() < deadline:
                time.sleep(0.1)
            if born(pid) == birth:
                os.kill(pid, signal.SIGKILL)
    STATE.unlink(missing_ok=True)
    if pg_bin():
        Cluster().stop_if_unused()
    say("Stopped." if state else "Nothing was running.")


def demo_for_prompt(odoo, cluster):
    """The demo database; left as it is while a server runs on it."""
    if not read_state():
        demo_database(odoo, cluster)


def command_shell(_args):
    with prepared() as (odoo, cluster):
        demo_for_prompt(odoo, cluster)
        command = odoo.command("shell", "-c", CONFIG, "-d", DEMO_DB, "--no-http")
        return foreground(command, env=odoo.env(), cwd=OWN)


def command_psql(args):
    with prepared() as (odoo, cluster):
        demo_for_prompt(odoo, cluster)
        return foreground(cluster.psql(DEMO_DB, *args.options))


def command_sandbox(args):
    """The emulator needs Python alone; paths among its options are the caller's."""
    env = clean_env(PYTHONPATH=str(CHECKOUT))
    command = [sys.executable, "-m", "sandbox", *args.options]
    return foreground(command, env=env, cwd=Path.cwd())


def command_screenshots(args):
    state = read_state()
    if not state:
        raise Failure("No demo runs: start one with ./dev up --detach.")
    with Lock("setup"):
        system_packages(BROWSER_NEEDS)
        python = virtual_environment()
    folder = Path(args.folder or HOME / "screenshots").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    env = clean_env(
        SMS_DEVINO_URL=state["url"],
        SMS_DEVINO_SANDBOX_URL=state["sandbox"],
        SMS_DEVINO_BROWSER=browser(),
        SMS_DEVINO_SCREENSHOTS=str(folder),
    )
    say(f"Pictures go to {folder}")
    return foreground([python, CHECKOUT / "demo" / "screenshots.py"], env=env)
