"""The import rules hold, and each of them catches a violation planted in a made-up tree of the same shape."""

import configparser
import os
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / ".importlinter"
SERVICES = ("registration", "housing", "alerts", "reporting")
PARTS = (
    "wiring",
    "settings",
    "api/__init__",
    "api/routes",
    "web/__init__",
    "consumers",
    "use_cases/__init__",
    "use_cases/act",
    "events",
    "storage/__init__",
    "storage/tables",
    "domain/__init__",
    "domain/rules",
)
EXTRA = (
    "services/alerts/watchlist",
    "services/alerts/stream",
    "services/alerts/registration_client",
    "chassis/data/__init__",
    "chassis/data/db",
    "chassis/events/__init__",
    "chassis/events/outbox",
    "chassis/web/__init__",
    "policy/packs",
    *(f"contracts/{name}" for name in ("alerts", "envelope", "event", "fields", "housing", "registration", "topics")),
)
# What is meant to be allowed, so that no rule passes by refusing everything (or by looking at nothing).
ALLOWED = {
    "anju/__init__": "import services.alerts.wiring, services.housing.wiring, contracts.topics",
    "services/alerts/wiring": "import services.alerts.api, services.alerts.storage, services.alerts.consumers",
    "services/alerts/api/routes": "import services.alerts.use_cases.act, services.alerts.stream, contracts.fields",
    "services/alerts/web/__init__": "import services.alerts.api.routes, services.alerts.use_cases.act",
    "services/alerts/consumers": "import services.alerts.use_cases.act, contracts.registration, chassis.events.outbox",
    "services/alerts/use_cases/act": "import services.alerts.storage.tables, services.alerts.events, chassis.data.db",
    "services/alerts/events": "import services.alerts.domain.rules, contracts.alerts, chassis.events.outbox",
    "services/alerts/storage/__init__": "import services.alerts.storage.tables",
    "services/alerts/storage/tables": "import sqlalchemy, contracts.fields, services.alerts.domain.rules",
    "services/alerts/domain/rules": "import policy.packs",
    "chassis/events/outbox": "import contracts.envelope, aiokafka",
    "contracts/event": "import pydantic",
}
# (rule, the file the violation is planted in, the violation, what the report must name)
PLANTED = [
    ("packages", "contracts/event", "import chassis.data", "contracts.event -> chassis.data"),
    ("packages", "chassis/data/db", "import policy.packs", "chassis.data.db -> policy.packs"),
    ("packages", "chassis/data/db", "import services.alerts.domain", "chassis.data.db -> services.alerts.domain"),
    ("packages", "services/alerts/settings", "import anju", "services.alerts.settings -> anju"),
    (
        "services-apart",
        "services/alerts/use_cases/act",
        "from services.registration.domain import rules",
        "services.alerts.use_cases.act -> services.registration.domain.rules",
    ),
    (
        "inside-a-service",
        "services/housing/use_cases/act",
        "import services.housing.api.routes",
        "services.housing.use_cases.act -> services.housing.api.routes",
    ),
    (
        "inside-a-service",
        "services/housing/storage/tables",
        "import services.housing.events",
        "services.housing.storage.tables -> services.housing.events",
    ),
    (
        "inside-a-service",
        "services/housing/domain/rules",
        "import services.housing.use_cases.act",
        "services.housing.domain.rules -> services.housing.use_cases.act",
    ),
    (
        "inside-a-service",
        "services/housing/api/routes",
        "import services.housing.web",
        "services.housing.api.routes -> services.housing.web",
    ),
    (
        "inside-a-service",
        "services/housing/consumers",
        "import services.housing.api.routes",
        "services.housing.consumers -> services.housing.api.routes",
    ),
    (
        "inside-a-service",
        "services/alerts/watchlist",
        "import services.alerts.use_cases.act",
        "services.alerts.watchlist -> services.alerts.use_cases.act",
    ),
    (
        "inside-a-service",
        "services/alerts/stream",
        "import services.alerts.api.routes",
        "services.alerts.stream -> services.alerts.api.routes",
    ),
    (
        "inside-a-service",
        "services/alerts/use_cases/act",
        "import services.alerts.stream",
        "services.alerts.use_cases.act -> services.alerts.stream",
    ),
    ("inside-a-service", "services/housing/managing", "x = 1", "services.housing.managing"),
    (
        "events-and-consumers-alone-know-contracts",
        "services/registration/use_cases/act",
        "from contracts.registration import PersonArrivedV1",
        "services.registration.use_cases.act -> contracts.registration",
    ),
    (
        "storage-behind-use-cases",
        "services/registration/api/routes",
        "from services.registration.storage import tables",
        "services.registration.api.routes -> services.registration.storage.tables",
    ),
    (
        "storage-behind-use-cases",
        "services/registration/consumers",
        "from services.registration.storage import tables",
        "services.registration.consumers -> services.registration.storage.tables",
    ),
    *(
        (
            "pure-domain",
            "services/reporting/domain/rules",
            f"import {module}",
            f"services.reporting.domain.rules -> {module}",
        )
        for module in ("sqlalchemy", "fastapi", "faststream", "pydantic", "chassis.data.db")
    ),
    ("pure-domain", "policy/packs", "import chassis.data.db", "policy.packs -> chassis.data.db"),
    *(
        (
            "use-cases-speak-no-protocol",
            "services/alerts/use_cases/act",
            f"import {module}",
            f"services.alerts.use_cases.act -> {module}",
        )
        for module in ("fastapi", "faststream", "aiokafka", "httpx", "chassis.web", "chassis.events.outbox")
    ),
]


