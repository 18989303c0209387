"""The provider emulated: its rules, and an HTTP server around them.

Nothing here sends anything to anybody. See ``README.md`` in this folder.
"""

from .faults import Fault
from .rules import Provider
from .server import SandboxServer
from .switches import Switches
