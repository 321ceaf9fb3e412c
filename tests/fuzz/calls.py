"""The calls of one service's API, fuzzed: half of the requests by its OpenAPI document, half made from sound ones."""

import json
import random
from collections.abc import Callable
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from chassis.web.problems import TITLES
from tests.fuzz import hostile
from tests.fuzz.bodies import sound
from tests.fuzz.fuzzed import ACTORS, Fuzzed
from tests.fuzz.sending import Answer, Request, Sender
from tests.fuzz.verdict import Findings, judge

CHECKS = [
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
# What a spoiled envelope may also be answered: OpenAPI describes calls, and these are answered before there is one.
METHOD_NOT_ALLOWED = "405"
# A sound request may meet the wrong state of what it names: an alert that is closed, premises that are open.
ATTEMPTS = 16
# A role is not admitted when it was refused so often: one refusal may be of the place or the case.
REFUSALS = 2
# Each request that was drawn goes out as it is, again under its key, in three bad envelopes and by somebody else:
# drawing costs most.
SENDINGS = 6


def drawn(strategy: st.SearchStrategy[Any], count: int, salt: int, do: Callable[[Any], None]) -> None:
    """Do it `count` times; what it meets is kept by `do` and not raised, so that one fault does not hide the next."""
    if count < 1:
        return

    @seed(salt)
    @settings(
        max_examples=count,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def each(value: Any) -> None:
        do(value)

    each()


class Calls:
    """Sends what it makes up and keeps what came of it."""

    def __init__(self, fuzzed: Fuzzed, findings: Findings) -> None:
        self._fuzzed, self._findings = fuzzed, findings
        self._sender = Sender(fuzzed.address)
        # A problem's type may be what somebody typed, such as "invalid".
        self._ours = json.dumps([fuzzed.document, *TITLES])
        self._label, self._method = "", ""
        self._documented: set[str] = set()
        self._schema = schemathesis.openapi.from_dict(fuzzed.document)

    def close(self) -> None:
        """Close the connection."""
        self._sender.close()

    def send(self, method: str, path: str, described: dict[str, Any], count: int, salt: int) -> None:
        """Send some `count` requests to one call; `salt` begins what is drawn."""
        self._label, self._method, self._documented = f"{method} {path}", method, set(described["responses"])
        role = self._admitted(method, path, described)
        admission = self._findings.by_call[self._label]
        for at, mode in enumerate((GenerationMode.POSITIVE, GenerationMode.NEGATIVE)):
            cases = self._schema[path][method].as_strategy(generation_mode=mode)
            callers = st.sampled_from([ACTORS[role]] * 9 + list(ACTORS))
            drawn(
                st.tuples(cases, callers, st.integers(0, 2**32)),
                max(1, count // SENDINGS // 4),
                salt * 3 + at,
                self._by_schema,
            )
        # A call without parameters has few cases of its own: requests made from sound ones make up for it.
        left = (count - self._findings.by_call[self._label] + admission) // SENDINGS

        def by_plan(plan: hostile.Plan) -> None:
            made = hostile.request(self._fuzzed, method, path, described, role, plan)
            self._sent(made, random.Random(plan.salt))

        drawn(hostile.PLANS, left, salt * 3 + 2, by_plan)

    def _by_schema(self, drawn: tuple[Any, tuple[str, str], int]) -> None:
        case, caller, salt = drawn
        choice = random.Random(salt)
        self._feed(case, choice)
        headers = hostile.headers_of(self._fuzzed, *caller, case.path_parameters or {})
        given = case.as_transport_kwargs(base_url=self._fuzzed.address, headers=headers)
        content = json.dumps(given["json"]).encode() if "json" in given else given.get("data") or b""
        params = dict(given.get("params") or {})
        made = httpx.Request(given["method"], given["url"], params=_flat(params), headers=given["headers"])
        names = [(name.encode(), str(value).encode()) for name, value in given["headers"].items()]
        typed = [given.get("json"), list(params.values()), list((case.path_parameters or {}).values())]
        request = Request(given["method"], made.url.raw_path.decode(), names, content, typed)
        answer = self._sent(request, choice)
        if answer.raw is not None and answer.media_type != "text/event-stream":
            try:
                case.validate_response(answer.raw, checks=CHECKS)
            except (Failure, FailureGroup) as failure:
                each = getattr(failure, "exceptions", [failure])[0]
                self._findings.fault("schemathesis", self._label, type(each).__name__, sample=str(failure)[:1000])

    def _feed(self, case: Any, choice: random.Random) -> None:
        """Put ids that the service knows in place of most made-up ones."""
        for name in case.path_parameters or {}:
            if choice.random() < 0.8 and self._fuzzed.ids.of.get(name):
                case.path_parameters[name] = choice.choice(self._fuzzed.ids.of[name])
        if isinstance(case.body, dict):
            for name, value in case.body.items():
                if isinstance(value, str) and choice.random() < 0.8 and self._fuzzed.ids.of.get(name):
                    case.body[name] = choice.choice(self._fuzzed.ids.of[name])

    def _sent(self, request: Request, choice: random.Random) -> Answer:
        """Send a request, again under its key, in bad envelopes, and by somebody else; return the first answer."""
        first = self._judged(request)
        again = self._judged(request)
        if first.status < 300 and again.status != first.status:
            self._findings.fault("a repeat is answered otherwise", self._label, str(again.status), sample=request)
        for each in hostile.spoiled(request, choice):
            self._judged(each)
        who, unit = choice.choice(ACTORS)
        for name, value in hostile.headers_of(self._fuzzed, who, unit, {}).items():
            request.replace(name.encode(), value.encode())
        self._judged(request)
        return first

    def _judged(self, request: Request) -> Answer:
        answer = self._sender.send(request)
        self._findings.by_call[self._label] += 1
        allowed = self._documented | ({METHOD_NOT_ALLOWED} if request.method != self._method else set())
        judge(self._findings, self._fuzzed.name, self._label, allowed, self._ours, request, answer)
        if answer.status < 300 and answer.media_type == "application/json":
            self._fuzzed.ids.learn(json.loads(answer.text))
        return answer

    def _admitted(self, method: str, path: str, described: dict[str, Any]) -> int:
        """Send sound requests until one is carried out, and return the role that it was for."""
        admitted = None
        for role in range(len(ACTORS)):
            for attempt in range(ATTEMPTS):
                request = self._sound(method, path, described, role, random.Random(attempt))
                answer = self._judged(request)
                if answer.status in (401, 403) and attempt >= REFUSALS:
                    break
                if answer.status < 300:
                    return role
                if answer.status not in (401, 403) and admitted is None:
                    admitted = role
        assert admitted is not None, f"nobody may {self._label}"
        return admitted

    def _sound(self, method: str, path: str, described: dict[str, Any], role: int, choice: random.Random) -> Request:
        parameters = [each["name"] for each in described.get("parameters", []) if each["in"] == "path"]
        addressed = {name: hostile.known(choice, self._fuzzed, name) for name in parameters}
        headers = hostile.headers_of(self._fuzzed, *ACTORS[role], addressed)
        body = b""
        if "requestBody" in described:
            body = json.dumps(sound(path, addressed, choice, self._fuzzed.ids)).encode()
            headers["content-type"] = "application/json"
        named = [(name.encode(), value.encode()) for name, value in headers.items()]
        return Request(method, path.format(**addressed), named, body)


def _flat(params: dict[str, Any]) -> dict[str, Any]:
    """As a query can hold them: a list is the same name several times, anything else its text."""
    return {
        name: [str(each) for each in value] if isinstance(value, list) else "" if value is None else str(value)
        for name, value in params.items()
    }
