"""drill and bench: on a PostgreSQL cluster of their own, since they restart it."""

from .base import ADDON, CHECKOUT, HOME, OWN, foreground, only_one, step
from .databases import addon_hash, prepared
from .odoo import write_config
from .postgres import Cluster
from .system import DRILL_NEEDS, system_packages

DATABASE = f"{ADDON}_measured"
MODULES = ["contacts", "sms_twilio", ADDON]
MEASURING_CONFIG = OWN / "measuring.conf"


class MeasuringCluster(Cluster):
    """What is committed is kept, and the time zone has a summer time: a statement that
    is wrong about either shows."""

    SETTINGS = f"""{Cluster.SETTINGS}
synchronous_commit = on
timezone = 'Europe/Berlin'
"""

    def __init__(self):
        super().__init__("measuring")

    def address(self):
        """Host, port and user."""
        return str(self.socket_folder), self.PORT, self.ROLE


def measured_database(odoo, cluster):
    """Install or update the addon in the database that is measured, or copied."""
    done = HOME / "run" / "measured.hash"
    wanted = f"{odoo.identity()} {addon_hash()}"
    if done.exists() and cluster.exists(DATABASE):
        if done.read_text() == wanted:
            return
        command = ["--update", ADDON]
    else:
        cluster.drop(DATABASE)
        command = ["--init", ",".join(MODULES)]
    done.unlink(missing_ok=True)
    options = ["-c", MEASURING_CONFIG, *command, "--stop-after-init", "--no-http"]
    with step(f"Database with {', '.join(MODULES)}"):
        odoo.run("measuring-install", odoo.options(DATABASE, *options))
    done.write_text(wanted)


def run_script(name, *options):
    """Run a script of benchmarks/ with Odoo and the database ready."""
    lock = only_one("drill-or-bench")
    with prepared() as (odoo, _cluster), MeasuringCluster() as cluster:
        write_config(odoo.folder, cluster, MEASURING_CONFIG)
        measured_database(odoo, cluster)
        path = f"{OWN / 'python'}:{CHECKOUT}"
        command = [odoo.python, CHECKOUT / "benchmarks" / name]
        command += ["--config", MEASURING_CONFIG, *options]
        code = foreground(command, env=odoo.env() | {"PYTHONPATH": path}, cwd=OWN)
    lock.release()
    return code


def command_drill(args):
    system_packages(DRILL_NEEDS)
    return run_script("drill.py", "--template", DATABASE, *args.options)


def command_bench(args):
    return run_script("bench.py", "--database", DATABASE, *args.options)
