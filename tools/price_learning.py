"""Tariffs that explain the prices which were really charged."""

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from .prices import Prices, Tariff

# No tariff is learned for a longer beginning of a number, nor from fewer messages.
MAX_PREFIX = 7
LEAST = 3
# A tariff has to make the estimate better by this share of all that was charged: single
# prices, as of numbers that were moved to another operator, are none.
GAIN = 0.0005
# What a price may depend on, beside the beginning of the number.
DIMENSIONS = ("operator", "kind", "sender")


@dataclass(frozen=True, slots=True)
class Sample:
    """Messages that are alike in their price, and in all that it may depend on.

    :ivar digits: the first :data:`MAX_PREFIX` digits of their numbers
    :ivar price: of a segment, as it was charged
    :ivar count: how many messages
    :ivar weight: the same, old ones counting less
    :ivar day: of the last one
    """

    digits: str
    operator: str
    kind: str
    sender: str
    price: float
    count: int
    weight: float
    day: date


@dataclass(frozen=True, slots=True)
class Learned:
    """A tariff that was learned.

    :ivar count: how many messages were charged this price
    :ivar day: of the last one of them
    """

    tariff: Tariff
    count: int
    day: date


def learn(samples, default, known):
    """Return the tariffs that are missing, or have another price, as few as possible.

    A price may depend on any of :data:`DIMENSIONS`: of all choices that one is taken
    which comes nearest to what was charged, with the fewest tariffs.

    :param list samples: of :class:`Sample`
    :param float default: the price where no tariff fits
    :param list known: of :class:`~.prices.Tariff` that hold now
    :return: list of :class:`Learned`, empty when no better prices are found
    """
    # when the prices of today began does not matter to messages of the past
    known = [
        replace(tariff, date_from=None, date_to=None)
        for tariff in sorted(known, key=lambda one: one.rank)
    ]
    least_gain = GAIN * sum(one.price * one.weight for one in samples)
    attempts = [_Learner(default, known, least_gain)]
    if attempts[0].measure(samples) <= least_gain:
        return []
    varying = [
        name
        for name in DIMENSIONS
        if any(getattr(one, name) != getattr(samples[0], name) for one in samples)
    ]
    for size in range(len(varying) + 1):
        for chosen in combinations(varying, size):
            attempts.append(_Learner(default, known, least_gain))
            attempts[-1].learn_by(chosen, samples)
    best = min(
        attempts,
        key=lambda one: one.measure(samples) + least_gain * len(one.found),
    )
    return best.found


class _Learner:
    """Adds tariffs to those that are known until the prices of samples are right.

    :param float least_gain: by which each of them makes the estimate better
    """

    def __init__(self, default, known, least_gain):
        self.found = []
        self._default = default
        self._tariffs = list(known)
        self._least_gain = least_gain
        self._prices = Prices(default, known)

    def measure(self, samples):
        """Return by how much the estimate of samples is wrong, in money."""
        return sum(
            one.weight * abs(self._find_price(one) - one.price) for one in samples
        )

    def learn_by(self, chosen, samples):
        """Learn prices that depend on the chosen dimensions.

        :param chosen: some of :data:`DIMENSIONS`
        """
        groups = defaultdict(list)
        for one in samples:
            values = tuple(getattr(one, name) for name in chosen)
            groups[(*values, _find_country(one.digits))].append(one)
        # what holds for more comes first
        for key in sorted(groups, key=lambda key: (sum(map(bool, key)), key)):
            *values, country = key
            base = Tariff(0.0, **dict(zip(chosen, values, strict=True)))
            self._grow(base, country, groups[key])

    def _grow(self, base, prefix, samples):
        """Add the usual price of these samples, then what differs, digit by digit."""
        wrong = self.measure(samples)
        if wrong <= 0 or wrong < self._least_gain:
            return
        weights = Counter()
        for one in samples:
            weights[one.price] += one.weight
        price = weights.most_common(1)[0][0]
        left = sum(one.weight * abs(price - one.price) for one in samples)
        if wrong - left >= self._least_gain:
            self._try(replace(base, prefix=prefix, price=price), samples, wrong)
        if len(prefix) < MAX_PREFIX:
            parts = defaultdict(list)
            for one in samples:
                parts[one.digits[: len(prefix) + 1]].append(one)
            for longer, part in sorted(parts.items()):
                if longer != prefix:
                    self._grow(base, longer, part)

    def _try(self, tariff, samples, wrong):
        """Add a tariff, unless others count before it."""
        before = self._prices
        self._prices = Prices(self._default, [*self._tariffs, tariff])
        alike = [one for one in samples if one.price == tariff.price]
        count, day = sum(o.count for o in alike), max(o.day for o in alike)
        if count < LEAST or wrong - self.measure(samples) < self._least_gain:
            self._prices = before
            return
        self._tariffs.append(tariff)
        self.found.append(Learned(tariff, count, day))

    def _find_price(self, one):
        return self._prices.find(one.digits, one.operator, one.kind, one.sender)


def _find_country(digits):
    """Return the country code that a number begins with."""
    codes = (digits[:length] for length in (1, 2, 3))
    known = (code for code in codes if int(code) in COUNTRY_CODE_TO_REGION_CODE)
    return next(known, digits[:1])
