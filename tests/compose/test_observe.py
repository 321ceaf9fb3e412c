"""A real Prometheus scrapes the city: each panel of each dashboard has data, alert rules stand and fire as told."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from anju.local.binaries import CHECKOUT
from tests.compose.city import WEB, WORKERS, ContainerCity
from tests.compose.main_job import MainJob
from tests.waiting import until

pytestmark = [pytest.mark.compose, pytest.mark.timeout(600)]

SCRIPT = Path(__file__).with_name("panels.py")
RULES = "/etc/anju/prometheus"
# As Grafana counts it: four times the interval at which Prometheus scrapes (deploy/prometheus).
RATE_INTERVAL = "20s"
SEEN_SECONDS = 60.0


def _panels() -> dict[str, str]:
    """Each query of each panel → the expression, as Grafana sends it."""
    found = {}
    for path in sorted((CHECKOUT / "deploy" / "grafana" / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                name = f"{path.stem}: {panel['title']} {target['refId']}"
                found[name] = target["expr"].replace("$__rate_interval", RATE_INTERVAL)
    return found


PANELS = _panels()


@pytest.fixture(scope="module")
async def seen(done: MainJob, city: ContainerCity) -> dict[str, Any]:
    """What Prometheus has seen of the main job; on a busy machine it comes to see the last of it a scrape later."""
    worker = city.container("registration-worker")
    words = ("exec", "-i", worker, "python", "-", json.dumps(list(PANELS.values())))
    found: dict[str, Any] = {}

    async def everything() -> bool:
        found.update(json.loads(await asyncio.to_thread(city.docker, *words, given=SCRIPT.read_text())))
        healthy = set(found["up"].values()) == {"1"} and set(found["rules"].values()) == {"ok"}
        return healthy and all(found["points"].values())

    with suppress(TimeoutError):
        await until(everything, SEEN_SECONDS)
    return found


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_shows_data(seen: dict[str, Any], panel: str) -> None:
    assert "$" not in PANELS[panel]
    assert seen["points"][PANELS[panel]] > 0


def test_every_process_is_scraped(seen: dict[str, Any]) -> None:
    assert seen["up"] == dict.fromkeys((*WEB, *WORKERS), "1")


def test_every_rule_is_evaluated(seen: dict[str, Any]) -> None:
    assert set(seen["rules"].values()) == {"ok"}
    assert "ProcessDown" in seen["rules"]


@pytest.mark.parametrize("words", [("check", "config", "prometheus.yml"), ("test", "rules", "alerts.test.yml")])
def test_promtool_finds_the_rules_good(city: ContainerCity, words: tuple[str, ...]) -> None:
    *command, file = words
    said = city.docker("exec", city.container("prometheus"), "promtool", *command, f"{RULES}/{file}")
    assert "SUCCESS" in said
