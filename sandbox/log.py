"""The last requests, and why some of them were refused."""

import sys
import threading
import time
from collections import Counter, deque

#: How many requests are kept, and how many parameters of each.
KEPT, KEPT_PAIRS = 1000, 20
_LONGEST = 200
_SECRETS = ("password", "sessionid")


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

        :param str call: the documented name, or the path when there is no such call
        :param list[tuple[str, str]] pairs: its parameters
        :param float started: seconds since 1970
        """
        request = {
            "at": started,
            "client": client,
            "method": method,
            "call": call,
            "v2": v2,
            # 0: the connection was broken instead of an answer
            "status": 0 if answer.connection else answer.status,
            "reason": answer.reason,
            "answer": answer.body[:_LONGEST],
            "params": [
                [name, "***" if name.strip().lower() in _SECRETS else value[:_LONGEST]]
                for name, value in pairs[:KEPT_PAIRS]
            ],
            "params_left_out": max(len(pairs) - KEPT_PAIRS, 0),
            "took": round(time.time() - started, 4),
        }
        with self._lock:
            self._total += 1
            self._requests.append({"number": self._total, **request})
        if self._verbose:
            _print(request)

    def latest(self, count=KEPT):
        """The newest requests as dicts, the last one first."""
        with self._lock:
            return list(self._requests)[: -count - 1 : -1]

    def clear(self):
        """Forget the requests; the counts stay."""
        with self._lock:
            self._requests.clear()


def _print(request):
    clock = time.strftime("%H:%M:%S", time.localtime(request["at"]))
    status = request["status"] or "broken"
    reason = f"  {request['reason']}" if request["reason"] else ""
    call = f"{'v2/' if request['v2'] else ''}{request['call']}"
    line = f"{clock} {request['client']} {request['method']} {call} {status}{reason}"
    sys.stderr.write(line.encode(errors="replace").decode() + "\n")
