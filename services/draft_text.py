"""The text of a mass sending: its placeholders and their problems."""

import re

from odoo.exceptions import UserError

from ..tools import placeholders
from . import ad_line
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


def _list_known(draft, keys):
    """Return the names that a text may use: values of records, or of contacts."""
    env = draft.env
    if is_about_records(draft):
        return RecordValues(env[draft.model]).understand(keys)
    known = [name for entry in contact_names(env) for name in entry["others"]]
    return known + [one[key] for one in draft.names for key in ("label", "name")]


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


class Texts:
    """The texts of a draft, taken apart.

    :param dict longest: as another reading of the recipients has left it
    :raise UserError: see :func:`parse_text`
    :ivar longest: name of a value, folded -> the longest value of a recipient
    """

    def __init__(self, draft, longest=None):
        self.longest = dict(longest or {})
        self._by_lang, self._link_keys = {}, frozenset()
        self._company = draft.company_id
        if draft.repeat_of_id:
            # each message has its text already
            self._main = placeholders.parse("")
            return
        line = ad_line.get(draft.company_id, draft.purpose)
        self._link_keys = ad_line.link_keys(line)

        def read(text):
            return parse_text(draft.env, ad_line.add(text, line), list_known)

        def list_known(keys):
            return [*_list_known(draft, keys), *self._link_keys]

        self._main = read(draft.body)
        for lang, text in (draft.translations or {}).items():
            self._by_lang[lang] = read(text)

    @property
    def keys(self):
        """The folded names of all values that the texts need of a recipient."""
        keys = self._main.keys.union(*(text.keys for text in self._by_lang.values()))
        return keys - self._link_keys

    def of(self, recipient):
        """Return the text of a recipient, in their language if there is one.

        The recipient gets the link to refuse as one more value, if the text has it.
        """
        if self._link_keys and recipient.number:
            link = ad_line.make_link(self._company, recipient.number)
            recipient.values = recipient.values | dict.fromkeys(self._link_keys, link)
        return self._by_lang.get(recipient.lang, self._main)

    def measure(self, recipients):
        """Keep the longest of each value."""
        for one in recipients:
            for key in self._main.keys - self._link_keys:
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

    Nothing for a Cyrillic text: that is no mistake. A lone Cyrillic letter among Latin
    ones is named, because it looks like a Latin one.

    :param list chars: distinct characters, the most frequent first
    """
    cyrillic = [char for char in chars if "\u0400" <= char <= "\u04ff"]
    if len(cyrillic) > SHOWN_CYRILLIC:
        return []
    words = []
    for char in chars[:SHOWN_CHARS]:
        shown = char if char.isprintable() and char.strip() else f"U+{ord(char):04X}"
        if char in cyrillic:
            shown = env._("%s (Cyrillic)", shown)
        words.append(shown)
    return words
