"""The shell completes commands, services, roles and units, also behind a --data-dir that stands after the command."""

import os
import subprocess
import sys

import pytest

from anju.cli import completion


def completed(shell: str, words: str) -> str:
    """What the program answers to a shell that completes after these words."""
    handed = {
        "bash": {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - (not words.endswith(" ")))},
        "zsh": {"_TYPER_COMPLETE_ARGS": words},
        "fish": {"_TYPER_COMPLETE_ARGS": words, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    environment = os.environ | handed | {"_ANJU_COMPLETE": f"complete_{shell}"}
    command = [sys.executable, "-m", "anju.cli"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script_and_its_answers(shell: str) -> None:
    environment = os.environ | {"_ANJU_COMPLETE": f"source_{shell}"}
    command = [sys.executable, "-m", "anju.cli"]
    script = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert "_ANJU_COMPLETE" in script
    assert "complete" in script
    assert "doctor" in completed(shell, "anju doc")
    answer = completed(shell, "anju outbox status --data-dir /nowhere re")
    assert "registration" in answer
    assert "reporting" in answer
    assert "housing" not in answer


def test_a_data_dir_that_stands_last_is_completed_as_a_folder() -> None:
    assert "doctor" not in completed("bash", "anju outbox status --data-dir ")


def test_values() -> None:
    assert completion.services("a") == ["alerts"]
    assert completion.sides("") == ["web", "worker"]
    assert completion.roles("notice") == ["notice_author", "notice_approver"]
    assert completion.topics("alerts.n") == ["alerts.notices"]
    assert completion.units("station") == ["station-01", "station-02"]


def test_no_dead_letters_where_there_is_no_city() -> None:
    assert completed("bash", "anju dead-letters show alerts --data-dir /nowhere ").split() == []
