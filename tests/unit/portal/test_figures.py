"""The figure of each desk on the start page: asked of the services as that desk's people, calm when one is down."""

from typing import Any

import httpx
import pytest

from anju.portal.figures import READ, DeskFigures

ADDRESSES = {f"{service}-web": f"http://{service}" for service in ("registration", "housing", "alerts", "reporting")}
ROOMS = [{"capacity": 2, "free": 1}, {"capacity": 3, "free": 3}]


STATES: dict[str, list[dict[str, str] | None]] = {
    "proposed": [None] * 2,
    "active": [None, {"ends_at": ""}, None],
    "suspended": [None],
}


def notices(state: str) -> list[dict[str, Any]]:
    return [{"renewal": renewal} for renewal in STATES.get(state, [])]


def answer(request: httpx.Request) -> httpx.Response:
    asked, path = request.url.params, request.url.path.removeprefix("/api/v1/")
    answers: dict[str, Any] = {
        "alerts": {
            "items": [{"raised_at": "2026-11-24T02:44:00Z"}, {"raised_at": "2026-11-24T02:40:00Z"}],
            "next": None,
        },
        "notices": {
            "items": notices(asked.get("state", "active")),
            "next": "more" if asked.get("state") == "active" else None,
        },
        "premises": {"items": [{"rooms": ROOMS}], "next": None},
        "occupancy": {"registered": None if "division" in asked else 416},
        "housing-counts": {
            "hazards_open_imminent": 1,
            "hazards_open_serious": 0,
            "hazards_open_minor": 2,
            "premises_open": 38,
        },
    }
    return httpx.Response(200, json=answers[path])


async def test_each_desk_has_its_figure() -> None:
    roles: set[str] = set()

    def token(role: str) -> str:
        roles.add(role)
        return role

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        shown = await DeskFigures(ADDRESSES, token, client).figures()
    assert shown["duty_officer"]["number"] == 2
    assert shown["duty_officer"]["since"] == "2026-11-24T02:40:00Z"
    assert shown["notice_author"]["number"] == 3  # two proposals and a renewal
    assert (shown["overseer"]["number"], shown["overseer"]["second"], shown["overseer"]["more"]) == (3, 1, True)
    assert (shown["premises_operator"]["number"], shown["premises_operator"]["second"]) == (4, 1)
    assert (shown["inspector"]["number"], shown["inspector"]["second"]) == (3, 38)
    assert shown["manager"]["number"] == 416
    assert (shown["clerk"]["number"], shown["clerk"]["up"]) == (None, True)  # suppressed, which is no failure
    assert roles == {"duty_officer", "overseer", "premises_operator", "manager"}


@pytest.mark.parametrize("status", [200, 503])
async def test_a_service_that_does_not_answer_is_said_and_the_others_stand(status: int) -> None:
    def down(request: httpx.Request) -> httpx.Response:
        if request.url.host == "alerts":
            if status == 200:
                raise httpx.ConnectError("down")
            return httpx.Response(status)
        return answer(request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(down)) as client:
        shown = await DeskFigures(ADDRESSES, lambda role: role, client).figures()
    assert {role for role, figure in shown.items() if not figure["up"]} == {"duty_officer", "notice_author", "overseer"}
    assert shown["manager"]["number"] == 416


async def test_services_are_asked_once_for_many_who_look() -> None:
    asked: list[str] = []

    def count(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return answer(request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(count)) as client:
        figures = DeskFigures(ADDRESSES, lambda role: role, client)
        shown = [await figures.figures() for _ in range(5)]
    assert shown[0].keys() == READ.keys()
    assert shown[0] == shown[-1]
    assert len(asked) == 9
