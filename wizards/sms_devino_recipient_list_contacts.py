from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools import phone


class SmsDevinoRecipientListContacts(models.TransientModel):
    _name = "sms.devino.recipient.list.contacts"
    _description = "Add Contacts to an SMS List"

    list_id = fields.Many2one(
        "sms.devino.recipient.list", string="Recipient list", ondelete="cascade"
    )
    list_name = fields.Char(
        string="New list", help="Is made when no list is chosen above."
    )
    source = fields.Selection(
        [("filter", "Contacts by a filter"), ("selected", "The selected contacts")],
        required=True,
        default="filter",
    )
    domain = fields.Char(
        string="Filter", default="[('phone', '!=', False)]", required=True
    )
    selected_ids = fields.Json(default=lambda self: self._default_selected_ids())
    contact_count = fields.Integer(string="Contacts", compute="_compute_counts")
    phone_count = fields.Integer(string="With a number", compute="_compute_counts")

    @api.model
    def _default_selected_ids(self):
        if self.env.context.get("active_model") != "res.partner":
            return []
        return self.env.context.get("active_ids") or []

    @api.depends("source", "domain", "selected_ids")
    def _compute_counts(self):
        for wizard in self:
            domain = wizard._contact_domain()
            partners = self.env["res.partner"]
            wizard.contact_count = partners.search_count(domain)
            wizard.phone_count = partners.search_count(
                domain & Domain("phone", "not in", (False, ""))
            )

    def _contact_domain(self):
        """Return the domain of the contacts that are meant.

        :raise UserError: when the filter cannot be read
        """
        self.ensure_one()
        if self.source == "selected":
            return Domain("id", "in", self.selected_ids or [])
        try:
            return Domain(literal_eval(self.domain or "[]"))
        except (ValueError, SyntaxError, TypeError) as error:
            raise UserError(
                self.env._("Filter: it cannot be read. Build it anew.")
            ) from error

    def action_add(self):
        """Write the contacts that have a number into the list."""
        self.ensure_one()
        record_list = self.list_id
        if not record_list and not self.list_name:
            raise UserError(
                self.env._("Recipient list: choose one, or name a new one.")
            )
        if not record_list:
            record_list = record_list.create({"name": self.list_name})
        rows = self._rows(record_list.country_id.code)
        if not rows:
            raise UserError(self.env._("None of these contacts has a number."))
        counts = record_list._add_rows(rows, keep_wrong=True)
        return record_list._notify_added(counts)

    def _rows(self, country):
        """Return the contacts with a number, read by one query."""
        partners = self.env["res.partner"]
        partners.flush_model(["name", "phone", "phone_sanitized"])
        query = partners._search(
            self._contact_domain() & Domain("phone", "not in", (False, "")), order="id"
        )
        columns = [
            SQL.identifier(query.table, column)
            for column in ("id", "name", "phone", "phone_sanitized")
        ]
        return [
            {
                "partner_id": partner_id,
                "name": name,
                "number_raw": self._best_number(number, sanitized, country),
            }
            for partner_id, name, number, sanitized in self.env.execute_query(
                query.select(*columns)
            )
        ]

    @api.model
    def _best_number(self, number, sanitized, country):
        """Prefer what is written, unless only the contact's country explains it."""
        if sanitized and not phone.read(number, country).sendable:
            if phone.read(sanitized, country).sendable:
                return sanitized
        return number
