"""Owns the real Kafka and PostgreSQL that tests run against: started once for a whole run, on free ports.

Fixtures (tests/conftest.py):

    async def test_it(postgres: Postgres, kafka: Kafka) -> None:
        dsn = await postgres.new_database()            # an empty database; its own role is the owner
        twin = await postgres.copy_of(dsn)             # a copy of a migrated one, 50 ms (no open connection to dsn)
        topic = await kafka.new_topic(partitions=3)    # compacted=True for a state
        alerts = await kafka.new_user("alerts")        # Credentials(username, password); without rights until granted
        await kafka.allow(alerts.username, topic=topic, read=True, write=True, group="prefix-of-groups")
        kafka.bootstrap, kafka.operator                # address; Credentials that may do everything
        kafka.new_name("group")                        # a name nobody used

    async def test_broker_killed(own_kafka: Callable[[], Kafka], own_postgres: Callable[[], Postgres]) -> None:
        kafka = own_kafka()                            # a broker of this test's own: 3 s; a server: 1 s
        kafka.kill(); kafka.start(); kafka.stop()      # start returns when it answers; same port, same data

Where they come from, first that is there: the addresses in TEST_KAFKA_BOOTSTRAP, TEST_KAFKA_USERNAME,
TEST_KAFKA_PASSWORD and TEST_POSTGRES_DSN (users that may do everything); this machine's own parts (anju/local).
What a test stops or kills is always of this machine's own parts.
"""

import asyncio
import logging
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import psutil
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from anju.local.binaries import CHECKOUT
from anju.local.kafka import BROKER_USER, OPERATOR_USER, KafkaNode
from anju.local.postgres import PostgresServer, choose_home, server_user
from anju.local.programs import Program, free_ports, port_answers
from anju.local.reaper import Reaper, end_at_once

# A loaded machine of two cores has been seen to need 20 s for a broker.
START_SECONDS = 60.0
STOP_SECONDS = 20.0
# The client's filter takes None for "any" though its annotations do not say so.
ANYTHING: Any = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """A Kafka user."""

    username: str
    password: str = field(repr=False)


