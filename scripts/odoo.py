"""Odoo 19 from Debian's package, in a virtual environment, set up for this addon."""

import hashlib
import os
import pwd
import re
import shutil
import sys
from pathlib import Path

from .base import (
    ADDON,
    CHECKOUT,
    CONFIG,
    HOME,
    OWN,
    Failure,
    clean_env,
    output_of,
    run,
    step,
)

ODOO_PACKAGE = "odoo-19"
ODOO_SERIES = (19, 0)
# Debian's Odoo replaces some web libraries and fonts by links into these packages;
# unstable's own versions of them have moved the files that the links name.
LINKED_SUITE = "trixie"
LINKED_PACKAGES = (
    "libjs-jquery libjs-underscore libjs-jquery-form "
    "fonts-font-awesome fonts-roboto-unhinted fonts-inconsolata"
).split()
# Debian strips this library (it blurs the background of video calls). Its absence is
# an error in the browser's console, and that fails every test in a browser.
STRIPPED_ASSET = (
    "odoo/addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js"
)
DIST_PACKAGES = "usr/lib/python3/dist-packages"


def debian_archive():
    """The URI under which this machine reaches the Debian archive."""
    fields = "$(REPO_URI)|$(ORIGIN)|$(LABEL)|$(COMPONENT)"
    targets = output_of(["apt-get", "indextargets", "--format", fields])
    for target in targets.splitlines():
        uri, *kind = target.split("|")
        if kind == ["Debian", "Debian", "main"] and not uri.startswith("cdrom"):
            return uri
    if os.geteuid() == 0 and not targets:
        run(["apt-get", "update"], "apt")
        if output_of(["apt-get", "indextargets"]):
            return debian_archive()
    raise Failure(
        "This machine's apt knows no Debian archive to fetch Odoo 19 from: run "
        "apt-get update as root if this is Debian, or set ODOO_HOME to a folder that "
        "holds Odoo 19."
    )


def private_apt(folder):
    """apt-get with a state of its own that knows the two suites only."""
    keyrings = Path("/usr/share/keyrings").glob("debian-archive-keyring.*")
    keyring = next(iter(sorted(keyrings)), None)
    if not keyring:
        raise Failure("Debian's archive keys are missing: install its keyring package.")
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    sources = folder / "sources.list"
    archive = f"deb [signed-by={keyring}] {debian_archive()}"
    sources.write_text(f"{archive} sid main\n{archive} {LINKED_SUITE} main\n")
    hooks = folder / "hooks.conf"
    hooks.write_text(
        "#clear APT::Update::Pre-Invoke;\n#clear APT::Update::Post-Invoke;\n"
        "#clear APT::Update::Post-Invoke-Success;\n"
    )
    options = {
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": folder / "lists",
        "Dir::Cache": folder / "cache",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": pwd.getpwuid(os.geteuid()).pw_name,
    }
    pairs = [f"-o{key}={value}" for key, value in options.items()]
    return ["apt-get", "-c", hooks, *pairs]


def fetch_odoo():
    """Debian's Odoo, unpacked into HOME; answers the folder of its Python package."""
    target = HOME / ODOO_PACKAGE
    if not target.exists():
        fresh = HOME / f"{ODOO_PACKAGE}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        downloads = fresh / "debs"
        downloads.mkdir(parents=True)
        with step("Odoo 19, Debian's package"):
            apt = private_apt(fresh / "apt")
            try:
                run([*apt, "update", "--error-on=any"], "odoo")
            except Failure as failure:
                raise Failure(
                    "The Debian archive's suites could not be fetched and verified "
                    f"with this machine's keys.\n{failure}"
                ) from None
            names = [f"{name}/{LINKED_SUITE}" for name in LINKED_PACKAGES]
            names.append(f"{ODOO_PACKAGE}/sid")
            run([*apt, "download", *names], "odoo", cwd=downloads, append=True)
            for package in sorted(downloads.glob("*.deb")):
                run(["dpkg-deb", "-x", package, fresh], "odoo", append=True)
            shutil.rmtree(downloads)
            shutil.rmtree(fresh / "apt")
            stand_in = fresh / DIST_PACKAGES / STRIPPED_ASSET
            stand_in.parent.mkdir(parents=True, exist_ok=True)
            stand_in.touch()
            fresh.rename(target)
    return target / DIST_PACKAGES


