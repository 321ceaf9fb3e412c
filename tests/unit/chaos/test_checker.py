"""The checker of chaos finds nothing in what a sound city left behind, and each fault that is planted in it.

`clean.json.gz` was recorded of a real city whose disks were full for some seconds:
`make chaos ARGS="--faults 4 --kinds full --minutes 1 --rate 2 --record …"`.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.checker import alerts
from tests.chaos.checker.checking import check
from tests.chaos.checker.evidence import Evidence, load
from tests.chaos.checker.findings import KINDS
from tests.chaos.checker.histories import murmur2
from tests.chaos.checker.told import Operation
from tests.chaos.plants import PLANTS, Plant
from tests.chaos.trial import found

RECORDED = Path(__file__).with_name("clean.json.gz")


@pytest.fixture(scope="module")
def clean() -> Evidence:
    return load(RECORDED)


def test_nothing_in_what_a_sound_city_left(clean: Evidence) -> None:
    assert list(check(clean)) == []


def test_there_are_faults_of_every_kind() -> None:
    assert len(PLANTS) >= 30
    assert set().union(*(plant.kinds for plant in PLANTS)) == set(KINDS)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name.replace(" ", "-"))
def test_planted_fault_is_found(plant: Plant, clean: Evidence) -> None:
    assert found(plant, clean, seed=1)


def test_evidence_is_what_was_saved(clean: Evidence, tmp_path: Path) -> None:
    clean.save(tmp_path / "again.json.gz")
    assert load(tmp_path / "again.json.gz") == clean


@pytest.mark.parametrize(
    ("data", "hash_"),
    # Apache Kafka, UtilsTest.testMurmur2.
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536), (b"abc", 479470107)],
)
def test_partitioner_is_kafkas(data: bytes, hash_: int) -> None:
    assert murmur2(data) == hash_ % 2**32


NOON = datetime.fromisoformat("2026-11-30T12:00:00+00:00")


def operation(what: str, minute: float, **facts: Any) -> Operation:
    """Sent at this minute of the hour and answered a second later."""
    sent = NOON + timedelta(minutes=minute)
    return Operation(0, what, facts, [sent], [(sent + timedelta(seconds=1), 201, {})])


@pytest.mark.parametrize(
    ("left_at", "told_at", "named_at", "must", "wrong"),
    [
        (None, None, 30, True, False),
        (14, 14, 30, False, True),  # left 6 minutes before the notice was active, named its person after it
        (16, 16, 30, True, False),  # 4 minutes: within the tolerance
        (14, 40, 30, True, False),  # nobody knew of the departure yet
        (14, 30, 30, False, False),  # both at once: either may have been first
        (None, None, 10, True, False),  # named before, and here: registration is asked
        (12, 25, 10, False, False),  # named before; the answer may have come before the departure
        (25, 25, 30, True, False),
    ],
)
def test_who_left_before_a_notice_was_active_is_not_met(
    left_at: float | None, told_at: float | None, named_at: float, must: bool, wrong: bool
) -> None:
    notice = alerts.Notice("n", person=2, approval=operation("approval", 20))
    stay = alerts.Stay("s", [(operation("arrival", 1), 1), (operation("correction", named_at), 2)])
    if left_at is not None and told_at is not None:
        departed_at = (NOON + timedelta(minutes=left_at)).isoformat()
        stay.departure = operation("departure", told_at, departed_at=departed_at)
    assert alerts._must(notice, stay) is must
    assert notice.approval is not None
    assert alerts._over_before(notice.approval, stay, 2) is wrong
