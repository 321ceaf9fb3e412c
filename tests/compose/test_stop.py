"""What `docker compose stop` does to every container: it ends in good order. The last test: nothing runs after it."""

import pytest

from tests.compose.city import ContainerCity

pytestmark = [pytest.mark.compose, pytest.mark.timeout(600)]


def test_every_container_ends_in_good_order(city: ContainerCity) -> None:
    running = city.running()
    assert {"kafka-1", "kafka-2", "kafka-3", "postgres", "proxy", "keycloak", "prometheus"} <= running.keys()
    city.compose("stop")
    # What does not end within its grace is killed, which shows as 137.
    assert {name: city.state(container)["ExitCode"] for name, container in running.items()} == dict.fromkeys(running, 0)
