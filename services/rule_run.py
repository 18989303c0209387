"""The job of the rules: writes what is due into the journal.

Each record counts once for a rule and an occasion. A mark says so, written in one
transaction with the message; its key is in the message too.
"""

import hashlib
import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tools import SQL, split_every

from ..tools import sms_text
from . import ad_line, automation, consent, preparing, rule_departure
from .bulk import insert_rows
from .commit import commit_retrying, wake_once
from .documents import Addressee, Addressing
from .forecast import count_segments
from .jobs import DISPATCH
from .message_states import QUEUED_STATES
from .private_log import log_failure
from .rule_check import check_rule
from .rule_find import Finder
from .rule_text import RuleText
from .rule_when import Window
from .words import describe_break

_logger = logging.getLogger(__name__)

JOB = "sms_devino.ir_cron_rules"
# Messages written, and records read, at once.
PAGE = 5000
# More messages than this do not overtake those that a person sends.
FEW = 100
PREFIX = "rule/"
ACTIVITY = "mail.mail_activity_data_todo"


def key_of(rule):
    """Return how the keys of a rule's messages begin."""
    return f"{PREFIX}{rule.id}"


# --- what a person decides ------------------------------------------------------------


def switch_on(rule):
    """Switch a rule on for the user; what meets it already is marked as seen.

    :param rule: ``sms.devino.rule``, one, with the rights of the user
    """
    rule.sudo().write(
        {
            "is_on": True,
            "responsible_id": rule.env.uid,
            "since": fields.Datetime.now(),
            "is_cap_lifted": False,
            "held_count": 0,
            "error_text": False,
        }
    )
    if rule.kind == "match":
        _mark_all(Finder(rule._as_responsible()))


def switch_off(rule):
    """Switch a rule off, and cancel what it has not sent.

    :param rule: ``sms.devino.rule``, one, with the rights of the user
    """
    rule.sudo().write({"is_on": False, "held_count": 0, "is_cap_lifted": False})
    rule.sudo().activity_unlink([ACTIVITY])
    messages = rule.env["sms.devino.message"].sudo()
    waiting = messages.search(
        [
            ("state", "in", QUEUED_STATES),
            ("dedup_key", "=like", f"{key_of(rule)}/%"),
        ]
    )
    messages._transition(
        "canceled",
        [{"id": key, "reason": "rule_off"} for key in waiting.ids],
        condition=SQL("m.state = ANY(%s)", list(QUEUED_STATES)),
    )


def count_seen(rule):
    """Return how many records meet a rule that is on, and got nothing because they met
    it before or were skipped.

    :param rule: ``sms.devino.rule``, one, with all rights
    """
    try:
        finder = Finder(rule._as_responsible())
        if rule.kind == "match":
            return len(finder.search_seen())
        return len(finder.find_due(everything=True)) - len(finder.find_due())
    except UserError:
        return 0


def send_seen(rule):
    """Have the next run send to what met the rule before it was switched on.

    :param rule: ``sms.devino.rule``, one, with the rights of the user
    :return: how many records these are
    """
    finder = Finder(rule._as_responsible())
    count = count_seen(rule.sudo())
    if rule.kind == "match":
        _remove_marks(rule, [("res_id", "in", list(finder.search_seen()))])
    else:
        rule.sudo().write({"since": False})
    rule.sudo().write({"is_cap_lifted": True})
    wake_once(rule.env, JOB)
    return count


def lift_cap(rule):
    """Have the next run send however many are due.

    :return: how many were due when the rule looked
    """
    rule.sudo().write({"is_cap_lifted": True})
    rule.sudo().activity_unlink([ACTIVITY])
    wake_once(rule.env, JOB)
    return rule.held_count


def skip_held(rule):
    """Mark all that is due now as seen."""
    finder = Finder(rule._as_responsible())
    _mark_seen(rule, finder.find_due())
    rule.sudo().write({"held_count": 0})
    rule.sudo().activity_unlink([ACTIVITY])


def retry_missing(rule):
    """Have the next run look again at records that got no message.

    :return: how many records these are
    """
    count = _remove_marks(rule, [("reason", "!=", False)])
    wake_once(rule.env, JOB)
    return count


def _remove_marks(rule, domain):
    marks = rule.env["sms.devino.mark"].sudo()
    found = marks.search(
        [("rule_id", "=", rule.id), ("message_key", "=", False), *domain]
    )
    count = len(found)
    found.unlink()
    return count


def _mark_all(finder):
    """Mark all records that meet the filter, by one statement.

    The array is complete before the first mark is written. Otherwise the search could
    read again and again what the statement has written so far: with an empty table the
    planner expects none.
    """
    rule = finder.rule
    query = finder.search_unmarked()
    rule.env.execute_query(
        SQL(
            """WITH new AS (
               INSERT INTO sms_devino_mark (rule_id, res_id, occasion, create_uid,
                                            create_date, write_uid, write_date)
               SELECT %(rule)s, found.id, '', %(uid)s, %(now)s, %(uid)s, %(now)s
                 FROM unnest(ARRAY(%(query)s)) AS found(id)
          ON CONFLICT DO NOTHING RETURNING 1)
               SELECT count(*) FROM new""",
            rule=rule.id,
            uid=rule.env.uid,
            now=rule.env.cr.now(),
            query=query.select(),
        )
    )


