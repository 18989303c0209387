"""Steering a sandbox that runs in another process."""

import json
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal, InvalidOperation

from .answers import Answer
from .fates import fates_table
from .faults import KINDS, Fault

PREFIX = "/_sandbox"

_HELP = """\
The sandbox of the SMS provider. Nothing is sent to anybody.

GET  /_sandbox/ledger    the accepted messages, in order
GET  /_sandbox/faults    the faults that can still occur
POST /_sandbox/faults    {{"kind": "code8", "path": "Sms/Send", "times": 1}}, or a list
POST /_sandbox/reset     forget messages, sessions and faults
POST /_sandbox/clock     {{"advance": 3600}}
POST /_sandbox/balance   {{"demo": "12.5"}}
POST /_sandbox/incoming  {{"source": "79160000000", "destination": "79030000000",
                          "text": "STOP"}}

What becomes of a message, by the last two digits of its number:

{fates}

Kinds of faults: {kinds}
"""


def control(provider, method, path, body):
    """The answer to a request under ``/_sandbox``.

    :param Provider provider:
    :param str method:
    :param str path: "/_sandbox/ledger"
    :param bytes body: JSON
    :rtype: Answer
    """
    name = path[len(PREFIX) :].strip("/").lower()
    action = _ACTIONS.get((method, name))
    if action is None:
        return _json(404, {"error": "no such page"})
    try:
        return action(provider, json.loads(body or b"{}"))
    except (ValueError, TypeError, KeyError, AttributeError, InvalidOperation) as why:
        return _json(400, {"error": str(why)})


def _help(provider, members):
    text = _HELP.format(fates=fates_table(), kinds=", ".join(KINDS))
    return Answer(200, text, "text/plain; charset=utf-8")


def _ledger(provider, members):
    return _json(200, [asdict(entry) for entry in provider.ledger])


def _pending_faults(provider, members):
    return _json(200, [asdict(fault) for fault in provider.faults.pending()])


def _add_faults(provider, members):
    orders = members if isinstance(members, list) else [members]
    for fault in [Fault.from_dict(order) for order in orders]:
        provider.faults.add(fault)
    return _done()


def _reset(provider, members):
    provider.reset()
    return _done()


def _clock(provider, members):
    provider.advance(float(members["advance"]))
    return _json(200, {"now": provider.now()})


def _balance(provider, members):
    for login, amount in members.items():
        provider.set_balance(Decimal(str(amount)), login)
    return _done()


def _incoming(provider, members):
    provider.add_incoming(members["source"], members["destination"], members["text"])
    return _done()


def _done():
    return _json(200, {"done": True})


def _json(status, value):
    return Answer(status, json.dumps(value, ensure_ascii=False, default=_plain))


def _plain(value):
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


_ACTIONS = {
    ("GET", ""): _help,
    ("GET", "ledger"): _ledger,
    ("GET", "faults"): _pending_faults,
    ("POST", "faults"): _add_faults,
    ("POST", "reset"): _reset,
    ("POST", "clock"): _clock,
    ("POST", "balance"): _balance,
    ("POST", "incoming"): _incoming,
}
