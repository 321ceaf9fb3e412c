"""Owns what deploy/kafka/topics.yaml declares: topics with their settings, and who may read and write them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import yaml
from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, ResourcePatternType, ResourceType
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

TOPICS_FILE = Path(__file__).resolve().parents[2] / "deploy" / "kafka" / "topics.yaml"
# How long a state's former values may stand before they are compacted away: those of a headcount tell when somebody
# moved in or out, and the pack keeps them for 7 days (class headcount_history). The cleaner needs its time too.
SUPERSEDED_DAYS = 6
_DAY_MS = 24 * 60 * 60 * 1000
_READ = (AclOperation.READ, AclOperation.DESCRIBE)
_WRITE = (AclOperation.WRITE, AclOperation.DESCRIBE)

Service = Annotated[str, Field(pattern=r"^[a-z][a-z-]*$")]


class BadTopicsFile(Exception):
    """The file of topics does not say what it must; the message says where and why."""


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
            return {
                "cleanup.policy": "compact",
                "compression.type": "lz4",
                "retention.ms": "-1",
                "max.compaction.lag.ms": str(SUPERSEDED_DAYS * _DAY_MS),
            }
        return {
            "cleanup.policy": "delete",
            "compression.type": "lz4",
            "retention.ms": str(self.retention_days * _DAY_MS),
            # Only whole segments are removed: with the default of a week records would stay up to twice as long.
            "segment.ms": str(_DAY_MS),
        }


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


def service_users(topics: Mapping[str, Topic]) -> Sequence[str]:
    """The services that the topics name; each has a Kafka user of the same name."""
    return sorted({service for topic in topics.values() for service in (topic.owner, *topic.readers)})
