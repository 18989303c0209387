"""The Debian packages that only root can install."""

import contextlib
import importlib.util
import os
import shutil
from pathlib import Path

from .base import Failure, clean_env, run, step

# Odoo's browser tests look for these, in this order.
BROWSERS = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")


def pg_bin():
    """The folder of the newest PostgreSQL server programs, or None."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if folders:
        return max(folders, key=lambda path: float(path.parent.name))
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def browser():
    """The path of the browser that Odoo's tests will start, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


SYSTEM_PACKAGES = {
    "ca-certificates": lambda: Path("/etc/ssl/certs/ca-certificates.crt").exists(),
    "python3-venv": lambda: importlib.util.find_spec("ensurepip"),
    "postgresql": pg_bin,
    "chromium": browser,
    "fonts-dejavu-core": Path("/usr/share/fonts/truetype/dejavu").exists,
    "libfaketime": lambda: any(Path("/usr/lib").glob("*/faketime")),
}
PYTHON_NEEDS = ("ca-certificates", "python3-venv")
ODOO_NEEDS = (*PYTHON_NEEDS, "postgresql")
BROWSER_NEEDS = (*ODOO_NEEDS, "chromium", "fonts-dejavu-core")
DRILL_NEEDS = ("libfaketime",)


def system_packages(needed):
    """Install what is missing of `needed`, or say how to."""
    missing = [name for name, present in SYSTEM_PACKAGES.items() if not present()]
    if not set(missing) & set(needed):
        return
    if os.geteuid():
        raise Failure(
            "This machine lacks some packages; run: sudo apt-get update && "
            f"sudo apt-get install --yes {' '.join(missing)}"
        )
    if not shutil.which("apt-get"):
        raise Failure(f"Install these first, there is no apt-get: {' '.join(missing)}")
    wanted = [name for name in missing if name in needed]
    with step(f"Debian packages {', '.join(wanted)}"):
        apt_install(wanted)


def apt_install(packages):
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=300"]
    env = clean_env(DEBIAN_FRONTEND="noninteractive")
    install = [*apt, "install", "--yes", "--no-install-recommends", *packages]
    if any(Path("/var/lib/apt/lists").glob("*_Packages*")):
        with contextlib.suppress(Failure):  # the lists may be outdated
            return run(install, "apt", env=env)
    run([*apt, "update"], "apt", env=env)
    run(install, "apt", env=env, append=True)
