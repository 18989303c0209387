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

    def _compare(self, text, *concern):
        templates = self._find(*concern)
        return bool(templates) and not any(one.matches(text) for one in templates)

    def find_nearest(self, text, *concern):
        """Return the template that a text follows furthest, and up to where.

        :param concern: sender, operator and day, see :meth:`differs`
        :return: tuple of the pattern as registered and a position in the text, ``None``
            when no template concerns it
        """
        places = {
            one.text: one.find_difference(text) or 0 for one in self._find(*concern)
        }
        return max(places.items(), key=lambda item: item[1], default=None)

    def _find(self, sender, operator, day):
        return [one for one in self._by_sender[sender] if one.concerns(operator, day)]


class _Template(Pattern):
    def __init__(self, text, operators, valid_until):
        # as messages are: pasted texts have other line breaks, and one at the end
        super().__init__(normalise(text).strip())
        names = (operators or "").casefold().split(",")
        self._operators = {name.strip() for name in names} - {""}
        self._valid_until = valid_until or date.max

    def concerns(self, operator, day):
        is_of_it = not operator or not self._operators
        is_of_it = is_of_it or operator.casefold() in self._operators
        return is_of_it and day <= self._valid_until
