"""The sandbox, with a file of the sendings that reached it: one line of JSON each.

python benchmarks/recording.py FILE LOGIN...
"""

import json
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sandbox import Provider, SandboxServer  # noqa: E402
from sandbox.faults import REFUSALS  # noqa: E402

# so many times as quick as a mobile network: what becomes of a message is known soon
SPEED = 20.0


class RecordingProvider(Provider):
    """Writes down every sending: its answer, what was spoiled in it, and its numbers;
    no numbers where the connection was reset before anything was read."""

    def __init__(self, path, logins):
        super().__init__(
            speed=SPEED,
            accounts={login: login for login in logins},
            balance=100_000_000,
        )
        self._file = open(path, "w", buffering=1)

    def take_faults(self, path):
        faults = super().take_faults(path)
        refusals = [one.kind for one in faults if one.kind in REFUSALS]
        if refusals and "/sms/send" in path.lower():
            self._write("reset", f"the fault {refusals[0]}", [])
        return faults

    def handle(self, method, path, pairs, *args, **options):
        answer = super().handle(method, path, pairs, *args, **options)
        numbers = [
            f"+{value}"
            for name, value in pairs
            if name.lower().startswith("destinationaddress")
        ]
        if numbers:
            what = answer.connection or f"{answer.status} {answer.body[:40]}"
            self._write(what, answer.reason, numbers)
        return answer

    def _write(self, answer, reason, numbers):
        line = {"at": self.now(), "answer": answer, "reason": reason}
        self._file.write(json.dumps({**line, "numbers": numbers}) + "\n")


def main():
    provider = RecordingProvider(sys.argv[1], sys.argv[2:])
    with SandboxServer(provider) as server:
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