class Part:
    """One process of a part: started, stopped in good order, or killed, by the test that owns it."""

    def __init__(self, reaper: Reaper, program: Program, ready: Callable[[int], bool], end_left: Path | None) -> None:
        self._reaper, self._program, self._ready, self._end_left = reaper, program, ready, end_left
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the running part."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start, and return when it answers."""
        self._process = self._reaper.spawn(self._program)
        deadline = time.monotonic() + START_SECONDS
        while not self._ready(self._process.pid):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self._program.name} did not start:\n{self._program.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End in good order."""
        if self._process is not None:
            self._process.send_signal(self._program.stop_signal)
            self._process.wait(STOP_SECONDS)
            self._process = None

    def kill(self) -> None:
        """Kill it with all its processes, as a loss of power would."""
        if self._process is not None:
            end_at_once([psutil.Process(self._process.pid)], self._end_left)
            self._process.wait(STOP_SECONDS)
            self._process = None

    def settle(self) -> None:
        """Take note of an end that somebody else brought about."""
        if self._process is not None:
            self._process.wait(STOP_SECONDS)
            self._process = None

    def pause(self) -> None:
        """Stop the clock of the process: its connections stand, nobody answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused process go on."""
        os.kill(self.pid, signal.SIGCONT)


class Kafka:
    """A broker: its address, a user who may do everything, and what a test makes in it."""

    def __init__(self, bootstrap: str, operator: Credentials, part: Part | None) -> None:
        self.bootstrap, self.operator, self._part = bootstrap, operator, part
        self._admin: AdminClient | None = None

    @property
    def part(self) -> Part:
        """The process behind it; only of a broker of the test's own."""
        assert self._part is not None, "this broker was not started here: use the fixture own_kafka"
        return self._part

    def start(self) -> None:
        """Start the broker again."""
        self.part.start()

    def stop(self) -> None:
        """Stop the broker in good order."""
        self.part.stop()

    def kill(self) -> None:
        """kill -9 the broker."""
        self.part.kill()

    @property
    def admin(self) -> AdminClient:
        """A client that may do everything."""
        if self._admin is None:  # kept: what a client was asked for is dropped when the client is
            self._admin = AdminClient(
                {
                    "bootstrap.servers": self.bootstrap,
                    "security.protocol": "SASL_PLAINTEXT",
                    "sasl.mechanism": "SCRAM-SHA-512",
                    "sasl.username": self.operator.username,
                    "sasl.password": self.operator.password,
                },
                logger=logging.getLogger("tests.kafka"),
            )
        return self._admin

    def new_name(self, word: str = "test") -> str:
        """A name for a topic, group or user that nobody used."""
        return f"{word}-{uuid.uuid4().hex[:12]}"

    async def new_topic(
        self, word: str = "topic", *, partitions: int = 1, compacted: bool = False, **config: str
    ) -> str:
        """Make a topic of its own; `config` takes topic settings with _ for dots."""
        name = self.new_name(word)
        settings = {"cleanup.policy": "compact" if compacted else "delete", "compression.type": "lz4"}
        settings |= {key.replace("_", "."): value for key, value in config.items()}
        topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config=settings)
        await asyncio.to_thread(self.admin.create_topics([topic])[name].result, START_SECONDS)
        return name

    async def new_user(self, word: str = "user") -> Credentials:
        """Make a user who may do nothing yet."""
        credentials = Credentials(self.new_name(word), uuid.uuid4().hex)
        scram = UserScramCredentialUpsertion(
            credentials.username,
            ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096),
            credentials.password.encode(),
        )
        future = self.admin.alter_user_scram_credentials([scram])[credentials.username]
        await asyncio.to_thread(future.result, START_SECONDS)
        return credentials

    async def allow(
        self, username: str, *, topic: str | None = None, read: bool = False, write: bool = False, group: str = ""
    ) -> None:
        """Grant a user reading or writing of a topic, and groups whose names begin with `group`."""
        operations = [op for op, wanted in ((AclOperation.READ, read), (AclOperation.WRITE, write)) if wanted]
        bindings = [
            _binding(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, username, operation)
            for operation in operations
            if topic
        ]
        if group:
            bindings.append(
                _binding(ResourceType.GROUP, group, ResourcePatternType.PREFIXED, username, AclOperation.READ)
            )
        for future in self.admin.create_acls(bindings).values():
            await asyncio.to_thread(future.result, START_SECONDS)
        own = AclBindingFilter(
            *(ResourceType.ANY, ANYTHING, ResourcePatternType.ANY, f"User:{username}", ANYTHING),
            *(AclOperation.ANY, AclPermissionType.ANY),
        )
        # The broker learns of it some milliseconds after the controller's answer.
        while not set(bindings) <= set(await asyncio.to_thread(self.admin.describe_acls(own).result, START_SECONDS)):
            await asyncio.sleep(0.01)


class Postgres:
    """A server: its superuser's address, and the databases that tests make in it."""

    def __init__(self, dsn: str, part: Part | None) -> None:
        self.dsn, self._part = dsn, part

    @property
    def part(self) -> Part:
        """The process behind it; only of a server of the test's own."""
        assert self._part is not None, "this server was not started here: use the fixture own_postgres"
        return self._part

    def start(self) -> None:
        """Start the server again."""
        self.part.start()

    def stop(self) -> None:
        """Stop the server in good order; open connections are ended."""
        self.part.stop()

    def kill(self) -> None:
        """kill -9 the server with all its processes."""
        self.part.kill()

    async def new_database(self, word: str = "test") -> str:
        """Make an empty database with a role of its own that owns it; gives the role's DSN."""
        name, password = f"{word}_{uuid.uuid4().hex[:12]}", uuid.uuid4().hex
        async with _connection(self.dsn) as connection:
            await connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
            await connection.execute(f"CREATE DATABASE {name} OWNER {name}")
            await connection.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        return self._address(name, name, password)

    async def copy_of(self, dsn: str) -> str:
        """Copy a database that `new_database` made, for the same role; nobody may be connected to it."""
        parts = urlsplit(dsn)
        source, copy = parts.path.lstrip("/"), f"copy_{uuid.uuid4().hex[:12]}"
        async with _connection(self.dsn) as connection:
            await connection.execute(f"CREATE DATABASE {copy} TEMPLATE {source} OWNER {parts.username}")
        return self._address(copy, parts.username or "", parts.password or "")

    def _address(self, database: str, role: str, password: str) -> str:
        parts = urlsplit(self.dsn)
        place = f"{role}:{password}@{parts.hostname}:{parts.port}"
        return urlunsplit((parts.scheme, place, f"/{database}", "", ""))


