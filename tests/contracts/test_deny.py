"""The deny list bites for every word of product.md's lines, in the spellings that people use, and for nothing else."""

from typing import Literal

import pytest

from contracts import deny, lint
from contracts.fields import TECHNICAL, BadTag, read, tags

WORDS = [
    *("hobby", "hobbies", "looks", "associates", "income", "politics", "religion", "ethnicity", "family_tree"),
    *("criminal_record", "score", "risk", "suspicion", "tier", "biometrics", "informant", "face", "fingerprint"),
    *("trajectory", "whereabouts", "movement_history", "occupation", "native_place", "age_group", "origin"),
]
SPELLINGS = [
    *("risk_score", "riskScore", "person_risk", "credit-score", "tenant_tiers", "faceTemplate", "family_tree_id"),
    *("monthly_income", "political_party_members", "risks", "lastSeen", "last_seen_at", "suspect_flag"),
]
CHINESE = [
    "风险评分",
    "宗教信仰",
    "民族",
    "政治面貌",
    "个人爱好",
    "前科情况",
    "月收入",
    "人脸照片",
    "行动轨迹",
    "重点人员",
]
HARMLESS = [
    *("stay_id", "division_code", "surface_m2", "interface", "original_value", "frontier", "raised_at", "kind"),
    *("description", "racetrack_id", "severity", "escalation_level", "headcount", "faceted", "days_late"),
    *("family_tracing", "room", "stream_position", "tracked", "assessment"),
]
TAGS = read(tags(purpose="registration", basis="residence_registration", class_="personal", retention="stay"))


def refused(kind: Literal["event", "table", "form"], name: str, *texts: str, codes: tuple[str, ...] = ()) -> list[str]:
    return lint.problems([lint.Field(kind, "persons", name, TAGS, codes, texts)])


@pytest.mark.parametrize("kind", ["event", "table", "form"])
@pytest.mark.parametrize("name", [*WORDS, *SPELLINGS, *CHINESE])
def test_denied_words_are_refused_everywhere(kind: Literal["event", "table", "form"], name: str) -> None:
    assert refused(kind, name)


@pytest.mark.parametrize("name", HARMLESS)
def test_other_words_are_not_refused(name: str) -> None:
    assert refused("table", name) == []
    assert refused("form", name) == []


@pytest.mark.parametrize(
    "name", ["name", "phone", "number", "document_number", "birth_date", "sex", "guardian_name", "证件号码", "手机号"]
)
def test_a_persons_data_is_refused_in_events_alone(name: str) -> None:
    assert refused("event", name)
    assert refused("table", name) == []


def test_a_code_and_a_chinese_label_are_searched_too() -> None:
    assert refused("form", "kind", codes=("tenant", "high_risk"))
    assert refused("form", "note", "请填写宗教信仰")
    assert refused("form", "note", "Never write a score here.") == []


def test_an_allowance_needs_the_exact_place() -> None:
    graded = lint.Field("table", "premises", "grade", read(TECHNICAL))
    assert lint.problems([graded])
    assert lint.problems([graded], allowed={"table premises.grade": "premises are graded"}) == []
    assert lint.problems([graded], allowed={"table persons.grade": "never"})


def test_tags_that_cannot_be_true_are_refused() -> None:
    none = read(TECHNICAL)
    assert lint.problems([lint.Field("table", "persons", "phone", none)])
    sensitive = read(tags(purpose="registration", basis="consent", class_="sensitive", retention="stay"))
    assert lint.problems([lint.Field("event", "Arrived", "token", sensitive)])
    assert lint.problems([lint.Field("table", "persons", "sealed", sensitive)]) == []


@pytest.mark.parametrize(
    "words",
    [
        {"purpose": "curiosity", "basis": "consent", "class_": "personal", "retention": "stay"},
        {"purpose": (), "basis": "consent", "class_": "personal", "retention": "stay"},
        {"purpose": "registration", "basis": "custom", "class_": "personal", "retention": "stay"},
        {"purpose": "registration", "basis": "consent", "class_": "secret", "retention": "stay"},
        {"purpose": "registration", "basis": "consent", "class_": "personal", "retention": "forever"},
        {"purpose": "registration", "basis": "not_personal", "class_": "personal", "retention": "stay"},
        {"purpose": "registration", "basis": "consent", "class_": "none", "retention": "stay"},
    ],
)
def test_a_tag_that_is_not_listed_is_refused_at_import(words: dict[str, str]) -> None:
    with pytest.raises(BadTag):
        tags(**words)


def test_every_phrase_finds_itself() -> None:
    for phrases in (*deny.EVERYWHERE.values(), *deny.IN_EVENTS.values()):
        for phrase in phrases:
            assert deny.names(phrase, phrase)
