"""The text of a mass sending: its placeholders and their problems."""

import re

from odoo.exceptions import UserError

from ..tools import placeholders
from .audience import contact_names
from .audience_records import is_about_records
from .record_values import RecordValues, list_names

SHOWN_CHARS = 12
SHOWN_CYRILLIC = 3
# What a template of Odoo's may hold besides plain text: a field of the contact, the
# name of what a field links to, and a default.
EXPRESSION = re.compile(
    r"""object\.(?P<field>\w+)(?:\.(?:display_)?name)?
        (?:\s+or\s+(?P<quote>["'])(?P<default>.*)(?P=quote))?""",
    re.VERBOSE,
)


def parse_text(env, text, list_known):
    """Return a text taken apart.

    :param list_known: callable, folded names of the text -> all names that have values
    :return: a :class:`~..tools.placeholders.Template`
    :raise UserError: when it is empty or has a placeholder that has no value
    """
    text = (text or "").strip()
    if not text:
        raise UserError(env._("Text: enter the text of the message."))
    template = placeholders.parse(text)
    for problem in template.problems(list_known(template.keys)):
        raise UserError(_describe_problem(env, problem))
    return template


def _describe_problem(env, problem):
    """Return the sentence for a :class:`~..tools.placeholders.Problem`."""
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


def add_line(text, line):
    """Return a text that ends with a line; one that ends with it already stays.

    :param str line: empty for none; an empty text stays empty
    """
    text = (text or "").rstrip()
    return f"{text}\n{line}" if text and line and not text.endswith(line) else text


class Texts:
    """The texts of a draft, taken apart.

    :param dict longest: as another reading of the recipients has left it
    :raise UserError: see :func:`parse_text`
    :ivar longest: name of a value, folded -> the longest value of a recipient
    """

    def __init__(self, draft, longest=None):
        self.longest = dict(longest or {})
        self._by_lang = {}
        if draft.repeat_of_id:
            # each message has its text already
            self._main = placeholders.parse("")
            return
        env, line = draft.env, draft.added_line
        if is_about_records(draft):
            list_known = RecordValues(env[draft.model]).understand
        else:
            known = [name for entry in contact_names(env) for name in entry["others"]]
            known += [one[key] for one in draft.names for key in ("label", "name")]

            def list_known(_keys):
                return known

        self._main = parse_text(env, add_line(draft.body, line), list_known)
        for lang, text in (draft.translations or {}).items():
            self._by_lang[lang] = parse_text(env, add_line(text, line), list_known)

    @property
    def keys(self):
        """The folded names of all values that the texts need."""
        return self._main.keys.union(*(text.keys for text in self._by_lang.values()))

    def of(self, recipient):
        """Return the text of a recipient, in their language if there is one."""
        return self._by_lang.get(recipient.lang, self._main)

    def measure(self, recipients):
        """Keep the longest of each value."""
        for one in recipients:
            for key in self._main.keys:
                value = one.values.get(key, "")
                if len(value) > len(self.longest.get(key, "")):
                    self.longest[key] = value


def set_default(text, name, default):
    """Return a text that has ``default`` where the value of that name is empty.

    :param str default: what ends a placeholder is taken out of it
    """
    default = default.translate({ord(char): None for char in "{|}"}).strip()
    return "".join(
        f"{{{{ {part.name} | {default} }}}}"
        if not isinstance(part, str)
        and part.key == placeholders.fold(name)
        and not part.default
        else _as_written(part)
        for part in placeholders.parse(text).parts
    )


def _as_written(part):
    if isinstance(part, str):
        return part
    default = f" | {part.default}" if part.default else ""
    return f"{{{{ {part.name}{default} }}}}"


def convert_template(env, template):
    """Return the texts of an ``sms.template`` with our placeholders for Odoo's.

    :return: dict of language -> text: the user's, and others that differ from it
    :raise UserError: when it holds anything but plain fields of the contact
    """
    known = {entry["field"]: entry["name"] for entry in contact_names(env)}
    if template.model and template.model != "res.partner":
        known = {
            entry["name"]: entry["name"] for entry in list_names(env[template.model])
        }
    lang = env.lang or "en_US"
    texts = {lang: _convert(env, template.with_context(lang=lang), known)}
    for code, _name in env["res.lang"].get_installed():
        text = _convert(env, template.with_context(lang=code), known)
        if text != texts[lang]:
            texts[code] = text
    return texts


def _convert(env, template, known):
    """Return the text of a template in the language of its environment."""

    def convert(part):
        if isinstance(part, str):
            return part
        match = EXPRESSION.fullmatch(part.name)
        if not match or match["field"] not in known:
            raise UserError(
                env._(
                    "Template “%(template)s”: “%(expression)s” is a calculation, which "
                    "a mass sending does not make. Only fields of the contact can be "
                    "taken, such as %(example)s.",
                    template=template.name,
                    expression=part.name,
                    example="{{ object.name or 'client' }}",
                )
            )
        # Odoo writes a default as "or 'client'" or as "||| client"
        default = match["default"] or part.default.lstrip("| ")
        return _as_written(placeholders.Gap(known[match["field"]], default))

    return "".join(map(convert, placeholders.parse(template.body or "").parts))


def describe_chars(env, chars):
    """Return the characters outside GSM in words, the most frequent first.

    A Cyrillic text is one reason and not thirty. A lone Cyrillic letter among Latin
    ones is named, because it looks like a Latin one.

    :param list chars: distinct characters, the most frequent first
    """
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
