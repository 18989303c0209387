"""The calculation of a draft: a job that writes its rows into the journal.

It runs with the rights, company, language and time zone of the person who asked for
it. Rows are written in pages, each committed together with a mark that says how far
the calculation is: one that ran out of time, or was killed, goes on from there in the
next run. The figures are published at the end, unless the draft was changed in the
meantime. The transactions need no locks: they are "repeatable read", so that a draft
which somebody else changes is a conflict, and ``commit_retrying`` looks at it again.
"""

import logging
import time
from collections import Counter
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from . import balance, consent, list_import, numbers, same_text
from .approval import check_input
from .audience import Audience, check_sources, count_sources
from .commit import CONFLICTS, commit_retrying, wake_once
from .departures import Plan
from .draft_text import Texts
from .forecast import Forecast, make_row
from .private_log import log_failure
from .words import describe_break

_logger = logging.getLogger(__name__)

JOB = "sms_devino.ir_cron_calculate"
# No page is begun later. Odoo kills a scheduled action that is not through after
# `limit_time_real_cron`, 120 seconds by default.
RUN_SECONDS = 60.0
# Runs in a row that end before they have written a page: something about the draft,
# such as its size, kills the process.
MAX_TRIES = 3
# Rows that are read back at once.
PAGE = 5000
# Returned instead of the values to publish when time ran out.
LATER = "later"
# The rows of a draft are removed after this many days without a change.
DRAFT_DAYS = 30
# Up to this many recipients the figures are calculated automatically.
SMALL = 1000
# The most recipients that are counted to spread them.
MANY = 10_000_000


# --- what the draft asks for ----------------------------------------------------------


def is_small(batch):
    """Whether a draft has all that a calculation needs, and few recipients."""
    if batch.state != "draft" or not batch.body or not batch.sender_id:
        return False
    try:
        return 0 < count_sources(batch, SMALL + 1) <= SMALL
    except UserError:
        # a filter that cannot be read: the calculation says so
        return False


def queue(batch):
    """Have the job calculate a draft.

    :param batch: ``sms.devino.batch``, one, with the rights of the person who asks
    :raise UserError: when it was sent already
    """
    if batch.state != "draft":
        raise UserError(batch.env._("This mass sending was sent already."))
    batch.sudo().write(
        {
            "calculation": "queued",
            "calculated_by_id": batch.env.uid,
            "error_text": False,
            # a calculation that is under way is of no use any more
            "revision": batch.revision + 1,
        }
    )
    wake_once(batch.env, JOB)


# --- the job --------------------------------------------------------------------------


def run_queue(batches):
    """Fill the lists and calculate the drafts that wait for it. Commits as it goes.

    :param batches: an empty ``sms.devino.batch``, with all rights
    """
    env = batches.env
    deadline = time.monotonic() + RUN_SECONDS
    list_import.run_queue(env["sms.devino.recipient.list"])
    # what is found running was cut off, or ran out of time: only one job calculates
    waiting = [("calculation", "in", ("queued", "running")), ("state", "=", "draft")]
    while batch := batches.search(waiting, order="write_date, id", limit=1):
        Calculation(batch, deadline).run()
        env["ir.cron"]._commit_progress(1)
        if time.monotonic() >= deadline:
            break
    if batches.search_count(waiting, limit=1):
        wake_once(env, JOB)


def remove_rows(batches):
    """Delete the rows of drafts: they are no messages yet."""
    messages = batches.env["sms.devino.message"]
    messages.flush_model()
    batches.env.cr.execute(
        SQL(
            """DELETE FROM sms_devino_message
                WHERE batch_id = ANY(%s) AND state IN ('draft', 'left_out')""",
            list(batches.ids),
        )
    )
    messages.invalidate_model()


def remove_old_rows(batches):
    """Remove the rows of drafts that nobody has touched for a while."""
    limit = fields.Datetime.now() - timedelta(days=DRAFT_DAYS)
    stale = batches.search(
        [
            ("state", "=", "draft"),
            ("write_date", "<", limit),
            ("calculated_revision", ">", 0),
        ]
    )
    remove_rows(stale)
    stale.write({"calculated_revision": 0})


