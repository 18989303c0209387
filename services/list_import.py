"""The import of a long file into a recipient list: a job that commits page by page.

The file and what to do with it are kept with the list. Each page is committed together
with its number, so that a job that is stopped, or killed, goes on with the next page:
no row is lost, none is written twice.
"""

import base64
import logging

from odoo.exceptions import AccessError, UserError, ValidationError

from .commit import commit_retrying, seconds_left, wake_once
from .filling import COUNTS, Filling
from .private_log import log_failure
from .source import read_rows
from .words import describe_break, send_notice

_logger = logging.getLogger(__name__)

JOB = "sms_devino.ir_cron_calculate"
# Files with more rows are imported by the job.
LONG = 2_000


def queue(record_list, source, total, **options):
    """Have the job import a file.

    :param record_list: ``sms.devino.recipient.list``, with the rights of the importer
    :param source: content, file name and columns, as ``source.read_rows`` takes them
    :param int total: how many rows the file has
    :param options: ``columns``, ``update_existing``, ``keep_wrong`` and ``consent``, as
        the list's ``_add_rows`` takes them
    :raise UserError: while another file is being imported
    """
    record_list.check_access("write")
    if record_list.import_state == "queued":
        raise UserError(
            record_list.env._("A file is being imported into this list. Wait for it.")
        )
    content, name, columns = source
    record_list.sudo().write(
        {
            "import_state": "queued",
            "import_error": False,
            "import_file": base64.b64encode(content),
            "import_total": total,
            "import_done": 0,
            "import_job": {
                "user_id": record_list.env.uid,
                "name": name,
                "source_columns": columns,
                "pages": 0,
                "counts": dict.fromkeys(COUNTS, 0),
                **options,
            },
        }
    )
    wake_once(record_list.env, JOB)


def run_queue(lists):
    """Import the files that wait for it. Commits as it goes.

    :param lists: an empty ``sms.devino.recipient.list``, with all rights
    """
    lists = lists.with_context(active_test=False)
    for record_list in lists.search([("import_state", "=", "queued")], order="id"):
        if not seconds_left(lists.env):
            wake_once(lists.env, JOB)
            break
        _run(record_list)


def _run(record_list):
    """Import the file of a list, from where an earlier run has stopped."""
    env = record_list.env
    try:
        if not _write_pages(record_list):
            wake_once(env, JOB)
            return
        values = {"import_state": False}
    except (UserError, AccessError, ValidationError) as error:
        env.cr.rollback()
        values = {"import_state": "failed", "import_error": str(error)}
    except Exception as error:
        if env.cr.closed:
            raise
        env.cr.rollback()
        log_failure(_logger, "list %s: the import broke off", record_list.id)
        user = env["res.users"].browse(record_list.import_job["user_id"])
        words = describe_break(env, error, user.lang)
        values = {"import_state": "failed", "import_error": words}
    commit_retrying(env, lambda: _finish(record_list, values))


def _as_user(record_list):
    """Return the list with the rights and language of the importer."""
    user = record_list.env["res.users"].browse(record_list.import_job["user_id"])
    mine = record_list.with_user(user).with_context(
        lang=user.lang, tz=user.tz, allowed_company_ids=user.company_ids.ids
    )
    mine.check_access("write")
    return mine


def _write_pages(record_list):
    """Write the pages that are not written yet; return whether all are."""
    job = record_list.import_job
    mine = _as_user(record_list)
    content = base64.b64decode(record_list.import_file)
    rows = read_rows(mine.env, content, job["name"], job["source_columns"])
    filling = Filling(
        mine, update_existing=job["update_existing"], consent=job.get("consent")
    )
    for number, page in enumerate(filling.pages(rows), start=1):
        if number <= job["pages"]:
            # written by a run that was stopped; read again to know its numbers
            continue
        job = _add_page(job, page)
        commit_retrying(
            record_list.env,
            lambda page=page, job=job: _write_page(record_list, filling, page, job),
        )
        if not seconds_left(record_list.env):
            return False
    return True


def _add_page(job, page):
    """Return what is known of the import once a page is written."""
    counts = dict(job["counts"])
    titles = dict.fromkeys(job["columns"])
    for line in page:
        counts[line.action] += 1
        titles.update(dict.fromkeys(line.row.get("data") or ()))
    return {
        **job,
        "counts": counts,
        "columns": list(titles),
        "pages": job["pages"] + 1,
    }


def _write_page(record_list, filling, page, job):
    filling.write_page(page, keep_wrong=job["keep_wrong"])
    record_list._add_columns(job["columns"])
    record_list.write({"import_job": job, "import_done": sum(job["counts"].values())})


def _finish(record_list, values):
    """Tell who has imported how it went, and forget the file."""
    job, name = record_list.import_job, record_list.name
    user = record_list.env["res.users"].browse(job["user_id"])
    record_list.write({**values, "import_file": False, "import_job": False})
    record_list = record_list.with_context(lang=user.lang)
    # the pages before an error are in the list
    error = values.get("import_error")
    text = record_list._describe_counts(job["counts"])
    text = f"{error} {text}" if error else text
    is_good = not error and not job["counts"]["wrong"]
    record_list.message_post(body=text)
    send_notice(user, name, text, is_good=is_good)
