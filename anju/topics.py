"""Owns that Kafka's topics and rights are those of deploy/kafka/topics.yaml: makes them, mends them, reports drift."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

TOPICS_FILE = Path(__file__).resolve().parents[1] / "deploy" / "kafka" / "topics.yaml"
# A cluster that elects a leader meanwhile answers within this; an administrator waits no longer.
ANSWER_SECONDS = 30.0
# Kafka's own least, which StorageTool takes too.
_SCRAM_ITERATIONS = 4096
_DAY_MS = 24 * 60 * 60 * 1000
# The client's filter takes None for "any" though its annotations do not say so.
_ANYTHING: Any = None
_READ = (AclOperation.READ, AclOperation.DESCRIBE)
_WRITE = (AclOperation.WRITE, AclOperation.DESCRIBE)

Service = Annotated[str, Field(pattern=r"^[a-z][a-z-]*$")]


class BadTopicsFile(Exception):
    """The file of topics does not say what it must; the message says where and why."""


class KafkaRefused(Exception):
    """Kafka could not be asked or refused; the message says what and why."""


class Topic(BaseModel):
    """What topics.yaml says of one topic."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    owner: Service
    kind: Literal["history", "state"]
    key: str
    partitions: int = Field(ge=1, le=1000)
    retention_days: int | None = Field(None, ge=1)
    readers: tuple[Service, ...]

    @model_validator(mode="after")
    def _retention_fits_the_kind(self) -> "Topic":
        if (self.kind == "history") != (self.retention_days is not None):
            raise ValueError("a history has retention_days, a state has none")
        if self.owner in self.readers:
            raise ValueError("the owner reads its own topic anyway: leave it out of readers")
        return self

    def settings(self) -> dict[str, str]:
        """Kafka's settings of the topic."""
        if self.retention_days is None:
            return {"cleanup.policy": "compact", "compression.type": "lz4", "retention.ms": "-1"}
        return {
            "cleanup.policy": "delete",
            "compression.type": "lz4",
            "retention.ms": str(self.retention_days * _DAY_MS),
            # Only whole segments are removed: with the default of a week records would stay up to twice as long.
            "segment.ms": str(_DAY_MS),
        }


@dataclass(slots=True)
class Outcome:
    """What was done (or, when only checking, is to be done), and what differs and needs a person."""

    done: list[str] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)


def read_topics(path: Path = TOPICS_FILE) -> dict[str, Topic]:
    """The topics that the file declares, by name.

    Raises:
        BadTopicsFile: the file is missing or does not say what it must.
    """
    try:
        declared = yaml.safe_load(path.read_text(encoding="utf-8"))["topics"]
        return {name: Topic.model_validate(content) for name, content in declared.items()}
    except OSError as error:
        raise BadTopicsFile(f"{path} cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BadTopicsFile(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}.") from None
    except (yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        raise BadTopicsFile(f"{path} is not a file of topics: {' '.join(str(error).split())}.") from None


def administrator(bootstrap: str, username: str, password: str) -> AdminClient:
    """A client for a user that may make topics and grant rights."""
    return AdminClient(
        {
            "bootstrap.servers": bootstrap,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": username,
            "sasl.password": password,
            "client.id": "anju-topics",
        }
    )


def apply(admin: AdminClient, topics: Mapping[str, Topic], *, change: bool = True) -> Outcome:
    """Make the cluster as declared, or without `change` only say what would be done.

    Missing topics are made, settings set, rights granted; rights of the services' own users that are not declared are
    taken away. What cannot be mended safely is drift: other numbers of partitions, topics that nobody declared, rights
    of strangers over declared topics.

    Raises:
        KafkaRefused: Kafka could not be asked, or refused.
    """
    outcome = Outcome()
    _apply_topics(admin, topics, outcome, change=change)
    _apply_rights(admin, topics, outcome, change=change)
    return outcome


def ensure_users(admin: AdminClient, passwords: Mapping[str, str], *, change: bool = True) -> list[str]:
    """Make the Kafka users of these names that are missing; one that is there keeps its password.

    Returns what was done, or without `change` is to be done.

    Raises:
        KafkaRefused: Kafka could not be asked, or refused.
    """
    try:
        # Without names it answers with one future of them all, which its annotations do not tell.
        every: Any = admin.describe_user_scram_credentials()
        present = every.result(ANSWER_SECONDS)
    except KafkaException as error:
        raise KafkaRefused(f"Kafka does not tell its users: {_why(error)}.") from None
    missing = sorted(passwords.keys() - present.keys())
    if missing and change:
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _SCRAM_ITERATIONS)
        made: list[Any] = [UserScramCredentialUpsertion(name, scram, passwords[name].encode()) for name in missing]
        _settle("make user", admin.alter_user_scram_credentials(made))
    return [f"user {name}: made" for name in missing]


