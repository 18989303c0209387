"""The provider emulated: its rules, an HTTP server and an adapter for ``requests``.

Nothing here sends anything to anybody. See ``README.md`` in this folder.
"""

from .adapter import SandboxAdapter
from .answers import Answer
from .faults import Fault, Faults
from .rules import Entry, Provider
from .server import SandboxServer
from .switches import Switches

__all__ = [
    "Answer",
    "Entry",
    "Fault",
    "Faults",
    "Provider",
    "SandboxAdapter",
    "SandboxServer",
    "Switches",
]
