"""How the provider's server is reached."""

from urllib.parse import urlsplit

from ..tools.web_address import is_private

# Set by a system administrator in Settings > Technical > System Parameters.
PROXY_PARAMETER = "sms_devino.proxy"


def get_route(account):
    """Return what the gateway's ``Credentials`` say about the way to the server.

    A server in the company's network was allowed by its address, and no proxy leads to
    it.

    :param account: ``sms.devino.account`` with the rights to read it (sudo)
    :return: dict of ``proxy`` and ``is_public``
    """
    if is_private(urlsplit(account.url).hostname or ""):
        return {"proxy": "", "is_public": False}
    proxy = account.env["ir.config_parameter"].sudo().get_param(PROXY_PARAMETER)
    return {"proxy": proxy or "", "is_public": not account.allow_private_address}
