"""docs/how-to/add-a-rule.md followed to the letter in a copy: its blocks go where it says, and its test passes."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "how-to" / "add-a-rule.md"
# "Below the line `…` in `…`" and the block that follows it.
INSTRUCTION = re.compile(
    r"(?P<side>above|below) the line `(?P<line>[^`\n]+)` in `(?P<file>[^`\n]+)`[^\n]*:\n\n```\w+\n(?P<block>.*?)^```$",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
COPIED = ("contracts", "chassis", "policy", "services", "anju", "deploy", "tests/unit/alerts")
TEST = "tests/unit/alerts/test_rules.py"


def instructions() -> Iterator[tuple[str, str, str, str]]:
    """Side, line, file and block of each instruction of the page."""
    for found in INSTRUCTION.finditer(PAGE.read_text(encoding="utf-8")):
        yield found["side"].lower(), found["line"], found["file"], found["block"]


def follow(copy: Path) -> None:
    """Do what the page says; a line that it names stands there once."""
    for side, line, name, block in instructions():
        lines = (copy / name).read_text(encoding="utf-8").splitlines(keepends=True)
        (at,) = [number for number, each in enumerate(lines) if each.strip() == line]
        blank = "\n\n" if block.startswith("def ") else ""
        lines.insert(at + (side == "below"), block + blank)
        (copy / name).write_text("".join(lines), encoding="utf-8")


def run(copy: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a module of the environment in the copy."""
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What of the checkout the page's commands need."""
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "locale"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_page_as_written_gives_a_rule_that_works(copy: Path) -> None:
    """Every block of the page is used; format, pack and test are good, and the test sees a broken rule."""
    assert len(list(instructions())) == PAGE.read_text(encoding="utf-8").count("```") // 2 == 4
    follow(copy)
    for words in (
        ("ruff", "format", "--check", "services/alerts/domain/rules.py", TEST),
        ("ruff", "check", "services/alerts/domain/rules.py", TEST),
        ("anju", "policy", "check"),
        ("pytest", "-q", "-p", "no:cacheprovider", TEST),
    ):
        done = run(copy, *words)
        assert done.returncode == 0, done.stdout + done.stderr
    rules = copy / "services/alerts/domain/rules.py"
    broken = rules.read_text(encoding="utf-8").replace('<= condition.threshold("most', '< condition.threshold("most')
    rules.write_text(broken, encoding="utf-8")
    assert run(copy, "pytest", "-q", "-p", "no:cacheprovider", TEST).returncode == 1
