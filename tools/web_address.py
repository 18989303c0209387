"""Judging the address of a server before a password is sent there."""

import ipaddress
import socket
from urllib.parse import urlsplit

# Names of machines in a private network.
_LOCAL_ENDINGS = (".local", ".internal", ".lan", ".home.arpa", ".localhost")


def find_problem(url, *, allow_private=False):
    """Return why a password must not be sent to an address, or ``None``.

    :param str url: as a person wrote it
    :param bool allow_private: whether addresses of a private network are allowed
    :return: ``malformed``, ``userinfo`` (it holds a name or password), ``private``
        or ``plain`` (neither https nor this machine)
    """
    try:
        parts = urlsplit((url or "").strip())
        # an invalid port raises as well
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return "malformed"
    if parts.scheme not in ("http", "https") or not host:
        return "malformed"
    if parts.query or parts.fragment or any(char.isspace() for char in url.strip()):
        return "malformed"
    if "@" in parts.netloc:
        return "userinfo"
    if not allow_private and is_private(host):
        return "private"
    if parts.scheme != "https" and not is_loopback(host):
        return "plain"
    return None


def is_private(host):
    """Tell whether a host is outside the internet, judging by its name."""
    address = _parse(host)
    if address:
        return not address.is_global
    name = host.rstrip(".").lower()
    return "." not in name or name.endswith(_LOCAL_ENDINGS)


def is_loopback(host):
    """Tell whether a host is this machine."""
    address = _parse(host)
    return address.is_loopback if address else host.rstrip(".").lower() == "localhost"


def _parse(host):
    """Return the IP address that a host is in any notation, such as 127.1, or None."""
    for read in (socket.inet_aton, str):
        try:
            address = ipaddress.ip_address(read(host))
        except (OSError, ValueError):
            continue
        return getattr(address, "ipv4_mapped", None) or address
    return None