def _mark_seen(rule, dues):
    rows = [_mark(rule, due.record_id, due.occasion) for due in dues]
    for page in split_every(PAGE, rows):
        insert_rows(rule.env["sms.devino.mark"].sudo(), list(page))


def _mark(rule, record_id, occasion, *, key=None, reason=None):
    return {
        "rule_id": rule.id,
        "res_id": record_id,
        "occasion": occasion,
        "message_key": key,
        "reason": reason,
    }


# --- the job --------------------------------------------------------------------------


def run_all(rules):
    """Run the rules that are on. Commits as it goes; a failing rule stops no other.

    :param rules: an empty ``sms.devino.rule``, with all rights
    """
    env = rules.env
    last = 0
    while last is not False:
        last, _seconds = commit_retrying(
            env, lambda last=last: rule_departure.cancel_waiting(env, last)
        )
    for rule in rules.search([("is_on", "=", True)]):
        _run_safely(rule)
        if not env["ir.cron"]._commit_progress(1):
            break


def _run_safely(rule):
    env = rule.env
    try:
        values = RuleRun(rule).run()
    except UserError as error:
        env.cr.rollback()
        values = {"error_text": str(error)[:500]}
    except Exception as error:
        if env.cr.closed:
            raise
        env.cr.rollback()
        log_failure(_logger, "rule %s broke off", rule.id)
        words = describe_break(env, error, rule.responsible_id.lang)
        values = {"error_text": words}
    commit_retrying(env, lambda: _note_run(rule, values))


def _note_run(rule, values):
    """Record the result of a run; ask the responsible person where needed."""
    rule.invalidate_recordset()
    if not rule.exists() or not rule.is_on:
        return
    values = {"error_text": False, "held_count": 0, **values}
    user = rule.responsible_id
    if not user.active:
        user = rule.account_id.responsible_id
    rule = rule.with_context(lang=user.lang or rule.env.lang)
    if values["held_count"] and not rule.held_count:
        text = rule.env._(
            "%(count)s SMS are due at once, more than the rule sends without asking. "
            "Decide in the rule: send them or skip them.",
            count=values["held_count"],
        )
        _ask(rule, user, text)
    elif values["error_text"] and not rule.error_text:
        _ask(rule, user, values["error_text"])
    rule.write(values | {"last_run": fields.Datetime.now()})


def _ask(rule, user, note):
    rule.activity_schedule(
        ACTIVITY, user_id=user.id, summary=rule.env._("SMS rule"), note=note
    )


@dataclass(slots=True)
class _Job:
    """One future message: what it is about and who gets it."""

    dues: list
    addressee: Addressee
    is_only: bool = True


