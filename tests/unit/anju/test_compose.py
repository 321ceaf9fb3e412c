"""docker-compose.yml and what `anju compose-settings` prints fit each other, the services and topics.yaml."""

import json
import re
from importlib import import_module
from typing import Any

import pytest
import yaml

from anju import compose
from anju.local.binaries import CHECKOUT
from anju.topics.declared import read_topics, service_users

SETTINGS = compose.settings("anju.localhost", 8100, tls=False, issuer=None)
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def interpolated(text: str, settings: dict[str, str]) -> str:
    """The file as compose reads it: ${NAME}, ${NAME:-default}, ${NAME:?error}."""

    def value(found: re.Match[str]) -> str:
        name, kind, default = found.groups()
        assert settings.get(name) or kind == "-", name
        return settings.get(name) or default

    return VARIABLE.sub(value, text)


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The containers, with new settings."""
    text = (CHECKOUT / "docker-compose.yml").read_text()
    found: dict[str, Any] = yaml.safe_load(interpolated(text, SETTINGS))["services"]
    return found


def test_every_secret_of_the_file_is_drawn() -> None:
    text = (CHECKOUT / "docker-compose.yml").read_text()
    secret = {name for name, kind, default in VARIABLE.findall(text) if kind != "-" or not default}
    assert secret - {"KAFKA_JVM_OPTIONS", "KEYCLOAK_JVM_OPTIONS"} <= SETTINGS.keys()  # those are for whoever wants it


def test_settings_that_nobody_reads_are_not_printed() -> None:
    read = {found[0] for found in VARIABLE.findall((CHECKOUT / "docker-compose.yml").read_text())}
    assert SETTINGS.keys() - read == set()


def test_no_secret_is_drawn_twice() -> None:
    again = compose.settings("anju.localhost", 8100, tls=False, issuer=None)
    secret = [name for name in SETTINGS if re.search(r"PASSWORD|SECRET|_KEY|CLUSTER", name)]
    assert len({SETTINGS[name] for name in secret} | {again[name] for name in secret}) == 2 * len(secret)


@pytest.mark.parametrize("process", [f"{name}-{side}" for name in compose.SERVICES for side in ("web", "worker")])
def test_a_service_reads_its_settings(services: dict[str, Any], process: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in services[process]["environment"].items():
        monkeypatch.setenv(name, value)
    service, side = process.split("-")
    read = import_module(f"services.{service}.settings").load()
    assert read.environment == "demo"
    assert read.public_urls["portal"] == read.oidc_issuer == "http://anju.localhost:8100"
    assert services[process]["command"] == ["serve", service, side]
    if service == "alerts":
        assert (read.notice_signing_key is not None) == (side == "web")


def test_the_portal_reads_its_settings(services: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in services["portal-dev"]["environment"].items():
        monkeypatch.setenv(name, value)
    read = import_module("anju.portal.settings").load()
    assert set(read.clients) == set(compose.SERVICES)


def test_every_kafka_user_is_made(services: dict[str, Any]) -> None:
    users = json.loads(services["topics"]["environment"]["ANJU_KAFKA_USERS"])
    assert set(users) == set(service_users(read_topics()))
    assert all(users.values())


def test_a_provider_of_ones_own_makes_it_production() -> None:
    assert SETTINGS["ANJU_ENVIRONMENT"] == "demo"
    own = compose.settings("city.example", 443, tls=True, issuer="https://login.example/realms/city")
    assert own["ANJU_ENVIRONMENT"] == "production"
    assert own["OIDC_ISSUER"] == "https://login.example/realms/city"
    assert own["ALERTS_URL"] == "https://city.example:446"


def test_every_container_is_confined(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"] is (name != "keycloak"), name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
