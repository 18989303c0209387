"""``python -m sandbox``: the provider on a port of this machine."""

import argparse
import math
import shutil
import signal
import sys
import tempfile
import threading
import zipapp
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

from .control import PREFIX, read_amount
from .fates import fates_rows
from .rules import Provider
from .server import SandboxServer
from .switches import Switches
from .tls import TlsError, make_certificate, make_context

_ZIP_MAIN = """\
import sys

if sys.version_info < (3, 10):
    sys.exit("Python 3.10 or newer is needed.")

from sandbox.__main__ import main

sys.exit(main())
"""


def main(argv=None):
    """Serve until SIGINT or SIGTERM; the first line says the URL when ready.

    :param list[str] argv: default the command line's
    :return: the exit code
    """
    parser = _parser()
    options = parser.parse_args(argv)
    try:
        _check(options)
    except ValueError as why:
        parser.error(str(why))
    try:
        if options.zipapp:
            return _make_zipapp(options.zipapp)
        with ExitStack() as over, _server(options, over) as server:
            return _serve(server)
    except TlsError as why:
        print(why, file=sys.stderr)
    except OSError as why:
        place = options.zipapp or f"Port {options.port}"
        print(f"{place} cannot be used: {why.strerror or why}", file=sys.stderr)
    return 1


def _server(options, over):
    return SandboxServer(
        _provider(options),
        host=options.host,
        port=options.port,
        tls=_tls(options.tls, over),
        verbose=options.verbose,
    )


def _check(options):
    """Read the options of several words.

    :raise ValueError: what is wrong with one
    """
    options.switches = Switches.parse(options.switches)
    if options.tls and len(options.tls) != 2:
        raise ValueError("--tls takes a certificate and its key, or nothing")
    for words in options.account:
        if len(words) not in (2, 3):
            raise ValueError(
                "--account takes a login, a password and perhaps a balance"
            )
        words[2:] = [read_amount(text) for text in words[2:]]


def _provider(options):
    accounts = options.account or [[options.login, options.password]]
    return Provider(
        speed=options.speed,
        switches=options.switches,
        accounts={login: password for login, password, *_balance in accounts},
        balance=options.balance,
        balances={
            login: balance[0] for login, _password, *balance in accounts if balance
        },
        senders=options.sender,
        has_fates=options.fates,
    )


def _tls(files, over):
    """The context of ``--tls``: None without it, [] to make a certificate."""
    if files is None:
        return None
    if not files:
        prefix = "sandbox-tls-"
        files = make_certificate(
            over.enter_context(tempfile.TemporaryDirectory(prefix=prefix))
        )
        said = f"Certificate for your client to trust: {files[0]}\nIts key: {files[1]}"
        print(said, file=sys.stderr)
    return make_context(*files)


def _serve(server):
    over = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *args: over.set())
    page = server.url.removesuffix("/rest") + PREFIX
    print(f"{server.url}\nPage to watch and steer it: {page}/", flush=True)
    over.wait()
    return 0


def _make_zipapp(target):
    """Put the whole sandbox into one file that Python runs."""
    with tempfile.TemporaryDirectory() as folder:
        left_out = shutil.ignore_patterns("__pycache__", "*.pyc")
        package = Path(__file__).parent
        shutil.copytree(package, Path(folder, "sandbox"), ignore=left_out)
        Path(folder, "__main__.py").write_text(_ZIP_MAIN)
        python = "/usr/bin/env python3"
        zipapp.create_archive(folder, target, interpreter=python, compressed=True)
    print(f"Made {target}: run it with python3 {target}")
    return 0


def _parser():
    fates = "\n".join(f"  {ending}  {label}" for ending, label in fates_rows())
    parser = argparse.ArgumentParser(
        prog="sandbox",
        description="The SMS provider emulated; nothing is sent to anybody.",
        epilog="fates by the number's last two digits:\n" + fates,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="0.0.0.0 = reachable from elsewhere")
    add("--port", type=_port, default=8079, help="0 = any free one")
    add(
        "--tls",
        nargs="*",
        metavar=("CERT", "KEY"),
        help="serve https: with these PEM files, or with a certificate made now",
    )
    add("--login", default="demo", help="of the one account")
    add("--password", default="demo")
    add("--balance", type=_amount, default=Decimal("1000"), help="of each account")
    add(
        "--account",
        nargs="+",
        action="append",
        default=[],
        metavar=("LOGIN", "PASSWORD"),
        help="an account, with its balance as a third word if it is another; "
        "repeat it for several",
    )
    add("--sender", action="append", help="an approved sender name; default: all")
    add("--speed", type=_positive, default=1.0, help="of the mobile network")
    add(
        "--no-fates",
        dest="fates",
        action="store_false",
        help="deliver every message, whatever its number",
    )
    add(
        "--switch",
        dest="switches",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an answer to what is uncertain, see README.md",
    )
    add("--verbose", action="store_true", help="a line on stderr for each request")
    add("--zipapp", metavar="FILE", help="make one file that runs anywhere, and end")
    return parser


def _positive(text):
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no number above 0")
    return number


def _port(text):
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text} is no port (0 to 65535)")
    return int(text)


def _amount(text):
    try:
        return read_amount(text)
    except ValueError as why:
        raise argparse.ArgumentTypeError(str(why)) from None


if __name__ == "__main__":
    sys.exit(main())
