"""Asks Prometheus inside the city's network: given to `python - '[expression, …]'` of the image.

Prints JSON: `points` (expression → how many finite values it had in the last quarter of an hour, at Prometheus's own
interval), `up` (process → whether its last scrape went well), `rules` (alert rule → its health).
"""

import json
import math
import sys
import time
from typing import Any

import httpx

PROMETHEUS = "http://prometheus:9090/api/v1"
PAST_SECONDS = 900
STEP_SECONDS = 5


def _asked(path: str, **query: Any) -> Any:
    answer = httpx.get(f"{PROMETHEUS}/{path}", params=query, timeout=30.0)
    answer.raise_for_status()
    return answer.json()["data"]


def _points(expression: str) -> int:
    now = time.time()
    found = _asked("query_range", query=expression, start=now - PAST_SECONDS, end=now, step=STEP_SECONDS)
    return sum(math.isfinite(float(value)) for series in found["result"] for _, value in series["values"])


print(
    json.dumps(
        {
            "points": {expression: _points(expression) for expression in json.loads(sys.argv[1])},
            "up": {each["metric"]["process"]: each["value"][1] for each in _asked("query", query="up")["result"]},
            "rules": {each["name"]: each["health"] for group in _asked("rules")["groups"] for each in group["rules"]},
        }
    )
)