def _apply_topics(admin: AdminClient, topics: Mapping[str, Topic], outcome: Outcome, *, change: bool) -> None:
    try:
        present = admin.list_topics(timeout=ANSWER_SECONDS).topics
    except KafkaException as error:
        raise KafkaRefused(f"Kafka does not answer: {_why(error)}.") from None
    missing = [name for name in topics if name not in present]
    if missing and change:
        # -1: as many copies as the cluster gives by default.
        new = [
            NewTopic(name, topics[name].partitions, replication_factor=-1, config=topics[name].settings())
            for name in missing
        ]
        _settle("make topic", admin.create_topics(new))
        _wait_until(lambda: topics.keys() <= admin.list_topics(timeout=ANSWER_SECONDS).topics.keys(), "new topics")
    outcome.done += [f"topic {name}: made" for name in missing]
    for name in sorted(present.keys() - topics.keys()):
        if not name.startswith("__"):  # Kafka's own
            outcome.drift.append(f"topic {name} is not declared")
    there = {name: topic for name, topic in topics.items() if name in present}
    for name, topic in there.items():
        count = len(present[name].partitions)
        if count != topic.partitions:
            outcome.drift.append(f"topic {name} has {count} partitions instead of {topic.partitions}")
    _apply_settings(admin, there, outcome, change=change)


def _apply_settings(admin: AdminClient, topics: Mapping[str, Topic], outcome: Outcome, *, change: bool) -> None:
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in topics]
    if not resources:
        return
    changes = []
    for resource, entries in _settle("describe topic", admin.describe_configs(resources)).items():
        for key, wanted in topics[resource.name].settings().items():
            found = entries[key].value
            if found != wanted:
                operation = AlterConfigOpType.SET
                entry = ConfigEntry(key, wanted, incremental_operation=operation)
                changes.append(ConfigResource(resource.restype, resource.name, incremental_configs=[entry]))
                outcome.done.append(f"topic {resource.name}: {key} {found} → {wanted}")
    if change:
        for each in changes:  # one request per entry: two of one resource in a request are refused
            _settle("set topic", admin.incremental_alter_configs([each]))


def _apply_rights(admin: AdminClient, topics: Mapping[str, Topic], outcome: Outcome, *, change: bool) -> None:
    present = _present_rights(admin)
    wanted = rights(topics)
    own_users = {binding.principal for binding in wanted}
    missing = [binding for binding in wanted if binding not in present]
    surplus = [binding for binding in present if binding not in wanted and binding.principal in own_users]
    for binding in present - set(wanted) - set(surplus):
        if binding.restype == ResourceType.TOPIC and _covers(binding, topics):
            outcome.drift.append(f"right of a stranger: {_spelled(binding)}")
    if missing and change:
        _settle("grant", admin.create_acls(missing))
        _wait_until(lambda: set(wanted) <= _present_rights(admin), "the rights that were granted")
    if surplus and change:
        _settle("revoke", admin.delete_acls([_filter(binding) for binding in surplus]))
    outcome.done += sorted(f"granted: {_spelled(binding)}" for binding in missing)
    outcome.done += sorted(f"revoked: {_spelled(binding)}" for binding in surplus)


