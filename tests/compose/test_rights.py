"""What every container of the city may and may not, how its topics are kept, and that it ends in good order."""

import asyncio

import httpx
import pytest

from tests.compose.city import BROKERS, WEB, WORKERS, ContainerCity
from tests.system.desks import Desks
from tests.waiting import until

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1200)]

CONFINED = (*BROKERS, "postgres", *WEB, *WORKERS, "portal-dev", "proxy", "prometheus")


@pytest.mark.parametrize("service", CONFINED)
def test_has_no_rights_to_misuse(city: ContainerCity, service: str) -> None:
    container = city.inspect(service)
    host = container["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert not host["Privileged"]
    assert any(option.startswith("no-new-privileges") for option in host["SecurityOpt"])
    user = city.docker("exec", city.container(service), "id", "-u").strip()
    assert user != "0"
    refused = "if touch /etc/planted 2>/dev/null || touch /opt/planted 2>/dev/null; then echo written; fi"
    assert city.docker("exec", city.container(service), "sh", "-c", refused) == ""


async def test_every_container_is_healthy(city: ContainerCity) -> None:
    for service in CONFINED:
        await until(lambda service=service: city.health(service) == "healthy", 240)  # type: ignore[misc]


def test_every_topic_has_three_copies(city: ContainerCity) -> None:
    copies = city.census("registration", "topics")
    assert "registration.stays" in copies
    assert set(map(tuple, copies.values())) == {(3,)}


def test_a_service_is_refused_at_anothers_topic(city: ContainerCity) -> None:
    assert city.census("registration", "foreign") == "refused"


@pytest.mark.parametrize("service", ["alerts-web", "alerts-worker"])
async def test_stops_in_good_order(desks: Desks, http: httpx.AsyncClient, city: ContainerCity, service: str) -> None:
    container = city.container(service)
    try:
        async with desks.stream(http):
            await asyncio.to_thread(city.docker, "stop", container)
        # What does not end within its grace is killed, which shows as 137.
        assert city.inspect(service)["State"]["ExitCode"] == 0
    finally:
        city.docker("start", container)
        await until(lambda: city.health(service) == "healthy", 240)
