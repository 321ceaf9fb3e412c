"""What an answer, a log and a metric may be, whatever was sent; each fault is kept once, with how often it was met."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.fuzz.fuzzed import Fuzzed
from tests.fuzz.hostile import MARKER
from tests.fuzz.sending import Answer, Request

# A shorter text stands in an answer by chance.
LONG_ENOUGH = 6
# Below HTTP: the server's own words about a head that is none (RFC 9112), before any service of ours is asked.
NO_REQUEST = {(400, "text/plain"), (431, "")}
# Lines that say that something was met which nobody had thought of.
UNEXPECTED = {"request-failed", "problem-page-failed", "database-refused", "loop-error", "uncaught", "log-line-lost"}
_NUMBER = re.compile(r"\d(?:[ -]?\d){7,}")
_LIKE_OURS = re.compile(r"[a-z][a-z_]{0,38}[0-9]?\Z")
# Moments and durations are numbers too, and of our own making.
_OF_OURS = {"at", "seconds", "trace_id", "span_id", "parent_id"}


@dataclass
class Findings:
    """What a run met: answers by status, and faults."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    by_call: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    faults: Counter[tuple[str, ...]] = field(default_factory=Counter)
    samples: dict[tuple[str, ...], str] = field(default_factory=dict)

    def fault(self, *what: str, sample: object = "") -> None:
        """Note one."""
        self.faults[what] += 1
        self.samples.setdefault(what, repr(sample)[:1500])

    @property
    def sent(self) -> int:
        """How many requests were answered."""
        return sum(self.statuses.values())

    def told(self) -> str:
        """The faults for a person, the most frequent first."""
        return "\n".join(f"{count} x {what}\n    {self.samples[what]}" for what, count in self.faults.most_common(40))


def judge(
    findings: Findings,
    service: str,
    operation: str,
    documented: Collection[str],
    ours: str,
    request: Request,
    answer: Answer,
) -> None:
    """Hold one answer of an API against what is promised.

    `documented` are the statuses of its OpenAPI document; words of `ours` (that document, and types of problems) may
    stand in an answer.
    """
    findings.statuses[service, answer.status] += 1
    headers = [(name, value[:60]) for name, value in request.headers if name != b"authorization"]
    sample = (request.method, request.target[:200], headers, request.body[:400], answer.text[:300])
    if (answer.status, answer.media_type) in NO_REQUEST:
        return
    if answer.status == 0:
        findings.fault("no answer", operation, answer.text, sample=sample)
        return
    if answer.status < 300:
        findings.reached[operation] += 1
        return
    if answer.status >= 500:
        findings.fault("5xx", operation, str(answer.status), _code(answer.text), sample=sample)
    if str(answer.status) not in documented:
        findings.fault("undocumented", operation, str(answer.status), _code(answer.text), sample=sample)
    if request.method != "HEAD":
        for wrong in _wrong_problem(answer):
            findings.fault(wrong, operation, str(answer.status), sample=sample)
    for typed in texts_of(request.typed):
        if len(typed) >= LONG_ENOUGH and typed in answer.text and typed not in ours:
            findings.fault("echo", operation, str(answer.status), _code(answer.text), sample=(typed[:80], *sample))
            break


def _code(text: str) -> str:
    found = re.search(r"urn:anju:problem:([a-z-]+)", text)
    return found[1] if found else ""


def _wrong_problem(answer: Answer) -> Iterator[str]:
    """RFC 9457: a media type, a type, a title and the status; of ours also faults by field."""
    if answer.media_type != "application/problem+json":
        yield f"not a problem but {answer.media_type}"
        return
    try:
        body = json.loads(answer.text)
    except ValueError:
        yield "a problem that is not JSON"
        return
    if not str(body.get("type", "")).startswith("urn:anju:problem:") or body.get("status") != answer.status:
        yield "a problem without type or status"
    if not isinstance(body.get("title"), str) or not body["title"]:
        yield "a problem without title"
    for each in body.get("errors", []):
        if set(each) != {"pointer", "code", "message"} or not all(isinstance(its, str) for its in each.values()):
            yield "a field's fault of another form"


def texts_of(tree: Any) -> Iterator[str]:
    """Every text, long number and key that was typed."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, int) and not isinstance(tree, bool):
        yield str(tree)
    elif isinstance(tree, dict):
        for key, value in tree.items():
            # A key that could be a field of ours is named in its fault, so that a slip of the pen is found.
            yield from () if _LIKE_OURS.match(key) else (key,)
            yield from texts_of(value)
    elif isinstance(tree, list):
        for value in tree[:50]:
            yield from texts_of(value)


def judge_logs(findings: Findings, fuzzed: Fuzzed) -> None:
    """Nothing that was typed stands in a line or a metric, and no line tells of something that nobody thought of."""
    for line in fuzzed.lines():
        if line["event"] in UNEXPECTED:
            causes = (str(line.get(each)) for each in ("error", "sqlstate", "code", "causes"))
            findings.fault(fuzzed.name, str(line["event"]), *causes, sample=line)
        said = json.dumps({name: value for name, value in line.items() if name not in _OF_OURS}, ensure_ascii=False)
        if MARKER in said.lower() or not said.isascii() or (_NUMBER.search(_without_ids(said))):
            findings.fault(fuzzed.name, "echo in a log", str(line["event"]), sample=line)
    metrics = fuzzed.metrics()
    labels = "\n".join(re.findall(r"\{[^\n]*\}", metrics))
    if MARKER in metrics.lower() or not metrics.isascii() or _NUMBER.search(_without_ids(labels)):
        findings.fault(fuzzed.name, "echo in a metric", sample=labels[:2000])


def _without_ids(said: str) -> str:
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", said)
