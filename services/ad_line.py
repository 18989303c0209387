"""The line that a company adds to every advertising text, and the link in it by which a
recipient refuses further messages.

The link needs no table: number and company are in it, signed with the secret of the
database. It stays valid, and using it again changes nothing.
"""

from odoo.exceptions import ValidationError
from odoo.tools import hmac

from ..tools import placeholders, refusal_code
from .message_states import ADVERTISING

NAME = "unsubscribe"
ROUTE = "/u/"
SCOPE = "sms_devino-unsubscribe"
# Stands for the number in an example, whose link is nobody's.
_NOBODY = "+79000000000"
_EXAMPLE = "example"


def check(company):
    """Refuse a line that is more than one, or asks for what it cannot have.

    :raise ValidationError: saying what to change
    """
    env, line = company.env, company.sms_devino_ad_line or ""
    template = placeholders.parse(line)
    if "\n" in line or template.problems(_names(env)) or _has_braces(template):
        raise ValidationError(
            env._(
                "Line added to advertising: one line without braces, except for the "
                "link to refuse: %(placeholder)s.",
                placeholder=f"{{{{ {NAME} }}}}",
            )
        )


def _has_braces(template):
    plain = "".join(template.parts[::2])
    return bool(set("{}") & set(plain)) or any(gap.default for gap in template.gaps)


def _names(env):
    """Return what the link may be called: in every language of the database."""
    langs = [code for code, _name in env["res.lang"].get_installed()]
    return {NAME, *(label(env(context={"lang": lang})) for lang in langs)}


def label(env):
    """Return what the link is called in the user's language."""
    return env._("link to refuse")


def get(company, purpose):
    """Return the line of a company as it is entered, "" where nothing is added."""
    return purpose == ADVERTISING and company.sudo().sms_devino_ad_line or ""


def show(company, purpose):
    """Return the line as people see it before it is sent: with an example of a link.

    :return: "" where nothing is added
    """
    return fill(company, get(company, purpose))


def link_keys(line):
    """Return the folded names that the link has in a line; most lines have none."""
    return placeholders.parse(line or "").keys


def add(text, line):
    """Return a text that ends with a line; one that ends with it already stays.

    :param str line: empty for none; an empty text stays empty
    """
    text = (text or "").rstrip()
    return f"{text}\n{line}" if text and line and not text.endswith(line) else text


def complete(company, purpose, text, number):
    """Return a single text as it is sent to a number.

    :param company: ``res.company`` that sends it
    :param str number: in E.164; false for an example
    """
    line = get(company, purpose)
    return add(text, fill(company, line, number)) if line else text


def strip(message):
    """Return the text of a message without the line, as a person would write it.

    :param message: ``sms.devino.message``, one or none
    """
    company, text = message.sudo().company_id, message.body
    line = get(company, message.purpose)
    if not (line and text and message.number):
        return text
    return text.removesuffix("\n" + fill(company, line, message.number))


def fill(company, line, number=None):
    """Return a line with the link of a number, or with an example of a link.

    :param str line: as :func:`get` returns it
    """
    keys = link_keys(line)
    if not keys:
        return line
    link = make_link(company, number) if number else make_example(company)
    return placeholders.parse(line).render(dict.fromkeys(keys, link))


def make_link(company, number):
    """Return the address under which the owner of a number refuses."""
    company = company.sudo()
    code = refusal_code.make(company.id, number, _signer(company.env))
    return f"{company.get_base_url().rstrip('/')}{ROUTE}{code}"


def make_example(company):
    """Return an address of the same length, which leads nowhere."""
    start, _slash, code = make_link(company, _NOBODY).rpartition("/")
    return f"{start}/{_EXAMPLE:0<{len(code)}}"


def read_code(env, code):
    """Return the company and the number of a link, ``None`` for a wrong one.

    :param env: with all rights
    :return: a tuple of ``res.company`` and a number in E.164
    """
    found = refusal_code.read(code, _signer(env))
    company = found and env["res.company"].browse(found[0]).exists()
    return (company, found[1]) if company else None


def _signer(env):
    env = env(su=True)
    return lambda text: int(hmac(env, SCOPE, text), 16)
