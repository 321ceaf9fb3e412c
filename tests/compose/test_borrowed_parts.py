"""Tests of Kafka and of services take their broker and server from containers where an engine has the images.

Needs no city, and so runs first: beside an idle one it took four times the processor time.
"""

import sys

import pytest

from tests.compose.engine import run
from tests.parts import containers

pytestmark = [pytest.mark.compose, pytest.mark.timeout(600)]

# Users and rights, the relay into the broker, and transactions of a service: each by parts that a run shares.
SOME = (
    "tests/system/test_parts.py::test_a_role_enters_its_own_database_only",
    "tests/system/test_parts.py::test_a_user_writes_where_it_was_allowed_only",
    "tests/kafka/test_relay.py::test_order_numbers_and_partitions",
    "tests/service/chassis/test_transaction.py::test_outbox_rows_come_last_and_in_the_order_of_the_calls",
)


def test_tests_run_on_parts_in_containers(docker: dict[str, str], images: dict[str, str]) -> None:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SOME]
    environment = docker | images | {"REQUIRE_DOCKER": "1"}
    assert f"{len(SOME)} passed" in run(words, environment)


def test_a_missing_image_is_an_error_where_containers_are_asked_for(
    docker: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in docker.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(containers, "REQUIRED", True)
    monkeypatch.setattr(containers, "POSTGRES_IMAGE", "anju/nowhere:1")
    with pytest.raises(RuntimeError, match="REQUIRE_DOCKER=1, and anju/nowhere:1 cannot be had"):
        containers.ContainerParts().postgres()
