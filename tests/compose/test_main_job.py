"""The main job through the proxy while a broker is killed: one alert on the stream, nothing lost, nothing doubled."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.compose.city import ContainerCity
from tests.compose.main_job import PATIENCE_SECONDS, MainJob
from tests.system.desks import Desks
from tests.waiting import until

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1200)]


async def test_wanted_among_500_while_a_broker_is_killed(
    done: MainJob, city: ContainerCity, record_property: Any
) -> None:
    said = f"{len(done.stays)} arrivals in {done.sent_seconds:.1f} s with {done.killed} killed"
    print(f"\n{said}; alert on the stream at {done.alert_seconds:.1f} s")
    record_property("seconds", f"arrivals {done.sent_seconds:.1f} alert {done.alert_seconds:.1f}")

    assert sorted(await asyncio.to_thread(city.census, "registration", "stays")) == sorted(done.stays)
    arrived = await asyncio.to_thread(city.census, "registration", "arrivals")
    assert Counter(arrived) == Counter(done.stays)
    assert await asyncio.to_thread(city.census, "alerts", "alerts") == [[done.notice_id, done.wanted_stay]]
    raised = [event["alert_id"] for event in done.told if event["change"] == "raised"]
    assert raised.count(done.alert["alert_id"]) == 1

    city.docker("start", city.container(done.killed))
    await until(lambda: city.health(done.killed) == "healthy", PATIENCE_SECONDS)


async def test_a_page_logs_in_through_the_proxy(desks: Desks, http: httpx.AsyncClient, city: ContainerCity) -> None:
    address = city.settings["ALERTS_URL"]
    page = await http.get(f"{address}/login?hint=officer-1&next=/", follow_redirects=True)
    assert page.status_code == 200
    assert str(page.url) == f"{address}/"
    assert "张岚" in page.text
