"""The databases that the commands work on."""

import ast
import contextlib
import hashlib
import os
from pathlib import Path

from .base import ADDON, CHECKOUT, HOME, Failure, Lock, step, stop_children
from .odoo import Odoo, odoo_folder, virtual_environment, write_config
from .postgres import Cluster
from .system import ODOO_NEEDS, system_packages

DEMO_DB = f"{ADDON}_demo"
TEST_DB = f"{ADDON}_test"
I18N_DB = f"{ADDON}_i18n"

# Modules that the addon does not depend on but that its tests exercise.
EXTRA_TEST_MODULES = [
    "base_automation",
    "calendar_sms",
    "contacts",
    "crm_sms",
    "event_sms",
    "mass_mailing_sms",
    "sms_twilio",
    "stock_sms",
]
# Odoo's own modules whose tests must not notice the addon.
ODOO_TEST_MODULES = [
    "mass_mailing_sms",
    "phone_validation",
    "sms",
    "sms_twilio",
    "test_lint",
    "test_mail_sms",
]
# Without demo data Odoo shows the administrator its onboarding tour, which keeps
# loading scripts while a browser test already ends.
NO_ONBOARDING = "UPDATE res_users SET tour_enabled = false"


def manifest():
    path = CHECKOUT / "__manifest__.py"
    if not path.exists():
        raise Failure(f"{path} is missing: this checkout holds no addon.")
    return ast.literal_eval(path.read_text("utf-8"))


def addon_hash():
    """Changes with any file that an installed addon would have to be updated for."""
    digest = hashlib.sha1()
    suffixes = {".py", ".xml", ".csv", ".po", ".sql", ".js", ".scss", ".html", ".svg"}
    others = {"benchmarks", "sandbox", "scripts", "tests", "test_modules"}
    for folder, folders, files in os.walk(CHECKOUT):
        folders[:] = sorted(name for name in {*folders} - others if name[0] != ".")
        for name in sorted(files):
            path = Path(folder, name)
            if path.suffix in suffixes:
                digest.update(bytes(path.relative_to(CHECKOUT)) + path.read_bytes())
    return digest.hexdigest()


def test_template(odoo, cluster, extra=EXTRA_TEST_MODULES):
    """A database with all that the addon depends on; made once, then copied."""
    modules = sorted({*manifest()["depends"], *extra})
    key = hashlib.sha1(
        f"{odoo.identity()} {modules} {NO_ONBOARDING}".encode()
    ).hexdigest()
    template = f"{ADDON}_template_{key[:12]}"
    if not cluster.exists(template):
        with step(f"Template database with {', '.join(modules)}"):
            fresh = f"{ADDON}_template_new"
            cluster.drop(fresh)
            odoo.install("template", fresh, modules)
            cluster.sql(NO_ONBOARDING, fresh)
            cluster.rename(fresh, template)
    return template


def demo_database(odoo, cluster, fresh=False):
    """The demo database, with the addon as it is in the checkout."""
    done = HOME / "run" / "demo.hash"
    wanted = addon_hash()
    if fresh or not done.exists() or not cluster.exists(DEMO_DB):
        done.unlink(missing_ok=True)
        with step("Demo database"):
            cluster.drop(DEMO_DB)
            demo = ["--with-demo", "--load-language=en_US,ru_RU"]
            odoo.install("demo", DEMO_DB, [ADDON], *demo)
    elif done.read_text() != wanted:
        with step("Demo database, update"):
            update = ["--update", ADDON, "--i18n-overwrite"]
            update += ["--stop-after-init", "--no-http"]
            odoo.run("demo", odoo.options(DEMO_DB, *update))
    done.write_text(wanted)


@contextlib.contextmanager
def prepared(needs=ODOO_NEEDS):
    """Odoo and PostgreSQL, ready to use inside the block."""
    if HOME == CHECKOUT or CHECKOUT in HOME.parents:
        raise Failure(f"{HOME} is inside the checkout: set SMS_DEVINO_HOME elsewhere.")
    HOME.mkdir(parents=True, exist_ok=True)
    with Lock("setup"):
        system_packages(needs)
        odoo = Odoo(virtual_environment(), odoo_folder())
    cluster = Cluster()
    write_config(odoo.folder, cluster)
    with cluster:
        try:
            yield odoo, cluster
        finally:
            stop_children()
