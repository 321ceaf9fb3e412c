"""How requests are read: repeats and missing keys before anything is asked elsewhere, empty filters."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.service.alerts.callers import AUTHOR, NUMBER, OFFICER, Api
from tests.service.alerts.conftest import Matcher, NoticeDesk, Registration, now, stay_event, token_of

pytestmark = pytest.mark.postgres


def proposal() -> dict[str, Any]:
    """A sound proposal."""
    return {
        "kind": "wanted",
        "instrument": {"kind": "arrest_approval", "number": "云检捕〔2026〕0144 号", "authority": "云汀市人民检察院"},
        "subject": {"document": {"kind": "resident_id", "number": NUMBER}},
        "starts_at": now().isoformat(),
        "ends_at": (now() + timedelta(days=30)).isoformat(),
        "recipients": ["command-centre"],
        "instructions": "两名民警到场；先核对证件原件。",
    }


async def test_a_repeated_proposal_gets_its_answer_without_registration(api: Api, registration: Registration) -> None:
    """No second token is asked for, and the answer comes also while registration is away."""
    body, key = proposal(), str(uuid4())
    first = await api.post("/notices", body, *AUTHOR, key=key)
    registration.down = True
    again = await api.post("/notices", body, *AUTHOR, key=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    other = await api.post("/notices", body | {"instructions": "别的"}, *AUTHOR, key=key)
    assert other.status_code == 422
    assert len(registration.asked) == 1


async def test_without_a_key_no_token_is_asked_for(api: Api, registration: Registration) -> None:
    """400 before anybody's number goes to registration, where each token is counted and logged."""
    headers = api.provider.headers(*AUTHOR)
    response = await api.http.post("/api/v1/notices", headers=headers, json=proposal())
    assert (response.status_code, response.json()["type"]) == (400, "urn:anju:problem:idempotency-key-required")
    assert registration.asked == []


async def test_an_empty_filter_is_no_filter(api: Api, desk: NoticeDesk, matcher: Matcher) -> None:
    """`?state=&severity=&division=`, as a form with nothing chosen sends it."""
    await desk.activate("1")
    await matcher.read(stay_event(token_of("1")))
    alerts = await api.get("/alerts", *OFFICER, state="", severity="", division="")
    assert len(alerts.json()["items"]) == 1
    notices = await api.get("/notices", *AUTHOR, state="")
    assert len(notices.json()["items"]) == 1
    for path, who in (("/alerts", OFFICER), ("/notices", AUTHOR)):
        assert (await api.get(path, *who, state="open")).status_code == 422
