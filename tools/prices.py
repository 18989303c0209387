"""The price of a segment, by all that is known of a message before it is sent."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Tariff:
    """A price, and for what it holds. What is empty holds for all.

    :ivar prefix: first digits of the number
    :ivar operator: of the number, by the table of ranges
    :ivar kind: of traffic, ``service`` or ``advertising``
    :ivar sender: sender name
    :ivar date_from: first day
    :ivar date_to: last day
    """

    price: float
    prefix: str = ""
    operator: str = ""
    kind: str = ""
    sender: str = ""
    date_from: date | None = None
    date_to: date | None = None

    @property
    def rank(self):
        """What counts first, when several fit a message: the greater one."""
        return (
            bool(self.operator),
            len(self.prefix),
            bool(self.sender),
            bool(self.kind),
            self.date_from or date.min,
        )

    def fits(self, kind, sender, day):
        """Whether it holds on a day for a kind of traffic from a sender name."""
        return (
            self.kind in ("", kind)
            and self.sender in ("", sender)
            and (not day or (self.date_from or day) <= day <= (self.date_to or day))
        )


class Prices:
    """Finds the price of a segment among many tariffs.

    Of the tariffs that fit, the one for the operator of the number counts; then the one
    with the longest beginning of the number, with the sender name, with the kind of
    traffic, and at last the one that began last.

    :param float default: where no tariff fits
    :param tariffs: iterable of :class:`Tariff`
    """

    def __init__(self, default, tariffs):
        self._default = default
        # the last of those with the same beginning replaces the others
        self._tariffs = sorted(tariffs, key=lambda one: one.rank)
        self._tables = {}

    def find(self, number, operator="", kind="", sender="", day=None):
        """Return the price of one segment.

        :param str number: E.164, may be empty
        :param day: ``date`` on which it is sent
        """
        digits = (number or "").removeprefix("+")
        for owner in (operator, "") if operator else ("",):
            key = owner, kind, sender, day
            if key not in self._tables:
                self._tables[key] = self._make_table(*key)
            prices, lengths = self._tables[key]
            for length in lengths:
                price = prices.get(digits[:length])
                if price is not None:
                    return price
        return self._default

    def _make_table(self, operator, kind, sender, day):
        """Return first digits -> price, and the lengths of the digits, descending."""
        prices = {
            tariff.prefix: tariff.price
            for tariff in self._tariffs
            if tariff.operator == operator and tariff.fits(kind, sender, day)
        }
        return prices, sorted({len(prefix) for prefix in prices}, reverse=True)
