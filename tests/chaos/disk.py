"""Small file systems for the parts' data, so that a disk can be full without filling the machine's."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

MEGABYTE = 1024 * 1024
# Kafka's indexes are sparse; PostgreSQL keeps up to 512 MB of its log.
SIZES = {"kafka": 400 * MEGABYTE, "postgres": 700 * MEGABYTE}


class NoDisk(Exception):
    """No file system can be mounted here (only root may); the message is the system's."""


@dataclass(slots=True)
class SmallDisk:
    """A file system in memory, mounted at `place`, that can be filled up."""

    name: str
    place: Path
    _filler: Path = field(init=False)

    def __post_init__(self) -> None:
        self._filler = self.place / "filler"

    def mount(self, owner: tuple[int, int] | None) -> None:
        """Mount it, empty, for the owner. Raises NoDisk."""
        self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
        options = f"size={SIZES[self.name]},mode=0700"
        if owner is not None:
            options += f",uid={owner[0]},gid={owner[1]}"
        result = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.place)],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise NoDisk(result.stderr.strip())

    def fill(self) -> int:
        """Take every free byte; give how many."""
        with self._filler.open("wb") as file:
            taken = 0
            for step in (16 * MEGABYTE, MEGABYTE, 4096):
                while True:
                    try:
                        os.posix_fallocate(file.fileno(), taken, step)
                    except OSError:
                        break
                    taken += step
        return taken

    def free(self) -> None:
        """Give the bytes back."""
        self._filler.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Take it away with all that is on it."""
        subprocess.run(["umount", "-l", str(self.place)], capture_output=True, check=False)
