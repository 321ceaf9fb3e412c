"""Every table and form of the services is tagged and free of denied words; planted ones are caught."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import pytest
import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from anju.data_protection import __main__ as command
from anju.data_protection import collect, notice, plumbing
from contracts import lint
from contracts.fields import TECHNICAL, field, read, tags
from policy.purposes import BY_ROLE

STAY = tags(purpose="registration", basis="residence_registration", class_="personal", retention="stay")


def planted_table(*columns: sa.Column[Any]) -> list[str]:
    table = sa.Table("planted", sa.MetaData(), sa.Column("id", sa.Integer, info=TECHNICAL), *columns)
    return lint.problems(collect.columns("registration", [table]))


def test_every_field_of_every_service_passes() -> None:
    assert command.problems() == []


@pytest.mark.parametrize("service", ["registration", "housing", "alerts"])
def test_tables_and_forms_of_the_service_were_found(service: str) -> None:
    assert len(collect.service_columns(service)) > 10
    assert len(collect.form_fields(service)) > 5


def test_the_plumbing_was_found_and_each_table_has_tags() -> None:
    found = {one.owner.removeprefix("chassis.") for one in collect.plumbing_columns()}
    assert found == set(plumbing.TABLES)


def test_a_plumbing_table_that_is_not_listed_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "TABLES", {name: t for name, t in plumbing.TABLES.items() if name != "outbox"})
    assert any("chassis.outbox.value: has no tags" in one for one in lint.problems(collect.plumbing_columns()))


def test_a_tagged_column_passes() -> None:
    assert planted_table(sa.Column("room", sa.Text, info=STAY)) == []


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (sa.Column("room", sa.Text), "table registration.planted.room: has no tags"),
        (sa.Column("room", sa.Text, info={"x-purpose": ["registration"]}), "has no tags"),
        (sa.Column("religion", sa.Text, info=STAY), "is on the deny list"),
        (sa.Column("tenant_score", sa.Integer, info=STAY), "is on the deny list"),
        (sa.Column("guardian_phone", sa.LargeBinary, info=TECHNICAL), "tells of a person"),
        (sa.Column("remark", sa.Text, info=STAY, comment="政治面貌"), "is on the deny list"),
    ],
)
def test_a_planted_column_is_caught(column: sa.Column[Any], said: str) -> None:
    assert any(said in problem for problem in planted_table(column))


class Inner(BaseModel):
    income: Annotated[int, field(STAY)]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")
    room: Annotated[str, field(STAY)]
    person: Annotated[tuple[Inner, ...] | None, field(STAY)] = None


class Body(BaseModel):
    """What a route takes, and does not refuse unknown fields."""

    room: str


class Answer(BaseModel):
    """What is answered is made of what tables hold: no form."""

    anything: str


def planted_service(monkeypatch: pytest.MonkeyPatch, **values: object) -> list[str]:
    """What is said of a service whose api holds these values."""
    for name in ("services.planted", "services.planted.api"):
        module = ModuleType(name)
        module.__spec__ = __spec__
        monkeypatch.setitem(sys.modules, name, module)
    for name, value in values.items():
        if isinstance(value, type):
            monkeypatch.setattr(value, "__module__", "services.planted.api.models")
        monkeypatch.setattr(sys.modules["services.planted.api"], name, value, raising=False)
    monkeypatch.setattr(collect, "modules", lambda package, skip="": [sys.modules["services.planted.api"]])
    return lint.problems(collect.form_fields("planted"))


def test_a_denied_field_inside_a_form_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    said = planted_service(monkeypatch, Form=Form, Answer=Answer)
    assert said == ["form planted.Inner.income: is on the deny list, 'income': no dossiers"]


def test_an_untagged_body_of_a_route_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    router = APIRouter()

    @router.post("/rooms")
    async def add(body: Body) -> None: ...

    assert planted_service(monkeypatch, router=router) == [
        "form planted.Body.room: has no tags (purpose, basis, class, retention)"
    ]


def test_denied_inputs_of_a_page_are_caught(tmp_path: Path) -> None:
    page = tmp_path / "alerts" / "web" / "templates" / "page.html"
    page.parent.mkdir(parents=True)
    page.write_text(
        """<input type="text" name="room"><select
             id="x" name="ethnicity"></select>{{ ui.field("suspicion", _("Reason")) }}{{ ui.field('room', 'x') }}""",
        encoding="utf-8",
    )
    said = collect.input_problems(tmp_path)
    assert len(said) == 2
    assert "'ethnicity'" in said[0]
    assert "'suspicion'" in said[1]


def test_inputs_of_the_real_pages_were_found() -> None:
    pages = (Path(command.ROOT) / "services").glob("*/web/templates/**/*.html")
    assert len({name for page in pages for name in collect.input_names(page.read_text(encoding="utf-8"))}) > 5


def test_no_allowance_is_left_over() -> None:
    places = {one.place for one in collect.everything()}
    assert set(plumbing.ALLOWED) <= places


def test_the_notice_shows_what_is_personal_and_no_more() -> None:
    kept = lint.Field("table", "registration.stays", "room", read(STAY))
    technical = lint.Field("table", "registration.stays", "row_version", read(TECHNICAL))
    text = notice.page([kept, technical])
    assert "### 数据表 table `registration.stays`" in text
    assert "| `room` | registration | residence_registration | personal | stay |" in text
    assert "row_version" not in text
    assert "居住登记与随之而来的公共服务" in text


def test_purposes_of_reading_are_few_and_known() -> None:
    known = {"registration_service", "safety_inspection", "notice_verification", "subject_request", "oversight"}
    assert frozenset().union(*BY_ROLE.values()) == known
