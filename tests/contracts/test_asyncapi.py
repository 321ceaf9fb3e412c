"""The AsyncAPI document of departments' topics keeps to the official schema, and says what contracts and topics say."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from contracts import asyncapi, envelope, publish
from contracts.departments import DEPARTMENTS, RETENTION_DAYS, of_owner

ROOT = Path(__file__).resolve().parents[2]
# Of @asyncapi/specs, installed with the page assets by their lock.
SPECIFICATION = ROOT / ".build/npm/node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json"
OWNERS = sorted({each.owner for each in DEPARTMENTS.values()})


@pytest.fixture(scope="module")
def official() -> jsonschema.Draft7Validator:
    """AsyncAPI 3.0.0 as its authors publish it."""
    return jsonschema.Draft7Validator(json.loads(SPECIFICATION.read_text(encoding="utf-8")))


def copy_of(service: str) -> dict[str, Any]:
    """A service's document, to change."""
    made: dict[str, Any] = json.loads(json.dumps(asyncapi.document(service)))
    return made


@pytest.mark.parametrize("service", OWNERS)
def test_the_document_keeps_to_the_official_schema(service: str, official: jsonschema.Draft7Validator) -> None:
    official.validate(copy_of(service))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document.pop("info"),
        lambda document: document.update(asyncapi="2.6.0"),
        lambda document: document["servers"]["kafka"].pop("protocol"),
        lambda document: document["operations"]["tell-fire"].update(action="publish"),
        lambda document: document["components"]["securitySchemes"]["scram"].update(type="scram"),
        lambda document: document["channels"]["fire"].update(topic="x"),
        lambda document: document["components"]["messages"][envelope.IMMINENT_HAZARD_OCCUPIED].update(headers=1),
    ],
)
def test_the_official_schema_sees_what_is_wrong(
    spoil: Callable[[Any], Any], official: jsonschema.Draft7Validator
) -> None:
    document = copy_of("alerts")
    spoil(document)
    assert not official.is_valid(document)


def references(node: Any) -> Iterator[str]:
    """Every reference in a document."""
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "$ref")
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from references(each)


@pytest.mark.parametrize("service", OWNERS)
def test_every_reference_leads_somewhere_and_stands_alone(service: str) -> None:
    document = copy_of(service)
    for reference in references(document):
        found = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        assert found, reference
    beside = [node for node in objects(document) if "$ref" in node and len(node) > 1]
    assert beside == []


def objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in a document."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from objects(each)


@pytest.mark.parametrize(
    "type_", [type_ for each in DEPARTMENTS.values() for type_ in envelope.DEPARTMENT_TYPES[each.topic]]
)
def test_a_message_has_the_frozen_examples_and_they_fit(type_: str) -> None:
    """Payload and headers of each example are valid by the document alone; a wrong one is not."""
    document = copy_of("alerts")
    message = document["components"]["messages"][type_]
    payload = jsonschema.Draft7Validator({**message["payload"], "components": document["components"]})
    headers = jsonschema.Draft7Validator(message["headers"])
    files = sorted((publish.FOLDER / "examples" / type_).glob("*.json"))
    assert [each["payload"] for each in message["examples"]] == [json.loads(file.read_text()) for file in files]
    for example in message["examples"]:
        payload.validate(example["payload"])
        headers.validate(example["headers"])
        assert not payload.is_valid(example["payload"] | {"headcount": -1})
        assert not payload.is_valid(example["payload"] | {"hazards": [{"item": "gas", "severity": "mild"}]})
        assert not headers.is_valid({**example["headers"], envelope.HEADER_TYPE: "another"})
    tags = {each["name"] for each in message["tags"]}
    assert {"purpose:housing_safety", "basis:fire_safety", "class:personal", "retention:topic_30_days"} <= tags


def test_topics_are_declared_as_the_document_says() -> None:
    """Owner, reader, key and term in deploy/kafka/topics.yaml; every department's topic is in one document."""
    declared = yaml.safe_load((ROOT / "deploy/kafka/topics.yaml").read_text(encoding="utf-8"))["topics"]
    for name, department in DEPARTMENTS.items():
        topic = declared[department.topic]
        assert (topic["owner"], topic["readers"], topic["key"]) == (department.owner, [name], "case id")
        assert (topic["kind"], topic["retention_days"]) == ("history", RETENTION_DAYS)
        assert department.topic == f"{department.owner}.department.{name}"
    assert set(envelope.DEPARTMENT_TYPES) == {each.topic for each in DEPARTMENTS.values()}
    assert [set(asyncapi.document(owner)["channels"]) for owner in OWNERS] == [
        {each.name for each in of_owner(owner)} for owner in OWNERS
    ]


def test_every_department_is_a_unit() -> None:
    """Its officers and its Kafka user have the same name."""
    units = yaml.safe_load((ROOT / "deploy/units.yaml").read_text(encoding="utf-8"))["units"]
    assert {unit["id"] for unit in units if unit["kind"] == "department"} == set(DEPARTMENTS)
