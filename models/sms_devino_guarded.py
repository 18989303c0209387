from odoo import api, models
from odoo.exceptions import AccessError, MissingError
from odoo.fields import Command

from ..services.records import check_numbers, check_shape
from ..tools.shapes import fits

OWN_MODELS = "sms.devino."
# With a change of one of these a record may come to another company.
OWNERS = {"company_id", "account_id", "sender_id"}


class SmsDevinoGuarded(models.AbstractModel):
    """What Odoo's rules leave open for records of a company.

    A rule is held against a record before it is written, not after. And a form that
    is not saved computes its fields, some by sudo, from whatever ids a request names.
    """

    _name = "sms.devino.guarded"
    _description = "Record of a Company"

    # Json that a form computes from: field -> its shape, see ``tools.shapes``
    _json_shapes = {}
    # whether the name of a copy says that it is one
    _names_copies = False

    def _list_stored_json(self):
        return [name for name in self._json_shapes if self._fields[name].store]

    @api.constrains(_list_stored_json)
    def _check_json_shapes(self):
        for record in self:
            for name in self._list_stored_json():
                check_shape(record, name)

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse what is no number before anything is computed from it."""
        for vals in vals_list:
            check_numbers(self, vals)
        return super().create(vals_list)

    def write(self, vals):
        """Refuse to give a record to a company that the user does not belong to."""
        check_numbers(self, vals)
        result = super().write(vals)
        if OWNERS & vals.keys() and not self.env.su:
            companies = self.sudo().company_id
            if companies - self.env.user.sudo().company_ids:
                raise AccessError(
                    self.env._("You cannot give this to a company that is not yours.")
                )
        return result

    @api.model
    def _sql_error_to_message_generic(self, exc):
        """Leave out the row, which would stand in the log too."""
        message = super()._sql_error_to_message_generic(exc)
        return message.replace(exc.diag.message_detail or "\0", "").strip()

    def copy_data(self, default=None):
        """Refuse ids that are none, such as 0, of which Odoo makes no copy."""
        if len(self.ids) < len(self):
            raise MissingError(self.env._("There is no such record."))
        vals_list = super().copy_data(default=default)
        if self._names_copies and "name" not in (default or {}):
            for record, vals in zip(self, vals_list, strict=True):
                vals["name"] = self.env._("%s (copy)", record.name)
        return vals_list

    def onchange(self, values, field_names, fields_spec):
        """Compute from records that the user may read, and from no others.

        :raise AccessError: for any other record of this addon
        """
        check_numbers(self, values)
        values = values | {name: self[name] for name in values if self._is_ours(name)}
        for name, shape in self._json_shapes.items():
            if values.get(name) and not fits(values[name], shape):
                values = {**values, name: False}
        for name, value in values.items():
            field = self._fields.get(name)
            if field and (field.comodel_name or "").startswith(OWN_MODELS):
                self.env[field.comodel_name].browse(_named(value)).check_access("read")
        return super().onchange(values, field_names, fields_spec)

    def _is_ours(self, name):
        """Whether a value is Json that no form may change."""
        field = self._fields.get(name)
        return bool(field) and field.type == "json" and field.readonly


def _named(value):
    """Return the ids that the value of a relation in a form names."""
    if not isinstance(value, list | tuple):
        return [value] if isinstance(value, int) and value else []
    ids = []
    for command in value:
        if isinstance(command, int):
            ids.append(command)
        elif command and command[0] in (Command.LINK, Command.UPDATE):
            ids.append(command[1])
        elif command and command[0] == Command.SET:
            ids += command[2]
    return [key for key in ids if isinstance(key, int)]
