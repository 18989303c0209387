"""Texts held against the templates that are registered at operators.

An operator may charge a service text that differs from its registered template as
advertising. That concerns only sender names, and operators, that have templates here.
"""

from collections import defaultdict
from datetime import date
from functools import lru_cache

from ..tools.operator_patterns import Pattern
from ..tools.sms_text import normalise

# Texts whose comparison is remembered.
REMEMBERED = 10_000


class Register:
    """The registered templates of an account.

    :param account: ``sms.devino.account``, one, with the rights to read it
    """

    def __init__(self, account):
        found = account.env["sms.devino.operator.template"].search(
            [("account_id", "=", account.id), ("state", "=", "registered")]
        )
        self._by_sender = defaultdict(list)
        for one in found:
            template = _Template(one.pattern, one.operators, one.valid_until)
            self._by_sender[one.sender_id.name].append(template)
        self._differs = lru_cache(REMEMBERED)(self._compare)

    def differs(self, text, sender, operator, day):
        """Whether a text matches none of the templates that concern it.

        :param str sender: sender name
        :param str operator: by number range; of one that is not known all count
        :param date day: when it is sent
        """
        is_concerned = sender in self._by_sender
        return is_concerned and self._differs(text, sender, operator, day)

    def _compare(self, text, sender, operator, day):
        templates = self._find(sender, operator)
        return bool(templates) and not any(
            one.is_valid(day) and one.matches(text) for one in templates
        )

    def find_nearest(self, text, sender, operator, day):
        """Return the template that a text follows furthest, and up to where.

        :return: tuple of the pattern as registered and a position in the text, ``None``
            when no template concerns it or is valid; see :meth:`differs`
        """
        places = {
            one.text: one.find_difference(text) or 0
            for one in self._find(sender, operator)
            if one.is_valid(day)
        }
        return max(places.items(), key=lambda item: item[1], default=None)

    def _find(self, sender, operator):
        return [one for one in self._by_sender[sender] if one.concerns(operator)]


class _Template(Pattern):
    def __init__(self, text, operators, valid_until):
        # as messages are: pasted texts have other line breaks, and one at the end
        super().__init__(normalise(text).strip())
        names = (operators or "").casefold().split(",")
        self._operators = {name.strip() for name in names} - {""}
        self._valid_until = valid_until or date.max

    def concerns(self, operator):
        is_for_all = not operator or not self._operators
        return is_for_all or operator.casefold() in self._operators

    def is_valid(self, day):
        """Whether it is registered on a day: after its last day nothing matches it."""
        return day <= self._valid_until
