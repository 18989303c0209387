from werkzeug.exceptions import NotFound

from odoo import SUPERUSER_ID
from odoo.http import Controller, request, route

from ..services import ad_line, refusal


class RefusalLink(Controller):
    """The page to which the link at the end of an advertising SMS leads.

    Opening it changes nothing: programs that show previews of links open it too.
    """

    @route(f"{ad_line.ROUTE}<string:code>", type="http", auth="public", methods=["GET"])
    def show(self, code):
        """Show whose advertising the number gets, with a button to refuse it."""
        company, number = self._read(code)
        is_refused = company.env["phone.blacklist"]._sms_devino_blacklisted([number])
        return self._render(company, number, is_refused=bool(is_refused))

    @route(
        f"{ad_line.ROUTE}<string:code>/refuse",
        type="http",
        auth="public",
        methods=["POST"],
    )
    def refuse(self, code):
        """Put the number of the link on the blacklist, once."""
        company, number = self._read(code)
        refusal.refuse_by_link(company, number)
        return self._render(company, number, is_refused=True)

    def _read(self, code):
        """Return company and number of a link, with all rights.

        :raise NotFound: for a wrong one, whatever is wrong with it
        """
        env = request.env(user=SUPERUSER_ID, su=True)
        found = ad_line.read_code(env, code)
        if not found:
            raise NotFound()
        return found

    def _render(self, company, number, *, is_refused):
        values = {
            "company_name": company.name,
            "number": refusal.mask(number),
            "is_refused": is_refused,
            "action": f"{request.httprequest.path.removesuffix('/refuse')}/refuse",
        }
        response = request.render("sms_devino.refusal_page", values)
        # neither search engines nor other sites get to know the address
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response
