"""Owns the city's duty officers: they take alerts on after a while, verify and close them slowly, and forget some.

All of it follows from the alert's id and age, so that nothing is kept and a restart changes nothing. What a visitor of
the demo has taken on stays theirs.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from anju.city.terminals import Official, Refused, Terminals
from anju.portal import tokens

log = structlog.get_logger()

OFFICERS = tuple(Official("duty_officer", "command-centre", name) for name in ("程远", "苏叶", "石青"))
SUBJECTS = {tokens.person(each.role, each.unit, each.name)["sub"]: each for each in OFFICERS}
LOOK_SECONDS = 4.0
# Seconds after raising. Nobody is quicker than a visitor who tries the board; some alerts run over their clock.
ACKNOWLEDGED, VERIFIED, CLOSED = (35, 150), (180, 480), (540, 1_300)
# One in six waits much longer for somebody, as on a bad day.
FORGOTTEN, FORGOTTEN_FACTOR = 1 / 6, 5.0
TRUE_MATCH = 0.5
REASONS = {
    "true_match": ("到场核对证件原件与本人，属实。", "handed_over", "已移交办案单位。"),
    "false_match": ("当面核对，证件系他人冒用登记，当场说明并致歉。", "not_confirmed", "登记已通知派出所更正。"),
    "confirmed": ("社区民警到场查看，情况属实。", "resolved", "已通知检查员跟进整改。"),
    "not_confirmed": ("到场查看，人数与登记不符，已有人搬离。", "not_confirmed", "登记已更新。"),
}


@dataclass(frozen=True, slots=True)
class _Course:
    """What happens to an alert, and when, in seconds after its raising."""

    officer: Official
    acknowledged: float
    verified: float
    closed: float
    result: str


class Officers:
    """The officers on duty."""

    def __init__(self, seed: int, terminals: Terminals, clock: Callable[[], datetime]) -> None:
        self._seed, self._terminals, self._clock = seed, terminals, clock

    async def run(self) -> None:
        """Work, for ever."""
        while True:
            try:
                await self.look()
            except Refused as refused:
                log.warning("officers-refused", status=refused.status, code=refused.code)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Go through the open alerts once and take each step that is due."""
        for state in ("new", "acknowledged", "verified"):
            page = await self._terminals.get(OFFICERS[0], "alerts", "/api/v1/alerts", state=state, limit="100")
            for alert in page["items"]:
                await self._consider(alert)

    async def _consider(self, alert: dict[str, Any]) -> None:
        course = self.course(alert)
        age = (self._clock() - datetime.fromisoformat(alert["raised_at"])).total_seconds()
        owner = SUBJECTS.get(alert["owner"] or "")
        finding, outcome, ending = REASONS[alert.get("verification") or course.result]
        if alert["state"] == "new" and age >= course.acknowledged:
            await self._take(course.officer, alert, "acknowledgement", {})
        elif alert["state"] == "acknowledged" and owner and age >= course.verified:
            await self._take(owner, alert, "verification", {"result": course.result, "reason": finding})
        elif alert["state"] == "verified" and owner and age >= course.closed:
            await self._take(owner, alert, "closure", {"outcome": outcome, "reason": ending})

    def course(self, alert: dict[str, Any]) -> _Course:
        """What will be done with this alert."""
        dice = random.Random(f"{self._seed}/{alert['alert_id']}")
        slowness = FORGOTTEN_FACTOR if dice.random() < FORGOTTEN else 1.0
        results = ("true_match", "false_match") if alert["source"] == "notice" else ("confirmed", "not_confirmed")
        return _Course(
            officer=dice.choice(OFFICERS),
            acknowledged=slowness * dice.uniform(*ACKNOWLEDGED),
            verified=slowness * dice.uniform(*VERIFIED),
            closed=slowness * dice.uniform(*CLOSED),
            result=results[0] if dice.random() < TRUE_MATCH else results[1],
        )

    async def _take(self, officer: Official, alert: dict[str, Any], step: str, body: dict[str, str]) -> None:
        path = f"/api/v1/alerts/{alert['alert_id']}/{step}"
        # A reopened alert goes the same way again: its clock makes it another errand.
        key = f"city-{step}-{alert['alert_id']}-{alert['due_at']}"
        try:
            await self._terminals.post(officer, "alerts", path, body, key)
        except Refused as refused:
            if refused.status != 409:  # a visitor or the alert's end was faster
                raise
