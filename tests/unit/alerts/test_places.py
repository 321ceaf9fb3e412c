"""How exactly a wall names a place."""

import pytest

from services.alerts.domain.places import coarse


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("柳堤街道湖滨社区湖滨路 1 号 3 幢 1404 室", "柳堤街道湖滨社区"),
        ("柳堤街道湖滨路 1 号", "柳堤街道"),
        ("柳堤街道青年路新村 3 幢", "柳堤街道"),
        ("长安镇望海村 12 号", "长安镇望海村"),
        ("湖滨路 1 号柳荫社区", ""),
        ("3 幢柳堤街道", ""),
        ("", ""),
    ],
)
def test_a_place_is_named_to_its_community_and_never_finer(address: str, shown: str) -> None:
    assert coarse(address, "wanted") == shown


def test_a_protection_order_is_named_to_the_street_office_only() -> None:
    assert coarse("柳堤街道湖滨社区湖滨路 1 号", "protection_order") == "柳堤街道"
