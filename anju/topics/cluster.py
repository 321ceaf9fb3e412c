"""Owns that Kafka's topics and rights are the declared ones: makes them, mends them, reports drift."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any

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
    ConfigSource,
    NewPartitions,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from anju.topics.declared import Topic, rights
from anju.topics.differences import Difference, Outcome, What

# A cluster that elects a leader meanwhile answers within this; an administrator waits no longer.
ANSWER_SECONDS = 30.0
# What asking ends with that is not answered, or refused.
FAULTS = (KafkaException, TimeoutError)
# A broker that is there at all is reached within this; one that is not shall be said soon.
REACH_SECONDS = 10.0
# How services and departments prove who they are.
SCRAM = "SCRAM-SHA-512"
# Kafka's own least, which StorageTool takes too.
_SCRAM_ITERATIONS = 4096
# The client's filter takes None for "any" though its annotations do not say so.
_ANYTHING: Any = None


class KafkaRefused(Exception):
    """Kafka could not be asked or refused; the message says what and why."""


def administrator(bootstrap: str, username: str, password: str, mechanism: str = SCRAM) -> AdminClient:
    """A client for a user that may make topics and grant rights; `mechanism` is SASL's, as the listener speaks it."""
    return AdminClient(
        {
            "bootstrap.servers": bootstrap,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": mechanism,
            "sasl.username": username,
            "sasl.password": password,
            "client.id": "anju-topics",
            # What matters is raised; its own log would stand between an administrator and the one sentence.
            "log_level": 0,
        }
    )


def apply(
    admin: AdminClient, topics: Mapping[str, Topic], users: Mapping[str, str] | None = None, *, change: bool = True
) -> Outcome:
    """Make the cluster as declared, or without `change` only say what would be done.

    Missing users (given as passwords by name) and topics are made, settings set, rights granted; rights of the
    services' own users that are not declared are taken away. What cannot be mended safely is drift: other numbers of
    partitions, topics and settings that nobody declared, rights of strangers over declared topics.

    Raises:
        KafkaRefused: Kafka could not be asked, or refused.
    """
    outcome = Outcome()
    if users:
        outcome.done += ensure_users(admin, users, change=change)
    _apply_topics(admin, topics, outcome, change=change)
    _apply_rights(admin, topics, outcome, change=change)
    return outcome


def _present_topics(admin: AdminClient) -> dict[str, Any]:
    """What is there; also the cheapest way to learn that nobody answers."""
    try:
        return dict(admin.list_topics(timeout=REACH_SECONDS).topics)
    except KafkaException as error:
        raise KafkaRefused(f"Kafka does not answer: {_why(error)}.") from None


def ensure_users(admin: AdminClient, passwords: Mapping[str, str], *, change: bool = True) -> list[Difference]:
    """Make the Kafka users of these names that are missing; one that is there keeps its password.

    Returns what was done, or without `change` is to be done.

    Raises:
        KafkaRefused: Kafka could not be asked, or refused.
    """
    _present_topics(admin)
    try:
        # Without names it answers with one future of them all, which its annotations do not tell.
        every: Any = admin.describe_user_scram_credentials()
        present = every.result(ANSWER_SECONDS)
    except FAULTS as error:
        raise KafkaRefused(f"Kafka does not tell its users: {_why(error)}.") from None
    missing = sorted(passwords.keys() - present.keys())
    if missing and change:
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _SCRAM_ITERATIONS)
        made: list[Any] = [UserScramCredentialUpsertion(name, scram, passwords[name].encode()) for name in missing]
        _settle("make user", admin.alter_user_scram_credentials(made))
    return [Difference(What.USER_MISSING, name) for name in missing]


