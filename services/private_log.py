"""What Odoo logs of SQL that fails, without the numbers and texts in it."""

import logging
import re
import sys
import threading
import traceback
from contextlib import contextmanager

import psycopg2

from .commit import CONFLICTS

_sql_logger = logging.getLogger("odoo.sql_db")
has_our_table = re.compile(r"\bsms_(devino|sms|composer)").search


class PrivateQueries(logging.Filter):
    """Says of a failed statement on tables with SMS only the kind of the error.

    A conflict with another transaction is no error: Odoo repeats a request, and
    ``commit_retrying`` a piece of a job. What fails for good is logged by them.
    """

    def filter(self, record):
        """Rewrite the record; keep it."""
        if record.levelno < logging.ERROR or not record.args:
            return True
        if has_our_table(str(record.args[0])):
            error = record.args[-1]
            if isinstance(error, CONFLICTS):
                record.levelno, record.levelname = logging.INFO, "INFO"
            record.args = ("(on SMS, not shown)", type(error).__name__)
        return True


_sql_logger.addFilter(PrivateQueries())


@contextmanager
def private_sql():
    """Keep every statement that fails out of the log, whatever its tables."""
    thread = threading.get_ident()

    def is_of_others(_record):
        return threading.get_ident() != thread

    _sql_logger.addFilter(is_of_others)
    try:
        yield
    finally:
        _sql_logger.removeFilter(is_of_others)


def log_failure(logger, message, *args):
    """Log the exception being handled; of an SQL error, which quotes rows, only
    its kind and where it came from."""
    error = sys.exc_info()[1]
    if not isinstance(error, psycopg2.Error):
        logger.exception(message, *args)
        return
    places = "".join(traceback.format_tb(error.__traceback__))
    logger.error(f"{message}: %s\n%s", *args, type(error).__name__, places)
