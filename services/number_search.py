"""Finding messages by a number, however it is written."""

from odoo.fields import Domain

from ..tools import phone


def make_domain(env, operator, value):
    """Return the domain for the search method of a number field.

    A complete number and, behind a plus, the beginning of one are found by an index;
    another part of a number is compared with every row.
    """
    if operator == "in":
        return Domain.OR(_find(env, text or "") for text in value)
    if operator in ("ilike", "like", "="):
        return _find(env, value or "", partial=True)
    return NotImplemented


def _find(env, text, *, partial=False):
    country = env["sms.devino.account"]._get_default().country_id.code
    reading = phone.read(text, country or "RU")
    if reading.e164 or not partial:
        numbers = [reading.e164] if reading.e164 else [text or False]
        return Domain("number", "in", numbers) | Domain("number_raw", "=", text)
    digits = "".join(char for char in text if char.isdigit())
    if digits and text.startswith("+"):
        beginning = Domain("number", "=like", f"+{digits}%")
        return beginning | Domain("number_raw", "=like", f"{text}%")
    found = Domain("number_raw", "ilike", text)
    return found | Domain("number", "ilike", digits) if digits else found
