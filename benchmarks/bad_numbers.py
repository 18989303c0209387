"""How fast a mass sending goes when some numbers are bad: calls counted, none made.

    python3 benchmarks/bad_numbers.py

A call with one bad number is refused as a whole, so that bad numbers have to be found
by trying parts. It counts the calls for a list of new numbers, with the sizes that
the addon takes, as it learns page by page; and for the way without learning: full
bulks, split when they are refused. At 20 calls a second that gives messages a second.
The bound is what no way of trying can pass: a call tells at most one bit, and a number
holds the entropy of its share.
"""

import math
import random
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.chunks import chunk_size, part_size  # noqa: E402

SHARES = (0.001, 0.01, 0.03, 0.1)
NUMBERS = 600_000
PER_SECOND = 20
FULL_BULK = 2999
# A page that enters the queue, and the numbers learned last that the share is taken of.
PAGE = SAMPLE = 5000


def count_calls(bad):
    """Return how many calls, and tries of a number, one bulk takes to its end.

    :param list bad: for each number whether it is bad
    """
    calls, tries = 1, len(bad)
    if any(bad) and len(bad) > 1:
        size = part_size(len(bad))
        for start in range(0, len(bad), size):
            more = count_calls(bad[start : start + size])
            calls, tries = calls + more[0], tries + more[1]
    return calls, tries


def count_learning(numbers):
    """The same for a list of new numbers, page by page, while the share is learned."""
    calls = tries = 0
    for start in range(0, len(numbers), PAGE):
        known = numbers[max(start - SAMPLE, 0) : start]
        size = min(chunk_size(sum(known), len(known)), FULL_BULK)
        page = numbers[start : start + PAGE]
        for first in range(0, len(page), size):
            more = count_calls(page[first : first + size])
            calls, tries = calls + more[0], tries + more[1]
    return calls, tries


def count_full(numbers):
    """The same for full bulks, whatever is known."""
    counts = [
        count_calls(numbers[start : start + FULL_BULK])
        for start in range(0, len(numbers), FULL_BULK)
    ]
    return tuple(map(sum, zip(*counts, strict=True)))


def entropy(share):
    return -sum(part * math.log2(part) for part in (share, 1 - share))


def main():
    print(f"{NUMBERS} new numbers, {PER_SECOND} calls a second, messages a second:")
    titles = ("bad", "bound", "ours", "of bound", "full bulks", "tries", "tries, full")
    print("".join(f"{title:>12}" for title in titles))
    for share in SHARES:
        draw = random.Random(1)
        numbers = [draw.random() < share for _number in range(NUMBERS)]
        good = NUMBERS - sum(numbers)
        (ours, tries), (full, full_tries) = count_learning(numbers), count_full(numbers)
        bound = NUMBERS * entropy(share)
        rates = [good / calls * PER_SECOND for calls in (bound, ours, full)]
        print(
            f"{share:>12.1%}{rates[0]:>12.0f}{rates[1]:>12.0f}{bound / ours:>12.2f}"
            f"{rates[2]:>12.0f}{tries / NUMBERS:>12.1f}{full_tries / NUMBERS:>12.1f}"
        )
    print("A list whose numbers are known goes in full bulks: 60,000 are 21 calls.")


if __name__ == "__main__":
    main()
