from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

from ...services.refusal import cancel_waiting

# What is known of a refusal.
DETAILS = (
    "sms_devino_source",
    "sms_devino_reason",
    "sms_devino_at",
    "sms_devino_user_id",
    "sms_devino_company_id",
)


class PhoneBlacklist(models.Model):
    """Odoo's blacklist knows a number and nothing else; here is why it is there."""

    _inherit = "phone.blacklist"

    sms_devino_source = fields.Selection(
        [
            ("sms", "SMS from the recipient"),
            ("person", "Entered by a person"),
            ("list", "Stop list"),
            ("link", "Link in an SMS"),
        ],
        string="Source",
        readonly=True,
        tracking=True,
    )
    sms_devino_reason = fields.Char(string="Reason", readonly=True, tracking=True)
    sms_devino_at = fields.Datetime(string="Refused at", readonly=True)
    sms_devino_since = fields.Datetime(
        string="Since", compute="_compute_sms_devino_since"
    )
    sms_devino_user_id = fields.Many2one(
        "res.users", string="Entered by", readonly=True
    )
    sms_devino_company_id = fields.Many2one(
        "res.company",
        string="Refusal told to",
        readonly=True,
        help="The company that the refusal was told to. The number is blocked for all.",
    )

    @api.depends("sms_devino_at")
    def _compute_sms_devino_since(self):
        for record in self:
            record.sms_devino_since = record.sms_devino_at or record.create_date

    @api.model
    def _sms_devino_find(self, numbers):
        """Return the records of ``numbers`` (E.164), with all rights.

        A search by the field ``number`` would parse every number again, the slowest
        part of the work on a recipient.
        """
        numbers = [number for number in numbers if number]

        def to_sql(model, alias, query):
            return SQL("%s = ANY(%s)", SQL.identifier(alias, "number"), numbers)

        self.flush_model(["number"])
        return self.sudo().search_fetch(Domain.custom(to_sql=to_sql), ["number"])

    @api.model
    def _sms_devino_blacklisted(self, numbers):
        """Return those of ``numbers`` (E.164) that are on the blacklist, a set."""
        numbers = [number for number in numbers if number]
        return (
            set(self._sms_devino_find(numbers).mapped("number")) if numbers else set()
        )

    def write(self, vals):
        """What was refused once says nothing of a later refusal."""
        if vals.get("active") is False:
            vals = {**vals, **dict.fromkeys(DETAILS, False)}
        return super().write(vals)

    def _add(self, numbers, message=None):
        """Cancel what waits for the numbers, as for any other refusal."""
        records = super()._add(numbers, message=message)
        cancel_waiting(self.env(su=True), self.env.company.sudo(), numbers)
        return records

    def action_sms_devino_take_back(self):
        """Take numbers off the blacklist; their history says who did it.

        :raise AccessError: for anybody but managers of SMS
        """
        if not self.env.user.has_group("sms_devino.group_manager"):
            raise AccessError(
                self.env._("Only members of SMS / Manager take numbers back.")
            )
        self.check_access("read")
        self.sudo().write({"active": False})
        return {"type": "ir.actions.client", "tag": "soft_reload"}