def _tree(folder: Path) -> Path:
    modules = [
        *(f"{package}/__init__" for package in ("contracts", "chassis", "policy", "services", "anju")),
        *(f"services/{service}/__init__" for service in SERVICES),
        *(f"services/{service}/{part}" for service in SERVICES for part in PARTS),
        *EXTRA,
    ]
    for module in modules:
        file = folder / f"{module}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{ALLOWED.get(module, '')}\n", encoding="utf-8")
    (folder / ".importlinter").write_text(CONFIG.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def _lint(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "lint-imports"
    return subprocess.run(
        [program, "--no-cache", "--no-logo", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "COLUMNS": "400", "PYTHONDONTWRITEBYTECODE": "1"},
    )


def test_the_import_rules_hold() -> None:
    result = _lint(ROOT)
    assert result.returncode == 0, result.stdout


def test_a_tree_that_keeps_the_rules_passes_them(tmp_path: Path) -> None:
    result = _lint(_tree(tmp_path))
    assert result.returncode == 0, result.stdout


def test_every_rule_has_a_planted_violation() -> None:
    config = configparser.ConfigParser()
    config.read(CONFIG, encoding="utf-8")
    rules = {name.removeprefix("importlinter:contract:") for name in config.sections() if ":contract:" in name}
    assert rules == {rule for rule, *_ in PLANTED}


@pytest.mark.parametrize(("rule", "module", "violation", "named"), PLANTED)
def test_a_planted_violation_is_caught(rule: str, module: str, violation: str, named: str, tmp_path: Path) -> None:
    file = _tree(tmp_path) / f"{module}.py"
    file.write_text(f"{ALLOWED.get(module, '')}\n{violation}\n", encoding="utf-8")
    result = _lint(tmp_path, "--contract", rule)
    assert result.returncode == 1, result.stdout
    assert named in result.stdout


@pytest.mark.parametrize(("package", "allowed"), [("contracts", {"pydantic", "pydantic_core"}), ("policy", {"yaml"})])
def test_packages_that_everything_reads_need_almost_nothing(package: str, allowed: set[str]) -> None:
    assert _third_parties(package) <= allowed


def test_a_third_package_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "planted_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("import json, pydantic\n", encoding="utf-8")
    (folder / "inner.py").write_text("from httpx import Client\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert _third_parties("planted_package") == {"httpx", "pydantic"}


def _third_parties(package: str) -> set[str]:
    """Root names of what a package imports from outside the standard library and itself."""
    graph = grimp.build_graph(package, include_external_packages=True, cache_dir=None)
    ours = {module for module in graph.modules if not graph.is_module_squashed(module)}
    imported = {there for module in ours for there in graph.find_modules_directly_imported_by(module)}
    names = {module.partition(".")[0] for module in imported - ours}
    return names - set(sys.stdlib_module_names)
