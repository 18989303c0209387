"""The text of a mass sending: its placeholders, and what is said about them."""

from odoo.exceptions import UserError

from ..tools import placeholders
from .audience import contact_names

SHOWN_CHARS = 12
SHOWN_CYRILLIC = 3
# What a template of Odoo's may hold besides plain text.
OBJECT_PREFIX = "object."


def parse_text(env, text, names):
    """Return a text taken apart.

    :param list names: dicts with ``name`` and ``label`` of the values there are
    :return: a :class:`~..tools.placeholders.Template`
    :raise UserError: when it is empty or has a placeholder that nobody can fill
    """
    text = (text or "").strip()
    if not text:
        raise UserError(env._("Text: enter the text of the message."))
    template = placeholders.parse(text)
    known = [entry[key] for entry in names for key in ("label", "name")]
    for problem in template.problems(known):
        raise UserError(_describe_problem(env, problem))
    return template


def _describe_problem(env, problem):
    if problem.code == "unbalanced":
        return env._(
            "Text: a “{{” without its “}}”, or the other way round. A placeholder "
            "looks like this: {{ name }}."
        )
    if problem.code == "nameless":
        return env._("Text: a placeholder without a name. Choose one from the menu.")
    if problem.suggestion:
        return env._(
            "Text: there is no value named “%(name)s”. Did you mean “%(suggestion)s”?",
            name=problem.name,
            suggestion=problem.suggestion,
        )
    return env._(
        "Text: there is no value named “%(name)s”. Choose one from the menu.",
        name=problem.name,
    )


def convert_template(env, template):
    """Return the body of an ``sms.template`` with our placeholders for Odoo's.

    :raise UserError: when it holds anything but plain fields of the contact
    """
    known = {entry["field"]: entry["name"] for entry in contact_names(env)}
    foreign = []

    def convert(part):
        if isinstance(part, str):
            return part
        field_name = part.name.removeprefix(OBJECT_PREFIX)
        is_field = part.name.startswith(OBJECT_PREFIX) and field_name in known
        if part.default or not is_field:
            foreign.append(part.name)
        return f"{{{{ {known.get(field_name, field_name)} }}}}"

    parts = placeholders.parse(template.body or "").parts
    converted = "".join(map(convert, parts))
    if foreign:
        raise UserError(
            env._(
                "Template “%(template)s”: “%(expression)s” is a calculation, which a "
                "mass sending does not make. Only fields of the contact can be taken, "
                "such as %(example)s.",
                template=template.name,
                expression=foreign[0],
                example="{{ object.name }}",
            )
        )
    return converted


def describe_chars(env, counter):
    """Return the characters outside GSM in words, the most frequent first.

    A Cyrillic text is one reason and not thirty. A lone Cyrillic letter among Latin
    ones is named, because nobody can tell it by its looks.

    :param Counter counter: character -> in how many messages
    """
    chars = [char for char, _count in counter.most_common()]
    cyrillic = [char for char in chars if "\u0400" <= char <= "\u04ff"]
    words = []
    if len(cyrillic) > SHOWN_CYRILLIC:
        chars = [char for char in chars if char not in cyrillic]
        words = [env._("Cyrillic letters")]
    for char in chars[:SHOWN_CHARS]:
        shown = char if char.isprintable() and char.strip() else f"U+{ord(char):04X}"
        if char in cyrillic:
            shown = env._("%s (Cyrillic)", shown)
        words.append(shown)
    return words
