"""Owns what makes a demo city itself: its data directory, ports, secrets, and the settings of each of its processes."""

import base64
import errno
import json
import os
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from anju.local.binaries import CHECKOUT
from anju.local.kafka import BROKER_USER, OPERATOR_USER, KafkaNode
from anju.local.postgres import PostgresServer, choose_home, remember_owner, server_user
from contracts import departments

DEFAULT_DIRECTORY = CHECKOUT / ".demo"
DEFAULT_PORT_BASE = 8100
# The process of the simulated city; it listens nowhere.
CITY = "city"
# Portal first: each serves at the port base plus its place here; a worker's health page stands ten further on.
SERVICES = ("registration", "housing", "alerts", "reporting")
# Departments that read a topic of their own, each by a Kafka user of its name.
DEPARTMENTS = tuple(departments.DEPARTMENTS)
WORKER_OFFSET, KAFKA_OFFSET, CONTROLLER_OFFSET, POSTGRES_OFFSET = 10, 20, 21, 30
# The one id that every kind of key has in a demo; production rotates.
KEY_ID = "demo-1"


class CityFailed(Exception):
    """The city cannot be started or found; the message says why and what to do, in a sentence."""


@dataclass(frozen=True, slots=True)
class City:
    """A demo city by its data directory. What is secret is made once and stays; ports may move between starts."""

    directory: Path
    port_base: int
    postgres_home: Path
    secret: Mapping[str, str] = field(repr=False)

    @property
    def logs(self) -> Path:
        """The folder with a log per process."""
        return self.directory / "logs"

    @property
    def ports(self) -> dict[str, int]:
        """Every port of the city by the name of what listens there."""
        ports = {"portal": self.port_base}
        for place, service in enumerate(SERVICES, start=1):
            ports[f"{service}-web"] = self.port_base + place
            ports[f"{service}-worker"] = self.port_base + WORKER_OFFSET + place
        ports["kafka"] = self.port_base + KAFKA_OFFSET
        ports["kafka's controller"] = self.port_base + CONTROLLER_OFFSET
        ports["postgres"] = self.port_base + POSTGRES_OFFSET
        return ports

    def url(self, process: str) -> str:
        """The address of the portal or of a service's web or worker process."""
        return f"http://127.0.0.1:{self.ports[process]}"

    @property
    def public_urls(self) -> dict[str, str]:
        """Addresses as browsers see them, by service, `portal` among them."""
        return {"portal": self.url("portal")} | {service: self.url(f"{service}-web") for service in SERVICES}

    @property
    def kafka(self) -> KafkaNode:
        """The city's broker."""
        users = {name: self.secret[f"kafka.{name}"] for name in (BROKER_USER, OPERATOR_USER, *SERVICES)}
        users |= self._department_passwords
        return KafkaNode(self.directory / "kafka", self.ports["kafka"], self.ports["kafka's controller"], users=users)

    @property
    def postgres(self) -> PostgresServer:
        """The city's database server."""
        password = self.secret["postgres"]
        return PostgresServer(self.postgres_home, self.ports["postgres"], password, server_user())

    @property
    def databases(self) -> dict[str, str]:
        """Address of each service's database for its owner."""
        return {name: self.postgres.dsn(name, name, self.secret[f"database.{name}"]) for name in SERVICES}

    def environment(self, process: str) -> dict[str, str]:
        """The settings (ANJU_…) of `portal`, `city`, `<service>-web` or `<service>-worker`.

        They name no port and no replica: another copy, started beside the launcher's, takes its own.
        """
        if process == "portal":
            return self._portal_environment()
        if process == CITY:
            return self._simulation_environment()
        service, side = process.rsplit("-", 1)
        settings = self._service_settings(service)
        if service == "registration":
            settings |= self._registration_settings()
        if service == "alerts":
            settings |= self._alerts_settings(side)
        return {f"ANJU_{service.upper()}_{name.upper()}": value for name, value in settings.items()}

    def administration_environment(self) -> dict[str, str]:
        """The settings of `anju topics apply`."""
        return {
            "ANJU_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "ANJU_KAFKA_USERNAME": OPERATOR_USER,
            "ANJU_KAFKA_PASSWORD": self.secret[f"kafka.{OPERATOR_USER}"],
            # A city of an older version was formatted without the departments' users.
            "ANJU_KAFKA_USERS": json.dumps(self._department_passwords),
        }

    @property
    def _department_passwords(self) -> dict[str, str]:
        """Kafka's passwords of departments; a city of an older version has none until it is started again."""
        return {name: self.secret[f"kafka.{name}"] for name in DEPARTMENTS if f"kafka.{name}" in self.secret}

    def department_environment(self, department: str) -> dict[str, str]:
        """The settings of `anju subscribe`."""
        settings = {
            "BOOTSTRAP": self.kafka.bootstrap,
            "USERNAME": department,
            "PASSWORD": self._department_passwords.get(department, ""),
        }
        return {f"ANJU_{department.upper().replace('-', '_')}_KAFKA_{name}": text for name, text in settings.items()}

    def save(self) -> None:
        """Write city.json, readable by its owner alone."""
        document = {
            "port_base": self.port_base,
            "postgres_home": str(self.postgres_home),
            "ports": self.ports,
            "secret": dict(self.secret),
            "environment": {
                process: self.environment(process)
                for process in (
                    "portal",
                    CITY,
                    *(f"{service}-{side}" for service in SERVICES for side in ("web", "worker")),
                )
            },
        }
        write_private(self.directory / "city.json", json.dumps(document, indent=1))
        remember_owner(self.postgres_home, self.directory)

    def _service_settings(self, service: str) -> dict[str, str]:
        return {
            "environment": "demo",
            "database_url": self.databases[service],
            "kafka_bootstrap": self.kafka.bootstrap,
            "kafka_username": service,
            "kafka_password": self.secret[f"kafka.{service}"],
            "oidc_issuer": self.url("portal"),
            "oidc_client_id": service,
            "oidc_client_secret": self.secret[f"client.{service}"],
            "session_secret": self.secret[f"session.{service}"],
            "idempotency_secret": self.secret[f"idempotency.{service}"],
            "encryption_keys": json.dumps({KEY_ID: self.secret[f"encryption.{service}"]}),
            "encryption_active": KEY_ID,
            "public_urls": json.dumps(self.public_urls),
        }

    def _registration_settings(self) -> dict[str, str]:
        return {
            "units_file": str(CHECKOUT / "deploy" / "units.yaml"),
            "lookup_token_keys": json.dumps({KEY_ID: self.secret["lookup"]}),
            "lookup_token_active": KEY_ID,
            "matching_token_keys": json.dumps({KEY_ID: self.secret["matching"]}),
            "matching_token_active": KEY_ID,
        }

    def _alerts_settings(self, side: str) -> dict[str, str]:
        private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(self.secret["signing"]))
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        settings = {
            "registration_url": self.url("registration-web"),
            "notice_verify_keys": json.dumps({KEY_ID: base64.b64encode(public).decode()}),
        }
        if side == "web":  # who approves signs; the matcher only checks
            settings["notice_signing_key"] = self.secret["signing"]
        return settings

    @property
    def _signing_key(self) -> str:
        return str(self.directory / "portal" / "signing-key.pem")

    def _portal_environment(self) -> dict[str, str]:
        clients = {
            service: {
                "secret": self.secret[f"client.{service}"],
                "redirect_uris": [f"{self.url(f'{service}-web')}/callback"],
            }
            for service in SERVICES
        }
        return {
            "ANJU_PORTAL_ENVIRONMENT": "demo",
            "ANJU_PORTAL_ISSUER": self.url("portal"),
            "ANJU_PORTAL_KEY_FILE": self._signing_key,
            "ANJU_PORTAL_CLIENTS": json.dumps(clients),
            "ANJU_PORTAL_METRICS_URLS": json.dumps(
                {f"{name}-{side}": self.url(f"{name}-{side}") for name in SERVICES for side in ("web", "worker")}
            ),
            "ANJU_PORTAL_PUBLIC_URLS": json.dumps(self.public_urls),
            "ANJU_PORTAL_UNITS_FILE": str(CHECKOUT / "deploy" / "units.yaml"),
        }

    def _simulation_environment(self) -> dict[str, str]:
        return {
            "ANJU_CITY_ENVIRONMENT": "demo",
            "ANJU_CITY_SERVICES": json.dumps({name: self.url(f"{name}-web") for name in SERVICES}),
            "ANJU_CITY_ISSUER": self.url("portal"),
            "ANJU_CITY_KEY_FILE": self._signing_key,
            "ANJU_CITY_DIRECTORY": str(self.directory / CITY),
        }


