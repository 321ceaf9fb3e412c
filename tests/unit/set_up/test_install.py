"""The set-up: work is done once, and what goes wrong is told in one sentence that says what to do."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from requirements import install, lock


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> install.Step:
    """A step of two lines in a checkout of its own: it copies its input to its result."""
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "BUILD", tmp_path / ".build")
    source, result = tmp_path / "source", tmp_path / "result"
    source.write_text("one")

    def run(call: Callable[..., None]) -> None:
        call(sys.executable, "-c", f"open({str(result)!r}, 'w').write(open({str(source)!r}).read())")

    return install.Step("copy", "a copy", (source,), (result,), run)


def test_a_step_is_done_after_it_ran(step: install.Step) -> None:
    assert not step.done()
    install.perform(step)
    assert step.done()


def test_a_step_is_open_again_when_its_input_changed(step: install.Step) -> None:
    install.perform(step)
    step.made_from[0].write_text("two")
    assert not step.done()


def test_a_step_is_open_again_when_its_result_is_gone(step: install.Step) -> None:
    install.perform(step)
    step.result[0].unlink()
    assert not step.done()


def test_a_step_that_failed_leaves_no_stamp_and_says_what_to_do(step: install.Step) -> None:
    def refuse(call: Callable[..., None]) -> None:
        call(sys.executable, "-c", "import sys; sys.exit('tar: No space left on device')")

    failing = install.Step("copy", "a copy", step.made_from, step.result, refuse)
    with pytest.raises(install.SetupError, match=r"a copy: The disk is full: free at least 3 GB and run it again\."):
        install.perform(failing)
    assert not failing.done()


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("npm error code ENOTFOUND", "No network"),
        ("error: dns error: failed to lookup address information", "No network"),
        ("The virtual environment was not created because ensurepip is not available", "apt install python3-venv"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "not the one that was locked"),
        ("hash mismatch: kafka-clients-4.3.1.jar has sha256 00, locked is 11", "not the one that was locked"),
        ("PermissionError: [Errno 13] Permission denied: '.venv'", "may not be written"),
    ],
)
def test_causes_are_told_apart(said: str, advice: str) -> None:
    assert advice in install.sentence_for(said, install.BUILD / "log" / "packages.log")


def test_an_unknown_cause_names_the_log() -> None:
    assert ".build/log/packages.log" in install.sentence_for("boom", install.BUILD / "log" / "packages.log")


def test_the_installer_is_pinned_with_hashes() -> None:
    lines = install.locked_block("uv").splitlines()
    assert lines[0].startswith("uv==")
    assert all("--hash=sha256:" in line for line in lines[1:])


@pytest.mark.parametrize("version", [(3, 10, 9), (3, 15, 0)])
def test_a_python_without_wheels_is_refused(version: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(install.SetupError, match=r"Python 3\.11 to 3\.14 is needed and this is 3\.1"):
        install.check_machine()


def test_set_up_needs_the_standard_library_alone() -> None:
    code = f"import sys; sys.path[:0] = [{str(lock.HERE)!r}]; import install"
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("place", [*lock.HERE.glob("*.txt"), lock.ROOT / "jgo.lock.toml"])
def test_locks_hold_no_place_to_fetch_from(place: Path) -> None:
    assert "://" not in place.read_text()


def test_the_assets_lock_holds_no_place_to_fetch_from() -> None:
    assert '"resolved"' not in (lock.ASSETS / "package-lock.json").read_text()