class RuleRun:
    """One run of one rule. Commits as it goes.

    :param rule: ``sms.devino.rule``, one, with all rights
    """

    def __init__(self, rule):
        self.own_env = rule.env
        self.rule = rule._as_responsible()
        self.env = self.rule.env
        # an app may be gone since, or a sender refused
        check_rule(self.rule, is_complete=True)
        self._finder = Finder(self.rule)
        self._account = preparing.pick_account(self.env, self.rule.account_id)
        self._window = Window(self.rule, self._finder.zone)
        self._text = RuleText(self.rule, self._finder.model)
        self._pricing = self._account._get_pricing()
        self._use_for = timedelta(hours=self.rule.use_hours)
        self._key = key_of(self.rule)

    def run(self):
        """Send what is due, or ask first when it is too much.

        :return: values to keep with the rule
        """
        dues = self._finder.find_due()
        if len(dues) > self.rule.cap and not self.rule.is_cap_lifted:
            return {"held_count": len(dues)}
        jobs, missing = self._address(dues)
        for page in split_every(PAGE, missing):
            commit_retrying(self.own_env, lambda page=page: self._write([], page))
        for page in split_every(PAGE, jobs):
            commit_retrying(self.own_env, lambda page=page: self._write_jobs(page))
        return {"is_cap_lifted": False}

    # --- to whom --------------------------------------------------------------------

    def _address(self, dues):
        """Return the messages to be, and the marks of records that nobody gets any
        about."""
        addressing = Addressing(
            self._finder.model,
            self._account.country_id.code,
            self.rule.recipient_field,
        )
        jobs, missing, groups = [], [], defaultdict(list)
        for page in split_every(PAGE, dues):
            records = self._finder.model.browse(due.record_id for due in page)
            found = addressing.find(records)
            blocked = self._find_blocked(found)
            for due in page:
                usable = [o for o in found[due.record_id] if o.number not in blocked]
                good = list({one.number: one for one in usable if one.number}.values())
                if not good:
                    first = found[due.record_id][0]
                    reason = usable[0].reason if usable else blocked[first.number]
                    missing.append(
                        _mark(self.rule, due.record_id, due.occasion, reason=reason)
                    )
                elif self.rule.is_grouped:
                    groups[good[0].key].append((due, good[0]))
                else:
                    jobs += [_Job([due], one, len(good) == 1) for one in good]
            self.env.invalidate_all()
        for members in groups.values():
            jobs.append(_Job([due for due, _one in members], members[0][1]))
        return jobs, missing

    def _find_blocked(self, found):
        """Return number -> why it must get nothing: a refusal, or no consent."""
        company, purpose = self.rule.company_id.sudo(), self.rule.purpose
        numbers = {o.number for several in found.values() for o in several if o.number}
        missing = consent.find_missing(company, purpose, numbers)
        blocked = dict.fromkeys(missing, consent.REASON)
        if consent.refusal_ends(company, purpose):
            refused = self.env["phone.blacklist"]._sms_devino_blacklisted(numbers)
            blocked |= dict.fromkeys(refused, "blacklisted")
        return blocked

    # --- rows -----------------------------------------------------------------------

    def _write_jobs(self, jobs):
        model = self._finder.model
        texts = self._text.render(
            [(model.browse(job.dues[0].record_id), job.addressee.lang) for job in jobs],
            [model.browse(due.record_id for due in job.dues) for job in jobs]
            if self.rule.is_grouped
            else None,
        )
        rows, marks = [], []
        now = fields.Datetime.now()
        start = self._window.next_open(now)
        common = self._make_common(now, start)
        for job, text in zip(jobs, texts, strict=True):
            key = self._make_key(job)
            row, reason = self._make_row(job, text, key, start)
            row = row and common | row
            rows += [row] if row else []
            mark_key = rule_departure.mark_key(key) if row else None
            marks += [
                _mark(
                    self.rule,
                    due.record_id,
                    due.occasion,
                    key=mark_key,
                    reason=reason,
                )
                for due in job.dues
            ]
        self._write(rows, marks, is_many=len(jobs) > FEW)
        self.env.invalidate_all()

    def _make_key(self, job):
        first = job.dues[0]
        if self.rule.is_grouped:
            what = ";".join(f"{due.record_id},{due.occasion}" for due in job.dues)
            digest = hashlib.sha256(what.encode()).hexdigest()[:24]
            return f"{self._key}/group/{digest}"
        key = f"{self._key}/{first.record_id}/{first.occasion}"
        return key if job.is_only else f"{key}/{job.addressee.key}"

    def _make_common(self, now, start):
        """Return what the rows of a page have in common, which leave at ``start``."""
        is_later = start > now
        return {
            **self._account._message_values(start),
            "sender_name": self.rule.sender_id.name,
            "res_model": self.rule.model,
            "author_id": self.env.uid,
            "purpose": self.rule.purpose,
            "scheduled_at": start if is_later else None,
            "state": "scheduled" if is_later else "outgoing",
        }

    def _make_row(self, job, text, key, start):
        """Return what is a row's own, or ``None`` and why there is no message."""
        company, one = self.rule.company_id, job.addressee
        text = ad_line.complete(company, self.rule.purpose, text, one.number)
        body = sms_text.normalise(text or "").replace("\x00", "")
        if not body.strip():
            return None, "no_text"
        if len(body) > sms_text.MAX_TEXT_LENGTH:
            return None, "long_text"
        end = max(due.moment for due in job.dues) + self._use_for
        if start >= end:
            return None, "too_late"
        segments = count_segments(body)[1]
        return {
            "use_until": end,
            "number": one.number,
            "number_raw": one.raw if one.raw != one.number else None,
            "name": one.name or None,
            "partner_id": one.partner_id,
            "res_id": job.dues[0].record_id,
            "dedup_key": key,
            "body": body,
            "segment_count": segments,
        }, None

    def _write(self, rows, marks, *, is_many=False):
        """Write messages and marks together; what somebody else has marked is left."""
        # if several messages are about a record, the one that is sent counts
        marks = sorted(marks, key=lambda mark: bool(mark["message_key"]))
        unique = {(mark["res_id"], mark["occasion"]): mark for mark in marks}
        written = insert_rows(self.env["sms.devino.mark"].sudo(), list(unique.values()))
        if len(written) < len(unique):
            keys = set(written.mapped("message_key"))
            rows = [
                row for row in rows if rule_departure.mark_key(row["dedup_key"]) in keys
            ]
        if not rows:
            return
        self._pricing.fill(rows)
        priority = {"priority": "0" if is_many else "1"}
        messages = self.env["sms.devino.message"].sudo()
        created = messages._write_rows([row | priority for row in rows])
        if watched := automation.watch(created, "state", created=True):
            automation.run_after_commit(watched, created)
        for at in {row["scheduled_at"] for row in rows}:
            wake_once(self.env, DISPATCH, at)
