"""The checker of chaos finds nothing in what a sound city left behind, and each fault that is planted in it.

`clean.json.gz` was recorded of a real city whose disks were full for some seconds:
`make chaos ARGS="--faults 4 --kinds full --minutes 1 --rate 2 --record …"`.
"""

from pathlib import Path

import pytest

from tests.chaos.checker.checking import check
from tests.chaos.checker.evidence import Evidence, load
from tests.chaos.checker.findings import KINDS
from tests.chaos.checker.histories import murmur2
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
