"""Texts held against the templates that are registered at operators.

An operator may charge a service text that differs from its registered template as
advertising. That concerns only senders, and operators, that have templates here.
"""

from functools import lru_cache

from odoo import fields

from ..tools.operator_patterns import Pattern

# Texts that were compared already, of one draft.
REMEMBERED = 10_000


class Register:
    """The templates of a sender name that are valid on a day.

    :param sender: ``sms.devino.sender``, one or none
    :param date day: today, if it is not given
    """

    def __init__(self, sender, day=None):
        day = day or fields.Date.context_today(sender)
        templates = sender.env["sms.devino.operator.template"].sudo()
        found = templates.search(
            [
                ("sender_id", "in", sender.ids),
                ("state", "=", "registered"),
                "|",
                ("valid_until", "=", False),
                ("valid_until", ">=", day),
            ]
        )
        self._patterns = [(_split(one.operators), Pattern(one.pattern)) for one in found]
        self.differs = lru_cache(REMEMBERED)(self._differs)

    def __bool__(self):
        return bool(self._patterns)

    def _differs(self, text, operator=None):
        """Whether a text matches none of the templates that concern an operator.

        :param str operator: by number range; of one that is not known all count
        """
        concerned = self._find(operator)
        return bool(concerned) and not any(one.matches(text) for one in concerned)

    def find_nearest(self, text, operator=None):
        """Return the template that a text follows furthest, and up to where.

        :return: tuple of the pattern as registered and a position in the text
        """
        places = {one: one.find_difference(text) or 0 for one in self._find(operator)}
        nearest = max(places, key=places.get)
        return nearest.text, places[nearest]

    def _find(self, operator):
        operator = (operator or "").casefold()
        return [
            pattern
            for names, pattern in self._patterns
            if not operator or not names or operator in names
        ]


def _split(operators):
    return {name.strip().casefold() for name in (operators or "").split(",")} - {""}
