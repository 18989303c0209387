"""A real Odoo server in a process of its own, to be stopped and killed."""

import configparser
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from odoo.tools import config

_logger = logging.getLogger(__name__)

# What the server needs of the configuration that the tests run under.
OPTIONS = ("db_host", "db_port", "db_user", "db_password", "data_dir", "addons_path")


class ServerProcess:
    """Serves a database until it is stopped; a context manager, which kills.

    :param str database: its name
    :param int cron_threads: how many threads run scheduled actions
    """

    def __init__(self, database, *, cron_threads=1):
        self._folder = tempfile.TemporaryDirectory()
        self.log = Path(self._folder.name, "server.log")
        self._rc = Path(self._folder.name, "odoo.conf")
        self._port = _free_port()
        write_config(
            self._rc,
            db_name=database,
            http_interface="127.0.0.1",
            http_port=self._port,
            max_cron_threads=cron_threads,
            workers=0,
            logfile=self.log,
        )
        self._process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc_info):
        self.kill()
        if any(exc_info):
            _logger.info("log of the server:\n%s", self.read_log()[-4000:])
        self._folder.cleanup()

    def start(self):
        """Start the process; it may take seconds until it is ready."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "odoo", "server", "-c", str(self._rc)],
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait_ready(self, seconds=60):
        """Wait until it serves the database.

        :raise AssertionError: it does not, with the end of its log
        """
        end = time.monotonic() + seconds
        url = f"http://127.0.0.1:{self._port}/web/login"
        while time.monotonic() < end and self._process.poll() is None:
            try:
                with urllib.request.urlopen(url, timeout=10):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise AssertionError(f"The server is not up:\n{self.read_log()[-4000:]}")

    def kill(self):
        """Kill it with its children: no handler runs, nothing is written down."""
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def terminate(self, seconds=30):
        """Ask it to stop and wait for its end.

        :return: its exit code
        """
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(seconds)

    def read_log(self):
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""


def write_config(path, **options):
    """Write a configuration file: that of the tests with further options."""
    wanted = {name: config[name] for name in OPTIONS if config[name]} | options
    parser = configparser.RawConfigParser()
    parser["options"] = {name: _as_text(value) for name, value in wanted.items()}
    with path.open("w") as rc:
        parser.write(rc)


def environment():
    """Return the environment variables under which this Odoo is found."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _as_text(value):
    return ",".join(value) if isinstance(value, list | tuple) else str(value)
