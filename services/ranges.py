"""The regulator's table of number ranges: region and operator of a number.

Numbers are ported: the operator that was given a range need not have its numbers still.
"""

from odoo.tools import SQL


def are_loaded(env):
    """Say whether an administrator has loaded the table."""
    env["sms.devino.range"].flush_model()
    query = SQL("SELECT EXISTS (SELECT FROM sms_devino_range)")
    return env.execute_query(query)[0][0]


def find_ranges(env, numbers):
    """Return what the table says of numbers, by one query.

    :param numbers: iterable of numbers in E.164; what is no Russian one is passed over
    :return: dict of number -> (region, operator), each as the table has it or ``None``
    """
    numbers = [number for number in set(numbers) if _is_russian(number)]
    if not numbers or not are_loaded(env):
        return {}
    query = SQL(
        """SELECT n.number, r.region, r.operator
             FROM unnest(%s::varchar[]) AS n(number)
            CROSS JOIN LATERAL (
                  SELECT region, operator, high FROM sms_devino_range
                   WHERE low <= n.number ORDER BY low DESC LIMIT 1) AS r
            WHERE n.number <= r.high""",
        numbers,
    )
    return {
        number: (region, operator)
        for number, region, operator in env.execute_query(query)
    }


def _is_russian(number):
    return bool(number) and number.startswith("+7") and number[1:].isdigit()


def find_operators(env, numbers):
    """Return number -> operator by its range, by one query; see :func:`find_ranges`."""
    found = find_ranges(env, numbers)
    return {number: operator for number, (_region, operator) in found.items()}


def fill_operators(env, rows):
    """Note the operator of each number in new messages, where it is not noted yet.

    :param list rows: dicts of values of ``sms.devino.message``; they are changed
    """
    rows = [row for row in rows if "operator" not in row]
    numbers = (row.get("number") for row in rows)
    operators = find_operators(env, (one for one in numbers if isinstance(one, str)))
    for row in rows:
        row["operator"] = operators.get(row.get("number"))
