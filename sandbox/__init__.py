"""The provider emulated: its rules, and an HTTP server around them.

Nothing here sends anything to anybody. See ``README.md`` in this folder.
"""

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
    "SandboxServer",
    "Switches",
]
