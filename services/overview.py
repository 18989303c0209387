"""What the overview shows: everything with the list that it opens."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from odoo import fields
from odoo.fields import Domain
from odoo.tools import format_date, format_datetime

from .fees import sum_fees
from .hours import get_company_zone
from .jobs import find_job, job_problem, trigger
from .message_states import NO_MESSAGE_STATES
from .sender_health import find_falls

JOB = "sms_devino.ir_cron_days"
# Sums that are older are brought up to date.
FRESH = timedelta(minutes=1)
# Days of the diagram, and of the average that forecasts stand on.
DAYS = 30
LAST_BATCHES = 5
# States of mass sendings.
UNDER_WAY = ("running", "paused")
UNSENT = ("draft", "to_approve")
# States of the messages that ``sms.devino.day`` counts.
COUNTED = ("sent", "delivered", "undelivered", "failed", "unknown", "unconfirmed")
NO_MESSAGES = Domain("state", "not in", NO_MESSAGE_STATES)


class Overview:
    """The figures that a person may see.

    A user sees their own messages, a manager those of the chosen companies, by the
    record rules. Money and accounts are for managers, who decide.

    :param env: of the person
    """

    def __init__(self, env):
        self.env = env
        self._days = env["sms.devino.day"]
        self._messages = env["sms.devino.message"]
        self._is_manager = env.user.has_group("sms_devino.group_manager")
        self._is_admin = env.user.has_group("sms_devino.group_admin")
        self._accounts = env["sms.devino.account"].search(
            [("company_id", "parent_of", env.companies.ids)]
        )
        # days are those of the company, as in ``sms.devino.day``
        self._zone = ZoneInfo(get_company_zone(env.company))
        self._today = datetime.now(self._zone).date()
        self._fees = {}

    def get(self):
        """Return the parts of the overview by name, each of plain values.

        An ``action`` is what the web client opens; an amount is a string. The sums are
        brought up to date for the next look.
        """
        job = find_job(self.env, JOB)
        if not job.lastcall or job.lastcall < fields.Datetime.now() - FRESH:
            trigger(self.env, JOB)
        return {
            "is_manager": self._is_manager,
            "attention": self._attention(),
            "balances": [self._balance(account) for account in self._accounts],
            "now": self._now(),
            "spending": self._spending() if self._is_manager else [],
            "periods": self._periods(),
            "chart": self._chart(),
            "chart_names": {
                "delivered": self.env._("Delivered"),
                "undelivered": self.env._("Not delivered"),
                "other": self.env._("Waiting, or unknown"),
            },
            "batches": self._batches() if self._is_manager else [],
        }

    # --- what needs a person --------------------------------------------------------

    def _attention(self):
        env = self.env
        lines = []
        if problem := job_problem(env):
            lines.append(_line(problem, level="danger"))
        for account in self._accounts.filtered(lambda one: one.state == "stopped"):
            reason = account.sudo()._get_operation_label()
            lines.append(
                _line(
                    env._(
                        "“%(name)s” sends nothing: %(reason)s",
                        name=account.name,
                        reason=reason,
                    ),
                    level="danger",
                    button=env._("Fix"),
                    action=self._is_admin and account.get_formview_action(),
                )
            )
        unknown = Domain("state", "=", "unknown")
        if count := self._messages.search_count(unknown, limit=1000):
            lines.append(
                _line(
                    env._("Messages whose outcome is unknown: %s", count),
                    action=self._list(env._("Outcome unknown"), unknown),
                )
            )
        lines += self._unread()
        if self._is_manager:
            lines += self._batches_that_wait() + self._rules() + self._falls()
        if self._is_admin:
            lines += self._proposed_tariffs()
        return lines

    def _proposed_tariffs(self):
        """Prices that the provider charged and that no tariff has."""
        # those of a company above are taken over there
        own = Domain("company_id", "in", self.env.companies.ids)
        proposed = Domain("is_proposed", "=", True) & own
        count = self.env["sms.devino.tariff"].search_count(proposed)
        if not count:
            return []
        title = self.env._("Tariffs learned from real prices, to take over: %s", count)
        action = _action("sms.devino.tariff", self.env._("Proposed tariffs"), proposed)
        return [_line(title, level="info", action=action)]

    def _rules(self):
        """Rules that wait for a decision, or could not work."""
        wanted = Domain("held_count", ">", 0) | Domain("error_text", "!=", False)
        rules = Domain("is_on", "=", True) & wanted
        count = self.env["sms.devino.rule"].search_count(rules)
        if not count:
            return []
        title = self.env._("SMS rules that need a decision: %s", count)
        action = _action("sms.devino.rule", self.env._("Rules"), rules)
        return [_line(title, action=action)]

    def _batches_that_wait(self):
        """Mass sendings that go on only when a person says so."""
        env, batches, lines = self.env, self.env["sms.devino.batch"], []
        to_approve = Domain("state", "=", "to_approve")
        if count := batches.search_count(to_approve):
            title = env._("Mass sendings to approve: %s", count)
            action = _action(batches._name, env._("To approve"), to_approve)
            lines.append(_line(title, action=action))
        trial = Domain("state", "=", "running") & Domain("trial_count", ">", 0)
        if count := batches.search_count(trial):
            title = env._("Trial portions that wait for Continue: %s", count)
            action = _action(batches._name, env._("Trial portion"), trial)
            lines.append(_line(title, level="info", action=action))
        return lines

    def _falls(self):
        """Sender names with a lower share of delivered messages than usual."""
        return [
            _line(
                self.env._(
                    "Fewer SMS from %(sender)s are delivered: %(share)s%% in the last "
                    "days, usually %(usual)s%%",
                    sender=name,
                    share=share,
                    usual=usual,
                ),
                action=self._list(name, Domain("sender_name", "=", name)),
            )
            for name, share, usual in find_falls(self._days, self._today)
        ]

    def _unread(self):
        unread = Domain("is_read", "=", False)
        count = self.env["sms.devino.incoming"].search_count(unread)
        if not count:
            return []
        title = self.env._("Unread incoming SMS: %s", count)
        action = _action("sms.devino.incoming", self.env._("Incoming SMS"), unread)
        return [_line(title, level="info", action=action)]

    # --- money ----------------------------------------------------------------------

    def _balance(self, account):
        """What an account has; a user learns only for how many SMS it is enough."""
        env, sudo = self.env, account.sudo()
        quote = sudo._get_quote(0)
        price = sudo.price_per_segment
        values = {
            "id": account.id,
            "name": account.name,
            "mode": account.mode,
            "enough_for": None,
            "action": self._is_admin and account.get_formview_action(),
        }
        if quote.after is not None and price:
            values["enough_for"] = env._(
                "enough for about %s SMS", f"{max(0, int(quote.after / price)):,}"
            )
        if not self._is_manager:
            return values
        fees = self._sum_fees(self._today.replace(day=1)).get(account, 0.0)
        daily = (self._sum_cost(account, DAYS) + fees) / DAYS
        return values | {
            "balance": quote.balance is not None and sudo._format_amount(quote.balance),
            "balance_at": quote.balance_at and format_datetime(env, quote.balance_at),
            "free": quote.after is not None and sudo._format_amount(quote.after),
            "lasts": quote.after is not None
            and daily > 0
            and env._("lasts about %s days", f"{max(0, int(quote.after / daily)):,}"),
        }

    def _sum_cost(self, account, days):
        since = self._today - timedelta(days=days)
        domain = [
            ("account_id", "=", account.id),
            ("mode", "=", account.mode),
            ("day", ">", since),
        ]
        [(total,)] = self._days._read_group(domain, aggregates=["cost:sum"])
        return total or 0.0

    def _spending(self):
        """This month, last month, and what this month will come to."""
        env, first = self.env, self._today.replace(day=1)
        last_first = (first - timedelta(days=1)).replace(day=1)
        live = self._real()
        this = live & Domain("day", ">=", first)
        last = live & Domain("day", ">=", last_first) & Domain("day", "<", first)
        length = ((first + timedelta(days=32)).replace(day=1) - first).days
        fees, last_fees = map(self._sum_fees, (first, last_first))
        sums = {
            env._("This month"): self._sum_by_currency(this, fees),
            env._("Last month"): self._sum_by_currency(last, last_fees),
            # a fee is charged for the whole month, whatever is sent
            env._("Forecast"): self._sum_by_currency(
                this, fees, factor=length / self._today.day
            ),
        }
        return [
            {"label": label, "amounts": self._format(amounts)}
            for label, amounts in sums.items()
        ]

    def _sum_fees(self, first):
        """Return account -> the fees of its sender names in the month of this day."""
        if first not in self._fees:
            companies = self.env.companies
            own = self._accounts.filtered(lambda one: one.company_id in companies)
            # leave out test mode where an account is in use, as _real does
            live = own.filtered(lambda one: one.mode == "live") or own
            last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
            self._fees[first] = sum_fees(live, first, last)
        return self._fees[first]

    def _real(self):
        """Leave out test mode where an account is in use."""
        if any(account.mode == "live" for account in self._accounts):
            return Domain("mode", "=", "live")
        return Domain.TRUE

    def _sum_by_currency(self, domain, fees=None, *, factor=1.0):
        """Return amounts by currency; the key is the first account that has it.

        :param dict fees: account -> what is added to its costs
        :param float factor: what the costs are multiplied by
        """
        costs = self._days._read_group(domain, ["account_id"], ["cost:sum"])
        amounts = [(account, (cost or 0.0) * factor) for account, cost in costs]
        sums, first = {}, {}
        for account, amount in [*amounts, *(fees or {}).items()]:
            account = account.sudo()
            account = first.setdefault(account.currency_id, account)
            sums[account] = sums.get(account, 0.0) + amount
        return sums

    def _format(self, amounts):
        return [a._format_amount(amount) for a, amount in amounts.items()] or ["–"]

    # --- figures --------------------------------------------------------------------

    def _now(self):
        env, messages = self.env, self._messages
        batches = env["sms.devino.batch"]
        parts = [
            (env._("In the queue"), messages, ("outgoing", "sending")),
            (env._("Scheduled"), messages, ("scheduled",)),
        ]
        if self._is_manager:
            parts += [
                (env._("Mass sendings under way"), batches, UNDER_WAY),
                (env._("Drafts"), batches, UNSENT),
            ]
        rows = []
        for label, records, states in parts:
            domain = Domain("state", "in", states)
            count = records.search_count(domain, limit=100_000)
            action = _action(records._name, label, domain)
            rows.append({"label": label, "count": count, "action": action})
        return rows

    def _periods(self):
        env = self.env
        periods = (
            (env._("Today"), 0),
            (env._("7 days"), 6),
            (env._("%s days", DAYS), DAYS - 1),
        )
        return [self._period(label, days) for label, days in periods]

    def _period(self, label, days):
        since = self._today - timedelta(days=days)
        domain = self._real() & Domain("day", ">=", since)
        names = ("message", "delivered", "undelivered", "waiting", "unknown")
        [sums] = self._days._read_group(
            domain, aggregates=[f"{name}_count:sum" for name in names]
        )
        counts = dict(zip(names, (value or 0 for value in sums), strict=True))
        known = counts["delivered"] + counts["undelivered"]
        start = datetime.combine(since, time(), self._zone).astimezone(UTC)
        start = fields.Datetime.to_string(start.replace(tzinfo=None))
        opened = Domain("accepted_at", ">=", start) | (
            Domain("accepted_at", "=", False) & Domain("create_date", ">=", start)
        )
        states = {
            "message": COUNTED,
            "delivered": ("delivered",),
            "undelivered": ("undelivered", "failed"),
            "waiting": ("sent",),
        }
        return {
            "label": label,
            "counts": counts,
            "share": round(100 * counts["delivered"] / known) if known else None,
            "cost": self._format(self._sum_by_currency(domain)),
            "actions": {
                name: self._list(label, opened & Domain("state", "in", chosen))
                for name, chosen in states.items()
            },
        }

    def _chart(self):
        """Delivered and not, by day."""
        since = self._today - timedelta(days=DAYS - 1)
        rows = self._days._read_group(
            self._real() & Domain("day", ">=", since),
            ["day:day"],
            ["message_count:sum", "delivered_count:sum", "undelivered_count:sum"],
        )
        found = {
            fields.Date.to_date(day): [count or 0 for count in counts]
            for day, *counts in rows
        }
        days = [since + timedelta(days=number) for number in range(DAYS)]
        counts = [found.get(day, (0, 0, 0)) for day in days]
        return {
            "labels": [format_date(self.env, day, date_format="d MMM") for day in days],
            "delivered": [delivered for _total, delivered, _failed in counts],
            "undelivered": [failed for _total, _delivered, failed in counts],
            "other": [total - sum(known) for total, *known in counts],
        }

    def _batches(self):
        batches = self.env["sms.devino.batch"].search(
            [("state", "in", ("scheduled", "running", "paused", "done"))],
            limit=LAST_BATCHES,
        )
        states = dict(batches._fields["state"]._description_selection(self.env))
        return [
            {
                "id": batch.id,
                "name": batch.display_name,
                "state": states[batch.state],
                "total": batch.total,
                "delivered": batch.delivered_count,
                "action": batch.get_formview_action(),
            }
            for batch in batches
        ]

    def _list(self, title, domain):
        return _action("sms.devino.message", title, NO_MESSAGES & domain)


def _line(text, *, level="warning", button=None, action=None):
    return {"text": text, "level": level, "button": button, "action": action or None}


def _action(model, title, domain):
    return {
        "type": "ir.actions.act_window",
        "name": title,
        "res_model": model,
        "domain": list(domain),
        "views": [[False, "list"], [False, "form"]],
    }
