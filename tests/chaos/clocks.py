"""Wall clocks of processes that jump: clock.c put before a process, and a file that says by how much it is wrong.

libfaketime, which would be the library for this, answers EINVAL to `time.sleep` as soon as the monotonic clock is to
stay right (0.9.10, CPython 3.11), and a jump of the monotonic clock is nothing that happens to a machine.
"""

import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path


class NoClock(Exception):
    """No library can be built here; the message says why."""


def build(directory: Path) -> Path:
    """Build the library. Raises NoClock."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise NoClock("there is no C compiler")
    library = directory / "clock.so"
    source = Path(__file__).with_name("clock.c")
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise NoClock((result.stderr.strip().splitlines() or ["the C compiler failed"])[-1])
    return library


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock that processes started with `environment` go by. Jump it once (to 0) before they start."""

    file: Path
    library: Path

    def jump(self, seconds: float) -> None:
        """Set the clock apart from the machine's from now on; 0 is right again."""
        with self.file.open("r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack("=q", round(seconds)))

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs."""
        return {"LD_PRELOAD": str(self.library), "CHAOS_CLOCK": str(self.file)}
