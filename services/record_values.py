"""What a text may take from a record: fields, also those one step along a relation.

A value is named by its field, such as ``amount_total`` or ``partner_id.city``, or by
the field's label. Only what the user may read is offered and read.
"""

from odoo.tools import format_date, format_datetime, formatLang

from ..tools.placeholders import fold

SHOWN_TYPES = (
    "char",
    "selection",
    "date",
    "datetime",
    "integer",
    "float",
    "monetary",
    "many2one",
)
# One step along a relation is offered for these, and understood for every relation.
STEPS = {
    "res.partner": ("name", "phone", "email", "city", "street"),
    "res.users": ("name", "phone", "email"),
    "res.company": ("name", "phone", "email"),
}
DIGITS = {"integer": 0, "float": 2, "monetary": 2}
# Spaces of Odoo's formats that would make a text in Latin letters a Unicode one, which
# costs up to twice as much.
PLAIN = str.maketrans("\u00a0\u202f", "  ")
# Fields that say nothing to a recipient.
HIDDEN = ("message_", "activity_", "website_message_", "access_", "sms_devino_")
HIDDEN_NAMES = ("id", "create_uid", "create_date", "write_uid", "write_date")


def list_names(model):
    """Return what a text may take from a record of a model, for a menu.

    :param model: an empty recordset, in the environment of the user
    :return: list of dicts ``name`` (as written in the text) and ``label``, in the
        user's language
    """
    names = []
    for name, said in _shown_fields(model).items():
        names.append({"name": name, "label": said["string"]})
        if said["type"] == "many2one":
            names += _list_steps(model, name, said)
    return names


def _list_steps(model, name, said):
    steps = STEPS.get(said["relation"], ())
    related = steps and _shown_fields(model.env[said["relation"]])
    return [
        {
            "name": f"{name}.{step}",
            "label": f"{said['string']}: {related[step]['string']}",
        }
        for step in steps
        if step in related
    ]


def _shown_fields(model):
    if not model.has_access("read"):
        return {}
    fields = model.fields_get(attributes=("string", "type", "relation"))
    return {
        name: said
        for name, said in fields.items()
        if said["type"] in SHOWN_TYPES
        and name not in HIDDEN_NAMES
        and not name.startswith(HIDDEN)
    }


def format_amount(env, field, value):
    """Return a number as a person reads it.

    :param field: the field that it is a value, or a sum of values, of
    """
    digits = DIGITS[field.type]
    if field.type == "float" and (given := field.get_digits(env)):
        digits = given[1]
    return formatLang(env, value, digits=digits).translate(PLAIN)


def currency_field(model, name):
    """Return the field with the currency of an amount, ``None`` for other fields."""
    field = model._fields[name]
    return field.get_currency_field(model) if field.type == "monetary" else None


def format_total(env, records, name):
    """Return the sum of a field of records; amounts of several currencies are never
    added up, each is named instead.

    :param env: in the language of the reader
    """
    field, currency = records._fields[name], currency_field(records, name)
    if not currency or len(records[currency]) < 2:
        return format_amount(env, field, sum(records.mapped(name)))
    totals = {
        one: format_amount(env, field, sum(several.mapped(name)))
        for one, several in records.grouped(currency).items()
    }
    return ", ".join(f"{total} {one.name or ''}" for one, total in totals.items())


def show_value(record, name, selections):
    """Return the value of a field as a person reads it, in the language of the record.

    :param dict selections: labels that were looked up before; it is added to
    """
    env, value, field = record.env, record[name], record._fields[name]
    if field.type in DIGITS:
        return format_amount(env, field, value)
    if not value:
        return ""
    if field.type == "many2one":
        return value.display_name
    if field.type == "date":
        return format_date(env, value).translate(PLAIN)
    if field.type == "datetime":
        return format_datetime(env, value, dt_format="short").translate(PLAIN)
    if field.type == "selection":
        key = (field.model_name, field.name, env.lang)
        if key not in selections:
            selections[key] = dict(field._description_selection(env))
        return selections[key].get(value, "")
    return str(value)


class RecordValues:
    """Reads the values that a text names, with the rights of the user.

    :param model: an empty recordset, in the environment of the user
    :ivar known: folded name -> (field, field of the related record or ``None``)
    """

    def __init__(self, model):
        self._model = model
        self.known = {}
        self._fields = _shown_fields(model)
        for name, said in self._fields.items():
            self.known.setdefault(fold(said["string"]), (name, None))
        for name in self._fields:
            self.known[fold(name)] = (name, None)
        self._selections = {}

    def understand(self, keys):
        """Look up the names along a relation that a text has.

        :param keys: folded names
        :return: all names that are known now
        """
        for key in keys:
            head, dot, step = key.partition(".")
            if not dot or key in self.known or head.strip() not in self.known:
                continue
            name, inner = self.known[head.strip()]
            if inner is None and self._fields[name]["type"] == "many2one":
                related = self._model.env[self._fields[name]["relation"]]
                for field, said in _shown_fields(related).items():
                    if step.strip() in (fold(field), fold(said["string"])):
                        self.known[key] = name, field
        return list(self.known)

    def read_values(self, records, keys):
        """Return record id -> dict of folded name -> value as a person reads it.

        :param records: in the language that the values are meant for
        :param keys: folded names, as :meth:`understand` knows them
        """
        wanted = {key: self.known[key] for key in keys if key in self.known}
        records.fetch({name for name, _step in wanted.values()})
        readable = self._fetch_related(records, wanted.values())
        return {
            record.id: {
                key: self._show_path(record, name, step, readable)
                for key, (name, step) in wanted.items()
            }
            for record in records
        }

    def _fetch_related(self, records, paths):
        """Read the related records at once; return those that the user may read."""
        readable = {}
        for name in {name for name, _step in paths}:
            if self._fields[name]["type"] != "many2one":
                continue
            related = records[name].with_context(active_test=False)
            readable[name] = related._filtered_access("read")
            steps = {step for other, step in paths if other == name and step}
            readable[name].fetch(steps | {"display_name"})
        return {name: set(related.ids) for name, related in readable.items()}

    def _show_path(self, record, name, step, readable):
        if name in readable:
            related = record[name]
            if related.id not in readable[name]:
                return ""
            return self._show(related, step) if step else related.display_name or ""
        return self._show(record, name)

    def _show(self, record, name):
        value = record[name]
        if record._fields[name].type == "many2one":
            return value._filtered_access("read").display_name or ""
        return show_value(record, name, self._selections)
