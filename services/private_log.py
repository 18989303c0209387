"""What Odoo logs of SQL that fails, without the numbers and texts in it."""

import logging
import re
import threading
from contextlib import contextmanager

_sql_logger = logging.getLogger("odoo.sql_db")
has_our_table = re.compile(r"\bsms_(devino|sms|composer)").search


class PrivateQueries(logging.Filter):
    """Says of a failed statement on tables with SMS only the kind of the error."""

    def filter(self, record):
        """Rewrite the record; keep it."""
        if record.levelno >= logging.ERROR and record.args:
            if has_our_table(str(record.args[0])):
                error = type(record.args[-1]).__name__
                record.args = ("(on SMS, not shown)", error)
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
