"""Fuzzed requests to the four APIs: no 5xx, no status that OpenAPI does not tell of, no echo of what was sent.

`make fuzz` (ANJU_SHOWS=full) sends 50,000 of them, `make test` a fiftieth; the seed is fixed, so that both repeat.
"""

import os
from contextlib import closing

import pytest

from tests.fuzz.calls import Calls
from tests.fuzz.fuzzed import SERVICES, Fuzzed, operations
from tests.fuzz.verdict import Findings, judge_logs

pytestmark = pytest.mark.postgres

FULL = os.environ.get("ANJU_SHOWS") == "full"
REQUESTS = 50_000 if FULL else 1_000

# How many calls of a service must have been carried out at least once: else the fuzz knocked at closed doors.
REACHED = 0.9 if FULL else 0.6


@pytest.mark.timeout(5_400 if FULL else 600)
@pytest.mark.parametrize("service", SERVICES)
def test_requests_to_an_api(fuzzed: dict[str, Fuzzed], service: str) -> None:
    findings = Findings()
    every = sum(len(list(operations(each.document))) for each in fuzzed.values())
    described = list(operations(fuzzed[service].document))
    calls = Calls(fuzzed[service], findings)
    with closing(calls):
        for salt, (method, path, operation) in enumerate(described):
            calls.send(method, path, operation, REQUESTS // every + 1, salt)
    judge_logs(findings, fuzzed[service])
    print(f"{service}: {findings.sent} requests, {dict(sorted(findings.statuses.items()))}")
    never = [f"{method} {path}" for method, path, _ in described if not findings.reached[f"{method} {path}"]]
    print(f"{service}: never carried out: {never}")
    assert not findings.faults, findings.told()
    assert len(never) <= len(described) * (1 - REACHED), never