class Calculation:
    """One run of the calculation of a draft.

    :param batch: ``sms.devino.batch`` with all rights, in the environment of the job
    :param float deadline: of ``time.monotonic``; no page is begun later
    """

    def __init__(self, batch, deadline):
        self.env = batch.env
        self.batch = batch
        self.deadline = deadline
        #: what the draft says of how far it is calculated
        self.mark = {}

    def run(self):
        """Calculate and publish, as far as there is time. Commits as it goes."""
        if not self._commit(self._begin):
            return
        try:
            values = self._work()
        except (UserError, AccessError, ValidationError) as error:
            self.env.cr.rollback()
            values = {"calculation": "failed", "error_text": str(error)}
        except Exception as error:
            if self.env.cr.closed:
                raise
            self.env.cr.rollback()
            log_failure(_logger, "batch %s: calculating broke off", self.batch.id)
            words = describe_break(self.env, error, self.batch.calculated_by_id.lang)
            values = {"calculation": "failed", "error_text": words}
        if values == LATER:
            return
        if values and "calculated_revision" in values:
            # first: the form reads figures and balance together
            self._refresh_balance()
        self._commit(lambda: self._publish(values))

    def _commit(self, work):
        return commit_retrying(self.env, work)[0]

    def _begin(self):
        """Take the draft: remove the rows of the last calculation, or go on."""
        batch = self.batch
        batch.invalidate_recordset()
        if not batch.exists() or batch.state != "draft":
            return False
        if batch.calculation not in ("queued", "running"):
            return False
        self.mark = batch.calculation == "running" and batch.calculation_mark or {}
        if not self.mark:
            remove_rows(batch)
            self.mark = {
                "revision": batch.revision,
                "calculated_at": fields.Datetime.to_string(fields.Datetime.now()),
                "left": None,
                "longest": {},
            }
        self.mark["tries"] = self.mark.get("tries", 0) + 1
        batch.write(
            {
                "calculation": "running",
                "calculated_revision": 0,
                "calculation_mark": self.mark,
            }
        )
        return True

    def _is_outdated(self):
        """Say whether the draft was changed or deleted, or is calculated elsewhere."""
        self.batch.invalidate_recordset()
        batch = self.batch.exists()
        return not batch or (batch.revision, batch.state, batch.calculation_mark) != (
            self.mark["revision"],
            "draft",
            self.mark,
        )

    def _work(self):
        """Write the rows that are missing.

        :return: the values to publish; ``None`` when the draft was changed meanwhile,
            ``LATER`` when time is up
        :raise UserError: when something about the draft is wrong; it says what
        """
        draft = self._as_user()
        if self.mark["tries"] > MAX_TRIES:
            raise UserError(
                draft.env._("Odoo stopped during the calculation. Calculate again.")
            )
        check_input(draft)
        texts = Texts(draft, longest=self.mark["longest"])
        forecast, plan = Forecast(), self._make_plan(draft)
        seen = self._read_back(forecast, plan) if self.mark["left"] else ()
        audience = Audience(draft, texts.keys, left=self.mark["left"], seen=seen)
        pricing = self.batch.account_id._get_pricing()
        shared = self._shared_values()
        messages = draft.env["sms.devino.message"].sudo()
        for page in audience.pages():
            rows = self._make_rows(draft, page, texts, shared)
            plan.place(rows)
            pricing.fill(rows, self.batch.scheduled_at)
            texts.measure(page)
            left, longest = audience.left, dict(texts.longest)
            mark = {**self.mark, "tries": 0, "left": left, "longest": longest}
            ids = self._commit(
                lambda rows=rows, mark=mark: self._write_page(messages, rows, mark)
            )
            if ids is None:
                return None
            self.mark = mark
            for row, message_id in zip(rows, ids, strict=True):
                forecast.add(row, message_id)
            if time.monotonic() >= self.deadline:
                return LATER
        values = self._sum_up(draft, forecast, plan, texts)
        values["figures"]["control"] = audience.control_count
        return values

    def _make_plan(self, draft):
        is_even = self.batch.spread_hours
        # every run of a calculation places its messages from the same moment on
        begin = fields.Datetime.to_datetime(self.mark["calculated_at"])
        return Plan(self.batch, count_sources(draft, MANY) if is_even else 0, begin)

    def _make_rows(self, draft, page, texts, shared):
        skip_empty = draft.empty_policy == "leave_out"
        rows = [
            shared | make_row(one, texts.of(one), skip_empty=skip_empty) for one in page
        ]
        # the company's own numbers get their copy whatever is known of them
        people = [
            row for row, one in zip(rows, page, strict=True) if not one.is_control
        ]
        for check in (same_text, numbers, consent):
            check.leave_out(self.batch, people)
        return rows

    def _write_page(self, messages, rows, mark):
        """Write a page and how far the draft is calculated with it.

        :return: the ids of the rows, ``None`` when the draft was changed meanwhile
        """
        if self._is_outdated():
            return None
        ids = messages._write_rows(rows).ids
        messages.invalidate_model()
        self.batch.write({"calculation_mark": mark})
        return ids

    def _read_back(self, forecast, plan):
        """Add the rows that an earlier run wrote to the forecast and the plan.

        :return: the numbers that have had their turn: those of recipients who were
            found fit to send to, whose text was made
        """
        seen, last = set(), 0
        while rows := self._read_rows_behind(last):
            for row in rows:
                forecast.add(row, row["id"])
                seen.add(row["number"])
            plan.read_back(rows)
            last = rows[-1]["id"]
        return seen

    def _read_rows_behind(self, last):
        query = SQL(
            """SELECT id, number, state, body, cost_estimated, reason, partner_id,
                      scheduled_at
                 FROM sms_devino_message
                WHERE batch_id = %s AND id > %s AND body IS NOT NULL
             ORDER BY id LIMIT %s""",
            *(self.batch.id, last, PAGE),
        )
        self.env.cr.execute(query)
        return self.env.cr.dictfetchall()

    def _as_user(self):
        """Return the draft with the rights, language and time zone of the person who
        asked for its calculation."""
        user = self.batch.calculated_by_id
        draft = self.batch.with_user(user).with_context(
            lang=user.lang,
            tz=user.tz,
            allowed_company_ids=self.batch.company_id.ids,
        )
        draft._check_is_manager()
        # before the draft itself, which may be hidden because of them
        check_sources(draft)
        draft.check_access("write")
        return draft

    def _shared_values(self):
        """Return the columns that all rows of the draft share."""
        account = self.batch.account_id
        return {
            "batch_id": self.batch.id,
            "account_id": account.id,
            "company_id": self.batch.company_id.id,
            "mode": account.mode,
            "sender_name": self.batch.sender_id.name,
            "purpose": self.batch.purpose,
            "author_id": self.batch.calculated_by_id.id,
            "priority": "0",
        }

    def _sum_up(self, draft, forecast, plan, texts):
        """Return the values to publish, summed over the rows that were written."""
        values = sum_rows(self.batch)
        if not values["total"] and not values["left_out_count"]:
            raise UserError(
                draft.env._("Recipients: choose at least one list or some contacts.")
            )
        values["figures"] |= (
            forecast.get_figures()
            | plan.get_figures()
            | {
                "longest_values": texts.longest,
                "refusing": numbers.count_refusing(self.batch),
            }
        )
        return values | {
            "calculation": "none",
            "error_text": False,
            "calculated_revision": self.mark["revision"],
            "calculated_at": self.mark["calculated_at"],
        }

    def _publish(self, values):
        """Publish the figures, unless the draft was changed in the meantime."""
        if self._is_outdated():
            values = None
        if not self.batch.exists() or self.batch.state != "draft":
            return
        if values is None:
            # a calculation of the changed draft may have been asked for
            is_queued = self.batch.calculation == "queued"
            values = {} if is_queued else {"calculation": "none"}
        if "calculated_revision" not in values:
            remove_rows(self.batch)
        self.batch.write({**values, "calculation_mark": False})

    def _refresh_balance(self):
        """Ask for a balance that is old; without an answer the old one is shown."""
        account = self.batch.account_id
        if not balance.is_old(account):
            return
        try:
            account._refresh_balance()
            self._commit(lambda: None)
        except UserError as error:
            _logger.info("account %s: no balance, %s", account.id, error)
        except CONFLICTS:
            # messages are sent: the account is written, and will be asked again
            self.env.cr.rollback()


