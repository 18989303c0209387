"""Sender names with a lower share of delivered messages than usual."""

from datetime import timedelta

from odoo.fields import Domain

# What is compared: the last days with those before.
RECENT, USUAL = 2, 30
# Shares of fewer messages say nothing.
RECENT_LEAST, USUAL_LEAST = 50, 200
# A fall by this many percentage points is worth a look.
FALL = 10


def find_falls(days, today):
    """Return the sender names whose delivered share has fallen.

    :param days: an empty ``sms.devino.day``, with the rights of the person
    :param date today: in the time zone of the company
    :return: list of tuples of sender name, share of the last days and the usual one,
        both in percent; only live messages whose end is known count
    """
    begin = today - timedelta(days=RECENT - 1)
    usual = _read_shares(
        days,
        Domain("day", "<", begin) & Domain("day", ">=", begin - timedelta(days=USUAL)),
        USUAL_LEAST,
    )
    recent = _read_shares(days, Domain("day", ">=", begin), RECENT_LEAST)
    return [
        (name, share, usual[name])
        for name, share in sorted(recent.items())
        if name in usual and share <= usual[name] - FALL
    ]


def _read_shares(days, domain, least):
    """Return sender name -> delivered share in percent."""
    groups = days._read_group(
        domain & Domain("mode", "=", "live"),
        ["sender_name"],
        ["delivered_count:sum", "undelivered_count:sum"],
    )
    return {
        name: round(100 * delivered / (delivered + failed))
        for name, delivered, failed in groups
        if delivered + failed >= least
    }
