"""Owns the live figures of the start page: what the services' metrics say of the way from an arrival to a screen."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

READ_SECONDS = 1.5
# However many look at the page, the services are asked at most so often.
FRESH_SECONDS = 1.0
# Rates and mean times are taken over this: short enough to follow, long enough not to jump at two events a second.
SPAN_SECONDS = 20.0
LEAST_SPAN_SECONDS = 2.0

STAYS = "registration.stays"
# What of registration's answers is an arrival, a departure or a correction: its API's routes, and its pages'.
STAY_ROUTES = frozenset(
    {
        "/api/v1/arrivals",
        "/api/v1/stays/{stay_id}/departure",
        "/api/v1/stays/{stay_id}/corrections",
        "/",
        "/stays/{stay_id}/departure",
        "/stays/{stay_id}/corrections",
    }
)
DONE = frozenset({"200", "201", "303"})
REQUESTS, BATCHES = "anju_http_request_seconds", "anju_consumer_batch_seconds"
DEAD = "anju_dead_letters"
TO_SCREEN, SENT = "anju_alert_commit_to_stream_seconds", "anju_relay_sent_total"
WANTED = (
    f"{REQUESTS}_count",
    f"{REQUESTS}_sum",
    f"{BATCHES}_count",
    f"{BATCHES}_sum",
    f"{TO_SCREEN}_count",
    f"{TO_SCREEN}_sum",
    f"{SENT}{{",
    "anju_outbox_unsent",
    DEAD,
    "anju_match_events_total",
    "anju_stream_clients",
)
PROCESSES = tuple(
    f"{service}-{side}" for service in ("registration", "housing", "alerts", "reporting") for side in ("web", "worker")
)

# (metric, labels) to value, of one process.
Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def parse(text: str) -> Samples:
    """The samples of a /metrics page that the drawing needs."""
    lines = "\n".join(line for line in text.splitlines() if line.startswith(WANTED))
    families = text_string_to_metric_families(lines + "\n")
    return {(one.name, frozenset(one.labels.items())): one.value for each in families for one in each.samples}


def total(samples: Samples, name: str, fits: Callable[[dict[str, str]], bool] = lambda _: True) -> float:
    """The sum of a metric over the labels that fit."""
    return sum(value for (metric, labels), value in samples.items() if metric == name and fits(dict(labels)))


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read at a moment (a monotonic clock's); a process that did not answer is missing."""

    at: float
    processes: Mapping[str, Samples]


class Pipeline:
    """Reads the processes' metrics when somebody looks. `addresses` maps a process to where its /metrics is."""

    def __init__(self, addresses: Mapping[str, str], client: httpx.AsyncClient | None = None) -> None:
        self._addresses = {name: address for name, address in addresses.items() if name in PROCESSES}
        self._client = client
        self._readings: deque[Reading] = deque()
        self._turn = asyncio.Lock()

    async def figures(self) -> dict[str, Any]:
        """`{station: {up, count, milliseconds}, …}` with `per_minute`, dead letters, rows unsent and who answers.

        A figure that is not known is None.
        """
        async with self._turn:
            now = time.monotonic()
            if not self._readings or now - self._readings[-1].at >= FRESH_SECONDS:
                self._readings.append(await self._read(now))
                while now - self._readings[0].at > SPAN_SECONDS:
                    self._readings.popleft()
            return figures(self._readings[0], self._readings[-1]) | {"processes": len(self._addresses)}

    async def _read(self, now: float) -> Reading:
        client = self._client = self._client or httpx.AsyncClient()

        async def one(name: str, address: str) -> tuple[str, Samples | None]:
            try:
                answer = await client.get(f"{address}/metrics", timeout=READ_SECONDS)
                return name, parse(answer.text) if answer.status_code == 200 else None
            except (httpx.HTTPError, ValueError):
                return name, None

        answers = await asyncio.gather(*(one(name, address) for name, address in self._addresses.items()))
        return Reading(now, {name: samples for name, samples in answers if samples is not None})


def figures(first: Reading, last: Reading) -> dict[str, Any]:
    """What the drawing shows: counts of the last reading, rates and mean times between the two."""

    def stays(labels: dict[str, str]) -> bool:
        right_route = labels.get("route") in STAY_ROUTES and labels.get("status") in DONE
        return labels.get("topic") == STAYS or (right_route and labels.get("method") == "POST")

    def count(process: str, name: str, fits: Callable[[dict[str, str]], bool] = lambda _: True) -> int | None:
        samples = last.processes.get(process)
        return None if samples is None else round(total(samples, name, fits))

    def grown(process: str, name: str, fits: Callable[[dict[str, str]], bool] = lambda _: True) -> float | None:
        before, after = first.processes.get(process), last.processes.get(process)
        if before is None or after is None or last.at - first.at < LEAST_SPAN_SECONDS:
            return None
        growth = total(after, name, fits) - total(before, name, fits)
        return growth if growth >= 0 else None  # less than before: the process was started again

    def mean(process: str, name: str, fits: Callable[[dict[str, str]], bool] = lambda _: True) -> int | None:
        seconds, times = grown(process, f"{name}_sum", fits), grown(process, f"{name}_count", fits)
        return round(1000 * seconds / times) if seconds is not None and times else None

    def station(processes: Iterable[str], number: int | None, milliseconds: int | None = None) -> dict[str, Any]:
        return {"up": all(each in last.processes for each in processes), "count": number, "milliseconds": milliseconds}

    sent = grown("registration-worker", SENT, stays)
    every_second = None if sent is None else sent / (last.at - first.at)
    department = count("alerts-worker", SENT, lambda labels: labels.get("topic", "").startswith("alerts.department."))
    return {
        "registration": station(
            ["registration-web"],
            count("registration-web", f"{REQUESTS}_count", stays),
            mean("registration-web", REQUESTS, stays),
        ),
        "outbox": station(["registration-worker"], count("registration-worker", "anju_outbox_unsent")),
        "kafka": station(["registration-worker"], count("registration-worker", SENT, stays)),
        "alerts": station(
            ["alerts-worker"], count("alerts-worker", "anju_match_events_total"), mean("alerts-worker", BATCHES, stays)
        ),
        "board": station(["alerts-web"], count("alerts-web", "anju_stream_clients"), mean("alerts-web", TO_SCREEN)),
        "housing": station(["housing-worker"], count("housing-worker", SENT)),
        "department": station(["alerts-worker"], department),
        "answering": len(last.processes),
        "dead_letters": round(sum(total(samples, DEAD) for samples in last.processes.values())),
        "unsent": round(sum(total(samples, "anju_outbox_unsent") for samples in last.processes.values())),
        "per_minute": None if every_second is None else round(60 * every_second),
    }