def odoo_folder():
    """The folder that holds Odoo 19's Python package `odoo`."""
    given = os.environ.get("ODOO_HOME")
    if not given:
        return fetch_odoo()
    for part in ("", DIST_PACKAGES, "dist-packages"):
        folder = Path(given).resolve() / part
        if (folder / "odoo" / "release.py").exists():
            break
    else:
        raise Failure(f"ODOO_HOME={given} holds no Python package odoo.")
    release = (folder / "odoo" / "release.py").read_text("utf-8")
    series = re.search(r"^version_info = \((\d+), (\d+),", release, re.MULTILINE)
    if not series or tuple(map(int, series.groups())) != ODOO_SERIES:
        raise Failure(f"ODOO_HOME={given} does not hold Odoo 19.0.")
    return folder


def virtual_environment():
    """The Python of a virtual environment with Odoo's requirements and the tools."""
    requirements = CHECKOUT / "requirements-dev.txt"
    key = hashlib.sha1(requirements.read_bytes() + sys.version.encode()).hexdigest()
    folder = HOME / f"venv-{key[:12]}"
    python = folder / "bin" / "python"
    complete = folder / "complete"
    if not complete.exists():
        with step(f"Python packages, for Python {sys.version.split()[0]}"):
            command = [sys.executable, "-m", "venv", "--clear", folder]
            run(command, "python-packages")
            pip = [python, "-m", "pip", "--disable-pip-version-check", "install"]
            wanted = ["--no-input", "--quiet", "--requirement", requirements]
            run([*pip, *wanted], "python-packages", append=True)
            complete.touch()
    return python


def link(source, target):
    """Make `source` a link to `target`."""
    source.parent.mkdir(parents=True, exist_ok=True)
    if not source.is_symlink() or source.readlink() != target:
        source.unlink(missing_ok=True)
        source.symlink_to(target)


def addons_path(odoo, *more):
    """The option of this name: Odoo's own folders and those given."""
    folders = [odoo / "odoo" / "addons", odoo / "addons", *more]
    return ",".join(str(path) for path in folders if path.is_dir())


def write_config(odoo, cluster, path=CONFIG):
    """Odoo's settings for this checkout, in ``path``.

    Odoo names a module after its folder, so the checkout is linked under the addon's
    name; and Odoo's own package is linked alone, lest its neighbours in a shared
    dist-packages come before the virtual environment's.
    """
    link(OWN / "addons" / ADDON, CHECKOUT)
    link(OWN / "python" / "odoo", odoo / "odoo")
    own = [OWN / "addons", CHECKOUT / "test_modules"]
    settings = {
        "addons_path": addons_path(odoo, *own),
        "data_dir": HOME / "data",
        "db_host": cluster.socket_folder,
        "db_port": cluster.PORT,
        "db_user": cluster.ROLE,
        "http_interface": "127.0.0.1",
        "list_db": False,
        "workers": 0,
    }
    lines = [f"{key} = {value}\n" for key, value in settings.items()]
    path.write_text("[options]\n" + "".join(lines))


class Odoo:
    """The prepared Odoo: its Python and its commands."""

    def __init__(self, python, folder):
        self.python = python
        self.folder = folder

    def command(self, *arguments):
        return [self.python, "-m", "odoo", *arguments]

    def options(self, database, *options):
        return self.command("-c", CONFIG, "-d", database, *options)

    def env(self, **extra):
        return clean_env(PYTHONPATH=str(OWN / "python"), **extra)

    def run(self, name, command, **kwargs):
        run(command, name, env=self.env(), cwd=OWN, **kwargs)

    def install(self, name, database, modules, *options):
        """Create `database` unless it is there, with `modules` installed."""
        option = ["--init", ",".join(modules), "--stop-after-init", "--no-http"]
        self.run(name, self.options(database, *option, *options))

    def identity(self):
        """Changes when another Odoo is used."""
        release = self.folder / "odoo" / "release.py"
        return f"{release}:{release.stat().st_mtime_ns}"
