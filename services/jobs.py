"""The scheduled actions of the addon, which a person may switch off or delete."""

import logging

import psycopg2.errors

from odoo import SUPERUSER_ID
from odoo.tools.convert import convert_file

_logger = logging.getLogger(__name__)

DISPATCH = "sms_devino.ir_cron_dispatch"
DATA_FILE = "data/ir_cron_data.xml"


def find_job(env, xmlid):
    """Return a scheduled action, made again if somebody has deleted it.

    :param str xmlid: of an ``ir.cron`` in :data:`DATA_FILE`
    :return: the ``ir.cron`` with the rights to use it (sudo); empty when another
        transaction is making it again right now
    """
    env = env(user=SUPERUSER_ID, context={})
    if job := env.ref(xmlid, raise_if_not_found=False):
        return job
    try:
        with env.cr.savepoint():
            # as an update of the module: what is there stays as it is
            convert_file(env, "sms_devino", DATA_FILE, {})
    except psycopg2.errors.UniqueViolation:
        return env["ir.cron"]
    return env.ref(xmlid)


def trigger(env, xmlid, at=None):
    """Have a scheduled action run soon, or at a time.

    :param str xmlid: as for :func:`find_job`
    :param at: UTC, a ``datetime`` or several; now without it
    """
    if job := find_job(env, xmlid):
        job._trigger(at=at)


def for_each(accounts, work, message):
    """Do the work of a scheduled action for each account, and commit after each one.

    The failure of one account does not stop the others.

    :param work: callable with an ``sms.devino.account``
    :param str message: for the log; takes the id of the account and the kind of error
    """
    env = accounts.env
    for account in accounts:
        try:
            work(account)
        except Exception as error:
            if env.cr.closed:
                raise
            env.cr.rollback()
            _logger.warning(message, account.id, type(error).__name__)
        env["ir.cron"]._commit_progress(1)


def job_problem(env):
    """Return a sentence for forms about why nothing is sent, or ``False``."""
    job = env(su=True).ref(DISPATCH, raise_if_not_found=False)
    if not job:
        return env._(
            "Nothing is sent: the scheduled action that sends SMS was deleted. The "
            "next SMS, or an update of this app, makes it again."
        )
    if not job.active:
        return env._(
            "Nothing is sent: the scheduled action “%(name)s” is switched off. An "
            "administrator switches it on in Settings > Technical > Scheduled Actions.",
            name=job.name,
        )
    return False
