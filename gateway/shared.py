"""Clients shared by a process, so that sessions and connections are used again."""

import functools
import os
import threading
from collections.abc import Callable

from requests.adapters import BaseAdapter

from .client import Credentials, DevinoClient

MAX_CLIENTS = 32

_lock = threading.Lock()


def get_client(
    credentials: Credentials,
    *,
    adapter_factory: Callable[[], BaseAdapter] | None = None,
) -> DevinoClient:
    """The client of this process for ``credentials``; a changed password gets another.

    :param adapter_factory: makes the transport adapter of a new client (an account in
        test mode); another factory gets another client.
    """
    with _lock:
        # The process id: connections made before a fork belong to the parent.
        return _make_client(os.getpid(), credentials, adapter_factory)


@functools.lru_cache(MAX_CLIENTS)
def _make_client(_process, credentials, adapter_factory) -> DevinoClient:
    adapter = adapter_factory() if adapter_factory else None
    return DevinoClient(credentials, adapter=adapter)
