"""How many numbers go in one call, when one that is bad has all of them refused."""

# New numbers go in calls of HALF / share of bad ones. Such a call passes half of the
# time, which tells most; when more than a quarter is bad, each number goes alone.
HALF = 0.69
ALONE_ABOVE = 0.25
# Before anything is known, one number in a hundred is taken to be bad, and that counts
# as much as a hundred numbers that were tried.
EXPECTED_BAD, EXPECTED = 1, 100
# A refused bulk is split into this many parts, which takes nearly the fewest calls.
PARTS = 4


def chunk_size(bad, tried):
    """Return how many new numbers go in one call.

    :param int bad: how many were refused of the numbers ``tried`` last
    """
    share = (bad + EXPECTED_BAD) / (tried + EXPECTED)
    return 1 if share > ALONE_ABOVE else round(HALF / share)


def part_size(size):
    """Return how many numbers each part of a refused bulk holds, at most."""
    return -(-size // PARTS)
