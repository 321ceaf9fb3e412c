"""Owns the words for each way in which a cluster differs from what is declared."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class What(StrEnum):
    """The ways in which a cluster can differ."""

    USER_MISSING = "user-missing"
    TOPIC_MISSING = "topic-missing"
    SETTING = "setting"
    RIGHT_MISSING = "right-missing"
    RIGHT_SURPLUS = "right-surplus"
    TOPIC_UNDECLARED = "topic-undeclared"
    PARTITIONS = "partitions"
    SETTING_UNDECLARED = "setting-undeclared"
    RIGHT_OF_STRANGER = "right-of-stranger"


_SENTENCES = {
    What.USER_MISSING: "user {subject}: made",
    What.TOPIC_MISSING: "topic {subject}: made",
    What.SETTING: "topic {subject}: {setting} {found} → {declared}",
    What.RIGHT_MISSING: "granted: {subject}",
    What.RIGHT_SURPLUS: "revoked: {subject}",
    What.TOPIC_UNDECLARED: "topic {subject} is not declared",
    What.PARTITIONS: "topic {subject} has {found} partitions instead of {declared}",
    What.SETTING_UNDECLARED: "topic {subject} has {setting} set to {found}, which is not declared",
    What.RIGHT_OF_STRANGER: "right of a stranger: {subject}",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference; `subject` is a topic, a user, or a right spelled out. As text: what is done, or what is so."""

    what: What
    subject: str
    setting: str | None = None
    found: str | None = None
    declared: str | None = None

    def __str__(self) -> str:
        return _SENTENCES[self.what].format(**asdict(self))


@dataclass(slots=True)
class Outcome:
    """What was done (or, when only checking, is to be done), and what differs and needs a person."""

    done: list[Difference] = field(default_factory=list)
    drift: list[Difference] = field(default_factory=list)

    def document(self) -> dict[str, list[dict[str, Any]]]:
        """The same for programs."""
        return {"done": [asdict(each) for each in self.done], "drift": [asdict(each) for each in self.drift]}
