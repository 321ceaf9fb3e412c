"""docs/settings.md is complete: every variable that some code of ours names stands on it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from anju.local.city import DEPARTMENTS, settle

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
SHARED = re.compile(r"ANJU_(REGISTRATION|HOUSING|ALERTS|REPORTING)_")
# Parts of a name that is put together, and a class's prefix.
PARTS = re.compile(r"ANJU_(?:[A-Z]+_)?\Z|.*_\Z")


def on_the_page(name: str) -> bool:
    """Whether the page has this variable, of its service or among those of every service."""
    departments = "|".join(each.upper().replace("-", "_") for each in DEPARTMENTS)
    spellings = {name, SHARED.sub("ANJU_<SERVICE>_", name), re.sub(f"_({departments})_", "_<DEPARTMENT>_", name)}
    return any(f"`{each}`" in PAGE for each in spellings)


def named_in_code() -> Iterator[str]:
    """Every literal that is the name of a variable."""
    for folder in ("anju", "chassis", "services", "policy", "requirements"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                text = node.value if isinstance(node, ast.Constant) else None
                if isinstance(text, str) and re.fullmatch(r"ANJU_[A-Z_]+", text) and not PARTS.match(text):
                    yield text


def test_what_the_code_names_is_on_the_page() -> None:
    named = set(named_in_code())
    assert len(named) > 20
    assert {name for name in named if not on_the_page(name)} == set()


@pytest.mark.parametrize("side", ["web", "worker"])
def test_what_a_city_sets_is_on_the_page(side: str, tmp_path: Path) -> None:
    city = settle(tmp_path, 21_000)
    set_ = set(city.administration_environment()) | set(city.environment("portal")) | set(city.environment("city"))
    for service in ("registration", "housing", "alerts", "reporting"):
        set_ |= set(city.environment(f"{service}-{side}"))
    for department in DEPARTMENTS:
        set_ |= set(city.department_environment(department))
    assert {name for name in set_ if not on_the_page(name)} == set()


def test_a_name_that_is_not_there_is_noticed() -> None:
    assert not on_the_page("ANJU_ALERTS_NO_SUCH_THING")
