"""Starts parts of this machine for a run of tests (anju/local), and ends them with it."""

import shutil
import tempfile
import uuid
from pathlib import Path

from anju.local.binaries import CHECKOUT
from anju.local.kafka import BROKER_USER, OPERATOR_USER, KafkaNode
from anju.local.postgres import PostgresServer, choose_home, server_user
from anju.local.programs import free_ports, port_answers
from anju.local.reaper import Reaper
from tests.parts.kafka import Credentials, Kafka
from tests.parts.postgres import Postgres
from tests.parts.process import Part


class LocalParts:
    """Starts parts of this machine for a run, below one folder, and ends them all with it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="anju-tests-"))
        self.folder.chmod(0o711)  # the database's system user passes through
        self.reaper = Reaper()
        self.reaper.start()
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
        part = Part(self.reaper, node.program(directory / "log"), lambda _: port_answers(port), None)
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
        part = Part(self.reaper, program, server.is_ready, server.data)
        self._started.append(part)
        part.start()
        return Postgres(server.dsn(), part)

    def close(self) -> None:
        """End everything and remove it."""
        self.reaper.close()
        for part in self._started:
            part.settle()
        for folder in (*self._homes, self.folder):
            shutil.rmtree(folder, ignore_errors=True)


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
