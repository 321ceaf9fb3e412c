"""What each service says it publishes is what topics.yaml says it owns: the relay looks after these topics alone."""

from importlib import import_module

import pytest

from anju.cli.selection import SERVICES
from anju.topics.declared import read_topics
from chassis.events.published import Published


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_publishes_the_topics_that_it_owns(service: str) -> None:
    published: Published = import_module(f"services.{service}.published").PUBLISHED
    owned = {name: topic.kind for name, topic in read_topics().items() if topic.owner == service}
    told = dict.fromkeys(published.histories, "history") | {state.topic: "state" for state in published.states}
    assert told == owned
    for state in published.states:
        assert state.type.startswith(f"anju.{service}.")
