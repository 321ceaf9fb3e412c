"""The contracts' own check passes, and each of its rules catches a planted violation."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import jsonschema
import pytest
from pydantic import BaseModel, Field

from contracts import check, deny, envelope, event, lint, publish
from contracts.check import Contracts
from contracts.fields import field, tags

STAY = tags(purpose="notice_matching", basis="residence_registration", class_="pseudonym", retention="topic_7_days")
TYPE = "anju.registration.tea-served.v1"


class CupV1(event.Event):
    size: Annotated[int, field(STAY)]


class TeaServedV1(event.Event):
    stay_id: Annotated[UUID, field(STAY)]
    room: Annotated[str | None, field(STAY, max_length=10)] = None
    cups: Annotated[tuple[CupV1, ...], field(STAY)] = ()


FULL = {"stay_id": "019ab001-5c00-7000-8000-000000000001", "room": "302", "cups": [{"size": 2}]}
MINIMAL = {"stay_id": "019ab001-5c00-7000-8000-000000000002"}


def made(folder: Path, model: type[BaseModel] = TeaServedV1) -> Contracts:
    """Contracts of one type, all in order and released."""
    contracts = Contracts({TYPE: model}, folder)
    examples = folder / "examples" / TYPE
    examples.mkdir(parents=True)
    for name, value in (("1.json", FULL), ("2.json", MINIMAL)):
        (examples / name).write_text(publish.as_text(value), encoding="utf-8")
    contracts.write_schemas()
    assert contracts.problems() == []
    assert contracts.release()
    assert contracts.problems() == []
    return contracts


def changed(folder: Path, model: type[BaseModel]) -> list[str]:
    """What the check says when the released TeaServedV1 has become another model, with its schema written anew."""
    made(folder)
    contracts = Contracts({TYPE: model}, folder)
    contracts.write_schemas()
    return contracts.problems()


def test_the_contracts_pass_their_check() -> None:
    assert Contracts().problems() == []


def test_the_command_says_so_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main([]) == 0
    assert capsys.readouterr().err == ""


def test_every_type_is_released_with_its_examples() -> None:
    released = Contracts().released()
    assert set(released) == set(envelope.TYPES)
    assert all(len(entry["examples"]) >= check.LEAST_EXAMPLES for entry in released.values())


@pytest.mark.parametrize("type_", envelope.TYPES)
def test_examples_are_valid_under_the_published_schema(type_: str) -> None:
    contracts = Contracts()
    schema = json.loads(contracts.schema_file(type_).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    for file in contracts.examples(type_):
        validator.validate(json.loads(file.read_text(encoding="utf-8")))


def test_a_schema_out_of_date_is_caught(tmp_path: Path) -> None:
    contracts = made(tmp_path)
    file = contracts.schema_file(TYPE)
    file.write_text(file.read_text(encoding="utf-8").replace("integer", "number"), encoding="utf-8")
    assert any("is not what the model says" in problem for problem in contracts.problems())


def test_a_schema_without_a_type_is_caught(tmp_path: Path) -> None:
    contracts = made(tmp_path)
    (tmp_path / "schemas" / "anju.registration.gone.v1.json").write_text("{}", encoding="utf-8")
    assert any("is no type" in problem for problem in contracts.problems())


@pytest.mark.parametrize(
    ("example", "said"),
    [
        ({"stay_id": "not a uuid"}, "does not parse: stay_id"),
        ({"stay_id": FULL["stay_id"], "cups": [{"size": "2"}]}, "does not parse: cups"),
        ({}, "does not parse: stay_id"),
        ({**MINIMAL, "rom": "302"}, "does not give back"),
    ],
)
def test_an_example_that_does_not_parse_is_caught(example: dict[str, Any], said: str, tmp_path: Path) -> None:
    contracts = made(tmp_path)
    (tmp_path / "examples" / TYPE / "3.json").write_text(json.dumps(example), encoding="utf-8")
    assert any(said in problem for problem in contracts.problems())


def test_too_few_examples_and_fields_never_shown_are_caught(tmp_path: Path) -> None:
    contracts = made(tmp_path)
    (tmp_path / "examples" / TYPE / "1.json").unlink()
    said = "\n".join(contracts.problems())
    assert "has 1 examples" in said
    assert "no example shows room, cups" in said


def test_a_changed_released_example_is_caught(tmp_path: Path) -> None:
    contracts = made(tmp_path)
    (tmp_path / "examples" / TYPE / "1.json").write_text(publish.as_text({**FULL, "room": "303"}), encoding="utf-8")
    assert contracts.problems() == [f"{TYPE}/1.json was released and has changed"]


def test_a_removed_released_example_is_caught(tmp_path: Path) -> None:
    contracts = made(tmp_path)
    first = tmp_path / "examples" / TYPE / "1.json"
    first.rename(first.with_name("3.json"))
    assert contracts.problems() == [f"{TYPE}/1.json was released and is gone"]


def test_a_removed_released_type_is_caught(tmp_path: Path) -> None:
    made(tmp_path)
    assert any("was released and is gone" in problem for problem in Contracts({}, tmp_path).problems())


class Renamed(event.Event):
    stay_id: Annotated[UUID, field(STAY)]
    chamber: Annotated[str | None, field(STAY, max_length=10)] = None
    cups: Annotated[tuple[CupV1, ...], field(STAY)] = ()


class Narrowed(event.Event):
    stay_id: Annotated[UUID, field(STAY)]
    room: Annotated[str | None, field(STAY, max_length=5)] = None
    cups: Annotated[tuple[CupV1, ...], field(STAY)] = ()


class NowRequired(event.Event):
    stay_id: Annotated[UUID, field(STAY)]
    room: Annotated[str | None, field(STAY, max_length=10)]
    cups: Annotated[tuple[CupV1, ...], field(STAY)] = ()


class RequiredAddition(TeaServedV1):
    tea: Annotated[str, field(STAY)]


class ChangedCup(event.Event):
    size: Annotated[float, field(STAY)]


class ChangedInside(event.Event):
    stay_id: Annotated[UUID, field(STAY)]
    room: Annotated[str | None, field(STAY, max_length=10)] = None
    cups: Annotated[tuple[ChangedCup, ...], field(STAY)] = ()


class RequiredInsideCup(CupV1):
    colour: Annotated[str, field(STAY)]


class RequiredInside(event.Event):
    stay_id: Annotated[UUID, field(STAY)]
    room: Annotated[str | None, field(STAY, max_length=10)] = None
    cups: Annotated[tuple[RequiredInsideCup, ...], field(STAY)] = ()


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Renamed, "/room was released and is gone"),
        (Narrowed, "/room was released as"),
        (NowRequired, "/room was released as"),
        (RequiredAddition, "/tea was added and is required"),
        (ChangedInside, "/cups/[]/size was released as"),
        (RequiredInside, "/cups/[]/colour was added and is required"),
    ],
)
def test_a_change_that_breaks_readers_is_caught(model: type[BaseModel], said: str, tmp_path: Path) -> None:
    assert any(said in problem for problem in changed(tmp_path, model))


class BiscuitV1(event.Event):
    crumbs: Annotated[int, field(STAY)]


class Added(TeaServedV1):
    """Another text."""

    sugar: Annotated[int | None, field(STAY, description="lumps")] = None
    biscuit: Annotated[BiscuitV1 | None, field(STAY)] = None


def test_an_optional_addition_is_allowed_once_an_example_shows_it(tmp_path: Path) -> None:
    assert changed(tmp_path, Added) == [f"{TYPE}: no example shows sugar, biscuit"]
    third = {**MINIMAL, "sugar": 1, "biscuit": {"crumbs": 3}}
    (tmp_path / "examples" / TYPE / "3.json").write_text(publish.as_text(third), encoding="utf-8")
    contracts = Contracts({TYPE: Added}, tmp_path)
    assert contracts.problems() == []
    before = contracts.released()[TYPE]["fields"]
    assert contracts.release() == [
        f"{TYPE} /sugar",
        f"{TYPE} /biscuit",
        f"{TYPE} /biscuit/crumbs",
        f"{TYPE} 3.json",
    ]
    assert before.items() <= contracts.released()[TYPE]["fields"].items()


def test_a_release_never_changes_an_entry(tmp_path: Path) -> None:
    made(tmp_path)
    contracts = Contracts({TYPE: Narrowed}, tmp_path)
    contracts.write_schemas()
    before = contracts.released()
    assert contracts.release() == []
    assert contracts.released() == before


def untagged() -> type[BaseModel]:
    class Untagged(event.Event):
        stay_id: UUID

    return Untagged


def half_tagged() -> type[BaseModel]:
    class HalfTagged(event.Event):
        stay_id: Annotated[UUID, Field(json_schema_extra={"x-purpose": ["operation"], "x-class": "none"})]

    return HalfTagged


def untagged_inside() -> type[BaseModel]:
    class Inner(BaseModel):
        weight: int

    class Outer(event.Event):
        inner: Annotated[tuple[Inner, ...] | None, field(STAY)] = None

    return Outer


@pytest.mark.parametrize("make", [untagged, half_tagged, untagged_inside])
def test_a_field_without_tags_is_caught(make: Callable[[], type[BaseModel]]) -> None:
    assert any("has no tags" in problem for problem in lint.problems(lint.of_models("event", [make()])))


def test_a_field_on_the_deny_list_is_caught_in_the_whole_check(tmp_path: Path) -> None:
    class Scored(TeaServedV1):
        risk_score: Annotated[int | None, field(STAY)] = None

    assert any("never scored" in problem for problem in changed(tmp_path, Scored))


def test_no_allowance_of_the_deny_list_is_left_over() -> None:
    fields = lint.of_models("event", envelope.TYPES.values())
    places = {field.place for field in fields if lint.problems([field], allowed={})}
    assert places == {place for place in deny.ALLOWED if place.startswith("event ")}
