"""The calculation of a draft: a job that writes its rows into the journal.

It runs with the rights, company, language and time zone of the person who asked for
it. Rows are written in pages, each committed; the figures are published at the end,
unless the draft was changed in the meantime. The transactions need no locks: they are
"repeatable read", so that a draft which somebody else changes is a conflict, and
``commit_retrying`` looks at it again.
"""

import logging
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError

from ..tools import placeholders
from . import same_text
from .audience import Audience
from .commit import commit_retrying
from .draft_text import describe_chars, parse_text
from .forecast import Forecast, make_row

_logger = logging.getLogger(__name__)

# A balance older than this is asked for again before it is shown beside a cost.
FRESH_BALANCE = timedelta(minutes=5)


class Calculation:
    """One calculation of one draft.

    :param batch: ``sms.devino.batch`` with all rights, in the environment of the job
    """

    def __init__(self, batch):
        self.env = batch.env
        self.batch = batch
        self.revision = 0
        self.calculated_at = None

    def run(self):
        """Calculate and publish. Commits as it goes."""
        if not self._commit(self._begin):
            return
        try:
            values = self._write_rows()
        except (UserError, AccessError, ValidationError) as error:
            self.env.cr.rollback()
            values = {"calculation": "failed", "error_text": str(error)}
        except Exception as error:
            if self.env.cr.closed:
                raise
            self.env.cr.rollback()
            _logger.exception("batch %s: calculating broke off", self.batch.id)
            values = {"calculation": "failed", "error_text": type(error).__name__}
        if self._commit(lambda: self._publish(values)):
            self._refresh_balance()

    def _commit(self, work):
        return commit_retrying(self.env, work)[0]

    def _begin(self):
        """Take the draft and remove the rows of the last calculation."""
        self.batch.invalidate_recordset()
        if not self.batch.exists():
            return False
        if self.batch.state != "draft" or self.batch.calculation != "queued":
            return False
        self.revision = self.batch.revision
        self.calculated_at = fields.Datetime.now()
        self.batch._remove_draft_rows()
        self.batch.write({"calculation": "running", "calculated_revision": 0})
        return True

    def _is_outdated(self):
        self.batch.invalidate_recordset()
        batch = self.batch.exists()
        return not batch or (batch.revision, batch.state) != (self.revision, "draft")

    def _write_rows(self):
        """Write a row for each recipient.

        :return: the values to publish; ``None`` when the draft was changed meanwhile
        :raise UserError: when something about the draft is wrong; it says what
        """
        draft = self.batch._as_calculating_user()
        draft._check_input()
        if draft.repeat_of_id:
            # each message has its text already
            template = placeholders.parse("")
        else:
            template = parse_text(draft.env, draft.body, draft.names)
        audience = Audience(draft, template.keys)
        find_price = self.batch.account_id._get_price_finder()
        shared = self._shared_values()
        forecast = Forecast()
        messages = draft.env["sms.devino.message"].sudo()
        for page in audience.pages():
            if self._is_outdated():
                return None
            rows = [
                shared
                | make_row(
                    one,
                    template,
                    find_price,
                    skip_empty=draft.empty_policy == "leave_out",
                )
                for one in page
            ]
            same_text.leave_out(self.batch, rows)
            written = self._commit(lambda rows=rows: messages._write_rows(rows))
            for row, message_id in zip(rows, written.ids, strict=True):
                forecast.add(row, message_id)
            messages.invalidate_model()
        return self._sum_up(draft, forecast)

    def _shared_values(self):
        """Return the columns that all rows of the draft share."""
        account = self.batch.account_id
        return {
            "batch_id": self.batch.id,
            "account_id": account.id,
            "company_id": self.batch.company_id.id,
            "mode": account.mode,
            "sender_name": self.batch.sender_id.name,
            "purpose": self.batch.purpose or None,
            "author_id": self.batch.calculated_by_id.id,
            "priority": "0",
        }

    def _sum_up(self, draft, forecast):
        """Return the values to publish, summed over the rows that were written."""
        values = self.batch._sum_rows()
        if not values["total"] and not values["left_out_count"]:
            raise UserError(
                draft.env._("Recipients: choose at least one list or some contacts.")
            )
        values["figures"] |= forecast.get_figures()
        values["figures"]["chars"] = describe_chars(draft.env, forecast.unicode_chars)
        return values | {
            "calculation": "none",
            "error_text": False,
            "calculated_revision": self.revision,
            "calculated_at": self.calculated_at,
        }

    def _publish(self, values):
        """Publish the figures, unless the draft was changed in the meantime.

        :return: whether there are new figures
        """
        if self._is_outdated():
            values = None
        if not self.batch.exists() or self.batch.state != "draft":
            return False
        if values is None:
            # a calculation of the changed draft may have been asked for
            is_queued = self.batch.calculation == "queued"
            values = {} if is_queued else {"calculation": "none"}
        published = "calculated_revision" in values
        if not published:
            self.batch._remove_draft_rows()
        self.batch.write(values)
        return published

    def _refresh_balance(self):
        """Ask for a balance that is old; without an answer the old one is shown."""
        account = self.batch.account_id
        limit = fields.Datetime.now() - FRESH_BALANCE
        if not account.balance_at or account.balance_at < limit:
            try:
                account._refresh_balance()
            except UserError as error:
                _logger.info("account %s: no balance, %s", account.id, error)
            self._commit(lambda: None)
