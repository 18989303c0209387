"""Where things are kept, and how programs are run: used by every other part."""

import contextlib
import ctypes
import fcntl
import hashlib
import os
import signal
import subprocess
import time
from pathlib import Path

ADDON = "sms_devino"
CHECKOUT = Path(__file__).resolve().parent.parent
HOME = Path(
    os.environ.get("SMS_DEVINO_HOME")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / ADDON
).resolve()
LOGS = HOME / "logs"
# What belongs to this checkout alone, so that two checkouts can share one HOME.
OWN = HOME / "checkouts" / hashlib.sha1(bytes(CHECKOUT)).hexdigest()[:12]
CONFIG = OWN / "odoo.conf"


class Failure(Exception):
    """Ends the run; its text is the one sentence the user gets."""


class Interrupted(BaseException):
    """A signal asked for the end of the run."""


def say(text=""):
    print(text, flush=True)


@contextlib.contextmanager
def step(what):
    """Show `what`, then how long it took."""
    begin = time.monotonic()
    print(f"{what} … ", end="", flush=True)
    try:
        yield
    except Interrupted:
        say("interrupted")
        raise
    except BaseException:
        say("failed")
        raise
    say(f"{time.monotonic() - begin:.1f} s")


def log_path(name):
    LOGS.mkdir(parents=True, exist_ok=True)
    return LOGS / f"{name}.log"


def tail(path, lines=12):
    text = path.read_text("utf-8", "replace") if path.exists() else ""
    return "\n".join("    " + line for line in text.splitlines()[-lines:])


def clean_env(**extra):
    """The environment for children: no foreign Odoo, Python or PostgreSQL setting."""
    env = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PG", "ODOO_")) and not key.startswith("PYTHON")
    }
    env |= {
        "LC_ALL": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPYCACHEPREFIX": str(HOME / "pycache"),
    }
    return env | extra


CHILDREN = []


def die_with_parent():
    """In the child: a SIGTERM when this script dies, even by SIGKILL (Linux)."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def start(command, detached=False, **kwargs):
    """Start `command` in a process group of its own and remember it.

    A detached one is meant to outlive this script.
    """
    kwargs.setdefault("env", clean_env())
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    process = subprocess.Popen(
        [str(part) for part in command],
        start_new_session=True,
        preexec_fn=None if detached else die_with_parent,
        **kwargs,
    )
    CHILDREN.append(process)
    return process


def stop(process, patience=15):
    """End a child and whatever is left of its process group."""
    for kill_signal in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, kill_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    if process in CHILDREN:
        CHILDREN.remove(process)


def stop_children():
    """End what still runs, the last started first."""
    for process in reversed(CHILDREN.copy()):
        stop(process)


def run(command, name, *, append=False, **kwargs):
    """Run `command` to its end, its output in the log `name`; Failure if it fails."""
    log = log_path(name)
    with log.open("ab" if append else "wb") as output:
        kwargs = {"stdout": output, "stderr": subprocess.STDOUT} | kwargs
        process = start(command, **kwargs)
        code = process.wait()
    stop(process)
    if code:
        program = " ".join(Path(str(part)).name for part in command[:3])
        raise Failure(f"{program} ended with code {code}.\n{tail(log)}\nLog: {log}")


def output_of(command):
    """What `command` prints, or "" when it fails."""
    result = subprocess.run(
        command, capture_output=True, text=True, env=clean_env(), check=False
    )
    return result.stdout if result.returncode == 0 else ""


class Lock:
    """A lock on a file of HOME, held until `release` or the end of its holders.

    The kernel frees it when the last process that holds the descriptor is gone, so
    no crash leaves a stale one.
    """

    def __init__(self, name):
        (HOME / "run").mkdir(parents=True, exist_ok=True)
        self.path = HOME / "run" / f"{name}.lock"
        self.file = self.path.open("a+")

    def take(self, *, shared=False, wait=False):
        """True when it is held now; another holder is waited for only if told so."""
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self.file, mode if wait else mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if not shared:
            self.file.truncate(0)
            self.file.write(f"process {os.getpid()}, checkout {CHECKOUT}")
            self.file.flush()
        return True

    def holder(self):
        return self.path.read_text() or "another process"

    def release(self):
        self.file.close()

    def __enter__(self):
        if not self.take():
            say(f"Waiting for {self.holder()}.")
            self.take(wait=True)
        return self

    def __exit__(self, *exc_info):
        self.release()


def only_one(command):
    """The lock under which `command` runs at most once at a time."""
    lock = Lock(command)
    if not lock.take():
        raise Failure(
            f"./dev {command} runs already ({lock.holder()}): wait for its end, or set "
            "SMS_DEVINO_HOME to another folder to run a second one beside it."
        )
    return lock


def foreground(command, **kwargs):
    """Give the terminal to `command`, its Ctrl-C included; answers its exit code."""
    kwargs.setdefault("env", clean_env())
    process = subprocess.Popen(
        [str(part) for part in command], preexec_fn=die_with_parent, **kwargs
    )
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return process.wait()
    except Interrupted:
        process.terminate()
        process.wait()
        raise
    finally:
        signal.signal(signal.SIGINT, previous)