def _present_rights(admin: AdminClient) -> set[AclBinding]:
    everything = AclBindingFilter(
        *(ResourceType.ANY, _ANYTHING, ResourcePatternType.ANY, _ANYTHING, _ANYTHING),
        *(AclOperation.ANY, AclPermissionType.ANY),
    )
    try:
        return set(admin.describe_acls(everything).result(ANSWER_SECONDS))
    except KafkaException as error:
        raise KafkaRefused(f"Kafka does not tell its rights: {_why(error)}.") from None


def rights(topics: Mapping[str, Topic]) -> list[AclBinding]:
    """The rights of the services' own users: writing for the owner, reading for it and the readers, own groups."""
    bindings: dict[AclBinding, None] = {}
    services = set()
    for name, topic in topics.items():
        services |= {topic.owner, *topic.readers}
        for operation in (*_WRITE, *_READ):
            bindings[_binding(ResourceType.TOPIC, name, ResourcePatternType.LITERAL, topic.owner, operation)] = None
        for reader in topic.readers:
            for operation in _READ:
                bindings[_binding(ResourceType.TOPIC, name, ResourcePatternType.LITERAL, reader, operation)] = None
    for service in sorted(services):
        for operation in _READ:
            group = _binding(ResourceType.GROUP, f"{service}.", ResourcePatternType.PREFIXED, service, operation)
            bindings[group] = None
    return list(bindings)


def _binding(
    kind: ResourceType, name: str, pattern: ResourcePatternType, service: str, operation: AclOperation
) -> AclBinding:
    return AclBinding(kind, name, pattern, f"User:{service}", "*", operation, AclPermissionType.ALLOW)


def _filter(binding: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        *(binding.restype, binding.name, binding.resource_pattern_type, binding.principal, binding.host),
        *(binding.operation, binding.permission_type),
    )


def _covers(binding: AclBinding, topics: Iterable[str]) -> bool:
    if binding.resource_pattern_type == ResourcePatternType.PREFIXED:
        return any(name.startswith(binding.name) for name in topics)
    return binding.name == "*" or binding.name in topics


def _spelled(binding: AclBinding) -> str:
    prefix = "*" if binding.resource_pattern_type == ResourcePatternType.PREFIXED else ""
    kind, operation = ResourceType(binding.restype), AclOperation(binding.operation)
    permission = AclPermissionType(binding.permission_type)
    denied = "" if permission == AclPermissionType.ALLOW else f" {permission.name}"
    return f"{binding.principal}{denied} {operation.name} on {kind.name.lower()} {binding.name}{prefix}"


def _wait_until(seen: Callable[[], bool], what: str) -> None:
    # The controller answers when it has decided; brokers learn of it some milliseconds later.
    deadline = time.monotonic() + ANSWER_SECONDS
    while not seen():
        if time.monotonic() > deadline:
            raise KafkaRefused(f"Kafka does not show {what} after {ANSWER_SECONDS:.0f} s.")
        time.sleep(0.02)


def _settle(what: str, futures: Mapping[Any, "Future[Any]"]) -> dict[Any, Any]:
    settled = {}
    for subject, future in futures.items():
        try:
            settled[subject] = future.result(ANSWER_SECONDS)
        except KafkaException as error:
            raise KafkaRefused(f"Kafka refused to {what} {subject}: {_why(error)}.") from None
    return settled


def _why(error: KafkaException) -> str:
    return str(error.args[0].str()).rstrip(".")


def service_users(topics: Mapping[str, Topic]) -> Sequence[str]:
    """The services that the topics name; each has a Kafka user of the same name."""
    return sorted({service for topic in topics.values() for service in (topic.owner, *topic.readers)})
