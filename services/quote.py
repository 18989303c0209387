"""What a sending costs, beside the money that the account has."""

from dataclasses import dataclass
from datetime import datetime

from odoo.tools import float_compare, float_round

# Amounts are compared with as many digits as prices have.
DIGITS = 4


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
    shortage: float
    is_refused: bool = False
    sentence: str = ""


def make_quote(cost, reserved, balance=None, balance_at=None):
    """Return the :class:`Quote` of a sending, without its sentence.

    :param float balance: ``None`` when it is not known
    """
    if balance is None:
        return Quote(cost, None, None, reserved, None, 0.0)
    # "or 0.0" turns the negative zero into a plain one
    after = float_round(balance - reserved - cost, precision_digits=DIGITS) or 0.0
    is_short = float_compare(after, 0, precision_digits=DIGITS) < 0
    shortage = -after if is_short else 0.0
    return Quote(cost, balance, balance_at, reserved, after, shortage)