def _apply_topics(admin: AdminClient, topics: Mapping[str, Topic], outcome: Outcome, *, change: bool) -> None:
    present = _present_topics(admin)
    missing = [name for name in topics if name not in present]
    if missing and change:
        # -1: as many copies as the cluster gives by default.
        new = [
            NewTopic(name, topics[name].partitions, replication_factor=-1, config=topics[name].settings())
            for name in missing
        ]
        _settle("make topic", admin.create_topics(new))
        _wait_until(lambda: topics.keys() <= _present_topics(admin).keys(), "new topics")
    outcome.done += [Difference(What.TOPIC_MISSING, name) for name in missing]
    for name in sorted(present.keys() - topics.keys()):
        if not name.startswith("__"):  # Kafka's own
            outcome.drift.append(Difference(What.TOPIC_UNDECLARED, name))
    there = {name: topic for name, topic in topics.items() if name in present}
    for name, topic in there.items():
        count = len(present[name].partitions)
        if count != topic.partitions:
            outcome.drift.append(Difference(What.PARTITIONS, name, found=str(count), declared=str(topic.partitions)))
    _apply_settings(admin, there, outcome, change=change)


def partitions(admin: AdminClient, topic: str) -> int:
    """How many partitions a topic has, 0 where it is not there; raises KafkaRefused."""
    present = _present_topics(admin)
    return len(present[topic].partitions) if topic in present else 0


def add_partitions(admin: AdminClient, topic: str, total: int) -> None:
    """Give a topic more partitions, `total` with those it has; raises KafkaRefused."""
    _settle("add partitions to", admin.create_partitions([NewPartitions(topic, total)]))
    _wait_until(lambda: partitions(admin, topic) == total, "the new partitions")


def _apply_settings(admin: AdminClient, topics: Mapping[str, Topic], outcome: Outcome, *, change: bool) -> None:
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in topics]
    if not resources:
        return
    changes = []
    for resource, entries in _settle("describe topic", admin.describe_configs(resources)).items():
        declared = topics[resource.name].settings()
        for key, wanted in declared.items():
            found = entries[key].value
            if found != wanted:
                operation = AlterConfigOpType.SET
                entry = ConfigEntry(key, wanted, incremental_operation=operation)
                changes.append(ConfigResource(resource.restype, resource.name, incremental_configs=[entry]))
                outcome.done.append(Difference(What.SETTING, resource.name, key, found, wanted))
        outcome.drift += [
            Difference(What.SETTING_UNDECLARED, resource.name, key, entry.value)
            for key, entry in sorted(entries.items())
            if entry.source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value and key not in declared
        ]
    if change:
        for each in changes:  # one request per entry: two of one resource in a request are refused
            _settle("set topic", admin.incremental_alter_configs([each]))


def _apply_rights(admin: AdminClient, topics: Mapping[str, Topic], outcome: Outcome, *, change: bool) -> None:
    present = _present_rights(admin)
    wanted = rights(topics)
    own_users = {binding.principal for binding in wanted}
    missing = [binding for binding in wanted if binding not in present]
    surplus = [binding for binding in present if binding not in wanted and binding.principal in own_users]
    for binding in sorted(present - set(wanted) - set(surplus), key=_spelled):
        if binding.restype == ResourceType.TOPIC and _covers(binding, topics):
            outcome.drift.append(Difference(What.RIGHT_OF_STRANGER, _spelled(binding)))
    if missing and change:
        _settle("grant", admin.create_acls(missing))
        _wait_until(lambda: set(wanted) <= _present_rights(admin), "the rights that were granted")
    if surplus and change:
        _settle("revoke", admin.delete_acls([_filter(binding) for binding in surplus]))
    outcome.done += [Difference(What.RIGHT_MISSING, right) for right in sorted(map(_spelled, missing))]
    outcome.done += [Difference(What.RIGHT_SURPLUS, right) for right in sorted(map(_spelled, surplus))]


def _present_rights(admin: AdminClient) -> set[AclBinding]:
    everything = AclBindingFilter(
        *(ResourceType.ANY, _ANYTHING, ResourcePatternType.ANY, _ANYTHING, _ANYTHING),
        *(AclOperation.ANY, AclPermissionType.ANY),
    )
    try:
        return set(admin.describe_acls(everything).result(ANSWER_SECONDS))
    except FAULTS as error:
        raise KafkaRefused(f"Kafka does not tell its rights: {_why(error)}.") from None


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
        except FAULTS as error:
            raise KafkaRefused(f"Kafka refused to {what} {subject}: {_why(error)}.") from None
    return settled


def _why(error: KafkaException | TimeoutError) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {ANSWER_SECONDS:.0f} s"
    return str(error.args[0].str()).rstrip(".")
