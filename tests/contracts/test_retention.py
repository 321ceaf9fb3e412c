"""Whatever a table keeps for a time, the one job of its service removes, and no class of data is nobody's."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from importlib import import_module

import pytest

from anju.data_protection import collect
from anju.topics.declared import read_topics
from chassis.data.encryption import Keyring
from chassis.run.forgetting import Removal
from contracts.fields import RETENTIONS, TECHNICAL, read, tags
from contracts.lint import Field
from policy import packs
from policy.retention import CLASSES

KEYRING = Keyring({"k1": b"s" * 32}, "k1")
# Which classes of the pack a tag may mean.
MEANS: Mapping[str, frozenset[str]] = {
    "stay": frozenset({"stay", "person"}),
    "notice": frozenset({"notice", "notice_token"}),
    "alert": frozenset({"alert", "stay_alert"}),
    "premises": frozenset({"inspection", "operator"}),
    "audit": frozenset({"read_log"}),
    "answer_30_days": frozenset({"idempotency"}),
    "topic_7_days": frozenset({"outbox", "dead_letter"}),
    "topic_30_days": frozenset({"department_event"}),
}
# What ends with the thing itself or its record, or never does.
WITHOUT_TERM = frozenset({"current", "record", "statistics", "request", "session"})
# Of nobody, and kept as long as figures count the premises.
PLACES = frozenset({"housing.rooms"})
# Classes that no table holds: the changes of a headcount stand in a topic alone (deploy/kafka/topics.yaml).
IN_TOPICS = frozenset({"headcount_history"})


def jobs(service: str) -> tuple[Removal, ...]:
    """What a service removes."""
    found: tuple[Removal, ...] = import_module(f"services.{service}.use_cases.forget_expired").removals(KEYRING)
    return found


def problems(service: str, fields: Iterable[Field], removals: Iterable[Removal]) -> list[str]:
    """Tables that keep something for a time, of which no removal of its class takes anything."""
    removed: dict[str, set[str]] = {}
    for removal in removals:
        for table in removal.tables:
            removed.setdefault(table, set()).update(removal.classes)
    found = []
    for field in fields:
        owner, table = field.owner.split(".")
        tag = field.tags.retention if field.tags else ""
        means = MEANS.get(tag, frozenset())
        if field.owner in PLACES or tag in WITHOUT_TERM:
            continue
        if not means & removed.get(table, set()):
            found.append(f"{service}: {owner}.{table}.{field.name} is kept for {tag!r} and nothing removes it")
    return found


def stored(service: str) -> list[Field]:
    """The columns of a service, the plumbing's among them."""
    return [*collect.service_columns(service), *collect.plumbing_columns()]


def test_every_tag_means_something() -> None:
    assert MEANS.keys() | WITHOUT_TERM == RETENTIONS.keys()
    assert frozenset().union(*MEANS.values()) <= set(CLASSES)


@pytest.mark.parametrize("service", collect.SERVICES)
def test_what_a_service_keeps_for_a_time_its_job_removes(service: str) -> None:
    assert problems(service, stored(service), jobs(service)) == []


@pytest.mark.parametrize("service", collect.SERVICES)
def test_each_class_is_removed_from_a_table_once(service: str) -> None:
    taken = [(class_, table) for removal in jobs(service) for class_ in removal.classes for table in removal.tables]
    assert len(taken) == len(set(taken))
    own = {field.owner.partition(".")[2] for field in stored(service)}
    assert {table for _, table in taken} <= own
    assert {class_ for class_, _ in taken} <= set(CLASSES)


def test_every_class_has_its_job() -> None:
    covered = {class_ for service in collect.SERVICES for removal in jobs(service) for class_ in removal.classes}
    assert covered | IN_TOPICS == set(CLASSES)
    assert not covered & IN_TOPICS


def test_former_headcounts_leave_their_topic_in_time() -> None:
    term = packs.load().on(date(2026, 11, 25), "330199").retention.after("headcount_history").days
    lag = read_topics()["registration.occupancy"].settings()["max.compaction.lag.ms"]
    assert term is not None
    assert timedelta(milliseconds=int(lag)) < timedelta(days=term)


def test_a_table_without_a_job_is_found() -> None:
    """Planted: a table that no job knows, and a job that was taken away."""
    kept = tags(purpose="registration", basis="residence_registration", class_="personal", retention="stay")
    planted = [
        Field("table", "registration.visitors", "name", read(kept)),
        Field("table", "registration.visitors", "id", read(TECHNICAL)),
    ]
    assert problems("registration", [*stored("registration"), *planted], jobs("registration")) == [
        "registration: registration.visitors.name is kept for 'stay' and nothing removes it"
    ]
    whole = jobs("registration")
    for gone in whole:
        fewer = [removal for removal in whole if removal is not gone]
        # The author of a token request goes with its hour's row, which is no record of its own.
        assert gone.classes == ("token_request",) or problems("registration", stored("registration"), fewer)


def test_a_personal_column_without_a_term_is_one_that_is_replaced_or_goes_with_its_row() -> None:
    """What no term ends must be the present state of a thing, part of a record, or a count."""
    for service in collect.SERVICES:
        for field in stored(service):
            assert field.tags is not None, field
            if field.tags.class_ == "none":
                continue
            assert field.tags.retention in MEANS or field.tags.retention in {"current", "record"}, field
