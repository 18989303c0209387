"""The regulator's table of number ranges: region and operator of a number.

Numbers are ported: the operator that was given a range need not have its numbers still.
"""

from bisect import bisect_right


def find_ranges(env, numbers):
    """Return what the table says of numbers. It is kept in memory.

    :param numbers: iterable of numbers in E.164; what is no Russian one is passed over
    :return: dict of number -> (region, operator), each as in the table or ``None``
    """
    lows, highs, operators, regions = env["sms.devino.range"]._get_table()
    found = {}
    for number in filter(_is_russian, numbers):
        index = bisect_right(lows, number) - 1
        if index >= 0 and number <= highs[index]:
            found[number] = regions[index], operators[index]
    return found


def _is_russian(number):
    is_text = isinstance(number, str) and number.startswith("+7")
    return is_text and number[1:].isdigit()


def find_operators(env, numbers):
    """Return number -> operator by its range; see :func:`find_ranges`."""
    found = find_ranges(env, numbers)
    return {number: operator for number, (_region, operator) in found.items()}


def fill_operators(env, rows):
    """Note the operator of each number in new messages, where it is not noted yet.

    :param list rows: dicts of values of ``sms.devino.message``; they are changed
    """
    rows = [row for row in rows if "operator" not in row]
    operators = find_operators(env, (row.get("number") for row in rows))
    for row in rows:
        row["operator"] = operators.get(row.get("number"))
