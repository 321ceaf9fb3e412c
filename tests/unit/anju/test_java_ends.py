"""deploy/java.sh: what a container with a Java program ends with."""

import os
import signal
import subprocess
import sys

import pytest

from anju.local.binaries import CHECKOUT

SCRIPT = CHECKOUT / "deploy" / "java.sh"
# As Java does: says that it stands, and after SIGTERM ends with a code of its own.
PROGRAM = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(int(sys.argv[1])))
print("stands", flush=True)
while True:
    signal.pause()
"""


# Bash takes this function for its own `kill`: the script goes on when who was asked to end has ended.
ENDED_MEANWHILE = {
    "BASH_FUNC_kill%%": '() { builtin kill "$@" || return; until [ "$1" = -0 ]; do kill -0 "$2" || break; done 2>&-; }'
}


@pytest.mark.parametrize(("code", "told"), [(143, 0), (0, 0), (1, 1)])
@pytest.mark.parametrize("beside", [{}, ENDED_MEANWHILE], ids=["ends later", "ended meanwhile"])
def test_asked_to_end(code: int, told: int, beside: dict[str, str]) -> None:
    words = ["bash", str(SCRIPT), sys.executable, "-c", PROGRAM, str(code)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ | beside) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "stands\n"
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == told


@pytest.mark.parametrize("code", [0, 3, 143])
def test_ended_by_itself(code: int) -> None:
    words = ["bash", str(SCRIPT), "bash", "-c", f"exit {code}"]
    assert subprocess.run(words, check=False, timeout=30).returncode == code
