"""The journal as the provider of Odoo's own SMS: what goes in, what is told back."""

import logging

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..tools import phone
from .commit import CONFLICTS
from .sms_devino_message import RISKY_TO_REPEAT, SAFE_TO_REPEAT

_logger = logging.getLogger(__name__)

# State of the journal -> state of Odoo's sms.sms, for those that Odoo must hear of.
SMS_STATES = {
    "sent": "pending",
    "delivered": "sent",
    "failed": "error",
    "undelivered": "error",
    "unknown": "error",
    "canceled": "canceled",
}
# What the provider reports -> the delivery errors that Odoo knows (sms_<error>).
DELIVERY_ERRORS = {
    "Error_Expired": "expired",
    "Error_Invalid_Destination_Address": "invalid_destination",
    "Error_Rejected": "rejected",
}
# What is answered for a uuid that the journal has already, by the state of its row.
KNOWN_ANSWERS = {"sent": "success", "unconfirmed": "success", "delivered": "delivered"}


class Unlogged(str):
    """A sentence with a number or a text in it, kept out of Odoo's log of results."""

    __slots__ = ()

    def __repr__(self):
        return "'…'"


class SmsDevinoMessage(models.Model):
    _inherit = "sms.devino.message"

    # --- what goes in ---------------------------------------------------------------

    @api.model
    def _take_over(self, company, messages):
        """Write what Odoo sends into the journal, by one statement.

        A uuid that is on its way or has arrived is not written again.

        :param company: ``res.company`` with an account to send through
        :param list messages: as ``SmsApiBase._send_sms_batch`` gets them
        :return: list of dicts ``{"uuid", "state"}``, with ``failure_reason`` for those
            that cannot be sent
        """
        wanted = {
            number["uuid"]: (number["number"], message["content"])
            for message in messages
            for number in message["numbers"]
        }
        known = self.search([("uuid", "in", list(wanted))], order="id")
        known = {message.uuid: message for message in known}
        sms_by_uuid = {
            sms.uuid: sms
            for sms in self.env["sms.sms"].search([("uuid", "in", list(wanted))])
        }
        results, rows, overridden = [], [], set()
        for uuid, (number, content) in wanted.items():
            sms = sms_by_uuid.get(uuid, self.env["sms.sms"])
            answer, row = self._read_sms(
                company, sms, known.get(uuid, self), number, sms.body or content
            )
            results.append({"uuid": uuid, **answer})
            if row:
                rows.append(row | {"uuid": uuid})
                if sms.sms_devino_override:
                    overridden.add(uuid)
        if rows:
            self._write_taken_over(rows, overridden)
        return results

    @api.model
    def _read_sms(self, company, sms, earlier, number, body):
        """Judge one message that Odoo wants to send.

        :param sms: its ``sms.sms``, maybe empty
        :param earlier: the journal's last message with the same uuid, maybe empty
        :return: the answer for Odoo, and the row for the journal or ``None``
        """
        if earlier and earlier.state not in SAFE_TO_REPEAT:
            return self._answer_known(earlier), None
        author = sms.create_uid
        journal = self.with_context(lang=author.lang or self.env.lang)
        account = company.sms_devino_account_id
        reading = phone.read(number or "", account.country_id.code)
        if reading.verdict == "empty":
            return {"state": "sms_number_missing"}, None
        try:
            values = journal._prepare_message(
                journal._check_account(account),
                number,
                body,
                sender=account._get_sender_named(sms.sms_devino_sender).name,
                planned_at=sms.sms_devino_planned_at,
            )
        except UserError as error:
            state = "refused" if reading.sendable else "wrong_number_format"
            return {"state": state, "failure_reason": Unlogged(error)}, None
        document = self._document_of_sms(sms)
        return {"state": "processing"}, values | {
            "priority": "0" if sms.sms_devino_is_mass else "1",
            "partner_id": sms.partner_id.id or None,
            "author_id": (author or self.env.user).id,
            "res_model": document[0],
            "res_id": document[1],
            "repeat_of_id": earlier.id or None,
        }

    @api.model
    def _check_account(self, account):
        if not account.active:
            raise UserError(
                self.env._("The SMS account “%s” is archived.", account.name)
            )
        return account

    @api.model
    def _answer_known(self, earlier):
        """Return the answer for a message that the journal has already."""
        if earlier.state in RISKY_TO_REPEAT and earlier.state not in KNOWN_ANSWERS:
            reason = self.env._(
                "Nobody knows whether this message reached the recipient. Send it "
                "again from the journal, if it must be."
            )
            return {"state": "unknown_outcome", "failure_reason": reason}
        return {"state": KNOWN_ANSWERS.get(earlier.state, "processing")}

    @api.model
    def _document_of_sms(self, sms):
        """Return model and id of the document that a message comes from."""
        message = sms.mail_message_id.sudo()
        if message.model and message.res_id:
            return message.model, message.res_id
        return sms.sms_devino_res_model or None, sms.sms_devino_res_id or None

    @api.model
    def _write_taken_over(self, rows, overridden):
        written = self.browse(self._insert(rows))
        if overridden:
            self._note_override(written.filtered(lambda m: m.uuid in overridden))
        wait = len(rows) == 1 and bool(self.env.context.get("sms_devino_wait"))
        written._wake(wait=wait)

    @api.model
    def _note_override(self, messages):
        """Keep in the history that a number on the exclusion list was written to."""
        excluded = self.env["phone.blacklist"]._sms_devino_excluded(
            messages.mapped("number")
        )
        rows = [{"id": m.id} for m in messages if m.number in excluded]
        if rows:
            event = self._history_sql("exclusion_overridden", SQL("NULL"))
            self._update_rows([], rows, extra=event)

    def _read_history(self, entry):
        event = super()._read_history(entry)
        if entry["event"] == "exclusion_overridden":
            event["text"] = self.env._(
                "Sent although the number is on the exclusion list"
            )
        return event

    def _repeat(self):
        """Let the new message report to whatever showed the first one's fate."""
        copy = super()._repeat()
        copy._update_rows(["uuid"], [{"id": copy.id, "uuid": self.uuid}])
        trackers = self.env["sms.tracker"].sudo().search([("sms_uuid", "=", self.uuid)])
        if trackers:
            trackers.with_context(sms_devino=True)._action_update_from_sms_state(
                "process"
            )
        return copy

    # --- what is told back ----------------------------------------------------------

    @api.model
    def _on_transition(self, target, ids):
        result = super()._on_transition(target, ids)
        if target in SMS_STATES and ids:
            self.sudo()._tell_odoo(target, ids)
        return result

    @api.model
    def _tell_odoo(self, target, ids):
        """Show what became of messages where Odoo shows them: the chatter's icons,
        mailing traces, ``sms.sms`` while it is there.

        Trouble there must not keep the journal from being written.
        """
        links = self._find_links(ids)
        if not links:
            return
        try:
            with self.env.cr.savepoint():
                self._update_links(target, links)
        except CONFLICTS:
            # the whole piece of work is done again
            raise
        except Exception:
            _logger.exception(
                "Odoo could not be told of %s messages: %s", len(links), target
            )

    @api.model
    def _find_links(self, ids):
        """Return what shows the fate of messages, found by one query.

        :return: dict message id -> (id of a ``sms.tracker`` or None, id of a
            ``sms.sms`` or None), only of messages that have either
        """
        self.env["sms.tracker"].flush_model(["sms_uuid"])
        self.env["sms.sms"].flush_model(["uuid"])
        self.env.cr.execute(
            SQL(
                """SELECT m.id, t.id, s.id
                     FROM sms_devino_message m
                     LEFT JOIN sms_tracker t ON t.sms_uuid = m.uuid
                     LEFT JOIN sms_sms s ON s.uuid = m.uuid
                    WHERE m.id = ANY(%s) AND (t.id IS NOT NULL OR s.id IS NOT NULL)""",
                list(ids),
            )
        )
        return {
            message: (tracker, sms) for message, tracker, sms in self.env.cr.fetchall()
        }

    @api.model
    def _update_links(self, target, links):
        if SMS_STATES[target] == "error":
            by_failure = self.browse(links).grouped(lambda m: m._describe_failure())
        else:
            by_failure = {(None, False): self.browse(links)}
        for (failure, reason), messages in by_failure.items():
            pairs = [links[message.id] for message in messages]
            trackers = self.env["sms.tracker"].browse(
                [tracker for tracker, _sms in pairs if tracker]
            )
            all_sms = self.env["sms.sms"].browse(
                [sms for _tracker, sms in pairs if sms]
            )
            self._update_trackers(
                trackers.with_context(sms_devino=True), target, failure, reason
            )
            self._update_sms(all_sms, target, failure)

    @api.model
    def _update_trackers(self, trackers, target, failure, reason):
        if not trackers:
            return
        if target == "canceled":
            trackers._sms_devino_cancel()
        elif target == "undelivered" or failure == "expired":
            trackers = trackers.with_context(sms_known_failure_reason=reason)
            trackers._action_update_from_provider_error(failure)
        else:
            trackers._action_update_from_sms_state(
                SMS_STATES[target], failure_type=failure or False, failure_reason=reason
            )

    @api.model
    def _update_sms(self, all_sms, target, failure):
        """Let what surely failed be sent again by Odoo's own means, nothing else."""
        if not all_sms or target == "unknown":
            return
        values = {"state": SMS_STATES[target], "failure_type": False}
        if SMS_STATES[target] == "error":
            known = dict(all_sms._fields["failure_type"].selection)
            values["failure_type"] = failure if failure in known else "unknown"
            values["to_delete"] = False
        all_sms.write(values)

    def _describe_failure(self):
        """Return what Odoo calls the failure of this message, and why in words.

        The words are in the language of who sent it.

        :return: a tuple of a failure type (of a report: a delivery error) and a text
        """
        self.ensure_one()
        lang = self.author_id.lang or self.company_id.partner_id.lang
        message = self.with_context(lang=lang or self.env.lang)
        if self.state == "undelivered":
            failure = DELIVERY_ERRORS.get(self.message_status, "not_delivered")
            return failure, message._get_label("message_status")
        if self.reason == "expired":
            return "expired", message._get_label("reason")
        number_refused = "Error_Invalid_Destination_Address"
        if self.operation_status == number_refused and self.reason == "refused":
            return "sms_number_format", message._get_label("operation_status")
        refused = self.reason == "refused" and self.operation_status
        return "unknown", message._get_label(
            "operation_status" if refused else "reason"
        )

    def _get_label(self, name):
        """Return the value of a selection as a person reads it."""
        labels = dict(self._fields[name]._description_selection(self.env))
        return labels.get(self[name]) or False
