"""Tariffs learned from what the provider has charged, proposed to an administrator."""

from datetime import date

from odoo import fields
from odoo.tools import SQL

from ..tools.price_learning import MAX_PREFIX, Sample, learn
from .pricing import read_tariffs
from .windows import open_action
from .words import notify

# What is learned from: so many days, and of them so many messages of an account, the
# newest, which bounds the work in a journal of any size.
DAYS = 90
MOST = 200_000
# A message counts half as much as one that was sent so many days later.
HALF_LIFE = 7
KEY = ("prefix", "operator", "kind", "sender_id")
# What a tariff takes over from a proposal.
TAKEN = ("price", "sample_count", "sample_date")


def refresh(accounts):
    """Propose tariffs anew where other prices were charged than those known.

    A proposal that was archived is not made again with the same price.

    :param accounts: ``sms.devino.account`` with all rights
    :return: the proposed ``sms.devino.tariff``
    """
    tariffs = accounts.env["sms.devino.tariff"]
    return tariffs.concat(*map(_refresh, accounts))


def _refresh(account):
    tariffs = account.env["sms.devino.tariff"].with_context(active_test=False)
    old = tariffs.search([("account_id", "=", account.id), ("is_proposed", "=", True)])
    declined = {_get_key(one): one.price for one in old if not one.active}
    found = [vals for vals in _learn(account) if _is_news(vals, declined)]
    replaced = {tuple(vals[name] for name in KEY) for vals in found}
    old.filtered(lambda one: one.active or _get_key(one) in replaced).unlink()
    return tariffs.create(found)


def _get_key(tariff):
    return (
        tariff.prefix or False,
        tariff.operator or False,
        tariff.kind or False,
        tariff.sender_id.id,
    )


def _is_news(vals, declined):
    price = declined.get(tuple(vals[name] for name in KEY))
    return price is None or abs(price - vals["price"]) >= 0.00005


def _learn(account):
    """Return the values of the tariffs to propose for an account."""
    senders = {sender.name: sender.id for sender in account.sender_ids}
    today = fields.Date.context_today(account)
    learned = learn(
        _read_samples(account, senders),
        account.price_per_segment,
        read_tariffs(account, today),
    )
    return [
        {
            "account_id": account.id,
            "prefix": one.tariff.prefix or False,
            "operator": one.tariff.operator or False,
            "kind": one.tariff.kind or False,
            "sender_id": senders.get(one.tariff.sender, False),
            "price": one.tariff.price,
            "is_proposed": True,
            "sample_count": one.count,
            "sample_date": one.day,
        }
        for one in learned
    ]


def _read_samples(account, senders):
    """Return what was charged, as a list of ``Sample``.

    :param senders: names that messages can still be sent from
    """
    account.env["sms.devino.message"].flush_model()
    query = SQL(
        """SELECT digits, operator, kind, sender_name, price, count(*)::int4,
                  sum(power(0.5::float8, age / %(half_life)s)), max(day)
             FROM (SELECT substr(m.number, 2, %(length)s) COLLATE "C" AS digits,
                          COALESCE(m.operator, '') COLLATE "C" AS operator,
                          COALESCE(m.price_kind, CASE m.purpose
                              WHEN 'advertising' THEN 'advertising' ELSE 'service' END
                          ) AS kind,
                          m.sender_name,
                          round(m.cost / m.segment_count, 4)::float8 AS price,
                          m.accepted_at::date AS day,
                          extract(epoch FROM %(now)s - m.accepted_at)::float8 / 86400
                              AS age
                     FROM (SELECT * FROM sms_devino_message
                            WHERE account_id = %(account)s
                              AND state NOT IN ('draft', 'left_out')
                         ORDER BY id DESC LIMIT %(most)s) AS m
                    WHERE m.accepted_at > %(now)s - %(days)s * interval '1 day'
                      AND m.state = 'delivered' AND m.mode = 'live' AND m.cost > 0
                      AND m.segment_count > 0 AND m.number IS NOT NULL
                      AND m.sender_name = ANY(%(senders)s)) AS sent
         GROUP BY digits, operator, kind, sender_name, price""",
        account=account.id,
        half_life=HALF_LIFE,
        length=MAX_PREFIX,
        now=fields.Datetime.now(),
        days=DAYS,
        most=MOST,
        senders=list(senders),
    )
    # the table of ranges may have other names by now
    known = account.env["sms.devino.range"]._get_operators()
    return [
        Sample(digits, operator if operator in known else "", *rest)
        for digits, operator, *rest in account.env.execute_query(query)
    ]


def take_over(tariffs):
    """Let proposed tariffs price messages: instead of those for the same, if any.

    Of these, one that has ended keeps its price and days; an archived one with the same
    first day would be in the way.

    :param tariffs: ``sms.devino.tariff`` that the user may write
    """
    for proposal in tariffs.filtered("is_proposed"):
        same, today = _find_same(proposal), fields.Date.context_today(proposal)
        if current := _find_current(same, today):
            current.write({name: proposal[name] for name in TAKEN})
            proposal.unlink()
        else:
            _put_beside(proposal, same, today)


def _put_beside(proposal, same, today):
    """Let a proposal hold beside tariffs for the same of which none holds today."""
    first = today if same.filtered("active") else False
    same.filtered(lambda one: not one.active and one.date_from == first).unlink()
    proposal.write({"is_proposed": False, "active": True, "date_from": first})


def _find_same(proposal):
    """Return the tariffs for the same messages, archived ones too."""
    tariffs = proposal.with_context(active_test=False).account_id.tariff_ids
    key = _get_key(proposal)
    return tariffs.filtered(lambda one: not one.is_proposed and _get_key(one) == key)


def _find_current(tariffs, today):
    """Return the tariff that holds today, maybe none."""
    holding = tariffs.filtered(
        lambda one: one.active
        and (one.date_from or today) <= today <= (one.date_to or today)
    )
    # of several, the one that began last counts
    return holding.sorted(lambda one: one.date_from or date.min)[-1:]


def learn_now(account):
    """Propose tariffs while a person waits.

    :param account: ``sms.devino.account`` with all rights
    :return: an action that shows the proposals, or says that there are none
    """
    env, found = account.env, refresh(account)
    if not found:
        title = env._("Nothing to propose")
        text = env._(
            "In the last %s days the provider has charged nothing, or nothing else "
            "than the tariffs and the archived proposals say.",
            DAYS,
        )
        return notify(title, text, kind="info")
    return open_action(
        env,
        "sms_devino_tariff_action",
        domain=[("account_id", "=", account.id)],
        context={"search_default_proposed": True},
    )