class LocalParts:
    """Starts parts of this machine for a run, below one folder, and ends them all with it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="anju-tests-"))
        self.folder.chmod(0o711)  # the database's system user passes through
        self._reaper = Reaper()
        self._reaper.start()
        self._homes: list[Path] = []
        self._started: list[Part] = []

    def kafka(self) -> Kafka:
        """Start a broker."""
        users = {BROKER_USER: "broker-of-tests", OPERATOR_USER: "operator-of-tests"}
        port, controller_port = free_ports(2)
        directory = self.folder / f"kafka-{port}"
        node = KafkaNode(directory, port, controller_port, users, heap_megabytes=320)
        storage = _formatted_storage(users)
        shutil.copytree(storage, directory / "data")
        node.prepare()
        part = Part(self._reaper, node.program(directory / "log"), lambda _: port_answers(port), None)
        self._started.append(part)
        part.start()
        return Kafka(node.bootstrap, Credentials(OPERATOR_USER, users[OPERATOR_USER]), part)

    def postgres(self) -> Postgres:
        """Start a server."""
        (port,) = free_ports(1)
        user = server_user()
        home = choose_home(self.folder / f"postgres-{port}", user, f"tests-{uuid.uuid4()}")
        self._homes.append(home)
        # What these tests kill is the server, never the machine: nothing needs to be on the disk's platters.
        server = PostgresServer(home, port, "postgres-of-tests", user, {"fsync": "off"})
        server.prepare()
        program = server.program(self.folder / f"postgres-{port}.log")
        part = Part(self._reaper, program, server.is_ready, server.data)
        self._started.append(part)
        part.start()
        return Postgres(server.dsn(), part)

    def close(self) -> None:
        """End everything and remove it."""
        self._reaper.close()
        for part in self._started:
            part.settle()
        for folder in (*self._homes, self.folder):
            shutil.rmtree(folder, ignore_errors=True)


def given_kafka() -> Kafka | None:
    """The broker that the environment names."""
    bootstrap = os.environ.get("TEST_KAFKA_BOOTSTRAP")
    if bootstrap is None:
        return None
    operator = Credentials(os.environ["TEST_KAFKA_USERNAME"], os.environ["TEST_KAFKA_PASSWORD"])
    return Kafka(bootstrap, operator, None)


def given_postgres() -> Postgres | None:
    """The server that the environment names."""
    dsn = os.environ.get("TEST_POSTGRES_DSN")
    return Postgres(dsn, None) if dsn else None


def _formatted_storage(users: dict[str, str]) -> Path:
    """A freshly formatted storage to copy: formatting takes a Java start of 2 s, a copy nothing."""
    kept = CHECKOUT / ".build" / "tests" / "kafka-storage"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        begun = Path(tempfile.mkdtemp(dir=kept.parent))
        KafkaNode(begun, 9092, 9093, users).prepare()
        try:
            (begun / "data").replace(kept)
        except OSError:  # another run was faster
            pass
        finally:
            shutil.rmtree(begun, ignore_errors=True)
    return kept


def _binding(
    kind: ResourceType, name: str, pattern: ResourcePatternType, username: str, operation: AclOperation
) -> AclBinding:
    return AclBinding(kind, name, pattern, f"User:{username}", "*", operation, AclPermissionType.ALLOW)


class _connection:
    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def __aenter__(self) -> asyncpg.Connection:
        self._open = await asyncpg.connect(self._dsn)
        return self._open

    async def __aexit__(self, *_: object) -> None:
        await self._open.close()
