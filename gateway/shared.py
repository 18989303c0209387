"""Clients shared by a process, so that sessions and connections are used again."""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable

from requests.adapters import BaseAdapter

from .client import Credentials, DevinoClient

MAX_CLIENTS = 32

_lock = threading.Lock()
_clients: OrderedDict[tuple[int, Credentials, bool], DevinoClient] = OrderedDict()


def get_client(
    credentials: Credentials,
    *,
    adapter_factory: Callable[[], BaseAdapter] | None = None,
) -> DevinoClient:
    """The client of this process for ``credentials``; a changed password gets another.

    :param adapter_factory: makes the transport adapter of a new client (an account in
        test mode). A client with an adapter is never given to a caller without.
    """
    key = _key(credentials, adapter_factory is not None)
    with _lock:
        if key not in _clients:
            adapter = adapter_factory() if adapter_factory else None
            _clients[key] = DevinoClient(credentials, adapter=adapter)
        _clients.move_to_end(key)
        surplus = _pop(list(_clients)[:-MAX_CLIENTS])
        client = _clients[key]
    _close(surplus)
    return client


def forget_client(credentials: Credentials) -> None:
    """Drop the clients for ``credentials``, with an adapter or without."""
    with _lock:
        dropped = _pop([_key(credentials, False), _key(credentials, True)])
    _close(dropped)


def _key(credentials: Credentials, adapted: bool) -> tuple[int, Credentials, bool]:
    # The process id: connections made before a fork belong to the parent.
    return os.getpid(), credentials, adapted


def _pop(keys: list) -> list[DevinoClient]:
    return [_clients.pop(key) for key in keys if key in _clients]


def _close(clients: list[DevinoClient]) -> None:
    for client in clients:
        client.close()
