"""Reporting's page: calm while there is nothing, and for managers only."""

import time
from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

import httpx
import pytest
import sqlalchemy as sa

from chassis.data.migrations import migrate
from chassis.run.service import WebParts
from services.reporting import wiring
from services.reporting.storage.tables import opening
from tests.parts import Postgres
from tests.service.reporting.conftest import ORIGIN, settings_of

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
async def parts(postgres: Postgres) -> AsyncIterator[WebParts]:
    dsn = await postgres.new_database()
    await migrate(dsn, "reporting")
    made = wiring.web(settings_of(dsn))
    yield made
    assert made.db is not None
    await made.db.dispose()


def browser(parts: WebParts, role: str) -> httpx.AsyncClient:
    sessions = parts.app.state.access._sessions
    session = {"sub": role, "name": "吴敏", "role": role, "unit": "city", "token": "", "until": time.time() + 600}
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=parts.app),
        base_url=ORIGIN,
        headers={"accept": "text/html"},
        cookies={sessions._cookie: sessions._sealer.seal(sessions._cookie, session), "anju_lang": "zh-CN"},
    )


async def test_an_empty_page_says_since_when(parts: WebParts) -> None:
    async with browser(parts, "manager") as page:
        shown = await page.get("/")
    assert shown.status_code == 200
    assert "这里没有统计到人" in shown.text
    assert parts.db is not None
    async with parts.db.read() as tx:
        opened_at = await tx.scalar(sa.select(opening.c.opened_at))
    # On screen in the city's time, which is eight hours ahead of UTC.
    assert f"{opened_at.astimezone(ZoneInfo('Asia/Shanghai')):%m-%d %H:%M} 起" in shown.text


async def test_others_are_refused(parts: WebParts) -> None:
    async with browser(parts, "clerk") as page:
        assert (await page.get("/")).status_code == 403


async def test_it_is_ready(parts: WebParts) -> None:
    async with browser(parts, "manager") as page:
        assert (await page.get("/health/ready")).status_code == 200
