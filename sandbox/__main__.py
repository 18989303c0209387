"""``python -m sandbox``: the provider on a port of this machine."""

import argparse
import signal
import sys
import threading
from decimal import Decimal, InvalidOperation

from .fates import fates_table
from .rules import Provider
from .server import SandboxServer
from .switches import Switches


def main(argv=None):
    """Serve until SIGINT or SIGTERM; one line with the URL when ready.

    :param list[str] argv: default the command line's
    :return: the exit code
    :rtype: int
    """
    options = _parser().parse_args(argv)
    provider = Provider(
        speed=options.speed,
        switches=options.switches,
        balance=options.balance,
        accounts={options.login: options.password},
        senders=options.sender,
    )
    over = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *args: over.set())
    try:
        server = SandboxServer(provider, host=options.host, port=options.port)
    except OSError as why:
        print(f"Port {options.port} cannot be used: {why.strerror}", file=sys.stderr)
        return 1
    with server:
        print(server.url, flush=True)
        over.wait()
    return 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="The SMS provider emulated; nothing is sent to anybody.",
        epilog="fates by the number's last two digits:\n" + fates_table(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=8079, help="0 = any free one")
    add("--speed", type=_positive, default=1.0, help="of the mobile network")
    add("--login", default="demo")
    add("--password", default="demo")
    add("--balance", type=_amount, default=Decimal("1000"))
    add("--sender", action="append", help="an approved sender name; default: all")
    add(
        "--switch",
        dest="switches",
        action=_SwitchAction,
        default=Switches(),
        metavar="NAME=VALUE",
        help="an answer to what is uncertain, see README.md",
    )
    return parser


class _SwitchAction(argparse.Action):
    def __call__(self, parser, namespace, value, option_string=None):
        given = [*getattr(namespace, "settings", ()), value]
        try:
            namespace.switches = Switches.parse(given)
        except ValueError as why:
            parser.error(str(why))
        namespace.settings = given


def _positive(text):
    number = float(text)
    if not number > 0:
        raise ValueError(text)
    return number


def _amount(text):
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None


if __name__ == "__main__":
    sys.exit(main())
