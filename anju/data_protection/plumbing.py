"""Tags of the plumbing tables that every service has. Chassis knows no purposes, so they stand here, by table."""

from collections.abc import Mapping
from typing import Any, Final

from contracts.fields import TECHNICAL, tags

# What a table holds at most: an outbox row is an event, an audit entry names actor and subject by pseudonym.
EVENTS = tags(purpose="operation", basis="statutory_duty", class_="pseudonym", retention="topic_7_days")
AUDIT = tags(purpose="oversight", basis="accountability", class_="pseudonym", retention="audit")
KEPT_ANSWERS = tags(purpose="operation", basis="statutory_duty", class_="pseudonym", retention="answer_30_days")
KEYS = tags(purpose="operation", basis="accountability", class_="pseudonym", retention="record")

TABLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "outbox_epoch": TECHNICAL,
    "outbox": EVENTS,
    "relay_mark": TECHNICAL,
    "relay_partitions": TECHNICAL,
    "consumer_positions": TECHNICAL,
    # Pointers to records, never copies.
    "dead_letters": EVENTS,
    "idempotency_keys": KEPT_ANSWERS,
    "audit_entries": AUDIT,
    "audit_head": TECHNICAL,
    "audit_cut": TECHNICAL,
    "subject_keys": KEYS,
}

# Columns and fields of forms that a word of the deny list names and that are not about a person: place, then reason.
ALLOWED: Final[Mapping[str, str]] = {}
