"""What one started program is: its command, environment, log and the user it runs as."""

import os
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# A log is begun anew at a start when it has grown past this; one former log is kept. A demo's disk stays small.
LOG_LIMIT_BYTES = 20 * 1024 * 1024
# What a foreign program gets of the caller's environment: no PGDATA, CLASSPATH or JAVA_TOOL_OPTIONS may change it.
NEUTRAL_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")


@dataclass(frozen=True, slots=True)
class SystemUser:
    """A user of the operating system, by number."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Program:
    """One program as the launcher starts it. `stop_signal` asks it to end in good order."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    user: SystemUser | None = None
    stop_signal: int = signal.SIGTERM
    working_directory: Path = field(default=Path("/"))


def neutral_environment() -> dict[str, str]:
    """The environment for programs that are not ours."""
    return {name: os.environ[name] for name in NEUTRAL_VARIABLES if name in os.environ}


def open_log(path: Path) -> int:
    """A file descriptor that appends to the log, after putting a log aside that has grown too long."""
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(path.suffix + ".1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def port_answers(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    if port_answers(port, host):
        return False
    with socket.socket() as probe:
        # As servers do: connections of a former server that are still closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at this moment."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
