"""The real Kafka and PostgreSQL of a run, as the demo has them: one broker, one server that waits for its disk."""

import asyncio
import secrets
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import psutil
from confluent_kafka.admin import AdminClient, NewTopic

from anju.local.kafka import BROKER_USER, OPERATOR_USER, KafkaNode
from anju.local.postgres import PostgresServer, choose_home, server_user
from anju.local.programs import free_ports, port_answers
from anju.local.reaper import Reaper, postgres_processes

START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Parts:
    """Addresses of a run's parts, with users that may do everything."""

    folder: Path
    bootstrap: str
    username: str
    password: str = field(repr=False)
    server: PostgresServer = field(repr=False)

    @property
    def librdkafka(self) -> dict[str, Any]:
        """What a confluent-kafka client is given."""
        return {
            "bootstrap.servers": self.bootstrap,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": self.username,
            "sasl.password": self.password,
        }

    def environment(self) -> Mapping[str, str]:
        """Where a contestant's process finds the broker."""
        return {"BENCH_BOOTSTRAP": self.bootstrap, "BENCH_USERNAME": self.username, "BENCH_PASSWORD": self.password}

    def database_cpu_seconds(self) -> float:
        """What all processes of the database have worked so far, those that have ended too."""
        mother = min(postgres_processes(self.server.data), key=lambda process: process.create_time())
        ended = mother.cpu_times()
        living = sum(_worked(each) for each in mother.children())
        return float(ended.children_user + ended.children_system + living)

    async def new_topic(self, word: str, partitions: int = 1) -> str:
        """Make a topic as topics.yaml would: lz4."""
        name = f"{word}-{uuid.uuid4().hex[:8]}"
        topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config={"compression.type": "lz4"})
        admin = AdminClient(self.librdkafka)  # kept: what a client was asked for is dropped when the client is
        await asyncio.to_thread(admin.create_topics([topic])[name].result, START_SECONDS)
        return name

    async def new_database(self, template: str = "template0") -> str:
        """Make a database, empty or a copy of another; return its address."""
        name = f"bench_{uuid.uuid4().hex[:8]}"
        connection = await asyncpg.connect(self.server.dsn())
        try:
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        finally:
            await connection.close()
        return self.server.dsn(name)


def _worked(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0  # it ended just now: the next look finds its time at its mother's
    return float(times.user + times.system)


@contextmanager
def parts() -> Iterator[Parts]:
    """Start both, and end them."""
    folder = Path(tempfile.mkdtemp(prefix="anju-bench-"))
    folder.chmod(0o711)  # the database's system user passes through
    reaper = Reaper()
    reaper.start()
    home = None
    try:
        users = {BROKER_USER: secrets.token_hex(8), OPERATOR_USER: secrets.token_hex(8)}
        port, controller_port, database_port = free_ports(3)
        node = KafkaNode(folder / "kafka", port, controller_port, users, heap_megabytes=512)
        node.prepare()
        reaper.spawn(node.program(folder / "kafka.log"))
        user = server_user()
        home = choose_home(folder / "postgres", user, f"bench-{uuid.uuid4()}")
        server = PostgresServer(home, database_port, secrets.token_hex(8), user)
        server.prepare()
        started = reaper.spawn(server.program(folder / "postgres.log"))
        deadline = time.monotonic() + START_SECONDS
        while not (port_answers(port) and server.is_ready(started.pid)):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the parts did not start; their logs lie in {folder}")
            time.sleep(0.1)
        yield Parts(folder, node.bootstrap, OPERATOR_USER, users[OPERATOR_USER], server)
    finally:
        reaper.close()
        for each in (home, folder):
            if each is not None:
                shutil.rmtree(each, ignore_errors=True)
