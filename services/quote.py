"""What a sending costs, beside the money that the account has."""

from dataclasses import dataclass
from datetime import datetime

from odoo.tools import float_compare, float_round

from .account_words import describe_problem

# Amounts are compared with as many digits as prices have.
DIGITS = 4
# Messages that still have to be sent, and will be paid for then.
OPEN_STATES = ("scheduled", "outgoing", "sending")
# A mass sending in one of these is approved: what it has not queued yet is reserved.
SENT_BATCH_STATES = ("scheduled", "running", "paused")
# The fields of ``sms.devino.quote``.
QUOTE_FIELDS = (
    "quote_cost",
    "quote_balance",
    "quote_balance_at",
    "quote_reserved",
    "quote_after",
    "quote_shortage",
    "quote_refused",
    "quote_sentence",
)


@dataclass(frozen=True, slots=True)
class Quote:
    """Amounts in the currency of the account, or credits.

    :ivar cost: of the sending that was asked for
    :ivar balance: as the provider told it last, ``None`` when it is not known
    :ivar balance_at: when that was, UTC
    :ivar reserved: what is committed but not yet deducted from the balance
    :ivar after: what is left after the sending, ``None`` with an unknown balance
    :ivar shortage: how much is missing, 0 when the balance is enough or unknown
    :ivar is_refused: whether the sending is refused
    :ivar sentence: what is wrong and what to do about it, empty when nothing is
    """

    cost: float
    balance: float | None
    balance_at: datetime | None
    reserved: float
    after: float | None
    shortage: float = 0.0
    is_refused: bool = False
    sentence: str = ""


def make_quote(account, cost):
    """Return the :class:`Quote` of a sending.

    :param account: ``sms.devino.account`` with the rights to read it (sudo)
    """
    reserved = sum_reserved(account)
    if not account.balance_at:
        return Quote(cost, None, None, reserved, None)
    # "or 0.0" turns the negative zero into a plain one
    after = (
        float_round(account.balance - reserved - cost, precision_digits=DIGITS) or 0.0
    )
    known = (cost, account.balance, account.balance_at, reserved, after)
    if float_compare(after, 0, precision_digits=DIGITS) >= 0:
        return Quote(*known)
    sentence = account.env._(
        "The balance is not enough: the sending costs %(cost)s, %(shortage)s more than "
        "is available. Top up the account at the provider, then refresh the balance.",
        cost=account._format_amount(cost),
        shortage=_format_shortage(account, -after),
    )
    is_refused = account.insufficient_policy == "refuse"
    return Quote(*known, -after, is_refused, sentence)


def describe_quote(account, cost):
    """Return the values of the fields of ``sms.devino.quote``, for the user.

    :param account: ``sms.devino.account``, stored or none
    :return: dict; amounts are false where the user may not see the money: he or she is
        no member, or the account is another company's; and ``sending_problem``, false
        where the user may not send through the account
    """
    values = dict.fromkeys(QUOTE_FIELDS, False)
    if account and account._may_see_money():
        values = _format_quote(account.sudo(), account._get_quote(cost))
    is_told = not account or account.env.user._sms_devino_may_use(account)
    problem = is_told and describe_problem(account.sudo())
    return values | {"sending_problem": problem}


def _format_quote(account, quote):
    """Return the values of :data:`QUOTE_FIELDS`: amounts as a person reads them.

    :return: dict; what is unknown or does not apply is ``False``
    """
    amount = account._format_amount
    is_known = quote.balance is not None
    return {
        "quote_cost": amount(quote.cost),
        "quote_balance": is_known and amount(quote.balance),
        "quote_balance_at": quote.balance_at or False,
        "quote_reserved": amount(quote.reserved),
        "quote_after": is_known and amount(quote.after),
        "quote_shortage": bool(quote.shortage)
        and _format_shortage(account, quote.shortage),
        "quote_refused": quote.is_refused,
        "quote_sentence": quote.sentence or False,
    }


def _format_shortage(account, amount):
    """Return a missing amount, rounded up: paying it in is enough."""
    return account._format_amount(
        float_round(amount, precision_digits=2, rounding_method="UP")
    )


def sum_reserved(account):
    """Return what is committed but not yet deducted from the balance that is known.

    These are messages that are still to be sent, of sent mass sendings too where they
    are not in the queue yet, and those accepted after the balance was asked.
    """
    reserved = _sum_estimates(account, [("state", "in", OPEN_STATES)])
    waiting = (
        account.env["sms.devino.batch"]
        .sudo()
        .search([("account_id", "=", account.id), ("state", "in", SENT_BATCH_STATES)])
    )
    if waiting:
        reserved += _sum_estimates(
            account, [("batch_id", "in", waiting.ids), ("state", "=", "draft")]
        )
    if account.balance_at:
        since = [("accepted_at", ">", account.balance_at)]
        reserved += _sum_estimates(account, since)
    return reserved


def _sum_estimates(account, domain):
    """Return the estimated cost of messages of the account in its present mode."""
    domain = [("account_id", "=", account.id), ("mode", "=", account.mode), *domain]
    messages = account.env["sms.devino.message"].sudo()
    [(total,)] = messages._read_group(domain, aggregates=["cost_estimated:sum"])
    return total or 0.0
