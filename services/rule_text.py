"""The text of a rule's messages, in the language of each recipient."""

from odoo.tools import format_date, formatLang

from ..tools import placeholders
from .draft_text import parse_text
from .record_values import PLAIN, RecordValues, currency_field, format_total

# What a text may say of the records of one contact.
OF_GROUP = ("count", "total", "date")


class RuleText:
    """Renders the texts of a rule.

    :param model: the model of its records, in the environment of their reader
    """

    def __init__(self, rule, model):
        self.rule = rule
        self.env = model.env
        self._model = model
        self._values = RecordValues(model)
        self._by_lang = {}

    def check(self):
        """Refuse a text that is empty or has a placeholder that nobody can fill.

        :raise UserError: saying which
        """
        if self.rule.template_id:
            self.rule.template_id.check_access("read")
            return
        langs = [code for code, _name in self.env["res.lang"].get_installed()]
        for lang in dict.fromkeys([self.env.lang or "en_US", *langs]):
            body = self.rule.with_context(lang=lang).body
            parse_text(self.env, body, self._list_known)

    def _list_known(self, keys):
        known = self._values.understand(keys)
        return [*known, *OF_GROUP] if self.rule.is_grouped else known

    def render(self, addressed, groups=None):
        """Return the texts of messages, by queries that do not grow with their number.

        :param list addressed: pairs of record and language, ``None`` for the user's
        :param list groups: for each of them the records that it is about
        :return: list of texts, in order
        """
        ids_by_lang = {}
        for record, lang in addressed:
            ids_by_lang.setdefault(lang or self.env.lang, []).append(record.id)
        by_lang = {
            lang: self._render_lang(lang, ids) for lang, ids in ids_by_lang.items()
        }
        self._fetch_groups(groups or ())
        texts = []
        for index, (record, lang) in enumerate(addressed):
            values = by_lang[lang or self.env.lang][record.id]
            if isinstance(values, str):
                texts.append(values)
                continue
            group = self._say_group(groups[index], lang) if groups else {}
            texts.append(self._parse(lang or self.env.lang).render(values | group))
        return texts

    def _render_lang(self, lang, ids):
        """Return record id -> its text by a template, or its values for ours."""
        if template := self.rule.template_id.with_env(self.env):
            langs = dict.fromkeys(ids, lang or "en_US")
            return template._render_field("body", ids, res_ids_lang=langs)
        keys = self._parse(lang).keys
        self._values.understand(keys)
        records = self._model.with_context(lang=lang).browse(ids)
        return self._values.read_values(records, keys)

    def _parse(self, lang):
        if lang not in self._by_lang:
            body = self.rule.with_context(lang=lang).body or ""
            self._by_lang[lang] = placeholders.parse(body.strip())
        return self._by_lang[lang]

    def _fetch_groups(self, groups):
        """Read the values of the records of all contacts at once."""
        names = {self.rule.total_field, self.rule.date_field}
        if total := self.rule.total_field:
            names.add(currency_field(self._model, total))
        ids = {key for records in groups for key in records.ids}
        self._model.browse(ids).fetch(names - {False, None})

    def _say_group(self, records, lang):
        """Return the values about all records of one contact."""
        env = self.env(context={**self.env.context, "lang": lang or self.env.lang})
        values = {"count": formatLang(env, len(records), digits=0).translate(PLAIN)}
        if name := self.rule.total_field:
            values["total"] = format_total(env, records, name)
        if name := self.rule.date_field:
            dates = [record[name] for record in records if record[name]]
            values["date"] = (
                format_date(env, min(dates)).translate(PLAIN) if dates else ""
            )
        return values
