"""One Kafka broker on this machine: a KRaft node with SASL/SCRAM users and ACLs, as the demo and the tests run it."""

import os
import shutil
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from anju.local.binaries import java, kafka_class_path
from anju.local.programs import Program, neutral_environment

# The broker's own user, which no client has.
BROKER_USER = "broker"
# The user that may do everything: topics and ACLs are applied by it, and status shows it.
OPERATOR_USER = "operator"

_LOG_CONFIGURATION = """\
<Configuration>
  <Appenders><Console name="out"><PatternLayout pattern="%d{ISO8601} %p %c{1}: %m%n"/></Console></Appenders>
  <Loggers>
    <Logger name="kafka.server.KafkaRaftServer" level="info"/>
    <Root level="warn"><AppenderRef ref="out"/></Root>
  </Loggers>
</Configuration>
"""


class KafkaFailed(Exception):
    """Kafka could not be prepared; the message says why in one sentence."""


@dataclass(frozen=True, slots=True)
class KafkaNode:
    """A broker and controller in one process, on loopback.

    Args:
        directory: holds configuration and data; made if missing.
        users: passwords by user name, BROKER_USER and OPERATOR_USER among them; they are fixed at the first start.
        heap_megabytes: of the Java heap; about 200 MB more are resident.
    """

    directory: Path
    port: int
    controller_port: int
    users: Mapping[str, str] = field(repr=False)
    heap_megabytes: int = 384

    @property
    def bootstrap(self) -> str:
        """The address that clients are given."""
        return f"127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """Write the configuration; at the first start also format the storage and enter the users.

        Raises:
            KafkaFailed: the storage could not be formatted.
            MissingPart: Java or Kafka's jars are missing.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_private(self.directory / "log4j2.xml", _LOG_CONFIGURATION)
        data = self.directory / "data"
        if not data.exists():
            # Formatted beside and moved at the end: what a killed launcher began is never taken for a storage.
            begun = self.directory / "data.begun"
            shutil.rmtree(begun, ignore_errors=True)
            self._write_properties(begun.name)
            self._format()
            begun.replace(data)
        self._write_properties(data.name)

    def program(self, log: Path) -> Program:
        """The broker as a program to start, after `prepare`."""
        return Program(
            name="kafka",
            command=[*self._java(f"-Xmx{self.heap_megabytes}m"), "kafka.Kafka", self._properties.name],
            log=log,
            environment=_environment(),
            working_directory=self.directory,
        )

    @property
    def _properties(self) -> Path:
        return self.directory / "server.properties"

    def _write_properties(self, data: str) -> None:
        settings = self._settings() | {"log.dirs": data}
        _write_private(self._properties, "".join(f"{key}={value}\n" for key, value in settings.items()))

    def _java(self, heap: str) -> list[str]:
        return [
            str(java()),
            heap,
            # One small heap and short compiles: half the start's processor time of the defaults.
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            # Names in the working directory: a path with a space or a Chinese name would need three kinds of escapes.
            "-Dlog4j2.configurationFile=log4j2.xml",
            "-cp",
            kafka_class_path(),
        ]

    def _format(self) -> None:
        # Passwords go by a file: a command line can be read by every user of the machine.
        scram = [f"SCRAM-SHA-512=[name={name},password={password}]" for name, password in self.users.items()]
        cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        words = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", "-c", self._properties.name]
        for credential in scram:
            words += ["--add-scram", credential]
        arguments = self.directory / "format.arguments"
        _write_private(arguments, "\n".join(f'"{word}"' for word in words))
        try:
            result = subprocess.run(
                [*self._java("-Xmx128m"), f"@{arguments.name}"],
                env=_environment(),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            arguments.unlink(missing_ok=True)
        if result.returncode != 0:
            # Standard output shows the users' keys, so only the last line of the errors is told.
            why = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise KafkaFailed(f"Kafka's storage in {self.directory} could not be prepared: {why}")

    def _settings(self) -> dict[str, str | int]:
        broker = f'username="{BROKER_USER}" password="{self.users[BROKER_USER]}"'
        plain = "org.apache.kafka.common.security.plain.PlainLoginModule"
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule"
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "listeners": f"CLIENT://{self.bootstrap},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"CLIENT://{self.bootstrap}",
            "listener.security.protocol.map": "CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "CLIENT",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
            # The controller starts before it knows the SCRAM users, so its own listener takes a password as it is.
            "sasl.mechanism.controller.protocol": "PLAIN",
            "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.controller.plain.sasl.jaas.config": (
                f'{plain} required {broker} user_{BROKER_USER}="{self.users[BROKER_USER]}";'
            ),
            "listener.name.client.scram-sha-512.sasl.jaas.config": f"{scram} required {broker};",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:{BROKER_USER};User:{OPERATOR_USER}",
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 5,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            # A killed broker is back in 7 s instead of 12: the controller waits this long for the former one.
            "broker.session.timeout.ms": 2000,
            "broker.heartbeat.interval.ms": 500,
            # One group member at a time joins here; waiting for others would only delay each start by 3 s.
            "group.initial.rebalance.delay.ms": 0,
            # One node serves a machine of two cores: fewer threads and a small buffer keep it small.
            "num.network.threads": 2,
            "num.io.threads": 4,
            "background.threads": 4,
            "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        }


def _environment() -> dict[str, str]:
    # Without a UTF-8 locale Java cannot open the jars of a checkout below a folder with a Chinese name.
    return neutral_environment() | {"LC_ALL": "C.UTF-8"}


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
