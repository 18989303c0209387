"""Waiting for calls no longer than a person does."""

import threading
from collections.abc import Callable


def within(seconds: float, work: Callable[[], object]) -> bool:
    """Run ``work``, which must not use a database, and wait for it no longer than so
    many seconds. What takes longer goes on by itself, and nobody hears of it.

    :return: whether it has ended
    """
    thread = threading.Thread(target=work, name="sms_devino_button", daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()
