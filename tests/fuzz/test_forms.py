"""The pages' forms, filled in by hypothesis: no 5xx, nothing typed is lost, nothing comes out unescaped or in a log.

`make fuzz` (ANJU_SHOWS=full) sends 5,000 of them, `make test` about a hundred.
"""

import os
import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote_plus
from uuid import uuid4

import httpx
import pytest
from hypothesis import strategies as st

from tests.fuzz.calls import drawn
from tests.fuzz.forms import Form, crawl, read
from tests.fuzz.fuzzed import ACTORS, SERVICES, Fuzzed
from tests.fuzz.hostile import MARKER, TEXTS
from tests.fuzz.sending import Answer, Request, Sender
from tests.fuzz.verdict import Findings, judge_logs

pytestmark = pytest.mark.postgres

FULL = os.environ.get("ANJU_SHOWS") == "full"
FORMS = 5_000 if FULL else 100
# What a page cannot show again as it was: no control character stands in HTML (HTML standard, 13.1.2), and a field of
# one line has no line ends.
_SHOWN = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*\Z")
# What a correction is about brings fields of its own: choosing another by hand would leave those of the first.
CHANGES_FORM = "field"
# Pages say 404, 403 or 409 instead of the form when what it was about is not there, not allowed or done.
WITH_FORM = {200, 422}


@st.composite
def filled(draw: st.DrawFn, forms: list[tuple[Form, dict[str, str]]]) -> tuple[Form, dict[str, str], dict[str, str]]:
    """One of the forms, filled in mostly with what nobody should type, and its sender's headers."""
    form, headers = draw(st.sampled_from(forms))
    values = dict(form.values)
    for name, choices in form.choices.items():
        if name == CHANGES_FORM:
            continue
        values[name] = draw(st.sampled_from(choices or [""]))
    for name in sorted(form.typed):
        if draw(st.integers(0, 3)) > 0:
            values[name] = draw(st.one_of(TEXTS, st.text(max_size=30), st.just(f"{MARKER} 湖滨")))
    if draw(st.integers(0, 9)) == 0 and values:
        values[draw(st.sampled_from(sorted(values)))] = draw(TEXTS)
    if draw(st.integers(0, 9)) == 0:
        values[draw(st.sampled_from([MARKER, "a.b.c", "person", "key", "", "person.document"]))] = draw(TEXTS)
    if "key" in values and draw(st.integers(0, 9)):
        values["key"] = str(uuid4())
    more = {"hx-request": "true"} if draw(st.booleans()) else {}
    return form, values, headers | more | {"accept-language": draw(st.sampled_from(["zh-CN", "en"]))}


def _request(form: Form, values: dict[str, str], headers: dict[str, str]) -> Request:
    encoded = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in values.items())
    named = [(name.encode(), value.encode()) for name, value in headers.items()]
    named += [(b"accept", b"text/html"), (b"sec-fetch-site", b"same-origin")]
    if form.method == "get":
        return Request("GET", f"{form.action.partition('?')[0]}?{encoded}", named, b"", list(values.values()))
    named.append((b"content-type", b"application/x-www-form-urlencoded"))
    return Request("POST", form.action, named, encoded.encode(), list(values.values()))


def _quoted(text: str) -> str:
    return quote_plus(text, errors="surrogatepass")


def _lost(form: Form, values: dict[str, str], answer: Answer) -> Iterator[str]:
    """The fields that a person typed into and that the page does not hold any more."""
    if values.get(CHANGES_FORM) != form.values.get(CHANGES_FORM):
        return  # it was overwritten: the page shows the fields of another choice
    again = [each for each in read(answer.text)[0] if each.method == "post" and each.typed & form.typed]
    for name in form.typed:
        typed = values.get(name, "")
        # Blanks are nothing: a field that has a usual value may show that again.
        told = typed.strip() and _SHOWN.match(typed)
        if again and told and not any(each.values.get(name) == typed for each in again):
            yield name


def _judge(findings: Findings, fuzzed: Fuzzed, form: Form, values: dict[str, str], answer: Answer) -> None:
    findings.statuses[fuzzed.name, answer.status] += 1
    label = " ".join(form.kind[:2])
    sample: Any = (values, answer.status, answer.text[:500])
    if answer.status < 400:
        findings.reached[label] += 1
    if answer.status == 0:
        findings.fault("no answer", label, answer.text, sample=sample)
    if answer.status >= 500:
        findings.fault("5xx", label, str(answer.status), sample=sample)
    # Typed as HTML, it must come back as text.
    for raw in (f"<script>{MARKER}", "<img src=x onerror"):
        if raw in answer.text.lower():
            findings.fault("unescaped", label, str(answer.status), sample=sample)
    if form.method == "post" and answer.status in WITH_FORM:
        for name in _lost(form, values, answer):
            findings.fault("lost", label, name, str(answer.status), sample=(values.get(name), *sample[:2]))


@pytest.mark.timeout(5_400 if FULL else 600)
@pytest.mark.parametrize("service", SERVICES)
def test_forms_of_pages(fuzzed: dict[str, Fuzzed], service: str) -> None:
    findings, one = Findings(), fuzzed[service]
    with httpx.Client(timeout=30, trust_env=False) as http:
        forms = [(form, one.headers(role, unit)) for role, unit in ACTORS for form in crawl(one, http, role, unit)]
    assert forms
    with closing(Sender(one.address)) as sender:

        def send(chosen: tuple[Form, dict[str, str], dict[str, str]]) -> None:
            form, values, headers = chosen
            _judge(findings, one, form, values, sender.send(_request(form, values, headers)))

        drawn(filled(forms), FORMS // len(SERVICES), 7, send)
    judge_logs(findings, one)
    print(f"{service}: {len({form.kind for form, _ in forms})} forms, {findings.sent} times sent,", end=" ")
    print(dict(sorted(findings.statuses.items())))
    assert not findings.faults, findings.told()
