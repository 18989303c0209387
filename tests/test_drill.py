import json
import logging
import subprocess
import sys
import tempfile
from pathlib import Path

from odoo.tests import BaseCase, get_db_name, tagged

from .own_database import OwnDatabase
from .server_process import environment, write_config

_logger = logging.getLogger(__name__)

DRILL = Path(__file__).parents[1] / "benchmarks" / "drill.py"


@tagged("post_install", "-at_install", "sms_devino")
class TestDrill(BaseCase):
    """The short form of ``./dev drill``."""

    def test_whatever_fails_nothing_goes_twice_or_is_lost_or_told_wrong(self):
        with OwnDatabase(f"{get_db_name()}_drill") as database:
            database.update("--init", "sms_devino")
            figures = self.play(database.name)
        self.assertGreater(figures["accepted once"], 0)
        for name in ("twice", "lost", "disagree"):
            self.assertEqual(figures[name], 0, figures)

    def play(self, name):
        """Return the figures of a drill."""
        _logger.info("%s: drill", name)
        with tempfile.TemporaryDirectory() as folder:
            rc = Path(folder, "odoo.conf")
            write_config(rc, db_name=name)
            process = subprocess.Popen(
                [sys.executable, DRILL, "--short", "--config", rc],
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            told = []
            with process:
                for line in process.stdout:
                    _logger.info("drill: %s", line.rstrip())
                    told.append(line)
        self.assertEqual(process.returncode, 0, "".join(told[-100:]))
        return json.loads(told[-1])
