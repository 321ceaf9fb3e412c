"""Owns what the doctor can find: each kind with its severity and what mends it."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How soon somebody must act; a note asks for nothing."""

    CRITICAL = "critical"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `command` mends it or is the first step of mending; `advice` is what a person does."""

    code: str
    severity: Severity
    where: str
    what: str
    command: str | None
    advice: str | None


@dataclass(frozen=True, slots=True)
class _Kind:
    severity: Severity
    command: str | None = None
    advice: str | None = None


# In the order in which they are mended: what stands above is often the reason for what stands below.
KINDS = {
    "city-stopped": _Kind(Severity.CRITICAL, "anju demo up"),
    "settings-missing": _Kind(Severity.CRITICAL, advice="set it as docs/settings.md says, or name a demo city"),
    "rule-packs": _Kind(Severity.CRITICAL, "anju policy check", "correct the line in policy/packs; no service starts"),
    "database-unreachable": _Kind(
        Severity.CRITICAL, advice="start PostgreSQL, or correct ANJU_{SERVICE}_DATABASE_URL; nothing is lost meanwhile"
    ),
    "migrations-pending": _Kind(Severity.CRITICAL, "anju migrate {service}"),
    "schema-newer": _Kind(Severity.CRITICAL, advice="run the version of Anju that migrated it; there is no way back"),
    "kafka-unreachable": _Kind(
        Severity.CRITICAL, advice="start the broker, or correct ANJU_{SERVICE}_KAFKA_…; the outbox keeps every event"
    ),
    "topic-missing": _Kind(Severity.CRITICAL, "anju topics apply"),
    "kafka-ahead": _Kind(
        Severity.CRITICAL,
        "anju recover {service}",
        "the database was restored from a backup, and its relay sends nothing",
    ),
    "topic-lost-records": _Kind(
        Severity.CRITICAL,
        "anju outbox status {service}",
        "the worker of {service} sends again what its outbox keeps when it starts; what stays lost is shown there",
    ),
    "consumer-lost-records": _Kind(
        Severity.CRITICAL,
        "anju outbox republish {owner} {topic} --partition {partition} --from {missing}",
        "then `anju consumers accept-loss {service} {topic} {partition}`, which loses only what was not sent again",
    ),
    "consumer-gap": _Kind(
        Severity.CRITICAL, "anju outbox republish {owner} {topic} --partition {partition} --from {missing}"
    ),
    "outbox-late": _Kind(
        Severity.CRITICAL, "anju serve {service} worker", "no worker of {service} sends: start one, or read its log"
    ),
    "consumer-late": _Kind(
        Severity.CRITICAL, "anju serve {service} worker", "no worker of {service} reads: start one, or read its log"
    ),
    "clock": _Kind(Severity.WARNING, advice="let NTP set the clocks of both machines (chronyc tracking)"),
    "clock-far": _Kind(Severity.CRITICAL, advice="let NTP set the clocks of both machines: matches are missed"),
    "audit-head": _Kind(Severity.CRITICAL, "anju audit verify {service}"),
    "dead-letters": _Kind(
        Severity.WARNING, "anju dead-letters list {service}", "then show each, and replay or discard it"
    ),
    "drift-to-apply": _Kind(Severity.WARNING, "anju topics apply"),
    "partitions-declared": _Kind(
        Severity.WARNING, "anju topics grow {topic}", "stop the workers of {owner} first: docs/runbook.md"
    ),
    "drift": _Kind(Severity.WARNING, advice="no command mends this safely: undo it by hand, or declare it"),
    "process-down": _Kind(Severity.CRITICAL, "anju demo status", "read its log there; it is started again by itself"),
    "process-unready": _Kind(Severity.WARNING, "anju demo status", "read its log there"),
    "topics-not-compared": _Kind(
        Severity.NOTE,
        advice="set ANJU_KAFKA_BOOTSTRAP, _USERNAME and _PASSWORD of a user who may see topics and rights",
    ),
}


def finding(code: str, where: str, what: str, **names: str) -> Finding:
    """A finding of this kind; `names` are what its command and advice speak of (service, owner)."""
    kind = KINDS[code]
    names |= {name.upper(): text.upper() for name, text in names.items()}
    command, advice = (text and text.format(**names) for text in (kind.command, kind.advice))
    return Finding(code, kind.severity, where, what, command, advice)


def in_order(findings: list[Finding]) -> list[Finding]:
    """What must be mended first stands first."""
    codes, severities = list(KINDS), list(Severity)
    return sorted(findings, key=lambda each: (severities.index(each.severity), codes.index(each.code), each.where))
