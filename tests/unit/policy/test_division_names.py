"""Divisions have the names of the day, and a code that is none is refused with its line."""

from datetime import date
from pathlib import Path

import pytest

from anju.city.places import COMMUNITIES
from policy import packs
from policy.packs import BadPack
from tests.unit.policy.test_packs import edited

DAY = date(2026, 11, 24)


def test_every_place_of_the_simulated_city_has_its_name() -> None:
    names = packs.load().division_names(DAY)
    for code, address, *_ in COMMUNITIES:
        assert names[code[:9]][0] + names[code][0] == address
    assert names["330199"] == ("云汀市", "City of Yunting")


def test_a_name_changes_on_its_day_and_a_narrower_pack_wins(tmp_path: Path) -> None:
    folder = edited(tmp_path, "division_names.yaml", "柳堤街道", "新柳街道", copy_as="division_names_2.yaml")
    edited(tmp_path, "division_names_2.yaml", 'district: "330199"', 'district: "330199001"')
    edited(tmp_path, "division_names_2.yaml", "effective_from: 2016-01-01", "effective_from: 2027-01-01")
    loaded = packs.load(folder)
    assert loaded.division_names(date(2026, 12, 31))["330199001"][0] == "柳堤街道"
    assert loaded.division_names(date(2027, 1, 1))["330199001"][0] == "新柳街道"
    assert "440305" not in loaded.division_names(DAY)


def test_a_code_of_no_whole_level_is_refused(tmp_path: Path) -> None:
    folder = edited(tmp_path, "division_names.yaml", '"330199001001"', '"3301990010"')
    with pytest.raises(BadPack, match=r"division_names.yaml:\d+: .*6, 9 or 12 digits"):
        packs.load(folder)
