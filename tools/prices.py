"""The price of a segment by the first digits of the number."""


def make_price_finder(default, prices):
    """Return a function from a number to the price of one segment.

    :param float default: where no tariff fits
    :param dict prices: first digits -> price; the longest that fit count
    :return: callable taking an E.164 number or None
    """
    lengths = sorted({len(prefix) for prefix in prices}, reverse=True)

    def find(number):
        digits = (number or "").removeprefix("+")
        for length in lengths:
            price = prices.get(digits[:length])
            if price is not None:
                return price
        return default

    return find
