"""A broker that takes a question and never answers it is a sentence, not a traceback."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka.admin import AdminClient

from anju.topics import cluster
from anju.topics.declared import Topic

TOPICS = {
    "registration.stays": Topic(
        owner="registration", kind="history", key="id", partitions=1, retention_days=7, readers=()
    )
}


class Silent:
    """Kafka's administration as far as it names topics; `asked` is what it was asked then."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def list_topics(self, timeout: float) -> Any:
        return SimpleNamespace(topics={"registration.stays": SimpleNamespace(partitions={0: None})})

    def describe_user_scram_credentials(self) -> "Future[Any]":
        return self._never("users")

    def describe_configs(self, _resources: object) -> "dict[str, Future[Any]]":
        return {"registration.stays": self._never("settings")}

    def describe_acls(self, _filter: object) -> "Future[Any]":
        return self._never("rights")

    def _never(self, what: str) -> "Future[Any]":
        self.asked.append(what)
        return Future()


@pytest.mark.parametrize(
    ("topics", "users", "asked"),
    [(TOPICS, {"registration": "x"}, "users"), (TOPICS, {}, "settings"), ({}, {}, "rights")],
)
def test_what_is_never_answered_is_said(
    monkeypatch: pytest.MonkeyPatch, topics: dict[str, Topic], users: dict[str, str], asked: str
) -> None:
    monkeypatch.setattr(cluster, "ANSWER_SECONDS", 0.01)
    silent = Silent()
    with pytest.raises(cluster.KafkaRefused, match="no answer within"):
        cluster.apply(cast("AdminClient", silent), topics, users, change=False)
    assert silent.asked == [asked]
