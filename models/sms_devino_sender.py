from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..gateway import STOCK_SENDERS
from ..services import fees
from ..services.bulk import update_rows
from ..tools.sms_text import check_sender


class SmsDevinoSender(models.Model):
    _name = "sms.devino.sender"
    _description = "SMS Sender Name"
    _inherit = ["sms.devino.guarded"]
    _order = "account_id, sequence, name"
    _check_company_domain = models.check_company_domain_parent_of

    name = fields.Char(
        string="Sender name",
        required=True,
        help="What the recipient sees: at most 11 Latin letters, digits and signs, or "
        "at most 15 digits. Upper and lower case matter. The provider must have "
        "approved it.",
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    account_id = fields.Many2one(
        "sms.devino.account", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    state = fields.Selection(
        [
            ("new", "Not used yet"),
            ("accepted", "Accepted by the provider"),
            ("refused", "Refused by the provider"),
        ],
        required=True,
        default="new",
        copy=False,
        help="Whether the provider has taken messages under this name. A refused name "
        "is not offered again until its state is set back to Not used yet.",
    )
    refused_at = fields.Datetime(readonly=True, copy=False)
    is_stock = fields.Boolean(compute="_compute_is_stock")
    fee = fields.Float(
        string="Fee a month",
        digits=(12, 2),
        groups="sms_devino.group_user",
        help="What the provider charges for the name each calendar month. It counts in "
        "the spending and in how long the balance lasts.",
    )
    paid_until = fields.Date(
        string="Paid until",
        groups="sms_devino.group_user",
        help="The last day that the name is paid for. A week before, the account's "
        "responsible person gets an activity. Empty: nobody is asked.",
    )
    renewal_asked_for = fields.Date(
        readonly=True, copy=False, groups="sms_devino.group_user"
    )

    _name_uniq = models.Constraint(
        "unique(account_id, name)", "This account already has this sender name."
    )
    _fee_not_negative = models.Constraint(
        "CHECK (fee >= 0 AND fee < 1e9)", "A fee cannot be negative, nor a billion."
    )

    @api.depends("name")
    def _compute_is_stock(self):
        for sender in self:
            sender.is_stock = sender.name in STOCK_SENDERS

    @api.constrains("name")
    def _check_name(self):
        for sender in self:
            if problems := self._describe_problems(sender.name):
                raise ValidationError(problems)

    @api.onchange("name")
    def _onchange_name(self):
        """Warn while the name is typed: of a bad one, and of a stock name."""
        if not self.name:
            return None
        if problems := self._describe_problems(self.name):
            message = problems
        elif self.is_stock:
            message = self.env._(
                "“%(name)s” is the provider's stock name, for trying out. Order a name "
                "of your own in the provider's personal account.",
                name=self.name,
            )
        else:
            return None
        return {"warning": {"title": self.env._("Sender name"), "message": message}}

    @api.model_create_multi
    def create(self, vals_list):
        """Ask for the renewal of names that are paid for only a few days more."""
        senders = super().create(vals_list)
        senders.sudo().filtered("paid_until")._ask_renewals()
        return senders

    def write(self, vals):
        """Forget when a name was refused once it is offered again.

        :raise UserError: a name stays with the account it is registered for
        """
        account_id = vals.get("account_id")
        if account_id and self.account_id.ids not in ([], [account_id]):
            raise UserError(
                self.env._(
                    "A sender name stays with its account. Add it to the other account "
                    "instead."
                )
            )
        if vals.get("state") in ("new", "accepted"):
            vals = {**vals, "refused_at": False}
        result = super().write(vals)
        if {"active", "paid_until"} & vals.keys():
            self._ask_renewals()
        return result

    def unlink(self):
        """Ask no more for the renewal of names that are gone."""
        accounts = self.sudo().filtered("paid_until").account_id
        result = super().unlink()
        fees.ask_renewals(accounts)
        return result

    def _ask_renewals(self):
        fees.ask_renewals(self.account_id.sudo())

    @api.model
    def _describe_problems(self, name):
        """Return the problems of a sender name, one sentence a line, maybe empty."""
        return "\n".join(
            self._describe_problem(name, problem) for problem in check_sender(name)
        )

    @api.model
    def _describe_problem(self, name, problem):
        """Return the sentence for a :class:`SenderProblem` of ``name``."""
        sentences = {
            "empty": self.env._("Sender name: enter one."),
            "too_long": self.env._(
                "Sender name “%(name)s” has %(count)s characters; at most 11 are "
                "allowed.",
                name=name,
                count=len(name or ""),
            ),
            "too_many_digits": self.env._(
                "Sender name “%(name)s” has %(count)s digits; at most 15 are allowed.",
                name=name,
                count=len(name or ""),
            ),
            "bad_chars": self.env._(
                "Sender name “%(name)s”: these characters are not allowed: %(chars)s. "
                "Only Latin letters, digits and usual signs are.",
                name=name,
                chars=", ".join(
                    map(self._name_char, problem.chars, problem.char_names)
                ),
            ),
        }
        return sentences[problem.code]

    @api.model
    def _name_char(self, char, unicode_name):
        """Return a character so that a person can tell it from similar ones."""
        if unicode_name.startswith("CYRILLIC"):
            return self.env._("%(letter)s (Cyrillic)", letter=char)
        if char == " ":
            return self.env._("space")
        return char if char.isprintable() and not char.isspace() else unicode_name

    @api.model
    def _check_usable(self, account, name):
        """Return the sender name that a message goes under.

        :param str name: the account's default sender without it
        :raise UserError: when there is none, or the provider would refuse it
        """
        name = name or account._get_default_sender().name
        if not name:
            raise UserError(
                self.env._(
                    "Sender: the account “%(account)s” has no sender name to send "
                    "under. An administrator adds one to the account.",
                    account=account.name,
                )
            )
        if problems := self._describe_problems(name):
            raise UserError(problems)
        return name

    @api.model
    def _mark(self, account_id, name, state):
        """Note whether the provider takes a sender name, unless it is noted already.

        :param str state: ``accepted`` or ``refused``
        """
        domain = [("account_id", "=", account_id), ("name", "=", name)]
        senders = self.with_context(active_test=False).search(
            [*domain, ("state", "!=", state)]
        )
        refused_at = fields.Datetime.now() if state == "refused" else None
        values = {"state": state, "refused_at": refused_at}
        if senders:
            # another dispatcher may note the same: its caller then tries again
            rows = [{"id": key, **values} for key in senders.ids]
            update_rows(self, list(values), rows)
