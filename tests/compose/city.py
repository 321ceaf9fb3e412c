"""A city in containers, as a test sees it: up and down, its containers, what they hold."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anju import compose as settings_of
from anju.local.binaries import CHECKOUT
from anju.local.programs import free_ports
from tests.compose.engine import compose, run

SERVICES = settings_of.SERVICES
WEB = tuple(f"{service}-web" for service in SERVICES)
WORKERS = tuple(f"{service}-worker" for service in SERVICES)
BROKERS = ("kafka-1", "kafka-2", "kafka-3")
JOBS = ("migrate", "topics")
LABEL = "com.docker.compose"
CENSUS = Path(__file__).with_name("census.py")
# Java compiles less: on two cores three brokers and Keycloak start in half the time.
FRUGAL = {
    "KAFKA_JVM_OPTIONS": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
    "KAFKA_HEAP": "-Xms128m -Xmx384m",
    "KEYCLOAK_JVM_OPTIONS": "-XX:TieredStopAtLevel=1",
}
# Of the profiles; Grafana, which no package registry has, is left out.
OBSERVED = ("prometheus",)
IDENTITY = ("keycloak",)
# Compose v1 waits a minute for the engine's answer: too short where all starts at once on a busy machine.
PATIENT = {"COMPOSE_HTTP_TIMEOUT": "300"}
HOST = "anju.localhost"


@dataclass(frozen=True, slots=True)
class ContainerCity:
    """One project of docker-compose.yml. `settings` is its .env."""

    project: str
    settings: dict[str, str] = field(repr=False)
    environment: dict[str, str] = field(repr=False)
    words: tuple[str, ...]

    def compose(self, *words: str) -> str:
        """Run compose on this city."""
        return run([*self.words, *words], {**self.environment, **self.settings})

    def up(self) -> None:
        """Start what does not run; nothing is pulled or built."""
        # What takes longest first, and what watches the others.
        self.compose("up", "--detach", "--no-build", *BROKERS, *IDENTITY, *OBSERVED)
        self.compose("up", "--detach", "--no-build")

    def down(self) -> None:
        """End and remove everything, data too."""
        self.compose("--profile", "city", "--profile", "observe", "--profile", "identity", "down", "--volumes")

    def port(self, name: str) -> int:
        """The proxy's port for `portal` or a service."""
        return int(self.settings[f"{name.upper()}_PORT"])

    @property
    def services(self) -> dict[str, str]:
        """Address of each service at the proxy."""
        return {name: f"http://127.0.0.1:{self.port(name)}" for name in SERVICES}

    def container(self, service: str) -> str:
        """The id of a service's container."""
        # As both versions of compose mark what they make; quicker than to ask them.
        filters = [f"{LABEL}.project={self.project}", f"{LABEL}.service={service}"]
        words = ("ps", "--all", "--quiet", *(f"--filter=label={each}" for each in filters))
        return self.docker(*words).split()[0]

    def running(self) -> dict[str, str]:
        """Every service that runs → the id of its container."""
        form = f'{{{{.Label "{LABEL}.service"}}}} {{{{.ID}}}}'
        said = self.docker("ps", f"--filter=label={LABEL}.project={self.project}", f"--format={form}")
        return dict(line.split() for line in said.splitlines())

    def state(self, container: str) -> dict[str, Any]:
        """How a container is: `Running`, `ExitCode`, `Health`."""
        found: list[dict[str, Any]] = json.loads(self.docker("inspect", container))
        return dict(found[0]["State"])

    def docker(self, *words: str, given: str | None = None) -> str:
        """Run docker."""
        return run(["docker", *words], self.environment, given=given)

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine knows of a service's container."""
        found: list[dict[str, Any]] = json.loads(self.docker("inspect", self.container(service)))
        return found[0]

    def health(self, service: str) -> str:
        """`starting`, `healthy` or `unhealthy`; `ended` when it does not run."""
        state = self.inspect(service)["State"]
        return str(state["Health"]["Status"]) if state["Running"] else "ended"

    def census(self, service: str, what: str) -> Any:
        """What a service's worker finds in its database and topics: see census.py."""
        said = self.docker(
            "exec", "-i", self.container(f"{service}-worker"), "python", "-", what, given=CENSUS.read_text()
        )
        return json.loads(said)

    def logs(self) -> str:
        """The end of what every container wrote, for a failure's report."""
        done = subprocess.run(
            [*self.words, "logs", "--no-color", "--tail=15"],
            cwd=CHECKOUT,
            env={**os.environ, **self.environment, **self.settings},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout


@contextmanager
def container_city(project: str, images: dict[str, str], environment: dict[str, str]) -> Iterator[ContainerCity]:
    """Give a city on free ports, to be brought up, and remove it at the end."""
    settings = settings_of.settings(HOST, 8100, tls=False, issuer=None) | images | FRUGAL | PATIENT
    addresses = settings_of.ADDRESSES
    for name, port in zip(addresses, free_ports(len(addresses)), strict=True):
        settings |= {f"{name.upper()}_PORT": str(port), f"{name.upper()}_URL": f"http://{HOST}:{port}"}
    settings["OIDC_ISSUER"] = settings["PORTAL_URL"]
    city = ContainerCity(project, settings, environment, (*compose(environment), "--project-name", project))
    try:
        yield city
    finally:
        city.down()