def sum_rows(batch):
    """Sum the rows of a draft.

    :return: dict of ``total``, ``left_out_count``, ``empty_count``,
        ``segment_count``, ``cost_estimated`` and ``figures``, a dict of ``reasons``
        (reason -> how many were left out for it), ``empty`` (name of a value -> for
        how many recipients it is empty) and ``unregistered`` (how many texts match no
        template registered at the operator, and the message of one)
    """
    messages = batch.env["sms.devino.message"]
    of_batch = [("batch_id", "=", batch.id)]
    total, reasons = 0, {}
    sums = {"segment_count": 0, "cost_estimated": 0.0}
    for state, reason, count, segments, cost in messages._read_group(
        [*of_batch, ("state", "in", ("draft", "left_out"))],
        ["state", "reason"],
        ["__count", "segment_count:sum", "cost_estimated:sum"],
    ):
        if state == "left_out":
            reasons[reason] = count
            continue
        total += count
        sums["segment_count"] += segments
        sums["cost_estimated"] += cost
    empty, empty_count = Counter(), 0
    for names, count in messages._read_group(
        [*of_batch, ("state", "=", "draft"), ("empty_values", "!=", False)],
        ["empty_values"],
        ["__count"],
    ):
        empty_count += count
        for name in names.split(", "):
            empty[name] += count
    return {
        **sums,
        "total": total,
        "left_out_count": sum(reasons.values()),
        "empty_count": empty_count,
        "figures": {
            "reasons": reasons,
            "empty": dict(empty),
            "unregistered": _find_unregistered(batch),
        },
    }


def _find_unregistered(batch):
    """Return how many texts are billed as advertising though they are none, and one."""
    if batch.purpose == "advertising":
        return [0, None]
    of_batch = [("batch_id", "=", batch.id), ("state", "=", "draft")]
    domain = [*of_batch, ("price_kind", "=", "advertising")]
    messages = batch.env["sms.devino.message"]
    return list(messages._read_group(domain, [], ["__count", "id:min"])[0])
