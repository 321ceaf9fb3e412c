"""The rules of style hold in the whole tree, and each of them catches a planted violation."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.architecture import rules
from tests.architecture.rules import Source

ROOT = Path(__file__).parents[2]
PACKAGES = ("contracts", "chassis", "policy", "services", "anju")
SOURCES = rules.sources(ROOT, *PACKAGES, "tests", "requirements", "assets")
Rule = Callable[[Source], Iterator[str]]


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_rule_holds(rule: Rule) -> None:
    assert [violation for source in SOURCES for violation in rule(source)] == []


PLANTED: list[tuple[Rule, str, str]] = [
    (rules.short_file, "services/alerts/events.py", '"""Long."""\n' + "x = 1\n" * 320),
    (rules.short_functions, "services/alerts/events.py", "def act():\n" + "    x = 1\n" * 51),
    (rules.short_functions, "services/alerts/web/pages.py", "def pages():\n  def page():\n" + "    x = 1\n" * 51),
    (rules.telling_name, "chassis/web/form_utils.py", ""),
    (rules.telling_name, "services/common/domain/stays.py", ""),
    (rules.telling_name, "services/alerts/notice_manager.py", ""),
    (rules.first_line, "services/alerts/events.py", "import uuid\n"),
    (rules.first_line, "services/alerts/events.py", '"""  """\nimport uuid\n'),
    (rules.time_passed_in, "services/alerts/domain/notices.py", "from datetime import datetime\ndatetime.now(None)\n"),
    (rules.time_passed_in, "services/alerts/use_cases/close_alert.py", "import datetime\ndatetime.datetime.utcnow()\n"),
    (rules.time_passed_in, "services/alerts/watchlist.py", "import time\ntime.time()\n"),
    (rules.time_passed_in, "policy/calendar.py", "from datetime import date\ndate.today()\n"),
    (rules.no_blocking_sleep, "services/alerts/stream.py", "import time\ntime.sleep(1)\n"),
    (rules.no_blocking_sleep, "tests/kafka/test_relay.py", "from time import sleep\nsleep(1)\n"),
    (
        rules.use_cases_never_commit,
        "services/alerts/use_cases/close_alert.py",
        "async def f(tx):\n await tx.commit()\n",
    ),
    (
        rules.use_cases_never_commit,
        "services/alerts/use_cases/close_alert.py",
        "async def f(db):\n async with db.transaction() as tx:\n  pass\n",
    ),
    (
        rules.one_use_case_a_file,
        "services/alerts/use_cases/close_alert.py",
        "async def close(): ...\nasync def reopen(): ...\n",
    ),
    (rules.checker_stands_alone, "tests/chaos/checker/states.py", "from contracts import topics\n"),
    (rules.checker_stands_alone, "tests/chaos/checker/collect.py", "import tests.system.journal\n"),
    (rules.checker_stands_alone, "tests/chaos/checker/trace.py", "def f():\n    from chassis.events import outbox\n"),
    (rules.checker_stands_alone, "tests/chaos/checker/told.py", "from ..load import Load\n"),
]
HARMLESS: list[tuple[Rule, str, str]] = [
    (rules.checker_stands_alone, "tests/chaos/load.py", "from tests.people import People\n"),
    (rules.checker_stands_alone, "tests/chaos/checker/states.py", "from tests.chaos.checker.evidence import Row\n"),
    (rules.short_file, "services/alerts/events.py", "x = 1\n" * 320),
    (rules.short_functions, "services/alerts/events.py", 'def act():\n    """\n' + "    a\n" * 60 + '    """\n'),
    (
        rules.short_functions,
        "services/alerts/web/pages.py",
        "def pages():\n  def page():\n" + "    x = 1\n" * 49 + "  y = 1\n" * 40,
    ),
    (rules.telling_name, "chassis/data/database.py", ""),
    (rules.first_line, "services/alerts/domain/__init__.py", ""),
    (rules.time_passed_in, "services/alerts/api/routes.py", "from datetime import datetime\ndatetime.now(None)\n"),
    (rules.no_blocking_sleep, "services/alerts/stream.py", "import asyncio\nasyncio.sleep(1)\n"),
    (rules.no_blocking_sleep, "anju/local/launcher.py", "import time\ntime.sleep(1)\n"),
    (rules.one_use_case_a_file, "services/alerts/use_cases/close_alert.py", "async def a(): ...\ndef b(): ...\n"),
    (rules.use_cases_never_commit, "services/alerts/api/routes.py", "db.transaction()\n"),
    (rules.one_use_case_a_file, "services/alerts/use_cases/queries.py", "async def a(): ...\nasync def b(): ...\n"),
]


def test_every_rule_has_a_planted_violation() -> None:
    assert {rule for rule, *_ in PLANTED} == set(rules.RULES)


@pytest.mark.parametrize(("rule", "path", "text"), PLANTED)
def test_a_planted_violation_is_caught(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source(path, text)))


@pytest.mark.parametrize(("rule", "path", "text"), HARMLESS)
def test_what_is_meant_to_be_allowed_is_not_refused(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source(path, text))) == []


def test_the_tree_was_read() -> None:
    assert {source.parts[0] for source in SOURCES} >= {*PACKAGES, "tests"}
