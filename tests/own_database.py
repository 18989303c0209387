"""A database of its own for a test that installs, updates or uninstalls."""

import inspect
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from odoo.sql_db import close_db, db_connect
from odoo.tools import SQL, config

from .server_process import environment, write_config

_logger = logging.getLogger(__name__)

SIGN = "answer of the test: "


class OwnDatabase:
    """A copy of the template that ``./dev test`` prepares, else an empty database.

    A context manager, which drops it. All work on it is done by processes of their own,
    since Odoo forbids operations on modules inside tests.
    """

    def __init__(self, name):
        self.name = name
        self._folder = tempfile.TemporaryDirectory()
        self._rc = Path(self._folder.name, "odoo.conf")

    def __enter__(self):
        template = os.environ.get("SMS_DEVINO_TEMPLATE", "template0")
        write_config(self._rc, db_name=self.name, max_cron_threads=0)
        self._drop()
        self._execute("CREATE DATABASE %s TEMPLATE %s", self.name, template)
        return self

    def __exit__(self, *exc_info):
        self._drop()
        self._folder.cleanup()

    def _drop(self):
        close_db(self.name)
        self._execute("DROP DATABASE IF EXISTS %s WITH (FORCE)", self.name)
        shutil.rmtree(config.filestore(self.name), ignore_errors=True)

    @staticmethod
    def _execute(statement, *names):
        with closing(db_connect("postgres").cursor()) as cr:
            cr._cnx.autocommit = True  # a database is not made in a transaction
            cr.execute(SQL(statement, *map(SQL.identifier, names)))

    def odoo(self, *arguments, stdin=""):
        """Run a command of Odoo to its end; return its output.

        :raise AssertionError: it failed or logged an error, with its last words
        """
        command, *options = arguments
        _logger.info("%s: %s", self.name, " ".join(arguments))
        process = subprocess.run(
            [sys.executable, "-m", "odoo", command, "-c", self._rc, *options],
            env=environment(),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        told = process.stderr + process.stdout
        if process.returncode or " ERROR " in told or " WARNING " in told:
            raise AssertionError(f"odoo {' '.join(arguments)}:\n{told[-6000:]}")
        return process.stdout

    def update(self, *options):
        """Install or update modules."""
        self.odoo("server", *options, "--stop-after-init", "--no-http")

    def call(self, *functions):
        """Run functions of one argument, ``env``, and commit; return what each does.

        They run in another process: what they use they import, and they return what
        fits into JSON.
        """
        names = ", ".join(f"{function.__name__}(env)" for function in functions)
        source = [
            *map(inspect.getsource, functions),
            f"answers = [{names}]",
            "env.cr.commit()",
            f"import json; print({SIGN!r} + json.dumps(answers))",
        ]
        told = self.odoo("shell", "--no-http", stdin="\n".join(source))
        return json.loads(told.split(SIGN)[1].splitlines()[0])
