"""https, with a certificate given or made."""

import shutil
import ssl
import subprocess
from pathlib import Path

#: The hosts that a certificate made here is good for: this machine, and the provider's,
#: for clients that have its address built in.
HOSTS = ("DNS:localhost", "IP:127.0.0.1", "DNS:integrationapi.net")


class TlsError(Exception):
    """Why there is no https, in a sentence."""


def make_context(certificate, key):
    """A context to serve https with.

    :param str certificate: path of a PEM file, the chain included
    :param str key: path of a PEM file
    :raise TlsError: the files cannot be used
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as why:
        raise TlsError(f"{certificate} and {key} cannot be used: {why}") from None
    return context


def make_certificate(folder):
    """Make a self-signed certificate by the ``openssl`` command.

    :param str folder: where to put it
    :return: paths of the certificate and its key
    :raise TlsError: the command is missing or fails
    """
    command = shutil.which("openssl")
    if not command:
        raise TlsError(
            "A certificate is made by the openssl command, which is not here. "
            "Install it, or give your own: --tls CERT KEY."
        )
    paths = str(Path(folder, "sandbox.crt")), str(Path(folder, "sandbox.key"))
    options = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "365"]
    options += ["-subj", "/CN=localhost"]
    options += ["-addext", f"subjectAltName={','.join(HOSTS)}"]
    options += ["-out", paths[0], "-keyout", paths[1]]
    made = subprocess.run([command, *options], capture_output=True, text=True)
    if made.returncode:
        raise TlsError(f"openssl made no certificate: {made.stderr.strip()[-300:]}")
    return paths
