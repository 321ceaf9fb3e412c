"""A Kafka broker that tests use: topics, users and rights that nobody else has."""

import asyncio
import logging
import uuid
from dataclasses import dataclass, field
from typing import Any

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

from tests.parts.process import START_SECONDS, Part

# The client's filter takes None for "any" though its annotations do not say so.
ANYTHING: Any = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """A Kafka user."""

    username: str
    password: str = field(repr=False)


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


def _binding(
    kind: ResourceType, name: str, pattern: ResourcePatternType, username: str, operation: AclOperation
) -> AclBinding:
    return AclBinding(kind, name, pattern, f"User:{username}", "*", operation, AclPermissionType.ALLOW)
