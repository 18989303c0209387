"""Watching and steering a sandbox that runs: the page, and what it calls."""

import json
import pkgutil
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal, InvalidOperation

from .answers import HTML_TYPE, Answer
from .fates import DESCRIPTIONS, UNKNOWN_DESCRIPTION, fates_rows
from .faults import CALLS, KINDS, Fault

PREFIX = "/_sandbox"
#: How many messages and requests the page shows.
_SHOWN = 100
#: The clock goes forward by so many seconds at most, ten years.
_LONGEST_JUMP = 10 * 366 * 86400.0
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; img-src data:"
}


def control(sandbox, method, path, body):
    """The answer to a request under ``/_sandbox``.

    :param str path: "/_sandbox/ledger"
    :param bytes body: JSON
    """
    name = path[len(PREFIX) :].strip("/").lower()
    action = _ACTIONS.get((method, name))
    if action is None:
        return _json(404, {"error": f"no such page; see {PREFIX}/help"})
    try:
        return action(sandbox, json.loads(body or b"{}", parse_constant=_no_number))
    except KeyError as why:
        return _json(400, {"error": str(why.args[0])})
    except (ValueError, TypeError, AttributeError, InvalidOperation) as why:
        return _json(400, {"error": str(why)})


def _no_number(text):
    raise ValueError(f"{text} is no number")


# -- to look at


def _page(sandbox, members):
    return Answer(200, _read_file("page.html"), HTML_TYPE, _PAGE_HEADERS)


def _help(sandbox, members):
    return Answer(200, _read_file("README.md"), "text/plain; charset=utf-8")


def _read_file(name):
    # also from within a zip file
    return pkgutil.get_data(__package__, name).decode()


def _ledger(sandbox, members):
    return _json(200, [asdict(entry) for entry in sandbox.provider.ledger])


def _requests(sandbox, members):
    return _json(200, sandbox.log.latest())


def _pending_faults(sandbox, members):
    return _json(200, [asdict(fault) for fault in sandbox.provider.faults.pending()])


def _state(sandbox, members):
    provider = sandbox.provider
    messages = [
        {**asdict(entry), "states": [[state, _describe(state)] for state in states]}
        for entry, states in provider.latest(_SHOWN)
    ]
    return _json(
        200,
        {
            "url": sandbox.url,
            "now": provider.now(),
            "speed": provider.speed,
            "fates_on": provider.has_fates,
            "fates": fates_rows(),
            "kinds": KINDS,
            "calls": CALLS,
            "balances": provider.balances(),
            "faults": [asdict(fault) for fault in provider.faults.pending()],
            "counts": sandbox.requests,
            "total": provider.accepted(),
            "messages": messages,
            "requests": sandbox.log.latest(_SHOWN),
        },
    )


def _describe(state):
    return DESCRIPTIONS.get(state, UNKNOWN_DESCRIPTION)


# -- to steer


def _add_faults(sandbox, members):
    orders = members if isinstance(members, list) else [members]
    for fault in [Fault.from_dict(order) for order in orders]:
        sandbox.provider.faults.add(fault)
    return _done()


def _clear_faults(sandbox, members):
    sandbox.provider.faults.clear()
    return _done()


def _fates(sandbox, members):
    wish = _member(members, "on")
    if not isinstance(wish, bool):
        raise ValueError("on is true or false")
    sandbox.provider.has_fates = wish
    return _done()


def _reset(sandbox, members):
    sandbox.provider.reset()
    sandbox.log.clear()
    return _done()


def _clock(sandbox, members):
    seconds = float(_member(members, "advance"))
    if not 0 <= seconds <= _LONGEST_JUMP:  # NaN and Infinity are not either
        raise ValueError("advance is a number of seconds, ten years at most")
    sandbox.provider.advance(seconds)
    return _json(200, {"now": sandbox.provider.now()})


def _balance(sandbox, members):
    amounts = {login: read_amount(str(amount)) for login, amount in members.items()}
    for login, amount in amounts.items():
        sandbox.provider.set_balance(amount, login)
    return _done()


def _incoming(sandbox, members):
    login = members.get("login")
    if login is not None and login not in sandbox.provider.balances():
        raise ValueError(f"there is no account {login!r}")
    names = ("source", "destination", "text")
    texts = [str(_member(members, name)) for name in names]
    sandbox.provider.add_incoming(*texts, login=login)
    return _done()


def read_amount(text):
    """A Decimal of a sum of money.

    :raise ValueError: it is not a number, NaN or Infinity
    """
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 15:
        raise ValueError(f"{text[:30]} is no amount of money")
    return amount


def _member(members, name):
    if name not in members:
        raise ValueError(f"{name} is missing")
    return members[name]


def _done():
    return _json(200, {"done": True})


def _json(status, value):
    return Answer(status, json.dumps(value, ensure_ascii=False, default=_plain))


def _plain(value):
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)


_ACTIONS = {
    ("GET", ""): _page,
    ("GET", "help"): _help,
    ("GET", "ledger"): _ledger,
    ("GET", "requests"): _requests,
    ("GET", "state"): _state,
    ("GET", "faults"): _pending_faults,
    ("POST", "faults"): _add_faults,
    ("POST", "faults/clear"): _clear_faults,
    ("POST", "fates"): _fates,
    ("POST", "reset"): _reset,
    ("POST", "clock"): _clock,
    ("POST", "balance"): _balance,
    ("POST", "incoming"): _incoming,
}
