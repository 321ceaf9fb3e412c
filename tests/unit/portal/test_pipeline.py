"""The start page's figures: counts, rates and mean times from metrics; calm when a process is down or started again."""

import httpx
import pytest

from anju.portal.pipeline import PROCESSES, Pipeline, Reading, figures, parse

WEB = """
# HELP anju_http_request_seconds From a request's head to its answer's head.
# TYPE anju_http_request_seconds histogram
anju_http_request_seconds_bucket{{le="0.1",method="POST",route="/api/v1/arrivals",status="201"}} 1.0
anju_http_request_seconds_count{{method="POST",route="/api/v1/arrivals",status="201"}} {arrivals}
anju_http_request_seconds_sum{{method="POST",route="/api/v1/arrivals",status="201"}} {seconds}
anju_http_request_seconds_count{{method="POST",route="/api/v1/arrivals",status="422"}} 7.0
anju_http_request_seconds_count{{method="GET",route="/",status="200"}} 9.0
anju_http_request_seconds_count{{method="POST",route="/",status="303"}} 1.0
"""
WORKER = """
anju_relay_sent_total{{topic="registration.stays"}} {sent}
anju_relay_sent_total{{topic="registration.occupancy"}} 900.0
anju_outbox_unsent 3.0
"""


def reading(at: float, arrivals: float, seconds: float, sent: float) -> Reading:
    web = parse(WEB.format(arrivals=arrivals, seconds=seconds))
    return Reading(at, {"registration-web": web, "registration-worker": parse(WORKER.format(sent=sent))})


def test_counts_rates_and_mean_times() -> None:
    shown = figures(reading(0, 100, 5.0, 90), reading(10, 120, 6.0, 110))
    assert shown["registration"] == {"up": True, "count": 121, "milliseconds": 50.0}
    assert shown["outbox"]["count"] == 3
    assert shown["kafka"]["count"] == 110
    assert shown["per_minute"] == 120


def test_what_does_not_answer_is_not_known() -> None:
    shown = figures(reading(0, 100, 5.0, 90), Reading(10, {}))
    assert shown["registration"] == {"up": False, "count": None, "milliseconds": None}
    assert shown["board"] == {"up": False, "count": None, "milliseconds": None}
    assert shown["per_minute"] is None


def test_a_process_that_began_again_gives_no_rate() -> None:
    shown = figures(reading(0, 100, 5.0, 90), reading(10, 2, 0.1, 1))
    assert shown["registration"] == {"up": True, "count": 3, "milliseconds": None}
    assert shown["per_minute"] is None


def test_nothing_happened_is_no_division() -> None:
    shown = figures(reading(0, 100, 5.0, 90), reading(10, 100, 5.0, 90))
    assert shown["registration"]["milliseconds"] is None
    assert shown["per_minute"] == 0


@pytest.mark.parametrize("status", [200, 503])
async def test_services_are_asked_once_for_many_who_look(status: int) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        if request.url.host == "housing-worker":
            raise httpx.ConnectError("down")
        return httpx.Response(status, text=WORKER.format(sent=5))

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        pipeline = Pipeline({name: f"http://{name}" for name in (*PROCESSES, "another")}, client)
        shown = [await pipeline.figures() for _ in range(5)]
    assert sorted(asked) == sorted(PROCESSES)
    assert shown[0]["kafka"]["count"] == (5 if status == 200 else None)
    assert shown[-1]["housing"] == {"up": False, "count": None, "milliseconds": None}
    assert (shown[0]["answering"], shown[0]["processes"]) == (7 if status == 200 else 0, 8)