def found(directory: Path) -> City | None:
    """The city whose data lies there, running or not.

    Raises:
        CityFailed: its city.json cannot be read.
    """
    try:
        document = json.loads((directory / "city.json").read_text())
        return City(
            directory=directory,
            port_base=int(document["port_base"]),
            postgres_home=Path(document["postgres_home"]),
            secret={str(name): str(word) for name, word in document["secret"].items()},
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CityFailed(f"{directory / 'city.json'} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CityFailed(f"{directory / 'city.json'} is damaged: remove {directory} to begin a new city.") from None


def make_directory(directory: Path) -> None:
    """Make a city's data directory, if it is not there."""
    if not directory.exists():
        # The database's system user passes through it; all in it that is secret is the owner's alone.
        directory.mkdir(parents=True)
        directory.chmod(0o711)
    for name in ("logs", "portal", CITY):
        (directory / name).mkdir(mode=0o700, exist_ok=True)


def settle(directory: Path, port_base: int) -> City:
    """The city of this directory, at these ports: a former one with its data and secrets, or a new one.

    Nothing is written: `save` is for who holds the directory.

    Raises:
        CityFailed: a former city's city.json cannot be read.
    """
    former = found(directory)
    home = former.postgres_home if former else None
    return City(
        directory=directory,
        port_base=port_base,
        postgres_home=home or choose_home(directory / "postgres", server_user(), f"city-{uuid.uuid4()}"),
        # What a former city of an older version lacks is added.
        secret=_new_secrets() | dict(former.secret if former else {}),
    )


def explained(error: OSError, directory: Path) -> str:
    """One sentence for what the system refused."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk that holds {directory} is full: free some space and try again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{error.filename or directory} cannot be written: choose another place with --data-dir."
    return f"{error.filename or directory}: {error.strerror}."


def write_private(path: Path, text: str) -> None:
    """Write a file for its owner alone, whole or not at all."""
    begun = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    begun.replace(path)


def _new_secrets() -> dict[str, str]:
    words = [f"kafka.{name}" for name in (BROKER_USER, OPERATOR_USER, *SERVICES, *DEPARTMENTS)]
    words += ["postgres", *(f"{kind}.{service}" for kind in ("database", "client") for service in SERVICES)]
    keys = [f"{kind}.{service}" for kind in ("session", "idempotency", "encryption") for service in SERVICES]
    signing = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return {
        **{name: secrets.token_urlsafe(24) for name in words},
        **{name: base64.b64encode(secrets.token_bytes(32)).decode() for name in (*keys, "lookup", "matching")},
        "signing": base64.b64encode(signing).decode(),
    }
