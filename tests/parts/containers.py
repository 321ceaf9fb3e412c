"""Parts in containers (testcontainers), where an engine answers and has their images; nothing is ever pulled.

Images by the variables of docker-compose.yml. With REQUIRE_DOCKER=1 a missing engine or image is an error.
"""

import os
import shutil
import subprocess
from importlib import import_module
from typing import Any

from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

from anju.local.postgres import SUPERUSER
from anju.local.programs import free_ports
from tests.parts.kafka import Credentials, Kafka
from tests.parts.postgres import Postgres
from tests.parts.process import START_SECONDS

KAFKA_IMAGE = os.environ.get("KAFKA_IMAGE", "apache/kafka:4.3.1")
POSTGRES_IMAGE = os.environ.get("POSTGRES_IMAGE", "postgres:18")
REQUIRED = os.environ.get("REQUIRE_DOCKER") == "1"
OPERATOR = Credentials("operator", "operator-of-tests")
# As the tests' server of this machine (anju/local): many connections, and nothing that must survive the machine.
POSTGRES_COMMAND = "postgres -c max_connections=300 -c fsync=off"
# A container that helps testcontainers to tidy up is one image more; and ports are reached at the engine's host.
TESTCONTAINERS = {"TESTCONTAINERS_RYUK_DISABLED": "true", "TESTCONTAINERS_CONNECTION_MODE": "docker_host"}


class ContainerParts:
    """Starts parts in containers for a run, and ends them all with it."""

    def __init__(self) -> None:
        self._started: list[Any] = []

    def kafka(self) -> Kafka | None:
        """Start a broker; None where it cannot be had."""
        if not _has(KAFKA_IMAGE):
            return None
        port, operator_port = free_ports(2)
        container = _testcontainers("core.container").DockerContainer(KAFKA_IMAGE)
        for each in (port, operator_port):
            container.with_bind_ports(each, each)
        container.with_envs(**_kafka_settings(port, operator_port))
        self._start(container)
        _make_operator(f"127.0.0.1:{operator_port}")
        return Kafka(f"127.0.0.1:{port}", OPERATOR, None)

    def postgres(self) -> Postgres | None:
        """Start a server; None where it cannot be had."""
        if not _has(POSTGRES_IMAGE):
            return None
        container = _testcontainers("community.postgres").PostgresContainer(
            POSTGRES_IMAGE, username=SUPERUSER, password=f"{SUPERUSER}-of-tests", dbname=SUPERUSER, driver=None
        )
        container.with_command(POSTGRES_COMMAND)
        self._start(container)
        return Postgres(container.get_connection_url(), None)

    def close(self) -> None:
        """End and remove everything."""
        for container in self._started:
            container.stop()

    def _start(self, container: Any) -> None:
        self._started.append(container)
        container.start()


def _testcontainers(module: str) -> Any:
    """A module of testcontainers, read when it is needed: it takes long to import, and reads its settings then."""
    for name, value in TESTCONTAINERS.items():
        os.environ.setdefault(name, value)
    return import_module(f"testcontainers.{module}")


def _has(image: str) -> bool:
    """Whether an engine answers and has the image."""
    docker = shutil.which("docker")
    found = docker and subprocess.run([docker, "image", "inspect", image], capture_output=True, check=False)
    if found and found.returncode == 0:
        return True
    if REQUIRED:
        raise RuntimeError(f"REQUIRE_DOCKER=1, and {image} cannot be had")
    return False


def _make_operator(bootstrap: str) -> None:
    """Make the SCRAM user of the tests, by the listener that takes its password from the broker's settings."""
    admin = AdminClient(
        {
            "bootstrap.servers": bootstrap,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": OPERATOR.username,
            "sasl.password": OPERATOR.password,
            "log_level": 0,  # it says every attempt before the broker is there
        }
    )
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    user = UserScramCredentialUpsertion(OPERATOR.username, scram, OPERATOR.password.encode())
    made = admin.alter_user_scram_credentials([user], request_timeout=START_SECONDS)
    made[OPERATOR.username].result(START_SECONDS)


def _kafka_settings(port: int, operator_port: int) -> dict[str, str]:
    """A node that behaves as anju/local/kafka.py's; the second listener is for itself and for who makes users."""
    users = {"broker": "broker-of-tests", OPERATOR.username: OPERATOR.password}
    own = " ".join(f'user_{name}="{password}"' for name, password in users.items())
    plain = f'org.apache.kafka.common.security.plain.PlainLoginModule required username="broker" {own}'
    plain += f' password="{users["broker"]}";'
    single = (
        *("OFFSETS_TOPIC_REPLICATION_FACTOR", "TRANSACTION_STATE_LOG_REPLICATION_FACTOR"),
        *("TRANSACTION_STATE_LOG_MIN_ISR", "SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR"),
    )
    settings = {
        "NODE_ID": "1",
        "HEAP_OPTS": "-Xmx384m -Xms128m",
        "JVM_PERFORMANCE_OPTS": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        "PROCESS_ROLES": "broker,controller",
        "CONTROLLER_QUORUM_VOTERS": "1@127.0.0.1:9093",
        "LISTENERS": f"CLIENT://:{port},CONTROLLER://127.0.0.1:9093,OPERATOR://:{operator_port}",
        "ADVERTISED_LISTENERS": f"CLIENT://127.0.0.1:{port},OPERATOR://127.0.0.1:{operator_port}",
        "LISTENER_SECURITY_PROTOCOL_MAP": "CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT,OPERATOR:SASL_PLAINTEXT",
        "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "INTER_BROKER_LISTENER_NAME": "OPERATOR",
        "SASL_ENABLED_MECHANISMS": "SCRAM-SHA-512",
        "SASL_MECHANISM_INTER_BROKER_PROTOCOL": "PLAIN",
        "SASL_MECHANISM_CONTROLLER_PROTOCOL": "PLAIN",
        "LISTENER_NAME_CLIENT_SCRAM___SHA___512_SASL_JAAS_CONFIG": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "LISTENER_NAME_CONTROLLER_SASL_ENABLED_MECHANISMS": "PLAIN",
        "LISTENER_NAME_CONTROLLER_PLAIN_SASL_JAAS_CONFIG": plain,
        "LISTENER_NAME_OPERATOR_SASL_ENABLED_MECHANISMS": "PLAIN",
        "LISTENER_NAME_OPERATOR_PLAIN_SASL_JAAS_CONFIG": plain,
        "AUTHORIZER_CLASS_NAME": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "SUPER_USERS": f"User:broker;User:{OPERATOR.username}",
        "AUTO_CREATE_TOPICS_ENABLE": "false",
        "OFFSETS_TOPIC_NUM_PARTITIONS": "5",
        "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "LOG_DIRS": "/var/lib/kafka/data",
    } | dict.fromkeys(single, "1")
    return {"CLUSTER_ID": "dGVzdHMtb2YtYW5qdS0xMg"} | {f"KAFKA_{name}": value for name, value in settings.items()}
