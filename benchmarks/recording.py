"""The sandbox, with a file that says which numbers ever reached it.

python benchmarks/recording.py FILE LOGIN...
"""

import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sandbox import Provider, SandboxServer  # noqa: E402

# so many times as quick as a mobile network: what becomes of a message is known soon
SPEED = 20.0


class RecordingProvider(Provider):
    """Writes down the numbers of every sending that it has read, whatever follows."""

    def __init__(self, path, logins):
        super().__init__(
            speed=SPEED,
            accounts={login: login for login in logins},
            balance=100_000_000,
        )
        self._file = open(path, "w", buffering=1)

    def handle(self, method, path, pairs, *args, **options):
        for name, value in pairs:
            if name.lower().startswith("destinationaddress"):
                self._file.write(f"+{value}\n")
        return super().handle(method, path, pairs, *args, **options)


def main():
    provider = RecordingProvider(sys.argv[1], sys.argv[2:])
    with SandboxServer(provider) as server:
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
