"""The last requests, and why some of them were refused."""

import sys
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass

#: How many requests are kept, and how many parameters of each.
KEPT, KEPT_PAIRS = 1000, 20
_LONGEST = 200
_SECRETS = ("password", "sessionid")


@dataclass(frozen=True)
class Request:
    """One request and its answer.

    ``at``: seconds since 1970. ``call``: the documented name, or the path when there is
    no such call. ``status``: 0 when the connection was broken instead of an answer.
    ``reason``: why it was refused or spoiled, or "". ``params``: the first parameters,
    passwords and session ids masked. ``took``: seconds.
    """

    number: int
    at: float
    client: str
    method: str
    call: str
    v2: bool
    status: int
    reason: str
    answer: str
    params: list
    params_left_out: int
    took: float


class RequestLog:
    """The last requests; threads may share it.

    :param bool verbose: write a line to stderr for each of them
    """

    def __init__(self, verbose=False):
        self.counts = Counter()
        self._verbose = verbose
        self._requests = deque(maxlen=KEPT)
        self._total = 0
        self._lock = threading.Lock()

    def count(self, call):
        """Count a request as soon as it is known what it asks for."""
        with self._lock:
            self.counts[call] += 1

    def add(self, client, method, call, v2, pairs, answer, started):
        """Keep a request that was answered.

        :param list[tuple[str, str]] pairs: its parameters
        :param float started: seconds since 1970
        """
        status = 0 if answer.connection else answer.status
        params = [
            [name, "***" if name.strip().lower() in _SECRETS else value[:_LONGEST]]
            for name, value in pairs[:KEPT_PAIRS]
        ]
        with self._lock:
            self._total += 1
            request = Request(
                *(self._total, started, client, method, call, v2, status),
                *(answer.reason, answer.body[:_LONGEST], params),
                *(len(pairs) - len(params), round(time.time() - started, 4)),
            )
            self._requests.append(request)
        if self._verbose:
            _print(request)

    def latest(self, count=KEPT):
        """The newest requests, the last one first."""
        with self._lock:
            return list(self._requests)[: -count - 1 : -1]

    def clear(self):
        """Forget the requests; the counts stay."""
        with self._lock:
            self._requests.clear()


def _print(request):
    clock = time.strftime("%H:%M:%S", time.localtime(request.at))
    status = request.status or "broken"
    reason = f"  {request.reason}" if request.reason else ""
    call = f"{'v2/' if request.v2 else ''}{request.call}"
    line = f"{clock} {request.client} {request.method} {call} {status}{reason}"
    sys.stderr.write(line.encode(errors="replace").decode() + "\n")
