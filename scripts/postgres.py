"""A PostgreSQL cluster of our own."""

import contextlib
import hashlib
import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

from .base import ADDON, HOME, Failure, Lock, clean_env, log_path, output_of, run, step
from .system import pg_bin


class Cluster:
    """A PostgreSQL cluster of our own, on a unix socket, for throw-away data.

    Runs while at least one command uses it: each holds a shared lock, and the one
    that finds itself alone at its end stops the server.
    """

    PORT = 5432
    ROLE = "odoo"
    SETTINGS = """
listen_addresses = ''
unix_socket_permissions = 0700
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 2GB
shared_buffers = 256MB
jit = off
"""

    def __init__(self, name="postgresql"):
        self.name = name
        self.bin = pg_bin()
        self.account = self._account()
        folder = self._reachable_folder()
        self.folder = folder / f"{name}-{self._version()}"
        self.data = self.folder / "data"
        self.log = self.folder / "postgresql.log"
        self.socket_folder = self.folder
        if len(bytes(self.folder)) > 80:  # a socket's path has 107 bytes at most
            digest = hashlib.sha1(bytes(self.folder)).hexdigest()[:12]
            self.socket_folder = Path("/tmp") / f"{ADDON}-{digest}"
        self.users = Lock(name)

    def _version(self):
        version = output_of([str(self.bin / "postgres"), "--version"])
        return re.search(r"\d+", version).group()

    @staticmethod
    def _account():
        """Who runs the server: PostgreSQL refuses root."""
        if os.geteuid():
            return None
        for name in ("postgres", "nobody"):
            with contextlib.suppress(KeyError):
                return pwd.getpwnam(name)
        raise Failure("PostgreSQL refuses to run as root and there is no other user.")

    def _reachable_folder(self):
        """HOME, or for root's closed home a folder that the server can reach."""
        if not self.account:
            return HOME
        if all(path.stat().st_mode & 0o001 for path in HOME.parents):
            return HOME
        digest = hashlib.sha1(bytes(HOME)).hexdigest()[:12]
        return Path("/var/cache") / f"{ADDON}-{digest}"

    def _run(self, *command, **variables):
        """Run a server program as the server's account."""
        identity = {}
        if self.account:
            ids = {"user": self.account.pw_uid, "group": self.account.pw_gid}
            identity = ids | {"extra_groups": []}
        env = clean_env(**variables)
        run(command, self.name, cwd="/", append=True, env=env, **identity)

    def _make_folder(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        if self.account:
            os.chown(folder, self.account.pw_uid, self.account.pw_gid)
        folder.chmod(0o700)

    def _create(self):
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        locale = ["--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust"]
        who = f"--username={self.ROLE}"
        self._run(self.bin / "initdb", "--no-sync", who, *locale, "-D", fresh)
        with (fresh / "postgresql.conf").open("a") as settings:
            settings.write(self.SETTINGS)
            settings.write(f"unix_socket_directories = '{self.socket_folder}'\n")
        fresh.rename(self.data)

    def _forget_stale_pid(self):
        """Remove the pid file of a server that a crash ended.

        PostgreSQL does so itself, unless the number has gone to another process.
        """
        pid_file = self.data / "postmaster.pid"
        pid = pid_file.read_text().split("\n", 1)[0] if pid_file.exists() else "none"
        command = Path("/proc", pid, "cmdline")
        if not command.exists() or bytes(self.data) not in command.read_bytes():
            pid_file.unlink(missing_ok=True)
            for path in self.socket_folder.glob(".s.PGSQL.*"):
                path.unlink()

    def _answers(self):
        ready = [self.bin / "pg_isready", "-q", "-h", self.socket_folder]
        return subprocess.run(ready, env=clean_env(), check=False).returncode == 0

    def __enter__(self):
        log_path(self.name).unlink(missing_ok=True)
        with Lock("setup"):
            self.users.take(shared=True, wait=True)
            if not self._answers():
                with step("PostgreSQL"):
                    self._start()
        return self

    def _start(self):
        self._make_folder(self.folder)
        self._make_folder(self.socket_folder)
        if self.account:  # who must be able to pass through
            self.folder.parent.chmod(self.folder.parent.stat().st_mode | 0o001)
        if not self.data.exists():
            self._create()
        self._forget_stale_pid()
        log = ["-l", self.log, "-D", self.data]
        self._run(self.bin / "pg_ctl", "start", "-w", "-t", "60", *log)

    def restart(self, mode, variables=None):
        """Stop the server as ``mode`` of pg_ctl says, and start it again.

        :param dict variables: of the environment of the new one
        """
        how = ["restart", "-w", "-t", "60", "-m", mode]
        log = ["-l", self.log, "-D", self.data]
        self._run(self.bin / "pg_ctl", *how, *log, **(variables or {}))

    def __exit__(self, *exc_info):
        self.stop_if_unused()

    def stop_if_unused(self):
        """Stop the server unless another command (or its server) still uses it."""
        with Lock("setup"):
            running = (self.data / "postmaster.pid").exists()
            if self.users.take() and running:
                with contextlib.suppress(Failure):
                    stop_it = ["stop", "-w", "-m", "fast", "-D", self.data]
                    self._run(self.bin / "pg_ctl", *stop_it)
            self.users.release()

    def psql(self, database, *options):
        """The command that runs psql on `database`."""
        where = ["-h", self.socket_folder, "-p", str(self.PORT), "-U", self.ROLE]
        return [self.bin / "psql", *where, "-d", database, *options]

    def sql(self, statement, database="postgres"):
        """Run one statement, answer its rows as text."""
        command = self.psql(database, "-XAtqv", "ON_ERROR_STOP=1", "-c", statement)
        streams = {"capture_output": True, "text": True, "env": clean_env()}
        result = subprocess.run(command, check=False, **streams)
        if result.returncode:
            raise Failure(f"PostgreSQL: {result.stderr.strip()}")
        return result.stdout.split()

    def exists(self, database):
        return bool(self.sql(f"SELECT 1 FROM pg_database WHERE datname = '{database}'"))

    def drop(self, database):
        self.sql(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        shutil.rmtree(filestore(database), ignore_errors=True)

    def copy(self, template, database):
        """Make `database` a copy of `template`, with the files Odoo keeps beside it."""
        self.drop(database)
        self.sql(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        if filestore(template).exists():  # its files never change: links suffice
            copy = {"copy_function": os.link}
            shutil.copytree(filestore(template), filestore(database), **copy)

    def rename(self, database, name):
        self.drop(name)
        self.sql(f'ALTER DATABASE "{database}" RENAME TO "{name}"')
        if filestore(database).exists():
            filestore(database).rename(filestore(name))


def filestore(database):
    return HOME / "data" / "filestore" / database
