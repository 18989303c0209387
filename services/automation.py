"""Automation rules of Odoo (base_automation) on changes that one statement makes.

base_automation watches ``create`` and ``write``. Rows that change their state by SQL
are given to the same rules here, after the commit and in transactions of their own: a
rule that fails or takes long changes no state and holds up no claim.
"""

import logging
from dataclasses import dataclass

from odoo import api

from .private_log import log_failure

_logger = logging.getLogger(__name__)

CREATE_TRIGGERS = ["on_create", "on_create_or_write", "on_state_set"]
WRITE_TRIGGERS = ["on_write", "on_create_or_write", "on_state_set"]
# A rule costs some milliseconds for each record.
PAGE = 200


@dataclass
class Watch:
    """What the rules need to know of records before a change.

    :ivar triggers: of the rules that may apply
    :ivar old_values: id -> dict of field -> value
    :ivar candidates: id of a rule -> ids that meet its precondition
    """

    triggers: list
    old_values: dict
    candidates: dict


def watch(records, name, *, created=False):
    """Look at records before their field ``name`` changes by SQL.

    :param bool created: for the rules, the records only begin to exist
    :return: a :class:`Watch`, or ``None`` when no rule is concerned
    """
    if "base.automation" not in records.env:
        return None
    triggers = CREATE_TRIGGERS if created else WRITE_TRIGGERS
    rules = records.env["base.automation"]._get_actions(records, triggers)
    if not rules:
        return None
    records = records.with_env(rules.env).exists()
    return Watch(
        triggers,
        {} if created else {record.id: {name: record[name]} for record in records},
        {rule.id: set(rule._filter_pre(records).ids) for rule in rules},
    )


def recompute(records):
    """Compute the stored fields that wait for it, and run no rule on that.

    base_automation would run rules in the middle of this transaction, where a failing
    one could keep a change of state from being written.
    """
    env = records.env
    pending = any(f.model_name == records._name for f in env.fields_to_compute())
    if not pending or "base.automation" not in env:
        return
    rules = env["base.automation"].sudo().search([("model_name", "=", records._name)])
    done = dict.fromkeys(rules, records)
    records.with_context(__action_done=done)._recompute_recordset()


def run_after_commit(watched, changed):
    """Run the rules on the records that did change, once that is committed.

    :param Watch watched: what :func:`watch` returned
    :param changed: the records
    """
    cr, ids, model, uid = changed.env.cr, changed.ids, changed._name, changed.env.uid
    registry = changed.env.registry

    def run():
        for start in range(0, len(ids), PAGE):
            with registry.cursor() as own_cr:
                env = api.Environment(own_cr, uid, {}, su=True)
                _run_page(watched, env[model].browse(ids[start : start + PAGE]))

    cr.postcommit.add(run)


def _run_page(watched, records):
    rules = records.env["base.automation"]._get_actions(records, watched.triggers)
    for rule in rules.with_context(old_values=watched.old_values or None):
        candidates = watched.candidates.get(rule.id, ())
        found = records.with_env(rule.env).filtered(lambda r, c=candidates: r.id in c)
        try:
            with records.env.cr.savepoint():
                _run_rule(rule, found)
        except Exception:
            if records.env.cr.closed:
                raise
            log_failure(_logger, "automation rule %s failed on the journal", rule.id)


def _run_rule(rule, records):
    found, domain = rule._filter_post_export_domain(records, feedback=True)
    rule._process(found, domain_post=domain)
